// The writer of SQL text, shared by write_sql.cc and write_joins.cc. Includes nothing that others need.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "plan/node.h"
#include "plan/write_sql.h"

namespace qn::plan {

// A SELECT being put together.
struct Rel {
  std::string from;  // empty: one row without columns
  std::vector<std::string> where;
  std::vector<std::string> columns;  // SQL of each column of the node; empty: nobody needs it
  std::vector<std::string> hidden;   // of options.hidden, or none
  bool is_plain = true;              // columns are names only, so that they may be repeated and filtered
  bool is_join = false;              // from is more than one table
};

std::string JoinText(const std::vector<std::string>& parts, const char* between);
// The columns that a join hands on from one side.
std::vector<std::string> Take(const std::vector<std::string>& columns, const std::vector<size_t>& map);
Status CannotWrite(const std::string& what);

class SqlWriter {
 public:
  explicit SqlWriter(const SqlOptions& options) : options_(options) {}

  Result<Rel> Write(const Node& node);
  std::string Select(const Rel& rel, const std::vector<std::string>& names,
                     const char* word = "SELECT ") const;
  std::string Ctes() const;

 private:
  Result<Rel> Scan(const Node& node);
  Result<Rel> TableFunction(const Node& node);
  Result<Rel> Project(const Node& node);
  Result<Rel> Filter(const Node& node);
  Result<Rel> Unnest(const Node& node);
  Result<Rel> UnionAll(const Node& node);
  Result<Rel> SetOp(const Node& node);
  Result<Rel> JoinNode(const Node& node);
  Result<Rel> MarkJoin(const Node& node, Rel left, Rel right);
  Result<Rel> SingleJoin(const Node& node, Rel left, Rel right);
  Result<Rel> Values(const Node& node);
  Result<Rel> Aggregate(const Node& node);
  Result<Rel> Window(const Node& node);
  Result<Rel> OrderOrLimit(const Node& node);
  Result<Rel> Distinct(const Node& node);
  Result<Rel> Cte(const Node& node);
  Result<Rel> Recursive(const Node& node);
  Result<Rel> CteRef(const Node& node);

  std::string NewAlias() { return "t" + std::to_string(tables_++); }
  // `text` as a table whose columns are c0, c1, … as far as `columns` has them.
  Rel Derived(const std::string& text, const std::vector<std::string>& columns, bool has_hidden);
  Rel Wrap(const Rel& rel) { return Derived(Select(rel, {}), rel.columns, !rel.hidden.empty()); }
  Rel Plain(const Rel& rel) { return rel.is_plain ? rel : Wrap(rel); }
  Rel Operand(const Rel& rel, bool may_be_join);
  Result<std::string> On(const Node& node, const Rel& left, const Rel& right) const;

  struct Kept {
    std::string name;
    bool has_hidden = false;
  };

  const SqlOptions& options_;
  int tables_ = 0;
  std::vector<std::string> ctes_;
  bool is_recursive_ = false;
  std::map<uint64_t, Kept> kept_;
};

}  // namespace qn::plan
