"""A run as it goes, drawn on a terminal: one line for the whole, one for each dataset, ten times a second."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from rich.console import Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from qanat._version import __version__
from qanat.cli import summary
from qanat.cli.console import clock, console, count, plural, print_failure, short, size, table
from qanat.engines.native import Progress
from qanat.errors import QanatError
from qanat.pipelines.plan import Pipeline
from qanat.where import shown

_RATE_OVER_S = 8.0
_SHORTEST_S = 1e-3
_BAR_WIDTH_MAX = 28
_HEAD_WIDTH = 74  # of all in the first line that is not the bar
_DATASETS_SHOWN_MAX = 16
_NOTES_SHOWN_MAX = 4
_STATE_WORDS = {
    "starting": "starting",
    "running": "running",
    "idle": "waiting for more",
    "stopping": "ending",
}


class Rates:
    """Speeds over the last steps. Counts move when a step is committed, so the marks are steps, not looks."""

    def __init__(self, over_s: float = _RATE_OVER_S) -> None:
        self._over_s = over_s
        self._marks: deque[Progress] = deque([Progress()])

    def add(self, progress: Progress) -> None:
        """Takes one look at the run; marks older than the window are forgotten, but for the last two."""
        if progress.bytes_read == self._marks[-1].bytes_read and progress.epoch == self._marks[-1].epoch:
            return
        self._marks.append(progress)
        while len(self._marks) > 2 and progress.elapsed_s - self._marks[1].elapsed_s >= self._over_s:
            self._marks.popleft()

    def bytes_per_s(self) -> float:
        """Input of all sources."""
        return (self._marks[-1].bytes_read - self._marks[0].bytes_read) / self._seconds()

    def rows_per_s(self, dataset: str) -> float:
        """Rows that reached a dataset."""
        first, last = self._marks[0].datasets.get(dataset), self._marks[-1].datasets.get(dataset)
        return ((last.rows_in if last else 0) - (first.rows_in if first else 0)) / self._seconds()

    def _seconds(self) -> float:
        return max(self._marks[-1].elapsed_s - self._marks[0].elapsed_s, _SHORTEST_S)


class LiveView:
    """Draws while the run goes; at the end the drawing gives way to the summary."""

    def __init__(self) -> None:
        self._console = console()
        self._rates = Rates()
        self._notes: list[str] = []
        self._warnings = 0
        self._spinner = Spinner("dots", style="water")
        self._live = Live(console=self._console, auto_refresh=False, transient=True)
        self._pipeline: Pipeline | None = None
        self._storage = Path()

    def begin(self, pipeline: Pipeline, storage: Path) -> None:
        """A title, then the drawing."""
        self._pipeline, self._storage = pipeline, storage
        self._console.print(
            Text.assemble(
                ("qanat ", "bold cyan"),
                (f"{__version__}  ", "quiet"),
                (pipeline.name, "name"),
                (f"  {plural(len(pipeline.datasets), 'dataset')} → {shown(str(storage))}", "quiet"),
            )
        )
        for notice in pipeline.notices:
            self._console.print(Text.assemble(("! ", "warn"), notice))
        self._live.start()

    def show(self, progress: Progress) -> None:
        """Draws it anew."""
        self._take_warnings(progress)
        self._rates.add(progress)
        self._live.update(self._drawing(progress), refresh=True)

    def say(self, text: str) -> None:
        """A note under the drawing."""
        self._notes.append(text)

    def end(self, progress: Progress, failure: QanatError | None, asked: bool) -> None:
        """Summary and next commands; or the failure."""
        assert self._pipeline is not None
        self._live.stop()
        self._take_warnings(progress)
        summary.print_summary(self._console, progress, failure, asked)
        if failure is not None:
            print_failure(failure)
            return
        summary.print_next(self._console, self._pipeline, self._storage, progress, asked)

    def _take_warnings(self, progress: Progress) -> None:
        for text in progress.warnings[self._warnings :]:
            self._live.console.print(Text.assemble(("! ", "warn"), text))
        self._warnings = len(progress.warnings)

    def _drawing(self, progress: Progress) -> RenderableType:
        parts: list[RenderableType] = [Text(), self._head(progress)]
        if progress.so_far():
            parts += [Text(), self._datasets(progress)]
        parts += [Text.assemble(("  ! ", "warn"), note) for note in self._notes[-_NOTES_SHOWN_MAX:]]
        return Group(*parts)

    def _head(self, progress: Progress) -> Table:
        """Spinner, state, step, time, bar, bytes, speed."""
        line = Table.grid(padding=(0, 2, 0, 0))
        speed = 0.0 if progress.state == "idle" else self._rates.bytes_per_s()
        total = progress.bytes_read + progress.bytes_waiting
        cells: list[RenderableType] = [
            self._spinner if progress.state != "idle" else Text("·", style="water"),
            Text(_STATE_WORDS.get(progress.state, progress.state), style="bold"),
            Text(f"step {progress.epoch}"),
            Text(clock(progress.elapsed_s)),
        ]
        if progress.bytes_waiting and total:
            cells.append(
                ProgressBar(
                    total=total,
                    completed=progress.bytes_read,
                    width=max(6, min(_BAR_WIDTH_MAX, self._console.width - _HEAD_WIDTH)),
                    complete_style="water",
                    finished_style="water",
                    style="quiet",
                )
            )
            cells.append(Text(f"{100 * progress.bytes_read / total:.0f} %"))
            cells.append(Text(f"{size(progress.bytes_read)} of {size(total)}", style="quiet"))
        else:
            cells.append(Text(size(progress.bytes_read), style="quiet"))
        cells.append(Text(f"{size(speed)}/s"))
        if progress.bytes_waiting and speed > 0 and progress.state == "running":
            cells.append(Text(f"{clock(progress.bytes_waiting / speed)} left", style="quiet"))
        line.add_row(*cells)
        return line

    def _datasets(self, progress: Progress) -> Table:
        datasets = progress.so_far()
        watermark = min((s.watermark for s in progress.sources.values() if s.watermark), default="")
        made = table(
            "  dataset", "rows in", "rows out", "dropped", "dead letters", "rows/s", width=self._console.width
        )
        for name, dataset in list(datasets.items())[:_DATASETS_SHOWN_MAX]:
            dead, dropped = dataset.rows_dead, dataset.rows_dropped
            made.add_row(
                Text("  " + name, style="name"),
                count(dataset.rows_in),
                Text(count(dataset.rows_out), style="good"),
                Text(count(dropped), style="warn") if dropped else Text("–", style="quiet"),
                Text(count(dead), style="bad") if dead else Text("–", style="quiet"),
                short(self._rates.rows_per_s(name)),
            )
        hidden = len(datasets) - _DATASETS_SHOWN_MAX
        if hidden > 0:
            made.add_row(Text(f"  and {hidden} more", style="quiet"))
        if watermark:
            made.caption = Text(f"  events up to {watermark}", style="quiet")
            made.caption_justify = "left"
        return made
