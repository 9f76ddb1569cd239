"""Sessions, ours: a user's events without a pause of more than 30 minutes."""

import os

import qanat as qn

FOLDER = os.environ["QANAT_BENCH_INPUT"]

qn.source(
    "events",
    qn.files(f"{FOLDER}/*.jsonl"),
    format=qn.json(),
    schema="""event_id VARCHAR, user_id BIGINT, ts TIMESTAMP, country VARCHAR, price DECIMAL(10,2),
              url VARCHAR""",
)


# Rows of one time are peers in the frame of sum(…), so they are in one session, whatever their order.
@qn.materialized_view
def answer():
    return """
    WITH marked AS (
      SELECT user_id, ts, price,
        ts - lag(ts) OVER (PARTITION BY user_id ORDER BY ts) <= INTERVAL 30 MINUTE AS goes_on
      FROM events),
    numbered AS (
      SELECT user_id, ts, price,
        sum(CASE WHEN goes_on THEN 0 ELSE 1 END) OVER (PARTITION BY user_id ORDER BY ts) AS session
      FROM marked)
    SELECT user_id, min(ts) AS session_start, max(ts) AS session_end, count(*) AS events,
      sum(price) AS revenue
    FROM numbered
    GROUP BY user_id, session"""
