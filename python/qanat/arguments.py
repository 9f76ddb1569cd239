"""Refuses arguments that a declaration does not know, with a message that tells what is meant instead."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from qanat import where
from qanat.errors import QanatError, did_you_mean

P = ParamSpec("P")
R = TypeVar("R")

# Arguments of other systems that a user may bring along, and what to do about each.
_ELSEWHERE = {
    "spark_conf": "spark_conf holds Spark's settings; Qanat has --memory and --threads, and no others.",
    "cluster_by": "Qanat lays files out by partition_cols only; leave cluster_by out.",
    "cluster_by_auto": "Qanat lays files out by partition_cols only; leave cluster_by_auto out.",
    "path": "A table lives in the pipeline's storage folder, see --storage; leave path out.",
    "row_filter": "Rows are filtered by the dataset's SQL; leave row_filter out.",
    "format": "A dataset's table is always a Delta table; leave format out.",
    "schema": "A temporary view has the columns of its SQL; leave schema out.",
    "refresh_policy": "A view follows its inputs step by step; leave refresh_policy out.",
}


def known_arguments(function: Callable[P, R]) -> Callable[P, R]:
    """Wraps a public function so that an unknown or missing argument is told in our words (QN-1128)."""
    code = function.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    positional_max = code.co_argcount
    required = code.co_argcount - len(function.__defaults__ or ())
    called = function.__name__

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        for name in kwargs:
            if name not in names:
                raise _unknown(called, name, names)
        if len(args) > positional_max:
            raise _refused(
                called, f"takes {_count(positional_max)} by position, and {len(args)} were given", names
            )
        missing = [name for name in names[len(args) : required] if name not in kwargs]
        keyword_only = names[positional_max:]
        defaults = function.__kwdefaults__ or {}
        missing += [name for name in keyword_only if name not in defaults and name not in kwargs]
        if missing:
            raise _refused(called, f"needs {' and '.join(missing)}", names)
        return function(*args, **kwargs)

    return checked


def _count(number: int) -> str:
    return "no argument" if number == 0 else f"{number} argument{'s' if number > 1 else ''}"


def _unknown(called: str, name: str, names: tuple[str, ...]) -> QanatError:
    lines = [f"at {where.here()}"]
    lines += [_ELSEWHERE[name]] if name in _ELSEWHERE else did_you_mean(name, names)
    lines += [f"{called}() takes: {', '.join(names) or 'nothing'}", "Nothing was started."]
    return QanatError("QN-1128", f"{called}() has no argument '{name}'.", lines)


def _refused(called: str, why: str, names: tuple[str, ...]) -> QanatError:
    lines = [
        f"at {where.here()}",
        f"{called}() takes: {', '.join(names) or 'nothing'}",
        "Nothing was started.",
    ]
    return QanatError("QN-1128", f"{called}() {why}.", lines)
