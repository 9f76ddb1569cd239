"""What the versions of a table have changed, row by row, as a DuckDB relation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qanat import sql_text
from qanat.engines.native import changes_of
from qanat.errors import QanatError
from qanat.lake.tables import DEFAULT_STORAGE, Lake, value_sql

if TYPE_CHECKING:
    import duckdb

_VIEW = "__changes_of_"
_OWN = {"_change_type": "VARCHAR", "_commit_version": "BIGINT", "_commit_timestamp": "TIMESTAMPTZ"}


def changes(
    view: str,
    *,
    storage: str | Path | None = None,
    starting_version: int = 0,
    ending_version: int | None = None,
) -> duckdb.DuckDBPyRelation:
    """The rows that came, went and changed in a view or table, version by version.

    A step that changed the view made one version of its table. The sum of all changes, what came less what
    went, is the table. A view that takes rows back needs the table property ``delta.enableChangeDataFeed``;
    what only appends has its changes anyway. They are Delta's change data feed: other readers get the same,
    for example ``deltalake.DeltaTable.load_cdf``.

    Parameters
    ----------
    view
        Name of a materialized view or a table.
    storage
        The pipeline's storage folder; by default ``lake`` in the working folder, as ``qanat query`` has it.
    starting_version
        The first version whose changes are wanted, from 0. Who has read up to version ``n`` goes on with
        ``n + 1``, also when that is not there yet: nothing has changed.
    ending_version
        The last version that is wanted; ``None`` is the newest.

    Returns
    -------
    duckdb.DuckDBPyRelation
        A row for each change, in no order: the columns of the view (in the last version that is read), then
        ``_change_type`` VARCHAR (``insert``, ``delete``, ``update_preimage`` or ``update_postimage``; a row
        of a view with ``keys=`` that becomes another is the last two, without keys it goes and comes),
        ``_commit_version`` BIGINT (the version that changed it) and ``_commit_timestamp`` TIMESTAMPTZ (when
        that version was written).

    Raises
    ------
    QanatError
        QN-1310 (there is no such view), QN-1316 (versions that cannot be), QN-3318 (a version that the table
        does not have), QN-3322 (a version rewrote files without telling what changed), QN-3323 (files of
        these versions are gone).

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import qanat as qn
    >>> from qanat import testing
    >>> home = pathlib.Path(tempfile.mkdtemp())
    >>> _ = (home / "flow.sql").write_text("CREATE MATERIALIZED VIEW totals AS SELECT 42 AS total")
    >>> _ = testing.run(home / "flow.sql", home / "lake")
    >>> changes = qn.changes("totals", storage=home / "lake", starting_version=0)
    >>> changes.filter("_change_type = 'insert'").project("total, _commit_version").fetchall()
    [(42, 0)]
    """
    import duckdb

    sql = changes_sql(
        Lake(Path(storage or DEFAULT_STORAGE).resolve()), view, starting_version, ending_version
    )
    return duckdb.connect().sql(sql)


def changes_sql(lake: Lake, view: str, starting_version: int = 0, ending_version: int | None = None) -> str:
    """The SELECT that gives them; see `changes`."""
    _check_versions(starting_version, ending_version)
    name = lake.existing(view)
    told = changes_of(lake.folder / name, starting_version, -1 if ending_version is None else ending_version)
    return _select(name, told)


def changes_in(lake: Lake, sql: str, version: int) -> list[str]:
    """What lets ``sql`` read ``changes('view')`` and ``changes('view', starting_version)``.

    A view for each that it names, and the macro over them. ``version`` is the last version that is wanted, -1
    the newest.
    """
    found = sql_text.tokens(sql)
    named: dict[tuple[str, int], None] = {}
    for index, word in enumerate(found[:-3]):
        opening, name, mark = found[index + 1 : index + 4]
        if not word.is_word("CHANGES") or not opening.is_mark("(") or name.kind != "text":
            continue
        first = found[index + 4] if mark.is_mark(",") and index + 4 < len(found) else None
        if mark.is_mark(")") or (first is not None and first.text.isdecimal()):
            named[name.text, int(first.text) if first is not None else 0] = None
    if not named:
        return []
    last = None if version < 0 else version
    views = [
        f"CREATE VIEW {sql_text.quoted(f'{_VIEW}{first}_{name}')} AS {changes_sql(lake, name, first, last)}"
        for name, first in named
    ]
    return [
        *views,
        f"CREATE MACRO changes(view) AS TABLE (FROM query_table('{_VIEW}0_' || view)), "
        f"(view, starting_version) AS TABLE "
        f"(FROM query_table('{_VIEW}' || starting_version || '_' || view))",
    ]


def _check_versions(first: int, last: int | None) -> None:
    for option, version in (("starting_version", first), ("ending_version", last)):
        if version is None:
            continue
        if not isinstance(version, int) or isinstance(version, bool) or version < 0:
            raise QanatError(
                "QN-1316",
                f"{option} is {version!r}, which is no version.",
                ["Versions of a table are whole numbers from 0."],
            )
    if last is not None and last < first:
        raise QanatError(
            "QN-1316",
            f"ending_version {last} comes before starting_version {first}.",
            ["Both are in: one version alone is  starting_version=3, ending_version=3"],
        )


def _select(name: str, told: dict[str, Any]) -> str:
    columns: list[dict[str, Any]] = told["schema"]
    files: list[dict[str, Any]] = told["changes"]
    parts: list[str] = told["partition_cols"]
    for column in columns:
        if column["name"].casefold() in _OWN:
            raise QanatError(
                "QN-1316",
                f"The table '{name}' has a column '{column['name']}' of its own.",
                ["Its changes are told in a column of that name.", "Rename it in the table's query."],
            )
    types = {column["name"]: column["type"] for column in columns}
    empty = _nulls(types | {"_change_type": "VARCHAR"})
    if not files:
        return _nulls(types | _OWN)
    # A file that came and went again is read once.
    paths = ", ".join(sql_text.file_literal(path) for path in dict.fromkeys(f["path"] for f in files))
    rows = ", ".join(_row(file, parts) for file in files)
    keys = "".join(", " + sql_text.quoted(f"__qn_{part}") for part in parts)
    picked = ", ".join(
        f"CAST(p.{sql_text.quoted('__qn_' + column)} AS {type}) AS {sql_text.quoted(column)}"
        if column in parts
        else f"d.{sql_text.quoted(column)}"
        for column, type in types.items()
    )
    return (
        f"SELECT {picked}, coalesce(p.__qn_type, d._change_type) AS _change_type, "
        f"CAST(p.__qn_version AS BIGINT) AS _commit_version, "
        f"to_timestamp(p.__qn_time_ms / 1000.0) AS _commit_timestamp "
        # A column that was added later is missing in older files.
        f"FROM ({empty} UNION ALL BY NAME FROM read_parquet([{paths}], union_by_name = true, "
        f"hive_partitioning = false, filename = '__qn_path')) d "
        f"JOIN (VALUES {rows}) p(__qn_path, __qn_type, __qn_version, __qn_time_ms{keys}) "
        f"ON p.__qn_path = d.__qn_path"
    )


def _nulls(types: dict[str, str]) -> str:
    nulls = ", ".join(f"CAST(NULL AS {type}) AS {sql_text.quoted(name)}" for name, type in types.items())
    return f"SELECT {nulls} WHERE false"


def _row(file: dict[str, Any], parts: list[str]) -> str:
    values = [
        sql_text.literal(file["path"]),
        f"CAST({value_sql(file['type'])} AS VARCHAR)",
        str(file["version"]),
        str(file["time_ms"]),
        *(f"CAST({value_sql(file['partition'].get(part))} AS VARCHAR)" for part in parts),
    ]
    return f"({', '.join(values)})"
