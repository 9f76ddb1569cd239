"""The kit of tests that give a pipeline many lives."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent / "kit"))

import incarnation


@pytest.fixture(scope="session")
def lives() -> Iterator[incarnation.Lives]:
    with incarnation.Lives() as lives:
        yield lives
