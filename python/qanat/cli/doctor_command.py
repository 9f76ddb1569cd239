"""``qanat doctor``: looks at the machine as a run would find it. Leaves nothing behind."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from rich.table import Table
from rich.text import Text

from qanat._version import __version__
from qanat.cli import exit_codes
from qanat.cli.console import console, size
from qanat.engines.module import LIBRARY_VARIABLE, core, duckdb_library
from qanat.errors import QanatError
from qanat.lake.tables import DEFAULT_STORAGE
from qanat.where import shown

_SYNCS = 16
_SLOW_SYNC_MS = 20.0
_FREE_BYTES_WANTED = 1 << 30
_NO_LOCKS = ("nfs", "cifs", "smb3", "fuse.sshfs")


class Finding(NamedTuple):
    """One line: good, warn (it will work, but) or bad (a run would fail)."""

    level: str
    what: str
    found: str
    hint: str = ""


def doctor(storage: Path | None) -> int:
    """Prints what it finds; 1 when a run would fail."""
    folder = (storage or DEFAULT_STORAGE).resolve()
    out = console()
    table = Table.grid(padding=(0, 2, 0, 0))
    worst = "good"
    marks = {"good": Text("✓", style="good"), "warn": Text("!", style="warn"), "bad": Text("✗", style="bad")}
    for finding in findings(folder):
        table.add_row(marks[finding.level], Text(finding.what, style="name"), Text(finding.found))
        if finding.hint:
            table.add_row("", "", Text(finding.hint, style="quiet"))
        if finding.level == "bad" or (finding.level == "warn" and worst == "good"):
            worst = finding.level
    out.print(table)
    out.print()
    said = {
        "good": "All is well.",
        "warn": "It will run; see what is marked.",
        "bad": "A run would fail; see what is marked.",
    }
    out.print(Text.assemble(marks[worst], " ", said[worst]))
    return exit_codes.FAILED if worst == "bad" else exit_codes.OK


def findings(folder: Path) -> Iterator[Finding]:
    """All of them, in order."""
    yield Finding(
        "good", "qanat", f"{__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}"
    )
    yield _core()
    yield _duckdb()
    yield _arrow()
    yield _cores_and_memory()
    yield from _storage(folder)
    yield _lock(folder)


def _core() -> Finding:
    try:
        module = core()
    except QanatError as error:
        return Finding("bad", "engine", error.text, error.lines[0])
    version = getattr(module, "__version__", "")
    if version and version != __version__:
        return Finding(
            "bad", "engine", f"built as {version}, not {__version__}", "Install the package again."
        )
    return Finding("good", "engine", f"{Path(module.__file__ or '').name}")


def _duckdb() -> Finding:
    library = duckdb_library()
    named = os.environ.get(LIBRARY_VARIABLE)
    origin = f"from ${LIBRARY_VARIABLE}" if named else "in the duckdb package"
    if not library or not Path(library).is_file():
        hint = (
            f"Unset ${LIBRARY_VARIABLE}, or let it name libduckdb.so."
            if named
            else "pip install 'duckdb>=2.0,<2.1'"
        )
        return Finding("bad", "DuckDB", f"no library {origin}{': ' + library if library else ''}", hint)
    if named:
        return Finding("good", "DuckDB", f"{library} ({origin})")
    version = importlib.metadata.version("duckdb")
    if not version.startswith("2.0."):
        return Finding("bad", "DuckDB", f"{version}, and 2.0 is needed", "pip install 'duckdb>=2.0,<2.1'")
    return Finding("good", "DuckDB", f"{version} {origin}")


def _arrow() -> Finding:
    try:
        return Finding("good", "pyarrow", importlib.metadata.version("pyarrow"))
    except importlib.metadata.PackageNotFoundError:
        return Finding("good", "pyarrow", "not installed; @qn.map_batches and --format arrow need it")


def _cores_and_memory() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limit = _cgroup_limit()
    memory = min(total, limit) if limit else total
    found = f"{cores} cores, {size(memory)} of memory" + (
        " (limited by the container)" if limit and limit < total else ""
    )
    free = _free_memory()
    if free is not None:
        found += f", {size(min(free, memory))} free"
        if free < _FREE_BYTES_WANTED:
            return Finding("warn", "machine", found, "Little memory is free; set --memory.")
    return Finding("good", "machine", found)


def _cgroup_limit() -> int | None:
    try:
        text = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:
        return None
    return int(text) if text.isdigit() else None


def _free_memory() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def _storage(folder: Path) -> Iterator[Finding]:
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    what = shown(str(folder)) + ("" if there == folder else "  (would be made)")
    try:
        with tempfile.NamedTemporaryFile(dir=there, prefix=".qanat-doctor-") as file:
            times = _sync_times(file.fileno())
    except OSError as error:
        yield Finding(
            "bad", "storage", f"{what}: {error.strerror}", f"A run must be able to write in {there}."
        )
        return
    stat = os.statvfs(there)
    free = stat.f_bavail * stat.f_frsize
    yield Finding(
        "good" if free >= _FREE_BYTES_WANTED else "warn", "storage", f"{what}, writable, {size(free)} free"
    )
    kind = _file_system(there)
    middle = statistics.median(times)
    found = f"{kind}, fsync takes {middle:.1f} ms (slowest of {_SYNCS}: {max(times):.1f} ms)"
    if kind.startswith(_NO_LOCKS):
        yield Finding(
            "warn", "disk", found, "Locks on network disks may not work: one run at a time is up to you."
        )
    elif kind.startswith("tmpfs"):
        yield Finding("warn", "disk", found, "This is memory: nothing outlives a restart of the machine.")
    elif middle > _SLOW_SYNC_MS:
        yield Finding(
            "warn", "disk", found, "Each step waits for the disk a few times: use larger steps, --trigger 5s."
        )
    else:
        yield Finding("good", "disk", found)


def _sync_times(fd: int, clock: Callable[[], float] = time.perf_counter) -> list[float]:
    """Milliseconds of each write and sync."""
    times = []
    for _ in range(_SYNCS):
        os.write(fd, b"x" * 4096)
        before = clock()
        os.fdatasync(fd)
        times.append(1000 * (clock() - before))
    return times


def _file_system(path: Path) -> str:
    """``ext4 on /dev/nvme0n1p2``: the mount that holds the path."""
    device = os.stat(path).st_dev  # noqa: PTH116
    number = f"{os.major(device)}:{os.minor(device)}"
    kind = "unknown file system"
    try:
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            head, _, tail = line.partition(" - ")
            if head.split()[2] == number:
                kind = " on ".join(tail.split()[:2])
    except OSError:
        pass
    return kind


def _lock(folder: Path) -> Finding:
    """Whether a run holds the storage; read from the kernel's list, so that looking takes no lock."""
    lock = folder / "_qanat" / "lock"
    try:
        inode = lock.stat().st_ino
        held = any(
            line.split()[5].endswith(f":{inode}") for line in Path("/proc/locks").read_text().splitlines()
        )
    except OSError:
        return Finding("good", "lock", "free: no pipeline has run here")
    if not held:
        return Finding("good", "lock", "free")
    try:
        holder = json.loads(lock.read_text())
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(holder["since_ms"] / 1000))
        return Finding(
            "warn",
            "lock",
            f"held by process {holder['pid']} since {since}",
            "A second run has to wait for it.",
        )
    except (OSError, ValueError, KeyError, TypeError):
        return Finding("warn", "lock", "held by another process", "A second run has to wait for it.")
