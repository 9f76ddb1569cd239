"""Finds and writes the place in the user's code that a declaration came from."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep  # noqa: PTH100, PTH120


class Where(NamedTuple):
    """A line of a file of the user."""

    file: str
    line: int

    def __str__(self) -> str:
        """Relative to the working folder when below it, so that a terminal can open it."""
        return f"{shown(self.file)}:{self.line}"


def shown(path: str) -> str:
    """The path as people like to read it: relative when it lies below the working folder."""
    try:
        relative = os.path.relpath(path)
    except ValueError:
        return path
    return path if relative.startswith("..") else relative


def here() -> Where:
    """The nearest caller outside of this package."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return Where(frame.f_code.co_filename, frame.f_lineno)
