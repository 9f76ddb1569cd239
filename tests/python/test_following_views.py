"""Materialized views over the real engine: following, windows that end, changed SQL, the words about it."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from qanat.engines.native import Engine, RunOptions
from qanat.errors import QanatError
from qanat.lake.tables import Lake
from qanat.pipelines.load import load

QANAT = [sys.executable, "-m", "qanat"]
HEAD = """import qanat as qn
qn.source("ev", qn.files("in/*.jsonl"), schema="id BIGINT, ts TIMESTAMP, c VARCHAR, p BIGINT",
          event_time="ts", watermark="30 seconds")
"""


def said(*arguments):
    done = subprocess.run([*QANAT, *arguments], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


def feed(name, rows):
    with Path(f"in/{name}.jsonl").open("w", encoding="utf-8") as out:
        for number, (minute, second, c, p) in enumerate(rows):
            ts = f"2026-01-01T00:{minute:02}:{second:02}"
            out.write(json.dumps({"id": number, "ts": ts, "c": c, "p": p}) + "\n")


def runs(text):
    Path("flow.py").write_text(HEAD + text, encoding="utf-8")
    Engine(load("flow.py"), "lake").run(RunOptions())


def rows(sql):
    return Lake(Path("lake")).query(sql).fetchall()


@pytest.fixture(autouse=True)
def inputs(folder):
    (folder / "in").mkdir()
    return folder


SUMS = """
@qn.materialized_view
def sums():
    return "SELECT c, count(*) AS n, sum(p) AS s{more} FROM ev GROUP BY c"
@qn.materialized_view
def counts():
    return "SELECT n, count(*) AS k FROM sums GROUP BY n"
"""


def test_a_view_over_a_view_follows_what_is_taken_back():
    feed("a", [(0, 0, "x", 1), (0, 1, "y", 2)])
    runs(SUMS.format(more=""))
    assert rows("FROM counts") == [(1, 2)]
    feed("b", [(0, 2, "x", 5)])
    runs(SUMS.format(more=""))
    assert rows("FROM sums ORDER BY c") == [("x", 2, 6), ("y", 1, 2)]
    assert rows("FROM counts ORDER BY n") == [(1, 1), (2, 1)]


def test_changed_sql_is_built_anew_and_told_beforehand():
    feed("a", [(0, 0, "x", 1), (0, 1, "y", 2)])
    runs(SUMS.format(more=""))
    assert "= sums keeps its state" in said("dry-run", "flow.py")
    Path("flow.py").write_text(HEAD + SUMS.format(more=", max(p) AS most"), encoding="utf-8")
    told = said("dry-run", "flow.py")
    assert "↻ sums is rebuilt: its SQL has changed; that reads ev from its beginning" in told
    assert "↻ counts is rebuilt: 'sums', which it reads, is rebuilt; that reads 2 rows of sums" in told
    feed("b", [(0, 2, "x", 5)])
    runs(SUMS.format(more=", max(p) AS most"))
    assert rows("FROM sums ORDER BY c") == [("x", 2, 6, 5), ("y", 1, 2, 2)]
    assert rows("FROM counts ORDER BY n") == [(1, 1), (2, 1)]


HOSTS = """
qn.source("urls", qn.files("urls/*.jsonl"), schema="id BIGINT, url VARCHAR")
{more}
@qn.materialized_view
def hosts():
    return "SELECT h, count(*) AS n FROM (SELECT regexp_extract(url, '{pattern}', 1) AS h FROM urls) GROUP BY h"
"""
MORE = """
@qn.table
def early():
    return "SELECT id FROM urls WHERE regexp_matches(url, '^https')"
"""


def visit(name, *urls):
    Path("urls").mkdir(exist_ok=True)
    text = "".join(json.dumps({"id": number, "url": url}) + "\n" for number, url in enumerate(urls))
    Path(f"urls/{name}.jsonl").write_text(text, encoding="utf-8")


def test_a_changed_regular_expression_is_changed_sql():
    visit("a", "http://x.org/1", "https://y.org/2")
    runs(HOSTS.format(more="", pattern="^(https?)"))
    assert rows("FROM hosts ORDER BY h") == [("http", 1), ("https", 1)]
    visit("b", "http://z.org/3")
    changed = HOSTS.format(more="", pattern="^https?://([^/]+)")
    Path("flow.py").write_text(HEAD + changed, encoding="utf-8")
    assert "↻ hosts is rebuilt: its SQL has changed" in said("dry-run", "flow.py")
    runs(changed)
    assert rows("FROM hosts ORDER BY h") == [("x.org", 1), ("y.org", 1), ("z.org", 1)]


def test_a_regular_expression_of_another_dataset_changes_nothing():
    visit("a", "http://x.org/1")
    runs(HOSTS.format(more="", pattern="^(https?)"))
    Path("flow.py").write_text(HEAD + HOSTS.format(more=MORE, pattern="^(https?)"), encoding="utf-8")
    assert "= hosts keeps its state" in said("dry-run", "flow.py")


RULED = """
@{rule}("even", "n % 2 = 0")
@qn.materialized_view(window="minute", window_size="1 minute"{more})
def ruled():
    return "SELECT time_bucket(INTERVAL 1 MINUTE, ts) AS minute, count(*) AS n FROM ev GROUP BY ALL"
"""


@pytest.mark.parametrize(
    ("rule", "more", "told"),
    [
        ("qn.expect_or_drop", "", "= ruled keeps its state"),
        ("qn.expect_or_drop", ', allowed_lateness="0 seconds"', "= ruled keeps its state"),
        ("qn.expect", "", "its windows or rules have changed"),
        ("qn.expect_or_drop", ', allowed_lateness="1 minute"', "its windows or rules have changed"),
        ("qn.expect_or_drop", ', emit="on_window_close"', "its SQL, windows or rules have changed"),
    ],
)
def test_changed_windows_and_rules_are_built_anew(rule, more, told):
    feed("a", [(0, 5, "x", 1), (1, 5, "x", 1), (1, 6, "x", 1)])
    runs(RULED.format(rule="qn.expect_or_drop", more=""))
    assert minutes("ruled") == [(1, 2)]
    flow = RULED.format(rule=rule, more=more)
    Path("flow.py").write_text(HEAD + flow, encoding="utf-8")
    assert told in said("dry-run", "flow.py")
    runs(flow)
    assert minutes("ruled") == {"qn.expect": [(0, 1), (1, 2)]}.get(rule, [] if "emit" in more else [(1, 2)])


def test_a_column_added_at_the_end_is_in_the_table_after_the_next_run():
    feed("a", [(0, 0, "x", 1)])
    runs('@qn.table\ndef t():\n    return "SELECT id FROM ev"\n')
    feed("b", [(0, 0, "z", 1)])
    runs('@qn.table\ndef t():\n    return "SELECT id, c FROM ev"\n')
    assert sorted(rows("SELECT c FROM t"), key=str) == [("z",), (None,)]


WINDOWS = """
@qn.table
def clean():
    return "SELECT * FROM ev"
@qn.materialized_view(window="minute", window_size="1 minute", emit="on_window_close")
def closed():
    return "SELECT time_bucket(INTERVAL 1 MINUTE, ts) AS minute, count(*) AS n FROM clean GROUP BY ALL"
@qn.materialized_view(window="minute", window_size="1 minute", allowed_lateness="1 minute")
def growing():
    return "SELECT time_bucket(INTERVAL 1 MINUTE, ts) AS minute, count(*) AS n FROM ev GROUP BY ALL"
"""


def minutes(view):
    return rows(f"SELECT minute(minute), n FROM {view} ORDER BY 1")


def test_windows_end_and_late_rows_are_set_aside():
    feed("a", [(0, 5, "x", 1), (0, 50, "x", 1), (1, 5, "x", 1), (2, 1, "x", 1)])
    runs(WINDOWS)
    assert minutes("closed") == [(0, 2)]  # the watermark is at 00:01:31
    assert minutes("growing") == [(0, 2), (1, 1), (2, 1)]
    feed("b", [(0, 55, "late for closed", 1), (5, 0, "x", 1)])
    runs(WINDOWS)
    assert minutes("closed") == [(0, 2), (1, 1), (2, 1)]
    assert minutes("growing") == [(0, 3), (1, 1), (2, 1), (5, 1)]
    (letter,) = rows("SELECT reason, raw::VARCHAR, detail FROM closed__dead_letters")
    assert letter[0] == "late"
    assert "late for closed" in letter[1]
    assert letter[2].startswith("The window of 2026-01-01 00:00:00 was closed: the watermark had come to")
    feed("c", [(0, 59, "late for both", 1)])
    runs(WINDOWS)
    assert minutes("growing") == [(0, 3), (1, 1), (2, 1), (5, 1)]
    assert rows("SELECT raw::VARCHAR LIKE '%late for both%', line FROM growing__dead_letters") == [(True, 1)]


DISTINCT = """
@qn.materialized_view(window="minute", window_size="1 minute", emit="{emit}")
def users():
    return '''SELECT time_bucket(INTERVAL 1 MINUTE, ts) AS minute, count(DISTINCT c) AS n, count(*) AS rows
              FROM ev GROUP BY ALL'''
"""


@pytest.mark.parametrize("emit", ["on_update", "on_window_close"])
def test_windows_with_distinct_counts_end_and_are_forgotten(emit):
    flow = DISTINCT.format(emit=emit)
    ended = emit == "on_window_close"
    feed("a", [(0, 5, "x", 1), (0, 6, "x", 1), (0, 7, "y", 1), (1, 5, "x", 1)])
    runs(flow)
    found = rows("SELECT minute(minute), n, rows FROM users ORDER BY 1")
    assert found == ([] if ended else [(0, 2, 3), (1, 1, 1)])
    feed("b", [(9, i % 60, f"user {i}", 1) for i in range(200_000)])
    runs(flow)
    full = state_bytes("users")
    feed("c", [(30, 0, "x", 1)])
    runs(flow)
    assert state_bytes("users") < full / 4
    feed("d", [(9, 5, "user 7", 1), (30, 1, "x", 1)])  # a pair that the window knows is late as well
    runs(flow)
    found = rows("SELECT minute(minute), n, rows FROM users ORDER BY 1")
    assert found == [(0, 2, 3), (1, 1, 1), (9, 200_000, 200_000)] + ([] if ended else [(30, 1, 2)])
    (late,) = rows("SELECT reason, decode(raw) FROM users__dead_letters")
    assert late[0] == "late"
    assert "user 7" in late[1]


def state_bytes(view):
    told = json.loads(Path("lake/_qanat/circuits.json").read_text(encoding="utf-8"))
    return sum(op["state_bytes"] for op in told[view]["ops"])


def test_rules_of_a_view_count_rows_as_often_as_they_are_there():
    flow = """
@qn.materialized_view
@qn.expect_or_quarantine("small", "p < 5")
def shared():
    return "SELECT p FROM ev WHERE c = 'x' INTERSECT ALL SELECT p FROM ev WHERE c = 'y'"
"""
    feed("a", [(0, i, c, p) for i in range(3) for c in "xy" for p in (1, 7)])
    runs(flow)
    assert rows("SELECT p FROM shared") == [(1,)] * 3
    assert rows("SELECT decode(raw) FROM shared__dead_letters") == [('{"p":7}',)] * 3


def test_what_a_view_takes_back_from_a_closed_window_is_told():
    flow = """
@qn.materialized_view
def latest():
    return "SELECT c, max(ts) AS ts FROM ev GROUP BY c"
@qn.materialized_view(window="minute", window_size="1 minute")
def seen():
    return "SELECT time_bucket(INTERVAL 1 MINUTE, ts) AS minute, count(*) AS n FROM latest GROUP BY ALL"
"""
    feed("a", [(0, 5, "x", 1), (0, 6, "y", 1)])
    runs(flow)
    feed("b", [(9, 0, "z", 1)])
    runs(flow)
    feed("c", [(9, 1, "x", 1)])  # takes x out of minute 0, which is closed
    runs(flow)
    assert rows("SELECT minute(minute), n FROM seen ORDER BY 1") == [(0, 2), (9, 2)]
    (letter,) = rows("SELECT reason, decode(raw), detail FROM seen__dead_letters")
    assert letter[0] == "late"
    assert letter[1] == '{"c":"x","ts":"2026-01-01 00:00:05"}'
    assert letter[2].endswith("The row was taken back; the window has it.")


def parquet(name, rows):
    values = ", ".join(f"(TIMESTAMP '2026-01-01 00:{m:02}:{s:02}', {p})" for m, s, p in rows)
    duckdb.sql(f"COPY (FROM (VALUES {values}) t(ts, p)) TO 'in/{name}.parquet'")


def test_windows_over_parquet_files_end():
    flow = """
qn.source("pq", qn.files("in/*.parquet"), schema="ts TIMESTAMP, p INTEGER", event_time="ts")
@qn.materialized_view(window="minute", window_size="1 minute", emit="on_window_close")
def closed():
    return "SELECT time_bucket(INTERVAL 1 MINUTE, ts) AS minute, count(*) AS n FROM pq GROUP BY ALL"
"""
    parquet("a", [(0, 5, 1), (1, 5, 1), (2, 1, 1)])
    runs(flow)
    assert minutes("closed") == [(0, 1), (1, 1)]
    parquet("b", [(1, 7, 1), (3, 0, 1)])
    runs(flow)
    assert minutes("closed") == [(0, 1), (1, 1), (2, 1)]
    assert rows("SELECT decode(raw) FROM closed__dead_letters") == [('{"ts":"2026-01-01 00:01:07","p":1}',)]


UNIONS = """
qn.source("other", qn.files("other/*.jsonl"), schema="id BIGINT, ts TIMESTAMP, c VARCHAR, p BIGINT",
          event_time="ts"{more})
@qn.table
def lefts():
    return "SELECT ts FROM ev WHERE p > 0"
@qn.table
def rights():
    return "SELECT ts FROM other"
@qn.materialized_view(window="minute", window_size="1 minute", emit="on_window_close")
def closed():
    return '''SELECT time_bucket(INTERVAL 1 MINUTE, ts) AS minute, count(*) AS n
              FROM (FROM lefts UNION ALL FROM rights) GROUP BY ALL'''
"""


@pytest.mark.parametrize(("more", "ended"), [("", []), (', idle_timeout="0 seconds"', [(0, 1), (1, 1)])])
def test_an_input_without_rows_holds_windows_open_unless_it_is_idle(more, ended):
    Path("other").mkdir()
    feed("a", [(0, 5, "x", 1), (1, 5, "x", 1), (5, 0, "x", 1)])
    runs(UNIONS.format(more=more))
    assert minutes("closed") == ended


def test_what_comes_second_is_not_late():
    Path("other").mkdir()
    feed("a", [(0, 5, "x", 1), (5, 0, "x", 1)])
    runs(UNIONS.format(more=""))
    Path("other/b.jsonl").write_text(
        "".join(json.dumps({"ts": f"2026-01-01T00:0{m}:10"}) + "\n" for m in (0, 3)), encoding="utf-8"
    )
    runs(UNIONS.format(more=""))
    assert minutes("closed") == [(0, 2)]
    assert not Path("lake/closed__dead_letters").exists()


def test_windows_end_when_time_moves_on_without_rows():
    Path("other").mkdir()
    flow = UNIONS.format(more=', idle_timeout="0 seconds"')
    feed("a", [(0, 5, "x", 1)])
    runs(flow)
    assert minutes("closed") == []
    feed("b", [(5, 0, "dropped", 0)])
    runs(flow)
    assert minutes("closed") == [(0, 1)]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT ts AS minute, p FROM ev", "the column is no group of aggregates"),
        ("SELECT c AS minute, count(*) AS n FROM ev GROUP BY c", "the column is VARCHAR."),
        ("SELECT c, count(*) AS n FROM ev GROUP BY c", "it has no column 'minute'."),
    ],
)
def test_windows_that_cannot_end_are_refused(sql, why):
    feed("a", [(0, 0, "x", 1)])
    with pytest.raises(QanatError) as refused:
        runs(
            f'@qn.materialized_view(window="minute", window_size="1 minute")\ndef v():\n    return "{sql}"\n'
        )
    assert refused.value.code == "QN-1218"
    assert why in str(refused.value)
    assert "Nothing was started." in str(refused.value)


def test_a_volatile_function_is_refused_with_the_reason():
    feed("a", [(0, 0, "x", 1)])
    with pytest.raises(QanatError) as refused:
        runs('@qn.materialized_view\ndef v():\n    return "SELECT random() AS r FROM ev"\n')
    assert refused.value.code == "QN-1217"
    assert "answers differently every time" in str(refused.value)
    assert "flow.py" in str(refused.value)


def test_the_plan_is_drawn_with_what_the_last_run_cost():
    feed("a", [(0, 0, "x", 1), (0, 1, "y", 2)])
    Path("flow.py").write_text(HEAD + SUMS.format(more=""), encoding="utf-8")
    assert "no run yet" in said("plan", "flow.py")
    runs(SUMS.format(more=""))
    told = said("plan", "flow.py", "--view", "sums")
    assert "sums  follows its inputs; rows change and go" in told
    assert "GROUP BY c" in told and "native" in told and "new rows of ev" in told
    assert "2 changes in, 2 out, 1 step" in told
    wrong = subprocess.run([*QANAT, "plan", "flow.py", "--view", "sum"], capture_output=True, text=True)
    assert wrong.returncode != 0
    assert "QN-1315" in wrong.stderr and "Did you mean 'sums'?" in wrong.stderr


def test_a_view_that_reads_files_itself_says_why_it_is_computed_whole():
    Path("names.csv").write_text("c,name\nx,ex\n", encoding="utf-8")
    sql = "SELECT id, name FROM ev JOIN read_csv('names.csv') AS n ON n.c = ev.c"
    view = f'@qn.materialized_view\ndef named():\n    return "{sql}"\n'
    feed("a", [(0, 0, "x", 1)])
    Path("flow.py").write_text(HEAD + view, encoding="utf-8")
    assert "because its SQL reads files itself" in said("plan", "flow.py")
