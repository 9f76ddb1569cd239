// How fast decoders fill columns, on one core: bench_decode json|csv FILE [rounds], where FILE holds
// clickstream events (CSV: the same without geo and tags). Prints one line a round.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <numeric>
#include <string>

#include "formats/new_format.h"
#include "formats/text/test_chunk.h"

namespace {

using namespace qn;  // NOLINT(google-build-using-namespace)

class CountingRejects final : public Rejects {
 public:
  void Add(uint32_t, int64_t, std::string_view, std::string detail) override {
    if (count_++ < 3) std::fprintf(stderr, "rejected: %s\n", detail.c_str());
  }
  size_t count() const { return count_; }

 private:
  size_t count_ = 0;
};

Field Column(std::string name, Type type) { return {std::move(name), std::move(type), true, ""}; }

Schema ClicksSchema() {
  const auto of = [](TypeId id) { return Type::Of(id); };
  Type geo = of(TypeId::kStruct);
  geo.children = {Column("lat", of(TypeId::kDouble)), Column("lon", of(TypeId::kDouble))};
  return {Column("event_id", of(TypeId::kUuid)),
          Column("user_id", of(TypeId::kBigInt)),
          Column("session", of(TypeId::kVarchar)),
          Column("ts", of(TypeId::kTimestamp)),
          Column("url", of(TypeId::kVarchar)),
          Column("ip", of(TypeId::kVarchar)),
          Column("user_agent", of(TypeId::kVarchar)),
          Column("country", of(TypeId::kVarchar)),
          Column("price", Type::Decimal(10, 2)),
          Column("geo", geo),
          Column("tags", Type::ListOf(of(TypeId::kVarchar)))};
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

struct Pass {
  size_t rows = 0;
  size_t rejects = 0;
  double seconds = 0;
};

// One pass over the text in blocks of 1 MiB, as a source would hand them out.
Pass Run(const Format& format, const Schema& schema, const std::string& text) {
  constexpr size_t kBlockBytes = 1 << 20;
  std::vector<int> projection(schema.size());
  std::iota(projection.begin(), projection.end(), 0);
  std::vector<Type> types;
  for (const Field& field : schema) types.push_back(field.type);
  const auto decoder = format.NewDecoder(schema, projection);
  const auto head = std::make_shared<const std::string>(text.substr(0, kFileHeadBytes));
  text::TestChunk chunk(types);
  CountingRejects rejects;
  Pass pass;
  const double begin = CpuSeconds();
  for (size_t at = 0; at < text.size() - kBlockPadding;) {
    uint64_t lines = 0;
    const size_t left = text.size() - kBlockPadding - at;
    size_t size = format.Splitter().Whole(text.data() + at, std::min(left, kBlockBytes), &lines);
    if (size == 0) size = left;
    Block block;
    block.data = text.data() + at;
    block.size = size;
    block.offset = at;
    block.head = head;
    Cursor cursor{0, 1};
    while (cursor.at < block.size) pass.rows += decoder->Decode(block, cursor, chunk.out(), rejects);
    at += size;
  }
  pass.seconds = CpuSeconds() - begin;
  pass.rejects = rejects.count();
  return pass;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "usage: bench_decode json|csv FILE [rounds]\n"), 2;
  std::ifstream file(argv[2], std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  const double bytes = static_cast<double>(text.size());
  text.append(kBlockPadding, '\n');
  auto format = NewFormat(Json(Json::Object{{"kind", argv[1]}}));
  if (!format.ok()) return std::fprintf(stderr, "%s\n", format.status().ToString().c_str()), 2;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 5;
  Schema schema = ClicksSchema();
  if (std::string_view(argv[1]) == "csv") schema.resize(9);
  if (const Status status = (*format)->Check(schema); !status.ok()) {
    return std::fprintf(stderr, "%s\n", status.ToString().c_str()), 2;
  }
  for (int i = 0; i < rounds; ++i) {
    const Pass pass = Run(**format, schema, text);
    std::printf("%zu rows, %zu rejected, %.3f s, %.2f M rows/s, %.2f GB/s, %.0f ns/row\n", pass.rows,
                pass.rejects, pass.seconds, static_cast<double>(pass.rows) / pass.seconds * 1e-6,
                bytes / pass.seconds * 1e-9, pass.seconds * 1e9 / static_cast<double>(pass.rows));
  }
  return 0;
}
