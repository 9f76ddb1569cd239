"""What is shown when a run has ended: a table by dataset, and where to look next."""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from qanat.cli.console import count, duration, plural, size, table
from qanat.engines.native import DatasetProgress, Progress
from qanat.errors import QanatError
from qanat.pipelines.plan import Pipeline
from qanat.where import shown

_STEPS_BACK = "What was committed before is; running again goes on from there."


def print_summary(console: Console, progress: Progress, failure: QanatError | None, asked: bool) -> None:
    """The table, under one line that says how it ended."""
    console.print()
    console.print(headline(progress, failure, asked))
    if not progress.datasets:
        return
    console.print()
    console.print(summary_table(progress, console.width))
    console.print()


def headline(progress: Progress, failure: QanatError | None, asked: bool) -> Text:
    """``Done in 8.4 s: 12 steps, 61.3 MB read, 7.3 MB/s``."""
    from rich.text import Text

    steps = max((d.steps for d in progress.datasets.values()), default=0)
    rate = progress.bytes_read / progress.elapsed_s if progress.elapsed_s > 0 else 0.0
    if failure is not None:
        return Text.assemble(
            ("✗ ", "bad"), ("Failed", "bold"), f" after {duration(progress.elapsed_s)}. {_STEPS_BACK}"
        )
    word, mark, style = ("Stopped", "■ ", "warn") if asked else ("Done", "✓ ", "good")
    said = f" in {duration(progress.elapsed_s)}: {plural(steps, 'step')}, {size(progress.bytes_read)} read"
    text = Text.assemble((mark, style), (word, "bold"), said)
    if progress.bytes_read:
        text.append(f", {size(rate)}/s")
    if not steps and not asked:
        text.append(". Nothing new was there.")
    return text


def summary_table(progress: Progress, width: int) -> Table:
    """One line a dataset; below it, one a rule that was broken, under what became of its rows."""
    titles = ("  dataset", "rows in", "rows out", "dropped", "dead letters", "steps", "seconds", "MB/s")
    made = table(*titles, width=width)
    for name, dataset in progress.datasets.items():
        _dataset_rows(made, name, dataset)
    return made


def _dataset_rows(made: Table, name: str, dataset: DatasetProgress) -> None:
    timed = dataset.seconds > 0 and dataset.bytes_in
    made.add_row(
        Text("  " + name, style="name"),
        count(dataset.rows_in),
        Text(count(dataset.rows_out), style="good" if dataset.rows_out else ""),
        _number(dataset.rows_dropped, "warn"),
        _number(dataset.rows_dead, "bad"),
        count(dataset.steps),
        f"{dataset.seconds:,.2f}",
        f"{dataset.bytes_in / dataset.seconds / 1e6:,.1f}" if timed else "",
    )
    for rules, column, ending in (
        (dataset.dead, 4, ""),
        (dataset.dropped, 3, ""),
        (dataset.kept, 2, " kept"),
    ):
        for rule, number in _largest_first(rules):
            cells = [Text(f"    {rule}{ending}", style="quiet"), *[Text()] * 7]
            cells[column] = Text(count(number), style="quiet")
            made.add_row(*cells)


def _largest_first(rules: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(((rule, number) for rule, number in rules.items() if number), key=lambda item: -item[1])


def _number(number: int, style: str) -> Text:
    from rich.text import Text

    return Text(count(number), style=style) if number else Text("–", style="quiet")


def print_next(console: Console, pipeline: Pipeline, storage: Path, progress: Progress, asked: bool) -> None:
    """Commands to paste, those that fit what happened."""
    console.print("Where to look next", style="quiet")
    for command, why in next_commands(pipeline, storage, progress, asked):
        said = [(f"   {why}", "quiet")] if why else []
        console.print(Text.assemble("  ", (command, "command"), *said), soft_wrap=True)


def next_commands(
    pipeline: Pipeline, storage: Path, progress: Progress, asked: bool
) -> list[tuple[str, str]]:
    """At most four commands, each with a reason where it does not speak for itself."""
    folder = (
        ""
        if storage.resolve() == Path("lake").resolve()
        else f" --storage {shlex.quote(shown(str(storage)))}"
    )
    file = shlex.quote(shown(str(pipeline.file)))
    stored = [d.name for d in pipeline.datasets if d.kind != "temporary_view"]
    commands = [(f"qanat run {file}{folder}", "goes on from there")] if asked else []
    if stored:
        commands.append((f'qanat query "SELECT * FROM {stored[-1]} LIMIT 10"{folder}', ""))
    dead = [(d.rows_dead, name) for name, d in progress.datasets.items() if d.rows_dead]
    if dead:
        commands.append((f"qanat dlq show {max(dead)[1]}{folder}", "rows that were set aside, as they came"))
    return [*commands, (f"qanat graph {file}", "what reads what")]
