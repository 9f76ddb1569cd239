"""How long one waits: for the first committed row, for a small step, for the first commit after a kill.

A commit counts when its entry, with an added file, is in the table's log: as any reader would see it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.environments import qanat
from bench.measure import BenchError, run

FLOW = Path(__file__).parent / "clicks" / "flow.py"
BACKLOG = (sys.executable, str(Path(__file__).with_name("backlog.py")))
SMALL_ROWS = 1_000
_KILLED_AFTER_MOST = 3
_LOOK_S = 0.001
_COMMIT_TIMEOUT_S = 60


@dataclass(frozen=True)
class Waits:
    """Seconds, one a try."""

    seconds: list[float]

    def __str__(self) -> str:
        ms = sorted(1e3 * s for s in self.seconds)
        return f"median {statistics.median(ms):.1f} ms, least {ms[0]:.1f}, most {ms[-1]:.1f}, of {len(ms)}"


@dataclass(frozen=True)
class Watched:
    """A pipeline of ours that is run, and the table whose commits are waited for."""

    flow: Path
    table: str
    storage: Path
    environment: Mapping[str, str]

    @contextmanager
    def running(self, *options: str) -> Iterator[subprocess.Popen[bytes]]:
        """The process, killed at the end unless it has ended."""
        with self.storage.with_suffix(".log").open("wb") as out:
            process = subprocess.Popen(
                [*qanat(), "run", str(self.flow), "--storage", str(self.storage), *options],
                env={**os.environ, **self.environment},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                process.wait()

    def entries(self) -> set[str]:
        """Names of the entries in the table's log."""
        try:
            return {path.name for path in self._log().iterdir() if path.suffix == ".json"}
        except FileNotFoundError:
            return set()

    def commit_after(self, seen: set[str]) -> None:
        """Returns when the log holds an entry with rows that is not in `seen`."""
        looked_at = set(seen)
        until = time.monotonic() + _COMMIT_TIMEOUT_S
        while time.monotonic() < until:
            for name in sorted(self.entries() - looked_at):
                looked_at.add(name)
                if '"add"' in (self._log() / name).read_text():
                    return
            time.sleep(_LOOK_S)
        told = self.storage.with_suffix(".log").read_text(errors="replace")[-2000:]
        raise BenchError(f"No commit in {self._log()} within {_COMMIT_TIMEOUT_S} s:\n{told}")

    def _log(self) -> Path:
        return self.storage / self.table / "_delta_log"


def first_row(clicks: str, work: Path, tries: int) -> Waits:
    """From the start of the process `qanat run` to the first committed rows, each time into a new storage."""
    waits = []
    for number in range(tries):
        clean = _clean(work / f"first-{number}", clicks)
        began = time.perf_counter()
        with clean.running():
            clean.commit_after(set())
            waits.append(time.perf_counter() - began)
        shutil.rmtree(clean.storage)
    return Waits(waits)


def after_kill(clicks: str, work: Path, kills: int) -> Waits:
    """From SIGKILL to the first commit of the process started next; killed after one to three commits."""
    waits = []
    for number in range(kills):
        clean = _clean(work / f"killed-{number}", clicks)
        with clean.running() as process:
            for _ in range(1 + number % _KILLED_AFTER_MOST):
                clean.commit_after(clean.entries())
            process.kill()
            began = time.perf_counter()
            process.wait()
        seen = clean.entries()
        with clean.running():
            clean.commit_after(seen)
            waits.append(time.perf_counter() - began)
        shutil.rmtree(clean.storage)
    return Waits(waits)


@dataclass(frozen=True)
class SmallSteps:
    """A step of 1,000 rows."""

    step: Waits  # end of one to end of the next, with fsync
    step_without_fsync: Waits
    fsyncs_a_step: float
    fsync_ms_a_step: float
    arrival_to_commit: Waits  # a file appears → its rows are committed; continuous, looks every 100 ms


def small_steps(work: Path, steps: int) -> SmallSteps:
    """1,000-row files: a backlog, one file a step, with fsync and with fsync made free; then one by one."""
    files = work / "small-files"
    making = [sys.executable, "-m", "bench.clicks.generate", str(steps * SMALL_ROWS), "--into", str(files)]
    run([*making, "--rows-a-file", str(SMALL_ROWS)], work / "small-files.log")
    shim = _shim(work)
    step, calls, fsync_s = _backlog(files, work / "steps", shim, "keep")
    free, _, _ = _backlog(files, work / "steps-free", shim, "skip")
    arrival = _arrivals(files, work, min(steps, 50))
    return SmallSteps(step, free, calls / steps, 1e3 * fsync_s / steps, arrival)


def _backlog(files: Path, storage: Path, shim: Path, fsync: str) -> tuple[Waits, int, float]:
    report, log = storage.with_suffix(".fsync"), storage.with_suffix(".log")
    step_bytes = statistics.median(path.stat().st_size for path in files.iterdir())
    run(
        [*BACKLOG, str(FLOW), "clean", str(storage), str(int(step_bytes))],
        log,
        {
            "QANAT_BENCH_INPUT": str(files),
            "QANAT_BENCH_FSYNC": fsync,
            "QANAT_BENCH_FSYNC_REPORT": str(report),
            "LD_PRELOAD": str(shim),
        },
    )
    calls, nanoseconds = map(int, report.read_text().split())
    return Waits(json.loads(log.read_text())), calls, nanoseconds / 1e9


def _arrivals(files: Path, work: Path, count: int) -> Waits:
    inbox = work / "inbox"
    inbox.mkdir()
    clean = _clean(work / "arrivals", str(inbox))
    waits = []
    with clean.running("--continuous"):
        for number, path in enumerate(sorted(files.iterdir())[:count]):
            hidden = inbox / f".{path.name}"
            shutil.copyfile(path, hidden)
            seen = clean.entries()
            time.sleep(0.037 * (number % 5))  # not in step with the engine's own looking
            began = time.perf_counter()
            hidden.rename(inbox / path.name)
            clean.commit_after(seen)
            waits.append(time.perf_counter() - began)
    return Waits(waits[1:])  # the first holds the start of the process


def _clean(storage: Path, clicks: str) -> Watched:
    """The table of the main job."""
    return Watched(FLOW, "clean", storage, {"QANAT_BENCH_INPUT": clicks})


def _shim(work: Path) -> Path:
    made = work / "fsync_account.so"
    compiled = subprocess.run(
        ["cc", "-O2", "-shared", "-fPIC", "-o", str(made), str(Path(__file__).with_name("fsync_account.c"))],
        capture_output=True,
        text=True,
        check=False,
    )
    if compiled.returncode != 0:
        raise BenchError(f"fsync_account.c does not compile:\n{compiled.stderr}")
    return made
