"""Calls the user's Arrow functions: gives them a RecordBatch, checks and shapes what they return."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qanat.errors import QanatError, did_you_mean
from qanat.pipelines import schema as schemas
from qanat.pipelines.load import raised_in_user_code
from qanat.pipelines.registry import BatchFunction


def batch_callable(batch: BatchFunction, on_failure: Callable[[QanatError], None]) -> Callable[[Any], Any]:
    """What the engine calls with each batch (any object of the Arrow C interface); it returns an Arrow table.

    A failure is reported to ``on_failure`` and raised: the engine stops the step, and the caller of the run
    gets our message instead of the one that crossed C++.
    """
    name = getattr(batch.function, "__name__", "function")
    wanted = [c.name for c in schemas.columns(batch.schema, f"map_batches of '{name}'", batch.where)]

    def call(data: Any) -> Any:
        try:
            import pyarrow as pa

            given = data if isinstance(data, pa.RecordBatch) else pa.record_batch(data)
            return _shaped(batch.function(given), wanted, name, batch)
        except QanatError as error:
            on_failure(error)
            raise
        except ImportError as error:
            if error.name != "pyarrow":
                on_failure(_raised(error, name))
                raise
            missing = QanatError(
                "QN-4103",
                f"Function '{name}' needs pyarrow, which is not installed.",
                [f"at {batch.where}", "Install it:  pip install 'qanat[arrow]'"],
            )
            on_failure(missing)
            raise missing from None
        except Exception as error:
            on_failure(_raised(error, name))
            raise

    return call


def _raised(error: Exception, name: str) -> QanatError:
    told = raised_in_user_code(error, f"Function '{name}'", "QN-4101")
    told.lines[-1:] = ["The step was not committed; the run can be started again and goes on from there."]
    told.kind = "failed"
    return told


def _shaped(given: Any, wanted: list[str], name: str, batch: BatchFunction) -> Any:
    """The result with the declared columns in their order; the engine checks and casts their types."""
    import pyarrow as pa

    if not isinstance(given, (pa.RecordBatch, pa.Table)):
        found = (
            "nothing" if given is None else f"a {type(given).__module__.split('.')[0]} {type(given).__name__}"
        )
        raise _wrong(name, batch, f"gave {found}", ["Expected: a pyarrow RecordBatch or Table"])
    names = given.schema.names
    for column in wanted:
        if names.count(column) != 1:
            how = "twice" if column in names else "not there"
            raise _wrong(
                name,
                batch,
                f"gave rows in which column '{column}' is {how}",
                [
                    f"It gave: {', '.join(names)}",
                    f"Declared: {', '.join(wanted)}",
                    *did_you_mean(column, names),
                ],
            )
    return given.select(wanted)


def _wrong(name: str, batch: BatchFunction, what: str, lines: list[str]) -> QanatError:
    return QanatError(
        "QN-4102",
        f"Function '{name}' {what}.",
        [f"at {batch.where}", *lines, "The step was not committed."],
        kind="failed",
    )
