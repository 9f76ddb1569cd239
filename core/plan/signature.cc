// A call's signature is its name, types and what the binder derived from its arguments. What counts columns
// or holds expressions is left out: it differs between equal plans.
#include "plan/signature.h"

#include <set>

#include "plan/read_expr.h"

namespace qn::plan {
namespace {

void AppendData(const Json& json, std::string& out) {
  if (json.IsArray()) {
    for (const Json& item : json.Items()) AppendData(item, out);
  } else if (json.IsObject()) {
    if (json.Has("expression_class")) return;
    // A collation is in the plan as calls already.
    if (json["type"].Str() == "STRING_TYPE_INFO") return;
    for (const auto& [name, value] : json.Members()) {
      if (name == "type_info" && value["type"].Str() == "STRING_TYPE_INFO") continue;
      if (name == "quantiles") continue;  // the constant before a cast or after it
      out += name + ":";
      AppendData(value, out);
      out += ",";
    }
  } else {
    out += json.Dump();
  }
}

struct Call {
  std::string key;
  std::string shown;
};

void Collect(const Json& json, std::vector<Call>& out) {
  if (json.IsArray()) {
    for (const Json& item : json.Items()) Collect(item, out);
    return;
  }
  if (!json.IsObject()) return;
  const std::string& type = json["expression_class"].Str();
  const Json::Array& path = json["qname"]["path"].Items();
  // Casts are written out, and so are the types of what is compared.
  const std::string& kind = json["type"].Str();
  const bool is_plain = kind == "OPERATOR_CAST" || kind.rfind("COMPARE_", 0) == 0;
  if (!type.empty() && !path.empty() && !is_plain) {
    Call call;
    call.key = type + " " + path.back().Str() + " ";
    AppendData(json["arguments"], call.key);
    AppendData(json["return_type"], call.key);
    AppendData(json["function_data"], call.key);
    AppendData(json["aggregate_type"], call.key);
    call.shown = path.back().Str() + "(";
    for (const Json& argument : json["arguments"].Items()) {
      call.shown += (call.shown.back() == '(' ? "" : ", ") + ReadType(argument).ToSql();
    }
    call.shown += ")";
    out.push_back(std::move(call));
  }
  for (const auto& [name, value] : json.Members()) Collect(value, out);
}

}  // namespace

std::string FirstNewCall(const Json& before, const Json& after) {
  std::vector<Call> calls;
  Collect(before, calls);
  std::set<std::string> known;
  for (const Call& call : calls) known.insert(call.key);
  calls.clear();
  Collect(after, calls);
  for (const Call& call : calls) {
    if (known.count(call.key) == 0) return call.shown;
  }
  return "";
}

}  // namespace qn::plan
