"""Qanat: Python declares datasets, DuckDB compiles and evaluates, the lake receives each row exactly once.

>>> import qanat as qn
>>> qn.source("clicks", qn.files("data/*.jsonl"), schema="id BIGINT, price DOUBLE")
>>> @qn.expect_or_quarantine("fair_price", "price >= 0")
... @qn.table
... def clean():
...     return "SELECT * FROM clicks"
"""

from typing import TYPE_CHECKING, Any

from qanat._version import __version__
from qanat.connect.files import Files, files
from qanat.connect.formats import Format, csv, json, parquet
from qanat.errors import QanatError
from qanat.pipelines.datasets import (
    append_flow,
    create_streaming_table,
    map_batches,
    materialized_view,
    table,
    temporary_view,
)
from qanat.pipelines.expectations import (
    expect,
    expect_all,
    expect_all_or_drop,
    expect_all_or_fail,
    expect_all_or_quarantine,
    expect_or_drop,
    expect_or_fail,
    expect_or_quarantine,
)
from qanat.pipelines.sources import reference, source

if TYPE_CHECKING:
    from qanat.lake.changes import changes
    from qanat.pipelines.load import load
    from qanat.pipelines.plan import Pipeline

__all__ = [
    "Files",
    "Format",
    "Pipeline",
    "QanatError",
    "__version__",
    "append_flow",
    "changes",
    "create_streaming_table",
    "csv",
    "expect",
    "expect_all",
    "expect_all_or_drop",
    "expect_all_or_fail",
    "expect_all_or_quarantine",
    "expect_or_drop",
    "expect_or_fail",
    "expect_or_quarantine",
    "files",
    "json",
    "load",
    "map_batches",
    "materialized_view",
    "parquet",
    "reference",
    "source",
    "table",
    "temporary_view",
]


def __getattr__(name: str) -> Any:
    """Loads what a pipeline file does not need when it is asked for: importing Qanat stays quick."""
    if name == "changes":
        from qanat.lake.changes import changes

        return changes
    if name == "load":
        from qanat.pipelines.load import load

        return load
    if name == "Pipeline":
        from qanat.pipelines.plan import Pipeline

        return Pipeline
    raise AttributeError(f"module 'qanat' has no attribute '{name}'")
