"""Hopping windows, ours: every minute, as many minutes wide as $QANAT_BENCH_VARIANT says.

Written as one does it by hand and as engines do it: first by slide, then each slide into the windows that hold
it. So an event is counted once, whatever the width.
"""

import os

import qanat as qn

FOLDER = os.environ["QANAT_BENCH_INPUT"]
SLIDES = int(os.environ["QANAT_BENCH_VARIANT"])

qn.source(
    "events",
    qn.files(f"{FOLDER}/*.jsonl"),
    format=qn.json(),
    schema="""event_id VARCHAR, user_id BIGINT, ts TIMESTAMP, country VARCHAR, price DECIMAL(10,2),
              url VARCHAR""",
)


@qn.materialized_view
def answer():
    return f"""
    WITH slides AS (
      SELECT time_bucket(INTERVAL 1 MINUTE, ts) AS minute, count(*) AS events, sum(price) AS revenue
      FROM events
      GROUP BY minute)
    SELECT window_start, sum(events) AS events, sum(revenue) AS revenue
    FROM (
      SELECT events, revenue, minute - to_minutes(unnest(range({SLIDES}))) AS window_start
      FROM slides)
    GROUP BY window_start"""
