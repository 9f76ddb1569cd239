// Tries the four ways to leave out casts and takes the first that DuckDB's rules turn into the plan's types.
#include "plan/decimal.h"

#include <algorithm>
#include <array>
#include <optional>

namespace qn::plan {
namespace {

constexpr int kWidthMax = 38;
constexpr int kWidthMaxInt64 = 18;

struct Digits {
  int width = 0;
  int scale = 0;
  bool is_decimal = false;
};

std::optional<Digits> DigitsOf(const Type& type) {
  switch (type.id) {
    case TypeId::kBoolean:
      return Digits{1, 0, false};
    case TypeId::kTinyInt:
    case TypeId::kUTinyInt:
      return Digits{3, 0, false};
    case TypeId::kSmallInt:
    case TypeId::kUSmallInt:
      return Digits{5, 0, false};
    case TypeId::kInteger:
    case TypeId::kUInteger:
      return Digits{10, 0, false};
    case TypeId::kBigInt:
      return Digits{19, 0, false};
    case TypeId::kUBigInt:
      return Digits{20, 0, false};
    case TypeId::kHugeInt:
    case TypeId::kUHugeInt:
      return Digits{38, 0, false};
    case TypeId::kDecimal:
      return Digits{type.width, type.scale, true};
    default:
      return std::nullopt;
  }
}

// Bytes that DuckDB stores a decimal in.
int Storage(int width) { return width <= 4 ? 2 : width <= 9 ? 4 : width <= kWidthMaxInt64 ? 8 : 16; }

struct Outcome {
  Type type;
  bool checks_overflow = false;  // the digits needed were cut to what fits
};

Outcome ResultOf(const std::string& name, const Digits& a, const Digits& b) {
  Outcome out;
  int width = 0;
  int scale = 0;
  if (name == "*") {
    width = a.width + b.width;
    scale = a.scale + b.scale;
    if (width > kWidthMaxInt64 && std::max(a.width, b.width) <= kWidthMaxInt64 && scale < kWidthMaxInt64) {
      width = kWidthMaxInt64;
      out.checks_overflow = true;
    }
  } else {
    scale = std::max(a.scale, b.scale);
    const int above = std::max(a.width - a.scale, b.width - b.scale);
    width = std::max({scale + above, a.width, b.width}) + (name == "%" ? 0 : 1);
  }
  out.checks_overflow = out.checks_overflow || width > kWidthMax;
  out.type = Type::Decimal(static_cast<uint8_t>(std::min(width, kWidthMax)), static_cast<uint8_t>(scale));
  return out;
}

// The type that the binder casts an argument to.
Type ArgumentOf(const std::string& name, const Digits& digits, const Type& type, const Type& result) {
  const bool same_storage = digits.is_decimal && Storage(digits.width) == Storage(result.width);
  if (name == "*") {
    return same_storage ? type : Type::Decimal(result.width, static_cast<uint8_t>(digits.scale));
  }
  return same_storage && digits.scale == result.scale ? type : result;
}

bool Fits(const Expr& call, const Type& first, const Type& second) {
  const std::optional<Digits> a = DigitsOf(first);
  const std::optional<Digits> b = DigitsOf(second);
  if (!a || !b) return false;
  const auto [result, checks_overflow] = ResultOf(call.name, *a, *b);
  return result == call.type && checks_overflow == call.checks_overflow &&
         ArgumentOf(call.name, *a, first, result) == call.children[0].type &&
         ArgumentOf(call.name, *b, second, result) == call.children[1].type;
}

}  // namespace

LeaveOut DecimalCastsToLeaveOut(const Expr& call) {
  const bool is_arithmetic = call.name == "+" || call.name == "-" || call.name == "*" || call.name == "%";
  if (!is_arithmetic || call.children.size() != 2 || call.type.id != TypeId::kDecimal) return {};
  const auto can = [&call](size_t i) {
    const Expr& child = call.children[i];
    return child.kind == Expr::Kind::kCast && !child.is_try && child.children.size() == 1;
  };
  for (const LeaveOut& out : {LeaveOut{false, false}, {true, false}, {false, true}, {true, true}}) {
    if ((out.first && !can(0)) || (out.second && !can(1))) continue;
    const Type& first = out.first ? call.children[0].children[0].type : call.children[0].type;
    const Type& second = out.second ? call.children[1].children[0].type : call.children[1].type;
    if (Fits(call, first, second)) return out;
  }
  return {};
}

}  // namespace qn::plan
