"""Sessions in Polars: sorted by user and time, numbered by the pauses, grouped; streaming engine."""

import sys

import polars as pl

SCHEMA = {
    "event_id": pl.String, "user_id": pl.Int64, "ts": pl.String, "country": pl.String, "price": pl.String,
    "url": pl.String,
}  # fmt: skip

source, target, _ = sys.argv[1:]
user, ts = pl.col("user_id"), pl.col("ts")
begins = (user != user.shift(1)) | (ts - ts.shift(1) > pl.duration(minutes=30))
(
    pl.scan_ndjson(f"{source}/*.jsonl", schema=SCHEMA)
    .select(
        "user_id",
        ts.str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="us"),
        pl.col("price").cast(pl.Decimal(10, 2)),
    )
    .sort("user_id", "ts")
    .with_columns(begins.fill_null(True).cum_sum().alias("session"))
    .group_by("session")
    .agg(
        user.first(),
        ts.min().alias("session_start"),
        ts.max().alias("session_end"),
        pl.len().alias("events"),
        pl.col("price").sum().alias("revenue"),
    )
    .drop("session")
    .sink_parquet(f"{target}/answer.parquet", compression="zstd", maintain_order=False)
)
