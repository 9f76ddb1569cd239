"""Pipelines and machines to do harm to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import incarnation
import pytest
import shop


@pytest.fixture(scope="session")
def obedient() -> Iterator[incarnation.Lives]:
    """Lives that may do only what the modes of files allow, also as root."""
    with incarnation.Lives(obeys_modes=True) as lives:
        yield lives


@pytest.fixture
def shop_with_lines(tmp_path: Path) -> shop.Shop:
    """The small pipeline with three files of input, some five steps."""
    made = shop.Shop(tmp_path)
    for file, count in (("a.jsonl", 40), ("b.jsonl", 25), ("c.jsonl", 30)):
        made.write(file, count)
    return made


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB; needs root."""
    folder = tmp_path / "small"
    folder.mkdir()
    if os.system(f"mount -t tmpfs -o size=4m qanat-test {folder}") != 0:
        pytest.skip("this user cannot mount a small file system")
    yield folder
    os.system(f"umount -l {folder}")
