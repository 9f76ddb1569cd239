"""One-minute windows by country, ours. Their state goes when the watermark has passed them.

$QANAT_BENCH_VARIANT: "users" counts distinct users too, "sums" asks for count and sum only. With
$QANAT_BENCH_CLOSE=no windows never close.
"""

import os

import qanat as qn

FOLDER = os.environ["QANAT_BENCH_INPUT"]
VARIANT = os.environ["QANAT_BENCH_VARIANT"]
USERS = "" if VARIANT == "sums" else "count(DISTINCT user_id) AS users,"
CLOSING = {"window": "minute", "window_size": "1 minute"} if os.environ["QANAT_BENCH_CLOSE"] == "yes" else {}

qn.source(
    "events",
    qn.files(f"{FOLDER}/*.jsonl"),
    format=qn.json(),
    schema="""event_id VARCHAR, user_id BIGINT, ts TIMESTAMP, country VARCHAR, price DECIMAL(10,2),
              url VARCHAR""",
    event_time="ts",
    watermark="30 seconds",
)


@qn.materialized_view(**CLOSING)
def answer():
    return f"""
    SELECT country, time_bucket(INTERVAL 1 MINUTE, ts) AS minute,
      count(*) AS events, {USERS} sum(price) AS revenue
    FROM events
    GROUP BY ALL"""
