"""Gets the SQL text out of what a dataset function gives: text, or an object that can write itself as SQL."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qanat import sql_text
from qanat.errors import QanatError
from qanat.where import Where


def query_text(name: str, place: Where, query: str | Callable[[], Any]) -> str:
    """The one SELECT of a flow, without what stands around it.

    Raises
    ------
    QanatError
        QN-1104 (the function raised), QN-1111 (it gives nothing), QN-1112 (not SQL), QN-1113 (it wants
        parameters), QN-1227 and QN-1228 (not one query).
    """
    given = query if isinstance(query, str) else _called(name, place, query)
    text = given if isinstance(given, str) else _written(name, place, given)
    try:
        found = sql_text.statements(text)
        text = sql_text.without_stream(sql_text.trimmed(text))
    except QanatError as error:
        error.lines[:0] = [f"at {place}, in the query of '{name}'"]
        error.lines.append("Nothing was started.")
        raise
    if not found:
        raise QanatError(
            "QN-1111", f"The query of '{name}' is empty.", [f"at {place}", "Nothing was started."]
        )
    if len(found) > 1:
        raise QanatError(
            "QN-1228",
            f"'{name}' gives {len(found)} statements; a dataset is made by one query.",
            [f"at {place}", "Give each its own dataset, or use WITH.", "Nothing was started."],
        )
    if not sql_text.is_query(text):
        raise QanatError(
            "QN-1228",
            f"'{name}' gives SQL that is no query: it begins with '{text.split()[0][:40]}'.",
            [f"at {place}", 'For example:  return "SELECT * FROM clicks"', "Nothing was started."],
        )
    return text


def _called(name: str, place: Where, function: Callable[[], Any]) -> Any:
    code = getattr(function, "__code__", None)
    if code is not None:
        defaults = len(getattr(function, "__defaults__", None) or ())
        wanted = code.co_varnames[: code.co_argcount - defaults]
        if wanted:
            raise QanatError(
                "QN-1113",
                f"Function '{name}' has parameters ({', '.join(wanted)}); a dataset function has none.",
                [
                    f"at {place}",
                    "It returns SQL, which reads other datasets by their names.",
                    'For a function over rows, add @qn.map_batches("SELECT …", schema="…") below @qn.table.',
                    "Nothing was started.",
                ],
            )
    try:
        given = function()
    except QanatError:
        raise
    except Exception as error:
        from qanat.pipelines.load import raised_in_user_code

        told = raised_in_user_code(error, f"The function of '{name}'")
        raise told from error
    if given is None:
        raise QanatError(
            "QN-1111",
            f"The function of '{name}' gives nothing back.",
            [f"at {place}", "Is there a 'return' before its SQL?", "Nothing was started."],
        )
    return given


def _written(name: str, place: Where, given: Any) -> str:
    """SQL of an Ibis or sqlglot expression, a DuckDB relation, or anything with ``sql``."""
    module = type(given).__module__.split(".")[0]
    try:
        if module == "ibis":
            import ibis

            return str(ibis.to_sql(given, dialect="duckdb"))
        if module == "sqlglot":
            return str(given.sql(dialect="duckdb"))
        for attribute in ("sql_query", "sql"):
            value = getattr(given, attribute, None)
            if callable(value) and module in ("polars", "pandas"):
                continue
            value = value() if callable(value) else value
            if isinstance(value, str):
                return value
    except Exception as error:
        raise QanatError(
            "QN-1112",
            f"The {type(given).__name__} that '{name}' gives cannot be written as SQL.",
            [
                f"at {place}",
                f"{type(error).__name__}: {str(error).split(chr(10))[0]}",
                "Nothing was started.",
            ],
        ) from error
    raise QanatError(
        "QN-1112",
        f"'{name}' gives a {type(given).__module__.split('.')[0]} {type(given).__name__}, which is no SQL.",
        [
            f"at {place}",
            "A dataset function returns SQL text, a DuckDB relation, or an Ibis or sqlglot expression.",
            'For Python over rows:  @qn.map_batches("SELECT …", schema="…") below @qn.table.',
            "Nothing was started.",
        ],
    )
