"""The example ends with the numbers that DuckDB gives over the raw CSV files, however the run was cut.

The oracle reads the package's own flights.csv, not the feed, and shares no line with the pipeline.
"""

import json
import pathlib
import shutil
import signal
import subprocess
import sys
from typing import Any

import data
import duckdb
import pytest

HERE = pathlib.Path(__file__).resolve().parent
QANAT = pathlib.Path(sys.executable).parent / "qanat"

ORACLE = """
    SET TimeZone = 'UTC';
    CREATE TABLE raw AS FROM read_csv('{raw}/flights.csv', nullstr = 'NA');
    CREATE TABLE planes AS FROM read_csv('{raw}/planes.csv', nullstr = 'NA');
    CREATE TABLE airlines AS FROM read_csv('{raw}/airlines.csv');
    CREATE TABLE airports AS FROM read_csv('{raw}/airports.csv', nullstr = 'NA');
    CREATE TABLE weather AS FROM read_csv('{raw}/weather.csv', nullstr = 'NA');
    CREATE TABLE judged AS
        SELECT *, dep_time IS NULL AS cancelled, tailnum IS NULL AS no_aircraft,
               dep_time IS NOT NULL AND arr_time IS NULL AS lost,
               coalesce(distance / (air_time / 60.0) > 600, false) AS too_fast
        FROM raw;
    CREATE TABLE expected_flights AS
        SELECT time_hour + to_minutes("minute" + dep_delay) AS event_at,
               make_date("year", "month", "day") AS flight_date, "month", carrier, flight, tailnum, origin,
               dest, dep_time, dep_delay, arr_time, arr_delay, air_time, distance, time_hour
        FROM judged WHERE NOT (cancelled OR no_aircraft OR lost OR too_fast);
    CREATE TABLE expected_enriched AS
        SELECT f.*, airlines.name AS airline, airports.name AS destination, manufacturer, model, seats,
               planes."year" AS built, temp, wind_speed, precip, visib
        FROM expected_flights f LEFT JOIN airlines USING (carrier) LEFT JOIN airports ON faa = dest
        LEFT JOIN planes USING (tailnum) LEFT JOIN weather ON weather.origin = f.origin
             AND weather.time_hour = f.time_hour;
    CREATE TABLE expected_delays AS
        SELECT carrier, airline, flight_date, count(*) AS flights, count(*) FILTER (arr_delay >= 15) AS late,
               sum(dep_delay) AS dep_delay_min, sum(arr_delay) AS arr_delay_min, max(arr_delay) AS worst_min
        FROM expected_enriched GROUP BY ALL;
"""


@pytest.fixture(scope="session")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """DuckDB with the raw files and what must come of them."""
    raw = tmp_path_factory.mktemp("raw")
    data.unpack(raw)
    connection = duckdb.connect()
    connection.execute(ORACLE.format(raw=raw))
    return connection


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """A copy of the example with its data made."""
    home = tmp_path_factory.mktemp("flights")
    for name in ("flow.py", "data.py"):
        shutil.copy(HERE / name, home)
    return data.make(home)


def qanat(folder: pathlib.Path, *arguments: str, **options: Any) -> str:
    """What the command prints; a failure shows all of it."""
    done = subprocess.run(
        [QANAT, *arguments], cwd=folder, capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows(folder: pathlib.Path, lake: str, sql: str) -> list[dict[str, Any]]:
    """The rows of a query over a lake, by the command."""
    return json.loads(qanat(folder, "query", sql, "--storage", lake, "--format", "json"))  # type: ignore[no-any-return]


@pytest.fixture(scope="session")
def whole(example: pathlib.Path) -> pathlib.Path:
    """The example after one run without a break."""
    qanat(example, "run", "flow.py", "--storage", "whole")
    return example


def stored(lake: pathlib.Path, dataset: str) -> str:
    """SQL that reads a table's live files as deltalake names them, so not by our own log reader."""
    from deltalake import DeltaTable

    files = ", ".join(f"'{uri}'" for uri in DeltaTable(lake / dataset).file_uris())
    return f"read_parquet([{files}], hive_partitioning = true, union_by_name = true)"


def differences(
    oracle: duckdb.DuckDBPyConnection, lake: pathlib.Path, dataset: str, expected: str
) -> tuple[int, int]:
    """Rows that are only in the stored table, rows that are only in the expected one; doubled rows count."""
    columns = ", ".join(f'"{name}"' for name, *_ in oracle.execute(f"DESCRIBE {expected}").fetchall())
    there = f"SELECT {columns} FROM {stored(lake, dataset)}"
    wanted = f"SELECT {columns} FROM {expected}"
    too_many = oracle.execute(f"SELECT count(*) FROM ({there} EXCEPT ALL {wanted})").fetchone()
    missing = oracle.execute(f"SELECT count(*) FROM ({wanted} EXCEPT ALL {there})").fetchone()
    assert too_many and missing
    return too_many[0], missing[0]


DATASETS = [
    ("flights", "expected_flights"),
    ("flights_enriched", "expected_enriched"),
    ("delays", "expected_delays"),
]


@pytest.mark.parametrize(("dataset", "expected"), DATASETS)
def test_every_row_is_duckdbs(
    oracle: duckdb.DuckDBPyConnection, whole: pathlib.Path, dataset: str, expected: str
) -> None:
    assert oracle.execute(f"SELECT count(*) > 5000 FROM {expected}").fetchone() == (True,)
    assert differences(oracle, whole / "whole", dataset, expected) == (0, 0)


def test_no_flight_is_lost(oracle: duckdb.DuckDBPyConnection, whole: pathlib.Path) -> None:
    """Kept + quarantined + dropped = 336,776, and each number is the raw file's own."""
    kept = rows(whole, "whole", "SELECT count(*) AS n FROM flights")[0]["n"]
    dead = rows(whole, "whole", "SELECT rule, count(*) AS n FROM flights__dead_letters GROUP BY rule")
    by_rule = {row["rule"]: row["n"] for row in dead}
    raw = oracle.execute("""
        SELECT count(*), count(*) FILTER (no_aircraft), count(*) FILTER (lost), count(*) FILTER (too_fast),
               count(*) FILTER (cancelled AND NOT no_aircraft) FROM judged""").fetchone()
    assert raw is not None
    assert by_rule == {"has_aircraft": raw[1], "arrived": raw[2], "possible_speed": raw[3]}
    assert kept + sum(by_rule.values()) + raw[4] == raw[0] == data.ROWS


def test_a_dead_letter_is_the_line_as_it_came(whole: pathlib.Path) -> None:
    letters = rows(
        whole,
        "whole",
        "SELECT decode(raw) AS raw, file, line, reason, source FROM flights__dead_letters ORDER BY ALL",
    )
    for letter in [*letters[:50], *letters[-50:]]:
        path = pathlib.Path(letter["file"])
        line = (path if path.is_absolute() else whole / path).read_text().splitlines()[letter["line"] - 1]
        assert letter["raw"] == line
        assert (letter["reason"], letter["source"]) == ("expectation", "events")


def test_a_second_run_finds_nothing_new(whole: pathlib.Path, oracle: duckdb.DuckDBPyConnection) -> None:
    qanat(whole, "run", "flow.py", "--storage", "whole")
    for dataset, expected in DATASETS:
        assert differences(oracle, whole / "whole", dataset, expected) == (0, 0)


# Where the process is killed in each run, one after another on the same lake: fail point, which pass.
KILLS = [
    "run.compute.after=kill@2",
    "run.checkpoint.before=kill@3",
    "run.checkpoint.after=kill@1",
    "run.commit.before=kill@2",
    "run.commit.after=kill@5",
    "run.acknowledge.after=kill@4",
]
SMALL_STEPS = """
import sys
from qanat import _core
from qanat.engines.native import Limits
from qanat.testing import run
_core.arm_fail_points(sys.argv[1])
run("flow.py", "killed", limits=Limits(step_bytes_max=3_000_000))
"""


def test_killed_and_begun_again_gives_the_same(
    example: pathlib.Path, oracle: duckdb.DuckDBPyConnection
) -> None:
    """Small steps, SIGKILL at six places, each time begun again; then one run to the end."""
    for fail_point in [*KILLS, ""]:
        command = [sys.executable, "-c", SMALL_STEPS, fail_point]
        done = subprocess.run(command, cwd=example, capture_output=True, text=True, check=False)
        expected = -signal.SIGKILL if fail_point else 0
        assert done.returncode == expected, f"{fail_point} was not reached\n{done.stdout}{done.stderr}"
    assert len(list((example / "killed/flights/_delta_log").glob("*.json"))) > 20
    for dataset, table in DATASETS:
        assert differences(oracle, example / "killed", dataset, table) == (0, 0)
