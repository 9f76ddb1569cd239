"""What a pipeline file declares, in the order it says it. Holds it; checks nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from qanat.connect.files import Files
from qanat.connect.formats import Format
from qanat.where import Where

ACTIONS = ("keep", "drop", "fail", "quarantine")


@dataclass
class Source:
    """Where rows come from, without end or with one."""

    name: str
    where: Where
    connector: Files
    format: Format
    schema: str
    event_time: str
    watermark: str
    idle_timeout: str
    comment: str


@dataclass
class Reference:
    """A bounded input, read whole when a run starts."""

    name: str
    where: Where
    sql: str
    path: str = ""  # absolute path or pattern; empty when it is a query


@dataclass(frozen=True)
class Expectation:
    """A rule on the rows of a dataset."""

    name: str
    condition: str
    action: str
    where: Where


@dataclass
class BatchFunction:
    """A Python function over Arrow batches, and the SQL that feeds it."""

    sql: str
    schema: str
    function: Callable[..., Any]
    where: Where


@dataclass
class Notes:
    """What decorators above and below ``@table`` say about one function."""

    name: str
    where: Where
    expectations: list[Expectation] = field(default_factory=list)
    batch: BatchFunction | None = None
    used_by: list[str] = field(default_factory=list)  # what the function became: "table", "append_flow", …


@dataclass
class Flow:
    """An edge that writes a dataset: SQL text, or a function that gives it."""

    name: str
    where: Where
    query: str | Callable[[], Any]
    notes: Notes | None
    once: bool = False


@dataclass(frozen=True)
class Windows:
    """How the windows of a view end. Without ``column`` they do not."""

    emit: str = "on_update"
    column: str = ""
    size: str = ""
    lateness: str = ""


@dataclass
class Dataset:
    """A table, a view, or a temporary view."""

    name: str
    kind: str  # table, streaming_table, materialized_view, temporary_view
    where: Where
    comment: str = ""
    partition_cols: tuple[str, ...] = ()
    table_properties: dict[str, str] = field(default_factory=dict)
    schema: str = ""
    keys: tuple[str, ...] = ()
    windows: Windows = Windows()
    expectations: list[Expectation] = field(default_factory=list)
    notes: Notes | None = None
    flows: list[Flow] = field(default_factory=list)


@dataclass
class AppendFlow:
    """A flow declared apart from its target, which may come later in the file."""

    target: str
    flow: Flow


class Registry:
    """All declarations of one load, in order."""

    def __init__(self) -> None:
        self.sources: list[Source] = []
        self.references: list[Reference] = []
        self.datasets: list[Dataset] = []
        self.append_flows: list[AppendFlow] = []
        self.notes: list[Notes] = []


_current = [Registry()]


def current() -> Registry:
    """The registry that declarations go to now: of the load under way, or the process's own."""
    return _current[-1]


@contextmanager
def collecting() -> Iterator[Registry]:
    """Sends declarations to a new registry for as long as the block lasts."""
    registry = Registry()
    _current.append(registry)
    try:
        yield registry
    finally:
        _current.remove(registry)
