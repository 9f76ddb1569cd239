"""Orders of a small shop: from JSON lines to clean tables. Run it with:  qanat run"""

import qanat as qn

# Where rows come from. New files in the folder are found, also while the pipeline runs; each is read once.
qn.source(
    "orders_raw",
    qn.files("data/orders/*.jsonl"),
    format=qn.json(),
    schema="""
        order_id BIGINT NOT NULL, ts TIMESTAMP NOT NULL, customer VARCHAR, product VARCHAR,
        quantity INTEGER, price DECIMAL(10, 2)
    """,
    event_time="ts",
)

# A bounded input that SQL joins; read whole when a run starts.
qn.reference("products", "data/products.csv")


# Rules. A row that breaks one is set aside with its bytes (quarantine), left out (drop), or counted (expect).
@qn.expect_or_quarantine("has_customer", "customer IS NOT NULL")
@qn.expect_or_quarantine("fair_price", "price > 0")
@qn.expect_or_drop("not_a_test", "customer <> 'test'")
@qn.expect("small_order", "quantity <= 10")
@qn.table(partition_cols=["day"])
def orders():
    """Valid orders, one row each."""
    return "SELECT *, quantity * price AS amount, ts::DATE AS day FROM orders_raw"


@qn.table
def orders_named():
    """Orders with the name and the group of their product."""
    return """
        SELECT o.*, p.name, p."group"
        FROM orders o LEFT JOIN products p ON p.product = o.product
    """


@qn.materialized_view
def revenue():
    """Revenue a day and product group: always equal to this query over all orders so far."""
    return """
        SELECT day, "group", count(*) AS orders, sum(amount) AS revenue
        FROM orders_named GROUP BY day, "group"
    """
