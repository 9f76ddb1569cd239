"""Tables written by our Delta log, read by others: deltalake and DuckDB see the rows that were meant.

The tables come from the C++ test `Golden.*` (core/connectors/delta/golden_test.cc), which leaves beside each
table `<name>.sql`: one SELECT a line, JSON text, whose rows together are the table's.
"""

import json
import pathlib
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import duckdb
import pytest
from deltalake import DeltaTable, QueryBuilder

NAMES = ["types", "plain", "partitioned", "checkpointed", "rewritten"]


@pytest.fixture(scope="module")
def golden(written: Callable[[str, str], pathlib.Path]) -> pathlib.Path:
    """The folder with the tables."""
    return written("qn_connectors_delta_test", "Golden.*")


def meant(folder: pathlib.Path, name: str) -> str:
    """SQL whose rows are the table's."""
    lines = (folder / f"{name}.sql").read_text().splitlines()
    return " UNION ALL ".join(f"({json.loads(line)})" for line in lines)


def actions(table: pathlib.Path, kind: str) -> list[dict[str, Any]]:
    """Every action of one kind in the entries that are there."""
    lines = [
        line for entry in sorted(table.glob("_delta_log/*.json")) for line in entry.read_text().splitlines()
    ]
    return [action[kind] for line in lines if kind in (action := json.loads(line))]


def differences(db: duckdb.DuckDBPyConnection, expected: str, found: str) -> list[Any]:
    """Rows of one and not of the other, with their numbers; NaN and NULL are equal to themselves."""
    both = f"(FROM (({expected}) EXCEPT ALL ({found}))) UNION ALL (FROM (({found}) EXCEPT ALL ({expected})))"
    return db.execute(both).fetchall()


@pytest.mark.parametrize("name", NAMES)
def test_deltalake_reads_the_rows_that_were_meant(golden: pathlib.Path, db: Any, name: str) -> None:
    table = DeltaTable(golden / name)
    found = table.to_pyarrow_table()
    db.register("found", found)
    assert found.num_rows > 0
    # MAP does not compare in EXCEPT; its text does.
    columns = ", ".join(f'"{c}"::VARCHAR AS "{c}"' if c == "m" else f'"{c}"' for c in found.column_names)
    assert (
        differences(db, f"SELECT {columns} FROM ({meant(golden, name)})", f"SELECT {columns} FROM found")
        == []
    )


@pytest.mark.parametrize("name", NAMES)
def test_query_builder_agrees_with_duckdb_over_the_files(golden: pathlib.Path, db: Any, name: str) -> None:
    table = DeltaTable(golden / name)
    count = QueryBuilder().register("t", table).execute("SELECT count(*) AS n FROM t").read_all()
    listed = [golden / name / path for path in paths_of(table)]
    assert all(path.is_file() for path in listed)
    rows = db.execute("SELECT count(*) FROM read_parquet(?)", [[str(path) for path in listed]]).fetchone()[0]
    assert count.column("n")[0].as_py() == rows == sum_of_rows(table)


def paths_of(table: DeltaTable) -> list[str]:
    """File paths below the table: the log's are percent-encoded, once more than the file's own name."""
    return [unquote(path) for path in table.get_add_actions(flatten=True).column("path").to_pylist()]


def sum_of_rows(table: DeltaTable) -> int:
    return sum(table.get_add_actions(flatten=True).column("num_records").to_pylist())


def test_partition_values_with_special_characters_and_null(golden: pathlib.Path) -> None:
    table = DeltaTable(golden / "partitioned")
    rows = {row["id"]: row for row in table.to_pyarrow_table().to_pylist()}
    assert rows[1]["city"] == "K=/ ü%"
    assert rows[3]["city"] == "a:b+c&d?#[x]*"
    assert rows[4]["city"] == "日本 \"x\"'y'"
    assert rows[5]["city"] == ".."
    assert all(rows[2][column] is None for column in ("city", "day", "ts", "d", "b"))
    one = table.to_pyarrow_table(filters=[("city", "=", "K=/ ü%")])
    assert one.column("id").to_pylist() == [1]


def test_the_checkpoint_is_read_back_by_deltalake(golden: pathlib.Path) -> None:
    table = DeltaTable(golden / "checkpointed")
    # The entries below the checkpoint are gone: only the checkpoint can have told.
    assert not (golden / "checkpointed/_delta_log/00000000000000000009.json").exists()
    assert table.version() == 12
    assert table.transaction_version("golden/checkpointed") == 13
    assert table.metadata().configuration == {"delta.checkpointInterval": "5"}
    assert table.metadata().description == "Written by the golden test."
    # Step 4 replaced what 1 to 3 had written.
    assert sorted(table.to_pyarrow_table().column("id").to_pylist()) == list(range(40, 140))


def test_deltalake_goes_on_where_we_stopped(golden: pathlib.Path) -> None:
    import pyarrow as pa
    from deltalake import write_deltalake

    table = DeltaTable(golden / "plain")
    write_deltalake(table, pa.table({"id": [7000], "name": ["theirs"]}), mode="append")
    assert DeltaTable(golden / "plain").to_pyarrow_table().num_rows == 1001
    table = DeltaTable(golden / "checkpointed")
    table.create_checkpoint()
    assert DeltaTable(golden / "checkpointed").to_pyarrow_table().num_rows == 100


def test_protocol_is_the_lowest_that_serves(golden: pathlib.Path) -> None:
    assert DeltaTable(golden / "plain").protocol().min_reader_version == 1
    assert DeltaTable(golden / "plain").protocol().min_writer_version == 2
    assert DeltaTable(golden / "types").protocol().reader_features == ["timestampNtz"]


def test_schema_and_comments(golden: pathlib.Path) -> None:
    schema = DeltaTable(golden / "types").schema()
    assert schema.fields[0].metadata == {"comment": "the first column"}
    types = {field.name: field.type.to_json().strip('"') for field in schema.fields}
    assert types["u8"] == "short"
    assert types["u64"] == "decimal(20,0)"
    assert types["ts"] == "timestamp_ntz"
    assert types["z"] == "timestamp"


@pytest.mark.parametrize("name", ["types", "plain"])
def test_bounds_hold_for_every_row(golden: pathlib.Path, db: Any, name: str) -> None:
    checked = 0
    for add in actions(golden / name, "add"):
        if "qanat.crc32c" not in (add.get("tags") or {}):
            continue
        # Numbers as text: a float would round DECIMAL(38).
        stats = json.loads(add["stats"], parse_int=str, parse_float=str)
        db.execute(f"CREATE OR REPLACE VIEW f AS FROM read_parquet('{golden / name / add['path']}')")
        types = dict(db.execute("SELECT column_name, column_type FROM (DESCRIBE f)").fetchall())
        assert int(stats["numRecords"]) == db.execute("SELECT count(*) FROM f").fetchone()[0]
        for column, nulls in stats["nullCount"].items():
            if isinstance(nulls, str):
                assert (
                    int(nulls) == db.execute(f'SELECT count(*) - count("{column}") FROM f').fetchone()[0]
                ), column
        for bounds, sign in (("minValues", "<"), ("maxValues", ">")):
            for column, bound in stats[bounds].items():
                if isinstance(bound, dict):
                    continue
                outside = f'SELECT count(*) FROM f WHERE "{column}" {sign} ?::{types[column]}'
                assert db.execute(outside, [bound]).fetchone()[0] == 0, (column, bound)
                checked += 1
    assert checked > 0


def test_filters_on_bounds_lose_no_row(golden: pathlib.Path) -> None:
    table = DeltaTable(golden / "types")
    engine = QueryBuilder().register("t", table)
    for where, rows in (
        ("ts >= TIMESTAMP '2024-01-01 10:00:00.123456'", 2),
        ("ts <= TIMESTAMP '1969-12-31 23:59:59.999999'", 2),
        ("name > 'zzz'", 2),
        ("id = -9223372036854775808", 2),
        ("id > 1", 0),
        ("day = DATE '0001-01-01'", 2),
    ):
        found = engine.execute(f"SELECT count(*) AS n FROM t WHERE {where}").read_all().column("n")[0].as_py()
        assert found == rows, where
