"""Views kept up to date, beside peers that answer once: windows, sessions, join, Nexmark, hop. See README.md."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench import environments
from bench.inputs import json_of, made
from bench.measure import MB, OURS, BenchError, Usage, in_turns, median, run
from bench.report import Report

HERE = Path(__file__).parent
START_UP_ROWS = 1_000
HOP_SLIDES = (1, 10, 60, 3600)
QUERIES = ("q0", "q1", "q2", "q3", "q4", "q5", "q7", "q8", "q9", "q11", "q15", "q18", "q20")
# Events a second and core, in thousands, as their makers published them.
FLINK = {"q0": 155, "q3": 152, "q4": 34, "q5": 22, "q7": 12, "q8": 146}
FELDERA = {"q0": 436, "q3": 413, "q4": 264, "q5": 412, "q7": 196, "q8": 415}


@dataclass(frozen=True)
class Compared:
    """What of an answer is compared: expressions in DuckDB's SQL over its columns, of the rows that count."""

    values: str
    where: str = "true"


@dataclass(frozen=True)
class Question:
    """An answer, and how it is asked for: `folder`/flow.py is ours, `folder`/peer_*.py are the others.

    The answer depends on ``variant`` and the input alone; ``environment`` says how ours gets there.
    """

    folder: str
    made_by: str
    answer: Compared
    variant: str = "-"
    loosely: Mapping[str, Compared] = field(default_factory=dict)  # peers that cannot give the whole answer
    environment: Mapping[str, str] = field(default_factory=dict)

    def compared(self, engine: str) -> tuple[Compared, ...]:
        """What can be compared of an engine's answer."""
        if engine in self.loosely:
            return (self.loosely[engine],)
        return (self.answer, *self.loosely.values())

    def peers(self, names: Sequence[str]) -> list[str]:
        """Those of them that answer it."""
        return [name for name in names if (HERE / self.folder / f"peer_{name}.py").exists()]


class Asker:
    """Asks engines; an answer counts when it is equal to that of the others."""

    def __init__(self, work: Path) -> None:
        self._out = work / "answer"
        self._digests: dict[tuple[str, str, int, Compared], tuple[int, str, str]] = {}

    def ours(self, question: Question, rows: int) -> Usage:
        """One run of ours, into a new storage."""
        flow = HERE / question.folder / "flow.py"
        command = [*environments.qanat(), "run", str(flow), "--storage", str(self._out)]
        return self._asked(OURS, command, question, rows)

    def peer(self, name: str, question: Question, rows: int) -> Usage:
        """One run of a peer."""
        script = HERE / question.folder / f"peer_{name}.py"
        command = [environments.python_of(name), str(script), _folder(question, rows), str(self._out)]
        return self._asked(name, [*command, question.variant], question, rows)

    def jobs(self, question: Question, rows: int, names: Sequence[str]) -> dict[str, Callable[[], Usage]]:
        """Ours and the peers' that answer it, to be run in turns."""
        jobs: dict[str, Callable[[], Usage]] = {OURS: lambda: self.ours(question, rows)}
        for name in question.peers(names):
            jobs[name] = lambda name=name: self.peer(name, question, rows)
            if name == "spark":
                jobs["spark, start-up"] = lambda: self.peer("spark", question, START_UP_ROWS)
        return jobs

    def _asked(self, engine: str, command: Sequence[str], question: Question, rows: int) -> Usage:
        shutil.rmtree(self._out, ignore_errors=True)
        self._out.mkdir()
        environment = {
            "QANAT_BENCH_INPUT": _folder(question, rows),
            "QANAT_BENCH_VARIANT": question.variant,
            **question.environment,
        }
        used = run(command, self._out.with_suffix(".log"), environment)
        for compared in question.compared(engine):
            self._check(engine, question, rows, compared)
        return used

    def _check(self, engine: str, question: Question, rows: int, compared: Compared) -> None:
        told = json_of("bench.equal", str(self._out), compared.values, compared.where)
        key = (question.folder, question.variant, rows, compared)
        count, digest, by = self._digests.setdefault(key, (told["rows"], told["digest"], engine))
        if (told["rows"], told["digest"]) != (count, digest):
            raise BenchError(
                f"{question.folder} {question.variant}, {rows:,} events: {engine} has {told['rows']} rows with "
                f"digest {told['digest']}, {by} {count} with {digest}. Compared: {compared.values}, "
                f"where {compared.where}."
            )
        if told["dead"]:
            raise BenchError(f"{question.folder}: {engine} set {told['dead']} good rows aside.")


def _folder(question: Question, rows: int) -> str:
    return str(made(question.made_by, str(rows))["folder"])


def _rates(
    report: Report, asker: Asker, question: Question, rows: int, names: Sequence[str], reps: int
) -> Usage:
    """The table of one question; what ours used."""
    jobs = asker.jobs(question, rows, names)
    used = {name: median(runs) for name, runs in in_turns(jobs, reps).items()}
    start = used.pop("spark, start-up", None)
    if start is not None:
        used["spark"] = used["spark"].without(start)
    report.rates(rows, used)
    if start is not None:
        report.add(
            f"Spark's start-up is taken off: {start.cpu_s:.1f} CPU s, {start.wall_s:.1f} s of wall clock.", ""
        )
    if len(used) == 1:
        report.add("No peer ran, so nothing was compared.", "")
    return used[OURS]


def windows(report: Report, asker: Asker, rows: int, names: Sequence[str], reps: int) -> None:
    """One-minute windows by country: with distinct users, then count and sum only; memory."""
    users = _windows("users", rows)
    report.add(f"## Windows of a minute, count, distinct users, sum: {rows:,} events, median of {reps}", "")
    used = _rates(report, asker, users, rows, names, reps)
    report.add(f"## The same, count and sum only: {rows:,} events, median of {reps}", "")
    _rates(report, asker, _windows("sums", rows), rows, [name for name in names if name != "spark"], reps)
    small = asker.ours(_windows("users", rows // 10), rows // 10)
    never = asker.ours(_windows("users", rows, closing="no"), rows)
    report.add(
        f"Peak memory of ours, with distinct users: {small.rss_bytes / MB:.0f} MB at {rows // 10:,} events, "
        f"{used.rss_bytes / MB:.0f} MB at {rows:,}; {never.rss_bytes / MB:.0f} MB where windows never close.",
        "",
    )


def _windows(variant: str, rows: int, closing: str = "yes") -> Question:
    exact = "country, epoch_us(minute::TIMESTAMP), events::BIGINT, (revenue * 100)::BIGINT"
    # Two minutes before the last event every window is closed for Spark too.
    end = f"TIMESTAMP '2026-03-01 20:00:00' + to_milliseconds({int(rows * 25.92)}) - INTERVAL 2 MINUTE"
    return Question(
        "windows",
        "bench.events.generate",
        Compared(exact if variant == "sums" else f"{exact}, users::BIGINT"),
        variant,
        loosely={"spark": Compared(exact, f"minute::TIMESTAMP < {end}")},
        environment={"QANAT_BENCH_CLOSE": closing},
    )


def sessions(report: Report, asker: Asker, rows: int, names: Sequence[str], reps: int) -> None:
    """Sessions by user, by window functions."""
    question = Question(
        "sessions",
        "bench.events.generate",
        Compared(
            "user_id, epoch_us(session_start::TIMESTAMP), epoch_us(session_end::TIMESTAMP), events::BIGINT, "
            "(revenue * 100)::BIGINT"
        ),
    )
    report.add(f"## Sessions by user, pauses of 30 minutes: {rows:,} events, median of {reps}", "")
    _rates(report, asker, question, rows, names, reps)


def join(report: Report, asker: Asker, rows: int, names: Sequence[str], reps: int) -> None:
    """Each event with its user's row; then with the users as a stream of their own."""
    users = str(made("bench.events.users")["folder"])

    def asked(users_are: str) -> Question:
        return Question(
            "join",
            "bench.events.generate",
            Compared(
                "event_id, user_id, epoch_us(ts::TIMESTAMP), country, (price * 100)::BIGINT, age::BIGINT, "
                "gender, segment, income, city"
            ),
            environment={"QANAT_BENCH_USERS": users, "QANAT_BENCH_USERS_ARE": users_are},
        )

    report.add(f"## Join with a table of a million users: {rows:,} events, median of {reps}", "")
    used = _rates(report, asker, asked("reference"), rows, names, reps)
    both = asker.ours(asked("source"), rows)
    report.add(
        f"With the users as a source, both sides remembered: {both.cpu_s:.2f} CPU s, "
        f"{both.cpu_s / used.cpu_s:.2f}× of the above, peak {both.rss_bytes / MB:.0f} MB (one run).",
        "",
    )


def nexmark(report: Report, asker: Asker, rows: int, names: Sequence[str], queries: Sequence[str]) -> None:
    """Each query once; published figures beside ours."""
    others = Question("nexmark", "bench.nexmark.generate", Compared("")).peers(names)
    report.add(
        f"## Nexmark, {rows:,} events, one run each: thousand events a CPU-second",
        "",
        "| query | qanat | Flink, published | ours is | Feldera, published | ours is |"
        + "".join(f" {name} | ours is |" for name in others)
        + " wall s | peak MB |",
        "|---|" + "---:|" * (7 + 2 * len(others)),
    )
    for query in queries:
        question = Question("nexmark", "bench.nexmark.generate", Compared(NEXMARK_VALUES[query]), query)
        used = {name: runs[0] for name, runs in in_turns(asker.jobs(question, rows, names), 1).items()}
        ours = rows / used[OURS].cpu_s / 1000
        cells = [query, f"{ours:,.0f}"]
        for figure in (FLINK.get(query), FELDERA.get(query)):
            cells += ["", ""] if figure is None else [str(figure), f"{ours / figure:.1f}×"]
        for name in others:
            theirs = rows / used[name].cpu_s / 1000
            cells += [f"{theirs:,.0f}", f"{ours / theirs:.1f}×"]
        cells += [f"{used[OURS].wall_s:.2f}", f"{used[OURS].rss_bytes / MB:.0f}"]
        report.add(f"| {' | '.join(cells)} |")
    report.add("")


_BID = 'auction, bidder, price, epoch_us("dateTime"::TIMESTAMP), extra'
_RANKS = ("total", "rank1", "rank2", "rank3")
NEXMARK_VALUES = {
    "q0": _BID,
    "q1": _BID.replace("price", "round(price * 1000)::BIGINT"),
    "q2": "auction, price",
    "q3": "name, city, state, id",
    "q4": "category, printf('%.9e', final)",
    "q5": "auction, num::BIGINT, epoch_us(window_start::TIMESTAMP)",
    "q7": _BID,
    "q8": "id, name, epoch_us(window_start::TIMESTAMP)",
    "q9": 'id, "itemName", description, "initialBid", reserve, epoch_us("dateTime"::TIMESTAMP), '
    "epoch_us(expires::TIMESTAMP), seller, category, extra, auction, bidder, price, "
    'epoch_us("bid_dateTime"::TIMESTAMP), bid_extra',
    "q11": "bidder, bid_count::BIGINT, epoch_us(starttime::TIMESTAMP), epoch_us(endtime::TIMESTAMP)",
    "q15": "day::DATE, "
    + ", ".join(f"{rank}_{of}::BIGINT" for of in ("bids", "bidders", "auctions") for rank in _RANKS),
    "q18": "channel, url, " + _BID,
    "q20": 'auction, bidder, price, channel, url, epoch_us("bid_dateTime"::TIMESTAMP), bid_extra, "itemName", '
    'description, "initialBid", reserve, epoch_us("auction_dateTime"::TIMESTAMP), epoch_us(expires::TIMESTAMP), '
    "seller, category, auction_extra",
}


def hop(report: Report, asker: Asker, rows: int, names: Sequence[str], reps: int) -> None:
    """Hopping windows of more and more slides."""
    questions = {
        slides: Question(
            "hop",
            "bench.events.generate",
            Compared("epoch_us(window_start::TIMESTAMP), events::BIGINT, (revenue * 100)::BIGINT"),
            str(slides),
        )
        for slides in HOP_SLIDES
    }
    compared = "duckdb" in names
    if compared:
        for question in questions.values():
            asker.peer("duckdb", question, rows)
    jobs = {
        str(slides): lambda question=question: asker.ours(question, rows)
        for slides, question in questions.items()
    }
    used = {slides: median(runs) for slides, runs in in_turns(jobs, reps).items()}
    report.add(
        f"## Hopping windows, a slide of a minute: {rows:,} events, median of {reps}",
        "",
        "| width / slide | CPU s | wall s | events per CPU-second | loses | peak MB |",
        "|---:|---:|---:|---:|---:|---:|",
    )
    first = used[str(HOP_SLIDES[0])]
    for slides, usage in used.items():
        report.add(
            f"| {slides} | {usage.cpu_s:.2f} | {usage.wall_s:.2f} | {rows / usage.cpu_s:,.0f} "
            f"| {100 * (1 - first.cpu_s / usage.cpu_s):.0f} % | {usage.rss_bytes / MB:.0f} |"
        )
    report.add("")
    if not compared:
        report.add("DuckDB did not run, so nothing was compared.", "")
