"""The 22 queries of TPC-H as views, over inserts and deletes that come in interleaved slices.

A table of the benchmark is a view: rows that came, without those whose key came as deleted (an order's lines go with
it). Lines may come before their order, and deletes before what they delete.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import duckdb
import pytest
from incarnation import Lives
from plans import death
from rows import Row, Stream, load
from sizes import LARGE, sized
from statements import View
from tpch.generate import COLUMNS, KEYS, REFERENCES, Sizes, tables
from trial import File, Plan, Round, judge, report

FOLDER = Path(__file__).parent / "tpch"
SIZES = Sizes(6000, 900, 600, 80) if LARGE else Sizes(360, 60, 60, 20)
ROUNDS = sized(3, 5)
DELETED = 0.1
STATIC = ("part", "partsupp")  # inserts alone

COMING = {
    name: Stream(f"{name}_in", dict(c.split(" ", 1) for c in columns.split(", ")), {})
    for name, columns in COLUMNS.items()
}
GOING = {
    name: Stream(f"{name}_gone", {key: COMING[name].columns[key] for key in keys}, {})
    for name, keys in KEYS.items()
    if name not in STATIC and name != "lineitem"
}
LIVE = [View(name, f"SELECT * FROM {name}_in") for name in STATIC] + [
    View(name, f"SELECT * FROM {name}_in t ANTI JOIN {name}_gone d ON t.{KEYS[name][0]} = d.{KEYS[name][0]}")
    for name in GOING
]
LIVE.append(
    View("lineitem", "SELECT * FROM lineitem_in t ANTI JOIN orders_gone d ON t.l_orderkey = d.o_orderkey")
)
QUERIES = [View(path.stem, path.read_text().split("\n", 1)[1]) for path in sorted(FOLDER.glob("q*.sql"))]


def slices(rng: Random, rows: list[Row]) -> Iterator[list[Row]]:
    """As many as there are rounds, rows in any order."""
    rows = list(rows)
    rng.shuffle(rows)
    for number in range(ROUNDS):
        yield rows[number::ROUNDS]


def plan(seed: int) -> Plan:
    rng = Random(seed)
    files: list[list[File]] = [[] for _ in range(ROUNDS)]
    for name, rows in tables(SIZES, seed).items():
        for number, some in enumerate(slices(rng, rows)):
            half = len(some) // 2
            files[number] += [
                File(COMING[name], f"{number}-{i}.jsonl", part)
                for i, part in enumerate((some[:half], some[half:]))
            ]
        if name in GOING:
            keys = KEYS[name]
            gone = [{key: row[key] for key in keys} for row in rows if rng.random() < DELETED]
            for number, some in enumerate(slices(rng, gone)):
                files[number].append(File(GOING[name], f"{number}.jsonl", some))
    rounds = [Round(some, [death(rng)]) for some in files]
    bytes_max = sized(20_000, 400_000)
    return Plan([*COMING.values(), *GOING.values()], rounds, REFERENCES, bytes_max, sized(2, 10))


@pytest.mark.parametrize("seed", range(1, 1 + sized(1, 3)))
def test_tpch(lives: Lives, seed: int) -> None:
    problems = judge(lives, plan(seed), LIVE + QUERIES, LIVE + QUERIES)
    assert not problems, report(problems)


def test_every_answer_has_rows() -> None:
    assert len(QUERIES) == 22
    with duckdb.connect() as db:
        for name, sql in REFERENCES.items():
            db.execute(f"CREATE TABLE {name} AS {sql}")
        files = [file for each in plan(1).rounds for file in each.files]
        for stream in (*COMING.values(), *GOING.values()):
            rows = [row for file in files if file.stream is stream for row in file.rows]
            load(db, stream, rows)
        for view in LIVE:
            db.execute(f"CREATE VIEW {view.name} AS {view.sql}")
        for query in QUERIES:
            found = db.execute(query.sql).fetchall()
            assert found and any(value is not None for value in found[0]), query.name
