"""Runs one program at a time and tells what it and all it started used: CPU seconds, wall clock, memory.

Exact and without root: this process adopts orphans (a subreaper), so every descendant's account ends here.
"""

from __future__ import annotations

import ctypes
import os
import signal
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

OURS = "qanat"
MB = 1_000_000

_PR_SET_CHILD_SUBREAPER = 36
_KB = 1024


class BenchError(SystemExit):
    """A figure cannot be had: what was tried, and what it said."""


@dataclass(frozen=True)
class Usage:
    """What one run used. ``rss_bytes`` is the peak of its largest process."""

    cpu_s: float
    wall_s: float
    rss_bytes: int

    def without(self, start: Usage) -> Usage:
        """Less the time that `start` took."""
        return Usage(self.cpu_s - start.cpu_s, self.wall_s - start.wall_s, self.rss_bytes)


def in_turns(jobs: Mapping[str, Callable[[], Usage]], reps: int) -> dict[str, list[Usage]]:
    """Each job once, then each again: a busy machine is busy for all of them."""
    used: dict[str, list[Usage]] = {name: [] for name in jobs}
    for _ in range(reps):
        for name, job in jobs.items():
            used[name].append(job())
    return used


def median(used: Sequence[Usage]) -> Usage:
    """Of each measure by itself; peak memory is the largest seen."""
    return Usage(
        statistics.median(u.cpu_s for u in used),
        statistics.median(u.wall_s for u in used),
        max(u.rss_bytes for u in used),
    )


def run(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None, timeout_s: float = 3600
) -> Usage:
    """Runs it to its end; BenchError when it fails or takes too long. Output goes to `log`.

    A child's peak memory counts from its fork on, so the caller must be small: it imports no engine.
    """
    adopt_orphans()
    with log.open("wb") as out:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdout=out,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
            start_new_session=True,
        )
        alarm = threading.Timer(timeout_s, os.killpg, (process.pid, signal.SIGKILL))
        alarm.start()
        try:
            usage, code = _reap_all(process.pid, began)
        finally:
            alarm.cancel()
        process.returncode = code
    if code != 0:
        tail = log.read_text(errors="replace")[-2000:]
        raise BenchError(f"{' '.join(command)}\nended with {code} after {usage.wall_s:.1f} s:\n{tail}")
    return usage


def adopt_orphans() -> None:
    """From now on descendants whose parent has died are ours to wait for."""
    if ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise BenchError("prctl(PR_SET_CHILD_SUBREAPER) failed; the benchmark needs Linux.")


def _reap_all(first: int, began: float) -> tuple[Usage, int]:
    cpu_s, rss_bytes, code, wall_s = 0.0, 0, 0, 0.0
    while True:
        try:
            pid, status, used = os.wait4(-1, 0)
        except ChildProcessError:
            return Usage(cpu_s, wall_s, rss_bytes), code
        cpu_s += used.ru_utime + used.ru_stime
        rss_bytes = max(rss_bytes, used.ru_maxrss * _KB)
        if pid == first:  # what it left behind may take longer; that is not its time
            code, wall_s = os.waitstatus_to_exitcode(status), time.perf_counter() - began


def processor() -> str:
    """The CPU's name and how many of it there are."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return f"{line.split(':', 1)[1].strip()}, {os.cpu_count()} cores"
    return f"unknown CPU, {os.cpu_count()} cores"
