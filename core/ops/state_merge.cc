// Each column gets its function once; a merge is then a copy and a call a column.
#include "ops/state_merge.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <type_traits>
#include <utility>

#include "base/check.h"

namespace qn::ops {
namespace {

using plan::Merge;
__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

template <typename T>
T Load(const char* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <typename T>
void Store(char* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

// Orders of physical values, as DuckDB sorts them.
struct Plain {
  template <typename T>
  static bool IsLess(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      if (std::isnan(a)) return false;  // NaN is the greatest, and equal to itself
      if (std::isnan(b)) return true;
    }
    return a < b;
  }
};

// By the moment; of the same moment that with the greater offset is less.
struct ByTimeTz {
  static uint64_t Key(uint64_t bits) {
    constexpr uint64_t kOffsetBits = 24;
    constexpr uint64_t kMicros = 1'000'000;
    return bits + ((bits & ((uint64_t{1} << kOffsetBits) - 1)) * kMicros << kOffsetBits);
  }
  static bool IsLess(uint64_t a, uint64_t b) { return Key(a) < Key(b); }
};

struct ByInterval {
  static bool IsLess(const duck::Interval& a, const duck::Interval& b) {
    return duck::IntervalOrder(a) < duck::IntervalOrder(b);
  }
};

// A BIT: the number of padding bits, then the bits, of which the padding comes first and is set. Ordered as
// its text is.
class Bits {
 public:
  explicit Bits(std::string_view bytes) : bytes_(bytes) {}
  size_t padding() const { return static_cast<unsigned char>(bytes_[0]); }
  size_t size() const { return (bytes_.size() - 1) * 8 - padding(); }
  bool operator[](size_t i) const {
    const size_t at = padding() + i;
    return (static_cast<unsigned char>(bytes_[1 + at / 8]) >> (7 - at % 8) & 1) != 0;
  }
  bool IsLess(const Bits& other) const {
    for (size_t i = 0; i < std::min(size(), other.size()); ++i) {
      if ((*this)[i] != other[i]) return other[i];
    }
    return size() < other.size();
  }

 private:
  std::string_view bytes_;
};

bool IsWhole(TypeId id) { return id >= TypeId::kTinyInt && id <= TypeId::kUHugeInt; }

bool IsNested(TypeId id) {
  return id == TypeId::kStruct || id == TypeId::kList || id == TypeId::kArray || id == TypeId::kMap;
}

// 1, 10, … 10^38.
constexpr auto kPowersOf10 = [] {
  std::array<UInt128, 39> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

// A type's name for the function that works on its physical values.
template <typename T>
struct As {};

template <typename F>
auto ForInteger(const Type& type, F&& f) {
  switch (type.id) {
    case TypeId::kTinyInt:
      return f(As<int8_t>());
    case TypeId::kSmallInt:
      return f(As<int16_t>());
    case TypeId::kInteger:
    case TypeId::kDate:
      return f(As<int32_t>());
    case TypeId::kBoolean:
    case TypeId::kUTinyInt:
      return f(As<uint8_t>());
    case TypeId::kUSmallInt:
      return f(As<uint16_t>());
    case TypeId::kUInteger:
      return f(As<uint32_t>());
    case TypeId::kUBigInt:
      return f(As<uint64_t>());
    case TypeId::kUHugeInt:
      return f(As<UInt128>());
    case TypeId::kHugeInt:
    case TypeId::kUuid:
      return f(As<Int128>());
    case TypeId::kDecimal:
      if (type.width <= 4) return f(As<int16_t>());
      if (type.width <= 9) return f(As<int32_t>());
      if (type.width <= 18) return f(As<int64_t>());
      return f(As<Int128>());
    case TypeId::kEnum:
      if (type.labels.size() <= 0xFF) return f(As<uint8_t>());
      if (type.labels.size() <= 0xFFFF) return f(As<uint16_t>());
      return f(As<uint32_t>());
    default:
      return f(As<int64_t>());  // BIGINT, TIME and the timestamps
  }
}

}  // namespace

// The functions of the columns.
struct Folds {
  using Column = StateMerge::Column;
  using Fold = StateMerge::Fold;

  static bool Keep(const Column&, char*, const char*) { return true; }

  template <typename T>
  static bool AddWhole(const Column& column, char* into, const char* from) {
    T sum;
    if (__builtin_add_overflow(Load<T>(into), Load<T>(from), &sum)) return false;
    if (column.decimal_width > 0) {
      const auto size = sum < 0 ? -static_cast<UInt128>(sum) : static_cast<UInt128>(sum);
      if (size >= kPowersOf10[column.decimal_width]) return false;
    }
    Store(into, sum);
    return true;
  }

  template <typename T>
  static bool AddFloat(const Column&, char* into, const char* from) {
    Store(into, Load<T>(into) + Load<T>(from));
    return true;
  }

  template <typename T, typename Order, bool kIsMax>
  static bool Pick(const Column&, char* into, const char* from) {
    const T mine = Load<T>(into);
    const T other = Load<T>(from);
    if (kIsMax ? Order::IsLess(mine, other) : Order::IsLess(other, mine)) Store(into, other);
    return true;
  }

  template <typename T>
  static bool And(const Column&, char* into, const char* from) {
    Store(into, static_cast<T>(Load<T>(into) & Load<T>(from)));
    return true;
  }
  template <typename T>
  static bool Or(const Column&, char* into, const char* from) {
    Store(into, static_cast<T>(Load<T>(into) | Load<T>(from)));
    return true;
  }
  template <typename T>
  static bool Xor(const Column&, char* into, const char* from) {
    Store(into, static_cast<T>(Load<T>(into) ^ Load<T>(from)));
    return true;
  }

  template <bool kIsMax>
  static Fold PickOf(const Type& type) {
    switch (type.id) {
      case TypeId::kFloat:
        return Pick<float, Plain, kIsMax>;
      case TypeId::kDouble:
        return Pick<double, Plain, kIsMax>;
      case TypeId::kInterval:
        return Pick<duck::Interval, ByInterval, kIsMax>;
      case TypeId::kTimeTz:
        return Pick<uint64_t, ByTimeTz, kIsMax>;
      default:
        return ForInteger(type, []<typename T>(As<T>) { return static_cast<Fold>(Pick<T, Plain, kIsMax>); });
    }
  }

  static Fold Of(Merge merge, const Type& type) {
    switch (merge) {
      case Merge::kAdd:
        if (type.id == TypeId::kFloat) return AddFloat<float>;
        if (type.id == TypeId::kDouble) return AddFloat<double>;
        return ForInteger(type, []<typename T>(As<T>) { return static_cast<Fold>(AddWhole<T>); });
      case Merge::kMin:
        return PickOf<false>(type);
      case Merge::kMax:
        return PickOf<true>(type);
      case Merge::kAnd:
      case Merge::kBitAnd:
        return ForInteger(type, []<typename T>(As<T>) { return static_cast<Fold>(And<T>); });
      case Merge::kOr:
      case Merge::kBitOr:
        return ForInteger(type, []<typename T>(As<T>) { return static_cast<Fold>(Or<T>); });
      case Merge::kBitXor:
        return ForInteger(type, []<typename T>(As<T>) { return static_cast<Fold>(Xor<T>); });
      case Merge::kFirst:
        break;
    }
    return Keep;
  }
};

bool StateMerge::CanMerge(Merge merge, const Type& type) {
  if (type.id == TypeId::kNull || type.id == TypeId::kOther) return false;
  switch (merge) {
    case Merge::kAdd:
      return IsWhole(type.id) || type.id == TypeId::kDecimal || type.id == TypeId::kFloat ||
             type.id == TypeId::kDouble;
    case Merge::kMin:
    case Merge::kMax:
      return !IsNested(type.id);
    case Merge::kAnd:
    case Merge::kOr:
      return type.id == TypeId::kBoolean;
    case Merge::kBitAnd:
    case Merge::kBitOr:
    case Merge::kBitXor:
      return IsWhole(type.id) || type.id == TypeId::kBit;
    case Merge::kFirst:
      return true;
  }
  return false;
}

StateMerge::StateMerge(std::vector<Merge> merges, std::vector<Type> types)
    : codec_(std::move(types), duck::Encoding::kRow) {
  QN_CHECK(merges.size() == codec_.columns());
  QN_CHECK(!merges.empty());
  QN_CHECK(merges[0] == Merge::kAdd && codec_.types()[0].id == TypeId::kBigInt);
  for (size_t i = 0; i < merges.size(); ++i) {
    const Type& type = codec_.types()[i];
    QN_CHECK(CanMerge(merges[i], type));
    Column column;
    column.merge = merges[i];
    column.has_tail = codec_.HasTail(i);
    column.slot = codec_.SlotOffset(i);
    column.slot_size = codec_.SlotSize(i);
    if (!column.has_tail) column.fold = Folds::Of(merges[i], type);
    column.is_bit = type.id == TypeId::kBit;
    if (type.id == TypeId::kDecimal) column.decimal_width = type.width;
    column.is_whole_sum = merges[i] == Merge::kAdd && type.id != TypeId::kFloat && type.id != TypeId::kDouble;
    has_tails_ = has_tails_ || column.has_tail;
    columns_.push_back(column);
  }
  cells_.resize(columns_.size());
  made_.resize(columns_.size());
}

Status StateMerge::Combine(std::string_view a, std::string_view b, Arena& arena, std::string_view* out) {
  if (has_tails_) return MergeCells(a, b, arena, out);
  char* state = arena.Allocate(a.size());
  std::memcpy(state, a.data(), a.size());
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (duck::RowCodec::IsNull(b, i)) continue;
    const Column& column = columns_[i];
    const char* from = b.data() + column.slot;
    if (duck::RowCodec::IsNull(a, i)) {
      std::memcpy(state + column.slot, from, column.slot_size);
      state[i / 8] = static_cast<char>(state[i / 8] & ~(1 << (i % 8)));
    } else if (!column.fold(column, state + column.slot, from)) {
      return Overflow(i);
    }
  }
  *out = {state, a.size()};
  return Ok();
}

Status StateMerge::MergeCells(std::string_view a, std::string_view b, Arena& arena, std::string_view* out) {
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    cells_[i] = codec_.Cell(a, i);
    const std::string_view other = codec_.Cell(b, i);
    if (other.data() == nullptr) continue;
    if (cells_[i].data() == nullptr) {
      cells_[i] = other;
    } else if (column.has_tail) {
      QN_TRY(MergeTail(column, other, &cells_[i], made_[i]));
    } else {
      made_[i].assign(cells_[i]);
      if (!column.fold(column, made_[i].data(), other.data())) return Overflow(i);
      cells_[i] = made_[i];
    }
  }
  *out = codec_.FromCells(cells_, arena);
  return Ok();
}

Status StateMerge::MergeTail(const Column& column, std::string_view b, std::string_view* a,
                             std::string& made) const {
  const auto is_less = [&column](std::string_view x, std::string_view y) {
    return column.is_bit ? Bits(x).IsLess(Bits(y)) : x < y;
  };
  switch (column.merge) {
    case Merge::kMin:
      if (is_less(b, *a)) *a = b;
      return Ok();
    case Merge::kMax:
      if (is_less(*a, b)) *a = b;
      return Ok();
    case Merge::kFirst:
      return Ok();
    default:
      break;
  }
  const Bits mine(*a);
  const Bits other(b);
  if (mine.size() != other.size()) {
    return Invalid("QN-3512", "Bit strings of different length cannot be taken together.")
        .With("found: BIT of " + std::to_string(mine.size()) + " and of " + std::to_string(other.size()) +
              " bits under one key")
        .With("The step was not committed; everything before it is.")
        .With("Bring them to one length before the aggregate.");
  }
  made.assign(*a);
  for (size_t i = 1; i < made.size(); ++i) {
    if (column.merge == Merge::kBitAnd) made[i] = static_cast<char>(made[i] & b[i]);
    if (column.merge == Merge::kBitOr) made[i] = static_cast<char>(made[i] | b[i]);
    if (column.merge == Merge::kBitXor) made[i] = static_cast<char>(made[i] ^ b[i]);
  }
  made[1] = static_cast<char>(made[1] | (0xFF << (8 - mine.padding())));
  *a = made;
  return Ok();
}

Status StateMerge::Overflow(size_t column) const {
  const Type& type = codec_.types()[column];
  return Failed("QN-3510", "A sum in a GROUP BY has become too large for its type, " + type.ToSql() + ".")
      .With("The step was not committed; everything before it is.")
      .With("Sum a wider type, for example sum(x::DOUBLE), or leave out the rows that are too large.");
}

int64_t StateMerge::Count(std::string_view state) const {
  return duck::RowCodec::IsNull(state, 0) ? 0 : Load<int64_t>(state.data() + columns_[0].slot);
}

bool StateMerge::IsEmpty(std::string_view state) const {
  for (const Column& column : columns_) {
    if (!column.is_whole_sum) continue;
    const std::string_view slot = state.substr(column.slot, column.slot_size);  // of a NULL: zero
    if (slot.find_first_not_of('\0') != std::string_view::npos) return false;
  }
  return true;
}

std::string_view StateMerge::Nothing(Arena& arena) const {
  const int64_t zero = 0;
  std::vector<std::string_view> cells(columns_.size());
  cells[0] = {reinterpret_cast<const char*>(&zero), sizeof(zero)};
  return codec_.FromCells(cells, arena);
}

}  // namespace qn::ops
