// Rewrites a bound tree, bottom up, into parts and operators.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/circuit_build.h"

namespace qn::plan {

class CircuitPlanner {
 public:
  explicit CircuitPlanner(const CircuitOptions& options) : options_(options), builder_(options) {}

  // `tree` has been marked (MarkNeeded).
  Result<Circuit> Plan(const Node& tree);

 private:
  // A join's conditions, over all columns of both sides.
  struct Conditions {
    std::vector<Expr> left_strict, right_strict;  // "="
    std::vector<Expr> left_safe, right_safe;      // IS NOT DISTINCT FROM
    std::vector<Expr> rest;                       // over both sides' columns

    std::vector<Expr> Left() const;
    std::vector<Expr> Right() const;
    size_t strict() const { return left_strict.size(); }
  };
  static Conditions Split(const Node& node, size_t left_width);
  // Rows, and the ORDER BY in which they come; none: in any.
  struct Ordered {
    Part part;  // the node's columns, and behind them what only the order asks for
    std::vector<OrderKey> orders;
  };

  // circuit_planner.cc
  Result<Part> Visit(const Node& node);
  bool IsBounded(const Node& node) const;
  std::unique_ptr<Node> Inlined(const Node& node) const;
  Result<Part> Linear(const Node& node);
  Part AsItIs(std::unique_ptr<Node> tree);
  Result<Part> Union(const Node& node);
  Result<Part> SetOp(const Node& node);
  Result<Part> Cte(const Node& node);
  // `finish`: a projection above that is to be computed with the aggregates.
  Result<Part> Group(const Node& node, const Node* finish = nullptr);
  Result<Part> GroupSets(const Node& node, const std::vector<Expr>& aggregates, const Part& below);
  std::unique_ptr<Node> Gathered(const Node& node, std::vector<Part>& inputs);
  Result<Part> Recursive(const Node& node);
  Result<Part> ToStream(Part part);

  // circuit_join.cc
  Result<Part> Join(const Node& node);
  Result<Part> JoinStreams(const Node& node, Part left, Part right);
  Result<Part> OuterByParts(const Node& node, Part left, Part right, const Conditions& on);
  Result<Part> MatchedByParts(const Node& node, Part left, Part right, const Conditions& on);
  Result<Part> Mark(const Node& node, Part left, Part right, const Conditions& on);
  Result<Part> MarkNulls(Part found, Part right, const Conditions& on, const Mask& mask,
                         const std::string& label);
  Result<Part> RecomputeJoin(const Node& node, Part left, Part right, const Conditions& on);

  // circuit_order.cc
  Result<Ordered> VisitOrdered(const Node& node);

  // circuit_recompute.cc
  Result<Part> Window(const Node& node, std::vector<Expr> filters, const Mask& needed);
  Result<std::optional<Part>> TopOfWindow(const Node& node, const Part& below, const std::vector<Expr>& keys,
                                          const std::vector<Expr>& filters, const Mask& needed);
  Result<Part> FilterOrTop(const Node& node);
  // `keeps_order`: the order is asked for above.
  Result<Ordered> Limit(const Node& node, bool keeps_order);
  Result<Part> DistinctOn(const Node& node);
  // Whole rows, once each.
  Result<Part> Distinct(Part part, const std::string& label);
  Result<Part> Bag(Part left, Part right, const Node& node);

  const CircuitOptions& options_;
  CircuitBuilder builder_;
  std::map<uint64_t, Part> ctes_;
  std::map<std::string, size_t> scans_;  // how often each input is read
  bool keeps_tags_ = false;              // row tags may stay in a fragment: what reads them stays there too
};

// First line of Print, without its indent.
std::string LineOf(const Node& node);
// A node without its children.
std::unique_ptr<Node> Shell(const Node& node);

// Whether the rows of a node come in an order that an ORDER BY says.
bool HasOrder(const Node& node);
// The same, or they would, but for operators through which we do not follow it.
bool HidesOrder(const Node& node);
// Whether what an aggregate or a window answers depends on the order in which rows come.
bool AsksForOrder(const Expr& call);
std::unique_ptr<Node> OrderNode(std::unique_ptr<Node> below, std::vector<OrderKey> orders);

}  // namespace qn::plan
