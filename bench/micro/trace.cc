// How fast the memory across steps is, on one core: bench_trace [keys]. Keys of 16 bytes, batches of 1,000;
// inserts, updates, probes, sections. And encoding and decoding of rows of five columns. One line a figure.
#include <time.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "duck/api.h"
#include "duck/row_codec.h"
#include "trace/row_trace.h"
#include "trace/state_trace.h"
#include "trace/test_sections.h"

namespace {

using namespace qn;  // NOLINT(google-build-using-namespace)

constexpr size_t kBatch = 1000;

// CPU time: of the figures that a busy machine gives, those that say most.
double CpuSeconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void Measure(const std::string& what, size_t count, const std::function<void()>& work) {
  const double begin = CpuSeconds();
  work();
  const double seconds = CpuSeconds() - begin;
  const auto each = static_cast<double>(count);
  std::printf("%-46s %7.2f s  %7.2f M/s  %7.1f ns each\n", what.c_str(), seconds, each / seconds / 1e6,
              seconds / each * 1e9);
  std::fflush(stdout);
}

void Must(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

uint64_t Scatter(uint64_t i) {
  i = (i ^ (i >> 31)) * 0x9E3779B97F4A7C15;
  return i ^ (i >> 29);
}

// A batch of keys by number, with rows.
struct Batch {
  std::vector<uint64_t> bytes = std::vector<uint64_t>(kBatch * 4);
  std::vector<KeyedRow> rows = std::vector<KeyedRow>(kBatch);

  void Set(size_t i, uint64_t key, uint64_t row, int64_t weight) {
    uint64_t* at = &bytes[i * 4];
    at[0] = Scatter(key);
    at[1] = key;
    at[2] = row;
    at[3] = ~row;
    const auto* text = reinterpret_cast<const char*>(at);
    rows[i] = {{text, 16}, {text + 16, 16}, weight, false};
  }
};

void BenchStates(size_t keys) {
  trace::Budget budget(uint64_t{64} << 30);
  trace::StateTrace trace(budget);
  Batch batch;
  std::vector<std::string_view> found;
  const auto put = [&](uint64_t round, bool is_random) {
    for (size_t begin = 0; begin < keys; begin += kBatch) {
      for (size_t i = 0; i < kBatch; ++i) {
        batch.Set(i, is_random ? Scatter((begin + i) * 7 + round) % keys : begin + i, begin + i + round, 1);
      }
      trace.Find(batch.rows, found);
      Must(trace.Put(batch.rows));
      if (begin / kBatch % 10 != 9) continue;  // a step
      section.clear();
      (void)trace::TakeSections(trace);
      trace.EndStep();
    }
    section.clear();
    (void)trace::TakeSections(trace);
    trace.EndStep();
  };
  Measure("state: find and put, new keys", keys, [&] { put(0, false); });
  Measure("state: find and put, random keys", keys, [&] { put(1, true); });
  Measure("state: find, random keys", keys, [&] {
    for (size_t begin = 0; begin < keys; begin += kBatch) {
      for (size_t i = 0; i < kBatch; ++i) batch.Set(i, Scatter(begin + i) % keys, 0, 1);
      trace.Find(batch.rows, found);
    }
  });
  std::printf("%-46s %7.1f bytes a key\n", "state: memory",
              static_cast<double>(trace.bytes()) / static_cast<double>(trace.keys()));
  trace::Sections all;
  Measure("state: dump", keys, [&] { all = trace::DumpSections(trace); });
  trace.Clear();
  Measure("state: apply", keys, [&] { Must(trace.Expect(keys)), Must(trace::Apply(all, trace)); });
}

void BenchRows(size_t keys, bool is_append_only) {
  const std::string kind = is_append_only ? "append-only rows: " : "rows: ";
  trace::Budget budget(uint64_t{64} << 30);
  trace::RowTrace trace(budget, is_append_only);
  Batch batch;
  std::vector<trace::KeyRef> places;
  const auto end_step = [&](size_t begin) {
    if (begin / kBatch % 10 != 9 && begin + kBatch < keys) return;
    section.clear();
    (void)trace::TakeSections(trace);
    trace.EndStep();
  };
  const auto add = [&](uint64_t row, int64_t weight, bool is_random) {
    for (size_t begin = 0; begin < keys; begin += kBatch) {
      for (size_t i = 0; i < kBatch; ++i) {
        batch.Set(i, is_random ? Scatter(begin + i) % keys : begin + i, row, weight);
      }
      Must(trace.Add(batch.rows, &places));
      end_step(begin);
    }
  };
  Measure(kind + "add, new keys", keys, [&] { add(0, 1, false); });
  Measure(kind + "find, random keys", keys, [&] {
    for (size_t begin = 0; begin < keys; begin += kBatch) {
      for (size_t i = 0; i < kBatch; ++i) batch.Set(i, Scatter(begin + i) % keys, 0, 1);
      trace.Find(batch.rows, places);
    }
  });
  Measure(kind + "add, random keys, same row", keys, [&] { add(0, 1, true); });
  std::printf("%-46s %7.1f bytes a key\n", (kind + "memory").c_str(),
              static_cast<double>(trace.bytes()) / static_cast<double>(trace.keys()));
  trace::Sections all;
  Measure(kind + "dump", keys, [&] { all = trace::DumpSections(trace); });
  trace.Clear();
  Measure(kind + "apply", keys, [&] { Must(trace.Expect(keys)), Must(trace::Apply(all, trace)); });
  all = {};
  if (is_append_only) return;
  Measure(kind + "add, random keys, second row", keys, [&] { add(1, 1, true); });
  Measure(kind + "remove the second row", keys, [&] { add(1, -1, true); });
}

void BenchCodec() {
  constexpr size_t kRounds = 1000;
  std::vector<int64_t> numbers(duck::kChunkRows);
  std::vector<double> ratios(duck::kChunkRows);
  std::vector<duck::String> texts(duck::kChunkRows);
  for (size_t i = 0; i < duck::kChunkRows; ++i) {
    numbers[i] = static_cast<int64_t>(Scatter(i));
    ratios[i] = static_cast<double>(i);
    texts[i] = {
        5 + static_cast<uint32_t>(i % 20), {'a', 'b', 'c', 'd'}, {.pointer = "abcdefghijklmnopqrstuvwxyz"}};
  }
  const duck::ColumnIn columns[] = {
      {numbers.data()}, {texts.data()}, {ratios.data()}, {texts.data()}, {numbers.data()}};
  const std::vector<Type> types = {Type::Of(TypeId::kBigInt), Type::Of(TypeId::kVarchar),
                                   Type::Of(TypeId::kDouble), Type::Of(TypeId::kVarchar),
                                   Type::Of(TypeId::kTimestamp)};
  std::vector<std::string_view> rows(duck::kChunkRows);
  for (const duck::Encoding encoding : {duck::Encoding::kRow, duck::Encoding::kKey}) {
    const duck::RowCodec codec(types, encoding);
    Measure(encoding == duck::Encoding::kRow ? "codec: encode as row" : "codec: encode as key",
            kRounds * duck::kChunkRows, [&] {
              for (size_t round = 0; round < kRounds; ++round) {
                Arena arena;
                for (size_t i = 0; i < rows.size(); ++i) {
                  bool has_null = false;
                  rows[i] = codec.Encode(columns, i, arena, &has_null);
                }
              }
            });
  }
  const duck::RowCodec codec(types, duck::Encoding::kRow);
  Arena arena;
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = codec.Encode(columns, i, arena, nullptr);
  const char* library = std::getenv("QANAT_DUCKDB");
  auto api = duck::LoadApi(library != nullptr ? library : "");
  Must(api.status());
  duck::OwnChunk chunk(**api, types);
  duck::ChunkOut out;
  Measure("codec: decode", kRounds * duck::kChunkRows, [&] {
    for (size_t round = 0; round < kRounds; ++round) {
      chunk.Reset(out);
      for (size_t c = 0; c < types.size(); ++c) {
        for (size_t i = 0; i < rows.size(); ++i) codec.Decode(rows[i], c, out.columns[c], i);
      }
    }
  });
}

}  // namespace

int main(int argc, char** argv) {
  const size_t keys = (argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000) / kBatch * kBatch;
  BenchCodec();
  BenchStates(keys);
  BenchRows(keys, true);
  BenchRows(keys, false);
}
