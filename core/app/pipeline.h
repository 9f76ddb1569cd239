// A checked pipeline: what Python declared, bound to columns and types, in an order in which it can be
// computed. Nothing here runs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/spec.h"
#include "base/status.h"
#include "contract/files.h"
#include "data/json.h"
#include "data/type.h"
#include "duck/database.h"
#include "formats/decoder.h"
#include "ops/event_windows.h"
#include "ops/pattern_calls.h"
#include "plan/circuit.h"
#include "plan/compile.h"
#include "plan/windows.h"

namespace qn::app {

struct Source {
  SourceSpec spec;
  Schema columns;
  std::unique_ptr<Format> format;  // null: Parquet, which DuckDB reads
  int event_time_column = -1;
  int64_t watermark_delay_us = 0;
  int64_t idle_timeout_us = -1;  // without rows for so long it holds no window open; -1: it always does
  bool is_inferred = false;      // the schema was not declared
};

struct Reference {
  ReferenceSpec spec;
  Schema columns;
};

// Which operators of a view's circuit have the windows that end, and when they do.
struct WindowPlan {
  plan::WindowPath path;
  ops::WindowOptions options;

  size_t last_op() const { return path.keys[0].op; }
};

struct Flow {
  FlowSpec spec;
  plan::Query query;                  // of the flow's SQL; with the rules unless a function follows
  std::optional<plan::Query> answer;  // the rules over what the function answers
  Schema function_columns;
  std::vector<ops::PatternCall> patterns;  // regular expressions that are ours to match
  std::optional<plan::Circuit> circuit;    // of a materialized view that is kept up to date step by step
  std::optional<WindowPlan> window;
  bool has_event_time = false;  // an input has it, so its watermark moves
  std::string why_recomputed;   // of one that cannot be: in people's words
  // Of the circuit as it was written and, behind a slash where there are some, of its windows and of what its
  // rules do. Another one cannot take over its state.
  std::string fingerprint;
};

struct Dataset {
  DatasetSpec spec;
  Schema columns;
  std::vector<Flow> flows;
  bool has_event_time = false;  // every flow that reads a stream has it

  bool is_view() const { return spec.kind == DatasetKind::kMaterializedView; }
  // A view that follows its inputs' changes, and one that is computed whole when they are drained.
  bool is_incremental() const { return is_view() && flows[0].circuit.has_value(); }
  bool is_recomputed() const { return is_view() && !is_incremental(); }
  // Its changes take rows back; otherwise rows are only added.
  bool is_weighted() const { return is_incremental() && flows[0].circuit->output.is_weighted; }
  // A temporary view without rules is read through; one with rules is computed like a table, but not kept.
  bool is_inlined() const { return spec.kind == DatasetKind::kTemporaryView && spec.expectations.empty(); }
};

struct Pipeline {
  PipelineSpec spec;
  std::vector<Source> sources;
  std::vector<Reference> references;
  std::vector<Dataset> datasets;  // upstream first
  std::vector<std::string> warnings;

  const Source* FindSource(std::string_view name) const;
  const Reference* FindReference(std::string_view name) const;
  const Dataset* FindDataset(std::string_view name) const;

  Json Describe() const;
};

// Uses a scratch database of its own; reads files only to look at schemas. Failures: QN-11xx, QN-12xx,
// QN-20xx.
Result<Pipeline> BuildPipeline(PipelineSpec spec, std::shared_ptr<const duck::Api> api, Files& files);

// Of each rule its name and what becomes of rows that break it; the conditions are part of the statement.
std::string RulesText(const DatasetSpec& dataset);

// The name under which a flow's function shows its answer to SQL.
std::string FunctionRelation(const std::string& dataset, const std::string& flow);

}  // namespace qn::app
