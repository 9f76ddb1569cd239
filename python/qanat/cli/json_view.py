"""A run as JSON lines: one for each change of state, for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from qanat.cli import exit_codes
from qanat.engines.native import Progress
from qanat.errors import QanatError
from qanat.pipelines.plan import Pipeline


class JsonView:
    """Events: ``begin``, ``state``, ``step`` (one or more were committed), ``warning``, ``stop``, ``end``."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._state = ""
        self._steps = 0
        self._warnings = 0

    def begin(self, pipeline: Pipeline, storage: Path) -> None:
        """Names the pipeline, and what was noticed about it."""
        self._write(
            "begin",
            pipeline=pipeline.name,
            file=str(pipeline.file),
            storage=str(storage.resolve()),
            datasets=[dataset.name for dataset in pipeline.datasets],
        )
        for notice in pipeline.notices:
            self._write("warning", text=notice)

    def show(self, progress: Progress) -> None:
        """Writes what changed since the last call."""
        for text in progress.warnings[self._warnings :]:
            self._write("warning", text=text)
        self._warnings = len(progress.warnings)
        if progress.state != self._state:
            self._state = progress.state
            self._write("state", state=progress.state)
        steps = sum(dataset.steps for dataset in progress.datasets.values())
        if steps > self._steps:
            self._steps = steps
            self._write("step", **_counts(progress))

    def say(self, text: str) -> None:
        """A stop was asked for."""
        self._write("stop", text=text)

    def end(self, progress: Progress, failure: QanatError | None, asked: bool) -> None:
        """The last line: how it ended, all counts, the exit code unless a signal decides it."""
        self.show(progress)
        error = None
        if failure is not None:
            error = {"code": failure.code, "text": failure.text, "lines": failure.lines, "kind": failure.kind}
        self._write(
            "end",
            outcome="failed" if failure else "stopped" if asked else "done",
            error=error,
            exit_code=exit_codes.of(failure, started=True) if failure else None if asked else exit_codes.OK,
            **_counts(progress),
        )

    def _write(self, event: str, **members: Any) -> None:
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **members}
        self._out.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._out.flush()


def _counts(progress: Progress) -> dict[str, Any]:
    return {
        "epoch": progress.epoch,
        "elapsed_s": progress.elapsed_s,
        "bytes_read": progress.bytes_read,
        "bytes_waiting": progress.bytes_waiting,
        "sources": {name: asdict(source) for name, source in progress.sources.items()},
        "datasets": {name: asdict(dataset) for name, dataset in progress.datasets.items()},
    }
