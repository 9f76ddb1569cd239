"""Types of columns with their extremes, and statements over two columns of any type."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st


@dataclass(frozen=True)
class Kind:
    """``is_text``: the source has texts, which the table's statement casts."""

    values: st.SearchStrategy[Any]
    is_text: bool = False


def _whole(bits: int) -> Kind:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    return Kind(st.integers(-3, 3) | st.sampled_from([low, high]))


def _decimal(digits: int, scale: int) -> Kind:
    top = 10**digits - 1
    numbers = st.integers(-5, 5) | st.sampled_from([top, -top]) | st.integers(-top, top)
    return Kind(numbers.map(lambda n: Decimal(f"{n}e-{scale}")))


_TEXTS = st.sampled_from(
    ["", "a", "A", "ü", "u\u0308", "日本", "🍐🍐🍐", "\x00", "null", "'\"\\", "\u2028", "a" * 40]
)
_DOUBLES = ["nan", "inf", "-inf", "0.0", "-0.0", "1e308", "5e-324", "0.1", "-1.5"]
_TIMES = st.sampled_from(["0001-01-01 00:00:00", "1969-12-31 23:59:59.999999", "9999-12-31 23:59:59.999999"])

KINDS: dict[str, Kind] = {
    "BOOLEAN": Kind(st.booleans()),
    "TINYINT": _whole(8),
    "SMALLINT": _whole(16),
    "INTEGER": _whole(32),
    "BIGINT": _whole(64),
    "FLOAT": Kind(
        st.sampled_from(["nan", "inf", "-inf", "0.0", "-0.0", "3.4e38", "1.5", "-2.25"]), is_text=True
    ),
    "DOUBLE": Kind(st.sampled_from(_DOUBLES), is_text=True),
    "DECIMAL(4,1)": _decimal(4, 1),
    "DECIMAL(9,3)": _decimal(9, 3),
    "DECIMAL(18,0)": _decimal(18, 0),
    "DECIMAL(18,18)": _decimal(18, 18),
    "DECIMAL(38,10)": _decimal(38, 10),
    "DECIMAL(38,0)": _decimal(38, 0),
    "VARCHAR": Kind(_TEXTS | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)),
    "BLOB": Kind(st.sampled_from(["", "a", "\\x00", "\\xFF\\xFE", "\\xC3\\xBC"]), is_text=True),
    "DATE": Kind(
        st.sampled_from(["0001-01-01", "1970-01-01", "9999-12-31"])
        | st.dates(datetime.date(2024, 2, 27), datetime.date(2024, 3, 2)).map(str)
    ),
    "TIMESTAMP": Kind(_TIMES | st.datetimes(datetime.datetime(1900, 1, 1)).map(lambda t: t.isoformat(" "))),
    "TIMESTAMP WITH TIME ZONE": Kind(_TIMES.map(lambda t: t + "+00"), is_text=True),
    "VARCHAR[]": Kind(st.lists(st.none() | _TEXTS, max_size=2)),
    "BIGINT[]": Kind(st.lists(st.none() | st.integers(-2, 2), max_size=3)),
    "STRUCT(a INTEGER, b VARCHAR)": Kind(
        st.fixed_dictionaries({"a": st.none() | st.integers(0, 1), "b": st.none() | _TEXTS})
    ),
    "STRUCT(l DOUBLE[], s STRUCT(x DATE))": Kind(
        st.fixed_dictionaries(
            {
                "l": st.none() | st.lists(st.sampled_from([0.5, -1.5]), max_size=2),
                "s": st.fixed_dictionaries({"x": st.none() | st.just("2024-02-29")}),
            }
        )
    ),
}

# Inputs that take rows back: what is left of t without the rows of u, and groups of t that shrink.
TEMPLATES = {
    "v_left": "SELECT n, p, q FROM t EXCEPT ALL SELECT n, p, q FROM u",
    "v_newest": "SELECT * FROM t QUALIFY dense_rank() OVER (PARTITION BY p ORDER BY n DESC NULLS LAST) = 1",
    "v_groups": "SELECT p, count(*) AS c, min(q) AS q0, max(q) AS q1 FROM t GROUP BY p",
    "s_groups": "SELECT p, q, count(*) AS c, sum(n) AS s FROM t GROUP BY p, q",
    "s_distinct_counts": "SELECT p, count(q) AS c, count(DISTINCT q) AS d FROM t GROUP BY p",
    "s_total": "SELECT count(*) AS c, min(p) AS p0, max(p) AS p1, min(q) AS q0, max(q) AS q1 FROM t",
    "s_distinct": "SELECT DISTINCT p, q FROM t",
    "s_union": "SELECT p, q FROM t UNION SELECT p, q FROM u",
    "s_except": "SELECT p FROM t EXCEPT SELECT p FROM u",
    "s_intersect_all": "SELECT p, q FROM t INTERSECT ALL SELECT p, q FROM u",
    "s_join": "SELECT t.n, u.n AS m, t.p FROM t JOIN u ON t.p = u.p",
    "s_join_two": "SELECT t.n, u.n AS m, t.q FROM t JOIN u ON t.p = u.p AND t.q IS NOT DISTINCT FROM u.q",
    "s_left": "SELECT t.n, t.p, u.q FROM t LEFT JOIN u ON t.p = u.p AND t.n < u.n",
    "s_full": "SELECT t.p AS a, u.p AS b, t.q FROM t FULL JOIN u ON t.p = u.p",
    "s_semi": "SELECT * FROM t WHERE p IN (SELECT p FROM u)",
    "s_anti": "SELECT * FROM t ANTI JOIN u ON t.p = u.p AND t.q = u.q",
    "s_not_in": "SELECT n, p FROM t WHERE p NOT IN (SELECT p FROM u WHERE n > 0)",
    "s_window": "SELECT p, q, rank() OVER (PARTITION BY p ORDER BY q NULLS LAST, n) AS r FROM t",
    "s_top": "SELECT p, q, n FROM t ORDER BY p NULLS FIRST, q, n LIMIT 4",
    "s_list": "SELECT p, list(q ORDER BY q NULLS LAST) AS l FROM t GROUP BY p",
    "s_newest": "SELECT n, arg_max(p, (p, q)) AS a FROM t WHERE p IS NOT NULL GROUP BY n",
    "w_groups": "SELECT q, count(*) AS c, min(p) AS p0, max(p) AS p1 FROM v_left GROUP BY q",
    "w_of_groups": "SELECT c, count(*) AS g, count(DISTINCT q0) AS d, max(q1) AS q1 FROM v_groups GROUP BY c",
    "w_distinct": "SELECT DISTINCT p FROM v_left",
    "w_union": "SELECT p, q FROM v_left UNION SELECT p, q0 FROM v_groups",
    "w_except_all": "SELECT p, q FROM v_left EXCEPT ALL SELECT p, q FROM v_newest",
    "w_join": "SELECT l.n, r.n AS m, l.p FROM v_left l JOIN v_newest r ON l.p = r.p",
    "w_full": "SELECT l.n, r.c, r.p FROM v_left l FULL JOIN v_groups r ON l.p = r.p AND l.q = r.q1",
    "w_anti": "SELECT * FROM v_groups g WHERE NOT EXISTS (SELECT 1 FROM v_left l WHERE l.p = g.p AND l.q = g.q0)",
    "w_not_in": "SELECT n, q FROM v_left WHERE q NOT IN (SELECT q1 FROM v_groups WHERE c > 1)",
    "w_window": "SELECT q, n, dense_rank() OVER (PARTITION BY q ORDER BY p, n) AS r FROM v_left",
    "w_top": "SELECT q1, p, c FROM v_groups ORDER BY q1 DESC NULLS LAST, p NULLS LAST LIMIT 2",
    "w_total": "SELECT count(*) AS c, min(q0) AS q0, max(q1) AS q1, sum(c) AS s FROM v_groups",
}
