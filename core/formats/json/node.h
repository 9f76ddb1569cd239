// A declared column or one of its parts, as the JSON decoder walks it: where its values go in the chunk being
// filled, and for objects which key is expected next.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/type.h"
#include "duck/vector.h"

namespace qn::json {

struct Node;

// A key as it stood in an earlier record, with all that is between two values: from its '{' or ',' to where
// its value began. Records of one source mostly look alike.
struct ExpectedKey {
  uint64_t want[2] = {0, 0};  // its first 16 bytes
  uint64_t mask[2] = {0, 0};  // which of them count
  uint32_t size = 0;
  bool is_first = false;  // begins with "{", not with ","
  bool is_exact = true;   // spelled as declared, not only the same but for case
  Node* node = nullptr;   // nullptr: a key that no column has
  std::string text;

  // Reads up to kKeyBytesMax bytes.
  bool IsAt(const char* p) const {
    uint64_t first = 0;
    uint64_t second = 0;
    std::memcpy(&first, p, sizeof(first));
    std::memcpy(&second, p + 8, sizeof(second));
    if ((((first ^ want[0]) & mask[0]) | ((second ^ want[1]) & mask[1])) != 0) return false;
    return size <= 16 || std::memcmp(p + 16, text.data() + 16, size - 16) == 0;
  }
};
inline constexpr size_t kKeyBytesMax = 48;  // longer keys are looked up each time

// What a key stands for.
struct KeyMeaning {
  Node* node = nullptr;
  bool is_exact = true;
};

// The keys of one object: how to find the field that a key names.
class Keys {
 public:
  Keys() = default;
  Keys(const Keys&) = delete;
  Keys& operator=(const Keys&) = delete;

  void Declare(std::vector<Node>& fields);

  // The key whose '{' or ',' is at `p`, if it is expected at `*position` or a little later; moves both on,
  // `p` to the value. Otherwise nullptr.
  const ExpectedKey* Expect(const char** p, bool is_first, size_t* position) const {
    if (*position >= expected_size_) return nullptr;
    const ExpectedKey& key = expected_begin_[*position];
    if (key.is_first != is_first || !key.IsAt(*p)) return ExpectLater(p, is_first, position);
    ++*position;
    *p += key.size;
    return &key;
  }
  // The meaning of a key without its quotes and escapes.
  KeyMeaning Find(std::string_view name) const;
  // Expects `text`, as Expect meets it, at `position` from now on.
  void Learn(std::string_view text, bool is_first, const KeyMeaning& meaning, size_t position);

  static constexpr size_t kLookAhead = 8;

 private:
  const ExpectedKey* ExpectLater(const char** p, bool is_first, size_t* position) const;

  std::vector<ExpectedKey> expected_;
  const ExpectedKey* expected_begin_ = nullptr;  // of expected_: a size in a vector is a division away
  size_t expected_size_ = 0;
  size_t expected_max_ = 0;  // an object with ever new keys must not grow us
  std::unordered_map<std::string_view, Node*> exact_;
  std::unordered_map<std::string, Node*> folded_;  // lower case
};

struct Node {
  // Where values go; null when the column is checked only.
  void* data = nullptr;
  duck::ColumnOut* out = nullptr;
  const Field* field = nullptr;

  // The last object that had this field, to see what is missing or comes twice.
  uint64_t seen_in = 0;
  TypeId id = TypeId::kNull;
  bool seen_exact = false;
  bool seen_null = false;
  int depth = 0;               // containers open around the value
  std::unique_ptr<Keys> keys;  // STRUCT, and the record itself

  // LIST and MAP: child rows used, allotted, and used before the current record.
  size_t used = 0;
  size_t capacity = 0;
  size_t mark = 0;
  duck::String* map_keys = nullptr;  // MAP

  std::vector<Node> children;  // STRUCT: fields; LIST: one; MAP: the value
  std::string path;            // "geo.lat", "tags[]": as messages name it

  const Type& type() const { return field->type; }
};

// The tree for `field` and all below it. `node` must not move afterwards.
void BuildNode(const Field& field, const std::string& path, int depth, Node* node);
// Points the tree at a chunk's column, or at nothing.
void BindNode(Node& node, duck::ColumnOut* column);
// After ReserveChild moved the children's data.
void RebindChildren(Node& node);
// Makes row slot `row` as new: valid, and its list children given back.
void CleanRow(Node& node, size_t row);

}  // namespace qn::json
