"""The harness itself: it must notice what is wrong, and say so."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from random import Random

import compare
import duckdb
import pytest
from incarnation import Lives
from plans import Size, plan
from rows import EVENTS, load, row
from statements import View
from trial import Life, Plan, Trial, judge, report

SMALL = Size(rows=12, rounds=1, epochs_checked_max=1)
BY_G = View("by_g", "SELECT g, count(*) AS n, sum(v) AS s FROM events GROUP BY g")
TOP = View("top", "SELECT max(n) AS n FROM by_g")


def small() -> Plan:
    return plan(Random(4), SMALL)


def trial(lives: Lives, folder: Path, *views: View) -> Trial:
    return Trial(lives, folder, small(), list(views))


def test_a_row_that_duckdb_has_and_the_table_has_not(lives: Lives, tmp_path: Path) -> None:
    tested = trial(lives, tmp_path, BY_G, TOP)
    tested.run()
    load(tested._db, EVENTS, [row(EVENTS, 1, 1, 5) | {"g": 77, "v": 5}])
    tested._answer(tested._db, [BY_G])
    problem = tested._compare(tested._db, "by_g", tested._described(tested._db, "by_g"))
    assert problem == "  missing 1x ('77', '1', '5')"


def test_a_failure_tells_everything(lives: Lives, tmp_path: Path) -> None:
    tested = trial(lives, tmp_path, BY_G, TOP)
    tested._answer = lambda db, views: [  # type: ignore[method-assign]
        db.execute(f"CREATE OR REPLACE TABLE {v.name} AS {v.sql.replace('count(*)', 'count(*) + 1')}")
        for v in views
    ]
    problems = tested.run()
    text = report(problems)
    assert "2 views are wrong or refused: by_g, top" in text
    assert "SELECT g, count(*) AS n" in text
    assert "missing 1x" in text and "extra 1x" in text
    assert "round 0: events/" in text and "a life : ended well, epoch" in text
    assert "view top reads what is wrong: by_g" in text


def test_a_refused_view_does_not_hide_the_others(lives: Lives) -> None:
    bad = View("bad", "SELECT nothing FROM events")
    above = View("above", "SELECT * FROM bad")
    problems = judge(lives, small(), [BY_G, bad, above], [BY_G, bad, above])
    assert set(problems) == {"bad", "above"}
    assert "QN-12" in problems["bad"] and "nothing" in problems["bad"]


def test_a_crash_is_survived(lives: Lives, tmp_path: Path) -> None:
    drawn = small()
    drawn.rounds[0].doomed[:] = [Life("run.checkpoint.before=kill@1"), Life("run.commit.before=kill@1")]
    tested = Trial(lives, tmp_path, drawn, [BY_G])
    assert tested.run() == {}
    assert sum("ended by signal 9" in text for text in tested.history) == 2


def rows(*values: object) -> compare.Rows:
    return Counter((compare._plain(value),) for value in values)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (rows(0.0), rows(-0.0)),
        (rows(math.nan, math.nan), rows(math.nan, math.nan)),
        (rows(0.1 + 0.2, 5.0), rows(0.3, 5.0)),
        (rows(1e300, 1e-300), rows(1e300 * (1 + 1e-12), 0.0)),
        (rows([1.0, None]), rows([1.0 + 1e-13, None])),
        (rows(None, "x"), rows("x", None)),
    ],
)
def test_the_same(wanted: compare.Rows, found: compare.Rows) -> None:
    assert compare.difference(wanted, found) == ""


@pytest.mark.parametrize(
    ("wanted", "found", "text"),
    [
        (rows(1.0), rows(1.0, 1.0), "  extra 1x (1.0,)"),
        (rows(1.0), rows(1.00001), "  missing 1x (1.0,)\n  extra 1x (1.00001,)"),
        (rows(None), rows("None"), "  missing 1x (None,)\n  extra 1x ('None',)"),
        (rows(math.nan), rows(math.inf), "  missing 1x ('nan',)\n  extra 1x (inf,)"),
        (rows(2.0), rows(None), "  missing 1x (2.0,)\n  extra 1x (None,)"),
    ],
)
def test_not_the_same(wanted: compare.Rows, found: compare.Rows, text: str) -> None:
    assert compare.difference(wanted, found) == text


def test_rows_of_a_table() -> None:
    with duckdb.connect() as db:
        db.execute("CREATE TABLE t AS SELECT 1.50::DECIMAL(5,2) AS a, 'nan'::DOUBLE AS b, [NULL, 'x'] AS c")
        assert compare.rows(db, "t") == Counter([("1.50", "nan", "[NULL, x]")])
