"""A small pipeline with a bit of everything, its input, and the ledger: where each line of the input must end.

The ledger is plain Python, so that no SQL engine checks itself.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import lake
import specs

NAMES = ["apple", "pear", "skip", None, "Zürich 🍐"]
TABLES = ("clean", "doubled", "twice", "totals")
FUNCTIONS = ["twice"]


@dataclass
class Line:
    """One line of the input: a row, or broken."""

    number: int
    text: str
    row: dict[str, Any] | None

    @staticmethod
    def numbered(number: int) -> Line:
        if number % 11 == 4:
            return Line(number, '{"id": %d, "name": "torn' % number, None)
        row = {"id": number, "name": NAMES[number % len(NAMES)], "price": f"{(number * 37) % 50 - 5}.25"}
        return Line(number, json.dumps(row, ensure_ascii=False), row)


class Shop:
    """The pipeline over ``folder/in/*.jsonl``, stored in ``folder/lake``."""

    def __init__(self, folder: Path, step_bytes_max: int = 1500) -> None:
        self.folder = folder
        self.input = folder / "in"
        self.storage = folder / "lake"
        self.step_bytes_max = step_bytes_max
        self.lines: dict[Path, list[Line]] = {}
        self.theirs: dict[str, tuple[str, ...]] = {}  # a row that somebody else put into a table
        self.input.mkdir(parents=True, exist_ok=True)

    def write(self, file: str, count: int) -> None:
        """Appends so many whole lines to a file."""
        path = self.input / file
        there = self.lines.setdefault(path, [])
        first = sum(len(lines) for lines in self.lines.values())
        new = [Line.numbered(first + i) for i in range(count)]
        there.extend(new)
        with path.open("a", encoding="utf-8") as out:
            out.writelines(line.text + "\n" for line in new)

    def spec(self) -> dict[str, Any]:
        clean = specs.dataset(
            "clean",
            "SELECT id, name, price, id % 3 AS part FROM lines WHERE name IS NULL OR name <> 'skip'",
            rules=[
                ("named", "name IS NOT NULL", "keep"),
                ("positive", "price > 0", "drop"),
                ("not_nine", "id % 9 <> 0", "quarantine"),
                ("known", "id >= 0", "fail"),
            ],
            partition_cols=["part"],
            table_properties={"delta.checkpointInterval": "2"},
        )
        doubled = specs.dataset(
            "doubled",
            "SELECT id, price * 2 AS price FROM clean",
            rules=[("not_seven", "id % 10 <> 7", "quarantine")],
        )
        twice = specs.dataset("twice", "SELECT id FROM clean")
        totals = specs.dataset(
            "totals",
            "SELECT name, count(*) AS n, sum(price) AS total FROM clean GROUP BY name",
            kind="materialized_view",
        )
        lines = specs.source("lines", self.input / "*.jsonl", "id BIGINT, name VARCHAR, price DECIMAL(10,2)")
        return specs.pipeline(
            self.storage,
            [lines],
            [clean, doubled, specs.function_of(twice, 0, "twice", "id BIGINT, twice BIGINT"), totals],
            step_bytes_max=self.step_bytes_max,
        )

    # ---- the ledger ----

    def _ends(self) -> dict[str, Counter[Any]]:
        """Where the lines must be: rows of each table, dead letters of each, and who is in neither."""
        ends: dict[str, Counter[Any]] = {
            name: Counter() for name in (*TABLES, "clean!", "doubled!", "twice!", "filtered", "dropped")
        }
        totals: dict[str | None, list[Decimal]] = {}
        for path, lines in self.lines.items():
            for at, line in enumerate(lines, start=1):
                place = (str(path), at)
                if line.row is None:
                    ends["clean!"]["decode", None, line.text, *place] += 1
                    continue
                number, name, price = line.row["id"], line.row["name"], Decimal(line.row["price"])
                if name == "skip":
                    ends["filtered"][number] += 1
                elif number % 9 == 0:
                    ends["clean!"]["expectation", "not_nine", line.text, *place] += 1
                elif price <= 0:
                    ends["dropped"][number] += 1
                else:
                    ends["clean"][str(number), name, str(price), str(number % 3)] += 1
                    totals.setdefault(name, []).append(price)
                    if number % 10 == 7:
                        raw = f'{{"id":{number},"price":{price * 2}}}'
                        ends["doubled!"]["expectation", "not_seven", raw, None, None] += 1
                    else:
                        ends["doubled"][str(number), str(price * 2)] += 1
                    if number == 13:
                        ends["twice!"]["udf", None, '{"id": 13}', None, None] += 1
                    else:
                        ends["twice"][str(number), str(number * 2)] += 1
        for table, row in self.theirs.items():
            ends[table][row] += 1
            if table == "clean":
                totals["theirs"] = [Decimal("1.00")]
        for name, prices in totals.items():
            ends["totals"][name, str(len(prices)), str(sum(prices))] += 1
        return ends

    def check(self) -> None:
        """Fails unless every line of the input is where it must be, once, and nothing else is anywhere."""
        ends = self._ends()
        columns = {
            "clean": "id BIGINT, name VARCHAR, price DECIMAL(10,2), part BIGINT",
            "doubled": "id BIGINT, price DECIMAL(18,2)",
            "twice": "id BIGINT, twice BIGINT",
            "totals": "name VARCHAR, n BIGINT, total DECIMAL(38,2)",
        }
        read = sum(len(lines) for lines in self.lines.values())
        firm = sum(ends[name].total() for name in ("clean", "clean!", "filtered", "dropped")) - (
            "clean" in self.theirs
        )
        assert read == firm, "the ledger itself is wrong"
        with duckdb.connect() as db:
            for name in TABLES:
                table = self.storage / name
                lake.view(db, name, table, columns[name])
                problem = lake.difference(ends[name], lake.rows(db, f'SELECT * FROM "{name}"'))
                assert not problem, f"table {name}:\n{problem}"
                assert lake.orphans(table) == [], name
                if name == "totals":
                    continue
                letters = self.storage / f"{name}__dead_letters"
                found = dead_letters(db, letters)
                problem = lake.difference(ends[name + "!"], found)
                assert not problem, f"dead letters of {name}:\n{problem}"
                assert not letters.exists() or lake.orphans(letters) == [], letters.name


def dead_letters(db: duckdb.DuckDBPyConnection, table: Path) -> Counter[Any]:
    """(reason, rule, raw, file, line) of each; what was not given is None."""
    lake.view(
        db,
        "letters",
        table,
        "reason VARCHAR, rule VARCHAR, detail VARCHAR, raw BLOB, source VARCHAR, file VARCHAR, line BIGINT, "
        "epoch BIGINT, time TIMESTAMPTZ",
    )
    found = db.execute(
        "SELECT reason, nullif(rule, ''), raw, nullif(file, ''), nullif(line, 0) FROM letters"
    ).fetchall()
    return Counter((reason, rule, bytes(raw).decode(), file, line) for reason, rule, raw, file, line in found)
