// Adds operators to a circuit and answers the part that reads what they give. Equal operators over equal
// fragments are added once.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "plan/circuit.h"
#include "plan/circuit_part.h"

namespace qn::plan {

using Mask = std::vector<bool>;

class CircuitBuilder {
 public:
  explicit CircuitBuilder(const CircuitOptions& options) : options_(options) {}

  // A stream's scan.
  Part Stream(const Node& scan);
  // Of a stream or "#<operator>"; false for what is bounded.
  bool IsWeighted(const std::string& input) const;
  // Rows that are the same in every step, given once.
  Result<Part> Once(Part bounded);
  // The same, where they can be read as an input of their own: nothing else may read `input`.
  void OnceInput(const std::string& input);
  // Whether its rows come as changes: a stream, "#<operator>" or an input that is read once.
  bool IsStream(const std::string& input) const;

  Result<Part> Distinct(Part part, const std::string& label);
  Result<Part> Bag(Part left, Part right, bool is_except, const std::string& label);

  struct Side {
    Part part;
    std::vector<Expr> keys;
    Mask needed;  // columns that are needed above
  };
  struct JoinOutput {
    bool pairs = false;
    bool left_unmatched = false;
    bool right_unmatched = false;
    bool left_matched = false;
  };
  // Columns: all of the left (NULL where not needed) and, unless only left rows come out, of the right. The
  // first `strict` keys are compared by "=".
  Result<Part> Join(Side left, Side right, size_t strict, JoinOutput output, const std::string& label);

  struct Partial {
    Merge merge;
    std::string sql;  // over c0, c1, … and the weight
    Type type;
  };
  // Columns: the groups, then the states. `arguments` are what the states' SQL reads behind the groups.
  Result<Part> Aggregate(Part part, std::vector<Expr> groups, std::vector<Expr> arguments,
                         const std::vector<Partial>& states, const std::string& label);

  struct Recomputed {
    std::string label;
    std::vector<Part> inputs;
    std::vector<std::vector<Expr>> keys;  // of each input; none: the empty key
    // Over scans of "@0", "@1", … with all columns of the inputs; gives the key, then what is needed above.
    std::unique_ptr<Node> tree;
    size_t key_count = 0;
    bool keeps_answer_only = false;
  };
  // Columns: the tree's behind the key.
  Result<Part> Recompute(Recomputed spec);

  Result<Circuit> Finish(Part output);

 private:
  Fragment FragmentOf(Part part, std::vector<Expr> keys, size_t strict, std::vector<Expr> rows) const;
  Result<Part> Add(CircuitOp op);
  void DropUnused();

  const CircuitOptions& options_;
  std::set<std::string> once_;
  Circuit circuit_;
  std::map<std::string, size_t> known_;
};

// The columns of `full` out of a part that has only those of `mask`, in order; NULL elsewhere.
Part Widened(Part part, const Mask& mask, const Schema& full);
// The columns of the mask.
std::vector<Expr> Selected(const Schema& columns, const Mask& mask);

// All that decides what an operator remembers and answers, as text. Failure: QN-1217, its SQL cannot be
// written.
Result<std::string> OpText(const CircuitOp& op);

// QN-1217: `what` cannot be kept up to date.
Status CannotFollow(const std::string& what, const std::string& why);

}  // namespace qn::plan
