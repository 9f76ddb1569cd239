"""Rows for TPC-H's tables, tiny and deterministic, in domains that leave no query's answer empty.

Not TPC-H's own generator: the shapes are those of the specification, the values crowd where the queries look.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

Row = dict[str, Any]
COLUMNS = {
    "supplier": "s_suppkey BIGINT, s_name VARCHAR, s_address VARCHAR, s_nationkey INTEGER, s_phone VARCHAR, "
    "s_acctbal DECIMAL(15,2), s_comment VARCHAR",
    "part": "p_partkey BIGINT, p_name VARCHAR, p_mfgr VARCHAR, p_brand VARCHAR, p_type VARCHAR, p_size INTEGER, "
    "p_container VARCHAR, p_retailprice DECIMAL(15,2), p_comment VARCHAR",
    "partsupp": "ps_partkey BIGINT, ps_suppkey BIGINT, ps_availqty INTEGER, ps_supplycost DECIMAL(15,2), "
    "ps_comment VARCHAR",
    "customer": "c_custkey BIGINT, c_name VARCHAR, c_address VARCHAR, c_nationkey INTEGER, c_phone VARCHAR, "
    "c_acctbal DECIMAL(15,2), c_mktsegment VARCHAR, c_comment VARCHAR",
    "orders": "o_orderkey BIGINT, o_custkey BIGINT, o_orderstatus VARCHAR, o_totalprice DECIMAL(15,2), "
    "o_orderdate DATE, o_orderpriority VARCHAR, o_clerk VARCHAR, o_shippriority INTEGER, o_comment VARCHAR",
    "lineitem": "l_orderkey BIGINT, l_partkey BIGINT, l_suppkey BIGINT, l_linenumber INTEGER, "
    "l_quantity DECIMAL(15,2), l_extendedprice DECIMAL(15,2), l_discount DECIMAL(15,2), l_tax DECIMAL(15,2), "
    "l_returnflag VARCHAR, l_linestatus VARCHAR, l_shipdate DATE, l_commitdate DATE, l_receiptdate DATE, "
    "l_shipinstruct VARCHAR, l_shipmode VARCHAR, l_comment VARCHAR",
}
KEYS = {
    "supplier": ["s_suppkey"],
    "part": ["p_partkey"],
    "partsupp": ["ps_partkey", "ps_suppkey"],
    "customer": ["c_custkey"],
    "orders": ["o_orderkey"],
    "lineitem": ["l_orderkey"],  # all lines of an order go with it
}
_NATIONS = (
    "ALGERIA 0,ARGENTINA 1,BRAZIL 1,CANADA 1,EGYPT 4,ETHIOPIA 0,FRANCE 3,GERMANY 3,INDIA 2,INDONESIA 2,IRAN 4,IRAQ 4,"
    "JAPAN 2,JORDAN 4,KENYA 0,MOROCCO 0,MOZAMBIQUE 0,PERU 1,CHINA 2,ROMANIA 3,SAUDI ARABIA 4,VIETNAM 2,RUSSIA 3,"
    "UNITED KINGDOM 3,UNITED STATES 1"
)
REFERENCES = {
    "region": "SELECT * FROM (VALUES (0, 'AFRICA'), (1, 'AMERICA'), (2, 'ASIA'), (3, 'EUROPE'), (4, 'MIDDLE EAST')) "
    "r(r_regionkey, r_name)",
    "nation": "SELECT * FROM (VALUES "
    + ", ".join(
        f"({key}, '{name}', {region})"
        for key, (name, region) in enumerate(n.rsplit(" ", 1) for n in _NATIONS.split(","))
    )
    + ") n(n_nationkey, n_name, n_regionkey)",
}
# Nations, months and so on that the queries ask for come often.
_BUSY = [2, 3, 6, 7, 8, 20]
_SPANS = [
    ("1992-01-01", 2400),
    ("1993-07-01", 180),
    ("1993-10-01", 450),
    ("1994-12-15", 90),
    ("1995-07-01", 90),
    ("1995-11-15", 120),
]
_SIZES = [1, 2, 3, 4, 5, 9, 14, 15, 15, 19, 23, 36, 45, 49]
_COLOURS = ["green", "almond", "azure", "forest", "ivory", "linen", "plum", "red"]
_PRIORITIES = ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"]
_END = datetime.date(1995, 6, 17)


@dataclass(frozen=True)
class Sizes:
    orders: int
    customers: int
    parts: int
    suppliers: int


def _nation(rng: Random) -> int:
    return rng.choice(_BUSY) if rng.random() < 0.8 else rng.randrange(25)


def _money(rng: Random, low: int, high: int) -> Decimal:
    return Decimal(rng.randrange(low * 100, high * 100)) / 100


def _phone(rng: Random, nation: int) -> str:
    return f"{nation + 10}-{rng.randrange(100, 1000)}-{rng.randrange(100, 1000)}-{rng.randrange(1000, 10000)}"


def _supplier(rng: Random, key: int) -> Row:
    nation = _nation(rng)
    return {
        "s_suppkey": key,
        "s_name": f"Supplier#{key:09}",
        "s_address": f"street {key}",
        "s_nationkey": nation,
        "s_phone": _phone(rng, nation),
        "s_acctbal": _money(rng, -999, 9999),
        "s_comment": "the Customer has Complaints" if key % 7 == 3 else "carefully",
    }


def _part(rng: Random, key: int) -> Row:
    kind = f"{rng.choice(['STANDARD', 'SMALL', 'MEDIUM', 'PROMO'])} {rng.choice(['POLISHED', 'PLATED'])} "
    kind += rng.choice(["BRASS", "BRASS", "TIN", "STEEL"])
    return {
        "p_partkey": key,
        "p_name": " ".join(rng.sample(_COLOURS, 3)),
        "p_mfgr": f"Manufacturer#{1 + key % 5}",
        "p_brand": f"Brand#{rng.choice([12, 23, 23, 34, 45])}",
        "p_type": "ECONOMY ANODIZED STEEL" if key % 6 == 0 else kind,
        "p_size": rng.choice(_SIZES),
        "p_container": rng.choice(
            ["SM CASE", "SM BOX", "MED BOX", "MED BOX", "MED BAG", "LG CASE", "LG BOX"]
        ),
        "p_retailprice": _money(rng, 900, 2000),
        "p_comment": "final",
    }


def _partsupp(rng: Random, part: int, supplier: int) -> Row:
    return {
        "ps_partkey": part,
        "ps_suppkey": supplier,
        "ps_availqty": rng.randrange(1, 200),
        "ps_supplycost": _money(rng, 1, 1000),
        "ps_comment": "even",
    }


def _customer(rng: Random, key: int) -> Row:
    nation = _nation(rng)
    return {
        "c_custkey": key,
        "c_name": f"Customer#{key:09}",
        "c_address": f"road {key}",
        "c_nationkey": nation,
        "c_phone": _phone(rng, nation),
        "c_acctbal": _money(rng, -999, 9999),
        "c_mktsegment": rng.choice(["BUILDING", "BUILDING", "AUTOMOBILE", "MACHINERY"]),
        "c_comment": "quick",
    }


def _order(rng: Random, key: int, customers: int) -> Row:
    begin, days = rng.choice(_SPANS)
    date = datetime.date.fromisoformat(begin) + datetime.timedelta(rng.randrange(days))
    return {
        "o_orderkey": key,
        "o_custkey": rng.randrange(0, customers, 3) + rng.randrange(2),  # a third has no orders
        "o_orderstatus": "F" if date < _END else rng.choice("OP"),
        "o_totalprice": _money(rng, 900, 50000),
        "o_orderdate": date.isoformat(),
        "o_orderpriority": rng.choice(_PRIORITIES),
        "o_clerk": f"Clerk#{key % 10:09}",
        "o_shippriority": 0,
        "o_comment": "special packages requests" if key % 9 == 0 else "regular deposits",
    }


def _line(rng: Random, order: Row, number: int, is_big: bool, pairs: list[tuple[int, int]]) -> Row:
    part, supplier = rng.choice(pairs)
    ordered = datetime.date.fromisoformat(order["o_orderdate"])
    shipped = ordered + datetime.timedelta(rng.randrange(1, 122))
    committed = ordered + datetime.timedelta(rng.randrange(30, 91))
    received = shipped + datetime.timedelta(rng.randrange(1, 31))
    quantity = rng.randrange(44, 51) if is_big else rng.randrange(1, 51)
    return {
        "l_orderkey": order["o_orderkey"],
        "l_partkey": part,
        "l_suppkey": supplier,
        "l_linenumber": number,
        "l_quantity": Decimal(quantity),
        "l_extendedprice": quantity * _money(rng, 900, 2000),
        "l_discount": Decimal(rng.randrange(11)) / 100,
        "l_tax": Decimal(rng.randrange(9)) / 100,
        "l_returnflag": rng.choice("RA") if received <= _END else "N",
        "l_linestatus": "O" if shipped > _END else "F",
        "l_shipdate": shipped.isoformat(),
        "l_commitdate": committed.isoformat(),
        "l_receiptdate": received.isoformat(),
        "l_shipinstruct": rng.choice(["DELIVER IN PERSON", "DELIVER IN PERSON", "COLLECT COD", "NONE"]),
        "l_shipmode": rng.choice(["AIR", "AIR REG", "MAIL", "SHIP", "TRUCK"]),
        "l_comment": "slyly",
    }


def tables(sizes: Sizes, seed: int = 1) -> dict[str, list[Row]]:
    """All rows of all tables."""
    rng = Random(seed)
    suppliers = [_supplier(rng, key) for key in range(sizes.suppliers)]
    parts = [_part(rng, key) for key in range(sizes.parts)]
    pairs = [(p, s) for p in range(sizes.parts) for s in rng.sample(range(sizes.suppliers), 4)]
    orders = [_order(rng, key, sizes.customers) for key in range(sizes.orders)]
    lines = []
    for order in orders:
        is_big = order["o_orderkey"] % 20 == 0
        count = 7 if is_big else rng.randrange(1, 7)
        lines += [_line(rng, order, number, is_big, pairs) for number in range(1, count + 1)]
    return {
        "supplier": suppliers,
        "part": parts,
        "partsupp": [_partsupp(rng, p, s) for p, s in pairs],
        "customer": [_customer(rng, key) for key in range(sizes.customers)],
        "orders": orders,
        "lineitem": lines,
    }
