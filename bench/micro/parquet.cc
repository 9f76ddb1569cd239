// What the Parquet encoder costs beside DuckDB's COPY, over the same rows in memory: bench_parquet FILE
// [rounds] [threads], where FILE holds clickstream events as JSON lines. QANAT_DUCKDB names DuckDB's library.
// Prints CPU-seconds, less those of the scan alone, and rows a CPU-second.
#include <sys/resource.h>

#include <cstdio>
#include <cstdlib>

#include "formats/parquet/test_world.h"

namespace {

using namespace qn;  // NOLINT(google-build-using-namespace)

// The columns of a clickstream table, partitioned by day.
constexpr const char* kSelect =
    "SELECT event_id::VARCHAR AS event_id, user_id, session, ts, regexp_extract(url, '^https?://([^/]+)', 1) "
    "AS host, "
    "regexp_extract(url, '^https?://[^/]+([^?#]*)', 1) AS path, ip, user_agent, lower(country) AS country, "
    "price, geo, "
    "tags, ts::DATE AS day FROM (SELECT * REPLACE (TRY_CAST(ts AS TIMESTAMP) AS ts, TRY_CAST(price AS "
    "DECIMAL(10,2)) AS "
    "price) FROM read_json(%s, format = 'newline_delimited', ignore_errors = true, columns = {event_id: "
    "'VARCHAR', "
    "user_id: 'BIGINT', session: 'VARCHAR', ts: 'VARCHAR', url: 'VARCHAR', ip: 'VARCHAR', user_agent: "
    "'VARCHAR', "
    "country: 'VARCHAR', price: 'VARCHAR', geo: 'STRUCT(lat DOUBLE, lon DOUBLE)', tags: 'VARCHAR[]'})) "
    "WHERE ts >= '2026-01-01' AND ts < '2027-01-01'";

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Bench {
 public:
  Bench(const char* file, int threads) : world_(threads) {
    char sql[4096];
    std::snprintf(sql, sizeof sql, kSelect, QuoteText(file).c_str());
    world_.Ask("CREATE TABLE clicks AS " + std::string(sql));
    rows_ = static_cast<double>(world_.Ask("SELECT count(*) FROM clicks").rows[0][0].Int());
  }

  double Scan() {
    const double begin = CpuSeconds();
    const WriterOptions options = world_.OptionsFor(kFrom);
    QN_CHECK(world_.Pour(kFrom, options.columns, nullptr).ok());
    return CpuSeconds() - begin;
  }

  double Encode(int zstd_level, bool is_partitioned) {
    const double begin = CpuSeconds();
    parquet::WriterOptions options = world_.OptionsFor(kFrom);
    options.zstd_level = zstd_level;
    if (is_partitioned) options.partition_cols = {"day"};
    const auto files = world_.Write(kFrom, options);
    QN_CHECK(files.ok());
    return Done(begin);
  }

  double Copy(const char* codec, bool is_partitioned) {
    const double begin = CpuSeconds();
    std::filesystem::create_directories(world_.folder() + "/table");
    const std::string sql = std::string(kFrom) + " TO '" + world_.folder() +
                            "/table' (FORMAT parquet, COMPRESSION " + codec + ", " +
                            (is_partitioned ? "PARTITION_BY (day), WRITE_PARTITION_COLUMNS true, " : "") +
                            "PER_THREAD_OUTPUT " + (is_partitioned ? "false" : "true") + ", OVERWRITE true)";
    world_.Ask("COPY (" + sql.substr(0, sql.find(" TO ")) + ")" + sql.substr(sql.find(" TO ")));
    return Done(begin);
  }

  void Print(const char* what, double seconds, double scan) {
    std::printf("%-34s %6.3f CPU-s  %6.2f M rows/CPU-s  %7.1f MB\n", what, seconds - scan,
                rows_ / (seconds - scan) * 1e-6, megabytes_);
  }
  double rows() const { return rows_; }

 private:
  using WriterOptions = parquet::WriterOptions;
  static constexpr const char* kFrom = "SELECT * FROM clicks";

  double Done(double begin) {
    const double seconds = CpuSeconds() - begin;
    megabytes_ = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(world_.folder())) {
      if (entry.is_regular_file()) megabytes_ += 1e-6 * static_cast<double>(entry.file_size());
    }
    std::filesystem::remove_all(world_.folder() + "/table");
    return seconds;
  }

  parquet::World world_;
  double rows_ = 0;
  double megabytes_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::fprintf(stderr, "usage: bench_parquet FILE [rounds] [threads]\n"), 2;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 3;
  Bench bench(argv[1], argc > 3 ? std::atoi(argv[3]) : 2);
  std::printf("%.0f rows\n", bench.rows());
  for (int i = 0; i < rounds; ++i) {
    const double scan = bench.Scan();
    std::printf("%-34s %6.3f CPU-s\n", "scan alone", scan);
    bench.Print("ours, not compressed", bench.Encode(0, false), scan);
    bench.Print("ours, zstd 1", bench.Encode(1, false), scan);
    bench.Print("ours, zstd 1, by day", bench.Encode(1, true), scan);
    bench.Print("COPY, not compressed", bench.Copy("uncompressed", false), scan);
    bench.Print("COPY, zstd", bench.Copy("zstd", false), scan);
    bench.Print("COPY, zstd, by day", bench.Copy("zstd", true), scan);
  }
  return 0;
}
