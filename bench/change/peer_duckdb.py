"""The views over purchases in DuckDB: read_json with types, one COPY. The whole is computed anew."""

import sys

import duckdb

source, target, variant = sys.argv[1:]
connection = duckdb.connect()
connection.execute("SET preserve_insertion_order = false")
customers = f"""
SELECT customer, count(*) AS purchases, sum(amount)::BIGINT AS amount
FROM read_json('{source}/*.jsonl', format = 'newline_delimited',
  columns = {{customer: 'BIGINT', amount: 'BIGINT'}})
GROUP BY customer"""
histogram = f"""
SELECT purchases, count(*) AS customers, sum(amount)::BIGINT AS amount
FROM ({customers})
GROUP BY purchases"""
sql = customers if variant == "customers" else histogram
connection.execute(f"COPY ({sql}) TO '{target}/answer.parquet' (FORMAT parquet, COMPRESSION zstd)")
