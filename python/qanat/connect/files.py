"""Local files as a source: which ones, and in which order. Describes; opens nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass

from qanat import where
from qanat.arguments import known_arguments
from qanat.errors import QanatError, did_you_mean

ORDERS = ("name", "modified", "event_time")


@dataclass(frozen=True)
class Files:
    """Files that match a pattern; made by `files`."""

    glob: str
    order: str
    record_bytes_max: int


@known_arguments
def files(glob: str | os.PathLike[str], *, order: str = "name", record_bytes_max: int = 0) -> Files:
    """Local files, plain, gzip or zstd; new ones are found while a pipeline runs, each is read once.

    Parameters
    ----------
    glob
        A path or a pattern: ``*`` and ``?`` within a name, ``**`` for folders of any depth, ``[ab]``,
        ``{a,b}``. A relative path starts at the folder of the pipeline file, wherever you run it from.
    order
        In which order files are read: ``"name"`` (default; right for dated names), ``"modified"`` (by
        modification time, then name), or ``"event_time"`` (by the first value of the source's event-time
        column in each file). It decides which rows are late when a watermark is set.
    record_bytes_max
        The longest record in bytes; a longer one becomes a dead letter. 0: the engine's limit.

    Raises
    ------
    QanatError
        QN-1129 for an order that does not exist.

    Examples
    --------
    >>> import qanat as qn
    >>> qn.files("data/*.jsonl").order
    'name'
    """
    text = os.fspath(glob)
    if not isinstance(text, str) or not text.strip():
        raise QanatError(
            "QN-1129",
            "files() needs a path or a pattern.",
            [f"at {where.here()}", 'For example:  qn.files("data/*.jsonl")', "Nothing was started."],
        )
    if order not in ORDERS:
        raise QanatError(
            "QN-1129",
            f"files(order={order!r}) cannot be: it must be one of {', '.join(ORDERS)}.",
            [f"at {where.here()}", *did_you_mean(str(order), ORDERS), "Nothing was started."],
        )
    if not isinstance(record_bytes_max, int) or record_bytes_max < 0:
        raise QanatError(
            "QN-1129",
            f"files(record_bytes_max={record_bytes_max!r}) cannot be: it must be bytes, 0 or more.",
            [f"at {where.here()}", "Nothing was started."],
        )
    return Files(text, order, record_bytes_max)
