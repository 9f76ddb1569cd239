"""What hypothesis draws: rows and lines, how they are cut into files and pieces, pipelines, lives and deaths."""

from __future__ import annotations

import datetime
import itertools
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

CORE = Path(__file__).parents[2] / "core"
FAIL_POINTS = sorted(
    {
        name
        for source in CORE.rglob("*.cc")
        if not source.name.endswith("_test.cc")
        for name in re.findall(r'QN_FAIL\("([^"]+)"\)', source.read_text())
    }
)
COLUMNS = {
    "id": "BIGINT",
    "k": "VARCHAR",
    "d": "DECIMAL(18,4)",
    "e": "DECIMAL(38,10)",
    "ts": "TIMESTAMP",
    "f": "DOUBLE",
    "tags": "VARCHAR[]",
}
SCHEMA = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())

# ---- rows ----

_KEYS = ["", "a", "b", "ü", "日本", "a/b=c%d e", "null", "NULL", "\x00", "🍐" * 3, "'\"\\", "\u2028"]
_BROKEN = [
    b'{"id": 1, "k": "torn',
    b"[1, 2]",
    b"nonsense",
    b'{"id": "x", "k": "a"}',
    b'{"id": 9223372036854775808}',
    b'{"id": 1} {"id": 2}',
    b'{"id": 01}',
    b'{"id": 3, "k": "\xff\xfe"}',
    b'{"id": 1.5}',
    b"{" * 200,
    b'{"ts": "0044-03-15 (BC) 00:00:00"}',  # years that DuckDB writes so, and JSON lines do not take
    b'{"ts": "294247-01-10 04:00:54.775806"}',
]
_DATES = [
    "0001-01-01 00:00:00",
    "1969-12-31 23:59:59.999999",
    "1970-01-01 00:00:00",
    "9999-12-31 23:59:59.999999",
]


def _decimals(digits: int, scale: int) -> st.SearchStrategy[Decimal]:
    top = 10**digits - 1
    whole = st.integers(-top, top) | st.integers(-(10**6), 10**6) | st.sampled_from([top, -top, 0, 1])
    # Not scaleb(): that rounds to the digits of a context.
    return whole.map(lambda n: Decimal(f"{n}e-{scale}"))


_TEXTS = st.sampled_from(_KEYS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "id": st.integers(0, 20) | st.sampled_from([2**63 - 1, -(2**63), -1]),
    "k": _TEXTS,
    "d": _decimals(18, 4),
    "e": _decimals(38, 10),
    "ts": st.sampled_from(_DATES)
    | st.datetimes(min_value=datetime.datetime(1, 1, 1)).map(lambda t: t.isoformat(" ")),
    "f": st.floats(allow_nan=False, allow_infinity=False),
    "tags": st.lists(st.none() | _TEXTS, max_size=3),
}


@dataclass(frozen=True)
class Line:
    """One line of a file, and the row that it is; None: broken."""

    raw: bytes
    row: dict[str, Any] | None = field(hash=False)


def _value_text(value: Any, ascii_only: bool) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")  # a JSON number with all its digits
    return json.dumps(value, ensure_ascii=ascii_only)


@st.composite
def _rows(draw: st.DrawFn) -> Line:
    row = {name: draw(st.none() | values) for name, values in _VALUES.items()}
    ascii_only = draw(st.booleans())
    is_left_out = draw(st.booleans())  # NULL as a missing member
    members = [
        f'"{name}":{_value_text(value, ascii_only)}'
        for name, value in row.items()
        if value is not None or not is_left_out
    ]
    return Line(("{" + ", ".join(members) + "}").encode(), row)


_LINES = _rows() | _rows() | _rows() | st.sampled_from(_BROKEN).map(lambda raw: Line(raw, None))


@st.composite
def _files(draw: st.DrawFn, lines_max: int = 12) -> list[Line]:
    lines = draw(st.lists(_LINES, min_size=1, max_size=lines_max))
    if draw(st.booleans()):
        lines += draw(st.lists(st.sampled_from(lines), max_size=6))  # duplicates
    return lines


# ---- how they come ----


@dataclass
class File:
    """A file that grows: ``pieces[i]`` is appended in round ``rounds[i]``."""

    source: str
    name: str
    lines: list[Line]
    pieces: list[bytes]
    rounds: list[int]


@st.composite
def files(draw: st.DrawFn, source: str, number: int, rounds: int) -> File:
    lines = draw(_files())
    content = b"\n".join(line.raw for line in lines) + (b"\n" if draw(st.booleans()) else b"")
    name = f"{number}.jsonl"
    if draw(st.integers(0, 4)) == 0:
        import gzip

        packed = gzip.compress(content, mtime=0)
        return File(source, name + ".gz", lines, [packed], [draw(st.integers(0, rounds - 1))])
    cuts = sorted(set(draw(st.lists(st.integers(1, max(1, len(content) - 1)), max_size=3))))
    borders = [0, *(c for c in cuts if c < len(content)), len(content)]
    pieces = [content[a:b] for a, b in itertools.pairwise(borders)]
    at = sorted(draw(st.lists(st.integers(0, rounds - 1), min_size=len(pieces), max_size=len(pieces))))
    return File(source, name, lines, pieces, at)


@dataclass
class Life:
    """One run, and how it may end."""

    fail: str
    is_continuous: bool
    options: dict[str, Any]


_DEATHS = st.builds(
    lambda point, action, nth: f"{point}={action}@{nth}",
    st.sampled_from(FAIL_POINTS),
    st.sampled_from(["kill", "kill", "kill", "error", "unknown"]),
    st.integers(1, 4),
)
_OPTIONS = st.sampled_from([{}, {}, {}, {"full_refresh": "all"}, {"full_refresh": ["t"]}, {"refresh": ["t"]}])
_LIVES = st.builds(Life, st.just("") | _DEATHS | _DEATHS, st.booleans(), _OPTIONS)

# ---- pipelines ----

# {h}: the oracle's own columns that say where a row came from.
_BASES: dict[str, tuple[str, ...]] = {
    "projection": ("SELECT id, k, d, e, ts, f, tags, id % 3 AS p{h} FROM a",),
    "filter": (
        "SELECT id, k || '!' AS k, d, ts::DATE AS day, id % 3 AS p{h} FROM a WHERE id > 5 OR k IS NULL OR d < 0",
    ),
    "unnest": ("SELECT id, unnest(tags) AS tag, k, d, id % 3 AS p{h} FROM a",),
    "union": (
        "SELECT id, k, d, id % 3 AS p{h} FROM a UNION ALL SELECT id, upper(k), -d, 7 AS p{h} FROM b WHERE f > 0",
    ),
    "two_flows": (
        "SELECT id, k, d, id % 3 AS p{h} FROM a",
        "SELECT id, k, d, 8::BIGINT AS p{h} FROM b WHERE id < 9",
    ),
    "left_join": ("SELECT a.id, a.k, r.label, a.d, a.id % 3 AS p{h} FROM a LEFT JOIN ref r ON a.k = r.k",),
    "inner_join": (
        "SELECT a.id, a.k, r.label, a.d, a.id % 3 AS p{h} FROM a JOIN ref r ON a.k = r.k AND a.id < r.top",
    ),
    "view": ("SELECT id, k, d, id % 3 AS p{h} FROM v WHERE d IS NOT NULL",),
}
VIEW = "SELECT *{h} FROM a WHERE id IS NULL OR id <> 7"
REFERENCE = (
    "SELECT * FROM (VALUES ('a', 'Anna', 10), ('a', 'Anton', 99), ('ü', 'Über', 5), ('日本', NULL, 100), "
    "(NULL, 'nobody', 1)) x(k, label, top)"
)
_RULES = [
    ("low", "d < 100", "drop"),
    ("has_id", "id IS NOT NULL", "quarantine"),
    ("even", "id % 2 = 0", "quarantine"),
    ("keyed", "k IS NOT NULL", "keep"),
    ("always", "id IS NULL OR id IS NOT NULL", "fail"),
    ("short", "length(k) < 6", "drop"),
]
NEXT_SQL = "SELECT id, k, -d AS d FROM t WHERE k IS NOT NULL OR id > 3"
NEXT_RULE = ("small", "d < 1000", "quarantine")
TWICE_SQL = "SELECT id FROM t"
TOTALS_SQL = (
    "SELECT k, count(*) AS n, sum(d) AS s, min(id) AS lo, count(DISTINCT id) AS ids FROM t GROUP BY k"
)


@dataclass
class Plan:
    """Table ``t`` over the sources, and what stands on it."""

    base: str
    sql: tuple[str, ...]
    rules: list[tuple[str, str, str]]
    partition_cols: list[str]
    has_next: bool
    has_function: bool
    has_totals: bool

    @property
    def reads_view(self) -> bool:
        return self.base == "view"

    def text(self, hidden: str) -> list[str]:
        return [sql.replace("{h}", hidden) for sql in self.sql]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    base = draw(st.sampled_from(sorted(_BASES)))
    rules = [rule for rule in _RULES if draw(st.booleans())]
    return Plan(
        base,
        _BASES[base],
        rules,
        draw(st.sampled_from([[], [], ["p"], ["k", "p"]])),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.booleans()),
    )


@dataclass
class World:
    """All that is drawn for one example."""

    plan: Plan
    files: list[File]
    rounds: list[list[Life]]
    step_bytes_max: int


@st.composite
def worlds(draw: st.DrawFn) -> World:
    plan = draw(plans())
    rounds = draw(st.integers(1, 3))
    sources = ["a", "b"] if plan.base in ("union", "two_flows") else ["a"]
    made = [
        draw(files(source, number, rounds)) for source in sources for number in range(draw(st.integers(1, 2)))
    ]
    lives = [draw(st.lists(_LIVES, min_size=1, max_size=2)) for _ in range(rounds)]
    return World(plan, made, lives, draw(st.sampled_from([1, 300, 1000, 100_000])))
