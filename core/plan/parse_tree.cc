// Walks the parser's JSON.
#include "plan/parse_tree.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace qn::plan {
namespace {

// What DuckDB 2.0 marks VOLATILE or CONSISTENT_WITHIN_QUERY in duckdb_functions(), which takes too long to
// ask at every start; parse_tree_test.cc compares. error() is marked so only to keep it from being computed
// too early.
constexpr std::array kVolatile = {"current_connection_id",
                                  "current_database",
                                  "current_date",
                                  "current_localtime",
                                  "current_localtimestamp",
                                  "current_query",
                                  "current_query_id",
                                  "current_schema",
                                  "current_schemas",
                                  "current_setting",
                                  "current_transaction_id",
                                  "currval",
                                  "gen_random_uuid",
                                  "get_current_time",
                                  "get_current_timestamp",
                                  "getvariable",
                                  "in_search_path",
                                  "nextval",
                                  "now",
                                  "random",
                                  "setseed",
                                  "setval",
                                  "sleep_ms",
                                  "stats",
                                  "today",
                                  "transaction_timestamp",
                                  "txid_current",
                                  "uuid",
                                  "uuidv4",
                                  "uuidv7",
                                  "vector_type",
                                  "write_log"};

constexpr std::array kTimeWords = {"current_timestamp", "current_date", "current_time", "localtimestamp",
                                   "localtime"};

void CollectTables(const Json& json, std::vector<std::string>& tables, std::set<std::string>& ctes) {
  if (json.IsArray()) {
    for (const Json& item : json.Items()) CollectTables(item, tables, ctes);
    return;
  }
  if (!json.IsObject()) return;
  if (json["type"].Str() == "BASE_TABLE") {
    const std::string& name = json["table_name"].Str();
    if (std::find(tables.begin(), tables.end(), name) == tables.end()) tables.push_back(name);
  }
  for (const auto& [name, value] : json.Members()) {
    if (name == "cte_map") {
      for (const Json& entry : value["map"].Items()) ctes.insert(entry["key"].Str());
    }
    CollectTables(value, tables, ctes);
  }
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string CallOf(const Json& json, const std::set<std::string>& functions) {
  const std::string& kind = json["class"].Str();
  if (kind == "FUNCTION") {
    const std::string name = Lower(json["function_name"].Str());
    return functions.count(name) > 0 ? name : "";
  }
  if (kind != "COLUMN_REF" || json["column_names"].Items().size() != 1) return "";
  const std::string name = Lower(json["column_names"].At(0).Str());
  return std::find(kTimeWords.begin(), kTimeWords.end(), name) == kTimeWords.end() ? "" : name;
}

}  // namespace

std::vector<std::string> TablesOf(const Json& parsed) {
  std::vector<std::string> tables;
  std::set<std::string> ctes;
  CollectTables(parsed, tables, ctes);
  std::erase_if(tables, [&ctes](const std::string& name) { return ctes.count(name) > 0; });
  return tables;
}

const std::set<std::string>& VolatileFunctions() {
  static const std::set<std::string> names(kVolatile.begin(), kVolatile.end());
  return names;
}

std::string FirstCall(const Json& parsed, const std::set<std::string>& functions) {
  if (parsed.IsArray()) {
    for (const Json& item : parsed.Items()) {
      if (std::string found = FirstCall(item, functions); !found.empty()) return found;
    }
  }
  if (!parsed.IsObject()) return "";
  if (std::string found = CallOf(parsed, functions); !found.empty()) return found;
  for (const auto& [name, value] : parsed.Members()) {
    if (std::string found = FirstCall(value, functions); !found.empty()) return found;
  }
  return "";
}

bool IsOneExpression(const Json& parsed) {
  const Json& node = parsed["statements"].At(0)["node"];
  return parsed["statements"].Items().size() == 1 && node["select_list"].Items().size() == 1 &&
         node["from_table"]["type"].Str() == "EMPTY" && node["where_clause"].IsNull() &&
         node["modifiers"].Items().empty() && node["having"].IsNull();
}

}  // namespace qn::plan
