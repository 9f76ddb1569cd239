// The tree of declared columns, and how its keys are found.
#include "formats/json/node.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include "data/json.h"

namespace qn::json {
namespace {

std::string Folded(std::string_view name) {
  std::string out(name);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

void Keys::Declare(std::vector<Node>& fields) {
  expected_max_ = 64 + 2 * fields.size();
  for (Node& field : fields) {
    exact_.emplace(field.field->name, &field);
    folded_.emplace(Folded(field.field->name), &field);
    const bool is_first = expected_.empty();
    std::string text = is_first ? "{" : ",";
    AppendJsonString(field.field->name, text);
    Learn(text + ":", is_first, {&field, true}, expected_.size());
  }
}

const ExpectedKey* Keys::ExpectLater(const char** p, bool is_first, size_t* position) const {
  const size_t end = std::min(expected_.size(), *position + kLookAhead);
  for (size_t i = *position + 1; i < end; ++i) {
    if (expected_[i].is_first != is_first || !expected_[i].IsAt(*p)) continue;
    *p += expected_[i].size;
    *position = i + 1;
    return &expected_[i];
  }
  return nullptr;
}

KeyMeaning Keys::Find(std::string_view name) const {
  if (const auto it = exact_.find(name); it != exact_.end()) return {it->second, true};
  if (const auto it = folded_.find(Folded(name)); it != folded_.end()) return {it->second, false};
  return {};
}

void Keys::Learn(std::string_view text, bool is_first, const KeyMeaning& meaning, size_t position) {
  if (text.size() > kKeyBytesMax) return;
  // Records have changed their shape: what was learnt is not what comes.
  if (expected_.size() >= expected_max_) expected_.clear();
  ExpectedKey key;
  key.size = static_cast<uint32_t>(text.size());
  key.node = meaning.node;
  key.is_first = is_first;
  key.is_exact = meaning.is_exact;
  key.text = text;
  char bytes[16] = {};
  char mask[16] = {};
  const size_t head = std::min<size_t>(text.size(), 16);
  std::memcpy(bytes, text.data(), head);
  std::memset(mask, 0xff, head);
  std::memcpy(key.want, bytes, sizeof(bytes));
  std::memcpy(key.mask, mask, sizeof(mask));
  expected_.insert(expected_.begin() + static_cast<std::ptrdiff_t>(std::min(position, expected_.size())),
                   std::move(key));
  expected_begin_ = expected_.data();
  expected_size_ = expected_.size();
}

void BuildNode(const Field& field, const std::string& path, int depth, Node* node) {
  node->field = &field;
  node->id = field.type.id;
  node->depth = depth;
  node->path = path;
  const std::vector<Field>& parts = field.type.children;
  switch (node->id) {
    case TypeId::kStruct:
      node->children.resize(parts.size());
      for (size_t i = 0; i < parts.size(); ++i) {
        BuildNode(parts[i], path + "." + parts[i].name, depth + 1, &node->children[i]);
      }
      node->keys = std::make_unique<Keys>();
      node->keys->Declare(node->children);
      break;
    case TypeId::kList:
      node->children.resize(1);
      BuildNode(parts[0], path + "[]", depth + 1, &node->children[0]);
      break;
    case TypeId::kMap:
      node->children.resize(1);
      BuildNode(parts[1], path + "[]", depth + 1, &node->children[0]);
      break;
    default:
      break;
  }
}

void RebindChildren(Node& node) {
  if (node.out == nullptr) return;
  if (node.id == TypeId::kMap) {
    duck::ColumnOut& entries = node.out->children()[0];
    node.map_keys = entries.children()[0].data<duck::String>();
    node.children[0].data = entries.children()[1].data<void>();
    if (node.children[0].id == TypeId::kStruct) RebindChildren(node.children[0]);
    return;
  }
  for (size_t i = 0; i < node.children.size(); ++i) {
    node.children[i].data = node.out->children()[i].data<void>();
    if (node.children[i].id == TypeId::kStruct) RebindChildren(node.children[i]);
  }
}

void BindNode(Node& node, duck::ColumnOut* column) {
  node.out = column;
  node.data = column == nullptr ? nullptr : column->data<void>();
  node.used = node.capacity = node.mark = 0;
  for (size_t i = 0; i < node.children.size(); ++i) {
    if (column == nullptr) {
      BindNode(node.children[i], nullptr);
    } else if (node.id == TypeId::kMap) {
      BindNode(node.children[0], &column->children()[0].children()[1]);
    } else {
      BindNode(node.children[i], &column->children()[i]);
    }
  }
  RebindChildren(node);
}

void CleanRow(Node& node, size_t row) {
  if (node.out == nullptr) return;
  node.out->SetValid(row);
  if (node.id == TypeId::kStruct) {
    for (Node& child : node.children) CleanRow(child, row);
  }
}

}  // namespace qn::json
