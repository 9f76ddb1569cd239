"""The windows as Polars's guide has it: scan_ndjson with a schema, streaming engine, sink_parquet."""

import sys

import polars as pl

SCHEMA = {
    "event_id": pl.String, "user_id": pl.Int64, "ts": pl.String, "country": pl.String, "price": pl.String,
    "url": pl.String,
}  # fmt: skip

source, target, variant = sys.argv[1:]
users = [] if variant == "sums" else [pl.col("user_id").n_unique().alias("users")]
(
    pl.scan_ndjson(f"{source}/*.jsonl", schema=SCHEMA)
    .with_columns(
        pl.col("ts").str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="us"),
        pl.col("price").cast(pl.Decimal(10, 2)),
    )
    .group_by("country", minute=pl.col("ts").dt.truncate("1m"))
    .agg(pl.len().alias("events"), *users, pl.col("price").sum().alias("revenue"))
    .sink_parquet(f"{target}/answer.parquet", compression="zstd", maintain_order=False)
)
