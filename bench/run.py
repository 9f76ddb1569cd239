"""The figures: peers beside ours in one run, memory, the price of rules, waits, phases. See README.md."""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bench import environments, latency
from bench.clicks.generate import CACHE, rows_of
from bench.measure import BenchError, Usage, processor, run

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
PARTS = ("peers", "memory", "rules", "waits", "phases")
PHASES = ("decode", "projection", "rules")
OURS = "qanat"
START_UP_ROWS = 1_000
KILLED_ROWS = 1_000_000  # fewer could be through before the third commit
MB = 1_000_000


@dataclass
class Report:
    """Lines of the page; each is shown when it is known."""

    lines: list[str] = field(default_factory=list)

    def add(self, *lines: str) -> None:
        """Shows and keeps them."""
        for line in lines:
            print(line, flush=True)
            self.lines.append(line)


class Runner:
    """Runs engines on the clickstream, each output checked before its figures count."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._digests: dict[int, str] = {}

    def ours(self, rows: int, flow: str = "flow.py", phase: str = "") -> Usage:
        """One run of a pipeline file of ours, into a new storage."""
        out = self._new_folder()
        environment = {"QANAT_BENCH_INPUT": str(made(rows)["folder"]), "QANAT_BENCH_PHASE": phase}
        command = [*environments.qanat(), "run", str(HERE / "clicks" / flow), "--storage", str(out)]
        used = run(command, out.with_suffix(".log"), environment)
        if flow == "flow.py":
            self._check(OURS, rows, out)
        return used

    def peer(self, name: str, rows: int) -> Usage:
        """One run of a peer."""
        out = self._new_folder()
        script = HERE / "clicks" / f"peer_{name}.py"
        python = environments.python_of(name)
        used = run([python, str(script), str(made(rows)["folder"]), str(out)], out.with_suffix(".log"))
        self._check(name, rows, out)
        return used

    def _new_folder(self) -> Path:
        out = self._work / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        return out

    def _check(self, name: str, rows: int, out: Path) -> None:
        """The right rows, bad ones too where they are kept, and to the last value the table of all others."""
        told = _json_of("bench.clicks.check", str(out))
        about = made(rows)
        digest = self._digests.setdefault(rows, told["digest"])
        if told["good"] != about["good"] or told["digest"] != digest:
            raise BenchError(
                f"{name} wrote another table: {told}; wanted {about['good']} rows with digest {digest}."
            )
        if name == OURS and told["bad"] != {kind: count for kind, count in about["bad"].items() if count}:
            raise BenchError(f"{name} set aside {told['bad']}; wanted {about['bad']}.")


@cache
def made(rows: int) -> dict:
    """The input, made in a process of its own: DuckDB in this one would count as the children's memory."""
    return _json_of("bench.clicks.generate", str(rows))


def _json_of(module: str, *arguments: str) -> dict:
    told = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode != 0:
        raise BenchError(f"{module} {' '.join(arguments)}:\n{told.stderr[-2000:]}")
    return json.loads(told.stdout)


def in_turns(jobs: dict[str, Callable[[], Usage]], reps: int) -> dict[str, list[Usage]]:
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


def peers(report: Report, runner: Runner, rows: int, names: Sequence[str], reps: int) -> None:
    """Events per CPU-second, beside ours in the same run."""
    jobs: dict[str, Callable[[], Usage]] = {OURS: lambda: runner.ours(rows)}
    for name in names:
        jobs[name] = lambda name=name: runner.peer(name, rows)
    if "spark" in names:
        jobs["spark, start-up"] = lambda: runner.peer("spark", START_UP_ROWS)
    used = {name: median(runs) for name, runs in in_turns(jobs, reps).items()}
    start = used.pop("spark, start-up", Usage(0, 0, 0))
    report.add(
        f"## The main job, {rows:,} events, median of {reps}",
        "",
        "| engine | CPU s | wall s | events per CPU-second | ours is | peak MB | dead letters | fsync |",
        "|---|---:|---:|---:|---:|---:|---|---|",
    )
    our_rate = rows / used[OURS].cpu_s
    for name, usage in used.items():
        cpu_s, wall_s = usage.cpu_s, usage.wall_s
        if name == "spark":
            cpu_s, wall_s = cpu_s - start.cpu_s, wall_s - start.wall_s
        rate = rows / cpu_s
        ratio = "" if name == OURS else f"{our_rate / rate:.2f}×"
        kept = "kept | yes" if name == OURS else "left out | no"
        report.add(
            f"| {name} | {cpu_s:.2f} | {wall_s:.2f} | {rate:,.0f} | {ratio} | {usage.rss_bytes / MB:.0f} "
            f"| {kept} |"
        )
    if "spark" in used:
        report.add(
            "", f"Spark's start-up is taken off: {start.cpu_s:.1f} CPU s, {start.wall_s:.1f} s of wall clock."
        )
    report.add("Every table had the same rows, compared value by value; ours also all bad rows, by rule.", "")


def memory(report: Report, runner: Runner, rows: int) -> None:
    """Peak memory of ours at a tenth of the size and at the size."""
    small, large = (runner.ours(n).rss_bytes / MB for n in (rows // 10, rows))
    report.add(
        "## Memory",
        "",
        f"Peak resident memory: {small:.0f} MB at {rows // 10:,} events, {large:.0f} MB at {rows:,}.",
        "",
    )


def rules(report: Report, runner: Runner, rows: int, reps: int) -> None:
    """The same pipeline with and without rules."""
    used = in_turns(
        {"with": lambda: runner.ours(rows), "without": lambda: runner.ours(rows, "flow_without_rules.py")},
        reps,
    )
    with_rules, without = (median(used[name]).cpu_s for name in ("with", "without"))
    report.add(
        "## Rules and dead letters",
        "",
        f"Five rules and their dead letters: {with_rules:.2f} CPU s with, {without:.2f} without, "
        f"{100 * (with_rules / without - 1):+.1f} % (median of {reps}, {rows:,} events).",
        "",
    )


def waits(report: Report, work: Path, rows: int, tries: int, steps: int) -> None:
    """First row, small step, kill."""
    folder, long_enough = (str(made(n)["folder"]) for n in (rows, max(rows, KILLED_ROWS)))
    small = latency.small_steps(work, steps)
    report.add(
        "## Waits",
        "",
        f"- `qanat run`, process start to first committed row: {latency.first_row(folder, work, tries)}.",
        f"- Kill to the first new commit: {latency.after_kill(long_enough, work, tries)}.",
        f"- A step of {latency.SMALL_ROWS:,} rows, beside fsync: {small.step_without_fsync}.",
        f"- The same with fsync: {small.step}; {small.fsyncs_a_step:.1f} fsyncs a step take "
        f"{small.fsync_ms_a_step:.1f} ms on this disk.",
        f"- A file of {latency.SMALL_ROWS:,} rows appears → committed, `--continuous`, fsync and the wait "
        f"for the next look included: {small.arrival_to_commit}.",
        "",
    )


def phases(report: Report, runner: Runner, rows: int, reps: int) -> None:
    """Where our CPU seconds go: the job cut short after each phase."""
    jobs: dict[str, Callable[[], Usage]] = {"start-up": lambda: runner.ours(START_UP_ROWS)}
    for phase in PHASES:
        jobs[phase] = lambda phase=phase: runner.ours(rows, "phases.py", phase)
    jobs["write"] = lambda: runner.ours(rows)
    used = {name: median(runs).cpu_s for name, runs in in_turns(jobs, reps).items()}
    report.add(
        "## Phases", "", "| phase | CPU s up to here | CPU s of its own | share |", "|---|---:|---:|---:|"
    )
    before = 0.0
    for name, cpu_s in used.items():
        own = cpu_s - before
        report.add(f"| {name} | {cpu_s:.2f} | {own:.2f} | {100 * own / used['write']:.0f} % |")
        before = cpu_s
    report.add("")


def heading(report: Report, arguments: Sequence[str]) -> str:
    """What, where, which; the commit's short name."""
    commit = _git("rev-parse", "--short", "HEAD")
    changed = " with changes" if _git("status", "--porcelain", "--untracked-files=no") else ""
    report.add(
        f"# Figures of {datetime.date.today()}",
        "",
        f"- command: `{' '.join(['python -m bench', *arguments])}`",
        f"- commit: {commit}{changed}",
        f"- machine: {processor()}",
        f"- load when begun: {Path('/proc/loadavg').read_text().split()[0]}",
        "",
    )
    return commit


def _git(*arguments: str) -> str:
    told = subprocess.run(
        ["git", "-C", str(REPOSITORY), *arguments], capture_output=True, text=True, check=False
    )
    return told.stdout.strip() or "unknown"


def main(arguments: Sequence[str]) -> None:
    """Command line of `python -m bench`."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--size", default="10M", help="events: 100K, 1M, 10M (default)")
    parser.add_argument(
        "--peers", default=",".join(environments.PACKAGES), help="of them, comma-separated; '' for none"
    )
    parser.add_argument("--reps", type=int, default=3, help="repetitions, interleaved")
    parser.add_argument("--tries", type=int, default=10, help="of each wait")
    parser.add_argument("--steps", type=int, default=200, help="small steps")
    parser.add_argument("--parts", default=",".join(PARTS), help="of them, comma-separated")
    asked = parser.parse_args(arguments)
    parts, names = asked.parts.split(","), [name for name in asked.peers.split(",") if name]
    for given, known in ((parts, PARTS), (names, tuple(environments.PACKAGES))):
        if unknown := set(given) - set(known):
            raise SystemExit(f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(known)}.")
    rows = rows_of(asked.size)
    report = Report()
    commit = heading(report, arguments)
    for name in list(names):
        if lack := environments.missing(name):
            report.add(f"{name} is left out. {lack}", "")
            names.remove(name)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        work = Path(folder)
        runner = Runner(work)
        for part in parts:
            if part == "peers":
                peers(report, runner, rows, names, asked.reps)
            elif part == "memory":
                memory(report, runner, rows)
            elif part == "rules":
                rules(report, runner, rows, asked.reps)
            elif part == "waits":
                waits(report, work, rows, asked.tries, asked.steps)
            elif part == "phases":
                phases(report, runner, rows, asked.reps)
    page = HERE / "results" / f"{datetime.date.today()}-{commit}.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text("\n".join(report.lines).rstrip() + "\n")
    print(f"Written to {page.relative_to(REPOSITORY)}")
