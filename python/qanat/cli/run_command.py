"""``qanat run``: starts the engine beside us, shows how it goes, ends it when asked, says how it ended."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Protocol

from qanat.cli import exit_codes
from qanat.engines.native import Engine, Limits, Progress, RunningThread, RunOptions
from qanat.errors import QanatError, did_you_mean
from qanat.lake.tables import DEFAULT_STORAGE
from qanat.pipelines.load import load
from qanat.pipelines.plan import Pipeline

_POLL_S = 0.1
_FORMS = ("auto", "text", "json")


@dataclass(frozen=True)
class RunRequest:
    """The command line of a run, read."""

    file: Path | None
    storage: Path | None
    memory: str
    threads: int
    continuous: bool
    refresh: tuple[str, ...]
    full_refresh: tuple[str, ...] | None
    trigger_ms: int
    log: str


class View(Protocol):
    """How a run is shown; one of three."""

    def begin(self, pipeline: Pipeline, storage: Path) -> None:
        """Called once, before the engine starts."""

    def show(self, progress: Progress) -> None:
        """Called about ten times a second."""

    def say(self, text: str) -> None:
        """One line that is not progress: a stop was asked for."""

    def end(self, progress: Progress, failure: QanatError | None, asked: bool) -> None:
        """Called once; ``asked``: it was stopped before its sources ended."""


class Stops:
    """Turns signals into stops: the first ends the run after its step, the second at once."""

    def __init__(self, engine: Engine) -> None:
        self.exit_code: int | None = None
        self._engine = engine
        self._asked = 0
        self._unsaid: list[str] = []
        self._say: Callable[[str], None] = self._unsaid.append

    def tell_through(self, say: Callable[[str], None]) -> None:
        """From now on ``say`` shows what is said, and what was said before there was anything to show it."""
        self._say = say
        for text in self._unsaid:
            say(text)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """A signal came."""
        del frame
        self._asked += 1
        self.exit_code = exit_codes.TERMINATED if number == signal.SIGTERM else exit_codes.INTERRUPTED
        if self._asked == 1:
            self._engine.stop(now=False)
            self._say("Ending after this step. Again to end at once; both are safe.")
        elif self._asked == 2:
            self._engine.stop(now=True)
            self._say("Ending at once. The step in hand is not committed; the next run repeats it.")

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Handles SIGINT and SIGTERM while the block lasts."""
        before = {number: signal.signal(number, self.on_signal) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run(request: RunRequest) -> int:
    """Runs it to its end; the exit code."""
    if request.log not in _FORMS:
        raise QanatError(
            "QN-1303",
            f"--log {request.log} is not known.",
            [f"Known: {', '.join(_FORMS)}", *did_you_mean(request.log, _FORMS)],
        )
    pipeline = load(request.file)
    storage = storage_of(request.storage, pipeline)
    options = _options(request, pipeline)
    engine = Engine(pipeline, storage, _limits(request, pipeline))
    thread = RunningThread(engine, options)
    stops = Stops(engine)
    with stops.installed():
        thread.start()
        view = _view(request.log)  # after the start: its libraries load while the engine works
        view.begin(pipeline, storage)
        stops.tell_through(view.say)
        while True:
            thread.join(_POLL_S)
            if not thread.is_alive():
                break
            view.show(engine.progress())
    failure = thread.failure
    if failure is not None and not isinstance(failure, QanatError):
        raise failure
    view.end(engine.progress(), failure, asked=stops.exit_code is not None)
    if failure is not None:
        return exit_codes.of(failure, started=True)
    return stops.exit_code if stops.exit_code is not None else exit_codes.OK


def storage_of(given: Path | None, pipeline: Pipeline) -> Path:
    """The folder of the tables: --storage, or the spec file's, or ./lake."""
    if given is not None:
        return given
    return Path(pipeline.storage) if pipeline.storage else DEFAULT_STORAGE


def _limits(request: RunRequest, pipeline: Pipeline) -> Limits:
    from qanat.cli import values

    settings = pipeline.settings
    return Limits(
        memory=request.memory or values.memory(settings.get("memory", "")),
        threads=request.threads or values.threads(int(settings.get("threads", "0"))),
    )


def _options(request: RunRequest, pipeline: Pipeline) -> RunOptions:
    from qanat.cli import values

    stored = [d.name for d in pipeline.datasets if d.kind != "temporary_view"]
    if request.full_refresh is None and request.refresh:
        raise QanatError("QN-1302", "--full-refresh-all and --refresh are both given.", ["Use one of them."])
    return RunOptions(
        continuous=request.continuous,
        refresh=_known(request.refresh, stored, "--refresh"),
        full_refresh=None
        if request.full_refresh is None
        else _known(request.full_refresh, stored, "--full-refresh"),
        trigger_ms=request.trigger_ms or values.trigger_ms(pipeline.settings.get("trigger", "")),
    )


def _known(names: tuple[str, ...], stored: list[str], option: str) -> tuple[str, ...]:
    by_folded = {name.casefold(): name for name in stored}
    for name in names:
        if name.casefold() not in by_folded:
            raise QanatError(
                "QN-1304",
                f"{option} names '{name}', which is no table of this pipeline.",
                [f"There are: {', '.join(stored)}", *did_you_mean(name, stored), "Nothing was started."],
            )
    return tuple(by_folded[name.casefold()] for name in names)


def _view(form: str) -> View:
    if form == "json":
        from qanat.cli.json_view import JsonView

        return JsonView(sys.stdout)
    if form == "auto" and sys.stdout.isatty():
        from qanat.cli.live_view import LiveView

        return LiveView()
    from qanat.cli.text_view import TextView

    return TextView()
