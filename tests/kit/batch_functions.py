"""Functions that test pipelines call on Arrow batches."""

from __future__ import annotations

from typing import Any


def twice(batch: Any) -> Any:
    """`id` and its double; the row whose id is 13 makes it fail."""
    import pyarrow as pa

    ids = batch.column("id").to_pylist()
    if 13 in ids:
        raise ValueError("thirteen")
    doubled = pa.array([None if i is None else (i * 2 if abs(i) < 1 << 62 else i) for i in ids], pa.int64())
    return pa.record_batch([batch.column("id"), doubled], names=["id", "twice"])
