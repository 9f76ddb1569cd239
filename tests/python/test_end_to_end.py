"""The command line over the real engine: what a user does in the first hour."""

import json
import re
import signal
import subprocess
import sys
import types

import pytest

from qanat.engines.native import Engine, RunOptions
from qanat.errors import QanatError
from qanat.pipelines.load import load
from qanat.testing import run

QANAT = [sys.executable, "-m", "qanat"]


def qanat(*arguments, **more):
    return subprocess.run([*QANAT, *arguments], capture_output=True, text=True, timeout=120, **more)


def test_the_first_pipeline_runs_and_its_own_test_passes(folder):
    assert qanat("init", "shop").returncode == 0
    shop = folder / "shop"
    done = qanat("run", cwd=shop)
    assert done.returncode == 0, done.stderr
    assert "✓ Done in" in done.stdout
    rows = json.loads(qanat("query", "FROM revenue ORDER BY ALL", "--format", "json", cwd=shop).stdout)
    assert {row["day"] for row in rows} == {"2026-01-05", "2026-01-06", "2026-01-07"}
    again = qanat("run", cwd=shop)
    assert "Nothing new was there." in again.stdout
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=shop,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert tested.returncode == 0, tested.stdout
    assert "3 passed" in tested.stdout


def test_every_row_is_accounted_for(folder):
    qanat("init", "shop")
    result = run("shop/flow.py", folder / "lake")
    orders = result.counts("orders")
    assert orders.rows_in == 63
    assert orders.rows_in == orders.rows_out + orders.rows_dead + orders.rows_dropped
    assert set(orders.dead) == {"decode", "has_customer", "fair_price"}
    letters = result.dead_letters("orders")
    assert len(letters) == orders.rows_dead
    assert all(letter["raw"] and letter["file"].endswith(".jsonl") and letter["line"] for letter in letters)


SOURCE = (
    'import qanat as qn\nqn.source("s", qn.files("in/*.jsonl"), schema="id BIGINT NOT NULL, name VARCHAR")\n'
)
LINES = '{"id": 1, "name": "a"}\n{"id": 2, "name": null}\n{"id": 3, "name": "c"}\n'


@pytest.fixture
def lines(write):
    return write("in/a.jsonl", LINES)


def test_files_say_who_wrote_them(write, lines, folder):
    import pyarrow.parquet as pq

    import qanat

    write(
        "flow.py",
        SOURCE
        + """
@qn.table
def kept():
    return "SELECT id FROM s"
""",
    )
    run("flow.py", folder / "lake")
    (file,) = folder.glob("lake/kept/*.parquet")
    written_by = pq.read_metadata(file).created_by
    # As Spark takes it apart: application, version, build.
    parts = re.fullmatch(r"(.*?)\s+version\s*(?:([^(]*?)\s*(?:\(\s*build\s*([^)]*?)\s*\))?)?", written_by)
    assert parts, written_by
    assert parts[1] == "qanat"
    assert parts[2] == qanat.__version__
    assert parts[3] is None or re.fullmatch("[0-9a-f]{12}", parts[3])


def test_arrow_functions(write, lines, folder):
    write(
        "flow.py",
        SOURCE
        + """
@qn.table
@qn.map_batches("SELECT id, name FROM s", schema="name VARCHAR, twice BIGINT")
def doubled(batch):
    import pyarrow as pa, pyarrow.compute as pc
    if None in batch["name"].to_pylist():
        raise ValueError("no name")
    return pa.record_batch({"twice": pc.multiply(batch["id"], 2), "name": batch["name"]})
""",
    )
    result = run("flow.py", folder / "lake")
    assert result.rows("FROM doubled ORDER BY twice") == [("a", 2), ("c", 6)]
    (letter,) = result.dead_letters("doubled")
    assert (letter["reason"], letter["detail"]) == ("udf", "ValueError: no name")
    assert json.loads(letter["raw"]) == {"id": 2, "name": None}


def test_counts_move_within_a_step(write, lines, folder, monkeypatch):
    write(
        "flow.py",
        SOURCE
        + """
@qn.table
@qn.map_batches("SELECT id FROM s", schema="id BIGINT")
def same(batch):
    import sys
    sys.modules["watcher"].look()
    return batch
""",
    )
    looks = []
    watcher = types.SimpleNamespace(look=lambda: looks.append(engine.progress()))
    monkeypatch.setitem(sys.modules, "watcher", watcher)
    for expected in (3, 1):
        looks.clear()
        engine = Engine(load("flow.py"), folder / "lake")
        engine.run(RunOptions())
        (look,) = looks
        assert look.sources == {}
        assert look.datasets == {}
        assert set(look.step) == {"same"}
        assert look.step_sources == {"s": expected}
        after = engine.progress()
        assert after.step == {}
        assert after.so_far()["same"].rows_out == expected
        with (folder / "in/a.jsonl").open("a") as out:
            out.write('{"id": 4}\n')


def test_an_answer_of_the_wrong_form_is_told_in_our_words(write, lines, folder):
    write(
        "flow.py",
        SOURCE + '@qn.table\n@qn.map_batches("FROM s", schema="id BIGINT")\ndef nothing(batch):\n    pass\n',
    )
    with pytest.raises(QanatError) as caught:
        run("flow.py", folder / "lake")
    assert caught.value.code == "QN-4102"
    assert str(caught.value).startswith("QN-4102  Function 'nothing' gave nothing back.\n  at flow.py:4\n")


def test_an_sql_pipeline(write, lines):
    write(
        "flow.sql",
        """
        CREATE STREAMING TABLE named (CONSTRAINT has_name EXPECT (name IS NOT NULL) ON VIOLATION DROP ROW)
        AS SELECT * FROM STREAM read_files('in/*.jsonl', schema => 'id BIGINT, name VARCHAR');
        CREATE MATERIALIZED VIEW many AS SELECT count(*) AS n FROM named;
        """,
    )
    done = qanat("run", "flow.sql")
    assert done.returncode == 0, done.stderr
    assert json.loads(qanat("query", "FROM many", "--format", "json").stdout) == [{"n": 2}]


def test_a_broken_rule_that_must_hold_has_its_exit_code(write, lines):
    write(
        "flow.py",
        SOURCE
        + '@qn.expect_or_fail("has_name", "name IS NOT NULL")\n@qn.table\ndef t():\n    return "FROM s"\n',
    )
    done = qanat("run", "flow.py")
    assert done.returncode == 4, done.stderr
    assert "QN-3503  A row breaks the expectation 'has_name' of dataset 't', which must hold." in done.stderr
    assert "\n  at flow.py:3:  name IS NOT NULL\n" in done.stderr


def test_an_unknown_column_is_told_with_its_place(write, lines):
    write("flow.py", SOURCE + '@qn.expect("r", "nam <> \'\'")\n@qn.table\ndef t():\n    return "FROM s"\n')
    done = qanat("dry-run", "flow.py")
    assert done.returncode == 3
    assert done.stderr.startswith("QN-1203  Column 'nam' does not exist in dataset 't'.\n  at flow.py:3")
    assert "Did you mean 'name'?" in done.stderr


TABLE = '@qn.table\ndef t():\n    return "FROM s"\n'


def _no_schema(write, pattern):
    write("flow.py", f'import qanat as qn\nqn.source("s", qn.files("{pattern}"))\n{TABLE}')
    done = qanat("run", "flow.py")
    assert done.returncode == 3
    return done.stderr


def test_a_source_without_schema_is_told_one(write):
    write("in.csv", "id,day,price\n1,2026-01-01,1.5\n2,2026-01-02,2.5\n")
    assert _no_schema(write, "in.csv") == (
        "QN-1115  Source 's' has no schema.\n"
        "  at flow.py:2\n"
        "  Its first 20,480 rows look like this; paste it, then mend what the sample cannot know:\n"
        '      schema="id BIGINT, day DATE, price DOUBLE",\n'
        "  Nothing was started.\n"
    )


def test_dirty_lines_do_not_hide_the_schema(write):
    lines = [
        '{"id": 1, "at": {"lat": 1.5}, "tags": ["a"]}',
        "not JSON",
        '{"id": 2, "ts": "2026-01-05 10:00:00", "odd name": -3}',
    ]
    write("in.jsonl", "\n".join(lines) + "\n")
    told = _no_schema(write, "*.jsonl")
    assert 'id BIGINT, at STRUCT("lat" DOUBLE), tags VARCHAR[], ts TIMESTAMP,' in told
    assert '"odd name" BIGINT' in told


def test_a_source_without_schema_and_data(write):
    assert _no_schema(write, "no.jsonl") == (
        "QN-1115  Source 's' has no schema.\n"
        "  at flow.py:2\n"
        '  Declare its columns:  schema="id BIGINT NOT NULL, ts TIMESTAMP"\n'
        "  Nothing was started.\n"
    )


def test_the_graph_has_columns_of_the_engine(write, lines, folder):
    write("flow.py", SOURCE + '@qn.table\ndef t():\n    return "SELECT id, upper(name) AS big FROM s"\n')
    done = qanat("graph", "flow.py", "-o", "g.svg")
    assert done.returncode == 0, done.stderr
    assert ">big<" in (folder / "g.svg").read_text()
    assert not (folder / "lake").exists()


def test_a_dry_run_leaves_nothing_behind(write, lines, folder):
    write("flow.py", SOURCE + '@qn.table\ndef t():\n    return "FROM s"\n')
    before = sorted(folder.rglob("*"))
    assert qanat("dry-run", "flow.py").returncode == 0
    assert sorted(folder.rglob("*")) == before


def _events(process):
    for line in process.stdout:
        yield json.loads(line)


def test_a_continuous_run_takes_new_files_and_ends_on_ctrl_c(write, lines):
    write("flow.py", SOURCE + '@qn.table\ndef t():\n    return "FROM s"\n')
    process = subprocess.Popen(
        [*QANAT, "run", "flow.py", "--continuous", "--log", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        events = _events(process)
        assert next(e for e in events if e["event"] == "step")["datasets"]["t"]["rows_out"] == 3
        write("in/b.jsonl", '{"id": 4, "name": "d"}\n')
        assert next(e for e in events if e["event"] == "step")["datasets"]["t"]["rows_out"] == 4
        process.send_signal(signal.SIGINT)
        rest = list(events)
        assert (rest[-1]["event"], rest[-1]["outcome"]) == ("end", "stopped")
        assert process.wait(timeout=60) == 130, process.stderr.read()
    finally:
        process.kill()
        process.communicate()


def test_a_second_run_into_the_same_storage_is_refused(write, lines):
    write("flow.py", SOURCE + '@qn.table\ndef t():\n    return "FROM s"\n')
    process = subprocess.Popen(
        [*QANAT, "run", "flow.py", "--continuous", "--log", "json"], stdout=subprocess.PIPE, text=True
    )
    try:
        next(e for e in _events(process) if e["event"] == "step")
        done = qanat("run", "flow.py")
        assert done.returncode == 75
        assert done.stderr.startswith("QN-3201  Another process runs a pipeline on this storage.")
        assert "held by process" in qanat("doctor").stdout
        process.terminate()
        process.communicate(timeout=60)
        assert process.returncode == 143
    finally:
        process.kill()
        process.communicate()


def test_full_refresh_begins_again(write, lines, folder):
    write("flow.py", SOURCE + '@qn.table\ndef t():\n    return "FROM s"\n')
    assert qanat("run", "flow.py").returncode == 0
    lines.write_text(LINES + '{"id": 4, "name": "d"}\n')
    assert qanat("run", "flow.py", "--full-refresh", "t").returncode == 0
    assert json.loads(qanat("query", "SELECT count(*) AS n FROM t", "--format", "json").stdout) == [{"n": 4}]
