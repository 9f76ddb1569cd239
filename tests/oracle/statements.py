"""The hand-written statements: ``statements/*.sql``, a group a file, and the inputs that each is run over.

A statement begins with a line ``-- name`` and ends at an empty line. It reads the tables ``events`` and ``orders``,
the reference ``ref``, and statements of its group whose names begin with ``v_``. It is run as written
(**streams**: rows only come); with each table replaced by a view whose rows change and go (**views**); and, when it
reads both tables, with one a view and the other a reference or a stream (**mixed**).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "statements"


@dataclass(frozen=True)
class View:
    """A materialized view of a tested pipeline."""

    name: str
    sql: str

    def reads(self, name: str) -> bool:
        return re.search(rf"\b{re.escape(name)}\b", self.sql) is not None


@dataclass(frozen=True)
class Statement:
    group: str
    name: str
    sql: str


# Rows of `events` that were overtaken go; all rows of an order go while its newest one says so, and come back.
CHANGING = (
    View(
        "events_v",
        "SELECT * FROM events QUALIFY dense_rank() OVER (PARTITION BY id ORDER BY seq DESC) <= 2",
    ),
    View("orders_alive", "SELECT id FROM orders GROUP BY id HAVING arg_max(op, seq) <> 'd'"),
    View("orders_v", "SELECT * FROM orders WHERE id IN (SELECT id FROM orders_alive)"),
)


def read(path: Path) -> list[Statement]:
    """The statements of a file."""
    found = []
    for part in re.split(r"\n\s*\n", path.read_text().strip()):
        head, _, sql = part.partition("\n")
        match = re.fullmatch(r"-- (\w+)", head)
        if match is not None and sql.strip():
            found.append(Statement(path.stem, match[1], sql.strip()))
    return found


def groups() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.sql"))


def statements() -> list[Statement]:
    found = [s for group in groups() for s in read(FOLDER / f"{group}.sql")]
    names = [s.name for s in found]
    assert len(names) == len(set(names)), sorted(n for n in names if names.count(n) > 1)
    return found


def _renamed(sql: str, names: dict[str, str]) -> str:
    return re.sub(r"\b\w+\b", lambda m: names.get(m[0], m[0]), sql)


def variants(statement: Statement) -> list[View]:
    """The views that test a statement: letter of the variant, two underscores, name."""
    has_events, has_orders = (re.search(rf"\b{t}\b", statement.sql) for t in ("events", "orders"))
    read = {m for m in re.findall(r"\bv_\w+", statement.sql) if m != statement.name}
    inputs: dict[str, dict[str, str]] = {"s": {}}
    if has_events or has_orders or read:
        inputs["w"] = {"events": "events_v", "orders": "orders_v"}
    if has_events and has_orders and not read and not statement.name.startswith("v_"):
        is_even = sum(statement.name.encode()) % 2 == 0
        inputs["m"] = {"events": "events_v", "orders": "orders_r"} if is_even else {"orders": "orders_v"}
    return [
        View(
            f"{letter}__{statement.name}",
            _renamed(statement.sql, names | {r: f"{letter}__{r}" for r in read}),
        )
        for letter, names in inputs.items()
    ]


def with_needed(chosen: list[View], known: list[View]) -> list[View]:
    """``chosen`` and what they read, each behind what it reads."""
    by_name = {view.name: view for view in (*CHANGING, *known)}
    ordered: list[View] = []

    def add(view: View) -> None:
        if view in ordered:
            return
        for name in dict.fromkeys(re.findall(r"\b\w+\b", view.sql)):
            if name in by_name and name != view.name:
                add(by_name[name])
        ordered.append(view)

    for view in chosen:
        add(view)
    return ordered
