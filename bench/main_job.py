"""The main job: a clickstream cleaned, beside peers; memory, the price of rules, waits, phases. See README.md."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import environments, latency
from bench.inputs import json_of, made
from bench.measure import MB, OURS, BenchError, Usage, in_turns, median, run
from bench.report import Report

HERE = Path(__file__).parent
PHASES = ("decode", "projection", "rules")
START_UP_ROWS = 1_000
KILLED_ROWS = 1_000_000  # fewer could be through before the third commit


class Runner:
    """Runs engines on the clickstream, each output checked before its figures count."""

    def __init__(self, work: Path) -> None:
        self._work = work
        self._digests: dict[int, str] = {}

    def ours(self, rows: int, flow: str = "flow.py", phase: str = "") -> Usage:
        """One run of a pipeline file of ours, into a new storage."""
        out = self._new_folder()
        environment = {"QANAT_BENCH_INPUT": str(clicks(rows)["folder"]), "QANAT_BENCH_PHASE": phase}
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
        used = run([python, str(script), str(clicks(rows)["folder"]), str(out)], out.with_suffix(".log"))
        self._check(name, rows, out)
        return used

    def _new_folder(self) -> Path:
        out = self._work / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        return out

    def _check(self, name: str, rows: int, out: Path) -> None:
        """The right rows, bad ones too where they are kept, and to the last value the table of all others."""
        told = json_of("bench.clicks.check", str(out))
        about = clicks(rows)
        digest = self._digests.setdefault(rows, told["digest"])
        if told["good"] != about["good"] or told["digest"] != digest:
            raise BenchError(
                f"{name} wrote another table: {told}; wanted {about['good']} rows with digest {digest}."
            )
        if name == OURS and told["bad"] != {kind: count for kind, count in about["bad"].items() if count}:
            raise BenchError(f"{name} set aside {told['bad']}; wanted {about['bad']}.")


def clicks(rows: int) -> dict:
    """The input of the main job."""
    return made("bench.clicks.generate", str(rows))


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
    report.add("")
    if "spark" in used:
        report.add(
            f"Spark's start-up is taken off: {start.cpu_s:.1f} CPU s, {start.wall_s:.1f} s of wall clock."
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
    folder, long_enough = (str(clicks(n)["folder"]) for n in (rows, max(rows, KILLED_ROWS)))
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
