"""The native engine: hands a pipeline to ``qanat._core``, runs it in a thread, tells its failures as ours."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from qanat.engines.batches import batch_callable, check_arrow
from qanat.engines.inference import check_schemas
from qanat.engines.module import core, duckdb_library
from qanat.errors import QanatError
from qanat.pipelines.plan import Pipeline


@dataclass(frozen=True)
class Limits:
    """What a run may use; empty and 0 leave it to the engine."""

    memory: str = ""
    threads: int = 0
    step_bytes_max: int = 0


@dataclass(frozen=True)
class RunOptions:
    """How a run goes on."""

    continuous: bool = False
    refresh: tuple[str, ...] = ()
    full_refresh: tuple[str, ...] | None = ()  # None: all
    trigger_ms: int = 0

    def to_json(self) -> str:
        """The form that the engine reads."""
        full: list[str] | str = "all" if self.full_refresh is None else list(self.full_refresh)
        return json.dumps(
            {
                "continuous": self.continuous,
                "refresh": list(self.refresh),
                "full_refresh": full,
                "trigger_ms": self.trigger_ms,
            }
        )


@dataclass
class DatasetProgress:
    """Counts of one dataset since the run began.

    ``rows_in`` is the sum of ``rows_out``, ``rows_dead`` and ``rows_dropped`` where rules alone decide.
    ``dead``, ``dropped`` and ``kept`` are violations by rule or reason: a row that breaks two is in both.
    """

    rows_in: int = 0
    rows_out: int = 0
    rows_dead: int = 0
    rows_dropped: int = 0
    dead: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)
    kept: dict[str, int] = field(default_factory=dict)
    steps: int = 0
    seconds: float = 0.0
    bytes_in: int = 0
    files: int = 0


@dataclass
class SourceProgress:
    """Counts of one source since the run began."""

    rows: int = 0
    bytes: int = 0
    files: int = 0
    watermark: str = ""


@dataclass
class StepRows:
    """Rows of one dataset in the step in hand, not committed yet."""

    rows_in: int = 0
    rows_out: int = 0
    rows_dead: int = 0
    rows_dropped: int = 0


@dataclass
class Progress:
    """Where a run is. ``bytes_waiting`` is 0 when it is not known.

    ``sources`` and ``datasets`` count what is committed, ``step`` and ``step_sources`` the step in hand.
    """

    state: str = "starting"
    epoch: int = 0
    bytes_read: int = 0
    bytes_waiting: int = 0
    elapsed_s: float = 0.0
    warnings: list[str] = field(default_factory=list)
    sources: dict[str, SourceProgress] = field(default_factory=dict)
    datasets: dict[str, DatasetProgress] = field(default_factory=dict)
    step: dict[str, StepRows] = field(default_factory=dict)
    step_sources: dict[str, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Progress:
        """From the engine's JSON; members of later versions are left aside."""
        data = json.loads(text)
        progress: Progress = _filled(cls, data)
        progress.sources = {k: _filled(SourceProgress, v) for k, v in (data.get("sources") or {}).items()}
        progress.datasets = {k: _filled(DatasetProgress, v) for k, v in (data.get("datasets") or {}).items()}
        step = data.get("step") or {}
        progress.step = {k: _filled(StepRows, v) for k, v in (step.get("datasets") or {}).items()}
        progress.step_sources = step.get("sources") or {}
        return progress

    def so_far(self) -> dict[str, DatasetProgress]:
        """Counts of the datasets with those of the step in hand: for people who watch."""
        datasets = dict(self.datasets)
        for name, rows in self.step.items():
            committed = datasets.get(name, DatasetProgress())
            datasets[name] = replace(
                committed,
                rows_in=committed.rows_in + rows.rows_in,
                rows_out=committed.rows_out + rows.rows_out,
                rows_dead=committed.rows_dead + rows.rows_dead,
                rows_dropped=committed.rows_dropped + rows.rows_dropped,
            )
        return datasets


def _filled(kind: type[Any], data: dict[str, Any]) -> Any:
    known = kind.__dataclass_fields__
    return kind(**{key: value for key, value in data.items() if key in known and value is not None})


class Engine:
    """A pipeline that the engine has checked and can run, once.

    Parameters
    ----------
    pipeline
        What `load` gave.
    storage
        Folder that holds the tables.
    limits
        Memory, threads, bytes a step.

    Raises
    ------
    QanatError
        Whatever the engine finds wrong: columns, types, SQL that it cannot run.
    """

    def __init__(self, pipeline: Pipeline, storage: str | Path, limits: Limits | None = None) -> None:
        limits = limits or Limits()
        check_arrow(pipeline.functions)
        check_schemas(pipeline.sources)
        spec = pipeline.spec(
            storage=storage,
            library=duckdb_library(),
            memory=limits.memory,
            threads=limits.threads,
            step_bytes_max=limits.step_bytes_max,
        )
        self._failures: list[QanatError] = []
        self._names = [dataset.name for dataset in pipeline.datasets]
        functions: list[Callable[..., Any]] = [
            batch_callable(batch, self._failures.append) for batch in pipeline.functions
        ]
        self._core = _told(lambda: core().Engine(spec, functions), self._failures)

    def describe(self) -> dict[str, Any]:
        """The checked pipeline: columns, flows, fragments, order. See the guide's page on the engine."""
        described: dict[str, Any] = json.loads(_told(self._core.describe, self._failures))
        return described

    def run(self, options: RunOptions) -> None:
        """Runs until the sources end or `stop`; returns when all is committed. QanatError otherwise."""
        _told(lambda: self._core.run(options.to_json()), self._failures)

    def stop(self, *, now: bool = False) -> None:
        """Asks a run in another thread to end: after its step, or at once. Both are safe."""
        self._core.stop(now)

    def progress(self) -> Progress:
        """Where the run is; from any thread, at any time. Datasets in the order of their declaration."""
        progress = Progress.parse(self._core.progress())
        told = progress.datasets
        progress.datasets = {name: told[name] for name in self._names if name in told} | told
        return progress


class RunningThread(threading.Thread):
    """Runs an engine beside the caller; ``failure`` says how it ended."""

    def __init__(self, engine: Engine, options: RunOptions) -> None:
        super().__init__(name="qanat-run", daemon=True)
        self.engine = engine
        self.failure: BaseException | None = None
        self._options = options

    def run(self) -> None:
        """Called by ``start()``."""
        try:
            self.engine.run(self._options)
        except BaseException as error:  # told by whoever waits for the thread
            self.failure = error


def snapshot(table_folder: str | Path, version: int = -1) -> dict[str, Any]:
    """The files, columns and version of a Delta table, read from its log; -1 is the newest version."""
    described: dict[str, Any] = json.loads(
        _told(lambda: core().snapshot(duckdb_library(), str(table_folder), version), [])
    )
    return described


def changes_of(table_folder: str | Path, first: int, last: int = -1) -> dict[str, Any]:
    """The files that say what versions of a Delta table have changed; version -1 is the newest."""
    described: dict[str, Any] = json.loads(
        _told(lambda: core().changes(duckdb_library(), str(table_folder), first, last), [])
    )
    return described


def _told(call: Callable[[], Any], failures: list[QanatError]) -> Any:
    """What ``call`` gives; the engine's failure as ours, or the user function's own where it caused it."""
    try:
        return call()
    except QanatError:
        raise
    except Exception as error:
        if failures:
            first = failures[0]
            failures.clear()  # what it holds leads back to the engine, which could then never be freed
            raise first.with_traceback(None) from error
        code = getattr(error, "code", None)
        if not isinstance(code, str):
            raise
        raise QanatError(
            code,
            str(getattr(error, "text", "")),
            getattr(error, "lines", ()),
            kind=str(getattr(error, "kind", "failed")),
        ) from None
