"""Reads the values of options: sizes, times, lists of names."""

from __future__ import annotations

import re

from qanat.errors import QanatError

_SIZE = re.compile(r"\d+(\.\d+)?\s*([kmgt]i?)?b", re.IGNORECASE)
_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)")
_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}
_TRIGGER_MS_MAX = 24 * 3_600_000
_THREADS_MAX = 1024


def memory(text: str) -> str:
    """``2GB`` as it is; QN-1301 when it is no size."""
    if text and not _SIZE.fullmatch(text):
        raise QanatError(
            "QN-1301", f"--memory {text} is no size.", ["For example:  --memory 2GB, --memory 512MB"]
        )
    return text


def threads(number: int) -> int:
    """A number of threads; 0 is all cores."""
    if not 0 <= number <= _THREADS_MAX:
        raise QanatError(
            "QN-1301", f"--threads {number} cannot be.", [f"From 1 to {_THREADS_MAX}; 0 is all cores."]
        )
    return number


def trigger_ms(text: str) -> int:
    """``1s``, ``500ms``, ``5m`` in milliseconds; empty is 0."""
    if not text:
        return 0
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise QanatError(
            "QN-1301", f"--trigger {text} is no time.", ["For example:  --trigger 1s, 500ms, 5m"]
        )
    milliseconds = int(float(found[1]) * _MS[found[2]])
    if milliseconds > _TRIGGER_MS_MAX:
        raise QanatError("QN-1301", f"--trigger {text} is longer than a day.", ["Start a run a day instead."])
    return milliseconds


def names(given: list[str]) -> tuple[str, ...]:
    """``["a,b", "c"]`` → ``("a", "b", "c")``: an option may be repeated, or hold a list."""
    return tuple(dict.fromkeys(name.strip() for text in given for name in text.split(",") if name.strip()))
