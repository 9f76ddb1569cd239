"""Hopping windows in DuckDB: read_json with types, the same statement as ours, one COPY."""

import sys

import duckdb

COLUMNS = {
    "event_id": "VARCHAR", "user_id": "BIGINT", "ts": "TIMESTAMP", "country": "VARCHAR",
    "price": "DECIMAL(10,2)", "url": "VARCHAR",
}  # fmt: skip

source, target, slides = sys.argv[1:]
connection = duckdb.connect()
connection.execute("SET preserve_insertion_order = false")  # the performance guide's advice for large exports
connection.execute(f"""
COPY (
  WITH slides AS (
    SELECT time_bucket(INTERVAL 1 MINUTE, ts) AS minute, count(*) AS events, sum(price) AS revenue
    FROM read_json('{source}/*.jsonl', format = 'newline_delimited', columns = {COLUMNS!r})
    GROUP BY minute)
  SELECT window_start, sum(events) AS events, sum(revenue) AS revenue
  FROM (
    SELECT events, revenue, minute - to_minutes(unnest(range({slides}))) AS window_start
    FROM slides)
  GROUP BY window_start
) TO '{target}/answer.parquet' (FORMAT parquet, COMPRESSION zstd)
""")
