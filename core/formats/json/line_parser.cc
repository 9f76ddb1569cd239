// One line of JSON into one row slot: a single pass, directed by the declared types, that validates as it
// goes.
#include "formats/json/line_parser.h"

#include <array>
#include <cstring>
#include <memory>
#include <unordered_map>

#include "formats/text/put.h"
#include "formats/text/value.h"

namespace qn::json {
namespace {

using text::IsNumeric;
using text::JsonString;
using text::PutNumber;
using text::PutString;
using text::SkipJsonSpace;

void CollectLists(Node& node, std::vector<Node*>* lists) {
  if (node.id == TypeId::kList || node.id == TypeId::kMap) lists->push_back(&node);
  for (Node& child : node.children) CollectLists(child, lists);
}

void NullRow(Node& node, size_t row) {
  if (node.out == nullptr) return;
  node.out->SetNull(row);
  if (node.id == TypeId::kList || node.id == TypeId::kMap) {
    static_cast<duck::ListEntry*>(node.data)[row] = {node.used, 0};
  }
}

// The keys of one MAP value so far and their child rows.
class MapNames {
 public:
  // The row of `name` if it came before; otherwise remembers it at `row`.
  const size_t* FindOrAdd(std::string_view name, size_t row) {
    if (many_ != nullptr) {
      const auto [it, is_new] = many_->try_emplace(name, row);
      return is_new ? nullptr : &it->second;
    }
    for (size_t i = 0; i < size_; ++i) {
      if (few_[i].first == name) return &few_[i].second;
    }
    if (size_ == few_.size()) {
      many_ = std::make_unique<std::unordered_map<std::string_view, size_t>>(few_.begin(), few_.end());
      many_->emplace(name, row);
    } else {
      few_[size_++] = {name, row};
    }
    return nullptr;
  }

 private:
  std::array<std::pair<std::string_view, size_t>, 16> few_;
  size_t size_ = 0;
  std::unique_ptr<std::unordered_map<std::string_view, size_t>> many_;
};

}  // namespace

LineParser::LineParser(const Schema& schema) : schema_(schema) {
  record_field_.type = Type::Of(TypeId::kStruct);
  record_.field = &record_field_;
  record_.id = TypeId::kStruct;
  record_.children.resize(schema_.size());
  for (size_t i = 0; i < schema_.size(); ++i) BuildNode(schema_[i], schema_[i].name, 1, &record_.children[i]);
  record_.keys = std::make_unique<Keys>();
  record_.keys->Declare(record_.children);
  CollectLists(record_, &lists_);
  for (Node& column : record_.children) {
    if (!column.field->nullable) required_.push_back(&column);
  }
}

void LineParser::Bind(std::span<duck::ColumnOut* const> outs) {
  QN_CHECK(outs.size() == record_.children.size());
  for (size_t i = 0; i < outs.size(); ++i) BindNode(record_.children[i], outs[i]);
  arena_.Reset();
}

const char* LineParser::Parse(const char* p, size_t row) {
  detail_.clear();
  syntax_ = {};
  for (Node* list : lists_) list->mark = list->used;
  const char* end = nullptr;
  if (*p == '{') {
    const uint64_t object = objects_ + 1;
    end = Object(record_, p, row);
    if (end != nullptr && !CheckRequired(object)) end = nullptr;
  } else {
    NotAnObject(p);
  }
  if (end != nullptr) {
    end = SkipJsonSpace(end);
    if (*end != '\n') end = Syntax(end, "expected the end of the line after its object");
  }
  if (end == nullptr) Abandon(row);
  return end;
}

// "null" and "nothing" begin alike: only what is JSON to its end is called by its kind.
void LineParser::NotAnObject(const char* p) {
  text::JsonFault fault;
  const char* end = text::SkipJsonValue(p, 0, &fault);
  if (end != nullptr && *SkipJsonSpace(end) == '\n') {
    detail_ = "expected one JSON object a line, found " + std::string(text::JsonKindName(*p));
  } else {
    Syntax(p, "expected an object");
  }
}

bool LineParser::CheckRequired(uint64_t object) {
  for (const Node* required : required_) {
    const Node& column = *required;
    const bool is_missing = column.seen_in != object;
    if (!is_missing && !column.seen_null) continue;
    detail_ =
        "column '" + column.path + "': NOT NULL, but " + (is_missing ? "the key is missing" : "found null");
    return false;
  }
  return true;
}

std::string LineParser::Fault(const char* line) const {
  if (!detail_.empty()) return detail_;
  std::string out = "not JSON at byte " + std::to_string(syntax_.at - line + 1) + ": " + syntax_.what;
  if (*syntax_.at == '\n') return out + ", found the end of the line";
  return out + ", found '" + text::Excerpt(text::CharacterAt(syntax_.at)) + "'";
}

void LineParser::Finish() {
  for (Node* list : lists_) {
    if (list->out != nullptr) list->out->SetChildSize(list->used);
  }
}

void LineParser::Abandon(size_t row) {
  for (Node& column : record_.children) CleanRow(column, row);
  for (Node* list : lists_) {
    for (size_t child = list->mark; child < list->used; ++child) CleanRow(list->children[0], child);
    list->used = list->mark;
  }
}

const char* LineParser::Syntax(const char* at, const char* what) {
  syntax_ = {at, what};
  return nullptr;
}

const char* LineParser::WrongType(const Node& node, std::string_view found, text::Fault fault) {
  detail_ = "column '" + node.path + "': expected " + node.type().ToSql() + ", found " + std::string(found) +
            std::string(text::FaultNote(fault));
  return nullptr;
}

// The usual spelling of a column's type, read without asking further; whatever else goes to AnyValue.
[[gnu::always_inline]] inline const char* LineParser::Value(Node& node, const char* p, size_t row) {
  switch (node.id) {
    case TypeId::kVarchar:
      if (*p == '"') {
        const JsonString string = text::ScanJsonString(p + 1, &syntax_);
        if (string.end == nullptr) return nullptr;
        if (string.has_escapes) return AnyValue(node, p, row);
        PutString(string.begin, string.raw().size(), node.data, row);
        return string.end + 1;
      }
      break;
    case TypeId::kBigInt: {
      const text::Number number = text::ScanNumber(p);
      if (number.end != nullptr && text::PutIntegerNumber<int64_t>(number, node.data, row)) return number.end;
      break;
    }
    case TypeId::kDouble: {
      const text::Number number = text::ScanNumber(p);
      if (number.end != nullptr && text::PutDoubleNumber(number, node.data, row)) return number.end;
      break;
    }
    case TypeId::kDecimal: {
      const bool is_quoted = *p == '"';
      const text::Number number = text::ScanNumber(p + (is_quoted ? 1 : 0));
      if (number.end == nullptr || (is_quoted && *number.end != '"')) break;
      if (text::PutDecimalNumber(node.type(), number, node.data, row))
        return number.end + (is_quoted ? 1 : 0);
      break;
    }
    case TypeId::kUuid: {
      duck::HugeInt uuid{};
      if (*p != '"' || p[37] != '"' || !text::ParseUuid36(p + 1, &uuid)) break;
      if (node.data != nullptr) static_cast<duck::HugeInt*>(node.data)[row] = uuid;
      return p + 38;
    }
    case TypeId::kStruct:
      if (*p == '{') return Object(node, p, row);
      break;
    case TypeId::kList:
      if (*p == '[') return Array(node, p, row);
      break;
    default:
      break;
  }
  return AnyValue(node, p, row);
}

const char* LineParser::AnyValue(Node& node, const char* p, size_t row) {
  if (text::IsJsonSpace(*p)) {  // more of it than when the key was learnt
    p = SkipJsonSpace(p);
    node.seen_null = *p == 'n';
    return Value(node, p, row);
  }
  if (node.id == TypeId::kJson) return JsonText(node, p, row);
  const bool is_text = node.id == TypeId::kVarchar;
  switch (*p) {
    case '"':
      return StringValue(node, p + 1, row);
    case '{':
      if (node.id == TypeId::kStruct) return Object(node, p, row);
      if (node.id == TypeId::kMap) return Map(node, p, row);
      return WrongType(node, is_text ? "object (declare JSON to keep its text)" : "object",
                       text::Fault::kForm);
    case '[':
      if (node.id == TypeId::kList) return Array(node, p, row);
      return WrongType(node, is_text ? "array (declare JSON to keep its text)" : "array", text::Fault::kForm);
    case 't':
    case 'f':
    case 'n':
      return WordValue(node, p, row);
    default:
      return NumberValue(node, p, row);
  }
}

const char* LineParser::Object(Node& node, const char* p, size_t row) {
  const uint64_t object = ++objects_;
  const Keys& keys = *node.keys;
  size_t missing = node.children.size();
  size_t position = 0;
  const char* const begin = p;
  while (true) {
    KeyMeaning key;
    // `p` is at '{', or behind a value.
    const bool is_first = p == begin;
    if (const ExpectedKey* expected = keys.Expect(&p, is_first, &position); expected != nullptr) {
      key = {expected->node, expected->is_exact};
    } else if (*p == '}' && !is_first) {
      ++p;
      break;
    } else {
      bool is_end = false;
      p = UnexpectedKey(node, p, is_first, &position, &key, &is_end);
      if (p == nullptr) return nullptr;
      if (is_end) break;
    }
    if (key.node == nullptr) {
      p = text::SkipJsonValue(p, node.depth + 1, &syntax_);
    } else if (key.node->seen_in != object) {
      --missing;
      key.node->seen_in = object;
      key.node->seen_exact = key.is_exact;
      key.node->seen_null = *p == 'n';
      p = Value(*key.node, p, row);
    } else {
      p = Again(node, key, p, row);
    }
    if (p == nullptr) return nullptr;
  }
  if (missing > 0) {
    for (Node& child : node.children) {
      if (child.seen_in != object) NullRow(child, row);
    }
  }
  return p;
}

// `p` as for Keys::Expect, with blanks in front perhaps. Over the key to its value, which is learnt, or
// behind the object's end.
const char* LineParser::UnexpectedKey(Node& node, const char* p, bool is_first, size_t* position,
                                      KeyMeaning* meaning, bool* is_end) {
  const char* const from = p;
  p = SkipJsonSpace(p);
  const char* quote = SkipJsonSpace(p + 1);
  if (is_first ? *quote == '}' : *p == '}') {
    *is_end = true;
    return is_first ? quote + 1 : p + 1;
  }
  if (!is_first && *p != ',') return Syntax(p, "expected ',' or '}'");
  if (*quote != '"') return Syntax(quote, "expected a key in double quotes");
  const JsonString key = text::ScanJsonString(quote + 1, &syntax_);
  if (key.end == nullptr) return nullptr;
  const char* colon = SkipJsonSpace(key.end + 1);
  if (*colon != ':') return Syntax(colon, "expected ':' after a key");
  const char* value = SkipJsonSpace(colon + 1);
  *meaning = node.keys->Find(Unescaped(key));
  node.keys->Learn({from, static_cast<size_t>(value - from)}, is_first, *meaning, (*position)++);
  return value;
}

const char* LineParser::Again(Node& node, const KeyMeaning& key, const char* p, size_t row) {
  Node& field = *key.node;
  if (field.seen_exact && !key.is_exact) return text::SkipJsonValue(p, node.depth + 1, &syntax_);
  field.seen_exact = key.is_exact;
  field.seen_null = *p == 'n';
  CleanRow(field, row);
  return Value(field, p, row);
}

size_t LineParser::AddChild(Node& node) {
  if (node.out == nullptr) return 0;
  if (node.used == node.capacity) {
    node.capacity = node.capacity == 0 ? duck::kChunkRows : node.capacity * 2;
    node.out->ReserveChild(node.capacity);
    RebindChildren(node);
  }
  return node.used++;
}

const char* LineParser::Array(Node& node, const char* p, size_t row) {
  Node& child = node.children[0];
  const size_t start = node.used;
  p = SkipJsonSpace(p + 1);
  if (*p == ']') {
    ++p;
  } else {
    while (true) {
      p = Value(child, p, AddChild(node));
      if (p == nullptr) return nullptr;
      p = SkipJsonSpace(p);
      if (*p == ']') break;
      if (*p != ',') return Syntax(p, "expected ',' or ']'");
      p = SkipJsonSpace(p + 1);
    }
    ++p;
  }
  if (node.out != nullptr) static_cast<duck::ListEntry*>(node.data)[row] = {start, node.used - start};
  return p;
}

const char* LineParser::Map(Node& node, const char* p, size_t row) {
  Node& value = node.children[0];
  const size_t start = node.used;
  MapNames names;
  p = SkipJsonSpace(p + 1);
  while (*p != '}') {
    if (*p != '"') return Syntax(p, "expected a key in double quotes");
    const JsonString key = text::ScanJsonString(p + 1, &syntax_);
    if (key.end == nullptr) return nullptr;
    p = SkipJsonSpace(key.end + 1);
    if (*p != ':') return Syntax(p, "expected ':' after a key");
    p = SkipJsonSpace(p + 1);
    const std::string_view name = Unescaped(key);
    size_t child = 0;
    if (const size_t* before = names.FindOrAdd(name, node.used); before != nullptr) {
      child = *before;
      CleanRow(value, child);
    } else {
      child = AddChild(node);
      PutString(name.data(), name.size(), node.map_keys, child);
    }
    p = Value(value, p, child);
    if (p == nullptr) return nullptr;
    p = SkipJsonSpace(p);
    if (*p == ',') {
      p = SkipJsonSpace(p + 1);
      if (*p != '"') return Syntax(p, "expected a key in double quotes");
    } else if (*p != '}') {
      return Syntax(p, "expected ',' or '}'");
    }
  }
  if (node.out != nullptr) static_cast<duck::ListEntry*>(node.data)[row] = {start, node.used - start};
  return p + 1;
}

const char* LineParser::JsonText(Node& node, const char* p, size_t row) {
  const char* end = text::SkipJsonValue(p, node.depth, &syntax_);
  if (end == nullptr) return nullptr;
  if (*p == 'n') {
    NullRow(node, row);
  } else {
    PutString(p, static_cast<size_t>(end - p), node.data, row);
  }
  return end;
}

std::string_view LineParser::Unescaped(const JsonString& string) {
  if (!string.has_escapes) return string.raw();
  char* out = arena_.Take(string.raw().size());
  const size_t size = text::UnescapeJson(string, out);
  arena_.Trim(out, size);
  return {out, size};
}

const char* LineParser::StringValue(Node& node, const char* p, size_t row) {
  const JsonString string = text::ScanJsonString(p, &syntax_);
  if (string.end == nullptr) return nullptr;
  if (node.id == TypeId::kVarchar) {
    if (node.data != nullptr) {
      const std::string_view value = Unescaped(string);
      PutString(value.data(), value.size(), node.data, row);
    }
    return string.end + 1;
  }
  if (!text::IsReadable(node.id)) {
    return WrongType(node, "string \"" + text::Excerpt(string.raw()) + '"', text::Fault::kForm);
  }
  if (IsNumeric(node.id)) {
    const text::Number number = text::ScanNumber(string.begin);
    if (number.end == string.end && PutNumber(node.type(), number, node.data, row)) return string.end + 1;
  }
  const text::Fault fault = text::PutText(node.type(), Unescaped(string), node.data, row);
  if (fault == text::Fault::kNone) return string.end + 1;
  return WrongType(node, "string \"" + text::Excerpt(string.raw()) + '"', fault);
}

const char* LineParser::NumberValue(Node& node, const char* p, size_t row) {
  const text::Number number = text::ScanNumber(p);
  if (number.end == nullptr) return Syntax(p, "expected a value");
  if (PutNumber(node.type(), number, node.data, row)) return number.end;
  const std::string_view token(p, static_cast<size_t>(number.end - p));
  text::Fault fault = text::Fault::kForm;
  if (text::IsReadable(node.id)) fault = text::PutText(node.type(), token, node.data, row);
  if (fault == text::Fault::kNone) return number.end;
  return WrongType(node, "number " + text::Excerpt(token), fault);
}

const char* LineParser::WordValue(Node& node, const char* p, size_t row) {
  const std::string_view word = text::JsonKindName(*p);
  const char* end = text::SkipJsonValue(p, node.depth, &syntax_);
  if (end == nullptr) return nullptr;
  if (*p == 'n') {
    NullRow(node, row);
  } else if (node.id == TypeId::kBoolean) {
    if (node.data != nullptr) static_cast<bool*>(node.data)[row] = *p == 't';
  } else if (node.id == TypeId::kVarchar) {
    PutString(p, word.size(), node.data, row);
  } else {
    return WrongType(node, word, text::Fault::kForm);
  }
  return end;
}

}  // namespace qn::json
