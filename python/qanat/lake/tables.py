"""The tables of a storage folder as read-only DuckDB views, each at one version of its Delta log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from qanat import sql_text
from qanat.engines.native import snapshot
from qanat.errors import QanatError, did_you_mean

if TYPE_CHECKING:
    import duckdb

DEFAULT_STORAGE = Path("lake")
DEAD_LETTERS = "__dead_letters"
_NULL_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_READS = ("SELECT", "EXPLAIN")
_NAMES_SHOWN_MAX = 12


@dataclass(frozen=True)
class Lake:
    """A storage folder."""

    folder: Path

    def table_names(self) -> list[str]:
        """Names of its tables, dead-letter tables too, in order; those without a first commit are none."""
        if not self.folder.is_dir():
            return []
        logs = self.folder.glob("*/_delta_log")
        return sorted(log.parent.name for log in logs if next(log.glob("0*"), None) is not None)

    def snapshot(self, name: str, version: int = -1) -> dict[str, Any]:
        """Files and columns of one table; QN-1310 when there is no such table."""
        return snapshot(self.folder / self.existing(name), version)

    def existing(self, name: str) -> str:
        """The name of a table as its folder has it; QN-1310 when there is no such table."""
        names = self.table_names()
        if name in names:
            return name
        for known in names:
            if known.casefold() == name.casefold():
                return known
        raise self._no_table(name)

    def query(self, sql: str, version: int = -1, beside: Sequence[str] = ()) -> duckdb.DuckDBPyRelation:
        """The result of one SELECT over the tables, each a view by its name.

        Parameters
        ----------
        sql
            One statement that reads: SELECT, FROM, WITH, VALUES, DESCRIBE, SUMMARIZE, SHOW, EXPLAIN.
        version
            Version of the tables that it reads; -1 is the newest.
        beside
            Statements that make what it may read besides the tables.

        Raises
        ------
        QanatError
            QN-1310 (no such table), QN-1311 (it does not only read), QN-1312 (DuckDB refuses it).
        """
        import duckdb

        connection = duckdb.connect()
        try:
            names = self._names_read(connection, sql)
            for name in names:
                connection.execute(view_sql(name, self.snapshot(name, version)))
            for statement in beside:
                connection.execute(statement)
            relation = connection.sql(sql)
        except duckdb.Error as error:
            raise self._refused(error) from None
        if relation is None:
            raise QanatError("QN-1311", "The statement gives no rows.", ["qanat query only reads tables."])
        return relation

    def _names_read(self, connection: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
        import duckdb

        statements = connection.extract_statements(sql)
        if len(statements) != 1:
            raise QanatError(
                "QN-1311",
                f"There are {len(statements)} statements, and one is expected.",
                ["qanat query runs one SELECT."],
            )
        if statements[0].type not in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
            kind = str(statements[0].type).rsplit(".", 1)[-1]
            raise QanatError(
                "QN-1311",
                f"A statement of the kind {kind} would change something; qanat query only reads.",
                ["Tables are written by qanat run alone."],
            )
        there = {name.casefold(): name for name in self.table_names()}
        words = {token.text.casefold() for token in sql_text.tokens(sql) if token.is_identifier}
        read = [there[name] for name in there if name in words]
        return read or list(there.values())

    def _refused(self, error: Exception) -> QanatError:
        text = str(error)
        missing = text.split("Table with name ", 1)[1].split(" ", 1)[0] if "Table with name " in text else ""
        if missing:
            return self._no_table(missing)
        head, *rest = [line for line in text.split("\n") if line.strip()] or [type(error).__name__]
        return QanatError("QN-1312", "DuckDB refuses this SQL.", [head, *rest])

    def _no_table(self, name: str) -> QanatError:
        names = self.table_names()
        if not names:
            return QanatError(
                "QN-1310",
                f"There are no tables in '{self.folder}'.",
                ["Run a pipeline first, or name its folder:  --storage DIR"],
            )
        listed = ", ".join(names[:_NAMES_SHOWN_MAX]) + (", …" if len(names) > _NAMES_SHOWN_MAX else "")
        return QanatError(
            "QN-1310",
            f"There is no table '{name}' in '{self.folder}'.",
            [f"There are: {listed}", *did_you_mean(name, names)],
        )


def view_sql(name: str, table: dict[str, Any]) -> str:
    """The statement that makes a view of a table's snapshot.

    Partition columns are not in the data files; their values come from the log, or from the folder names when
    these say the same, which lets DuckDB skip files.
    """
    columns: list[dict[str, Any]] = table["schema"]
    files: list[dict[str, Any]] = table["files"]
    parts: list[str] = table["partition_cols"]
    head = f"CREATE VIEW {sql_text.quoted(name)} AS "
    nulls = ", ".join(f"CAST(NULL AS {c['type']}) AS {sql_text.quoted(c['name'])}" for c in columns)
    empty = f"SELECT {nulls} WHERE false"
    if not files:
        return head + empty
    paths = "[" + ", ".join(sql_text.file_literal(file["path"]) for file in files) + "]"
    types = {c["name"]: c["type"] for c in columns}
    names = ", ".join(sql_text.quoted(c["name"]) for c in columns)
    # A column that was added later is missing in older files, perhaps in all that are left.
    by_name = f"({empty} UNION ALL BY NAME FROM read_parquet({paths}, union_by_name = true"
    if not parts:
        return f"{head}SELECT {names} FROM {by_name}, hive_partitioning = false))"
    if all(_folders_say_it(file, parts) for file in files):
        hive = ", ".join(f"{sql_text.literal(p)}: {types[p]}" for p in parts)
        options = f"hive_partitioning = true, hive_types = {{{hive}}}"
        return f"{head}SELECT {names} FROM {by_name}, {options}))"
    return head + _joined_sql(columns, files, parts, f"{by_name}, hive_partitioning = false, ", types)


def _joined_sql(
    columns: list[dict[str, Any]],
    files: list[dict[str, Any]],
    parts: list[str],
    by_name: str,
    types: dict[str, str],
) -> str:
    rows = ", ".join(
        "("
        + ", ".join([sql_text.literal(f["path"]), *(value_sql(f["partition"].get(p)) for p in parts)])
        + ")"
        for f in files
    )
    keys = ", ".join(sql_text.quoted(p) for p in parts)
    picked = ", ".join(
        f"CAST(p.{sql_text.quoted(c['name'])} AS {types[c['name']]}) AS {sql_text.quoted(c['name'])}"
        if c["name"] in parts
        else f"d.{sql_text.quoted(c['name'])}"
        for c in columns
    )
    return (
        f"SELECT {picked} FROM {by_name}filename = '__qn_path')) d "
        f"JOIN (VALUES {rows}) p(__qn_path, {keys}) ON p.__qn_path = d.__qn_path"
    )


def value_sql(text: str | None) -> str:
    """A text or NULL in SQL."""
    return "NULL" if text is None else sql_text.literal(text)


def _folders_say_it(file: dict[str, Any], parts: list[str]) -> bool:
    folders = dict(piece.split("=", 1) for piece in file["path"].split("/")[:-1] if "=" in piece)
    for part in parts:
        value = file["partition"].get(part)
        written = folders.get(part, folders.get(quote(part)))
        if written is None or unquote(written) != (_NULL_PARTITION if value is None else value):
            return False
    return True
