"""Every hand-written statement, over streams, over views that change, and over both, through steps and crashes.

`pytest tests/oracle/test_statements.py -k joins`; QANAT_STATEMENTS=asof takes those whose names match.
"""

from __future__ import annotations

import os
import re
from random import Random

import compare
import duckdb
import pytest
from incarnation import Lives
from plans import Size, plan
from rows import REFERENCES, STREAMS, load, row
from sizes import LARGE, sized
from statements import FOLDER, Statement, View, groups, read, statements, variants, with_needed
from trial import judge, report

PART = 24  # statements of one pipeline
CHOSEN = re.compile(os.environ.get("QANAT_STATEMENTS", ""))


def parts() -> list[tuple[str, int]]:
    """A group and the place of its first statement; views over views stay together."""
    return [
        (group, first)
        for group in groups()
        for first in range(0, len(read(FOLDER / f"{group}.sql")), PART if group != "chains" else 1000)
    ]


def views_of(chosen: list[Statement]) -> list[View]:
    return [view for statement in chosen for view in variants(statement)]


@pytest.mark.parametrize("seed", range(sized(1, 12)))
@pytest.mark.parametrize(("group", "first"), parts())
def test_statements(lives: Lives, group: str, first: int, seed: int) -> None:
    everything = read(FOLDER / f"{group}.sql")
    some = everything if group == "chains" else everything[first : first + PART]
    chosen = views_of([s for s in some if CHOSEN.search(s.name)])
    size = Size(rows=400, rounds=5, rows_of_id=8) if LARGE and seed % 2 else Size()
    drawn = plan(Random(f"{group} {first} {seed}"), size)
    problems = judge(lives, drawn, chosen, views_of(everything))
    assert not problems, report(problems)


def test_there_are_many() -> None:
    found = statements()
    assert len(found) >= 300
    assert all(len(variants(s)) >= 1 for s in found)


@pytest.mark.parametrize("group", groups())
def test_answers_do_not_depend_on_the_order_of_rows(group: str) -> None:
    """Otherwise DuckDB would be no oracle."""
    chosen = views_of(read(FOLDER / f"{group}.sql"))
    views = with_needed(chosen, chosen)
    results = []
    for order in range(2):
        with duckdb.connect() as db:
            for name, sql in REFERENCES.items():
                db.execute(f"CREATE TABLE {name} AS {sql}")
            for stream in STREAMS:
                drawn = [row(stream, 7, n % 90, 30) for n in range(100)]
                Random(order).shuffle(drawn)
                load(db, stream, drawn)
            for view in views:
                db.execute(f"CREATE TABLE {view.name} AS {view.sql}")
            results.append({view.name: compare.rows(db, view.name) for view in views})
    differing = {n: p for n in results[0] if (p := compare.difference(results[0][n], results[1][n]))}
    assert not differing
