"""The join as Polars's guide has it: scan_ndjson with a schema, scan_parquet, streaming engine, sink_parquet."""

import os
import sys

import polars as pl

SCHEMA = {
    "event_id": pl.String, "user_id": pl.Int64, "ts": pl.String, "country": pl.String, "price": pl.String,
    "url": pl.String,
}  # fmt: skip

source, target, _ = sys.argv[1:]
users = pl.scan_parquet(f"{os.environ['QANAT_BENCH_USERS']}/*.parquet")
(
    pl.scan_ndjson(f"{source}/*.jsonl", schema=SCHEMA)
    .select(
        "event_id",
        "user_id",
        pl.col("ts").str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="us"),
        "country",
        pl.col("price").cast(pl.Decimal(10, 2)),
    )
    .join(users, on="user_id")
    .sink_parquet(f"{target}/answer.parquet", compression="zstd", maintain_order=False)
)
