"""Parquet files of our own encoder, read by others: pyarrow, Polars, DuckDB and delta-rs see the rows that were meant.

The files come from the C++ test `Golden.*` (core/formats/parquet/golden_test.cc), which leaves beside each folder
`<name>` the query that it holds, `<name>.sql`.
"""

import pathlib
from collections.abc import Callable
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

SCALARS = [f"scalar_{i}" for i in range(8)]
NESTED = [f"nested_{i}" for i in range(11)]
LARGE = ["random", "mixed", "pages", "deltas"]
TIMES = "scalar_4"  # years that Python's and Polars' dates do not have


@pytest.fixture(scope="module")
def golden(written: Callable[[str, str], pathlib.Path]) -> pathlib.Path:
    """The folder with the files."""
    return written("qn_formats_parquet_test", "Golden.*")


def files(golden: pathlib.Path, name: str) -> list[pathlib.Path]:
    return sorted((golden / name).rglob("*.parquet"))


def meant(golden: pathlib.Path, name: str) -> str:
    """The query that the files hold."""
    return (golden / f"{name}.sql").read_text(encoding="utf-8")


def differences(db: duckdb.DuckDBPyConnection, expected: str, found: str) -> list[Any]:
    """Rows of one and not of the other, with their numbers; NaN and NULL are equal to themselves."""
    a, b = (f"SELECT COLUMNS(*)::VARCHAR FROM ({sql})" for sql in (expected, found))
    return db.execute(f"({a} EXCEPT ALL {b}) UNION ALL ({b} EXCEPT ALL {a}) LIMIT 5").fetchall()


def check(db: duckdb.DuckDBPyConnection, golden: pathlib.Path, name: str, found: Any) -> None:
    db.register("found", found)
    columns = ", ".join(f'"{column}"' for column in found.schema.names)
    rows = db.execute("SELECT count(*) FROM found").fetchone()[0]
    assert rows == db.execute(f"SELECT count(*) FROM ({meant(golden, name)})").fetchone()[0] > 0
    assert (
        differences(db, f"SELECT {columns} FROM ({meant(golden, name)})", f"SELECT {columns} FROM found")
        == []
    )


@pytest.mark.parametrize("name", [*SCALARS, *NESTED, *LARGE])
def test_pyarrow_reads_the_rows_and_verifies_every_page(golden: pathlib.Path, db: Any, name: str) -> None:
    tables = [pq.read_table(file, page_checksum_verification=True) for file in files(golden, name)]
    check(db, golden, name, pa.concat_tables(tables))


@pytest.mark.parametrize("name", [*SCALARS, *NESTED, *LARGE, "partitioned"])
def test_duckdb_reads_the_rows(golden: pathlib.Path, db: Any, name: str) -> None:
    found = f"SELECT * FROM read_parquet({[str(file) for file in files(golden, name)]}, hive_partitioning = false)"
    assert differences(db, meant(golden, name), found) == []


@pytest.mark.parametrize("name", [n for n in [*SCALARS, *NESTED, *LARGE] if n != TIMES])
def test_polars_reads_the_rows(golden: pathlib.Path, db: Any, name: str) -> None:
    frame = pl.concat([pl.read_parquet(file, hive_partitioning=False) for file in files(golden, name)])
    check(db, golden, name, frame.to_arrow())


@pytest.mark.parametrize("name", [n for n in [*SCALARS, *NESTED, *LARGE, "partitioned"] if n != TIMES])
def test_delta_rs_reads_the_rows(golden: pathlib.Path, db: Any, name: str, tmp_path: pathlib.Path) -> None:
    from deltalake import CommitProperties, DeltaTable, QueryBuilder, Schema
    from deltalake.transaction import AddAction, create_table_with_add_actions

    found = files(golden, name)
    schema = Schema.from_arrow(pq.read_schema(found[0]))
    adds = [AddAction(str(file), file.stat().st_size, {}, 0, True, "{}") for file in found]
    create_table_with_add_actions(
        table_uri=str(tmp_path),
        schema=schema,
        add_actions=adds,
        mode="error",
        partition_by=[],
        commit_properties=CommitProperties(),
    )
    rows = QueryBuilder().register("t", DeltaTable(tmp_path)).execute("SELECT * FROM t").read_all()
    check(db, golden, name, pa.table(rows))


def test_partition_folders_are_read_back_as_columns(golden: pathlib.Path, db: Any) -> None:
    hive = f"SELECT i, city, day FROM read_parquet('{golden}/partitioned/**/*.parquet', hive_partitioning = true)"
    assert differences(db, meant(golden, "partitioned"), hive) == []
    layout = ds.partitioning(pa.schema({"city": pa.string(), "day": pa.date32()}), flavor="hive")
    check(db, golden, "partitioned", ds.dataset(golden / "partitioned", partitioning=layout).to_table())


def test_bounds_hold_for_every_row_group(golden: pathlib.Path, db: Any) -> None:
    checked = 0
    for name in [*SCALARS, "random", "mixed"]:
        if name == TIMES:
            continue
        for path in files(golden, name):
            file = pq.ParquetFile(path)
            for group in range(file.metadata.num_row_groups):
                table = file.read_row_group(group)
                for i in range(file.metadata.num_columns):
                    column = file.metadata.row_group(group).column(i)
                    if column.path_in_schema not in table.column_names or not column.statistics.has_min_max:
                        continue
                    values = table.column(column.path_in_schema)
                    assert column.statistics.null_count == values.null_count
                    present = [v for v in values.to_pylist() if v is not None]
                    assert column.statistics.min <= min(present), (name, column)
                    assert column.statistics.max >= max(present), (name, column)
                    checked += 1
    assert checked > 30


def test_annotations(golden: pathlib.Path) -> None:
    schema = pq.ParquetFile(files(golden, "scalar_0")[0]).schema_arrow
    assert schema.types == [pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64()]
    times = pq.ParquetFile(files(golden, TIMES)[0]).schema_arrow
    assert times.types == [pa.date32(), pa.timestamp("us"), pa.timestamp("us", tz="UTC")]
    decimals = pq.ParquetFile(files(golden, "scalar_2")[0])
    assert [str(t) for t in decimals.schema_arrow.types] == [
        "decimal128(4, 1)",
        "decimal128(9, 2)",
        "decimal128(18, 3)",
        "decimal128(19, 0)",
        "decimal128(38, 3)",
        "decimal128(2, 2)",
    ]
    physical = [decimals.schema.column(i).physical_type for i in range(6)]
    assert physical == ["INT32", "INT32", "INT64", "FIXED_LEN_BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY", "INT32"]
    assert decimals.metadata.created_by == "qanat version 0.0.0"
    map_type = pq.ParquetFile(files(golden, "nested_3")[0]).schema_arrow.field("m").type
    assert map_type == pa.map_(pa.string(), pa.int32())


def test_a_flipped_bit_is_found(golden: pathlib.Path, tmp_path: pathlib.Path) -> None:
    source = files(golden, "mixed")[0]
    data = bytearray(source.read_bytes())
    data[len(data) // 3] ^= 1
    torn = tmp_path / "torn.parquet"
    torn.write_bytes(data)
    with pytest.raises(OSError, match=r"CRC|crc|checksum"):
        pq.read_table(torn, page_checksum_verification=True)
