"""``source`` and ``reference``: the inputs of a pipeline, unbounded and bounded."""

from __future__ import annotations

import os
import re

from qanat import sql_text
from qanat.arguments import known_arguments
from qanat.connect.files import Files
from qanat.connect.formats import Format, by_ending
from qanat.errors import QanatError
from qanat.pipelines import schema as schemas
from qanat.pipelines.names import checked_name
from qanat.pipelines.registry import Reference, Source, current
from qanat.where import Where, here

_INTERVAL = re.compile(r"\s*\d+(\.\d+)?\s+(milli|micro)?(second|minute|hour|day|week)s?\s*", re.IGNORECASE)


def is_duration(text: str) -> bool:
    """Whether a text is a length of time, such as ``30 seconds``."""
    return _INTERVAL.fullmatch(text) is not None


@known_arguments
def source(
    name: str,
    connector: Files,
    *,
    format: Format | None = None,
    schema: str = "",
    event_time: str = "",
    watermark: str = "",
    idle_timeout: str = "",
    comment: str = "",
) -> None:
    """Declares where rows come from.

    Parameters
    ----------
    name
        The name that SQL reads it by.
    connector
        `files`, with a path or pattern.
    format
        `json`, `csv` or `parquet`; left out, it follows the ending of the pattern.
    schema
        Column list in DuckDB's types: ``"id BIGINT NOT NULL, ts TIMESTAMP, tags VARCHAR[]"``. A row whose
        value does not fit its type, or is NULL where the column is NOT NULL, becomes a dead letter. Only
        Parquet may leave it out. Without one you are told what the data looks like, ready to paste.
    event_time
        Column with the time at which the row's event happened.
    watermark
        How late rows may be: ``"30 seconds"``. Needs ``event_time``. Only windows of views that end go by it;
        see docs/guide/order-and-watermark.md.
    idle_timeout
        After how long without a row the source holds no window open: ``"5 minutes"``, on the wall clock.
        Left out, it always does. Needs ``event_time``.
    comment
        One line about it, shown in the graph.

    Raises
    ------
    QanatError
        QN-1105 (schema), QN-1126 (name), QN-1129 (another option).

    Examples
    --------
    >>> import qanat as qn
    >>> qn.source("clicks", qn.files("data/*.jsonl"), format=qn.json(),
    ...           schema="event_id UUID NOT NULL, ts TIMESTAMP, url VARCHAR", event_time="ts")
    """
    place = here()
    checked_name(name, "source", place)
    if not isinstance(connector, Files):
        raise _wrong(
            place,
            f"Source '{name}' needs a connector, and got {_kind(connector)}.",
            'qn.files("data/*.jsonl")',
        )
    chosen = format or by_ending(connector.glob)
    if not isinstance(chosen, Format):
        raise _wrong(
            place, f"The format of source '{name}' is not known from '{connector.glob}'.", "format=qn.json()"
        )
    declared = schemas.columns(schema, f"source '{name}'", place) if schema else []
    names = {column.name.casefold(): column.name for column in declared}
    if event_time and declared and event_time.casefold() not in names:
        raise _unknown_event_time(place, name, event_time, list(names.values()))
    for option, text in (("watermark", watermark), ("idle_timeout", idle_timeout)):
        if text and not is_duration(text):
            raise _wrong(
                place,
                f"The {option} of source '{name}' is '{text}', which is no time.",
                f'{option}="30 seconds"',
            )
    if (watermark or idle_timeout or connector.order == "event_time") and not event_time:
        what = "watermark" if watermark else "idle_timeout" if idle_timeout else 'order="event_time"'
        raise _wrong(place, f"Source '{name}' has a {what}, but no event_time column.", 'event_time="ts"')
    current().sources.append(
        Source(
            name,
            place,
            connector,
            chosen,
            schema.strip(),
            event_time,
            watermark.strip(),
            idle_timeout.strip(),
            comment,
        )
    )


@known_arguments
def reference(
    name: str,
    what: str | os.PathLike[str] | Files,
    *,
    format: Format | None = None,
    schema: str = "",
) -> None:
    """Declares a bounded input that SQL joins: read whole at the start of a run, kept in memory.

    Parameters
    ----------
    name
        The name that SQL reads it by.
    what
        `files`, a path or pattern (both relative to the pipeline file), or a SELECT in DuckDB's SQL.
    format
        `json`, `csv` or `parquet`; left out, it follows the path's ending.
    schema
        Column list; left out, DuckDB infers it from the data.

    Raises
    ------
    QanatError
        QN-1105 (schema), QN-1126 (name), QN-1129 (neither a path nor a query).

    Examples
    --------
    >>> import qanat as qn
    >>> qn.reference("planes", "data/planes.csv")
    >>> qn.reference("rates", "SELECT * FROM (VALUES ('EUR', 1.0), ('USD', 0.92)) t(currency, rate)")
    """
    place = here()
    checked_name(name, "reference", place)
    text = what.glob if isinstance(what, Files) else os.fspath(what)
    if not isinstance(text, str) or not text.strip():
        raise _wrong(place, f"Reference '{name}' is empty.", f'qn.reference("{name}", "data/{name}.csv")')
    if not isinstance(what, Files) and sql_text.is_query(text):
        current().references.append(Reference(name, place, _sql_with_paths(sql_text.trimmed(text), place)))
        return
    sql = _read_sql(name, text, format or by_ending(text), schema, place)
    current().references.append(Reference(name, place, sql, absolute(text, place)))


def absolute(path: str, place: Where) -> str:
    """``path`` as seen from the pipeline file's folder; what has a scheme (s3://…) stays."""
    if "://" in path:
        return path
    folder = os.path.dirname(os.path.abspath(place.file)) if os.path.exists(place.file) else os.getcwd()  # noqa: PTH100, PTH109, PTH110, PTH120
    return os.path.normpath(os.path.join(folder, os.path.expanduser(path)))  # noqa: PTH111, PTH118


def _read_sql(name: str, path: str, chosen: Format | None, schema: str, place: Where) -> str:
    if not isinstance(chosen, Format):
        raise _wrong(
            place, f"The format of reference '{name}' is not known from '{path}'.", "format=qn.csv()"
        )
    declared = schemas.columns(schema, f"reference '{name}'", place) if schema else []
    file = sql_text.literal(absolute(path, place))
    if chosen.kind == "parquet":
        picked = ", ".join(f"CAST({_q(c.name)} AS {c.type}) AS {_q(c.name)}" for c in declared)
        return f"SELECT {picked or '*'} FROM read_parquet({file})"
    types = ", ".join(f"{sql_text.literal(c.name)}: {sql_text.literal(c.type)}" for c in declared)
    arguments = [file, *_reader_options(chosen), *([f"columns = {{{types}}}"] if types else [])]
    return f"SELECT * FROM read_{chosen.kind}({', '.join(arguments)})"


def _reader_options(chosen: Format) -> list[str]:
    if chosen.kind != "csv":
        return []
    options = dict(chosen.options)
    return [
        f"header = {str(options['header']).lower()}",
        *(
            f"{theirs} = {sql_text.literal(str(options[ours]))}"
            for ours, theirs in (
                ("delimiter", "delim"),
                ("quote", "quote"),
                ("escape", "escape"),
                ("null", "nullstr"),
            )
        ),
        *([f"skip = {options['skip_lines']}"] if options["skip_lines"] else []),
    ]


def _sql_with_paths(sql: str, place: Where) -> str:
    """Makes relative paths in ``read_csv('…')`` and ``FROM '…'`` begin at the pipeline file's folder."""
    found = sql_text.tokens(sql)
    pieces: list[str] = []
    done = 0
    for index, token in enumerate(found):
        if token.kind != "text" or not _names_a_file(found, index):
            continue
        pieces += [sql[done : token.start], sql_text.literal(absolute(token.text, place))]
        done = token.end
    return "".join([*pieces, sql[done:]])


def _names_a_file(found: list[sql_text.Token], index: int) -> bool:
    at = index - 1
    while at >= 0 and (found[at].is_mark("[") or found[at].is_mark(",") or found[at].kind == "text"):
        at -= 1  # back over the list in read_csv(['a', 'b'])
    if at >= 0 and found[at].is_word("FROM", "JOIN"):
        return at == index - 1
    reads = at >= 1 and found[at].is_mark("(") and found[at - 1].kind == "word"
    return reads and found[at - 1].text.lower().startswith(("read_", "parquet_scan", "glob"))


def _q(name: str) -> str:
    return sql_text.quoted(name)


def _kind(value: object) -> str:
    return f"{type(value).__name__} {value!r}"[:80]


def _wrong(place: Where, text: str, example: str) -> QanatError:
    return QanatError("QN-1129", text, [f"at {place}", f"For example:  {example}", "Nothing was started."])


def _unknown_event_time(place: Where, name: str, column: str, names: list[str]) -> QanatError:
    from qanat.errors import did_you_mean

    return QanatError(
        "QN-1129",
        f"The event-time column '{column}' is not in the schema of source '{name}'.",
        [f"at {place}", f"It has: {', '.join(names)}", *did_you_mean(column, names), "Nothing was started."],
    )
