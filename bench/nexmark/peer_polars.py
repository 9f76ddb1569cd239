"""One query of Nexmark as Polars's guide has it: scan_ndjson with a schema, streaming engine, sink_parquet."""

import sys
from collections.abc import Callable
from decimal import Decimal

import polars as pl

N, S = pl.Int64, pl.String
SCHEMA = {
    "event_type": pl.Int32,
    "person": pl.Struct({
        "id": N, "name": S, "emailAddress": S, "creditCard": S, "city": S, "state": S, "dateTime": S, "extra": S,
    }),
    "auction": pl.Struct({
        "id": N, "itemName": S, "description": S, "initialBid": N, "reserve": N, "dateTime": S, "expires": S,
        "seller": N, "category": N, "extra": S,
    }),
    "bid": pl.Struct({
        "auction": N, "bidder": N, "price": N, "channel": S, "url": S, "dateTime": S, "extra": S,
    }),
}  # fmt: skip
KINDS = {"person": 0, "auction": 1, "bid": 2}
BID = ["auction", "bidder", "price", "dateTime", "extra"]

source, target, query = sys.argv[1:]
col = pl.col


def times(*names: str) -> list[pl.Expr]:
    return [col(name).str.to_datetime("%Y-%m-%dT%H:%M:%S%.3fZ", time_unit="us") for name in names]


def events(kind: str) -> pl.LazyFrame:
    rows = pl.scan_ndjson(
        f"{source}/*.jsonl", schema={name: SCHEMA[name] for name in ("event_type", kind)}
    ).filter(col("event_type") == KINDS[kind])
    rows = rows.select(col(kind).struct.unnest())
    return rows.with_columns(times("dateTime", *(["expires"] if kind == "auction" else [])))


def won() -> pl.LazyFrame:
    """Bids in the time of their auction."""
    bids = events("bid").rename({"dateTime": "bid_dateTime", "extra": "bid_extra"})
    joined = bids.join(events("auction"), left_on="auction", right_on="id", coalesce=False)
    return joined.filter(col("bid_dateTime").is_between("dateTime", "expires"))


def q4() -> pl.LazyFrame:
    final = won().group_by("id", "category").agg(col("price").max().alias("final"))
    return final.group_by("category").agg(col("final").mean())


def q5() -> pl.LazyFrame:
    start = col("dateTime").dt.truncate("2s")
    starts = pl.concat_list([start - pl.duration(seconds=2 * k) for k in range(5)])
    counts = (
        events("bid")
        .select("auction", starts.alias("window_start"))
        .explode("window_start")
        .group_by("auction", "window_start")
        .agg(pl.len().alias("num"))
    )
    most = counts.group_by("window_start").agg(col("num").max().alias("most"))
    return counts.join(most, on="window_start").filter(col("num") >= col("most")).drop("most")


def q7() -> pl.LazyFrame:
    windowed = events("bid").with_columns(col("dateTime").dt.truncate("10s").alias("window_start"))
    most = windowed.group_by("window_start").agg(col("price").max())
    return windowed.join(most, on=["window_start", "price"]).select(BID)


def q8() -> pl.LazyFrame:
    window = col("dateTime").dt.truncate("10s").alias("window_start")
    people = events("person").select("id", "name", window).unique()
    sellers = events("auction").select("seller", window).unique()
    return people.join(sellers, left_on=["id", "window_start"], right_on=["seller", "window_start"])


def q9() -> pl.LazyFrame:
    order = ["price", "bid_dateTime", "bidder", "bid_extra"]
    return won().sort(order, descending=[True, False, False, False]).group_by("id").first()


def q11() -> pl.LazyFrame:
    bidder, at = col("bidder"), col("dateTime")
    begins = (bidder != bidder.shift(1)) | (at - at.shift(1) > pl.duration(seconds=10))
    return (
        events("bid")
        .select("bidder", "dateTime")
        .sort("bidder", "dateTime")
        .with_columns(begins.fill_null(True).cum_sum().alias("session"))
        .group_by("session")
        .agg(
            bidder.first(),
            pl.len().alias("bid_count"),
            at.min().alias("starttime"),
            at.max().alias("endtime"),
        )
        .drop("session")
    )


def q15() -> pl.LazyFrame:
    price = col("price")
    ranks = {
        "total": pl.lit(True),
        "rank1": price < 10_000,
        "rank2": (price >= 10_000) & (price < 1_000_000),
        "rank3": price >= 1_000_000,
    }
    asked = [rank.sum().alias(f"{name}_bids") for name, rank in ranks.items() if name != "total"]
    for column in ("bidder", "auction"):
        asked += [
            col(column).filter(rank).n_unique().alias(f"{name}_{column}s") for name, rank in ranks.items()
        ]
    days = events("bid").with_columns(col("dateTime").dt.date().alias("day"))
    return days.group_by("day").agg(pl.len().alias("total_bids"), *asked)


def q18() -> pl.LazyFrame:
    order = ["dateTime", "price", "extra"]
    return events("bid").sort(order, descending=[True, True, False]).group_by("bidder", "auction").first()


def q20() -> pl.LazyFrame:
    bids = events("bid").rename({"dateTime": "bid_dateTime", "extra": "bid_extra"})
    sold = events("auction").filter(col("category") == 10)
    sold = sold.rename({"dateTime": "auction_dateTime", "extra": "auction_extra"})
    return bids.join(sold, left_on="auction", right_on="id")


QUERIES: dict[str, Callable[[], pl.LazyFrame]] = {
    "q0": lambda: events("bid").select(BID),
    "q1": lambda: events("bid").select(BID).with_columns(col("price") * pl.lit(Decimal("0.908"))),
    "q2": lambda: events("bid").filter(col("auction") % 123 == 0).select("auction", "price"),
    "q3": lambda: events("auction")
    .filter(col("category") == 10)
    .join(
        events("person").filter(col("state").is_in(["OR", "ID", "CA"])), left_on="seller", right_on="id"
    )
    .select("name", "city", "state", "id"),
    "q4": q4,
    "q5": q5,
    "q7": q7,
    "q8": q8,
    "q9": q9,
    "q11": q11,
    "q15": q15,
    "q18": q18,
    "q20": q20,
}  # fmt: skip

QUERIES[query]().sink_parquet(f"{target}/answer.parquet", compression="zstd", maintain_order=False)
