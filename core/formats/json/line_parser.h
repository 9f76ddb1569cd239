// One line of JSON into one row slot of a chunk. See decoder.h for what is accepted.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "formats/json/node.h"
#include "formats/text/arena.h"
#include "formats/text/fault.h"
#include "formats/text/json_text.h"

namespace qn::json {

class LineParser {
 public:
  explicit LineParser(const Schema& schema);

  std::vector<Node>& columns() { return record_.children; }

  // Points the columns at a new chunk: outs[i] is schema column i or nullptr. Strings made before are dead.
  void Bind(std::span<duck::ColumnOut* const> outs);

  // Reads the record that begins at `p` (its '{' or anything else but a line break) into `row`. Returns where
  // the line ends, at its '\n', or nullptr: the slot is clean again and Fault() says why. The text ends as
  // json_text.h wants it.
  const char* Parse(const char* p, size_t row);
  // Of the last Parse that failed; `line` is where its line begins.
  std::string Fault(const char* line) const;

  // Tells DuckDB how many child rows each LIST and MAP has. Once, after the last record of a chunk.
  void Finish();

  // `size` bytes that live until the next Bind.
  char* Keep(size_t size) { return arena_.Take(size); }

 private:
  const char* Value(Node& node, const char* p, size_t row);
  const char* AnyValue(Node& node, const char* p, size_t row);
  const char* Object(Node& node, const char* p, size_t row);
  const char* UnexpectedKey(Node& node, const char* p, bool is_first, size_t* position, KeyMeaning* meaning,
                            bool* is_end);
  const char* Again(Node& node, const KeyMeaning& key, const char* p, size_t row);  // a key that came before
  const char* Array(Node& node, const char* p, size_t row);
  const char* Map(Node& node, const char* p, size_t row);
  const char* JsonText(Node& node, const char* p, size_t row);
  const char* StringValue(Node& node, const char* p, size_t row);
  const char* NumberValue(Node& node, const char* p, size_t row);
  const char* WordValue(Node& node, const char* p, size_t row);

  void NotAnObject(const char* p);
  bool CheckRequired(uint64_t object);
  size_t AddChild(Node& node);
  std::string_view Unescaped(const text::JsonString& string);
  const char* Syntax(const char* at, const char* what);
  const char* WrongType(const Node& node, std::string_view found, text::Fault fault);
  void Abandon(size_t row);

  Schema schema_;
  Field record_field_;
  Node record_;
  std::vector<Node*> required_;  // NOT NULL columns
  std::vector<Node*> lists_;     // every LIST and MAP, outer before inner
  text::Arena arena_;
  uint64_t objects_ = 0;  // objects read so far: names each one
  text::JsonFault syntax_;
  std::string detail_;  // of a value that does not fit; wins over syntax_
};

}  // namespace qn::json
