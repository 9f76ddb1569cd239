"""Kills `qanat run --continuous` with SIGKILL at random moments while a writer appends lines; a ledger of every line.

The writer knows which lines it wrote; in the end each is in the table, a dead letter or
dropped, once. Run by ``make chaos``, or alone: ``python tests/chaos/chaos.py 100``.
"""

from __future__ import annotations

import json
import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).parents[1] / "kit"))

import lake

FLOW = """
import qanat as qn

qn.source("events", qn.files("{input}/*.jsonl"), format=qn.json(),
          schema="id BIGINT, name VARCHAR, price DECIMAL(10,2)")

@qn.expect_or_quarantine("not_seven", "id % 7 <> 0")
@qn.expect_or_drop("not_five", "id % 5 <> 0")
@qn.table(partition_cols=["part"])
def clean():
    return "SELECT *, id % 3 AS part FROM events"

@qn.table
def doubled():
    return "SELECT id, price * 2 AS price FROM clean"
"""
LINES_A_SECOND = 4_000
FILES_ROLL_LINES = 3_000
BROKEN_EACH = 11
LIFE_S_MAX = 1.5  # between start and kill
RECOVERY_S_MAX = 60


class Writer(threading.Thread):
    """Appends lines until told to stop; each a number, sometimes broken, sometimes in two pieces."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(daemon=True)
        self.written = 0
        self.broken: set[str] = set()
        self.done = threading.Event()
        self._folder = folder
        self._random = random.Random(seed)

    def run(self) -> None:
        while not self.done.is_set():
            path = self._folder / f"{self.written:09d}.jsonl"
            with path.open("ab", buffering=0) as out:
                for _ in range(FILES_ROLL_LINES // 40):
                    self._burst(out)
                    if self.done.wait(40 / LINES_A_SECOND):
                        break

    def _burst(self, out: object) -> None:
        lines = []
        for _ in range(40):
            self.written += 1
            number = self.written
            if number % BROKEN_EACH == 0:
                lines.append(f'{{"id": {number}, torn')
                self.broken.add(lines[-1])
            else:
                lines.append(json.dumps({"id": number, "name": f"n{number}", "price": f"{number % 1000}.25"}))
        content = ("\n".join(lines) + "\n").encode()
        cut = self._random.randrange(len(content))
        for piece in (content[:cut], content[cut:]):
            out.write(piece)  # type: ignore[attr-defined]
            time.sleep(0.001)


@dataclass
class Figures:
    """What came of it."""

    kills: int = 0
    lines: int = 0
    lost: int = 0
    doubled: int = 0
    seconds: float = 0.0
    recovery_ms: list[float] = field(default_factory=list)  # from the kill to the next new commit
    start_ms: list[float] = field(default_factory=list)  # from the restart to it

    def __str__(self) -> str:
        def spread(values: list[float]) -> str:
            ordered = sorted(values)
            p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
            return f"p50 {statistics.median(ordered):.0f} ms, p99 {p99:.0f} ms, max {ordered[-1]:.0f} ms"

        return (
            f"{self.kills} kills, {self.lines:,} lines, {self.lost} lost, {self.doubled} doubled, "
            f"{self.seconds:.0f} s\n"
            f"  kill to first new commit:  {spread(self.recovery_ms)}\n"
            f"  start to first new commit: {spread(self.start_ms)}"
        )


class Chaos:
    """One trial in one folder."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self.input = folder / "in"
        self.input.mkdir()
        self.storage = folder / "lake"
        self.flow = folder / "flow.py"
        self.flow.write_text(FLOW.format(input=self.input))
        self.log = folder / "run.log"
        self.figures = Figures()
        self.writer = Writer(self.input, self._random.randrange(1 << 30))
        self._process: subprocess.Popen[bytes]

    def _start(self, *more: str) -> subprocess.Popen[bytes]:
        command = [
            sys.executable,
            "-m",
            "qanat",
            "run",
            str(self.flow),
            "--storage",
            str(self.storage),
            *more,
        ]
        with self.log.open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    def _version(self) -> int:
        return sum(1 for _ in (self.storage / "clean/_delta_log").glob("0*.json"))

    def _told(self) -> str:
        return self.log.read_text()[-3000:]

    def _wait_for_commit(self, before: int) -> None:
        end = time.monotonic() + RECOVERY_S_MAX
        while self._version() <= before:
            assert self._process.poll() is None, f"the run ended by itself:\n{self._told()}"
            assert time.monotonic() < end, f"no commit for {RECOVERY_S_MAX} s:\n{self._told()}"
            time.sleep(0.002)

    def run(self, kills: int) -> Figures:
        """Kills so often; then lets a bounded run finish, and compares."""
        began = time.monotonic()
        self.writer.start()
        try:
            self._kill(kills)
        finally:
            self.writer.done.set()
            self._process.kill()
            self._process.wait()
        self.writer.join()
        self._process = self._start()
        assert self._process.wait(timeout=300) == 0, self._told()
        self.figures.lost, self.figures.doubled = self.compare(self.writer.written)
        self.figures.seconds = time.monotonic() - began
        return self.figures

    def _kill(self, kills: int) -> None:
        self._process = self._start("--continuous")
        self._wait_for_commit(0)
        while self.figures.kills < kills:
            # Anywhere in a life: also while it starts, recovers, or has not committed anything.
            is_early = self._random.random() < 0.3
            time.sleep(self._random.random() * (0.4 if is_early else LIFE_S_MAX))
            self._process.send_signal(signal.SIGKILL)
            killed = time.monotonic()
            assert self._process.wait() == -signal.SIGKILL, f"ended by itself:\n{self._told()}"
            self.figures.kills += 1
            before = self._version()
            self._process = self._start("--continuous")
            started = time.monotonic()
            if is_early:
                continue  # killed again before it is known to have recovered
            self._wait_for_commit(before)
            self.figures.recovery_ms.append((time.monotonic() - killed) * 1000)
            self.figures.start_ms.append((time.monotonic() - started) * 1000)
        self._wait_for_commit(self._version())  # the last one may not have come so far that it hears a signal
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(timeout=60) == 130, self._told()

    def compare(self, written: int) -> tuple[int, int]:
        """How many of the first lines are lost, and how many are doubled or were never written."""
        self.figures.lines = written
        numbers = [n for n in range(1, written + 1) if n % BROKEN_EACH != 0]
        clean = Counter(n for n in numbers if n % 7 != 0 and n % 5 != 0)
        quarantined = Counter(str(n) for n in numbers if n % 7 == 0)
        with duckdb.connect() as db:
            lake.view(
                db,
                "clean",
                self.storage / "clean",
                "id BIGINT, name VARCHAR, price DECIMAL(10,2), part BIGINT",
            )
            lake.view(db, "doubled", self.storage / "doubled", "id BIGINT, price DECIMAL(18,2)")
            lake.view(
                db,
                "letters",
                self.storage / "clean__dead_letters",
                "reason VARCHAR, rule VARCHAR, detail VARCHAR, raw BLOB, source VARCHAR, file VARCHAR, line BIGINT, "
                "epoch BIGINT, time TIMESTAMPTZ",
            )
            wrong = db.execute(
                "SELECT count(*) FROM clean WHERE part <> id % 3 OR name <> 'n' || id OR price <> id % 1000 + 0.25"
            ).fetchone()
            assert wrong == (0,), "rows with other values"
            found_clean = Counter(n for (n,) in db.execute("SELECT id FROM clean").fetchall())
            found_doubled = Counter(n for (n,) in db.execute("SELECT id FROM doubled").fetchall())
            letters = db.execute("SELECT reason, decode(raw) FROM letters").fetchall()
        found_broken = Counter(raw for reason, raw in letters if reason == "decode")
        found_bad = Counter(str(json.loads(raw)["id"]) for reason, raw in letters if reason == "expectation")
        pairs: list[tuple[Counter[object], Counter[object]]] = [
            (clean, found_clean),  # type: ignore[list-item]
            (clean, found_doubled),  # type: ignore[list-item]
            (Counter(self.writer.broken), found_broken),  # type: ignore[list-item]
            (quarantined, found_bad),  # type: ignore[list-item]
        ]
        lost = sum((wanted - found).total() for wanted, found in pairs)
        return lost, sum((found - wanted).total() for wanted, found in pairs)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        print(Chaos(Path(name)).run(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
