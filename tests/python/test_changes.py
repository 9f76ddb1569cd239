"""What the versions of a view have changed: over the real engine, over crashes, and the words where nothing tells it."""

import collections
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable

import qanat as qn
from qanat.engines.native import Engine, RunOptions
from qanat.errors import QanatError
from qanat.lake.tables import Lake
from qanat.pipelines.load import load

PROPERTY = "delta.enableChangeDataFeed"
SIGN = {"insert": 1, "update_postimage": 1, "delete": -1, "update_preimage": -1}
HEAD = """import qanat as qn
qn.source("ev", qn.files("in/*.jsonl"), schema="id BIGINT, c VARCHAR, p BIGINT")
@qn.table
def clean():
    return "FROM ev"
"""
SUMS = """
@qn.materialized_view({})
def sums():
    return "SELECT c, count(*) AS n, sum(p)::BIGINT AS s FROM ev GROUP BY c"
"""
TELLING = f'keys=["c"], table_properties={{"{PROPERTY}": "true"}}'


@pytest.fixture(autouse=True)
def inputs(folder):
    (folder / "in").mkdir()
    return folder


def feed(name, rows):
    lines = [json.dumps({"id": number, "c": c, "p": p}) + "\n" for number, (c, p) in enumerate(rows)]
    Path(f"in/{name}.jsonl").write_text("".join(lines), encoding="utf-8")


def runs(text):
    Path("flow.py").write_text(HEAD + text, encoding="utf-8")
    Engine(load("flow.py"), "lake").run(RunOptions())


def told(view="sums", **versions):
    """(version, type, the row's values), in order."""
    rows = qn.changes(view, **versions).fetchall()
    return sorted(((row[-2], row[-3], *row[:-3]) for row in rows), key=str)


def summed(view="sums", **versions):
    total = collections.Counter()
    for _, kind, *row in told(view, **versions):
        total[tuple(row)] += SIGN[kind]
    return {row: count for row, count in total.items() if count != 0}


def stored(view="sums", version=-1):
    return dict(collections.Counter(Lake(Path("lake")).query(f"FROM {view}", version).fetchall()))


def refusal(call):
    with pytest.raises(QanatError) as caught:
        call()
    return str(caught.value)


def test_a_view_that_grows_and_changes():
    feed("a", [("x", 1), ("y", 2)])
    runs(SUMS.format(TELLING))
    feed("b", [("x", 5), ("z", 7)])
    runs(SUMS.format(TELLING))
    assert told() == [
        (0, "insert", "x", 1, 1),
        (0, "insert", "y", 1, 2),
        (1, "insert", "z", 1, 7),
        (1, "update_postimage", "x", 2, 6),
        (1, "update_preimage", "x", 1, 1),
    ]
    changes = qn.changes("sums", storage=Path("lake"), starting_version=1)
    assert changes.columns == ["c", "n", "s", "_change_type", "_commit_version", "_commit_timestamp"]
    assert [str(t) for t in changes.types[-3:]] == ["VARCHAR", "BIGINT", "TIMESTAMP WITH TIME ZONE"]
    assert len(changes) == 3
    (span,) = changes.aggregate("now() - min(_commit_timestamp) < INTERVAL 1 HOUR").fetchall()
    assert span == (True,)
    assert told(starting_version=0, ending_version=0) == told()[:2]
    assert told(starting_version=2) == [], "who has read it all goes on with the next version"


def test_another_reader_finds_the_same():
    for step in range(6):
        feed(f"{step}", [(f"c{number % (3 + step)}", number) for number in range(9)])
        runs(SUMS.format(TELLING))
    table = DeltaTable("lake/sums")
    names = ("_commit_version", "_change_type", "c", "n", "s")
    theirs = pa.table(table.load_cdf(starting_version=0).read_all()).to_pylist()
    assert sorted((tuple(row[name] for name in names) for row in theirs), key=str) == told()
    assert {kind for _, kind, *_ in told()} == {"insert", "update_preimage", "update_postimage"}
    for version in range(table.version() + 1):
        assert summed(ending_version=version) == stored(version=version)


def test_partitions_and_columns_that_came_later():
    view = """
@qn.materialized_view(partition_cols=["c"], table_properties={{"delta.enableChangeDataFeed": "true"}})
def sums():
    return "SELECT p % 4 AS k, c, count(*) AS n{} FROM ev GROUP BY ALL"
"""
    feed("a", [("a b=ü%", 1), (None, 2), ("a b=ü%", 3)])
    runs(view.format(""))
    feed("b", [("a b=ü%", 1), (None, 2)])
    runs(view.format(""))
    feed("c", [("a b=ü%", 1)])
    runs(view.format(""))
    assert summed() == stored() == {(1, "a b=ü%", 3): 1, (3, "a b=ü%", 1): 1, (2, None, 2): 1}
    assert {kind for _, kind, *_ in told(starting_version=1)} == {"insert", "delete"}, "it has no keys"


def test_a_table_that_appends_needs_no_property():
    feed("a", [("x", 1)])
    runs("")
    feed("b", [("y", 2)])
    runs('@qn.table\ndef late():\n    return "SELECT id, c FROM ev"\n')
    assert told("clean") == [(0, "insert", 0, "x", 1), (1, "insert", 0, "y", 2)]
    assert told("CLEAN", ending_version=0) == [(0, "insert", 0, "x", 1)]


def test_without_the_property_a_rewrite_is_refused_until_it_is_set():
    feed("a", [("x", 1)])
    runs(SUMS.format('keys=["c"]'))
    assert told() == [(0, "insert", "x", 1, 1)], "so far it only grew"
    feed("b", [("x", 5)])
    runs(SUMS.format('keys=["c"]'))
    message = (
        f"QN-3322  Version 1 of table '{Path('lake/sums').resolve()}' does not tell which rows it changed.\n"
        "  It rewrites files, and most rows in them are as they were.\n"
        "  Let the table tell its changes from its next version on:\n"
        '    @qn.materialized_view(table_properties={"delta.enableChangeDataFeed": "true"})\n'
        "  Versions before that can be read whole, each by its number."
    )
    assert refusal(lambda: qn.changes("sums")) == message
    feed("c", [("x", 7)])
    runs(SUMS.format(TELLING))
    assert refusal(lambda: qn.changes("sums")) == message
    assert told(starting_version=2) == [
        (2, "update_postimage", "x", 3, 13),
        (2, "update_preimage", "x", 2, 6),
    ]


def test_changes_whose_files_are_gone_are_refused():
    feed("a", [("x", 1)])
    runs(SUMS.format(TELLING))
    feed("b", [("x", 5)])
    runs(SUMS.format(TELLING))
    (file,) = Path("lake/sums/_change_data").resolve().glob("*.parquet")
    file.unlink()
    assert refusal(lambda: qn.changes("sums")) == (
        f"QN-3323  What version 1 of table '{Path('lake/sums').resolve()}' changed is no longer there.\n"
        f"  Its file '{file}' was removed, by a vacuum perhaps.\n"
        "  Read the table whole at a newer version, and its changes from the version after that on."
    )
    assert len(told(ending_version=0)) == 1


def test_versions_and_names_that_cannot_be():
    feed("a", [("x", 1)])
    runs(SUMS.format(TELLING))
    assert refusal(lambda: qn.changes("sums", starting_version=7, ending_version=3)) == (
        "QN-1316  ending_version 3 comes before starting_version 7.\n"
        "  Both are in: one version alone is  starting_version=3, ending_version=3"
    )
    for wrong in (-1, "0", True, 1.0):
        assert refusal(lambda wrong=wrong: qn.changes("sums", starting_version=wrong)).startswith(
            f"QN-1316  starting_version is {wrong!r}, which is no version."
        )
    assert "has no version 4 yet.\n  Its newest version is 0" in refusal(
        lambda: qn.changes("sums", starting_version=5)
    )
    assert "has no version 1." in refusal(lambda: qn.changes("sums", ending_version=1))
    assert "Did you mean 'sums'?" in refusal(lambda: qn.changes("sumz"))
    assert refusal(lambda: qn.changes("sums", storage="nowhere")).startswith("QN-1310  There are no tables")


def test_names_that_the_changes_need():
    flow = '@qn.materialized_view({})\ndef odd():\n    return "SELECT c AS _Change_Type, count(*) AS n FROM ev GROUP BY c"\n'
    feed("a", [("x", 1)])
    runs(flow.format(""))
    assert refusal(lambda: qn.changes("odd")) == (
        "QN-1316  The table 'odd' has a column '_Change_Type' of its own.\n"
        "  Its changes are told in a column of that name.\n  Rename it in the table's query."
    )
    assert refusal(lambda: runs(flow.format(TELLING.split(", ", 1)[1]))).startswith(
        "QN-3312  Dataset 'odd' has a column '_change_type' and asks for the table property"
    )


@pytest.mark.parametrize(
    "point",
    ["delta.stage.files_synced", "delta.stage.folders_synced", "run.checkpoint.after", "delta.commit.before",
     "delta.commit.after"],
)  # fmt: skip
def test_killed_while_rows_change(point):
    """Nothing of the step is told before it is committed, and then all of it, once."""
    feed("a", [("x", 1), ("y", 2)])
    runs(SUMS.format(TELLING))
    feed("b", [("x", 5), ("z", 7)])
    command = "from qanat.engines.native import *; from qanat.pipelines.load import load; Engine(load('flow.py'), 'lake').run(RunOptions())"
    for nth in (1, 2):
        armed = os.environ | {"QANAT_FAIL": f"{point}=kill@{nth}"}
        done = subprocess.run([sys.executable, "-c", command], env=armed, timeout=120, check=False)
        assert done.returncode in (-9, 0)
        killed = done.returncode == -9
        assert killed or nth == 2
        assert summed() == stored()
    runs(SUMS.format(TELLING))
    assert summed() == stored() == {("x", 2, 6): 1, ("y", 1, 2): 1, ("z", 1, 7): 1}
    assert [row[:2] for row in told(starting_version=1)] == [
        (1, "insert"), (1, "update_postimage"), (1, "update_preimage"),
    ]  # fmt: skip
    named = {
        json.loads(line)["cdc"]["path"]
        for log in Path("lake/sums/_delta_log").glob("*.json")
        for line in log.read_text().splitlines()
        if '"cdc"' in line
    }
    assert {f"_change_data/{path.name}" for path in Path("lake/sums/_change_data").iterdir()} == named


def test_in_a_query():
    feed("a", [("x", 1)])
    runs(SUMS.format(TELLING))
    feed("b", [("x", 5)])
    runs(SUMS.format(TELLING))

    def query(sql, *options):
        done = subprocess.run(
            [sys.executable, "-m", "qanat", "query", sql, "--format", "json", *options],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return json.loads(done.stdout) if done.returncode == 0 else done.stderr

    assert query("SELECT count(*) AS k FROM changes('sums')") == [{"k": 3}]
    assert query("SELECT count(*) AS k FROM changes('sums') JOIN sums USING (c)", "--version", "0") == [
        {"k": 1}
    ]
    assert query("SELECT DISTINCT _commit_version AS v FROM changes('sums', 1)") == [{"v": 1}]
    assert query("FROM changes('sumz')").startswith("QN-1310  There is no table 'sumz'")
