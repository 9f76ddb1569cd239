"""``qanat query``: one SELECT over the tables, as a table, JSON, CSV or Arrow."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from qanat.errors import QanatError, did_you_mean
from qanat.lake.changes import changes_in
from qanat.lake.tables import DEFAULT_STORAGE, Lake

if TYPE_CHECKING:
    import duckdb

_FORMATS = ("table", "json", "csv", "arrow")
_PIPE_BYTES = 1 << 16


def query(sql: str, storage: Path | None, format: str, limit: int, version: int) -> None:
    """Runs it and prints what comes."""
    if format not in _FORMATS:
        raise QanatError(
            "QN-1303",
            f"--format {format} is not known.",
            [f"Known: {', '.join(_FORMATS)}", *did_you_mean(format, _FORMATS)],
        )
    if format == "arrow" and sys.stdout.isatty():
        raise QanatError(
            "QN-1305",
            "Arrow is for programs, and this is a terminal.",
            ["Send it to a file:  qanat query … --format arrow > rows.arrow"],
        )
    lake = Lake((storage or DEFAULT_STORAGE).resolve())
    relation = lake.query(sql, version, changes_in(lake, sql, version))
    try:
        _WRITERS[format](relation, limit)
    except BrokenPipeError:  # `… | head` has seen enough; nothing is wrong, and there is nobody to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        import duckdb

        if isinstance(error, duckdb.Error):
            raise QanatError(
                "QN-1312", "DuckDB could not finish this query.", str(error).split("\n"), kind="failed"
            ) from None
        raise


def _table(relation: duckdb.DuckDBPyRelation, limit: int) -> None:
    from qanat.cli.console import console
    from qanat.cli.row_table import row_table

    # As DuckDB writes each value, so that every type has a form.
    texts = relation.project(", ".join(f"CAST(#{i + 1} AS VARCHAR)" for i in range(len(relation.columns))))
    rows = (texts.limit(limit + 1) if limit else texts).fetchall()
    more = bool(limit) and len(rows) > limit
    out = console()
    out.print(
        row_table(
            relation.columns, [str(t) for t in relation.types], rows[:limit] if limit else rows, out.width
        )
    )
    shown = min(len(rows), limit) if limit else len(rows)
    if more:
        out.print(f"The first {shown:,} rows; --limit 0 shows all.", style="quiet")
    else:
        out.print(f"{shown:,} row{'' if shown == 1 else 's'}", style="quiet")


def _copy(relation: duckdb.DuckDBPyRelation, options: str) -> None:
    """DuckDB writes into a pipe, we pass it on: its types and speed, our standard output."""
    import duckdb

    read_end, write_end = os.pipe()
    failure: list[Exception] = []

    def write() -> None:
        try:
            relation.query("qanat_rows", f"COPY qanat_rows TO '/dev/fd/{write_end}' ({options})")
        except duckdb.Error as error:
            failure.append(error)
        finally:
            os.close(write_end)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        with os.fdopen(read_end, "rb") as pipe:
            while chunk := pipe.read(_PIPE_BYTES):
                sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
    finally:
        writer.join()  # it ends when its pipe is closed
    if failure:
        raise failure[0]


def _json(relation: duckdb.DuckDBPyRelation, limit: int) -> None:
    del limit
    _copy(relation, "FORMAT json, ARRAY true")


def _csv(relation: duckdb.DuckDBPyRelation, limit: int) -> None:
    del limit
    _copy(relation, "FORMAT csv, HEADER true")


def _arrow(relation: duckdb.DuckDBPyRelation, limit: int) -> None:
    del limit
    try:
        import pyarrow as pa
    except ImportError:
        raise QanatError(
            "QN-1307",
            "--format arrow needs pyarrow, which is not installed.",
            ["Install it:  pip install 'qanat[arrow]'"],
        ) from None
    reader = relation.to_arrow_reader()
    with pa.ipc.new_stream(sys.stdout.buffer, reader.schema) as stream:
        for batch in reader:
            stream.write_batch(batch)


_WRITERS: dict[str, Callable[[duckdb.DuckDBPyRelation, int], None]] = {
    "table": _table,
    "json": _json,
    "csv": _csv,
    "arrow": _arrow,
}
