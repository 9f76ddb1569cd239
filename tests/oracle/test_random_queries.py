"""Random queries, many as views of one pipeline. A failing one says how to run it alone."""

from __future__ import annotations

import os
from collections import Counter
from random import Random

import pytest
from incarnation import Lives
from plans import Size, plan
from random_queries import STEPS, query, sample
from sizes import sized
from statements import View
from trial import judge, report

BATCH = 40
ONE = os.environ.get("QANAT_QUERY")
BATCHES = [int(ONE) // BATCH] if ONE else list(range(sized(4, 150)))


@pytest.mark.parametrize("batch", BATCHES)
def test_random_queries(lives: Lives, batch: int) -> None:
    seeds = [int(ONE)] if ONE else list(range(batch * BATCH, (batch + 1) * BATCH))
    with sample() as db:
        views = [View(f"q{seed}", query(seed, db)[0]) for seed in seeds]
    problems = judge(lives, plan(Random(batch), Size()), views, views)
    again = "\n".join(
        f"  QANAT_QUERY={name[1:]} python -m pytest tests/oracle/test_random_queries.py"
        for name in problems
        if name.startswith("q")
    )
    assert not problems, f"{report(problems)}\n\nAgain, one alone:\n{again}"


def test_every_step_is_taken() -> None:
    with sample() as db:
        taken = Counter(step for seed in range(160) for step in query(seed, db)[1])
    assert {name: taken[name] for name in STEPS if taken[name] < 5} == {}


def test_a_number_gives_one_query() -> None:
    with sample() as db, sample() as other:
        assert [query(seed, db) for seed in range(20)] == [query(seed, other) for seed in range(20)]
