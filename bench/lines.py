"""Keeps sets of JSON lines in the cache: each is made once, by SQL that gives row i from (seed, i) alone.

So a smaller set is the beginning of a larger one. Only DuckDB is needed.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.clicks.generate import CACHE, ROWS_A_FILE, SEED, rows_of

# r(i, k, n): the k-th draw of row i, 0 <= r < n, k < 64. text(i, k, n): n hexadecimal digits, from k on.
_MACROS = """
CREATE MACRO draw(i, k) AS hash({seed}::UBIGINT * 1000000007 + i::UBIGINT * 64 + k);
CREATE MACRO r(i, k, n) AS (draw(i, k) >> 11)::BIGINT % n::BIGINT;
CREATE MACRO text(i, k, n) AS list_reduce(
  list_transform(range(((n + 15) // 16)::BIGINT), lambda b: format('{{:016x}}', draw(i, k + b))),
  lambda a, b: a || b)[1 : n];
CREATE MACRO pick(i, k, words) AS words[r(i, k, len(words)) + 1];
CREATE MACRO iso(ms) AS strftime(make_timestamp(ms * 1000), '%Y-%m-%dT%H:%M:%S.%gZ');
"""


@dataclass(frozen=True)
class Lines:
    """How a set is made.

    ``sql`` selects ``i`` and ``line`` for ``range({first}, {last})``; ``words`` are lists that it picks from by
    ``getvariable``, each written with commas.
    """

    name: str
    sql: str
    words: dict[str, str]
    rows_a_file: int = ROWS_A_FILE


def kept(name: str, make: Callable[[Path], dict[str, object]]) -> dict[str, object]:
    """What `make` wrote into the folder it was given, now or on an earlier day; "folder" says where it is."""
    folder = CACHE / "data" / name
    about = folder / "about.json"
    if not about.exists():
        unfinished = folder.with_name(folder.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        told = make(unfinished)
        (unfinished / "about.json").write_text(json.dumps(told))
        unfinished.rename(folder)
    return {"folder": str(folder), **json.loads(about.read_text())}


def made(lines: Lines, rows: int, seed: int = SEED) -> dict[str, object]:
    """The set of so many rows: folder, rows, bytes."""

    def make(folder: Path) -> dict[str, object]:
        return write(lines, folder, 0, rows, lines.rows_a_file, seed)

    return kept(f"{lines.name}-{rows}-{seed}", make)


def write(
    lines: Lines, folder: Path, first: int, rows: int, rows_a_file: int, seed: int = SEED
) -> dict[str, object]:
    """Makes the files of rows `first` and on in a folder that is there; what they hold."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(_MACROS.format(seed=seed))
    for name, words in lines.words.items():
        connection.execute(f"SET VARIABLE {name} = {words.split(', ')!r}")
    end = first + rows
    size = 0
    for begin in range(first, end, rows_a_file):
        path = folder / f"part-{begin // rows_a_file:05d}.jsonl"
        sql = lines.sql.replace("{first}", str(begin)).replace("{last}", str(min(begin + rows_a_file, end)))
        connection.execute(
            f"COPY (SELECT line FROM ({sql}) ORDER BY i) TO '{path}'"
            " (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')"
        )
        size += path.stat().st_size
    return {"rows": rows, "bytes": size, "seed": seed}


def arguments() -> argparse.ArgumentParser:
    """The command line of a generator: `python -m bench.events.generate 1M`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("size", help="rows: 1000, 100K, 10M")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--into", type=Path, help="a new folder, instead of the cache")
    parser.add_argument("--first", type=int, default=0, help="with --into: the first row")
    parser.add_argument("--rows-a-file", type=int, default=ROWS_A_FILE, help="with --into")
    return parser


def carry_out(asked: argparse.Namespace, lines: Lines) -> None:
    """Makes what the command line asks for, and prints what the set holds, as JSON."""
    rows = rows_of(asked.size)
    if asked.into is None:
        told = made(lines, rows, asked.seed)
    else:
        asked.into.mkdir(parents=True)
        told = write(lines, asked.into, asked.first, rows, asked.rows_a_file, asked.seed)
    print(json.dumps(told))
