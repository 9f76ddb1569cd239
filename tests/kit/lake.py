"""Reads what lies in a storage without a line of our code: the Delta log as JSON, the data files by DuckDB."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
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


@dataclass(frozen=True)
class DataFile:
    """A data file of the newest version; values of partition columns stand in the log alone, as in any Delta table."""

    path: Path
    partition: tuple[tuple[str, str | None], ...]


def live_files(table: Path) -> list[DataFile]:
    """Data files of the newest version."""
    files: dict[str, DataFile] = {}
    for action in log(table):
        if "add" in action:
            path = action["add"]["path"]
            assert path not in files, f"{path} was added twice"
            # An empty text means NULL there.
            values = {column: value or None for column, value in action["add"]["partitionValues"].items()}
            files[path] = DataFile(table / unquote(path), tuple(sorted(values.items())))
        elif "remove" in action:
            files.pop(action["remove"]["path"])
    return list(files.values())


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
    partitions: dict[tuple[tuple[str, str | None], ...], list[str]] = {}
    for file in live_files(table):
        partitions.setdefault(file.partition, []).append(str(file.path))
    for partition, files in partitions.items():
        inside = ", ".join("'" + column.replace("'", "''") + "'" for column, _ in partition)
        chosen = f"COLUMNS(lambda c: c NOT IN ({inside}))" if partition else "*"
        values = "".join(f', ? AS "{column}"' for column, _ in partition)
        db.execute(
            f'INSERT INTO "{name}" BY NAME SELECT {chosen}{values} FROM read_parquet(?, hive_partitioning = false)',
            [*(value for _, value in partition), files],
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
