"""A pipeline of materialized views through several lives, held against DuckDB's answers.

Input comes in rounds: files with new rows, lives that may end by a crash, then one that goes on until the input is
drained. After it each view must be DuckDB's answer to the same SQL over all input so far; and each version of its
table, the answer over the tables as they were in the epoch that wrote it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import compare
import duckdb
import lake
import specs
from incarnation import Lives, Outcome
from rows import Row, Stream, columns, line, load
from statements import View, with_needed

KEEP = "QANAT_ORACLE_KEEP" in os.environ  # leaves the folder of a trial that failed


@dataclass(frozen=True)
class Life:
    """A run, and how it is made to end."""

    fail: str = ""
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class File:
    """Lines that come in a round; a file of that name may be there already, and grows."""

    stream: Stream
    name: str
    rows: list[Row]


@dataclass(frozen=True)
class Round:
    files: list[File]
    doomed: list[Life] = field(default_factory=list)  # before the life that drains the input


@dataclass(frozen=True)
class Plan:
    """Everything about a trial but its views."""

    streams: Sequence[Stream]
    rounds: list[Round]
    references: dict[str, str] = field(default_factory=dict)
    step_bytes_max: int = 0
    epochs_checked_max: int = 1_000_000  # 0: only what is there after each round


class StoppedError(Exception):
    """A life did not end well; ``named`` are the datasets that the message is about."""

    def __init__(self, message: str, named: list[str]) -> None:
        super().__init__(message)
        self.named = named


class Trial:
    """Runs the views through the plan."""

    def __init__(self, lives: Lives, folder: Path, plan: Plan, views: list[View]) -> None:
        self._lives = lives
        self._folder = folder
        self._plan = plan
        self._views = views
        self.history: list[str] = []
        self._db = duckdb.connect()
        self._db.execute("SET threads = 2; SET TimeZone = 'UTC'")
        for stream in plan.streams:
            (folder / stream.source).mkdir()
            self._db.execute(f"CREATE TABLE {stream.name} ({columns(stream)})")
        for name, sql in plan.references.items():
            self._db.execute(f"CREATE TABLE {name} AS {sql}")
        tables = [specs.dataset(s.name, s.sql) for s in plan.streams]
        kept = [specs.dataset(v.name, v.sql, kind="materialized_view") for v in views]
        self._spec = specs.pipeline(
            folder / "lake",
            [specs.source(s.source, folder / s.source / "*.jsonl", s.schema) for s in plan.streams],
            tables + kept,
            references=[
                {"name": n, "where": f"flow.py:{n}", "sql": sql} for n, sql in plan.references.items()
            ],
            step_bytes_max=plan.step_bytes_max,
        )

    def close(self) -> None:
        self._db.close()

    def run(self) -> dict[str, str]:
        """A text for each view that is wrong."""
        for number, each in enumerate(self._plan.rounds):
            self._bring(number, each.files)
            for life in each.doomed:
                self._live(life)
            self._live(Life())
            problems = self._check()
            if problems:
                return problems
        return self._check_history()

    # ---- the engine's side ----

    def _bring(self, number: int, files: list[File]) -> None:
        for file in files:
            with (self._folder / file.stream.source / file.name).open("a", encoding="utf-8") as out:
                out.writelines(line(row) + "\n" for row in file.rows)
            load(self._db, file.stream, file.rows)
        brought = ", ".join(f"{f.stream.name}/{f.name} +{len(f.rows)}" for f in files)
        self.history.append(f"round {number}: {brought or 'nothing new'}")

    def _live(self, life: Life) -> None:
        try:
            outcome: Outcome = self._lives.live(self._spec, fail=life.fail, options=life.options)
        except AssertionError as failure:
            if "ended by signal" not in str(failure):
                raise  # not the pipeline's fault
            raise StoppedError(str(failure), []) from None
        steps = outcome.progress.get("epoch", "?")
        self.history.append(f"  {life.fail or 'a life'} {life.options or ''}: {outcome}, epoch {steps}")
        expected = life.fail and (outcome.killed or (outcome.error or {}).get("code") == "QN-9002")
        if not outcome.ok and not expected:
            named = re.findall(r"flow\.py:(\w+)", str(outcome))
            raise StoppedError(str(outcome), [n for n in named if any(v.name == n for v in self._views)])

    # ---- DuckDB's side ----

    def _answer(self, db: duckdb.DuckDBPyConnection, views: list[View]) -> None:
        for view in views:
            db.execute(f"CREATE OR REPLACE TABLE {view.name} AS {view.sql}")

    # ---- and both ----

    def _check(self) -> dict[str, str]:
        self._answer(self._db, self._views)
        problems: dict[str, str] = {}
        for stream in self._plan.streams:
            problem = self._compare(self._db, stream.name, columns(stream))
            if problem:
                raise StoppedError(f"table {stream.name}:\n{problem}", [])
        for view in self._views:
            problem = self._compare(self._db, view.name, self._described(self._db, view.name))
            if problem:
                problems[view.name] = self._story(view, problem, problems)
        return problems

    @staticmethod
    def _described(db: duckdb.DuckDBPyConnection, name: str) -> str:
        return ", ".join(
            '"' + column.replace('"', '""') + f'" {kind}'
            for column, kind, *_ in db.execute(f'DESCRIBE "{name}"').fetchall()
        )

    def _compare(self, db: duckdb.DuckDBPyConnection, name: str, described: str) -> str:
        lake.view(db, "stored", self._folder / "lake" / name, described)
        return compare.difference(compare.rows(db, name), compare.rows(db, "stored"))

    def _story(self, view: View, problem: str, problems: dict[str, str]) -> str:
        wrong = [name for name in problems if view.reads(name)]
        if wrong:
            return f"view {view.name} reads what is wrong: {', '.join(wrong)}"
        steps = "\n".join(self.history)
        return f"view {view.name}:\n{view.sql}\n{problem}\nsteps (of {self._plan.step_bytes_max} bytes):\n{steps}"

    # ---- every version ----

    def _check_history(self) -> dict[str, str]:
        """Each view against its SQL over the tables as they were, at epochs in which views were written."""
        names = [s.name for s in self._plan.streams] + [v.name for v in self._views]
        versions = {name: Versions(self._folder / "lake" / name) for name in names}
        epochs = sorted({epoch for view in self._views for epoch in versions[view.name].epochs()})
        count = min(len(epochs), self._plan.epochs_checked_max)
        for epoch in (epochs[n * len(epochs) // count] for n in range(count)):
            problems = self._check_epoch(versions, epoch)
            if problems:
                return problems
        return {}

    def _over_streams(self) -> list[View]:
        """Views that some stream reaches: the others may be written in any step until the input is drained."""
        reached = {stream.name for stream in self._plan.streams}
        for view in self._views:  # in order: each behind what it reads
            if any(view.reads(name) for name in reached):
                reached.add(view.name)
        return [view for view in self._views if view.name in reached]

    def _check_epoch(self, versions: dict[str, Versions], epoch: int) -> dict[str, str]:
        problems: dict[str, str] = {}
        with duckdb.connect() as db:
            db.execute("SET threads = 2; SET TimeZone = 'UTC'")
            for name, sql in self._plan.references.items():
                db.execute(f"CREATE TABLE {name} AS {sql}")
            for stream in self._plan.streams:
                versions[stream.name].load(db, stream.name, columns(stream), epoch)
            self._answer(db, self._views)
            for view in self._over_streams():
                versions[view.name].load(db, "stored", self._described(db, view.name), epoch)
                problem = compare.difference(compare.rows(db, view.name), compare.rows(db, "stored"))
                if problem:
                    problems[view.name] = self._story(view, f"as of epoch {epoch}:\n{problem}", problems)
        return problems


class Versions:
    """The data files of a table as of an epoch."""

    def __init__(self, table: Path) -> None:
        self._table = table
        self._actions: list[tuple[int, list[dict[str, Any]]]] = []
        for entry in sorted(table.glob("_delta_log/" + "[0-9]" * 20 + ".json")):
            actions = [json.loads(text) for text in entry.read_bytes().split(b"\n") if text]
            epoch = next((a["txn"]["version"] for a in actions if "txn" in a), None)
            if epoch is not None:
                self._actions.append((epoch, actions))

    def epochs(self) -> list[int]:
        """Those that changed the rows."""
        return [
            epoch for epoch, actions in self._actions if any("add" in a or "remove" in a for a in actions)
        ]

    def load(self, db: duckdb.DuckDBPyConnection, name: str, described: str, epoch: int) -> None:
        """A table with the rows."""
        files: dict[str, None] = {}
        for at, actions in self._actions:
            if at > epoch:
                break
            for action in actions:  # a rewritten file may take the name of none, so the order does not matter
                if "remove" in action:
                    files.pop(action["remove"]["path"], None)
                elif "add" in action:
                    files[action["add"]["path"]] = None
        db.execute(f'CREATE OR REPLACE TABLE "{name}" ({described})')
        if files:
            paths = [str(self._table / unquote(path)) for path in files]
            db.execute(f'INSERT INTO "{name}" BY NAME SELECT * FROM read_parquet(?)', [paths])


def judge(lives: Lives, plan: Plan, chosen: list[View], known: list[View]) -> dict[str, str]:
    """Runs the chosen views, with what they read, in one pipeline; a text for each that is refused or wrong.

    A view that the engine names is left out and the rest begins again. When it names none, halves are tried.
    """
    problems: dict[str, str] = {}
    while chosen:
        views = with_needed(chosen, known)
        folder = Path(tempfile.mkdtemp(prefix="oracle-"))
        trial = Trial(lives, folder, plan, views)
        try:
            problems |= trial.run()
            return problems
        except StoppedError as stopped:
            story = f"{stopped}\nsteps:\n" + "\n".join(trial.history)
            bad = set(stopped.named)
            if not bad and len(chosen) > 1:
                half = len(chosen) // 2
                return (
                    problems
                    | judge(lives, plan, chosen[:half], known)
                    | judge(lives, plan, chosen[half:], known)
                )
            bad = bad or {chosen[-1].name}
            for view in views:
                if view.name in bad:
                    problems[view.name] = f"view {view.name}:\n{view.sql}\n{story}"
                elif reads := [name for name in bad if view.reads(name)]:
                    problems[view.name] = f"view {view.name} reads what is refused: {', '.join(reads)}"
                    bad.add(view.name)
            chosen = [view for view in chosen if view.name not in bad]
        finally:
            trial.close()
            if not KEEP:
                shutil.rmtree(folder)
    return problems


def report(problems: dict[str, str]) -> str:
    """All of them, their names first."""
    names = ", ".join(problems)
    return f"{len(problems)} views are wrong or refused: {names}\n\n" + "\n\n".join(problems.values())
