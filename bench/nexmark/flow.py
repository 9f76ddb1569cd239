"""One query of Nexmark, $QANAT_BENCH_VARIANT, as a materialized view over the one stream of events."""

import os
from pathlib import Path

import qanat as qn

FOLDER = os.environ["QANAT_BENCH_INPUT"]
QUERY = os.environ["QANAT_BENCH_VARIANT"]

qn.source(
    "events",
    qn.files(f"{FOLDER}/*.jsonl"),
    format=qn.json(),
    schema="""event_type INTEGER,
      person STRUCT(id BIGINT, name VARCHAR, "emailAddress" VARCHAR, "creditCard" VARCHAR, city VARCHAR,
        state VARCHAR, "dateTime" TIMESTAMP, extra VARCHAR),
      auction STRUCT(id BIGINT, "itemName" VARCHAR, description VARCHAR, "initialBid" BIGINT, reserve BIGINT,
        "dateTime" TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra VARCHAR),
      bid STRUCT(auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR,
        "dateTime" TIMESTAMP, extra VARCHAR)""",
)


@qn.temporary_view
def person():
    return "SELECT unnest(person) FROM events WHERE event_type = 0"


@qn.temporary_view
def auction():
    return "SELECT unnest(auction) FROM events WHERE event_type = 1"


@qn.temporary_view
def bid():
    return "SELECT unnest(bid) FROM events WHERE event_type = 2"


@qn.materialized_view
def answer():
    return Path(__file__).with_name("queries").joinpath(f"{QUERY}.sql").read_text()
