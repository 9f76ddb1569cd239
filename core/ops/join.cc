// The change of a join is dA x B before + A after x dB, done twice: first with what goes, then with what
// comes. So every pair that is emitted is a pair that really goes or comes.
#include "ops/join.h"

#include <utility>

#include "base/check.h"
#include "duck/row_codec.h"

namespace qn::ops {

Join::Join(const JoinOptions& options, trace::Budget& budget)
    : budget_(budget),
      room_(budget),
      emits_pairs_(options.emits_pairs),
      left_(budget, options.is_left_append_only, true, options.expires),
      right_(budget, options.is_right_append_only, options.emits_pairs || options.emits_right_unmatched,
             options.expires) {
  left_.emits_unmatched = options.emits_left_unmatched;
  left_.emits_matched = options.emits_left_matched;
  right_.emits_unmatched = options.emits_right_unmatched;
  right_.is_left = false;
}

Status Join::Step(std::span<KeyedDelta> inputs, Delta& out) {
  QN_CHECK(inputs.size() == 2);
  Status changed = Change(inputs, out);
  left_.EndStep();
  right_.EndStep();
  trace::Release(places_, kStepBytesKept);
  room_.Clear();
  return changed;
}

Status Join::Change(std::span<KeyedDelta> inputs, Delta& out) {
  QN_TRY(Prepare(left_, inputs[0].rows, out));
  QN_TRY(Prepare(right_, inputs[1].rows, out));
  if (WantsMatches(left_)) QN_TRY(FindTurned(right_));
  if (WantsMatches(right_)) QN_TRY(FindTurned(left_));
  QN_TRY(EmitTurned(left_, right_, true, out));
  QN_TRY(EmitTurned(right_, left_, true, out));
  QN_TRY(JoinRows(left_.removed, right_.removed, out));
  QN_TRY(JoinRows(left_.added, right_.added, out));
  QN_TRY(EmitTurned(left_, right_, false, out));
  QN_TRY(EmitTurned(right_, left_, false, out));
  for (const auto& [side, other] : {std::pair(&left_, &right_), std::pair(&right_, &left_)}) {
    QN_TRY(EmitUnturned(*side, *other, side->removed, out));
    QN_TRY(EmitUnturned(*side, *other, side->added, out));
  }
  return Ok();
}

void Join::Side::EndStep() {
  for (std::vector<KeyedRow>* rows : {&removed, &added, &turned}) trace::Release(*rows, kStepBytesKept);
  turned_index.Clear();
}

void Join::Emit(const Side& side, std::string_view row, int64_t weight, Delta& out) {
  if (side.is_left) {
    out.rows.push_back({row, {}, weight});
  } else {
    out.rows.push_back({{}, row, weight});
  }
}

Status Join::Prepare(Side& side, std::vector<KeyedRow>& rows, Delta& out) {
  if (!side.keeps_rows) {
    for (KeyedRow& row : rows) row.row = {};
  }
  if (!side.is_append_only || !side.keeps_rows) QN_TRY(Consolidate(rows, budget_));
  size_t removed = 0;
  size_t nulls = 0;
  for (const KeyedRow& row : rows) {
    removed += row.weight < 0 ? 1 : 0;
    nulls += row.has_null_key ? 1 : 0;
  }
  if (side.emits_unmatched) QN_TRY(trace::MakeRoom(out.rows, nulls, room_));
  QN_TRY(trace::MakeRoom(side.removed, removed, room_));
  QN_TRY(trace::MakeRoom(side.added, rows.size() - removed, room_));
  for (const KeyedRow& row : rows) {
    if (row.has_null_key) {
      if (side.emits_unmatched) Emit(side, row.row, row.weight, out);
    } else if (row.weight != 0) {
      (row.weight < 0 ? side.removed : side.added).push_back(row);
    }
  }
  return Ok();
}

Status Join::FindTurned(Side& side) {
  const size_t rows_changed = side.removed.size() + side.added.size();
  trace::Charge room(budget_);
  QN_TRY(room.Hold(RowIndex::BytesFor(rows_changed) + rows_changed * sizeof(KeyedRow)));
  RowIndex index;
  index.Reset(rows_changed);
  std::vector<KeyedRow> keys;
  std::vector<uint32_t> numbers;
  for (const std::vector<KeyedRow>* rows : {&side.removed, &side.added}) {
    index.PutKeys(*rows, numbers);
    keys.resize(index.size(), {{}, {}, 0, false});
    for (size_t i = 0; i < numbers.size(); ++i) {
      keys[numbers[i]].key = (*rows)[i].key;
      keys[numbers[i]].weight += (*rows)[i].weight;
    }
  }
  side.trace.Find(keys, places_);
  QN_TRY(trace::MakeRoom(side.turned, keys.size(), room_));
  for (size_t i = 0; i < keys.size(); ++i) {
    const int64_t old_weight = side.trace.Weight(places_[i]);
    const bool has_now = old_weight + keys[i].weight > 0;
    if ((old_weight > 0) == has_now) continue;
    side.turned.push_back({keys[i].key, {}, has_now ? 1 : -1, false});
  }
  QN_TRY(room_.Add(RowIndex::BytesFor(side.turned.size())));
  side.turned_index.Reset(side.turned.size());
  for (const KeyedRow& key : side.turned) side.turned_index.Put(key.key);
  return Ok();
}

Status Join::EmitTurned(const Side& side, const Side& other, bool is_before, Delta& out) {
  if (!WantsMatches(side) || other.turned.empty()) return Ok();
  side.trace.Find(other.turned, places_);
  for (size_t i = 0; i < places_.size(); ++i) {
    if (places_[i] == trace::kNoKey) continue;
    const bool is_matched = (other.turned[i].weight > 0) != is_before;
    if (!(is_matched ? side.emits_matched : side.emits_unmatched)) continue;
    QN_TRY(trace::MakeRoom(out.rows, side.trace.Rows(places_[i]), room_));
    side.trace.ForEach(places_[i], [&](std::string_view row, int64_t weight) {
      ++rows_visited_;
      Emit(side, row, is_before ? -weight : weight, out);
    });
  }
  return Ok();
}

Status Join::EmitUnturned(const Side& side, const Side& other, std::span<const KeyedRow> rows, Delta& out) {
  if (!WantsMatches(side) || rows.empty()) return Ok();
  other.trace.Find(rows, places_);
  QN_TRY(trace::MakeRoom(out.rows, rows.size(), room_));
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!other.turned.empty() && other.turned_index.Find(rows[i].key) != RowIndex::kNone) continue;
    const bool is_matched = other.trace.Weight(places_[i]) > 0;
    if (is_matched ? side.emits_matched : side.emits_unmatched) {
      Emit(side, rows[i].row, rows[i].weight, out);
    }
  }
  return Ok();
}

Status Join::JoinRows(std::span<const KeyedRow> left, std::span<const KeyedRow> right, Delta& out) {
  QN_TRY(EmitPairs(right_, left, out));
  QN_TRY(left_.trace.Add(left, nullptr));
  QN_TRY(EmitPairs(left_, right, out));
  return right_.trace.Add(right, nullptr);
}

// All pairs of a key at once: there may be more of them than all that is remembered.
Status Join::EmitPairs(const Side& other, std::span<const KeyedRow> rows, Delta& out) {
  if (!emits_pairs_ || rows.empty()) return Ok();
  other.trace.Find(rows, places_);
  for (size_t i = 0; i < rows.size(); ++i) {
    if (places_[i] == trace::kNoKey) continue;
    const KeyedRow& mine = rows[i];
    QN_TRY(trace::MakeRoom(out.rows, other.trace.Rows(places_[i]), room_));
    other.trace.ForEach(places_[i], [&](std::string_view row, int64_t weight) {
      ++rows_visited_;
      if (other.is_left) {
        out.rows.push_back({row, mine.row, weight * mine.weight});
      } else {
        out.rows.push_back({mine.row, row, weight * mine.weight});
      }
    });
  }
  return Ok();
}

Status Join::Expire(const IsOver& is_over) {
  QN_TRY(ops::Expire(left_.trace, is_over));
  return ops::Expire(right_.trace, is_over);
}

Result<std::unique_ptr<Operator>> MakeJoin(const plan::CircuitOp& plan, bool expires, trace::Budget& budget) {
  QN_CHECK(plan.inputs.size() == 2);
  for (const plan::Fragment& input : plan.inputs) QN_TRY(duck::RowCodec::Check(input.columns));
  JoinOptions options;
  options.emits_pairs = plan.emits_pairs;
  options.emits_left_unmatched = plan.emits_left_unmatched;
  options.emits_right_unmatched = plan.emits_right_unmatched;
  options.emits_left_matched = plan.emits_left_matched;
  options.is_left_append_only = !plan.inputs[0].is_weighted;
  options.is_right_append_only = !plan.inputs[1].is_weighted;
  options.expires = expires;
  return std::unique_ptr<Operator>(new Join(options, budget));
}

}  // namespace qn::ops
