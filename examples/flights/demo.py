"""The story of `make demo`: makes the data, runs the pipeline, shows what came of it, where to look next."""

import pathlib
import shlex
import shutil
import subprocess
import sys

import data

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
STORAGE = "examples/flights/lake"
WORST_DAYS = """
    SELECT airline, flight_date, flights, late, round(arr_delay_min / flights) AS mean_delay_min, worst_min
    FROM delays ORDER BY late DESC, flight_date LIMIT 8
"""


def say(text: str) -> None:
    """A heading, set off from what the commands print."""
    print(f"\n{text}", flush=True)


def qanat(*arguments: str) -> None:
    """Runs the command as a reader would type it, after showing it."""
    words = " ".join(shlex.quote(" ".join(word.split())) for word in arguments)
    print(f"$ qanat {words}", flush=True)
    command = pathlib.Path(sys.executable).parent / "qanat"
    subprocess.run([command, *arguments], cwd=ROOT, check=True)


def main() -> None:
    """Begins from an empty lake each time; the feed is kept."""
    data.make(HERE)
    shutil.rmtree(ROOT / STORAGE, ignore_errors=True)
    say("336,776 departures from New York in 2013, as 366 daily files of events, become three tables.")
    qanat("run", "examples/flights/flow.py", "--storage", STORAGE)
    say("The days on which most flights were late:")
    qanat("query", WORST_DAYS, "--storage", STORAGE)
    say("Rows that broke a rule of the kind `expect_or_quarantine` are kept, with the reason:")
    qanat("dlq", "ls", "--storage", STORAGE)
    say(
        "Where to look next:\n"
        "  examples/flights/flow.py     the pipeline: typed source, seven rules, three tables\n"
        "  examples/flights/README.md   what is in the data, and things to try\n"
        "  docs/guide/                  your own pipeline in an hour; or  .venv/bin/qanat init hello\n"
        f"  {STORAGE}         plain Delta tables: DuckDB, Polars, Spark or deltalake read them"
    )


if __name__ == "__main__":
    main()
