"""Views over purchases, ours.

$QANAT_BENCH_VARIANT: "histogram": how many customers have bought how often: every customer is remembered, the
answer is a few rows. "customers": what each has bought: the answer has a row a customer.
"""

import os

import qanat as qn

FOLDER = os.environ["QANAT_BENCH_INPUT"]
CUSTOMERS = (
    "SELECT customer, count(*) AS purchases, sum(amount)::BIGINT AS amount FROM purchases GROUP BY customer"
)

qn.source(
    "purchases",
    qn.files(f"{FOLDER}/*.jsonl"),
    format=qn.json(),
    schema="id BIGINT, customer BIGINT, amount BIGINT",
)


@qn.materialized_view
def answer():
    if os.environ["QANAT_BENCH_VARIANT"] == "customers":
        return CUSTOMERS
    return f"""
    SELECT purchases, count(*) AS customers, sum(amount)::BIGINT AS amount
    FROM ({CUSTOMERS})
    GROUP BY purchases"""
