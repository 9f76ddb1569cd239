"""``qanat dlq``: dead letters counted, and dead letters as they came."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from qanat.cli.console import console, count, plural, table
from qanat.cli.row_table import one_line, readable
from qanat.errors import QanatError, did_you_mean
from qanat.lake.dead_letters import DeadLetterCount, DeadLetterTables
from qanat.lake.tables import DEFAULT_STORAGE
from qanat.where import shown


def ls(dataset: str | None, storage: Path | None, format: str) -> None:
    """Prints counts."""
    _checked_format(format, ("table", "json"))
    tables = DeadLetterTables((storage or DEFAULT_STORAGE).resolve())
    counts = tables.counts(dataset)
    if format == "json":
        for item in counts:
            print(json.dumps(item._asdict(), default=str, ensure_ascii=False))
        return
    out = console()
    if not counts:
        where = f"of '{dataset}'" if dataset else f"in {shown(str(tables.folder))}"
        out.print(Text.assemble(("✓", "good"), f" No dead letters {where}."), soft_wrap=True)
        return
    out.print(_counts_table(counts, out.width))
    out.print()
    worst = max(counts, key=lambda item: item.rows)
    folder = f" --storage {shown(str(storage))}" if storage else ""
    rule = f" --rule {worst.rule}" if worst.rule else ""
    out.print(
        Text.assemble("Look at them:  ", (f"qanat dlq show {worst.dataset}{rule}{folder}", "command")),
        soft_wrap=True,
    )


def _counts_table(counts: list[DeadLetterCount], width: int) -> Table:
    made = table("dataset", "reason", "rule", "rows", "first", "last", width=width)
    made.columns[1].justify = made.columns[2].justify = "left"
    made.columns[2].no_wrap, made.columns[2].overflow = False, "fold"
    previous = ""
    for item in counts:
        made.add_row(
            Text(item.dataset if item.dataset != previous else "", style="name"),
            item.reason,
            Text(one_line(item.rule or "")),
            Text(count(item.rows), style="bad"),
            _moment(item.first),
            _moment(item.last),
        )
        previous = item.dataset
    return made


def _moment(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}" if time else ""


def show(dataset: str, rule: str | None, limit: int, storage: Path | None, format: str) -> None:
    """Prints letters, the newest first."""
    _checked_format(format, ("text", "json"))
    tables = DeadLetterTables((storage or DEFAULT_STORAGE).resolve())
    letters, total = tables.letters(dataset, rule, limit)
    if format == "json":
        for letter in letters:
            print(json.dumps({**letter, "raw": _raw_text(letter["raw"])}, default=str, ensure_ascii=False))
        return
    out = console()
    if not letters:
        of_rule = f" with the rule '{rule}'" if rule else ""
        out.print(Text.assemble(("✓", "good"), f" No dead letters of '{dataset}'{of_rule}."), soft_wrap=True)
        return
    for letter in letters:
        _print_letter(letter)
    if total > len(letters):
        out.print(
            Text(
                f"{plural(len(letters), 'dead letter')} of {count(total)}; --limit 0 shows all.",
                style="quiet",
            )
        )
    else:
        out.print(Text(plural(total, "dead letter"), style="quiet"))


def _print_letter(letter: dict[str, Any]) -> None:
    out = console()
    place = letter["source"] or ""
    if letter["file"]:
        place += f"  {shown(letter['file'])}" + (f":{letter['line']}" if letter["line"] else "")
    what = Text.assemble((letter["reason"], "bad"))
    if letter["rule"]:
        what.append(f"  {one_line(letter['rule'])}", style="bold")
    what.append(f"  step {letter['epoch']}  {_moment(letter['time'])}", style="quiet")
    out.print(what, soft_wrap=True)
    if letter["detail"]:
        out.print(Text("  " + one_line(letter["detail"])), soft_wrap=True)
    out.print(Text(f"  from {one_line(place)}", style="quiet"), soft_wrap=True)
    out.print(Text("  " + readable(letter["raw"] or b""), style="water"), soft_wrap=True)
    out.print()


def _raw_text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", errors="backslashreplace")


def _checked_format(format: str, known: tuple[str, ...]) -> None:
    if format not in known:
        raise QanatError(
            "QN-1303",
            f"--format {format} is not known.",
            [f"Known: {', '.join(known)}", *did_you_mean(format, known)],
        )
