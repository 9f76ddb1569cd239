// A circuit as text for people, and as JSON for the tools that show it.
#include <algorithm>
#include <array>
#include <sstream>

#include "plan/circuit.h"

namespace qn::plan {
namespace {

constexpr std::array kKinds = {"aggregate", "join", "distinct", "bag", "recompute"};
constexpr std::array kMerges = {"add", "min", "max", "and", "or", "bit and", "bit or", "bit xor", "first"};

const char* KindName(const CircuitOp& op) { return kKinds.at(static_cast<size_t>(op.kind)); }

std::string Names(const Schema& columns, size_t from, size_t to) {
  std::string out;
  for (size_t i = from; i < to; ++i) out += (i == from ? "" : ", ") + columns[i].name;
  return out;
}

std::string Indented(const std::string& text, const std::string& indent) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) out += indent + line + "\n";
  return out;
}

std::string How(const CircuitOp& op) {
  if (op.kind != CircuitOp::Kind::kRecompute) return "native";
  if (op.inputs.empty()) return "once";
  if (op.keeps_answer_only) return "recomputed from its last answer";
  return op.key_count == 0 ? "recomputed whole" : "recomputed by key";
}

std::string FragmentText(const Fragment& fragment) {
  std::string line;
  if (fragment.key_count > 0) {
    line += "key: " + Names(fragment.columns, 0, fragment.key_count);
    if (fragment.strict_keys > 0) line += " (" + std::to_string(fragment.strict_keys) + " by =)";
  }
  const std::string rest = Names(fragment.columns, fragment.key_count, fragment.columns.size());
  if (!fragment.is_grouped && !rest.empty()) line += (line.empty() ? "row: " : "; row: ") + rest;
  if (fragment.is_weighted) line += "; weight";
  if (fragment.is_grouped) line += (line.empty() ? "states: " : "; states: ") + fragment.grouped_sql;
  return "  from " + line + "\n" + Indented(qn::plan::Print(*fragment.tree), "    ");
}

std::string Emits(const CircuitOp& op) {
  std::string out;
  const auto add = [&out](bool flag, const char* word) {
    if (flag) out += (out.empty() ? "" : ", ") + std::string(word);
  };
  add(op.emits_pairs, "pairs");
  add(op.emits_left_matched, "left with a match");
  add(op.emits_left_unmatched, "left without a match");
  add(op.emits_right_unmatched, "right without a match");
  return out;
}

std::string OpText(const CircuitOp& op, size_t index) {
  std::string out = "#" + std::to_string(index) + " " + op.label + "  [" + KindName(op) + ", " + How(op) +
                    (op.is_weighted ? ", weighted" : "") + "]\n";
  if (op.kind == CircuitOp::Kind::kJoin) out += "  gives " + Emits(op) + "\n";
  if (op.kind == CircuitOp::Kind::kAggregate) {
    std::string merges;
    for (const Merge merge : op.merges) {
      merges += (merges.empty() ? "" : ", ") + std::string(kMerges.at(static_cast<size_t>(merge)));
    }
    out += "  merges " + merges + "\n";
  }
  for (const Fragment& input : op.inputs) out += FragmentText(input);
  if (op.tree != nullptr) out += "  answers\n" + Indented(Print(*op.tree), "    ");
  return out;
}

Json Strings(const std::vector<std::string>& texts) {
  Json out{Json::Array{}};
  for (const std::string& text : texts) out.Push(text);
  return out;
}

Json ColumnList(const Schema& columns) {
  Json out{Json::Array{}};
  for (const Field& field : columns) {
    out.Push(Json::Object{{"name", field.name}, {"type", field.type.ToSql()}});
  }
  return out;
}

}  // namespace

std::string Circuit::Print() const {
  std::string out;
  for (const CircuitInput& input : inputs) {
    out += "input " + input.name + (input.is_weighted ? ", weighted" : "") + (input.is_once ? ", once" : "") +
           "\n";
  }
  for (size_t i = 0; i < ops.size(); ++i) out += OpText(ops[i], i);
  out += "output" + std::string(output.is_weighted ? "  [weighted]" : "") + "\n";
  return out + Indented(qn::plan::Print(*output.tree), "  ");
}

Json Circuit::ToJson() const {
  Json list{Json::Array{}};
  for (size_t i = 0; i < ops.size(); ++i) {
    const CircuitOp& op = ops[i];
    std::vector<std::string> reads;
    for (const Fragment& input : op.inputs) {
      for (const std::string& name : input.reads) {
        if (std::find(reads.begin(), reads.end(), name) == reads.end()) reads.push_back(name);
      }
    }
    list.Push(Json::Object{{"index", static_cast<int64_t>(i)},
                           {"label", op.label},
                           {"kind", KindName(op)},
                           {"native", op.kind != CircuitOp::Kind::kRecompute},
                           {"how", How(op)},
                           {"inputs", Strings(reads)},
                           {"weighted", op.is_weighted},
                           {"columns", ColumnList(op.columns)}});
  }
  Json streams{Json::Array{}};
  for (const CircuitInput& input : inputs) {
    streams.Push(
        Json::Object{{"name", input.name}, {"once", input.is_once}, {"weighted", input.is_weighted}});
  }
  return Json::Object{
      {"inputs", std::move(streams)},
      {"ops", std::move(list)},
      {"output", Json::Object{{"inputs", Strings(output.reads)}, {"weighted", output.is_weighted}}}};
}

}  // namespace qn::plan
