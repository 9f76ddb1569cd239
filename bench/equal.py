"""Tells what an answer is, whoever wrote it: `python -m bench.equal FOLDER VALUES WHERE` prints rows and digest.

Two answers with the same rows and the same digest hold the same values, whatever the order of rows. VALUES is a
list of SQL expressions over the columns, which brings what engines type differently to one type.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

TABLE = "answer"


def told(folder: Path, values: str, where: str) -> dict[str, object]:
    """Of the Delta table ``answer`` in the folder, or of the Parquet files below it; dead letters too."""
    import duckdb

    files = _files(folder)
    if not files:
        return {"rows": 0, "digest": "0", "dead": _dead(folder)}
    found = duckdb.execute(f"""
        SELECT count(*), coalesce(sum(hash({values})), 0)::VARCHAR
        FROM read_parquet({files}) WHERE {where}""").fetchone() or (0, "0")
    return {"rows": found[0], "digest": found[1], "dead": _dead(folder)}


def _files(folder: Path) -> list[str]:
    if not (folder / TABLE / "_delta_log").exists():
        return sorted(str(path) for path in folder.rglob("*.parquet"))
    from deltalake import DeltaTable

    return sorted(DeltaTable(str(folder / TABLE)).file_uris())


def _dead(folder: Path) -> int:
    dead = folder / f"{TABLE}__dead_letters"
    if not dead.exists():
        return 0
    from deltalake import DeltaTable

    return DeltaTable(str(dead)).count()


if __name__ == "__main__":
    print(json.dumps(told(Path(sys.argv[1]), sys.argv[2], sys.argv[3])))
