"""Each event with what is known of its user, ours. One event in ten is of one user.

$QANAT_BENCH_USERS_ARE: "reference": the users are read once, at the start; "source": they are a stream like the
events, and both sides are remembered.
"""

import os

import qanat as qn

FOLDER = os.environ["QANAT_BENCH_INPUT"]
USERS = os.environ["QANAT_BENCH_USERS"]

qn.source(
    "events",
    qn.files(f"{FOLDER}/*.jsonl"),
    format=qn.json(),
    schema="""event_id VARCHAR, user_id BIGINT, ts TIMESTAMP, country VARCHAR, price DECIMAL(10,2),
              url VARCHAR""",
)
if os.environ["QANAT_BENCH_USERS_ARE"] == "reference":
    qn.reference("users", f"{USERS}/*.parquet")
else:
    qn.source("users", qn.files(f"{USERS}/*.parquet"), format=qn.parquet())


@qn.materialized_view
def answer():
    return """
    SELECT e.event_id, e.user_id, e.ts, e.country, e.price, u.age, u.gender, u.segment, u.income, u.city
    FROM events e JOIN users u ON e.user_id = u.user_id"""
