// Operators of a circuit, each made of parts.
#include "plan/circuit_build.h"

#include <algorithm>

#include "base/check.h"
#include "plan/analyse.h"

namespace qn::plan {

Status CannotFollow(const std::string& what, const std::string& why) {
  return Invalid("QN-1217", what + " cannot be kept up to date: " + why)
      .With("A materialized view over streams is changed by each step, by what the step brings.")
      .With("Write the statement another way, or let the view read references only.");
}

std::vector<Expr> Selected(const Schema& columns, const Mask& mask) {
  std::vector<Expr> out;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (mask[i]) out.push_back(ColumnExpr(columns, i));
  }
  return out;
}

Part Widened(Part part, const Mask& mask, const Schema& full) {
  std::vector<Expr> exprs;
  size_t next = 0;
  for (size_t i = 0; i < full.size(); ++i) {
    exprs.push_back(mask[i] ? ColumnExpr(next++, full[i].type) : NullExpr(full[i].type));
  }
  return Project(std::move(part), std::move(exprs), full);
}

bool CircuitBuilder::IsWeighted(const std::string& input) const {
  if (input[0] == '#') return circuit_.ops.at(std::stoul(input.substr(1))).is_weighted;
  return options_.is_stream(input) && options_.is_weighted(input);
}

bool CircuitBuilder::IsStream(const std::string& input) const {
  return input[0] == '#' || options_.is_stream(input) || once_.count(input) > 0;
}

void CircuitBuilder::OnceInput(const std::string& input) {
  once_.insert(input);
  circuit_.inputs.push_back({input, true, false});
}

Part CircuitBuilder::Stream(const Node& scan) {
  const bool is_weighted = options_.is_weighted(scan.input);
  const auto is_same = [&scan](const CircuitInput& input) { return input.name == scan.input; };
  if (std::none_of(circuit_.inputs.begin(), circuit_.inputs.end(), is_same)) {
    circuit_.inputs.push_back({scan.input, false, is_weighted});
  }
  return {Clone(scan), true, is_weighted};
}

Fragment CircuitBuilder::FragmentOf(Part part, std::vector<Expr> keys, size_t strict,
                                    std::vector<Expr> rows) const {
  Fragment out;
  out.key_count = keys.size();
  out.strict_keys = strict;
  out.is_weighted = part.is_weighted;
  keys.insert(keys.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
  out.tree = Project(std::move(part), std::move(keys)).tree;
  out.columns = out.tree->columns;
  for (const std::string& input : InputsOf(*out.tree)) {
    if (!IsStream(input)) continue;
    out.reads.push_back(input);
    if (IsWeighted(input)) out.weighted_reads.push_back(input);
  }
  QN_CHECK(out.is_weighted == !out.weighted_reads.empty());
  MarkNeeded(*out.tree);
  return out;
}

namespace {

Status CheckTypes(const CircuitOp& op, const Schema& columns) {
  for (const Field& field : columns) {
    if (IsStorable(field.type)) continue;
    return CannotFollow(op.label, "'" + field.name + "' has the type " + field.type.ToSql() +
                                      ", which cannot be remembered.");
  }
  return Ok();
}

}  // namespace

Result<Part> CircuitBuilder::Add(CircuitOp op) {
  for (const Fragment& input : op.inputs) QN_TRY(CheckTypes(op, input.columns));
  QN_TRY(CheckTypes(op, op.columns));
  MakeNamesUnique(op.columns);
  QN_GET(const std::string text, OpText(op));
  const auto found = known_.find(text);
  size_t index = circuit_.ops.size();
  if (found != known_.end()) {
    index = found->second;
  } else {
    known_[text] = index;
    circuit_.ops.push_back(std::move(op));
  }
  const CircuitOp& added = circuit_.ops[index];
  return Part{ScanNode("#" + std::to_string(index), added.columns), true, added.is_weighted};
}

Result<Part> CircuitBuilder::Once(Part bounded) {
  CircuitOp op;
  op.kind = CircuitOp::Kind::kRecompute;
  op.label = "rows of " + [&] {
    std::string names;
    for (const std::string& input : InputsOf(*bounded.tree)) names += (names.empty() ? "" : ", ") + input;
    return names.empty() ? "the statement" : names;
  }() + ", once";
  std::vector<Expr> columns = ColumnExprs(bounded.columns());  // before it is moved
  Part full = Project(std::move(bounded), std::move(columns));
  op.columns = full.columns();
  op.tree = std::move(full.tree);
  MarkNeeded(*op.tree);
  return Add(std::move(op));
}

Result<Part> CircuitBuilder::Distinct(Part part, const std::string& label) {
  CircuitOp op;
  op.kind = CircuitOp::Kind::kDistinct;
  op.label = label;
  op.is_weighted = part.is_weighted;
  op.columns = part.columns();
  std::vector<Expr> keys = ColumnExprs(part.columns());
  op.inputs.push_back(FragmentOf(std::move(part), std::move(keys), 0, {}));
  return Add(std::move(op));
}

Result<Part> CircuitBuilder::Bag(Part left, Part right, bool is_except, const std::string& label) {
  CircuitOp op;
  op.kind = CircuitOp::Kind::kBag;
  op.label = label;
  op.is_except = is_except;
  op.is_weighted = is_except || left.is_weighted || right.is_weighted;
  op.columns = left.columns();
  for (Part* side : {&left, &right}) {
    std::vector<Expr> keys = ColumnExprs(side->columns());
    op.inputs.push_back(FragmentOf(std::move(*side), std::move(keys), 0, {}));
  }
  return Add(std::move(op));
}

Result<Part> CircuitBuilder::Join(Side left, Side right, size_t strict, JoinOutput output,
                                  const std::string& label) {
  QN_CHECK(left.keys.size() == right.keys.size());
  CircuitOp op;
  op.kind = CircuitOp::Kind::kJoin;
  op.label = label;
  op.emits_pairs = output.pairs;
  op.emits_left_unmatched = output.left_unmatched;
  op.emits_right_unmatched = output.right_unmatched;
  op.emits_left_matched = output.left_matched;
  const bool has_right = output.pairs || output.right_unmatched;
  op.is_weighted =
      left.part.is_weighted || right.part.is_weighted || output.left_unmatched || output.right_unmatched;
  Schema full = left.part.columns();
  Mask mask = left.needed;
  if (has_right) {
    full.insert(full.end(), right.part.columns().begin(), right.part.columns().end());
    mask.insert(mask.end(), right.needed.begin(), right.needed.end());
  } else {
    right.needed.assign(right.part.columns().size(), false);
    op.is_weighted = left.part.is_weighted || right.part.is_weighted || output.left_unmatched;
  }
  // A row without columns has no form.
  const bool is_bare = std::none_of(mask.begin(), mask.end(), [](bool is_needed) { return is_needed; });
  for (Side* side : {&left, &right}) {
    std::vector<Expr> rows = Selected(side->part.columns(), side->needed);
    const bool is_left = side == &left;
    if ((is_left && is_bare) || (!is_left && rows.empty() && side->keys.empty())) {
      rows.push_back(BoolExpr(true));
    }
    op.inputs.push_back(FragmentOf(std::move(side->part), std::move(side->keys), strict, std::move(rows)));
    if (!is_left && !has_right) continue;
    const Schema& columns = op.inputs.back().columns;
    op.columns.insert(op.columns.end(),
                      columns.begin() + static_cast<std::ptrdiff_t>(op.inputs.back().key_count),
                      columns.end());
  }
  QN_GET(Part out, Add(std::move(op)));
  return Widened(std::move(out), mask, full);
}

Result<Part> CircuitBuilder::Aggregate(Part part, std::vector<Expr> groups, std::vector<Expr> arguments,
                                       const std::vector<Partial>& states, const std::string& label) {
  CircuitOp op;
  op.kind = CircuitOp::Kind::kAggregate;
  op.label = label;
  op.is_weighted = true;
  op.has_groups = !groups.empty();
  const std::ptrdiff_t group_count = static_cast<std::ptrdiff_t>(groups.size());
  Fragment input = FragmentOf(std::move(part), std::move(groups), 0, std::move(arguments));
  input.is_grouped = true;
  input.is_weighted = false;
  input.columns.erase(input.columns.begin() + group_count, input.columns.end());
  std::vector<std::string> items;
  for (size_t i = 0; i < input.key_count; ++i) items.push_back("c" + std::to_string(i));
  for (const Partial& state : states) {
    input.columns.push_back({"state" + std::to_string(items.size() - input.key_count), state.type, true, ""});
    items.push_back(state.sql);
    op.merges.push_back(state.merge);
  }
  for (size_t i = 0; i < items.size(); ++i) {
    input.grouped_sql += (i == 0 ? "" : ", ") + items[i] + " AS c" + std::to_string(i);
  }
  op.columns = input.columns;
  op.inputs.push_back(std::move(input));
  QN_GET(op.identity, OpText(op));
  op.is_weighted = op.identity != options_.emits_once;
  return Add(std::move(op));
}

namespace {

// The scans of "@<input>".
void ForGathered(Node& node, const std::function<void(Node& scan, size_t input)>& change) {
  ForScans(node, [&change](Node& scan) {
    if (scan.input[0] == '@') change(scan, std::stoul(scan.input.substr(1)));
  });
}

// A projection whose values cannot be remembered becomes part of what is recomputed.
void PullUnstorable(CircuitBuilder::Recomputed& spec, size_t input, Node& tree) {
  Part& part = spec.inputs[input];
  const bool fits = std::all_of(part.columns().begin(), part.columns().end(),
                                [](const Field& field) { return IsStorable(field.type); });
  if (fits || part.tree->op != Op::kProject) return;
  std::unique_ptr<Node> project = std::move(part.tree);
  part.tree = std::move(project->children[0]);
  if (!spec.keys.empty()) {
    for (Expr& key : spec.keys[input]) key = Substituted(std::move(key), project->exprs);
  }
  ForGathered(tree, [&](Node& scan, size_t scanned) {
    if (scanned != input) return;
    std::unique_ptr<Node> below = ScanNode(scan.input, part.columns());
    static_cast<NodeParts&>(scan) = static_cast<const NodeParts&>(*project);
    scan.children.clear();
    scan.children.push_back(std::move(below));
  });
}

}  // namespace

Result<Part> CircuitBuilder::Recompute(Recomputed spec) {
  CircuitOp op;
  op.kind = CircuitOp::Kind::kRecompute;
  op.label = std::move(spec.label);
  op.is_weighted = true;
  // What cannot be remembered is made of what can be: an answer does not have that.
  op.keeps_answer_only =
      spec.keeps_answer_only && std::all_of(spec.inputs.begin(), spec.inputs.end(), [](const Part& input) {
        return std::all_of(input.columns().begin(), input.columns().end(),
                           [](const Field& field) { return IsStorable(field.type); });
      });
  op.key_count = spec.key_count;
  op.tree = std::move(spec.tree);
  op.columns.assign(op.tree->columns.begin() + static_cast<std::ptrdiff_t>(op.key_count),
                    op.tree->columns.end());
  QN_CHECK(!op.columns.empty());
  for (size_t i = 0; i < spec.inputs.size(); ++i) PullUnstorable(spec, i, *op.tree);
  MarkNeeded(*op.tree);
  // Only what the tree looks at is remembered.
  std::vector<Mask> masks(spec.inputs.size());
  ForGathered(*op.tree, [&masks](Node& scan, size_t input) {
    Mask& mask = masks.at(input);
    mask.resize(scan.columns.size());
    for (size_t i = 0; i < mask.size(); ++i) mask[i] = mask[i] || scan.needed[i];
  });
  for (Mask& mask : masks) {
    // A row without columns has no form.
    if (std::find(mask.begin(), mask.end(), true) == mask.end() && !mask.empty()) mask[0] = true;
  }
  ForGathered(*op.tree, [&masks](Node& scan, size_t input) {
    size_t next = 0;
    for (size_t i = 0; i < scan.columns.size(); ++i) {
      if (masks[input][i]) scan.columns[i].name = "c" + std::to_string(next++);
    }
  });
  for (size_t i = 0; i < spec.inputs.size(); ++i) {
    std::vector<Expr> rows = Selected(spec.inputs[i].columns(), masks[i]);
    std::vector<Expr> keys = spec.keys.empty() ? std::vector<Expr>() : std::move(spec.keys[i]);
    op.inputs.push_back(FragmentOf(std::move(spec.inputs[i]), std::move(keys), 0, std::move(rows)));
  }
  if (op.keeps_answer_only) QN_CHECK(op.columns.size() + op.key_count == op.inputs[0].columns.size());
  return Add(std::move(op));
}

Result<Circuit> CircuitBuilder::Finish(Part output) {
  if (!output.is_stream) {
    QN_GET(output, Once(std::move(output)));
  }
  std::vector<Expr> rows = ColumnExprs(output.columns());
  Schema columns = output.columns();
  circuit_.output = FragmentOf(std::move(output), {}, 0, std::move(rows));
  circuit_.output.columns = std::move(columns);
  const Result<std::string> sql =
      circuit_.output.Sql({[](const std::string& name) { return QuoteName(name); }});
  if (!sql.ok()) return CannotFollow("The last part of the statement", sql.status().text());
  DropUnused();
  return std::move(circuit_);
}

// Ways that were begun and not taken leave operators behind.
void CircuitBuilder::DropUnused() {
  std::vector<CircuitOp>& ops = circuit_.ops;
  std::vector<bool> is_used(ops.size());
  const auto use = [&is_used](const Fragment& fragment) {
    for (const std::string& name : fragment.reads) {
      if (name[0] == '#') is_used[std::stoul(name.substr(1))] = true;
    }
  };
  use(circuit_.output);
  for (size_t i = ops.size(); i-- > 0;) {
    for (size_t k = 0; is_used[i] && k < ops[i].inputs.size(); ++k) use(ops[i].inputs[k]);
  }
  std::vector<std::string> names(ops.size());
  std::vector<CircuitOp> kept;
  for (size_t i = 0; i < ops.size(); ++i) {
    names[i] = "#" + std::to_string(kept.size());
    if (is_used[i]) kept.push_back(std::move(ops[i]));
  }
  const auto rename = [&names](std::string& name) {
    if (name[0] == '#') name = names[std::stoul(name.substr(1))];
  };
  const auto rename_all = [&rename](Fragment& fragment) {
    for (std::string& name : fragment.reads) rename(name);
    for (std::string& name : fragment.weighted_reads) rename(name);
    ForScans(*fragment.tree, [&rename](Node& scan) { rename(scan.input); });
  };
  ops = std::move(kept);
  for (CircuitOp& op : ops) {
    for (Fragment& input : op.inputs) rename_all(input);
  }
  rename_all(circuit_.output);
}

}  // namespace qn::plan
