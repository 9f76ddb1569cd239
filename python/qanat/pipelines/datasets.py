"""``table``, ``materialized_view``, ``temporary_view``, flows and Arrow functions: what a pipeline makes.

Names and parameters follow ``pyspark.pipelines`` 4.3 and, for ``once``, Databricks.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, overload

from qanat.arguments import known_arguments
from qanat.errors import QanatError
from qanat.pipelines import schema as schemas
from qanat.pipelines.expectations import expectations_of, notes_of
from qanat.pipelines.names import checked_name
from qanat.pipelines.registry import AppendFlow, BatchFunction, Dataset, Flow, Windows, current
from qanat.pipelines.sources import is_duration
from qanat.where import Where, here

QueryFunction = TypeVar("QueryFunction", bound=Callable[..., Any])


@overload
def table(query_function: QueryFunction) -> QueryFunction: ...


@overload
def table(
    query_function: None = None,
    *,
    name: str | None = None,
    comment: str | None = None,
    table_properties: Mapping[str, str] | None = None,
    partition_cols: Sequence[str] | None = None,
    schema: str | None = None,
) -> Callable[[QueryFunction], QueryFunction]: ...


@known_arguments
def table(
    query_function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    comment: str | None = None,
    table_properties: Mapping[str, str] | None = None,
    partition_cols: Sequence[str] | None = None,
    schema: str | None = None,
) -> Any:
    """Declares a streaming table: every row that its query lets through is appended once.

    Used as ``@qn.table`` or ``@qn.table(partition_cols=["day"])`` over a function without parameters that
    returns SQL text, or something that can give it (a DuckDB relation, an Ibis or sqlglot expression), or
    over a function marked with `map_batches`.

    Parameters
    ----------
    name
        Name of the table; the function's name when left out.
    comment
        What the table is; the function's docstring when left out.
    table_properties
        Properties stored with the table (Delta's, such as ``"delta.appendOnly": "true"``).
    partition_cols
        Columns whose values make the folders that files are laid out in.
    schema
        Column list that the query must have: a promise to readers, checked before anything starts.

    Raises
    ------
    QanatError
        QN-1105 (schema), QN-1126 (name), QN-1128 (argument).

    Examples
    --------
    >>> import qanat as qn
    >>> @qn.table(comment="Valid clicks")
    ... def clean():
    ...     return "SELECT * FROM clicks WHERE user_id IS NOT NULL"
    """
    options = _StoredOptions(name, comment, table_properties, partition_cols, schema)
    return _decorator("table", "table", query_function, options, here())


@overload
def materialized_view(query_function: QueryFunction) -> QueryFunction: ...


@overload
def materialized_view(
    query_function: None = None,
    *,
    name: str | None = None,
    comment: str | None = None,
    table_properties: Mapping[str, str] | None = None,
    partition_cols: Sequence[str] | None = None,
    schema: str | None = None,
    keys: Sequence[str] | None = None,
    emit: str = "on_update",
    window: str | None = None,
    window_size: str | None = None,
    allowed_lateness: str = "",
) -> Callable[[QueryFunction], QueryFunction]: ...


@known_arguments
def materialized_view(
    query_function: Callable[..., Any] | None = None,
    *,
    name: str | None = None,
    comment: str | None = None,
    table_properties: Mapping[str, str] | None = None,
    partition_cols: Sequence[str] | None = None,
    schema: str | None = None,
    keys: Sequence[str] | None = None,
    emit: str = "on_update",
    window: str | None = None,
    window_size: str | None = None,
    allowed_lateness: str = "",
) -> Any:
    """Declares a table that is always equal to its query over everything seen so far.

    It follows its inputs step by step, at a cost that follows what changed. With ``window`` its windows of
    event time end: the state of a window is freed when the watermark of the sources has passed its end, and
    rows that come later go to ``<name>__dead_letters`` with the reason ``late``.

    Parameters
    ----------
    name, comment, table_properties, partition_cols, schema
        As for `table`.
    keys
        Columns that tell its rows apart.
    emit
        ``"on_update"``: a row is there as soon as there is anything for it, and changes;
        ``"on_window_close"``: a window's rows are added once, when it closes, and never change.
    window
        The output column that holds the begin of a row's window (a TIMESTAMP or DATE that the query groups
        by). Needs a source below with ``event_time``; its ``watermark`` says how late rows may be, left out:
        not at all.
    window_size
        How long a window is, such as ``"1 minute"``. Needed with ``window``.
    allowed_lateness
        For how long after its end a window still takes rows; nothing by default.

    Raises
    ------
    QanatError
        QN-1105 (schema), QN-1126 (name), QN-1128 (argument).

    Examples
    --------
    >>> import qanat as qn
    >>> @qn.materialized_view(keys=["country"])
    ... def sales():
    ...     return "SELECT country, sum(price) AS revenue FROM clean GROUP BY ALL"
    >>> @qn.materialized_view(window="minute", window_size="1 minute", emit="on_window_close")
    ... def per_minute():
    ...     minute = "time_bucket(INTERVAL 1 MINUTE, ts) AS minute"
    ...     return f"SELECT {minute}, count(*) AS n FROM clean GROUP BY ALL"
    """
    windows = Windows(emit, window or "", window_size or "", allowed_lateness)
    options = _StoredOptions(name, comment, table_properties, partition_cols, schema, keys, windows)
    return _decorator("materialized_view", "materialized_view", query_function, options, here())


@overload
def temporary_view(query_function: QueryFunction) -> QueryFunction: ...


@overload
def temporary_view(
    query_function: None = None, *, name: str | None = None, comment: str | None = None
) -> Callable[[QueryFunction], QueryFunction]: ...


@known_arguments
def temporary_view(
    query_function: Callable[..., Any] | None = None, *, name: str | None = None, comment: str | None = None
) -> Any:
    """Declares a step between datasets that other queries read by name and that is not stored.

    Parameters
    ----------
    name, comment
        As for `table`.

    Raises
    ------
    QanatError
        QN-1126 (name), QN-1128 (argument).

    Examples
    --------
    >>> import qanat as qn
    >>> @qn.temporary_view
    ... def priced():
    ...     return "SELECT *, price * 1.2 AS gross FROM clicks"
    """
    options = _StoredOptions(name, comment, None, None, None)
    return _decorator("temporary_view", "temporary_view", query_function, options, here())


@known_arguments
def create_streaming_table(
    name: str,
    *,
    comment: str | None = None,
    table_properties: Mapping[str, str] | None = None,
    partition_cols: Sequence[str] | None = None,
    schema: str | None = None,
    expect_all: Mapping[str, str] | None = None,
    expect_all_or_drop: Mapping[str, str] | None = None,
    expect_all_or_fail: Mapping[str, str] | None = None,
    expect_all_or_quarantine: Mapping[str, str] | None = None,
) -> None:
    """Declares an empty table that `append_flow` functions write to.

    Parameters
    ----------
    name, comment, table_properties, partition_cols, schema
        As for `table`.
    expect_all, expect_all_or_drop, expect_all_or_fail, expect_all_or_quarantine
        Rules by name, for the rows of every flow; see `expect`.

    Raises
    ------
    QanatError
        QN-1105 (schema), QN-1126 (name), QN-1127 (rule), QN-1128 (argument).

    Examples
    --------
    >>> import qanat as qn
    >>> qn.create_streaming_table("events", expect_all_or_drop={"has_id": "id IS NOT NULL"})
    >>> @qn.append_flow(target="events")
    ... def from_clicks():
    ...     return "SELECT event_id AS id, ts FROM clicks"
    """
    place = here()
    options = _StoredOptions(name, comment, table_properties, partition_cols, schema)
    dataset = options.dataset("streaming_table", name, place, "")
    for action, rules in (
        ("keep", expect_all),
        ("drop", expect_all_or_drop),
        ("fail", expect_all_or_fail),
        ("quarantine", expect_all_or_quarantine),
    ):
        dataset.expectations += expectations_of(rules or {}, action, place)
    current().datasets.append(dataset)


@known_arguments
def append_flow(
    *, target: str, name: str | None = None, once: bool = False
) -> Callable[[QueryFunction], QueryFunction]:
    """Declares one more flow into a table made by `create_streaming_table` (or by `table`).

    Parameters
    ----------
    target
        Name of the table; it may be declared later in the file.
    name
        Name of the flow; the function's name when left out.
    once
        Run it in one step of one run and never again, for a back-fill.

    Raises
    ------
    QanatError
        QN-1126 (name), QN-1128 (argument).

    Examples
    --------
    >>> import qanat as qn
    >>> qn.create_streaming_table("events")
    >>> @qn.append_flow(target="events", once=True)
    ... def history():
    ...     return "SELECT * FROM old_clicks"
    """
    place = here()
    checked_name(target, "target table", place)

    def decorate(function: QueryFunction) -> QueryFunction:
        notes = notes_of(function, place)
        notes.used_by.append("append_flow")
        flow_name = checked_name(name or notes.name, "flow", place)
        flow = Flow(flow_name, place, _query_of(function, "append_flow", place), notes, bool(once))
        current().append_flows.append(AppendFlow(target, flow))
        return function

    return decorate


@known_arguments
def map_batches(sql: str, *, schema: str) -> Callable[[QueryFunction], QueryFunction]:
    """Makes a dataset's rows with a Python function over Arrow record batches, in this process, zero copy.

    Used under `table` or `append_flow`. The function gets a ``pyarrow.RecordBatch`` with the columns of
    ``sql`` and returns a RecordBatch or a Table with the columns of ``schema``, found by name; it may return
    fewer or more rows than it got. Batches have up to a few thousand rows, in no promised cut: the result
    must not depend on where one batch ends. When the function raises, the batch is halved until the rows that
    make it raise stand alone; those become dead letters with the reason ``udf``.

    Parameters
    ----------
    sql
        The query that feeds it.
    schema
        Column list of what it returns, in DuckDB's types.

    Raises
    ------
    QanatError
        QN-1105 (schema), QN-1128 (argument), QN-4103 (no pyarrow); while running QN-4102 (it returned
        something else).

    Examples
    --------
    >>> import qanat as qn
    >>> @qn.table
    ... @qn.map_batches("SELECT id, price FROM clean", schema="id BIGINT, score DOUBLE")
    ... def scored(batch):
    ...     import pyarrow as pa, pyarrow.compute as pc
    ...     score = pc.multiply(pc.cast(batch["price"], pa.float64()), 0.5)
    ...     return pa.record_batch({"id": batch["id"], "score": score})
    """
    place = here()
    if not isinstance(sql, str):
        raise QanatError(
            "QN-1128",
            "map_batches() needs the SQL that feeds the function.",
            [f"at {place}", 'For example:  @qn.map_batches("SELECT id FROM clean", schema="id BIGINT")'],
        )
    schemas.columns(schema, "map_batches()", place)

    def decorate(function: QueryFunction) -> QueryFunction:
        notes = notes_of(function, place)
        notes.batch = BatchFunction(sql, schema, function, place)
        return function

    return decorate


class _StoredOptions:
    """The options that tables and views share, checked once."""

    def __init__(
        self,
        name: str | None,
        comment: str | None,
        table_properties: Mapping[str, str] | None,
        partition_cols: Sequence[str] | None,
        schema: str | None,
        keys: Sequence[str] | None = None,
        windows: Windows | None = None,
    ) -> None:
        self.name = name
        self.comment = comment
        self.table_properties = table_properties
        self.partition_cols = partition_cols
        self.schema = schema
        self.keys = keys
        self.windows = windows or Windows()

    def dataset(self, kind: str, name: str, place: Where, docstring: str) -> Dataset:
        checked_name(name, "dataset", place)
        if self.schema is not None:
            schemas.columns(self.schema, f"dataset '{name}'", place)
        _check_windows(self.windows, name, place)
        return Dataset(
            name,
            kind,
            place,
            comment=self.comment if self.comment is not None else docstring,
            partition_cols=_names(self.partition_cols, "partition_cols", name, place),
            table_properties=_properties(self.table_properties, name, place),
            schema=self.schema or "",
            keys=_names(self.keys, "keys", name, place),
            windows=self.windows,
        )


def _check_windows(windows: Windows, dataset: str, place: Where) -> None:
    wrong = ""
    if windows.emit not in ("on_update", "on_window_close"):
        wrong = f'emit is "on_update" or "on_window_close", and got {windows.emit!r}.'
    elif windows.column and not windows.size:
        wrong = f'window="{windows.column}" needs its length, such as window_size="1 minute".'
    elif not windows.column and (windows.size or windows.lateness or windows.emit != "on_update"):
        wrong = 'window_size, allowed_lateness and emit="on_window_close" need window="…", its column.'
    for argument, given in (("window_size", windows.size), ("allowed_lateness", windows.lateness)):
        if not wrong and given and not is_duration(given):
            wrong = f"{argument} is '{given}', which is no time. For example: \"30 seconds\"."
    if wrong:
        raise QanatError(
            "QN-1128",
            f"The windows of dataset '{dataset}' are not well said.",
            [f"at {place}", wrong, "Nothing was started."],
        )


def _decorator(
    called: str, kind: str, function: Callable[..., Any] | None, options: _StoredOptions, place: Where
) -> Any:
    def decorate(decorated: QueryFunction) -> QueryFunction:
        query = _query_of(decorated, called, place)
        notes = notes_of(decorated, place)
        notes.used_by.append(called)
        dataset = options.dataset(kind, options.name or notes.name, place, inspect.getdoc(decorated) or "")
        dataset.notes = notes
        dataset.flows.append(Flow(dataset.name, place, query, notes))
        current().datasets.append(dataset)
        return decorated

    return decorate if function is None else decorate(function)


def _query_of(function: object, called: str, place: Where) -> Callable[[], Any]:
    if isinstance(function, str):
        raise QanatError(
            "QN-1128",
            f"@qn.{called} stands over a function that returns the SQL; it does not take the SQL itself.",
            [
                f"at {place}",
                f'For example:  @qn.{called} def clean(): return "SELECT …"',
                "Nothing was started.",
            ],
        )
    if not callable(function):
        raise QanatError(
            "QN-1128",
            f"@qn.{called} stands over a function, and got {type(function).__name__}.",
            [f"at {place}", "Nothing was started."],
        )
    return function


def _names(given: Sequence[str] | None, argument: str, dataset: str, place: Where) -> tuple[str, ...]:
    if given is None:
        return ()
    if isinstance(given, str) or not all(isinstance(item, str) for item in given):
        raise QanatError(
            "QN-1128",
            f"{argument} of dataset '{dataset}' must be a list of column names.",
            [f"at {place}", f"Found: {given!r}", f'For example:  {argument}=["day"]', "Nothing was started."],
        )
    return tuple(given)


def _properties(given: Mapping[str, str] | None, dataset: str, place: Where) -> dict[str, str]:
    properties = dict(given or {})
    for key, value in properties.items():
        if not isinstance(key, str) or not isinstance(value, str):
            raise QanatError(
                "QN-1128",
                f"table_properties of dataset '{dataset}' must be texts, and {key!r} is {value!r}.",
                [f"at {place}", f'For example:  {{"{key}": "{str(value).lower()}"}}', "Nothing was started."],
            )
    return properties
