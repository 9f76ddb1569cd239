"""Writes the table that events are joined with: a million users, as Parquet. Prints where it is, as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from bench import lines

ROWS = 1_000_000

_SQL = """
SELECT i + 1 AS user_id, (16 + h % 74)::INTEGER AS age, ['f', 'm', 'x'][h // 74 % 3 + 1] AS gender,
  format('seg{{:02d}}', h // 300 % 24) AS segment, (8000 + h // 10000 % 242000)::BIGINT AS income,
  format('city{{:04d}}', h // 3000000 % 3000) AS city
FROM (SELECT i, (hash(i) >> 11)::BIGINT AS h FROM range({rows}) t(i)) ORDER BY i
"""


def _make(folder: Path) -> dict[str, object]:
    import duckdb

    path = folder / "users.parquet"
    duckdb.execute(f"COPY ({_SQL.format(rows=ROWS)}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")
    return {"rows": ROWS, "bytes": path.stat().st_size}


if __name__ == "__main__":
    print(json.dumps(lines.kept(f"users-{ROWS}", _make)))
