"""Stands between the engine and the user's Arrow functions: refuses an answer that is no answer.

A row that a function fails on is a dead letter (see ``_functions``); a function whose answer has the wrong
form is a mistake in the pipeline, and stops the run.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Callable, Iterable
from typing import Any

from qanat.errors import QanatError, did_you_mean
from qanat.pipelines import schema as schemas
from qanat.pipelines.registry import BatchFunction


def check_arrow(functions: Iterable[BatchFunction]) -> None:
    """QN-4103 when there are functions and pyarrow is not installed."""
    first = next(iter(functions), None)
    if first is not None and importlib.util.find_spec("pyarrow") is None:
        raise QanatError(
            "QN-4103",
            f"Function '{first.function.__name__}' needs pyarrow, which is not installed.",
            [f"at {first.where}", "Install it:  pip install 'qanat[arrow]'", "Nothing was started."],
        )


def batch_callable(batch: BatchFunction, on_failure: Callable[[QanatError], None]) -> Callable[[Any], Any]:
    """The function as the engine calls it: with a RecordBatch, for a RecordBatch or Table.

    An answer of the wrong form is reported to ``on_failure`` and raised: the engine stops the step, and the
    caller of the run gets our message instead of the one that crossed C++.
    """
    name = getattr(batch.function, "__name__", "function")
    wanted = [c.name for c in schemas.columns(batch.schema, f"map_batches of '{name}'", batch.where)]

    @functools.wraps(batch.function)
    def call(data: Any) -> Any:
        given = batch.function(data)
        try:
            return _shaped(given, wanted, name, batch)
        except QanatError as error:
            on_failure(error)
            raise

    return call


def _shaped(given: Any, wanted: list[str], name: str, batch: BatchFunction) -> Any:
    """The answer with the declared columns in their order; types are cast later."""
    import pyarrow as pa

    if given is None:
        hint = "For no rows return batch.slice(0, 0), or is a 'return' missing?"
        raise _wrong(name, batch, "gave nothing back", [hint])
    if not isinstance(given, (pa.RecordBatch, pa.Table)):
        found = f"a {type(given).__module__.split('.')[0]} {type(given).__name__}"
        raise _wrong(name, batch, f"gave {found}", ["Expected: a pyarrow RecordBatch or Table"])
    names = given.schema.names
    for column in wanted:
        if names.count(column) != 1:
            how = "there twice" if column in names else "not there"
            shown = [f"It gave: {', '.join(names)}", f"Declared: {', '.join(wanted)}"]
            what = f"gave rows in which column '{column}' is {how}"
            raise _wrong(name, batch, what, [*shown, *did_you_mean(column, set(names) - {column})])
    return given.select(wanted)


def _wrong(name: str, batch: BatchFunction, what: str, lines: list[str]) -> QanatError:
    said = [f"at {batch.where}", *lines, "The step was not committed."]
    return QanatError("QN-4102", f"Function '{name}' {what}.", said, kind="failed")
