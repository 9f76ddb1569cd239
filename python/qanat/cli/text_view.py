"""A run as plain lines, for logs and pipes: one every few seconds, and the summary at the end."""

from __future__ import annotations

from pathlib import Path

from qanat.cli import summary
from qanat.cli.console import clock, console, count, plural, print_failure, short, size
from qanat.engines.native import Progress
from qanat.errors import QanatError
from qanat.pipelines.plan import Pipeline
from qanat.where import shown

LINE_EVERY_S = 5.0


class TextView:
    """Writes to standard output."""

    def __init__(self) -> None:
        self._console = console()
        self._last_s = 0.0
        self._warnings = 0
        self._pipeline: Pipeline | None = None
        self._storage = Path()

    def begin(self, pipeline: Pipeline, storage: Path) -> None:
        """One line about what runs."""
        self._pipeline, self._storage = pipeline, storage
        self._line(
            f"qanat run {shown(str(pipeline.file))}: "
            f"{plural(len(pipeline.datasets), 'dataset')}, into {shown(str(storage))}"
        )
        for notice in pipeline.notices:
            self._line(f"note: {notice}")

    def show(self, progress: Progress) -> None:
        """A line when the last one is some seconds old."""
        for text in progress.warnings[self._warnings :]:
            self._line(f"warning: {text}")
        self._warnings = len(progress.warnings)
        if progress.elapsed_s - self._last_s < LINE_EVERY_S:
            return
        self._last_s = progress.elapsed_s
        self._line(progress_line(progress))

    def say(self, text: str) -> None:
        """A stop was asked for."""
        self._line(text)

    def end(self, progress: Progress, failure: QanatError | None, asked: bool) -> None:
        """The summary, then where to look next; or the failure."""
        assert self._pipeline is not None
        self._last_s = progress.elapsed_s
        self.show(progress)
        summary.print_summary(self._console, progress, failure, asked)
        if failure is not None:
            print_failure(failure)
            return
        summary.print_next(self._console, self._pipeline, self._storage, progress, asked)

    def _line(self, text: str) -> None:
        self._console.print(text, markup=False, soft_wrap=True)


def progress_line(progress: Progress) -> str:
    """``0:15 running, step 3, 61.3 MB (4.1 MB/s): clean 120,000 in, 118,200 out, 1,800 dead``."""
    rate = progress.bytes_read / progress.elapsed_s if progress.elapsed_s > 0 else 0
    parts = []
    for name, dataset in progress.so_far().items():
        parts.append(
            f"{name} {short(dataset.rows_in)} in, {short(dataset.rows_out)} out"
            + (f", {count(dataset.rows_dead)} dead" if dataset.rows_dead else "")
        )
    left = f", {size(progress.bytes_waiting)} waiting" if progress.bytes_waiting else ""
    head = (
        f"{clock(progress.elapsed_s)} {progress.state}, step {progress.epoch}, "
        f"{size(progress.bytes_read)} ({size(rate)}/s{left})"
    )
    return f"{head}: {'; '.join(parts)}" if parts else head
