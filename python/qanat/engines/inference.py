"""Looks into the data of a source that has no schema, and writes one to paste. Never used by a run."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from qanat import sql_text
from qanat.connect.formats import Format
from qanat.engines.module import core
from qanat.errors import QanatError
from qanat.pipelines import schema as schemas
from qanat.pipelines.sources import absolute

if TYPE_CHECKING:
    import duckdb

    from qanat.pipelines.registry import Source

_SAMPLE_ROWS = 20_480
_LINE_WIDTH = 100


def check_schemas(sources: Iterable[Source]) -> None:
    """QN-1115 for the first source that needs a schema and has none."""
    for source in sources:
        if not source.schema and source.format.kind != "parquet":
            raise missing_schema(source)


def inferred_schema(path: str, format: Format) -> list[tuple[str, str]]:
    """Names and types of the columns of the files that match ``path``, from a sample of their rows."""
    import duckdb

    with duckdb.connect() as connection:
        if format.kind == "json":
            return _json_schema(connection, path)
        file = sql_text.literal(path)
        read = f"read_parquet({file})"
        if format.kind == "csv":
            options = dict(format.options)
            delimiter, header = sql_text.literal(str(options["delimiter"])), str(options["header"]).lower()
            read = f"read_csv({file}, delim = {delimiter}, header = {header}, sample_size = {_SAMPLE_ROWS})"
        rows = connection.execute(f"DESCRIBE SELECT * FROM {read}").fetchall()
    return [(str(row[0]), str(row[1])) for row in rows]


def _json_schema(connection: duckdb.DuckDBPyConnection, path: str) -> list[tuple[str, str]]:
    """By our decoder's own eyes, which lines that are not JSON do not blind."""
    file, columns = sql_text.literal(path), "{'line': 'VARCHAR'}"
    options = "header = false, delim = '\x1f', quote = '', escape = '', ignore_errors = true"
    lines = connection.execute(
        f"SELECT line FROM read_csv({file}, columns = {columns}, {options}) LIMIT {_SAMPLE_ROWS}"
    ).fetchall()
    text: str = core().infer_json_schema("".join(f"{line}\n" for (line,) in lines))
    return [(column.name, column.type) for column in schemas.columns(text, f"'{path}'", path)]


def schema_literal(columns: list[tuple[str, str]], indent: str) -> list[str]:
    """The columns as lines of a Python string literal, to be pasted behind ``schema=``."""
    parts = [f"{_name(name)} {type_}" for name, type_ in columns]
    one = '"' + ", ".join(parts) + '"'
    if len(indent) + len(one) <= _LINE_WIDTH and '"' not in one[1:-1]:
        return [one]
    lines = ['"""' + parts[0]]
    for part in parts[1:]:
        if len(indent) + len(lines[-1]) + 2 + len(part) <= _LINE_WIDTH:
            lines[-1] += ", " + part
        else:
            lines[-1] += ","
            lines.append("   " + part)
    lines[-1] += '"""'
    return lines


def missing_schema(source: Source) -> QanatError:
    """The failure of a source that needs a schema, with one that fits the data when there is data."""
    text = f"Source '{source.name}' has no schema."
    lines = [f"at {source.where}"]
    try:
        columns = inferred_schema(absolute(source.connector.glob, source.where), source.format)
    except Exception:
        lines.append('Declare its columns:  schema="id BIGINT NOT NULL, ts TIMESTAMP"')
        return QanatError("QN-1115", text, [*lines, "Nothing was started."])
    first, *rest = schema_literal(columns, "    schema=")
    lines += [
        f"Its first {_SAMPLE_ROWS:,} rows look like this; paste it, then mend what the sample cannot know:",
        f"    schema={first}" + ("," if not rest else ""),
        *(f"           {line}" for line in rest[:-1]),
        *(f"           {line}," for line in rest[-1:]),
        "Nothing was started.",
    ]
    return QanatError("QN-1115", text, lines)


def _name(name: str) -> str:
    found = sql_text.tokens(name)
    return name if len(found) == 1 and found[0].kind == "word" else sql_text.quoted(name)
