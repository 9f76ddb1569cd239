"""Tables of a storage folder as SQL: every reader's view of a Delta table, queries, dead letters. Real engine."""

import csv
import datetime
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from qanat.errors import QanatError
from qanat.lake import tables
from qanat.lake.dead_letters import DeadLetterTables
from qanat.lake.tables import Lake, view_sql

DAY = datetime.date(2026, 1, 5)
ROWS = pa.table(
    {
        "id": pa.array([1, 2, 3, 4], pa.int64()),
        "country": ["DE", "FR", None, "a/b =ü%"],
        "price": pa.array([1.5, None, 3.25, 4.0], pa.float64()),
        "day": pa.array([DAY, DAY, None, DAY], pa.date32()),
    }
)
LETTERS = pa.table(
    {
        "reason": ["decode", "expectation", "expectation", "expectation"],
        "rule": ["", "fair", "fair,known", "fair"],
        "detail": ["not JSON", None, None, None],
        "raw": [b"\xff{", b'{"id": 7}', b'{"id": 8}', b'{"id": 9}'],
        "source": ["clicks"] * 4,
        "file": ["in/a.jsonl"] * 4,
        "line": [4, 1, 2, 9],
        "epoch": [2, 1, 1, 2],
        "time": pa.array([datetime.datetime(2026, 1, 5, 10, i, tzinfo=datetime.UTC) for i in range(4)]),
    }
)


@pytest.fixture
def lake(folder):
    """`plain`, `split` (by country and day), `empty`, `split__dead_letters`."""
    write_deltalake(folder / "lake/plain", ROWS)
    write_deltalake(folder / "lake/split", ROWS, partition_by=["country", "day"])
    DeltaTable.create(folder / "lake/empty", ROWS.schema, partition_by=["day"])
    write_deltalake(folder / "lake/split__dead_letters", LETTERS)
    (folder / "lake/_qanat").mkdir()
    (folder / "lake/not_a_table").mkdir()
    return Lake(folder / "lake")


def _refusal(call):
    with pytest.raises(QanatError) as caught:
        call()
    return str(caught.value)


def test_tables_are_found_by_their_log(lake):
    assert lake.table_names() == ["empty", "plain", "split", "split__dead_letters"]
    assert Lake(Path("nowhere")).table_names() == []


def test_partitions_null_and_odd_values_come_back_as_they_were(lake):
    wanted = lake.query("SELECT * FROM plain ORDER BY id").fetchall()
    found = lake.query("SELECT id, country, price, day FROM split ORDER BY id")
    assert [str(t) for t in found.types] == ["BIGINT", "VARCHAR", "DOUBLE", "DATE"]
    assert found.fetchall() == wanted


def test_both_ways_to_partition_values_agree(lake, monkeypatch):
    by_folders = lake.query("SELECT * FROM split ORDER BY id").fetchall()
    monkeypatch.setattr(tables, "_folders_say_it", lambda file, parts: False)
    assert "JOIN (VALUES" in view_sql("split", lake.snapshot("split"))
    assert lake.query("SELECT * FROM split ORDER BY id").fetchall() == by_folders


def test_a_filter_on_a_partition_skips_files(lake):
    plan = lake.query("EXPLAIN ANALYZE SELECT * FROM split WHERE country = 'DE'").fetchall()[0][1]
    assert "Total Files Read: 1" in plan, plan


def test_an_empty_table_has_its_columns(lake):
    found = lake.query("FROM empty")
    assert found.columns == ["id", "country", "price", "day"]
    assert [str(t) for t in found.types] == ["BIGINT", "VARCHAR", "DOUBLE", "DATE"]
    assert found.fetchall() == []


def test_older_versions_can_be_read(lake, folder):
    write_deltalake(folder / "lake/plain", ROWS, mode="append")
    assert lake.query("SELECT count(*) FROM plain").fetchall() == [(8,)]
    assert lake.query("SELECT count(*) FROM plain", version=0).fetchall() == [(4,)]


def test_removed_files_are_not_read(lake, folder):
    write_deltalake(folder / "lake/plain", ROWS.slice(0, 1), mode="overwrite")
    assert lake.query("SELECT id FROM plain").fetchall() == [(1,)]


def test_tables_join_and_show(lake):
    assert lake.query("SELECT count(*) FROM plain JOIN split USING (id)").fetchall() == [(4,)]
    shown = {row[0] for row in lake.query("SHOW TABLES").fetchall()}
    assert shown == {"empty", "plain", "split", "split__dead_letters"}
    assert lake.query("DESCRIBE plain").fetchall()[0][:2] == ("id", "BIGINT")


def test_a_table_that_is_not_there(lake, folder):
    assert _refusal(lambda: lake.query("FROM plian")) == (
        f"QN-1310  There is no table 'plian' in '{folder}/lake'.\n"
        "  There are: empty, plain, split, split__dead_letters\n  Did you mean 'plain'?"
    )
    assert _refusal(lambda: Lake(folder / "no").query("FROM plain")) == (
        f"QN-1310  There are no tables in '{folder}/no'.\n"
        "  Run a pipeline first, or name its folder:  --storage DIR"
    )


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "DROP TABLE plain",
            "QN-1311  A statement of the kind DROP would change something; qanat query only reads.\n",
        ),
        ("COPY plain TO 'x.csv'", "QN-1311  A statement of the kind COPY would change something;"),
        ("ATTACH 'x.db'", "QN-1311  A statement of the kind ATTACH would change something;"),
        ("SET threads = 1", "QN-1311  A statement of the kind SET would change something;"),
        (
            "SELECT 1; SELECT 2",
            "QN-1311  There are 2 statements, and one is expected.\n  qanat query runs one SELECT.",
        ),
        ("", "QN-1311  There are 0 statements, and one is expected."),
        ("SELEC 1", "QN-1312  DuckDB refuses this SQL.\n  Parser Error: syntax error at or near"),
        ("SELECT pric FROM plain", "QN-1312  DuckDB refuses this SQL.\n  Binder Error: Referenced column"),
        ("SELECT 'a", "QN-1312  DuckDB refuses this SQL.\n"),
    ],
)
def test_only_reading(lake, sql, message):
    assert _refusal(lambda: lake.query(sql)).startswith(message)


def _qanat(*arguments, **more):
    return subprocess.run(
        [sys.executable, "-m", "qanat", *arguments], capture_output=True, timeout=60, **more
    )


def test_query_as_json(lake):
    done = _qanat("query", "SELECT * FROM split ORDER BY id", "--format", "json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)
    assert rows[0] == {"id": 1, "country": "DE", "price": 1.5, "day": "2026-01-05"}
    assert rows[2] == {"id": 3, "country": None, "price": 3.25, "day": None}
    assert json.loads(_qanat("query", "FROM empty", "--format", "json").stdout) == []


def test_query_as_csv(lake):
    done = _qanat("query", "SELECT id, country FROM plain ORDER BY id", "--format", "csv")
    assert list(csv.reader(io.StringIO(done.stdout.decode()))) == [
        ["id", "country"], ["1", "DE"], ["2", "FR"], ["3", ""], ["4", "a/b =ü%"],
    ]  # fmt: skip


def test_query_as_arrow(lake):
    done = _qanat("query", "SELECT * FROM plain ORDER BY id", "--format", "arrow")
    assert pa.ipc.open_stream(done.stdout).read_all().to_pylist() == ROWS.to_pylist()


def test_query_as_a_table(lake):
    done = _qanat("query", "SELECT id, country FROM plain ORDER BY id", "--limit", "2", text=True)
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines[0].split() == ["id", "country"]
    assert lines[1].split() == ["bigint", "varchar"]
    assert [line.split() for line in lines[3:5]] == [["1", "DE"], ["2", "FR"]]
    assert lines[5:] == ["The first 2 rows; --limit 0 shows all."]
    assert _qanat("query", "FROM plain", text=True).stdout.splitlines()[-1] == "4 rows"


def test_large_results_stream_and_a_closed_pipe_is_no_failure(lake):
    sql = "SELECT range AS i, 'some text ' || range AS t FROM range(300000)"
    done = _qanat("query", sql, "--format", "csv")
    assert done.stdout.count(b"\n") == 300_001
    process = subprocess.Popen(
        [sys.executable, "-m", "qanat", "query", sql, "--format", "csv"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.readline() == b"i,t\n"
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0, error
    assert error == b""


def test_appending_to_a_file_keeps_what_it_has(lake, folder):
    with (folder / "out.csv").open("w") as out:
        out.write("before\n")
        out.flush()
        subprocess.run(
            [sys.executable, "-m", "qanat", "query", "SELECT 1 AS a", "--format", "csv"],
            stdout=out,
            check=True,
            timeout=60,
        )
    assert (folder / "out.csv").read_text() == "before\na\n1\n"


def test_a_failure_while_rows_come_is_told(lake):
    sql = "SELECT CASE WHEN range = 250000 THEN error('boom') ELSE range END AS i FROM range(300000)"
    for form in ("table", "csv", "json"):
        done = _qanat("query", sql, "--format", form, "--limit", "0", text=True)
        assert done.returncode == 1, form
        assert done.stderr.startswith(
            "QN-1312  DuckDB could not finish this query.\n  Invalid Input Error: boom"
        ), form


def test_dead_letters_are_counted_by_reason_and_rule(lake):
    counts = DeadLetterTables(lake.folder).counts(None)
    assert [(c.dataset, c.reason, c.rule, c.rows) for c in counts] == [
        ("split", "expectation", "fair", 2), ("split", "decode", None, 1), ("split", "expectation", "fair,known", 1),
    ]  # fmt: skip
    assert counts[0].first < counts[0].last


def test_dead_letters_by_rule(lake):
    letters = DeadLetterTables(lake.folder)
    assert [d["raw"] for d in letters.letters("split", "fair", 0)[0]] == [
        b'{"id": 9}',
        b'{"id": 7}',
        b'{"id": 8}',
    ]
    assert [d["raw"] for d in letters.letters("SPLIT", "known", 0)[0]] == [b'{"id": 8}']
    assert [d["raw"] for d in letters.letters("split", "decode", 0)[0]] == [b"\xff{"]
    shown, total = letters.letters("split", None, 2)
    assert (len(shown), total) == (2, 4)
    assert letters.letters("plain", None, 0) == ([], 0)
    assert "Did you mean 'split'?" in _refusal(lambda: letters.letters("splt", None, 0))


@pytest.mark.parametrize(("name", "near"), [("a*b", "axb"), ("q?", "qq"), ("l[1]", "l1"), ("br{a,b}", "bra")])
def test_a_storage_folder_named_like_a_pattern(lake, folder, name, near):
    """A copy of it that the pattern also fits has files of the same names."""
    shutil.copytree(lake.folder, folder / name)
    shutil.copytree(lake.folder, folder / near)
    command = [sys.executable, "-m", "qanat"]

    def qanat(*arguments):
        done = subprocess.run(
            [*command, *arguments, "--storage", name], capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout

    for table in ("plain", "split"):
        rows = json.loads(qanat("query", f"SELECT id FROM {table} ORDER BY id", "--format", "json"))
        assert rows == [{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}]
    assert Lake(folder / name).query("SELECT count(*) FROM split WHERE country = 'DE'").fetchall() == [(1,)]
    assert qanat("dlq", "ls") == qanat("dlq", "ls", "split")
    assert [count.rows for count in DeadLetterTables(folder / name).counts("split")] == [2, 1, 1]
    assert "4 dead letters" in qanat("dlq", "show", "split")


def test_a_table_that_was_never_committed_has_no_dead_letters(lake):
    """As a step that failed leaves it."""
    (lake.folder / "plain__dead_letters/_delta_log").mkdir(parents=True)
    assert DeadLetterTables(lake.folder).counts("plain") == []
    assert DeadLetterTables(lake.folder).letters("plain", None, 0) == ([], 0)
    assert {count.dataset for count in DeadLetterTables(lake.folder).counts(None)} == {"split"}


def test_dlq_commands(lake):
    done = _qanat("dlq", "ls", text=True)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[2].split() == [
        "split",
        "expectation",
        "fair",
        "2",
        "2026-01-05",
        "10:01:00",
        "2026-01-05",
        "10:03:00",
    ]
    assert lines[-1].strip() == "Look at them:  qanat dlq show split --rule fair"
    first = json.loads(_qanat("dlq", "ls", "split", "--format", "json").stdout.splitlines()[0])
    assert (first["dataset"], first["rule"], first["rows"]) == ("split", "fair", 2)
    done = _qanat("dlq", "show", "split", "--limit", "1", text=True)
    assert done.stdout.splitlines() == [
        "decode  step 2  2026-01-05 10:00:00",
        "  not JSON",
        "  from clicks  in/a.jsonl:4",
        "  \\xff{",
        "",
        "1 dead letter of 4; --limit 0 shows all.",
    ]
    letter = json.loads(_qanat("dlq", "show", "split", "--rule", "known", "--format", "json").stdout)
    assert (letter["raw"], letter["rule"], letter["epoch"]) == ('{"id": 8}', "fair,known", 1)
    assert _qanat("dlq", "show", "plain", text=True).stdout == "✓ No dead letters of 'plain'.\n"
    assert _qanat("dlq", "ls", "plain", text=True).stdout == "✓ No dead letters of 'plain'.\n"
    assert _qanat("dlq", "ls", "--storage", "nowhere", text=True).returncode == 2


def test_duckdb_has_one_door():
    """What we ask of the Python package is there in the version that we pin."""
    assert duckdb.__version__.startswith("2.0.")
    assert os.path.exists("/dev/fd")  # noqa: PTH110
