// A walk over the tree; what is not understood is left as it is.
#include "ops/pattern_calls.h"

#include <algorithm>
#include <atomic>

namespace qn::ops {
namespace {

using plan::Expr;
using plan::Node;

class PatternTest final : public duck::TextTest {
 public:
  explicit PatternTest(std::shared_ptr<const Pattern> pattern) : pattern_(std::move(pattern)) {}
  bool Test(std::string_view text) const override { return pattern_->Matches(text); }

 private:
  std::shared_ptr<const Pattern> pattern_;
};

class PatternPart final : public duck::TextPart {
 public:
  explicit PatternPart(std::shared_ptr<const Pattern> pattern) : pattern_(std::move(pattern)) {}
  std::string_view Part(std::string_view text) const override { return pattern_->Extract(text); }

 private:
  std::shared_ptr<const Pattern> pattern_;
};

bool IsConstant(const Expr& expr, TypeId type) {
  return expr.kind == Expr::Kind::kConstant && expr.type.id == type && !expr.value["value"].IsNull();
}

std::optional<Pattern> PatternOf(const Expr& call) {
  const bool is_extract = call.name == "regexp_extract";
  if (!is_extract && call.name != "regexp_matches" && call.name != "regexp_full_match") return std::nullopt;
  if (call.children.size() < 2 || call.children.size() > (is_extract ? 3 : 2)) return std::nullopt;
  if (!IsConstant(call.children[1], TypeId::kVarchar)) return std::nullopt;
  int group = 0;
  if (call.children.size() == 3) {
    if (!IsConstant(call.children[2], TypeId::kInteger)) return std::nullopt;
    group = static_cast<int>(call.children[2].value["value"].Int(-1));
  }
  const auto where = call.name == "regexp_full_match" ? Pattern::Where::kWhole : Pattern::Where::kAnywhere;
  return Pattern::Compile(call.children[1].value["value"].Str(), where, group);
}

// All that decides what a call gives for a text.
std::string TextOf(const Expr& call) {
  std::string text = call.name;
  for (size_t i = 1; i < call.children.size(); ++i) text += "\n" + call.children[i].value["value"].Dump();
  return text;
}

class Replacer {
 public:
  explicit Replacer(std::vector<PatternCall>& calls) : calls_(calls) {}

  void Replace(Node& node) {
    for (Expr& expr : node.exprs) Replace(expr);
    for (plan::JoinKey& key : node.keys) {
      Replace(key.left);
      Replace(key.right);
    }
    for (const auto& child : node.children) Replace(*child);
  }

 private:
  void Replace(Expr& expr) {
    for (Expr& child : expr.children) Replace(child);
    if (expr.kind != Expr::Kind::kCall) return;
    std::optional<Pattern> pattern = PatternOf(expr);
    if (!pattern.has_value()) return;
    const std::string text = TextOf(expr);
    auto found = std::find_if(calls_.begin(), calls_.end(),
                              [&text](const PatternCall& call) { return call.text == text; });
    if (found == calls_.end()) found = calls_.insert(found, Make(expr, *std::move(pattern)));
    expr.name = found->name;
    expr.children.resize(1);
  }

  static PatternCall Make(const Expr& expr, Pattern pattern) {
    static std::atomic<int> next{0};
    PatternCall call;
    call.name = "qn_regexp_" + std::to_string(next.fetch_add(1));
    call.text = TextOf(expr);
    call.is_test = expr.name != "regexp_extract";
    call.pattern = std::make_shared<const Pattern>(std::move(pattern));
    return call;
  }

  std::vector<PatternCall>& calls_;
};

}  // namespace

Status PatternCall::Register(duck::Connection& connection) {
  if (is_test) {
    test_ = std::make_shared<const PatternTest>(pattern);
    return duck::RegisterTextTest(connection, name, *test_);
  }
  part_ = std::make_shared<const PatternPart>(pattern);
  return duck::RegisterTextPart(connection, name, *part_);
}

void ReplacePatterns(plan::Node& tree, std::vector<PatternCall>& calls) { Replacer(calls).Replace(tree); }

}  // namespace qn::ops
