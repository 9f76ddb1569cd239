"""Reads what lies in a storage without a line of our code: the Delta log as JSON, the data files by DuckDB."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb

Rows = Counter[tuple[str | None, ...]]


def log(table: Path) -> list[dict[str, Any]]:
    """Every action of the table's log, in order."""
    entries = sorted(table.glob("_delta_log/" + "[0-9]" * 20 + ".json"))
    assert [int(e.stem) for e in entries] == list(range(len(entries))), f"the log of {table} has gaps"
    # Not splitlines(): a text may hold what that takes for a line end, U+2028 say.
    return [json.loads(line) for entry in entries for line in entry.read_bytes().split(b"\n") if line]


def live_files(table: Path) -> list[Path]:
    """Data files of the newest version."""
    files: dict[str, None] = {}
    for action in log(table):
        if "add" in action:
            assert action["add"]["path"] not in files, f"{action['add']['path']} was added twice"
            files[action["add"]["path"]] = None
        elif "remove" in action:
            files.pop(action["remove"]["path"])
    return [table / unquote(path) for path in files]


def orphans(table: Path) -> list[str]:
    """Data files that no entry of the log names, and half-written ones."""
    named = {unquote(a[kind]["path"]) for a in log(table) for kind in ("add", "remove") if kind in a}
    found = {str(p.relative_to(table)) for p in table.rglob("*") if p.is_file()}
    return sorted(f for f in found if not f.startswith("_delta_log/") and f not in named)


def view(db: duckdb.DuckDBPyConnection, name: str, table: Path, columns: str) -> None:
    """A temporary table with the rows of a Delta table; ``columns`` is its SQL column list, for an empty one."""
    db.execute(f'CREATE OR REPLACE TEMP TABLE "{name}" ({columns})')
    if not (table / "_delta_log").exists():
        return
    files = [str(file) for file in live_files(table)]
    if files:
        db.execute(
            f'INSERT INTO "{name}" BY NAME SELECT * FROM read_parquet(?, hive_partitioning = false)', [files]
        )


def rows(db: duckdb.DuckDBPyConnection, sql: str) -> Rows:
    """The rows of a query as a multiset of texts; NULL is None."""
    described = db.execute(f"DESCRIBE {sql}").fetchall()
    texts = []
    for name, kind, *_ in described:
        quoted = '"' + name.replace('"', '""') + '"'
        texts.append(f"to_json({quoted})::VARCHAR" if kind.endswith("[]") else f"{quoted}::VARCHAR")
    return Counter(db.execute(f"SELECT {', '.join(texts)} FROM ({sql})").fetchall())


def difference(wanted: Rows, found: Rows) -> str:
    """What is lost and what is too much; empty when they are the same."""
    lines = [f"lost {n}x {row}" for row, n in (wanted - found).items()]
    lines += [f"too much {n}x {row}" for row, n in (found - wanted).items()]
    return "\n".join(lines[:20])
