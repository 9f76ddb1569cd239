"""Tells what a run wrote, as other readers see it: rows, and one number over every value of every row.

Two outputs with the same rows and the same number hold the same table, whatever the order of rows.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import duckdb

_OVER_ALL = """
SELECT count(*) AS rows, coalesce(sum(hash(
    event_id, user_id, session, epoch_us(ts), host, path, ip, user_agent, country, (price * 100)::BIGINT,
    lat, lon, array_to_string(tags, ','), day::DATE)), 0)::VARCHAR AS digest
FROM read_parquet({files}, hive_partitioning = true, hive_types = {{'day': DATE}})
"""


def told(folder: Path) -> dict[str, object]:
    """Rows and digest of `folder`/clean; dead letters by rule or reason where there are some."""
    dead = folder / "clean__dead_letters"
    connection = duckdb.connect()
    found = connection.execute(_OVER_ALL.format(files=_files(folder / "clean"))).fetchone() or (0, "0")
    return {
        "good": found[0],
        "digest": found[1],
        "bad": _dead_letters(connection, dead) if dead.exists() else None,
    }


def _files(table: Path) -> list[str]:
    if not (table / "_delta_log").exists():
        return sorted(str(path) for path in table.rglob("*.parquet"))
    from deltalake import DeltaTable

    return sorted(DeltaTable(str(table)).file_uris())


def _dead_letters(connection: duckdb.DuckDBPyConnection, table: Path) -> dict[str, int]:
    counted = connection.execute(
        f"SELECT coalesce(rule, reason), count(*) FROM read_parquet({_files(table)}) GROUP BY ALL"
    ).fetchall()
    return dict(counted)


if __name__ == "__main__":
    print(json.dumps(told(Path(sys.argv[1]))))
