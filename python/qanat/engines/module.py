"""The compiled module and DuckDB's library: where they are. The only place that imports ``qanat._core``."""

from __future__ import annotations

import importlib
import importlib.util
import os
from types import ModuleType

from qanat.errors import QanatError

LIBRARY_VARIABLE = "QANAT_DUCKDB"


def core() -> ModuleType:
    """The compiled module; QN-1306 when this installation has none."""
    try:
        return importlib.import_module("qanat._core")
    except ImportError as error:
        raise QanatError(
            "QN-1306",
            "The compiled part of Qanat is missing or does not load.",
            [str(error), "Install the package again:  pip install --force-reinstall qanat"],
            kind="failed",
        ) from None


def duckdb_library() -> str:
    """Path of DuckDB's shared object: what $QANAT_DUCKDB names, or the one inside the duckdb package."""
    named = os.environ.get(LIBRARY_VARIABLE, "")
    if named:
        return named
    found = importlib.util.find_spec("_duckdb")
    return found.origin if found is not None and found.origin else ""
