"""The dead-letter tables of a storage folder: counts by reason and rule, and the letters themselves."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, NamedTuple

from qanat import sql_text
from qanat.errors import QanatError, did_you_mean
from qanat.lake.tables import DEAD_LETTERS, Lake

_COLUMNS = ("reason", "rule", "detail", "raw", "source", "file", "line", "epoch", "time")


class DeadLetterCount(NamedTuple):
    """Dead letters of one dataset with one reason and rule."""

    dataset: str
    reason: str
    rule: str | None
    rows: int
    first: datetime.datetime | None
    last: datetime.datetime | None


class DeadLetterTables:
    """Those of one storage folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lake = Lake(folder)

    def counts(self, dataset: str | None) -> list[DeadLetterCount]:
        """By dataset, then most first. A row that broke several rules counts under their names together."""
        chosen = [self._known(dataset)] if dataset is not None else self._datasets()
        result: list[DeadLetterCount] = []
        for name in chosen:
            table = name + DEAD_LETTERS
            if table not in self._lake.table_names():
                continue
            rows = self._lake.query(
                f"SELECT reason, nullif(rule, '') AS rule, count(*) AS n, min(time), max(time) "
                f"FROM {sql_text.quoted(table)} GROUP BY ALL ORDER BY n DESC, reason, rule"
            ).fetchall()
            result += [DeadLetterCount(name, *row) for row in rows]
        return result

    def letters(self, dataset: str, rule: str | None, limit: int) -> tuple[list[dict[str, Any]], int]:
        """The newest ``limit`` letters (0: all) as dicts by column, and how many there are in all."""
        table = self._known(dataset) + DEAD_LETTERS
        if table not in self._lake.table_names():
            return [], 0
        condition = ""
        if rule is not None:
            text = sql_text.literal(rule)
            condition = f"WHERE list_contains(string_split(rule, ','), {text}) OR reason = {text}"
        source = f"FROM {sql_text.quoted(table)} {condition}"
        (total,) = self._lake.query(f"SELECT count(*) {source}").fetchall()[0]
        order = "ORDER BY epoch DESC, file, line" + (f" LIMIT {limit}" if limit else "")
        rows = self._lake.query(f"SELECT {', '.join(_COLUMNS)} {source} {order}").fetchall()
        return [dict(zip(_COLUMNS, row, strict=True)) for row in rows], int(total)

    def _datasets(self) -> list[str]:
        tables = self._lake.table_names()
        if not tables:
            self._lake.snapshot("")  # says that the folder holds no tables
        return [name.removesuffix(DEAD_LETTERS) for name in tables if name.endswith(DEAD_LETTERS)]

    def _known(self, dataset: str) -> str:
        tables = self._lake.table_names()
        names = sorted({name.removesuffix(DEAD_LETTERS) for name in tables})
        wanted = dataset.removesuffix(DEAD_LETTERS)
        for name in names:
            if name.casefold() == wanted.casefold():
                return name
        if not names:
            self._lake.snapshot("")
        raise QanatError(
            "QN-1310",
            f"There is no dataset '{wanted}' in '{self.folder}'.",
            [f"There are: {', '.join(names)}", *did_you_mean(wanted, names)],
        )
