"""Two results as multisets: what is lost, what is too much.

Values are compared as texts, doubles as numbers: -0.0 is 0.0, NaN is NaN, and where sums were added in another order
the last digits may differ.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import duckdb

NEAR = 1e-9  # relative; below 1 absolute
SHOWN_MAX = 12
Rows = Counter[tuple[Any, ...]]


def _plain(value: Any) -> Any:
    """Hashable; equal where the values are the same."""
    if isinstance(value, float):
        return "nan" if math.isnan(value) else value
    if isinstance(value, list | tuple):
        return tuple(_plain(v) for v in value)
    if isinstance(value, dict):
        return tuple((_plain(k), _plain(v)) for k, v in value.items())
    return value


def rows(db: duckdb.DuckDBPyConnection, table: str) -> Rows:
    """The rows of a table."""
    columns = []
    for name, kind, *_ in db.execute(f'DESCRIBE "{table}"').fetchall():
        quoted = '"' + name.replace('"', '""') + '"'
        columns.append(quoted if "DOUBLE" in kind or "FLOAT" in kind else f"{quoted}::VARCHAR")
    found = db.execute(f'SELECT {", ".join(columns)} FROM "{table}"').fetchall()
    return Counter(tuple(_plain(value) for value in row) for row in found)


def _near(a: Any, b: Any) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return a == b or abs(a - b) <= NEAR * max(1.0, abs(a), abs(b))
    if isinstance(a, tuple) and isinstance(b, tuple):
        return len(a) == len(b) and all(_near(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


def _without_numbers(value: Any) -> Any:
    if isinstance(value, float):
        return "#"
    return tuple(_without_numbers(v) for v in value) if isinstance(value, tuple) else value


def difference(wanted: Rows, found: Rows) -> str:
    """Empty when they are the same."""
    lost, extra = wanted - found, found - wanted
    if lost and extra:
        candidates: dict[Any, list[tuple[Any, ...]]] = {}
        for row in extra.elements():
            candidates.setdefault(_without_numbers(row), []).append(row)
        for row in list(lost.elements()):
            others = candidates.get(_without_numbers(row), [])
            match = next((other for other in others if _near(row, other)), None)
            if match is not None:
                others.remove(match)
                lost[row] -= 1
                extra[match] -= 1
    lines = []
    for what, kept in (("missing", +lost), ("extra", +extra)):
        shown = [f"  {what} {n}x {row}" for row, n in list(kept.items())[:SHOWN_MAX]]
        if len(kept) > SHOWN_MAX:
            shown.append(f"  {what}: {len(kept) - SHOWN_MAX} more")
        lines += shown
    return "\n".join(lines)
