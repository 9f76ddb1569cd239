"""One query of Nexmark as DuckDB's guide has it: read_json with types, one COPY.

A query that reads more than one kind of event parses the files again for each: over a materialized table of the
events it takes as long and more memory.
"""

import re
import sys
from pathlib import Path

import duckdb

COLUMNS = {
    "event_type": "INTEGER",
    "person": 'STRUCT(id BIGINT, name VARCHAR, "emailAddress" VARCHAR, "creditCard" VARCHAR, city VARCHAR, '
    'state VARCHAR, "dateTime" TIMESTAMP, extra VARCHAR)',
    "auction": 'STRUCT(id BIGINT, "itemName" VARCHAR, description VARCHAR, "initialBid" BIGINT, '
    'reserve BIGINT, "dateTime" TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra VARCHAR)',
    "bid": 'STRUCT(auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR, '
    '"dateTime" TIMESTAMP, extra VARCHAR)',
}  # fmt: skip
KINDS = {"person": 0, "auction": 1, "bid": 2}

source, target, query = sys.argv[1:]
sql = Path(__file__).with_name("queries").joinpath(f"{query}.sql").read_text()
read = [kind for kind in KINDS if re.search(rf"\b(FROM|JOIN) {kind}\b", sql)]
columns = {name: COLUMNS[name] for name in ("event_type", *read)}
connection = duckdb.connect()
connection.execute("SET preserve_insertion_order = false")  # the performance guide's advice for large exports
scan = f"SELECT * FROM read_json('{source}/*.jsonl', format = 'newline_delimited', columns = {columns!r})"
connection.execute(f"CREATE TEMP VIEW events AS {scan}")
for kind in read:
    connection.execute(
        f"CREATE TEMP VIEW {kind} AS SELECT unnest({kind}) FROM events WHERE event_type = {KINDS[kind]}"
    )
connection.execute(f"COPY ({sql}) TO '{target}/answer.parquet' (FORMAT parquet, COMPRESSION zstd)")
