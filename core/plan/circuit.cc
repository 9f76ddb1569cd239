// A circuit's SQL, and its text for comparing circuits.
#include "plan/circuit.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "base/crc32c.h"
#include "plan/circuit_build.h"
#include "plan/write_sql.h"

namespace qn::plan {
namespace {

std::vector<std::string> Numbered(size_t count) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i) names.push_back("c" + std::to_string(i));
  return names;
}

std::string Types(const Schema& columns) {
  std::string out;
  for (const Field& field : columns) out += (out.empty() ? "" : ", ") + field.type.ToSql();
  return out;
}

const Relations& ByName() {
  static const Relations relations = {[](const std::string& name) { return QuoteName(name); }};
  return relations;
}

// What a fragment reads, gives and how.
Result<std::string> FragmentText(const Fragment& fragment) {
  QN_GET(std::string text, fragment.Sql(ByName()));
  text += "\n  " + std::to_string(fragment.key_count) + " " + std::to_string(fragment.strict_keys) + " (" +
          Types(fragment.columns) + ")" + (fragment.is_weighted ? " weighted" : "") + "\n";
  return text;
}

}  // namespace

Result<std::string> Fragment::Sql(const Relations& relations) const {
  SqlOptions options;
  options.relation = relations.relation;
  options.hidden = {{kWeightColumn, "CAST(1 AS BIGINT)"}};
  options.has_hidden = [this](const std::string& input) {
    return std::find(weighted_reads.begin(), weighted_reads.end(), input) != weighted_reads.end();
  };
  QN_GET(std::string rows, WriteSql(*tree, Numbered(tree->columns.size()), options));
  if (!is_grouped) return rows;
  std::string sql = "SELECT " + grouped_sql + " FROM (" + rows + ") AS g";
  for (size_t i = 0; i < key_count; ++i) sql += (i == 0 ? " GROUP BY g.c" : ", g.c") + std::to_string(i);
  return sql;
}

namespace {

void AddColumnsRead(const Node& node, const std::string& input, std::vector<std::string>& names) {
  for (const auto& child : node.children) AddColumnsRead(*child, input, names);
  if (node.op != Op::kScan || node.input != input) return;
  for (size_t i = 0; i < node.columns.size(); ++i) {
    if (node.needed[i] && node.keep[i] != kRowId) names.push_back(node.columns[i].name);
  }
}

}  // namespace

std::vector<std::string> Fragment::ColumnsRead(const std::string& input) const {
  std::vector<std::string> names;
  AddColumnsRead(*tree, input, names);
  return names;
}

Result<std::string> Fragment::RowsSql(const Relations& relations,
                                      const std::vector<std::string>& with_origin) const {
  SqlOptions options;
  options.relation = relations.relation;
  options.hidden = OriginColumns();
  options.has_hidden = [&with_origin](const std::string& input) {
    return std::find(with_origin.begin(), with_origin.end(), input) != with_origin.end();
  };
  return WriteSql(*tree, Numbered(tree->columns.size()), options);
}

Result<std::string> CircuitOp::RecomputeSql(const Relations& relations) const {
  SqlOptions options;
  options.relation = [&relations](const std::string& input) {
    return input[0] == '@' ? relations.relation(input) : QuoteName(input);
  };
  options.has_hidden = [](const std::string&) { return false; };
  return WriteSql(*tree, Numbered(tree->columns.size()), options);
}

Result<std::string> OpText(const CircuitOp& op) {
  std::string text = "kind " + std::to_string(static_cast<int>(op.kind)) + " (" + Types(op.columns) + ")";
  for (const bool flag :
       {op.is_weighted, op.has_groups, op.emits_pairs, op.emits_left_unmatched, op.emits_right_unmatched,
        op.emits_left_matched, op.is_except, op.keeps_answer_only}) {
    text += flag ? " 1" : " 0";
  }
  for (const Merge merge : op.merges) text += " m" + std::to_string(static_cast<int>(merge));
  text += " " + std::to_string(op.key_count) + "\n";
  for (const Fragment& input : op.inputs) {
    Result<std::string> fragment = FragmentText(input);
    if (!fragment.ok()) return CannotFollow("What feeds " + op.label, fragment.status().text());
    text += "  " + *fragment;
  }
  if (op.kind == CircuitOp::Kind::kRecompute) {
    Result<std::string> sql = op.RecomputeSql(ByName());
    if (!sql.ok()) return CannotFollow(op.label, sql.status().text());
    text += "  " + *sql + "\n";
  }
  return text;
}

void Circuit::ForTrees(const std::function<void(Node& tree)>& change) {
  for (CircuitOp& op : ops) {
    for (Fragment& input : op.inputs) change(*input.tree);
    if (op.tree != nullptr) change(*op.tree);
  }
  change(*output.tree);
}

std::string Circuit::Fingerprint() const {
  std::string text;
  for (const CircuitInput& input : inputs) {
    text += input.name + (input.is_once ? " once" : "") + (input.is_weighted ? " weighted" : "") + "\n";
  }
  for (const CircuitOp& op : ops) text += OpText(op).value();
  text += FragmentText(output).value();
  // Two checksums over the text from both ends: 64 bits.
  std::array<char, 20> out{};
  std::snprintf(out.data(), out.size(), "%08x%08x", Crc32c(text),
                Crc32c(std::string(text.rbegin(), text.rend())));
  return out.data();
}

}  // namespace qn::plan
