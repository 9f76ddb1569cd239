"""Calls a pipeline's batch functions on Arrow data. Imported by the engine only when a pipeline has one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pyarrow as pa

from qanat.errors import QanatError

CHUNK_ROWS = 2048  # DuckDB's vector size: what comes back is cut into slices of it, without a copy
SHOWN_ERROR_CHARACTERS = 500

Answer = tuple[list[tuple[Any, Any]], list[tuple[str, str]]]


class _Holder:
    """Gives pyarrow a schema and an array that came as capsules."""

    def __init__(self, schema: Any, array: Any) -> None:
        self._schema = schema
        self._array = array

    def __arrow_c_array__(self, requested_schema: Any = None) -> tuple[Any, Any]:
        return self._schema, self._array


class _SchemaHolder:
    """Gives pyarrow a schema that came as a capsule."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema

    def __arrow_c_schema__(self) -> Any:
        return self._schema


def _as_batches(result: pa.RecordBatch | pa.Table, wanted: pa.Schema) -> list[pa.RecordBatch]:
    """The function's answer in the declared types; its columns are there and in order already."""
    table = pa.Table.from_batches([result]) if isinstance(result, pa.RecordBatch) else result
    return list(table.cast(wanted).to_batches(max_chunksize=CHUNK_ROWS))


def _row_json(batch: pa.RecordBatch) -> str:
    """The only row of a batch, for a dead letter."""
    return json.dumps(batch.to_pylist()[0], default=str, ensure_ascii=False)


def _call(
    function: Callable[[pa.RecordBatch], Any],
    batch: pa.RecordBatch,
    wanted: pa.Schema,
    failures: list[tuple[str, str]],
) -> list[pa.RecordBatch]:
    """Calls; when it fails, halves the batch until the rows that make it fail stand alone.

    An answer of the wrong form (QanatError, see engines/batches.py) is no row's fault, and goes up.
    """
    try:
        return _as_batches(function(batch), wanted)
    except QanatError:
        raise  # the answer has the wrong form: that is no row's fault
    except Exception as error:
        if batch.num_rows <= 1:
            text = f"{type(error).__name__}: {error}"[:SHOWN_ERROR_CHARACTERS]
            failures.append((_row_json(batch), text))
            return []
    half = batch.num_rows // 2
    first = _call(function, batch.slice(0, half), wanted, failures)
    return first + _call(function, batch.slice(half), wanted, failures)


def call(function: Callable[[pa.RecordBatch], Any], schema: Any, array: Any, wanted: Any) -> Answer:
    """One batch in; batches of the wanted schema out, and the rows that the function failed on."""
    batch = pa.record_batch(_Holder(schema, array))
    failures: list[tuple[str, str]] = []
    batches = _call(function, batch, pa.schema(_SchemaHolder(wanted)), failures)
    return [item.__arrow_c_array__() for item in batches], failures
