// The decoder against a slow and plain one, over lines that were damaged in every way we could think of: what
// it learnt from earlier lines must never change what a line means.
#include <gtest/gtest.h>
#include <simdjson.h>

#include <cctype>
#include <map>
#include <optional>
#include <random>

#include "formats/json/format.h"
#include "formats/text/test_decode.h"
#include "formats/text/value.h"

namespace qn::json {
namespace {

using text::AllColumns;
using text::Column;
using text::Decoded;
using text::TestReader;

// A JSON value as it is spelled.
struct Plain {
  char kind = 0;  // first byte: { [ " t f n, and 0 for numbers
  std::string raw;
  std::string string;
  std::vector<Plain> items;
  struct Member;
  std::vector<Member> members;
};
struct Plain::Member {
  std::string key;
  Plain value;
};

// Recursive descent, byte by byte. Throws on anything wrong.
class PlainParser {
 public:
  explicit PlainParser(const std::string& text) : text_(text) {}

  Plain Whole() {
    Plain value = Value();
    Blank();
    Need(at_ == text_.size());
    return value;
  }

 private:
  struct Wrong {};
  static void Need(bool condition) {
    if (!condition) throw Wrong{};
  }
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void Blank() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r')) ++at_;
  }
  void Digits() {
    Need(std::isdigit(static_cast<unsigned char>(Peek())) != 0);
    while (std::isdigit(static_cast<unsigned char>(Peek())) != 0) ++at_;
  }

  Plain Value() {
    Blank();
    const size_t begin = at_;
    Plain out;
    switch (Peek()) {
      case '{':
        Object(&out);
        break;
      case '[':
        Array(&out);
        break;
      case '"':
        out.string = String();
        break;
      case 't':
        Word("true");
        break;
      case 'f':
        Word("false");
        break;
      case 'n':
        Word("null");
        break;
      default:
        Number();
        break;
    }
    out.raw = text_.substr(begin, at_ - begin);
    const char first = out.raw[0];
    out.kind = std::string("{[\"tfn").find(first) == std::string::npos ? '\0' : first;
    return out;
  }
  void Word(const std::string& word) {
    Need(text_.compare(at_, word.size(), word) == 0);
    at_ += word.size();
  }
  void Number() {
    Take('-');
    if (!Take('0')) Digits();
    if (Take('.')) Digits();
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      Digits();
    }
  }
  unsigned Hex() {
    unsigned value = 0;
    for (int i = 0; i < 4; ++i) {
      const char c = Peek();
      Need(std::isxdigit(static_cast<unsigned char>(c)) != 0);
      value = value * 16 + static_cast<unsigned>(std::stoi(std::string(1, c), nullptr, 16));
      ++at_;
    }
    return value;
  }
  void Utf8(unsigned code, std::string* out) {
    const auto put = [&](unsigned byte) { out->push_back(static_cast<char>(byte)); };
    if (code < 0x80) return put(code);
    if (code < 0x800) return put(0xc0 | code >> 6), put(0x80 | (code & 63));
    if (code < 0x10000) return put(0xe0 | code >> 12), put(0x80 | (code >> 6 & 63)), put(0x80 | (code & 63));
    put(0xf0 | code >> 18), put(0x80 | (code >> 12 & 63)), put(0x80 | (code >> 6 & 63)),
        put(0x80 | (code & 63));
  }
  std::string String() {
    std::string out;
    Need(Take('"'));
    while (!Take('"')) {
      Need(at_ < text_.size());
      const char c = text_[at_++];
      Need(static_cast<unsigned char>(c) >= 0x20);
      if (c != '\\') {
        out += c;
        continue;
      }
      Need(at_ < text_.size());
      const char e = text_[at_++];
      const std::map<char, char> plain = {{'"', '"'},  {'\\', '\\'}, {'/', '/'},  {'b', '\b'},
                                          {'f', '\f'}, {'n', '\n'},  {'r', '\r'}, {'t', '\t'}};
      if (const auto it = plain.find(e); it != plain.end()) {
        out += it->second;
        continue;
      }
      Need(e == 'u');
      unsigned code = Hex();
      Need(code < 0xdc00 || code > 0xdfff);
      if (code >= 0xd800 && code < 0xdc00) {
        Need(Take('\\') && Take('u'));
        const unsigned low = Hex();
        Need(low >= 0xdc00 && low < 0xe000);
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      }
      Utf8(code, &out);
    }
    Need(simdjson::validate_utf8(out.data(), out.size()));
    return out;
  }
  void Object(Plain* out) {
    Need(Take('{'));
    Blank();
    if (Take('}')) return;
    do {
      Blank();
      std::string key = String();
      Blank();
      Need(Take(':'));
      out->members.push_back({std::move(key), Value()});
      Blank();
    } while (Take(','));
    Need(Take('}'));
  }
  void Array(Plain* out) {
    Need(Take('['));
    Blank();
    if (Take(']')) return;
    do {
      out->items.push_back(Value());
      Blank();
    } while (Take(','));
    Need(Take(']'));
  }

  const std::string& text_;
  size_t at_ = 0;

 public:
  static std::optional<Plain> Parse(const std::string& text) {
    try {
      return PlainParser(text).Whole();
    } catch (const Wrong&) {
      return std::nullopt;
    }
  }
};

using Cell = std::optional<std::string>;  // nullopt: the row is refused

Cell CellOf(const Type& type, const Plain& value);

bool SameName(const std::string& a, const std::string& b) {
  return a.size() == b.size() && ColumnIndex({Column(a, TypeId::kVarchar)}, b) == 0;
}

std::optional<std::vector<std::string>> FieldsOf(const std::vector<Field>& fields, const Plain& object) {
  std::vector<std::string> out(fields.size(), "null");
  std::vector<bool> exact(fields.size(), false);
  for (const auto& [key, value] : object.members) {
    for (size_t i = 0; i < fields.size(); ++i) {
      const bool is_exact = fields[i].name == key;
      if (!SameName(fields[i].name, key) || (exact[i] && !is_exact)) continue;
      const Cell cell = CellOf(fields[i].type, value);
      if (!cell) return std::nullopt;
      out[i] = *cell;
      exact[i] = is_exact;
    }
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    if (!fields[i].nullable && out[i] == "null") return std::nullopt;
  }
  return out;
}

Cell StructCell(const Type& type, const Plain& value) {
  const auto cells = FieldsOf(type.children, value);
  if (!cells) return std::nullopt;
  std::string out = "{";
  for (size_t i = 0; i < cells->size(); ++i)
    out += (i == 0 ? "" : ",") + type.children[i].name + ":" + (*cells)[i];
  return out + "}";
}

Cell ListCell(const Type& type, const Plain& value) {
  std::string out = "[";
  for (size_t i = 0; i < value.items.size(); ++i) {
    const Cell cell = CellOf(type.children[0].type, value.items[i]);
    if (!cell) return std::nullopt;
    out += (i == 0 ? "" : ",") + *cell;
  }
  return out + "]";
}

Cell MapCell(const Type& type, const Plain& value) {
  std::vector<std::pair<std::string, std::string>> entries;
  for (const auto& [key, each] : value.members) {
    const Cell cell = CellOf(type.children[1].type, each);
    if (!cell) return std::nullopt;
    auto it = std::find_if(entries.begin(), entries.end(),
                           [&k = key](const auto& entry) { return entry.first == k; });
    if (it == entries.end()) it = entries.insert(it, {key, ""});
    it->second = *cell;
  }
  std::string out = "[";
  for (const auto& [key, cell] : entries) {
    out += out.size() > 1 ? ",{key:" : "{key:";
    AppendJsonString(key, out);
    out += ",value:" + cell + "}";
  }
  return out + "]";
}

Cell CellOf(const Type& type, const Plain& value) {
  if (value.kind == 'n') return "null";
  if (type.id == TypeId::kStruct) return value.kind == '{' ? StructCell(type, value) : std::nullopt;
  if (type.id == TypeId::kList) return value.kind == '[' ? ListCell(type, value) : std::nullopt;
  if (type.id == TypeId::kMap) return value.kind == '{' ? MapCell(type, value) : std::nullopt;
  const bool is_word = value.kind == 't' || value.kind == 'f';
  if (type.id != TypeId::kJson) {
    if (value.kind == '{' || value.kind == '[') return std::nullopt;
    if (is_word && type.id != TypeId::kBoolean && type.id != TypeId::kVarchar) return std::nullopt;
  }
  text::TestVector cell(type);
  const std::string& content = value.kind == '"' && type.id != TypeId::kJson ? value.string : value.raw;
  if (text::PutText(type, content, cell.data.data(), 0) != text::Fault::kNone) return std::nullopt;
  return cell.Cell(0);
}

Cell RowOf(const Schema& schema, const std::string& line) {
  const std::optional<Plain> record = PlainParser::Parse(line);
  if (!record || record->kind != '{') return std::nullopt;
  const auto cells = FieldsOf(schema, *record);
  if (!cells) return std::nullopt;
  std::string out;
  for (size_t i = 0; i < cells->size(); ++i) out += (i == 0 ? "" : "|") + (*cells)[i];
  return out;
}

const Format& JsonLines() {
  static const auto format = std::move(NewFormat(Json(Json::Object{{"kind", "json"}})).value());
  return *format;
}

Schema Clicks() {
  Type geo = Type::Of(TypeId::kStruct);
  geo.children = {Column("lat", TypeId::kDouble), Column("lon", TypeId::kDouble)};
  Type map = Type::Of(TypeId::kMap);
  map.children = {Column("key", TypeId::kVarchar), Column("value", Type::ListOf(Type::Of(TypeId::kInteger)))};
  return {Column("event_id", TypeId::kUuid),
          Column("user_id", Type::Of(TypeId::kBigInt), false),
          Column("ts", TypeId::kTimestamp),
          Column("url", TypeId::kVarchar),
          Column("price", Type::Decimal(10, 2)),
          Column("geo", geo),
          Column("tags", Type::ListOf(Type::Of(TypeId::kVarchar))),
          Column("more", TypeId::kJson),
          Column("counts", map),
          Column("spots", Type::ListOf(geo)),
          Column("ok", TypeId::kBoolean)};
}

const std::vector<std::string>& Seeds() {
  static const std::vector<std::string> seeds = {
      R"({"event_id":"717b35bc-d612-4bce-f7e4-3dd4fa1fbfe0","user_id":124942,"ts":"2026-03-01T20:00:00.000Z","url":"https://api.example.net/electronics/list/37072?q=373869","price":"7.51","geo":{"lat":25.2068,"lon":-95.3795},"tags":["cold","a"]})",
      R"({"user_id": 7, "price": 12.345, "ok": true, "more": {"a": [1, null, "x\"y"]}, "counts": {"a": [1, 2], "b": null}})",
      R"({"USER_ID":1,"user_id":2,"spots":[{"lat":1},{"lon":2e5,"lat":null}],"zzz":"skipped \u00e9","tags":[]})",
      "{\"user_id\":3,\"url\":\"grün \\ud83d\\ude00 caf\\u00e9 and a long tail behind "
      "it\",\"tags\":[\"ü\",null]}",
      R"({"tags":["x"],"geo":{},"user_id":-9223372036854775808,"ts":"2024-02-29 23:59:59","ok":"false","more":null})"};
  return seeds;
}

// What is put into lines.
const std::vector<std::string>& Pieces() {
  static const std::vector<std::string> pieces = {"{",
                                                  "}",
                                                  "[",
                                                  "]",
                                                  ",",
                                                  ":",
                                                  "\"",
                                                  "\\",
                                                  "null",
                                                  "true",
                                                  "false",
                                                  "0",
                                                  "1",
                                                  "-",
                                                  ".",
                                                  "e",
                                                  "9",
                                                  " ",
                                                  "\t",
                                                  "\r",
                                                  ",\"user_id\":",
                                                  "{\"event_id\":",
                                                  "\"user_id\":",
                                                  ",\"geo\":",
                                                  "{\"lat\":",
                                                  ",\"lon\":",
                                                  "\\u0041",
                                                  "\\ud83d",
                                                  "\\udc00",
                                                  "\x80",
                                                  "\xc3",
                                                  "\xff",
                                                  std::string(1, '\0'),
                                                  "\x1f",
                                                  "\\n",
                                                  "99999999999999999999",
                                                  "1e5",
                                                  "0.5",
                                                  "\"a\":1",
                                                  "{}",
                                                  "[]",
                                                  ",\"tags\":[\"q\"]",
                                                  ",\"counts\":{\"a\":[1]}",
                                                  ",\"geo\":null",
                                                  ",\"spots\":[null]",
                                                  ",\"URL\":\"x\""};
  return pieces;
}

std::string Mutated(std::string line, std::mt19937& random) {
  const std::vector<std::string>& pieces = Pieces();
  const int edits = 1 + static_cast<int>(random() % 3);
  for (int i = 0; i < edits && !line.empty(); ++i) {
    const size_t at = random() % line.size();
    switch (random() % 6) {
      case 0:
        line.erase(at, 1 + random() % 3);
        break;
      case 1:
        line.insert(at, pieces[random() % pieces.size()]);
        break;
      case 2:
        line.replace(at, 1, pieces[random() % pieces.size()]);
        break;
      case 3:
        line[at] = static_cast<char>(random() % 256);
        break;
      case 4:
        line = line.substr(0, at);
        break;
      default: {
        const std::string& other = Seeds()[random() % Seeds().size()];
        line = line.substr(0, at) + other.substr(random() % other.size());
      }
    }
  }
  for (char& c : line) {
    if (c == '\n') c = ' ';
  }
  return line;
}

// The plain parser itself is checked by simdjson, but for numbers too large for it.
void ExpectPlainAgreesWithSimdjson(const std::string& line) {
  simdjson::dom::parser parser;
  const auto error = parser.parse(line.data(), line.size()).error();
  if (error == simdjson::NUMBER_ERROR || error == simdjson::BIGINT_ERROR) return;
  EXPECT_EQ(PlainParser::Parse(line).has_value(), error == simdjson::SUCCESS) << Json(line).Dump();
}

TEST(JsonDifferential, EveryTruncationIsRefused) {
  TestReader reader(JsonLines(), Clicks(), AllColumns(Clicks()));
  for (const std::string& seed : Seeds()) {
    for (size_t size = 1; size < seed.size(); ++size) {
      const Decoded out = reader.Read(seed.substr(0, size) + "\n" + seed + "\n");
      EXPECT_EQ(out.rejects.size(), 1U) << seed.substr(0, size);
      EXPECT_EQ(out.rows, std::vector<std::string>{*RowOf(Clicks(), seed)}) << seed.substr(0, size);
      EXPECT_EQ(reader.Read(seed.substr(0, size)).rejects.size(), 1U) << seed.substr(0, size);
    }
  }
}

TEST(JsonDifferential, DamagedLinesMeanTheSameToBoth) {
  std::mt19937 random(20261124);
  const Schema schema = Clicks();
  // One reader for all: it keeps learning. The other sees a few columns only.
  TestReader reader(JsonLines(), schema, AllColumns(schema));
  TestReader narrow(JsonLines(), schema, {6, 0});
  int good = 0;
  for (int round = 0; round < 600; ++round) {
    std::string text;
    std::vector<std::string> expected;
    size_t refused = 0;
    for (int i = 0; i < 50; ++i) {
      const std::string& seed = Seeds()[random() % Seeds().size()];
      const std::string line = random() % 8 == 0 ? seed : Mutated(seed, random);
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      if (text.empty() && line.starts_with("\xef\xbb\xbf")) continue;
      ExpectPlainAgreesWithSimdjson(line);
      text += line + "\n";
      if (const Cell row = RowOf(schema, line)) {
        expected.push_back(*row);
      } else {
        ++refused;
      }
    }
    const Decoded out = reader.Read(text, round % 2 == 0 ? 0 : 700);
    ASSERT_EQ(out.rows, expected) << text;
    ASSERT_EQ(out.rejects.size(), refused);
    ASSERT_EQ(narrow.Read(text).rejects, out.rejects);
    good += static_cast<int>(expected.size());
  }
  EXPECT_GT(good, 3000);  // or the mutations are too wild to test anything
}

TEST(JsonDifferential, NoCutChangesTheRows) {
  std::mt19937 random(5);
  const Schema schema = Clicks();
  for (int round = 0; round < 40; ++round) {
    std::string text;
    for (int i = 0; i < 6; ++i) text += Mutated(Seeds()[random() % 5], random) + (i % 2 == 0 ? "\r\n" : "\n");
    TestReader reader(JsonLines(), schema, AllColumns(schema, true));
    const Decoded whole = reader.Read(text);
    for (const size_t piece : {1, 7, 64, 333}) ASSERT_EQ(reader.Read(text, piece), whole) << text;
  }
}

}  // namespace
}  // namespace qn::json
