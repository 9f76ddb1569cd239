// Turns DuckDB's structured errors (type, subtype, position, candidates) into ours.
#include "plan/retell.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "plan/sql_text.h"

namespace qn::plan {
namespace {

constexpr size_t kListedMax = 4;    // datasets whose columns a message lists
constexpr size_t kColumnsMax = 60;  // columns it lists of each

std::string FirstLine(const std::string& text) { return text.substr(0, text.find('\n')); }

// What stands between the first two `quote`s.
std::string Quoted(const std::string& text, char quote = '"') {
  const size_t begin = text.find(quote);
  if (begin == std::string::npos) return "";
  const size_t end = text.find(quote, begin + 1);
  return end == std::string::npos ? "" : text.substr(begin + 1, end - begin - 1);
}

bool Has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

bool IsNamePart(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

bool HasWord(const std::string& text, const std::string& word) {
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    if ((at == 0 || !IsNamePart(text[at - 1])) && (end == text.size() || !IsNamePart(text[end]))) return true;
  }
  return false;
}

// DuckDB names the types of bare numbers and texts INTEGER_LITERAL, STRING_LITERAL.
std::string WithoutLiteral(std::string text) {
  const std::string word = "_LITERAL";
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word))
    text.erase(at, word.size());
  return text;
}

class Teller {
 public:
  Teller(const Json& error, const Place& place, size_t shift, const std::vector<Known>& reads,
         const std::vector<std::string>& all)
      : error_(error), place_(place), reads_(reads), all_(all), message_(error["error_message"].Str()) {
    const std::string& text = error["position"].Str();
    const auto position = static_cast<size_t>(std::strtoull(text.c_str(), nullptr, 10));
    if (!text.empty() && position >= shift && position - shift <= place.text.size()) {
      position_ = position - shift;
      has_position_ = true;
    }
  }

  Status Tell() const {
    const std::string& type = error_["error_type"].Str();
    if (type == "parser" && Has(message_, "syntax error")) return Syntax();
    if (Has(message_, "Only SELECT statements")) return NotSelect();
    if (type == "catalog" && error_["type"].Str() == "Table") return Table(error_["name"].Str());
    if (type == "catalog") return Missing();
    if (Has(message_, "Referenced table \"")) return Alias();
    if (error_["error_subtype"].Str() == "COLUMN_NOT_FOUND") return Column(error_["name"].Str(), reads_);
    if (Has(message_, "does not have a column named")) return ColumnOfTable();
    if (IsTypeClash()) return Clash();
    return Other();
  }

 private:
  // The end that all messages share.
  Status Finish(Status status) const { return std::move(status).With(kNothingStarted); }
  std::string Where() const { return At(place_, position_); }

  Status Syntax() const {
    const std::string near = Quoted(message_);
    Status status = Invalid("QN-1206", Subject() + " is not complete or has a slip" +
                                           (near.empty() ? "." : " near '" + near + "'."));
    const SqlLine line = LineAt(place_.text, position_);
    status.With("at " + place_.where + ", in the " + place_.kind + " '" + place_.name + "'" +
                (line.count > 1 ? ", line " + std::to_string(line.number) + " of its SQL:" : ":"));
    if (has_position_) {
      status.With("  " + line.text);
      status.With("  " + std::string(line.column, ' ') + "^");
    }
    return Finish(std::move(status));
  }

  // "The condition of expectation 'x'" or "The SQL of dataset 'x'".
  std::string Subject() const {
    return (place_.kind == "expectation" ? "The condition of " : "The SQL of ") + place_.kind + " '" +
           place_.name + "'";
  }

  Status NotSelect() const {
    if (place_.kind == "expectation") {
      return Finish(Invalid("QN-1206", Subject() + " is not one expression.").With(Where()));
    }
    const bool is_pivot = Has(place_.text, "PIVOT") || Has(place_.text, "pivot");
    return Finish(Invalid("QN-1209", Subject() + " is not a SELECT.")
                      .With(Where())
                      .With(is_pivot ? "PIVOT has to name its columns, or it would differ from run to run: "
                                       "PIVOT … ON x IN ('a', 'b') USING …"
                                     : "A dataset is one SELECT that gives its rows; Qanat writes them."));
  }

  // A name before a dot that is neither a table of the SELECT nor an alias.
  Status Alias() const {
    const std::string name = Quoted(message_);
    Status status = Invalid("QN-1201", "'" + name + "' is not among the tables of this SELECT.");
    status.With(Where());
    const size_t candidates = message_.find("Candidate tables: ");
    if (candidates != std::string::npos) {
      std::string list = FirstLine(message_.substr(candidates + 18));
      std::erase(list, '"');
      status.With("It has: " + list);
    }
    return Finish(std::move(status));
  }

  Status Table(const std::string& name) const {
    Status status = Invalid("QN-1201", "There is no dataset or source '" + name + "'.");
    status.With(Where());
    if (!all_.empty()) {
      std::string list;
      for (size_t i = 0; i < all_.size() && i < kColumnsMax; ++i) list += (i > 0 ? ", " : "") + all_[i];
      status.With("The pipeline has: " + list + (all_.size() > kColumnsMax ? ", …" : ""));
    }
    const std::string near = NearestName(name, all_);
    if (!near.empty()) status.With("Did you mean '" + near + "'?");
    return Finish(std::move(status));
  }

  Status Missing() const {
    const std::string kind = error_["type"].StrOr("Function");
    const bool is_function = Has(kind, "Function");
    const std::string name = error_["name"].Str();
    Status status = Invalid("QN-1216", (is_function ? "Function" : kind) + " '" + name + "' does not exist.");
    status.With(Where());
    const std::string candidates = error_["candidates"].Str();
    const std::string near = candidates.substr(0, candidates.find(','));
    if (!near.empty()) status.With("Did you mean '" + near + "'?");
    return Finish(std::move(status));
  }

  // The column is in what the statement reads, but a subquery in between does not hand it on.
  Status Hidden(const std::string& name, const Known& known) const {
    Status status = Invalid(
        "QN-1203", "Column '" + name + "' of '" + known.name + "' does not reach this place of the SQL.");
    status.With(Where()).With("A subquery or a WITH in between does not hand it on.");
    std::string candidates = error_["candidates"].Str();
    for (size_t at = candidates.find(','); at != std::string::npos; at = candidates.find(',', at + 2)) {
      candidates.insert(at + 1, " ");
    }
    if (!candidates.empty()) status.With("Here there is, for example: " + candidates);
    return Finish(std::move(status));
  }

  Status Column(const std::string& name, const std::vector<Known>& reads) const {
    for (const Known& known : reads) {
      if (ColumnIndex(known.columns, name) >= 0) return Hidden(name, known);
    }
    Status status =
        Invalid("QN-1203", "Column '" + name + "' does not exist in " +
                               (reads.size() == 1 ? "dataset '" + reads[0].name + "'."
                                                  : "what " + place_.kind + " '" + place_.name + "' reads."));
    status.With(Where());
    std::vector<std::string> names;
    for (size_t i = 0; i < reads.size(); ++i) {
      const Schema& columns = reads[i].columns;
      for (const Field& field : columns) names.push_back(field.name);
      if (i >= kListedMax) continue;
      const size_t shown = std::min(columns.size(), kColumnsMax);
      status.With("'" + reads[i].name + "' has: " +
                  ColumnNames(Schema(columns.begin(), columns.begin() + static_cast<std::ptrdiff_t>(shown))) +
                  (columns.size() > shown ? ", …" : ""));
    }
    const std::string near = NearestName(name, names);
    if (!near.empty()) status.With("Did you mean '" + near + "'?");
    return Finish(std::move(status));
  }

  // Table "s" does not have a column named "amout". The table may be an alias or a subquery.
  Status ColumnOfTable() const {
    const std::string table = Quoted(message_);
    const size_t named = message_.find("named \"");
    const std::string name = Quoted(message_.substr(named == std::string::npos ? 0 : named));
    for (const Known& known : reads_) {
      if (known.name == table) return Column(name, {known});
    }
    return Column(name, reads_);
  }

  bool IsTypeClash() const {
    const std::string& type = error_["error_type"].Str();
    const std::string& subtype = error_["error_subtype"].Str();
    return subtype == "NO_MATCHING_FUNCTION" || type == "conversion" || type == "mismatch type" ||
           type == "invalid type" || Has(message_, "Cannot compare values of type") ||
           Has(message_, "an explicit cast is required") || Has(message_, "Cannot combine types") ||
           Has(message_, "Cannot mix values of type") || Has(message_, "must return booleans") ||
           Has(message_, "Could not convert") || Has(message_, "Cannot cast");
  }

  Status Clash() const {
    Status status =
        Invalid("QN-1205", "Types do not fit in " + place_.kind + " '" + place_.name + "': " + ClashText());
    status.With(Where());
    for (size_t i = 0; i < reads_.size() && i < kListedMax; ++i) {
      std::string list;
      const Schema& columns = reads_[i].columns;
      for (size_t c = 0; c < columns.size() && c < kColumnsMax; ++c) {
        // Only the columns that the failing text speaks of.
        if (!HasWord(place_.text, columns[c].name)) continue;
        list += (list.empty() ? "" : ", ") + columns[c].name + " " + columns[c].type.ToSql();
      }
      if (!list.empty()) status.With("'" + reads_[i].name + "' has: " + list);
    }
    return Finish(std::move(status.With("Say which type is meant, for example CAST(x AS BIGINT).")));
  }

  std::string ClashText() const {
    if (error_["error_subtype"].Str() == "NO_MATCHING_FUNCTION" && error_.Has("call")) {
      const std::string call = WithoutLiteral(error_["call"].Str());
      const size_t open = call.find('(');
      const std::string name = call.substr(0, open);
      const bool is_operator =
          !name.empty() && std::isalnum(static_cast<unsigned char>(name[0])) == 0 && name[0] != '_';
      return std::string("there is no ") + (is_operator ? "operator " : "function ") + call + ".";
    }
    const std::string text = WithoutLiteral(FirstLine(message_));
    return text + (text.empty() || text.back() != '.' ? "." : "");
  }

  Status Other() const {
    const std::string text = FirstLine(message_);
    return Finish(Invalid("QN-1209", "DuckDB cannot compile " + place_.kind + " '" + place_.name +
                                         "': " + text + (text.empty() || text.back() != '.' ? "." : ""))
                      .With(Where()));
  }

  const Json& error_;
  const Place& place_;
  const std::vector<Known>& reads_;
  const std::vector<std::string>& all_;
  const std::string message_;
  size_t position_ = 0;
  bool has_position_ = false;
};

}  // namespace

std::string At(const Place& place, size_t position) {
  const SqlLine line = LineAt(place.text, position);
  const bool is_long = line.count > 1;
  return "at " + place.where + ", in the " + place.kind + " '" + place.name + "'" +
         (is_long ? ", line " + std::to_string(line.number) : "") + ":  " + line.text;
}

Status Retell(const Json& error, const Place& place, size_t shift, const std::vector<Known>& reads,
              const std::vector<std::string>& all) {
  return Teller(error, place, shift, reads, all).Tell();
}

}  // namespace qn::plan
