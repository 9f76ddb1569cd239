"""What decorators and calls declare, and the messages for what they refuse."""

import json

import pytest

SOURCE = 'qn.source("clicks", qn.files("data/*.jsonl"), schema="id BIGINT, ts TIMESTAMP", event_time="ts")\n'


def _spec(pipeline):
    return json.loads(pipeline.spec(storage="lake"))


def test_a_whole_pipeline_becomes_the_engines_spec(flow, folder):
    pipeline = flow(
        SOURCE,
        '''
        qn.reference("rates", "SELECT * FROM (VALUES (1, 2.0)) t(id, rate)")

        @qn.expect_or_quarantine("has_id", "id IS NOT NULL")
        @qn.table(partition_cols=["day"], table_properties={"a.b": "c"}, schema="id BIGINT, day DATE")
        @qn.expect("recent", "day > DATE '2020-01-01';")
        def clean():
            """Valid clicks.

            More.
            """
            return "SELECT id, ts::DATE AS day FROM STREAM clicks;  -- done"

        @qn.table
        @qn.map_batches("SELECT id FROM clean", schema="id BIGINT, score DOUBLE")
        def scored(batch):
            return batch

        @qn.materialized_view(keys=["id"], comment="Sums")
        def sums():
            return "SELECT id, count(*) AS n FROM clean JOIN rates USING (id) GROUP BY id"
        ''',
    )
    spec = json.loads(
        pipeline.spec(storage="lake", library="/x.so", memory="1GB", threads=3, step_bytes_max=9)
    )
    assert spec["name"] == "flow"
    assert spec["file"] == "flow.py"
    assert spec["storage"] == str(folder / "lake")
    assert spec["library"] == "/x.so"
    assert spec["options"] == {"memory": "1GB", "threads": 3, "step_bytes_max": 9, "app_id": ""}
    (source,) = spec["sources"]
    assert source == {
        "name": "clicks", "where": "flow.py:2", "kind": "files", "glob": str(folder / "data/*.jsonl"),
        "order": "name", "format": {"kind": "json"}, "schema": "id BIGINT, ts TIMESTAMP", "event_time": "ts",
        "watermark": "", "idle_timeout": "", "record_bytes_max": 0, "comment": "",
    }  # fmt: skip
    assert spec["references"] == [
        {"name": "rates", "where": "flow.py:3", "sql": "SELECT * FROM (VALUES (1, 2.0)) t(id, rate)"}
    ]
    clean, scored, sums = spec["datasets"]
    assert clean == {
        "name": "clean", "kind": "table", "where": "flow.py:6", "comment": "Valid clicks.\n\nMore.",
        "partition_cols": ["day"], "table_properties": {"a.b": "c"}, "schema": "id BIGINT, day DATE", "keys": [],
        "windows": {"emit": "on_update", "column": "", "size": "", "lateness": ""},
        "expectations": [
            {"name": "has_id", "condition": "id IS NOT NULL", "action": "quarantine", "where": "flow.py:5"},
            {"name": "recent", "condition": "day > DATE '2020-01-01'", "action": "keep", "where": "flow.py:7"},
        ],
        "flows": [
            {"name": "clean", "where": "flow.py:6", "sql": "SELECT id, ts::DATE AS day FROM clicks", "once": False,
             "function": None}
        ],
    }  # fmt: skip
    assert scored["flows"][0]["sql"] == "SELECT id FROM clean"
    assert scored["flows"][0]["function"] == {"id": 0, "name": "scored", "schema": "id BIGINT, score DOUBLE"}
    assert (sums["kind"], sums["keys"], sums["comment"]) == ("materialized_view", ["id"], "Sums")
    assert [batch.function.__name__ for batch in pipeline.functions] == ["scored"]


def test_rules_are_in_the_order_that_people_read(flow):
    pipeline = flow(
        """
        @qn.expect("a", "1")
        @qn.expect_all({"b": "2", "c": "3"})
        @qn.table
        @qn.expect_or_drop("d", "4")
        @qn.expect_all_or_fail({"e": "5"})
        def t():
            return "SELECT 1 AS x"
        """
    )
    rules = _spec(pipeline)["datasets"][0]["expectations"]
    assert [(r["name"], r["action"]) for r in rules] == [
        ("a", "keep"), ("b", "keep"), ("c", "keep"), ("d", "drop"), ("e", "fail"),
    ]  # fmt: skip


def test_a_decorated_function_can_still_be_called(flow):
    flow(
        """
        @qn.expect("a", "true")
        @qn.table()
        def t():
            return "SELECT 1 AS x"
        assert t() == "SELECT 1 AS x"
        """
    )


def test_flows_go_to_their_target_wherever_it_stands(flow):
    pipeline = flow(
        SOURCE,
        """
        @qn.append_flow(target="Events", once=True)
        def old():
            return "SELECT id FROM clicks"

        qn.create_streaming_table("events", comment="All", expect_all_or_drop={"has_id": "id IS NOT NULL"},
                                  expect_all={"small": "id < 9"})

        @qn.append_flow(target="events", name="fresh")
        def anything():
            return "SELECT id FROM clicks WHERE ts > now()"
        """,
    )
    (events,) = _spec(pipeline)["datasets"]
    assert events["kind"] == "streaming_table"
    assert [(f["name"], f["once"]) for f in events["flows"]] == [("old", True), ("fresh", False)]
    assert [(r["name"], r["action"]) for r in events["expectations"]] == [
        ("small", "keep"),
        ("has_id", "drop"),
    ]


def test_a_name_of_ones_own(flow):
    pipeline = flow(
        """
        @qn.table(name="other")
        def t():
            return "SELECT 1 AS x"
        """
    )
    assert _spec(pipeline)["datasets"][0]["name"] == "other"
    assert _spec(pipeline)["datasets"][0]["flows"][0]["name"] == "other"


def test_objects_that_write_themselves_as_sql(flow):
    pipeline = flow(
        """
        class Expression:
            def sql(self):
                return "SELECT 2 AS x"

        class Query:
            sql = "SELECT 3 AS x"

        @qn.table
        def relation():
            import duckdb
            return duckdb.sql("SELECT 1 AS x")

        @qn.table
        def expression():
            return Expression()

        @qn.table
        def query():
            return Query()
        """
    )
    sql = [d["flows"][0]["sql"] for d in _spec(pipeline)["datasets"]]
    assert sql == ["SELECT 1 AS x", "SELECT 2 AS x", "SELECT 3 AS x"]


def test_declaring_twice_in_one_process_starts_anew(flow):
    text = '@qn.table\ndef t():\n    return "SELECT 1 AS x"\n'
    assert len(flow(text).datasets) == 1
    assert len(flow(text).datasets) == 1


def test_what_is_declared_outside_of_a_load_is_in_no_pipeline(flow):
    import qanat as qn
    from qanat.pipelines import registry

    qn.source("free", qn.files("*.jsonl"), schema="a INTEGER")
    free = registry.current().sources[-1]
    assert (free.name, free.schema, free.connector.glob) == ("free", "a INTEGER", "*.jsonl")
    spec = _spec(flow(SOURCE, '@qn.table\ndef t():\n    return "FROM clicks"\n'))
    assert [source["name"] for source in spec["sources"]] == ["clicks"]


REFUSALS = [
    (
        '@qn.table(partitioncols=["a"])\ndef t():\n    return "SELECT 1"',
        "QN-1128  table() has no argument 'partitioncols'.\n"
        "  at flow.py:2\n"
        "  Did you mean 'partition_cols'?\n"
        "  table() takes: query_function, name, comment, table_properties, partition_cols, schema\n"
        "  Nothing was started.",
    ),
    (
        '@qn.table(spark_conf={"a": "b"})\ndef t():\n    return "SELECT 1"',
        "QN-1128  table() has no argument 'spark_conf'.\n"
        "  at flow.py:2\n"
        "  spark_conf holds Spark's settings; Qanat has --memory and --threads, and no others.\n"
        "  table() takes: query_function, name, comment, table_properties, partition_cols, schema\n"
        "  Nothing was started.",
    ),
    (
        'qn.source("a")',
        "QN-1128  source() needs connector.\n"
        "  at flow.py:2\n"
        "  source() takes: name, connector, format, schema, event_time, watermark, idle_timeout, comment\n"
        "  Nothing was started.",
    ),
    (
        'qn.append_flow("t")',
        "QN-1128  append_flow() takes no argument by position, and 1 were given.\n"
        "  at flow.py:2\n"
        "  append_flow() takes: target, name, once\n"
        "  Nothing was started.",
    ),
    (
        '@qn.table\ndef t():\n    "SELECT 1"',
        "QN-1111  The function of 't' gives nothing back.\n"
        "  at flow.py:2\n"
        "  Is there a 'return' before its SQL?\n"
        "  Nothing was started.",
    ),
    (
        '@qn.table\ndef t():\n    return "  -- nothing\\n"',
        "QN-1111  The query of 't' is empty.\n  at flow.py:2\n  Nothing was started.",
    ),
    (
        '@qn.table\ndef t():\n    return "SELECT 1; SELECT 2"',
        "QN-1228  't' gives 2 statements; a dataset is made by one query.\n"
        "  at flow.py:2\n"
        "  Give each its own dataset, or use WITH.\n"
        "  Nothing was started.",
    ),
    (
        '@qn.table\ndef t():\n    return "DELETE FROM x"',
        "QN-1228  't' gives SQL that is no query: it begins with 'DELETE'.\n"
        "  at flow.py:2\n"
        '  For example:  return "SELECT * FROM clicks"\n'
        "  Nothing was started.",
    ),
    (
        '@qn.table\ndef t():\n    return "SELECT \'a"',
        "QN-1227  The SQL has a text in quotes that does not end.\n"
        "  at flow.py:2, in the query of 't'\n"
        "  in its line 1:  'a\n"
        "  Nothing was started.",
    ),
    (
        "@qn.table\ndef t(batch):\n    return batch",
        "QN-1113  Function 't' has parameters (batch); a dataset function has none.\n"
        "  at flow.py:2\n"
        "  It returns SQL, which reads other datasets by their names.\n"
        '  For a function over rows, add @qn.map_batches("SELECT …", schema="…") below @qn.table.\n'
        "  Nothing was started.",
    ),
    (
        "@qn.table\ndef t():\n    return 7",
        "QN-1112  't' gives a builtins int, which is no SQL.\n"
        "  at flow.py:2\n"
        "  A dataset function returns SQL text, a DuckDB relation, or an Ibis or sqlglot expression.\n"
        '  For Python over rows:  @qn.map_batches("SELECT …", schema="…") below @qn.table.\n'
        "  Nothing was started.",
    ),
    (
        "@qn.table\ndef t():\n    return 1 / 0",
        "QN-1104  The function of 't' raised ZeroDivisionError: division by zero.\n"
        "  at flow.py:4, in t:  return 1 / 0\n"
        "  Nothing was started.",
    ),
    (
        '@qn.table("SELECT 1")\ndef t():\n    return 1',
        "QN-1128  @qn.table stands over a function that returns the SQL; it does not take the SQL itself.\n"
        "  at flow.py:2\n"
        '  For example:  @qn.table def clean(): return "SELECT …"\n'
        "  Nothing was started.",
    ),
    (
        '@qn.table(partition_cols="day")\ndef t():\n    return "SELECT 1"',
        "QN-1128  partition_cols of dataset 't' must be a list of column names.\n"
        "  at flow.py:2\n"
        "  Found: 'day'\n"
        '  For example:  partition_cols=["day"]\n'
        "  Nothing was started.",
    ),
    (
        '@qn.table(table_properties={"delta.appendOnly": True})\ndef t():\n    return "SELECT 1"',
        "QN-1128  table_properties of dataset 't' must be texts, and 'delta.appendOnly' is True.\n"
        "  at flow.py:2\n"
        '  For example:  {"delta.appendOnly": "true"}\n'
        "  Nothing was started.",
    ),
    (
        'qn.source("web clicks", qn.files("a.jsonl"))',
        "QN-1126  'web clicks' cannot be the name of a source: a name has letters, digits and _, and does not "
        "begin with a digit.\n  at flow.py:2\n  For example:  web_clicks\n  Nothing was started.",
    ),
    (
        '@qn.table(name="main.t")\ndef t():\n    return "SELECT 1"',
        "QN-1126  'main.t' cannot be the name of a dataset: a name has no catalog or schema before it here.\n"
        "  at flow.py:2\n  For example:  t\n  Nothing was started.",
    ),
    (
        '@qn.table(name="t__dead_letters")\ndef t():\n    return "SELECT 1"',
        "QN-1126  't__dead_letters' cannot be the name of a dataset: names that end with __dead_letters or begin "
        "with __qn_ or _qanat are ours.\n  at flow.py:2\n  Nothing was started.",
    ),
    (
        'qn.source("c", qn.files("a.jsonl", order="date"))',
        "QN-1129  files(order='date') cannot be: it must be one of name, modified, event_time.\n"
        "  at flow.py:2\n  Nothing was started.",
    ),
    (
        'qn.source("c", "a.jsonl")',
        "QN-1129  Source 'c' needs a connector, and got str 'a.jsonl'.\n"
        '  at flow.py:2\n  For example:  qn.files("data/*.jsonl")\n  Nothing was started.',
    ),
    (
        'qn.source("c", qn.files("a.log"))',
        "QN-1129  The format of source 'c' is not known from 'a.log'.\n"
        "  at flow.py:2\n  For example:  format=qn.json()\n  Nothing was started.",
    ),
    (
        'qn.source("c", qn.files("a.jsonl"), schema="ts TIMESTAMP", event_time="tz")',
        "QN-1129  The event-time column 'tz' is not in the schema of source 'c'.\n"
        "  at flow.py:2\n  It has: ts\n  Nothing was started.",
    ),
    (
        'qn.source("c", qn.files("a.jsonl"), schema="ts TIMESTAMP", event_time="ts", watermark="soon")',
        "QN-1129  The watermark of source 'c' is 'soon', which is no time.\n"
        '  at flow.py:2\n  For example:  watermark="30 seconds"\n  Nothing was started.',
    ),
    (
        'qn.source("c", qn.files("a.jsonl"), schema="ts TIMESTAMP", watermark="1 hour")',
        "QN-1129  Source 'c' has a watermark, but no event_time column.\n"
        '  at flow.py:2\n  For example:  event_time="ts"\n  Nothing was started.',
    ),
    (
        'qn.source("c", qn.files("a.jsonl"), schema="ts TIMESTAMP", event_time="ts", idle_timeout="a bit")',
        "QN-1129  The idle_timeout of source 'c' is 'a bit', which is no time.\n"
        '  at flow.py:2\n  For example:  idle_timeout="30 seconds"\n  Nothing was started.',
    ),
    (
        'qn.csv(delimiter="||")',
        "QN-1129  csv(delimiter='||') cannot be: it must be one ASCII character.\n  at flow.py:2\n  Nothing was started.",
    ),
    (
        'qn.csv(delimiter=";", quote=";")',
        "QN-1129  csv(quote=';') cannot be: it must be another character than the delimiter.\n"
        "  at flow.py:2\n  Nothing was started.",
    ),
    (
        'qn.expect("a,b", "true")',
        "QN-1127  'a,b' cannot be the name of a rule.\n  at flow.py:2\n  A name is text without a comma.\n"
        "  Nothing was started.",
    ),
    (
        'qn.expect("a", " ")',
        "QN-1127  Rule 'a' has no condition.\n  at flow.py:2\n"
        '  For example:  @qn.expect("a", "price >= 0")\n  Nothing was started.',
    ),
    (
        '@qn.expect("a", "true")\ndef t():\n    return "SELECT 1"\n@qn.table\ndef u():\n    return "SELECT 1"',
        "QN-1127  Rule 'a' stands on a function that makes no dataset.\n"
        "  at flow.py:2\n  Put @qn.table over t().\n  Nothing was started.",
    ),
    (
        'qn.create_streaming_table("e")\n@qn.expect("a", "true")\n@qn.append_flow(target="e")\ndef f():\n'
        '    return "SELECT 1 AS x"',
        "QN-1127  Rule 'a' stands on a flow, not a dataset.\n  at flow.py:3\n"
        "  Rules stand on the target: qn.create_streaming_table(…, expect_all_or_drop={…}).\n  Nothing was started.",
    ),
    (
        '@qn.expect("a", "true")\n@qn.expect("A", "true")\n@qn.table\ndef t():\n    return "SELECT 1"',
        "QN-1127  Dataset 't' has two rules called 'A'.\n  at flow.py:2\n  and at flow.py:3\n"
        "  Give one of them another name.\n  Nothing was started.",
    ),
    (
        '@qn.expect("a", "true")\n@qn.temporary_view\ndef t():\n    return "SELECT 1"',
        "QN-1127  Rule 'a' stands on the temporary view 't', which stores nothing.\n  at flow.py:2\n"
        "  Put it on the tables that read the view.\n  Nothing was started.",
    ),
    (
        '@qn.map_batches("SELECT 1 AS x", schema="x INTEGER")\ndef f(b):\n    return b\n'
        '@qn.table\ndef t():\n    return "SELECT 1"',
        "QN-1113  Function 'f' is marked with @qn.map_batches, but makes no dataset.\n  at flow.py:2\n"
        "  Put @qn.table over @qn.map_batches.\n  Nothing was started.",
    ),
    (
        '@qn.materialized_view\n@qn.map_batches("SELECT 1 AS x", schema="x INTEGER")\ndef f(b):\n    return b',
        "QN-1113  A view cannot be made by a Python function: 'f'.\n  at flow.py:3\n"
        "  Use @qn.table over @qn.map_batches.\n  Nothing was started.",
    ),
    (
        "x = 1",
        "QN-1110  'flow.py' declares no dataset.\n"
        "  A dataset is a function under @qn.table that returns SQL.\n  See one:  qanat init my_pipeline",
    ),
]


@pytest.mark.parametrize(("text", "message"), REFUSALS, ids=[m.split(".\n")[0][:70] for _, m in REFUSALS])
def test_refusals(refusal, text, message):
    assert refusal(text) == message
