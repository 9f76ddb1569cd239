// A declared column or one of its parts, as the JSON decoder walks it: where its values go in the chunk being
// filled, and for objects which key is expected next.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "data/type.h"
#include "duck/vector.h"

namespace qn::json {

struct Node;

// A key as it stood in an earlier record, with its quotes: records of one source mostly look alike.
struct ExpectedKey {
  uint64_t want[2] = {0, 0};  // its first 16 bytes
  uint64_t mask[2] = {0, 0};  // which of them count
  uint32_t size = 0;
  bool is_exact = true;  // spelled as declared, not only the same but for case
  Node* node = nullptr;  // nullptr: a key that no column has
  std::string text;
};

// What a key stands for.
struct KeyMeaning {
  Node* node = nullptr;
  bool is_exact = true;
};

// The keys of one object: how to find the field that a key names.
class Keys {
 public:
  void Declare(std::vector<Node>& fields);

  // The meaning of the quoted key at `p`, if it is one of those expected at `*position` or a little later;
  // moves both on. Reads up to kKeyBytesMax bytes.
  const ExpectedKey* Expect(const char** p, size_t* position) const;
  // The meaning of a key without its quotes and escapes.
  KeyMeaning Find(std::string_view name) const;
  // Expects `quoted` at `position` from now on.
  void Learn(std::string_view quoted, const KeyMeaning& meaning, size_t position);

  static constexpr size_t kKeyBytesMax = 48;   // longer keys are looked up each time
  static constexpr size_t kExpectedMax = 512;  // an object with ever new keys must not grow us
  static constexpr size_t kLookAhead = 8;

 private:
  std::vector<ExpectedKey> expected_;
  std::unordered_map<std::string_view, Node*> exact_;
  std::unordered_map<std::string, Node*> folded_;  // lower case
};

struct Node {
  const Field* field = nullptr;
  TypeId id = TypeId::kNull;
  int depth = 0;               // containers open around the value
  std::string path;            // "geo.lat", "tags[]": as messages name it
  std::vector<Node> children;  // STRUCT: fields; LIST: one; MAP: the value
  std::unique_ptr<Keys> keys;  // STRUCT, and the record itself

  // Where values go; null when the column is checked only.
  duck::ColumnOut* out = nullptr;
  void* data = nullptr;
  duck::String* map_keys = nullptr;  // MAP

  // LIST and MAP: child rows used, allotted, and used before the current record.
  size_t used = 0;
  size_t capacity = 0;
  size_t mark = 0;

  // The last object that had this field, to see what is missing or comes twice.
  uint64_t seen_in = 0;
  bool seen_exact = false;
  bool seen_null = false;

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
