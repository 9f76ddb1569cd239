"""The kit of tests that give a pipeline many lives."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "kit"))

import incarnation
import shop


@pytest.fixture(scope="session")
def lives() -> Iterator[incarnation.Lives]:
    with incarnation.Lives() as lives:
        yield lives


@pytest.fixture
def shop_with_lines(tmp_path: Path) -> shop.Shop:
    """The small pipeline with three files of input, some ten steps."""
    made = shop.Shop(tmp_path)
    for file, count in (("a.jsonl", 40), ("b.jsonl", 25), ("c.jsonl", 30)):
        made.write(file, count)
    return made
