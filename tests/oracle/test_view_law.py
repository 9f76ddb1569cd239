"""The law for what remembers: hypothesis draws statements or a schema, rows, cuts, steps, lives and deaths.

In CI the examples are the same each time; QANAT_LAW_EXAMPLES and QANAT_LAW_SHRINK are those of test_law.py.
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from incarnation import Lives
from kinds import KINDS, TEMPLATES
from plans import STEP_BYTES
from rows import REFERENCES, STREAMS, Stream, row
from statements import View, statements, variants
from trial import File, Life, Plan, Round, judge, report
from worlds import FAIL_POINTS

EXAMPLES = int(os.environ.get("QANAT_LAW_EXAMPLES", "24"))
VIEWS = [view for statement in statements() for view in variants(statement)]
RULES: dict[str, Any] = {
    "max_examples": EXAMPLES,
    "derandomize": "QANAT_LAW_EXAMPLES" not in os.environ,
    "deadline": None,
    "database": None,
    "print_blob": True,
    "phases": [p for p in Phase if p is not Phase.shrink or "QANAT_LAW_SHRINK" in os.environ],
    "report_multiple_bugs": False,
    "suppress_health_check": list(HealthCheck),
}

_DEATHS = st.builds(
    lambda point, action, nth: Life(f"{point}={action}@{nth}"),
    st.sampled_from(FAIL_POINTS),
    st.sampled_from(["kill", "kill", "error"]),  # "unknown" takes 16 s here and there: see plans.py
    st.integers(1, 4),
)
_DOOMED = st.lists(_DEATHS, max_size=2)


@st.composite
def rounds(draw: st.DrawFn, streams: list[Stream], rows: dict[str, st.SearchStrategy[Any]]) -> list[Round]:
    """Rounds of files; a file of an earlier round may grow."""
    made = []
    for _ in range(draw(st.integers(1, 3))):
        files = []
        for stream in streams:
            for name in draw(
                st.lists(st.sampled_from(["a.jsonl", "b.jsonl", "c.jsonl"]), max_size=2, unique=True)
            ):
                files.append(File(stream, name, draw(st.lists(rows[stream.name], min_size=1, max_size=16))))
        made.append(Round(files, draw(_DOOMED)))
    return made


@settings(**RULES)
@given(data=st.data(), seed=st.integers(0, 2**16), step_bytes=st.sampled_from(STEP_BYTES))
def test_any_views_any_steps_any_crashes(
    lives: Lives, data: st.DataObject, seed: int, step_bytes: int
) -> None:
    """Rows are drawn by their numbers: few numbers, so that many come again."""
    chosen = data.draw(st.lists(st.sampled_from(VIEWS), min_size=1, max_size=8, unique_by=lambda v: v.name))
    ids = data.draw(st.sampled_from([2, 5, 20]))
    rows = {s.name: st.builds(lambda n, s=s: row(s, seed, n, ids), st.integers(0, 60)) for s in STREAMS}
    plan = Plan(STREAMS, data.draw(rounds(list(STREAMS), rows)), REFERENCES, step_bytes)
    problems = judge(lives, plan, chosen, VIEWS)
    assert not problems, report(problems)


@settings(**RULES)
@given(
    data=st.data(),
    kinds=st.tuples(st.sampled_from(sorted(KINDS)), st.sampled_from(sorted(KINDS))),
    step_bytes=st.sampled_from(STEP_BYTES),
)
def test_any_schema(lives: Lives, data: st.DataObject, kinds: tuple[str, str], step_bytes: int) -> None:
    """Two tables of the same drawn columns, and statements that any type allows."""
    p, q = kinds
    columns = {"n": "INTEGER", "p": p, "q": q}
    wire = {name: "VARCHAR" for name, kind in (("p", p), ("q", q)) if KINDS[kind].is_text}
    streams = [Stream("t", columns, wire), Stream("u", columns, wire)]
    # Of few values: groups and joins with more than a row.
    pools = {
        name: data.draw(st.lists(KINDS[kind].values, min_size=1, max_size=4))
        for name, kind in (("p", p), ("q", q))
    }
    rows = st.fixed_dictionaries(
        {"n": st.none() | st.integers(-3, 3)}
        | {c: st.none() | st.sampled_from(pool) for c, pool in pools.items()}
    )
    plan = Plan(streams, data.draw(rounds(streams, {"t": rows, "u": rows})), {}, step_bytes)
    views = [View(name, sql) for name, sql in TEMPLATES.items()]
    chosen = data.draw(st.lists(st.sampled_from(views), min_size=3, max_size=12, unique_by=lambda v: v.name))
    problems = judge(lives, plan, chosen, views)
    assert not problems, f"{p}, {q}: {report(problems)}"
