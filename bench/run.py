"""The command line: which parts, how large, beside whom. See README.md."""

from __future__ import annotations

import argparse
import datetime
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from bench import environments, main_job, steps, views
from bench.clicks.generate import CACHE, rows_of
from bench.report import REPOSITORY, Report

HERE = Path(__file__).parent


def main(arguments: Sequence[str]) -> None:
    """Command line of `python -m bench`."""
    asked = _parser().parse_args(arguments)
    names = _listed(asked.peers, tuple(environments.PACKAGES))
    queries = _listed(asked.queries, views.QUERIES)
    report = Report()
    chosen = _listed(asked.parts, tuple(_parts(report, Path(), asked, names, queries)))
    commit = report.heading(arguments)
    for name in list(names):
        if lack := environments.missing(name):
            report.add(f"{name} is left out. {lack}", "")
            names.remove(name)
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        parts = _parts(report, Path(folder), asked, names, queries)
        for part in chosen or parts:
            parts[part]()
    page = HERE / "results" / f"{datetime.date.today()}-{commit}.md"
    page.parent.mkdir(exist_ok=True)
    page.write_text("\n".join(report.lines).rstrip() + "\n")
    print(f"Written to {page.relative_to(REPOSITORY)}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--size", default="10M", help="events: 100K, 1M, 10M (default)")
    parser.add_argument(
        "--peers", default=",".join(environments.PACKAGES), help="of them, comma-separated; '' for none"
    )
    parser.add_argument("--reps", type=int, default=3, help="repetitions, interleaved")
    parser.add_argument("--tries", type=int, default=10, help="of each wait")
    parser.add_argument("--steps", type=int, default=200, help="small steps")
    parser.add_argument("--queries", default=",".join(views.QUERIES), help="of Nexmark, comma-separated")
    parser.add_argument("--parts", default="", help="of them, comma-separated; all when left out")
    return parser


def _parts(
    report: Report, work: Path, asked: argparse.Namespace, names: Sequence[str], queries: Sequence[str]
) -> dict[str, Callable[[], None]]:
    rows, reps = rows_of(asked.size), asked.reps
    runner, asker, pasts = main_job.Runner(work), views.Asker(work), steps.Pasts(work)
    return {
        "peers": lambda: main_job.peers(report, runner, rows, names, reps),
        "memory": lambda: main_job.memory(report, runner, rows),
        "rules": lambda: main_job.rules(report, runner, rows, reps),
        "waits": lambda: main_job.waits(report, work, rows, asked.tries, asked.steps),
        "phases": lambda: main_job.phases(report, runner, rows, reps),
        "windows": lambda: views.windows(report, asker, rows, names, reps),
        "sessions": lambda: views.sessions(report, asker, rows, names, reps),
        "join": lambda: views.join(report, asker, rows, names, reps),
        "nexmark": lambda: views.nexmark(report, asker, rows, names, queries),
        "hop": lambda: views.hop(report, asker, rows, names, reps),
        "change": lambda: steps.change(report, pasts, rows, asked.steps),
        "recovery": lambda: steps.recovery(report, pasts, rows, min(asked.tries, steps.RESTARTS_MAX)),
    }


def _listed(given: str, known: Sequence[str]) -> list[str]:
    names = [name for name in given.split(",") if name]
    if unknown := set(names) - set(known):
        raise SystemExit(f"Unknown: {', '.join(sorted(unknown))}. Known: {', '.join(known)}.")
    return names
