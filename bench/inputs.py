"""Calls the modules that import an engine, each in a process of its own.

DuckDB in this process would count as the children's memory (see measure.py).
"""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path

from bench.measure import BenchError

_REPOSITORY = Path(__file__).parent.parent


def json_of(module: str, *arguments: str) -> dict:
    """What the module prints."""
    told = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=_REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode != 0:
        raise BenchError(f"{module} {' '.join(arguments)}:\n{told.stderr[-2000:]}")
    return json.loads(told.stdout)


@cache
def made(module: str, *arguments: str) -> dict:
    """The input that the generator keeps in the cache: "folder", and what it holds."""
    return json_of(module, *arguments)
