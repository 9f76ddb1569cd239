"""The tables that statements read, and rows for them: NULLs, duplicates, extremes, and one key that has most rows.

Rows are drawn from a ``random.Random``; hypothesis hands in one that it steers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

import duckdb
import pyarrow as pa

Row = dict[str, Any]


@dataclass(frozen=True)
class Stream:
    """A source of JSON lines and the table that takes all of it.

    ``columns`` are the table's. A column of ``wire`` has another type in the source, which the table's statement casts:
    JSON has no number for NaN.
    """

    name: str
    columns: dict[str, str]
    wire: dict[str, str]

    @property
    def source(self) -> str:
        return f"{self.name}_in"

    @property
    def schema(self) -> str:
        return ", ".join(f'"{name}" {self.wire.get(name, kind)}' for name, kind in self.columns.items())

    @property
    def sql(self) -> str:
        casts = (f'"{n}"::{k} AS "{n}"' if n in self.wire else f'"{n}"' for n, k in self.columns.items())
        return f"SELECT {', '.join(casts)} FROM {self.source}"


EVENTS = Stream(
    "events",
    {
        "seq": "BIGINT",  # rows of equal seq are equal altogether
        "op": "VARCHAR",
        "id": "BIGINT",  # of few values: many rows change one
        "k": "VARCHAR",  # skewed
        "g": "INTEGER",
        "v": "BIGINT",
        "big": "BIGINT",
        "d": "DECIMAL(12,2)",
        "e": "DECIMAL(38,10)",
        "f": "DOUBLE",  # quarters: sums are exact in any order
        "x": "DOUBLE",  # NaN, infinities, -0.0: not to be added
        "ts": "TIMESTAMP",
        "tx": "TIMESTAMP",
        "dt": "DATE",
        "b": "BOOLEAN",
        "tags": "VARCHAR[]",
        "pt": "STRUCT(a INTEGER, b VARCHAR)",
        "doc": "VARCHAR",
    },
    {"x": "VARCHAR"},
)
ORDERS = Stream(
    "orders",
    {
        "seq": "BIGINT",
        "op": "VARCHAR",
        "id": "BIGINT",
        "k": "VARCHAR",
        "g": "INTEGER",
        "amount": "DECIMAL(12,2)",
        "n": "INTEGER",
        "ts": "TIMESTAMP",
        "note": "VARCHAR",
    },
    {},
)
STREAMS = (EVENTS, ORDERS)

# Read whole at the start.
REFERENCES = {
    "ref": "SELECT * FROM (VALUES ('hot', 0, 'Hot', 0::BIGINT, 20::BIGINT), ('hot', 1, 'Hotter', 10, 30), "
    "('a', 1, 'Anna', 15, 15), ('ü', 2, 'Über', 40, 90), ('日本', NULL, NULL, -100, 5), "
    "(NULL, 3, 'nobody', 95, 1000), ('unseen', 7, 'Never', NULL, NULL)) x(k, g, label, lo, hi)",
    "orders_r": "SELECT i AS seq, CASE WHEN i % 5 = 0 THEN 'd' ELSE 'u' END AS op, nullif(i * 7 % 13, 12) AS id, "
    "['hot', 'a', 'ü', NULL, '日本', 'hot', ''][1 + i % 7] AS k, nullif(i % 6, 5)::INTEGER AS g, "
    "(i * 37 % 100 - 40.25)::DECIMAL(12,2) AS amount, (i * 31 % 101)::INTEGER AS n, "
    "TIMESTAMP '2024-03-01 10:00:00' + INTERVAL 4 MINUTE * i AS ts, 'note ' || i AS note FROM range(30) r(i)",
}

_KEYS = ["hot", "a", "b", "", "ü", "日本", "a/b=c%d e", "null", "🍐", "'\"\\", "\u2028", "A"]
_BIG = [2**63 - 1, -(2**63), 0, -1, 10**15]
_WILD = ["nan", "inf", "-inf", "-0.0", "0.0", "1e308", "-1e308", "5e-324", "1.5", "-2.25", "0.1"]
_EXACT = [Decimal(f"{n}e-10") for n in (10**38 - 1, 1 - 10**38, 0, 1, -1, 10**10)]
_TIMES = [
    "0001-01-01 00:00:00",
    "1969-12-31 23:59:59.999999",
    "1970-01-01 00:00:00",
    "2024-02-29 12:00:00.000001",
    "9999-12-31 23:59:59.999999",
]


def _key(rng: Random) -> str:
    return "hot" if rng.random() < 0.4 else rng.choice(_KEYS)


def _time(rng: Random) -> str:
    """Within two hours, a few at the same moment."""
    second = rng.randrange(0, 7200, rng.choice([1, 60]))
    return f"2024-03-01 {10 + second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"


def _event(rng: Random, seq: int, ids: int) -> Row:
    return {
        "seq": seq,
        "op": rng.choice("uuud"),
        "id": rng.randrange(ids),
        "k": _key(rng),
        "g": rng.randrange(5),
        "v": rng.randrange(-5, 100),
        "big": rng.choice(_BIG) if rng.random() < 0.5 else rng.randrange(-1000, 1000),
        "d": Decimal(rng.randrange(-20000, 20000)) / 100,
        "e": rng.choice(_EXACT),
        "f": rng.randrange(-400, 400) / 4,
        "x": rng.choice(_WILD),
        "ts": _time(rng),
        "tx": rng.choice(_TIMES),
        "dt": f"2024-0{rng.randrange(1, 4)}-{rng.randrange(1, 8):02}",
        "b": rng.random() < 0.5,
        "tags": [None if rng.random() < 0.1 else rng.choice(_KEYS) for _ in range(rng.randrange(4))],
        "pt": {"a": rng.choice([None, 1, 2]), "b": rng.choice([None, "x", "ü"])},
        "doc": json.dumps({"kind": rng.choice("xyz"), "n": rng.randrange(9), "list": [rng.randrange(3)] * 2}),
    }


def _order(rng: Random, seq: int, ids: int) -> Row:
    return {
        "seq": seq,
        "op": rng.choice("uuud"),
        "id": rng.randrange(ids + 2),
        "k": _key(rng),
        "g": rng.randrange(5),
        "amount": Decimal(rng.randrange(-5000, 20000)) / 100,
        "n": rng.randrange(100),
        "ts": _time(rng),
        "note": rng.choice(["", "x", "paid", "日本", None]),
    }


def row(stream: Stream, seed: int, seq: int, ids: int) -> Row:
    """The row of that number; in some places NULL."""
    rng = Random(f"{seed} {stream.name} {seq}")
    made = _event(rng, seq, ids) if stream is EVENTS else _order(rng, seq, ids)
    for name in made:
        if name not in ("seq", "op") and rng.random() < 0.07:
            made[name] = None
    return made


def numbers(rng: Random, count: int, first: int) -> list[int]:
    """Numbers of so many rows from ``first`` on, in no order; some come twice, some of earlier ones again."""
    drawn = list(range(first, first + count))
    drawn += [rng.randrange(first + count) for _ in range(count // 10)]
    rng.shuffle(drawn)
    return drawn


def line(values: Row) -> str:
    """A row as a line of JSON; NULL is left out now and then."""
    members = []
    for number, (name, value) in enumerate(values.items()):
        if value is None and number % 2:
            continue
        text = format(value, "f") if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
        members.append(f'"{name}": {text}')
    return "{" + ", ".join(members) + "}"


def text(value: Any) -> str | None:
    """A value as a text that ``cast`` takes exactly."""
    if value is None or isinstance(value, str):
        return value
    return format(value, "f") if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)


def cast(column: str, kind: str) -> str:
    nested = kind.endswith("[]") or kind.startswith("STRUCT")
    return f'CAST("{column}"{"::JSON" if nested else ""} AS {kind})'


def columns(stream: Stream) -> str:
    """The table's columns in SQL."""
    return ", ".join(f'"{name}" {kind}' for name, kind in stream.columns.items())


def load(db: duckdb.DuckDBPyConnection, stream: Stream, rows: list[Row]) -> None:
    """Adds rows to DuckDB's table of the stream, which it makes; no reader of JSON takes part."""
    names = list(stream.columns)
    given = pa.table({n: pa.array([text(row[n]) for row in rows], pa.string()) for n in names})
    db.register("given", given)
    db.execute(f"CREATE TABLE IF NOT EXISTS {stream.name} ({columns(stream)})")
    casts = ", ".join(cast(n, kind) for n, kind in stream.columns.items())
    db.execute(f"INSERT INTO {stream.name} SELECT {casts} FROM given")
    db.unregister("given")
