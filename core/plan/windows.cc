// Follows the column from the output down through the keys of aggregates, distincts and joins.
#include "plan/windows.h"

#include <algorithm>

#include "plan/lineage.h"

namespace qn::plan {
namespace {

bool IsOp(const std::string& name) { return !name.empty() && name[0] == '#'; }

size_t OpOf(const std::string& name) { return std::stoul(name.substr(1)); }

// The key column that is the same as a column of what follows the key.
std::optional<size_t> KeyLike(const Fragment& fragment, size_t column) {
  const std::optional<Origin> origin = OriginOf(*fragment.tree, column);
  for (size_t key = 0; origin.has_value() && key < fragment.key_count; ++key) {
    if (OriginOf(*fragment.tree, key) == origin) return key;
  }
  return std::nullopt;
}

std::optional<size_t> KeyOfOutput(const CircuitOp& op, size_t column) {
  switch (op.kind) {
    case CircuitOp::Kind::kAggregate:
      if (!op.has_groups || column >= op.inputs[0].key_count) return std::nullopt;
      return column;
    case CircuitOp::Kind::kDistinct:
      return column;
    case CircuitOp::Kind::kJoin: {
      const Fragment& left = op.inputs[0];
      const Fragment& right = op.inputs[1];
      const size_t width = left.columns.size() - left.key_count;
      if (column < width) return KeyLike(left, left.key_count + column);
      return KeyLike(right, right.key_count + column - width);
    }
    case CircuitOp::Kind::kBag:
    case CircuitOp::Kind::kRecompute:
      break;
  }
  return std::nullopt;
}

class Finder {
 public:
  Finder(const Circuit& circuit, WindowPath& path) : circuit_(circuit), path_(path) {}

  bool Follow(size_t index, size_t key) {
    const CircuitOp& op = circuit_.ops[index];
    const auto known = std::find_if(path_.keys.begin(), path_.keys.end(),
                                    [index](const WindowPath::Key& each) { return each.op == index; });
    if (known != path_.keys.end()) return known->column == key;
    path_.keys.push_back({index, key});
    for (size_t i = 0; i < op.inputs.size(); ++i) {
      if (!FollowInput(index, i, key)) return false;
    }
    return true;
  }

 private:
  bool FollowInput(size_t index, size_t input, size_t key) {
    const Fragment& fragment = circuit_.ops[index].inputs[input];
    if (std::none_of(fragment.reads.begin(), fragment.reads.end(), IsOp)) {
      path_.leaves.push_back({index, input, key});
      return true;
    }
    const std::optional<Origin> origin = OriginOf(*fragment.tree, key);
    if (fragment.reads.size() != 1 || !origin.has_value() || !IsOp(origin->input)) return false;
    const size_t below = OpOf(origin->input);
    const std::optional<size_t> column = KeyOfOutput(circuit_.ops[below], origin->column);
    return column.has_value() && Follow(below, *column);
  }

  const Circuit& circuit_;
  WindowPath& path_;
};

}  // namespace

std::optional<WindowPath> WindowPathOf(const Circuit& circuit, size_t column) {
  const std::optional<Origin> origin = OriginOf(*circuit.output.tree, column);
  if (!origin.has_value() || !IsOp(origin->input) || circuit.output.reads.size() != 1) return std::nullopt;
  const size_t last = OpOf(origin->input);
  const std::optional<size_t> key = KeyOfOutput(circuit.ops[last], origin->column);
  WindowPath path;
  path.output_column = origin->column;
  if (!key.has_value() || !Finder(circuit, path).Follow(last, *key)) return std::nullopt;
  // Rows that are late are told from those of one fragment: all must see the same.
  const auto& reads = circuit.ops[path.leaves[0].op].inputs[path.leaves[0].input].reads;
  for (const WindowPath::Leaf& leaf : path.leaves) {
    if (circuit.ops[leaf.op].inputs[leaf.input].reads != reads) return std::nullopt;
  }
  return path;
}

}  // namespace qn::plan
