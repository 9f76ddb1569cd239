"""Loading files: Python, SQL, spec files, and what is told when they are not in order."""

import json

import pytest

from qanat.errors import QanatError
from qanat.pipelines.load import load


def _refusal(call):
    with pytest.raises(QanatError) as caught:
        call()
    return str(caught.value)


def test_a_file_that_is_not_there(write, folder):
    write("shop.py", "")
    assert _refusal(lambda: load("shp.py")) == (
        f"QN-1101  There is no file 'shp.py'.\n  Looked for {folder}/shp.py\n  That folder has: shop.py\n"
        "  Did you mean 'shop.py'?"
    )


def test_a_file_of_another_kind(write):
    write("notes.txt", "")
    assert _refusal(lambda: load("notes.txt")) == (
        "QN-1102  'notes.txt' is no pipeline file.\n"
        "  A pipeline is a .py or .sql file, or a .yml spec file that names them.\n  Nothing was started."
    )


def test_a_file_that_is_not_python(write):
    write("flow.py", "x = 1\n  y = (\n")
    assert _refusal(lambda: load("flow.py")) == (
        "QN-1103  The pipeline file is not Python: unexpected indent.\n  at flow.py:2\n    y = (\n    ^\n"
        "  Nothing was started."
    )


def test_a_file_that_is_not_text(folder):
    (folder / "flow.py").write_bytes(b"x = '\xff'")
    assert _refusal(lambda: load("flow.py")) == (
        "QN-1103  'flow.py' is not UTF-8 text: byte 5 is not.\n  Nothing was started."
    )


def test_an_exception_names_the_lines_of_the_user(write):
    write("flow.py", "import helper\nhelper.boom()\n")
    write("helper.py", "def boom():\n    raise ValueError('no luck.')\n")
    assert _refusal(lambda: load("flow.py")) == (
        "QN-1104  The pipeline file raised ValueError: no luck.\n"
        "  at helper.py:2, in boom:  raise ValueError('no luck.')\n"
        "  at flow.py:2, in <module>:  helper.boom()\n"
        "  Nothing was started."
    )


def test_leaving_from_the_file_is_an_exception_too(write):
    write("flow.py", "import sys\nsys.exit(3)\n")
    assert _refusal(lambda: load("flow.py")).startswith("QN-1104  The pipeline file raised SystemExit: 3.\n")


def test_files_beside_the_pipeline_can_be_imported_and_paths_begin_there(write, folder):
    write("deep/rules.py", "NAME = 'clean'\n")
    write(
        "deep/flow.py",
        """
        import qanat as qn
        import rules
        qn.source("s", qn.files("in/*.jsonl"), schema="id BIGINT")
        qn.reference("r", "SELECT * FROM read_csv('r.csv', delim = ';') JOIN '/abs/x.parquet' USING (id)")
        qn.reference("q", "FROM read_csv(['a.csv', 'b.csv'], columns = {'k': 'VARCHAR'})")
        @qn.table(name=rules.NAME)
        def anything():
            return "FROM s"
        """,
    )
    spec = json.loads(load("deep/flow.py").spec(storage="lake"))
    assert spec["sources"][0]["glob"] == f"{folder}/deep/in/*.jsonl"
    assert spec["references"][0]["sql"] == (
        f"SELECT * FROM read_csv('{folder}/deep/r.csv', delim = ';') JOIN '/abs/x.parquet' USING (id)"
    )
    assert spec["references"][1]["sql"] == (
        f"FROM read_csv(['{folder}/deep/a.csv', '{folder}/deep/b.csv'], columns = {{'k': 'VARCHAR'}})"
    )
    assert spec["datasets"][0]["where"] == "deep/flow.py:6"


def test_references_read_by_format(write, folder):
    for name in ("a.csv", "b.tsv", "c.json", "d.parquet", "e.dat"):
        write(name, "x")
    write(
        "flow.py",
        """
        import qanat as qn
        qn.reference("a", "a.csv", schema="id BIGINT NOT NULL, name VARCHAR")
        qn.reference("b", "b.tsv")
        qn.reference("c", qn.files("c.json"))
        qn.reference("d", "d.parquet", schema="id INTEGER")
        qn.reference("e", "e.dat", format=qn.csv(header=False, null="NA", skip_lines=2))
        @qn.table
        def t():
            return "SELECT 1 AS x"
        """,
    )
    sql = [r["sql"] for r in json.loads(load("flow.py").spec(storage="lake"))["references"]]
    assert sql == [
        f"SELECT * FROM read_csv('{folder}/a.csv', header = true, delim = ',', quote = '\"', escape = '\"', "
        "nullstr = '', columns = {'id': 'BIGINT', 'name': 'VARCHAR'})",
        f"SELECT * FROM read_csv('{folder}/b.tsv', header = true, delim = '\t', quote = '\"', escape = '\"', nullstr = '')",
        f"SELECT * FROM read_json('{folder}/c.json')",
        f'SELECT CAST("id" AS INTEGER) AS "id" FROM read_parquet(\'{folder}/d.parquet\')',
        f"SELECT * FROM read_csv('{folder}/e.dat', header = false, delim = ',', quote = '\"', escape = '\"', "
        "nullstr = 'NA', skip = 2)",
    ]


def test_a_reference_without_data(refusal, folder):
    text = 'qn.reference("planes", "planes.csv")\n@qn.table\ndef t():\n    return "FROM planes"\n'
    assert refusal(text) == (
        "QN-1114  Reference 'planes' has no data: no file matches its path.\n"
        f"  at flow.py:2\n  Looked for {folder}/planes.csv\n  Nothing was started."
    )


def test_parquet_needs_no_schema(flow):
    pipeline = flow('qn.source("s", qn.files("*.parquet"))\n@qn.table\ndef t():\n    return "FROM s"\n')
    (source,) = json.loads(pipeline.spec(storage="lake"))["sources"]
    assert (source["name"], source["format"], source["schema"]) == ("s", {"kind": "parquet"}, "")


SQL = """
-- Clean clicks.
CREATE OR REFRESH STREAMING TABLE clean
  (CONSTRAINT has_id EXPECT (id IS NOT NULL AND (id > 0 OR id < -1)),
   CONSTRAINT fair EXPECT (price >= 0) ON VIOLATION DROP ROW,
   CONSTRAINT sure EXPECT (true) ON VIOLATION FAIL UPDATE,
   CONSTRAINT kept EXPECT (true) ON VIOLATION QUARANTINE ROW)
  PARTITIONED BY (day)
  COMMENT 'It''s clean'
  TBLPROPERTIES ('delta.appendOnly' = 'true', a.b = 'c')
AS SELECT *, ts::DATE AS day FROM STREAM(clicks);

CREATE STREAMING TABLE events (id BIGINT NOT NULL, price DECIMAL(10, 2));
CREATE FLOW from_clean COMMENT 'x' AS INSERT INTO events BY NAME SELECT id, price FROM STREAM clean;
CREATE FLOW old AS INSERT INTO ONCE events BY NAME SELECT id, price FROM clicks;
create materialized view v using delta as select count(*) as n from clean;
CREATE TEMPORARY VIEW tv AS FROM clean;
"""


def test_an_sql_file(write):
    write("flow.sql", SQL)
    write(
        "src.py",
        'import qanat as qn\nqn.source("clicks", qn.files("*.jsonl"), schema="id BIGINT, ts TIMESTAMP")\n',
    )
    write("qanat.yml", "name: p\nlibraries: [{glob: {include: '*.sql'}}, {glob: {include: src.py}}]\n")
    spec = json.loads(load().spec(storage="lake"))
    clean, events, view, temporary = spec["datasets"]
    assert clean["where"] == "flow.sql:2"
    assert (clean["kind"], clean["comment"], clean["partition_cols"]) == ("table", "It's clean", ["day"])
    assert clean["table_properties"] == {"delta.appendOnly": "true", "a.b": "c"}
    assert [(e["name"], e["condition"], e["action"], e["where"]) for e in clean["expectations"]] == [
        ("has_id", "id IS NOT NULL AND (id > 0 OR id < -1)", "keep", "flow.sql:3"),
        ("fair", "price >= 0", "drop", "flow.sql:4"),
        ("sure", "true", "fail", "flow.sql:5"),
        ("kept", "true", "quarantine", "flow.sql:6"),
    ]
    assert clean["flows"][0]["sql"] == "SELECT *, ts::DATE AS day FROM clicks"
    assert (events["kind"], events["schema"]) == (
        "streaming_table",
        "id BIGINT NOT NULL, price DECIMAL(10, 2)",
    )
    assert [(f["name"], f["sql"], f["once"]) for f in events["flows"]] == [
        ("from_clean", "SELECT id, price FROM clean", False),
        ("old", "SELECT id, price FROM clicks", True),
    ]
    assert (view["kind"], view["flows"][0]["sql"]) == ("materialized_view", "select count(*) as n from clean")
    assert (temporary["kind"], temporary["flows"][0]["sql"]) == ("temporary_view", "FROM clean")


def test_read_files_in_sql_becomes_a_source(write, folder):
    write(
        "flow.sql",
        "CREATE STREAMING TABLE t AS SELECT id FROM STREAM read_files('in/*.dat', format => 'csv', "
        "header => false, delimiter => ';', schema => 'id BIGINT') WHERE id > 0",
    )
    spec = json.loads(load("flow.sql").spec(storage="lake"))
    (source,) = spec["sources"]
    assert (source["name"], source["glob"], source["schema"]) == (
        "t_files",
        f"{folder}/in/*.dat",
        "id BIGINT",
    )
    assert (source["format"]["header"], source["format"]["delimiter"]) == (False, ";")
    assert spec["datasets"][0]["flows"][0]["sql"] == "SELECT id FROM t_files WHERE id > 0"


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "SELECT 1",
            "QN-1116  A statement begins with 'SELECT'.\n  at f.sql:1\n  Known here: CREATE STREAMING TABLE, CREATE "
            "MATERIALIZED VIEW, CREATE TEMPORARY VIEW, CREATE FLOW … AS INSERT INTO.\n  Nothing was started.",
        ),
        (
            "\nCREATE TABLE t AS SELECT 1",
            "QN-1116  CREATE TABLE makes no pipeline table.\n  at f.sql:2\n  Write CREATE STREAMING TABLE.\n"
            "  Nothing was started.",
        ),
        (
            "CREATE STREAMING TABLE t\n(CONSTRAINT c EXPECT (x) ON VIOLATION EXPLODE) AS SELECT 1",
            "QN-1116  'ON VIOLATION EXPLODE' is not a thing to do with a row.\n  at f.sql:2\n"
            "  Known: ON VIOLATION DROP ROW, FAIL UPDATE, QUARANTINE ROW; nothing keeps and counts it.\n"
            "  Nothing was started.",
        ),
        (
            "CREATE STREAMING TABLE t CLUSTER BY (a) AS SELECT 1",
            "QN-1116  CLUSTER BY is not known.\n  at f.sql:1\n  Qanat lays files out by PARTITIONED BY only.\n"
            "  Nothing was started.",
        ),
        (
            "CREATE FLOW f AS INSERT INTO t SELECT 1",
            "QN-1116  The flow 'f' does not say BY NAME.\n  at f.sql:1\n"
            "  Write INSERT INTO t BY NAME SELECT …: columns are matched by name.\n  Nothing was started.",
        ),
        (
            "CREATE MATERIALIZED VIEW v",
            "QN-1116  'v' has no AS SELECT ….\n  at f.sql:1\n  A view is made by a query.\n  Nothing was started.",
        ),
        (
            "CREATE STREAMING TABLE t (a BIGINT",
            "QN-1116  The parenthesis after the list of columns and constraints is not closed.\n  at f.sql:1\n"
            "  Add a ).\n  Nothing was started.",
        ),
        (
            "CREATE STREAMING TABLE t AS",
            "QN-1116  't' has no query after AS.\n  at f.sql:1\n  Write AS SELECT ….\n  Nothing was started.",
        ),
        (
            "CREATE STREAMING TABLE t AS SELECT 'x",
            "QN-1227  The SQL has a text in quotes that does not end.\n  at f.sql\n  in its line 1:  'x",
        ),
    ],
)  # fmt: skip
def test_sql_files_that_are_refused(write, sql, message):
    (write("f.sql", "x")).write_text(sql)
    assert _refusal(lambda: load("f.sql")) == message


FLOW = "import qanat as qn\n@qn.table\ndef t():\n    return 'SELECT 1 AS x'\n"


def test_a_spec_file_in_sparks_form(write, folder, monkeypatch):
    write("transformations/deep/a.py", FLOW)
    write("transformations/b.sql", "CREATE TEMPORARY VIEW b AS SELECT 2 AS y")
    write("transformations/notes.md", "not a pipeline")
    write(
        "spark-pipeline.yml",
        f"""
        name: shop
        storage: file://{folder}/lake
        catalog: main
        database: sales
        libraries:
          - glob:
              include: transformations/**
        configuration:
          spark.sql.shuffle.partitions: "4"
          qanat.memory: 2GB
        """,
    )
    monkeypatch.chdir(folder / "transformations" / "deep")
    pipeline = load()
    assert pipeline.name == "shop"
    assert pipeline.storage == f"{folder}/lake"
    assert pipeline.settings == {"memory": "2GB"}
    assert sorted(d.name for d in pipeline.datasets) == ["b", "t"]
    assert pipeline.notices == [
        "'catalog: main' has no effect here: tables are folders in the storage folder.",
        "'database: sales' has no effect here: tables are folders in the storage folder.",
        "'configuration: spark.sql.shuffle.partitions' has no effect here.",
    ]


def test_a_storage_begins_at_the_spec_file(write, folder):
    write("p/a.py", FLOW)
    write("p/qanat.yml", "name: p\nstorage: ../lake\nlibraries: [{glob: {include: a.py}}]\n")
    assert load("p").storage == f"{folder}/lake"
    assert load("p/qanat.yml").name == "p"


def test_no_file_and_no_spec(folder):
    assert _refusal(load) == (
        "QN-1101  There is no pipeline to run here.\n"
        f"  No file was named, and neither '{folder}' nor a folder above it has qanat.yml or qanat.yaml or "
        "spark-pipeline.yml or spark-pipeline.yaml.\n"
        "  Name a file:  qanat run flow.py\n  Or make a pipeline to start from:  qanat init my_pipeline"
    )


def test_two_spec_files(write):
    write("qanat.yml", "")
    write("spark-pipeline.yml", "")
    assert _refusal(load) == (
        "QN-1118  Folder '.' has 2 spec files.\n  Found: qanat.yml, spark-pipeline.yml\n"
        "  Name the one to use:  qanat run qanat.yml"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "The spec file is not YAML: expected the node content, but found '<stream end>'.\n  at q.yml:1"),
        ("just text", "The spec file holds no fields.\n  at q.yml\n  Known: name, storage, libraries, configuration,"),
        ("librarys: []", "The spec file has a field 'librarys', which is not known.\n  at q.yml\n  Did you mean 'libraries'?"),
        ("storage: lake", "The spec file has no name.\n  at q.yml\n  Add a line:  name: my_pipeline"),
        ("name: p", "The spec file names no libraries.\n  at q.yml\n  Write:\n    libraries:\n      - glob:\n"),
        ("name: p\nlibraries: [a.py]", "The spec file has a library that is no glob with an include: 'a.py'.\n"),
        (
            "name: p\nlibraries: [{glob: {include: 'no/**'}}]",
            "The spec file includes 'no/**', and no .py or .sql file is there.\n",
        ),
        ("name: p\nstorage: s3://b/x\nlibraries: []", "The spec file has the storage 's3://b/x', and only local"),
        ("name: p\nstorage: 7\nlibraries: []", "The spec file has a storage that is no path: 7.\n"),
        (
            "name: p\nlibraries: [{glob: {include: a.py}}]\nconfiguration: {qanat.memry: 2GB}",
            "The spec file sets 'qanat.memry', which is not known.\n  at q.yml\n  Did you mean 'qanat.memory'?\n",
        ),
    ],
)  # fmt: skip
def test_spec_files_that_are_refused(write, text, message):
    write("a.py", FLOW)
    write("q.yml", text)
    assert _refusal(lambda: load("q.yml")).startswith(f"QN-1118  {message}")
