"""A query out of a number: joins, aggregates, filters, windows and set operations over the tables of rows.py.

A query is built inside out. Each step is tried with DuckDB over a sample; a step that does not bind, or whose answer
is too large, is left out. Doubles that depend on the order of addition are made by the last step alone, where nothing
is sorted, joined or compared by them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

import duckdb
from rows import REFERENCES, STREAMS, load, row
from statements import CHANGING

SAMPLE = 80
ROWS_MAX = 2500
Columns = dict[str, str]  # name → kind: int, num, text, time, flag

_BASES: dict[str, Columns] = {
    "events": {
        "seq": "int",
        "id": "int",
        "k": "text",
        "g": "int",
        "v": "int",
        "d": "num",
        "ts": "time",
        "b": "flag",
    },
    "orders": {"seq": "int", "id": "int", "k": "text", "g": "int", "n": "int", "amount": "num", "ts": "time"},
    "ref": {"k": "text", "g": "int", "label": "text", "lo": "int", "hi": "int"},
}
_BASES |= {"events_v": _BASES["events"], "orders_v": _BASES["orders"]}
_CONSTANTS = {
    "int": ["0", "1", "3", "20", "50"],
    "num": ["0", "10.5", "-20.25", "100"],
    "text": ["'hot'", "'a'", "'ü'", "''"],
    "time": ["TIMESTAMP '2024-03-01 10:30:00'", "TIMESTAMP '2024-03-01 11:15:00'"],
    "flag": ["true", "false"],
}


def sample() -> duckdb.DuckDBPyConnection:
    """A database with some rows in every table."""
    db = duckdb.connect()
    db.execute("SET threads = 1")
    for name, sql in REFERENCES.items():
        db.execute(f"CREATE TABLE {name} AS {sql}")
    for stream in STREAMS:
        load(
            db,
            stream,
            [row(stream, 11, n, SAMPLE // 3) for n in range(SAMPLE if stream is STREAMS[0] else SAMPLE // 2)],
        )
    for view in CHANGING:
        db.execute(f"CREATE TABLE {view.name} AS {view.sql}")
    return db


@dataclass
class Query:
    sql: str
    columns: Columns


@dataclass
class Builder:
    """Makes one query."""

    rng: Random
    db: duckdb.DuckDBPyConnection
    used: list[str] = field(default_factory=list)  # steps that were taken
    _names: int = 0

    def query(self) -> str:
        built = self._relation(self.rng.randint(1, 4))
        if self.rng.random() < 0.4:
            built = self._step(built, "last_aggregate", self._last_aggregate)
        return built.sql

    # ---- small choices ----

    def _name(self, prefix: str = "c") -> str:
        self._names += 1
        return f"{prefix}{self._names}"

    def _column(self, columns: Columns, *kinds: str) -> str:
        fitting = [name for name, kind in columns.items() if not kinds or kind in kinds]
        return self.rng.choice(fitting or list(columns))

    def _some(self, columns: Columns, low: int, high: int) -> list[str]:
        names = list(columns)
        return self.rng.sample(names, min(len(names), self.rng.randint(low, high)))

    def _condition(self, columns: Columns) -> str:
        a = self._column(columns)
        kind = columns[a]
        constant = self.rng.choice(_CONSTANTS[kind])
        same = [name for name, other in columns.items() if other == kind and name != a]
        choices = [
            f"{a} > {constant}",
            f"{a} <= {constant}",
            f"{a} <> {constant}",
            f"{a} IS NULL",
            f"{a} IS NOT DISTINCT FROM {constant}",
            f"{a} IN ({', '.join(_CONSTANTS[kind][:2])})",
            f"NOT ({a} < {constant})",
        ]
        if same:
            choices += [f"{a} < {self.rng.choice(same)}", f"{a} = {self.rng.choice(same)}"]
        first = self.rng.choice(choices)
        if self.rng.random() < 0.3:
            return f"({first} {self.rng.choice(['AND', 'OR'])} {self._condition(columns)})"
        return first

    def _value(self, columns: Columns) -> tuple[str, str]:
        """An expression and its kind."""
        a = self._column(columns)
        kind = columns[a]
        by_kind = {
            "int": [(f"{a} + 1", "int"), (f"{a} % 5", "int"), (f"-{a}", "int"), (f"{a} > 10", "flag")],
            "num": [(f"{a} + 1", "num"), (f"abs({a})", "num"), (f"round({a})::BIGINT", "int")],
            "text": [(f"upper({a})", "text"), (f"{a} || 'x'", "text"), (f"length({a})", "int")],
            "time": [
                (f"date_trunc('minute', {a})", "time"),
                (f"time_bucket(INTERVAL 15 MINUTE, {a})", "time"),
            ],
            "flag": [(f"NOT {a}", "flag"), (f"{a}::INTEGER", "int")],
        }[kind]
        constant = self.rng.choice(_CONSTANTS[kind])
        by_kind += [
            (f"coalesce({a}, {constant})", kind),
            (f"CASE WHEN {self._condition(columns)} THEN {a} ELSE {constant} END", kind),
            (f"nullif({a}, {constant})", kind),
        ]
        return self.rng.choice(by_kind)

    def _aggregate_of(self, columns: Columns) -> tuple[str, str]:
        a = self._column(columns)
        kind = columns[a]
        choices = [
            ("count(*)", "int"),
            (f"count({a})", "int"),
            (f"count(DISTINCT {a})", "int"),
            (f"min({a})", kind),
            (f"max({a})", kind),
        ]
        number = self._column(columns, "int", "num")
        if columns[number] in ("int", "num"):
            cast = "::BIGINT" if columns[number] == "int" else ""
            choices += [
                (f"sum({number}){cast}", columns[number]),
                (f"sum(DISTINCT {number}){cast}", columns[number]),
            ]
        if kind == "flag":
            choices += [(f"bool_or({a})", "flag"), (f"bool_and({a})", "flag")]
        if kind in ("int", "num"):
            choices += [(f"quantile_disc({a}, 0.5)", kind)]
        text, result = self.rng.choice(choices)
        if self.rng.random() < 0.25 and "::" not in text:
            text += f" FILTER (WHERE {self._condition(columns)})"
        return text, result

    # ---- steps ----

    def _step(self, before: Query, name: str, make: Callable[[Query], Query]) -> Query:
        after = make(before)
        try:
            counted = self.db.execute(f"SELECT count(*) FROM ({after.sql})").fetchone()
        except duckdb.Error:
            return before
        if counted is None or counted[0] > ROWS_MAX:
            return before
        self.used.append(name)
        return after

    def _relation(self, depth: int) -> Query:
        if depth == 0:
            return self._base()
        name = self.rng.choice(list(STEPS))
        return self._step(self._relation(depth - 1), name, lambda before: STEPS[name](self, before, depth))

    def _base(self) -> Query:
        table = self.rng.choice(["events", "events", "orders", "events_v", "events_v", "orders_v", "ref"])
        kept = self._some(_BASES[table], 3, 5)
        names = {name: self._name() for name in kept}
        listed = ", ".join(f"{old} AS {new}" for old, new in names.items())
        return Query(f"SELECT {listed} FROM {table}", {names[n]: _BASES[table][n] for n in kept})

    def _filter(self, q: Query, depth: int) -> Query:
        return Query(f"SELECT * FROM ({q.sql}) WHERE {self._condition(q.columns)}", q.columns)

    def _project(self, q: Query, depth: int) -> Query:
        kept = self._some(q.columns, 1, 3)
        listed, columns = list(kept), {name: q.columns[name] for name in kept}
        for _ in range(self.rng.randint(1, 2)):
            text, kind = self._value(q.columns)
            name = self._name()
            listed.append(f"{text} AS {name}")
            columns[name] = kind
        return Query(f"SELECT {', '.join(listed)} FROM ({q.sql})", columns)

    def _equal(self, left: Columns, right: Columns) -> str:
        pairs = [
            (a, b)
            for a, kind in left.items()
            for b, other in right.items()
            if kind == other and kind != "flag"
        ]
        if not pairs:
            return "true"
        sign = "IS NOT DISTINCT FROM" if self.rng.random() < 0.1 else "="
        chosen = self.rng.sample(pairs, min(len(pairs), self.rng.choice([1, 1, 2])))
        return " AND ".join(f"l.{a} {sign} r.{b}" for a, b in chosen)

    def _join(self, q: Query, depth: int) -> Query:
        other = self._relation(self.rng.randrange(depth))
        on = self._equal(q.columns, other.columns)
        kind = self.rng.choice(["INNER", "INNER", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI"])
        if self.rng.random() < 0.25:
            on += f" AND {self._condition(q.columns | other.columns)}"
        columns = q.columns if kind in ("SEMI", "ANTI") else q.columns | other.columns
        return Query(f"SELECT * FROM ({q.sql}) l {kind} JOIN ({other.sql}) r ON {on}", columns)

    def _subquery(self, q: Query, depth: int) -> Query:
        other = self._relation(self.rng.randrange(depth))
        pairs = [(a, b) for a, kind in q.columns.items() for b, o in other.columns.items() if kind == o]
        if not pairs:
            return self._filter(q, depth)
        a, b = self.rng.choice(pairs)
        condition = self.rng.choice(
            [
                f"{a} IN (SELECT {b} FROM ({other.sql}))",
                f"{a} NOT IN (SELECT {b} FROM ({other.sql}) WHERE {b} IS NOT NULL)",
                f"{a} NOT IN (SELECT {b} FROM ({other.sql}))",
                f"EXISTS (SELECT 1 FROM ({other.sql}) WHERE {a} = {b})",
                f"NOT EXISTS (SELECT 1 FROM ({other.sql}) WHERE {a} = {b})",
                f"{a} >= (SELECT min({b}) FROM ({other.sql}))",
                f"{a} < (SELECT max({b}) FROM ({other.sql}))",
            ]
        )
        return Query(f"SELECT * FROM ({q.sql}) WHERE {condition}", q.columns)

    def _aggregate(self, q: Query, depth: int) -> Query:
        keys = self._some(q.columns, 0, 2)
        columns = {key: q.columns[key] for key in keys}
        listed = list(keys)
        for _ in range(self.rng.randint(1, 3)):
            text, kind = self._aggregate_of(q.columns)
            name = self._name()
            listed.append(f"{text} AS {name}")
            columns[name] = kind
        group = f" GROUP BY {', '.join(keys)}" if keys else ""
        if keys and self.rng.random() < 0.15:
            group = f" GROUP BY ROLLUP ({', '.join(keys)})"
        having = f" HAVING count(*) > {self.rng.randint(1, 3)}" if keys and self.rng.random() < 0.2 else ""
        return Query(f"SELECT {', '.join(listed)} FROM ({q.sql}){group}{having}", columns)

    def _distinct(self, q: Query, depth: int) -> Query:
        kept = self._some(q.columns, 1, 3)
        return Query(f"SELECT DISTINCT {', '.join(kept)} FROM ({q.sql})", {n: q.columns[n] for n in kept})

    def _set(self, q: Query, depth: int) -> Query:
        other = self._relation(self.rng.randrange(depth))
        free = dict(other.columns)
        left, right = [], []
        for name, kind in q.columns.items():
            match = next((n for n, k in free.items() if k == kind), None)
            if match is not None:
                left.append(name)
                right.append(match)
                free.pop(match)
        if not left:
            return self._distinct(q, depth)
        operation = self.rng.choice(
            ["UNION", "UNION ALL", "EXCEPT", "EXCEPT ALL", "INTERSECT", "INTERSECT ALL"]
        )
        sql = f"SELECT {', '.join(left)} FROM ({q.sql}) {operation} SELECT {', '.join(right)} FROM ({other.sql})"
        return Query(f"SELECT * FROM ({sql})", {name: q.columns[name] for name in left})

    def _window(self, q: Query, depth: int) -> Query:
        """One order, of all columns: rows that tie are equal, so that it does not matter which is first."""
        keys = self._some(q.columns, 0, 1)
        partition = f"PARTITION BY {', '.join(keys)} " if keys else ""
        order = ", ".join(f"{name} {self.rng.choice(['', 'DESC '])}NULLS LAST" for name in q.columns)
        a = self._column(q.columns)
        number = self._column(q.columns, "int")
        choices = [
            ("row_number()", "int"),
            ("rank()", "int"),
            (f"lag({a})", q.columns[a]),
            (f"lead({a})", q.columns[a]),
            (f"first_value({a})", q.columns[a]),
            (f"count({a})", "int"),
            (f"max({a})", q.columns[a]),
        ]
        if q.columns[number] == "int":
            choices.append((f"sum({number})::BIGINT", "int"))
        text, kind = self.rng.choice(choices)
        frame = ""
        if text.startswith(("count", "max")) and self.rng.random() < 0.4:
            frame = " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW"
        function, _, cast = text.partition("::")
        over = f"{function} OVER ({partition}ORDER BY {order}{frame}){'::' + cast if cast else ''}"
        name = self._name()
        return Query(f"SELECT *, {over} AS {name} FROM ({q.sql})", q.columns | {name: kind})

    def _qualify(self, q: Query, depth: int) -> Query:
        key = self._column(q.columns)
        order = ", ".join(q.columns)
        sql = f"SELECT * FROM ({q.sql}) QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {order}) <= 2"
        return Query(sql, q.columns)

    def _top(self, q: Query, depth: int) -> Query:
        order = ", ".join(f"{name}{self.rng.choice(['', ' DESC'])} NULLS FIRST" for name in q.columns)
        offset = f" OFFSET {self.rng.randint(1, 4)}" if self.rng.random() < 0.3 else ""
        return Query(
            f"SELECT * FROM (SELECT * FROM ({q.sql}) ORDER BY {order} LIMIT {self.rng.randint(1, 12)}{offset})",
            q.columns,
        )

    def _scalar(self, q: Query, depth: int) -> Query:
        other = self._relation(self.rng.randrange(depth))
        text, kind = self._aggregate_of(other.columns)
        name = self._name()
        return Query(
            f"SELECT *, (SELECT {text} FROM ({other.sql})) AS {name} FROM ({q.sql})", q.columns | {name: kind}
        )

    def _twice(self, q: Query, depth: int) -> Query:
        """The same relation on both sides of a join."""
        key = self._column(q.columns)
        other = self._column(q.columns)
        w, name = self._name("w"), self._name()
        sql = (
            f"WITH {w} AS ({q.sql}) SELECT l.*, r.{name} FROM {w} l JOIN (SELECT {key} AS {key}_, max({other}) AS {name} "
            f"FROM {w} GROUP BY {key}) r ON l.{key} = r.{key}_"
        )
        return Query(f"SELECT * FROM ({sql})", q.columns | {name: q.columns[other]})

    def _last_aggregate(self, q: Query) -> Query:
        key = self._column(q.columns)
        number = self._column(q.columns, "int", "num")
        if q.columns[number] not in ("int", "num"):
            return q
        texts = [
            f"avg({number}) AS m",
            f"stddev_pop({number}::DOUBLE) AS s",
            f"median({number}) AS q",
            "count(*) AS n",
        ]
        listed = ", ".join(self.rng.sample(texts, 3))
        return Query(f"SELECT {key}, {listed} FROM ({q.sql}) GROUP BY {key}", {key: q.columns[key]})


STEPS: dict[str, Callable[[Builder, Query, int], Query]] = {
    "filter": Builder._filter,
    "project": Builder._project,
    "join": Builder._join,
    "subquery": Builder._subquery,
    "aggregate": Builder._aggregate,
    "distinct": Builder._distinct,
    "set": Builder._set,
    "window": Builder._window,
    "qualify": Builder._qualify,
    "top": Builder._top,
    "scalar": Builder._scalar,
    "twice": Builder._twice,
}


def query(seed: int, db: duckdb.DuckDBPyConnection) -> tuple[str, list[str]]:
    """The query of that number, and the steps that made it."""
    builder = Builder(Random(seed), db)
    return builder.query(), builder.used
