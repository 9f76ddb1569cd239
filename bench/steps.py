"""What a change costs when much is remembered: small steps into views with a past, a start with a large state."""

from __future__ import annotations

import json
import os
import statistics
import time
from collections.abc import Sequence
from pathlib import Path

from bench import environments, latency
from bench.inputs import json_of, made
from bench.latency import SMALL_ROWS, Waits
from bench.measure import MB, BenchError, Usage, run
from bench.report import Report

FOLDER = Path(__file__).parent / "change"
PURCHASES_A_CUSTOMER = 5
TINY_ROWS = 1_000
RESTARTS_MAX = 5
# Each step into a view with a row a customer rewrites most of its table: fewer of them are waited for.
STEPS_SHARE = {"histogram": 1.0, "customers": 0.05}
VALUES = {
    "histogram": "purchases::BIGINT, customers::BIGINT, amount",
    "customers": "customer, purchases::BIGINT, amount",
}


class Past:
    """A storage whose view has taken in a set of purchases, and the folder that more of them are put into."""

    def __init__(self, work: Path, variant: str, rows: int) -> None:
        self.variant, self.rows = variant, rows
        self.customers = max(1, rows // PURCHASES_A_CUSTOMER)
        self._work = work / f"past-{variant}-{rows}"
        self.storage = self._work / "storage"
        self._inbox = self._work / "inbox"
        self._inbox.mkdir(parents=True)
        base = made("bench.change.generate", str(rows), "--customers", str(self.customers))
        for path in Path(str(base["folder"])).glob("*.jsonl"):
            os.link(path, self._inbox / path.name)
        self._next = rows
        self.loading: Usage = run(self.command(), self._work / "load.log", self.environment())

    def environment(self) -> dict[str, str]:
        """What the flow is told."""
        return {"QANAT_BENCH_INPUT": str(self._inbox), "QANAT_BENCH_VARIANT": self.variant}

    def command(self) -> list[str]:
        """Runs the pipeline until its source ends."""
        return [*environments.qanat(), "run", str(FOLDER / "flow.py"), "--storage", str(self.storage)]

    def add(self, files: int) -> int:
        """So many more files of 1,000 purchases each, behind those that are there; bytes of the median one."""
        made_in = self._work / f"more-{self._next}"
        count = files * SMALL_ROWS
        json_of(
            "bench.change.generate", str(count), "--customers", str(self.customers), "--into", str(made_in),
            "--first", str(self._next), "--rows-a-file", str(SMALL_ROWS),
        )  # fmt: skip
        sizes = []
        for number, path in enumerate(sorted(made_in.glob("*.jsonl"))):
            sizes.append(path.stat().st_size)
            path.rename(self._inbox / f"then-{self._next + number * SMALL_ROWS:012d}.jsonl")
        made_in.rmdir()
        self._next += count
        return int(statistics.median(sizes))

    def steps(self, count: int) -> list[float]:
        """Seconds of each of so many steps of 1,000 purchases, in one process, the first left out."""
        step_bytes = self.add(count)
        log = self._work / "steps.log"
        flow = str(FOLDER / "flow.py")
        command = [*latency.BACKLOG, flow, "answer", str(self.storage), str(step_bytes)]
        run(command, log, self.environment())
        seconds = json.loads(log.read_text())
        self._check()
        return seconds

    def restart(self) -> float:
        """Seconds from the start of a process to its commit of 1,000 more purchases; the process then ends."""
        self.add(1)
        view = latency.Watched(FOLDER / "flow.py", "answer", self.storage, self.environment())
        seen = view.entries()
        began = time.perf_counter()
        with view.running() as process:
            view.commit_after(seen)
            waited = time.perf_counter() - began
            if process.wait() != 0:
                raise BenchError(f"{self.storage.with_suffix('.log')}: the run failed.")
        return waited

    def _check(self) -> None:
        """The view is what DuckDB answers over the whole input."""
        answer = self._work / "duckdb"
        answer.mkdir(exist_ok=True)
        script = str(FOLDER / "peer_duckdb.py")
        command = [environments.python_of("duckdb"), script, str(self._inbox), str(answer), self.variant]
        run(command, self._work / "duckdb.log")
        ours, theirs = (
            json_of("bench.equal", str(folder), VALUES[self.variant], "true")
            for folder in (self.storage, answer)
        )
        if ours != theirs:
            raise BenchError(f"{self.variant}, {self.rows:,} purchases: ours is {ours}, DuckDB's {theirs}.")


class Pasts:
    """Each past is made once: `recovery` starts from what `change` has loaded."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._made: dict[tuple[str, int], Past] = {}

    def of(self, variant: str, rows: int) -> Past:
        """The storage with that many purchases."""
        key = (variant, rows)
        if key not in self._made:
            self._made[key] = Past(self._work, variant, rows)
        return self._made[key]


def change(report: Report, pasts: Pasts, rows: int, count: int) -> None:
    """Steps of 1,000 rows into views over a tenth of the rows and over five times the rows."""
    report.add(
        f"## A step of {SMALL_ROWS:,} purchases into a view, fsync included",
        "",
        "| view | purchases before | customers | p50 ms | p99 ms | steps | loading: CPU s | peak MB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    )
    for variant, share in STEPS_SHARE.items():
        medians = []
        for n in (rows // 10, rows * 5):
            past = pasts.of(variant, n)
            ms = sorted(1e3 * s for s in past.steps(max(2, int(count * share))))
            if not ms:
                report.add(f"| {variant} | {n:,} | | the view did not follow step by step | | | | |")
                continue
            medians.append(statistics.median(ms))
            report.add(
                f"| {variant} | {n:,} | {past.customers:,} | {medians[-1]:.1f} | {_p99(ms):.1f} | {len(ms)} "
                f"| {past.loading.cpu_s:.2f} | {past.loading.rss_bytes / MB:.0f} |"
            )
        if len(medians) == 2:
            report.add(f"| | | ratio | {medians[1] / medians[0]:.2f} | | | | |")
    report.add(
        "", "Each view was compared with DuckDB's answer over the whole input after the last step.", ""
    )


def recovery(report: Report, pasts: Pasts, rows: int, tries: int) -> None:
    """Process start to the commit of a small file, with a large state and with a tiny one."""
    large, tiny = (pasts.of("histogram", n) for n in (rows * PURCHASES_A_CUSTOMER, TINY_ROWS))
    waits = {past: Waits([past.restart() for _ in range(tries)]) for past in (tiny, large)}
    restored_s = statistics.median(waits[large].seconds) - statistics.median(waits[tiny].seconds)
    report.add(
        "## Recovery",
        "",
        f"Process start to the commit of {SMALL_ROWS:,} more purchases:",
        "",
        *(
            f"- {past.customers:,} customers, nearly all in the state: {waited}"
            for past, waited in waits.items()
        ),
        f"- so the state of {large.customers:,} customers is restored in {restored_s:.2f} s.",
        "",
    )


def _p99(sorted_ms: Sequence[float]) -> float:
    return sorted_ms[min(len(sorted_ms) - 1, int(0.99 * len(sorted_ms)))]
