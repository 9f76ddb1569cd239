"""Sessions as DuckDB's guide has it: read_json with types, window functions, one COPY."""

import sys

import duckdb

COLUMNS = {
    "event_id": "VARCHAR", "user_id": "BIGINT", "ts": "TIMESTAMP", "country": "VARCHAR",
    "price": "DECIMAL(10,2)", "url": "VARCHAR",
}  # fmt: skip

source, target, _ = sys.argv[1:]
connection = duckdb.connect()
connection.execute("SET preserve_insertion_order = false")  # the performance guide's advice for large exports
connection.execute(f"""
COPY (
  WITH marked AS (
    SELECT user_id, ts, price,
      ts - lag(ts) OVER (PARTITION BY user_id ORDER BY ts) <= INTERVAL 30 MINUTE AS goes_on
    FROM read_json('{source}/*.jsonl', format = 'newline_delimited', columns = {COLUMNS!r})),
  numbered AS (
    SELECT user_id, ts, price,
      sum(CASE WHEN goes_on THEN 0 ELSE 1 END) OVER (PARTITION BY user_id ORDER BY ts) AS session
    FROM marked)
  SELECT user_id, min(ts) AS session_start, max(ts) AS session_end, count(*) AS events,
    sum(price) AS revenue
  FROM numbered
  GROUP BY user_id, session
) TO '{target}/answer.parquet' (FORMAT parquet, COMPRESSION zstd)
""")
