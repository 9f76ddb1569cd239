"""Writes the engine's form of a pipeline, every member in its place."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

Json = dict[str, Any]


def duckdb_library() -> str:
    """DuckDB's shared object inside its wheel."""
    found = importlib.util.find_spec("_duckdb")
    assert found is not None and found.origin is not None
    return found.origin


def pipeline(
    storage: Path,
    sources: list[Json],
    datasets: list[Json],
    *,
    references: list[Json] | None = None,
    step_bytes_max: int = 0,
    name: str = "tested",
) -> Json:
    """The whole."""
    return {
        "name": name,
        "storage": str(storage),
        "file": "flow.py",
        "library": duckdb_library(),
        "options": {"memory": "", "threads": 2, "step_bytes_max": step_bytes_max, "app_id": ""},
        "sources": sources,
        "references": references or [],
        "datasets": datasets,
    }


def source(name: str, glob: Path, schema: str, **members: Any) -> Json:
    """A source of JSON lines; ``members`` replace what it has."""
    return {
        "name": name,
        "where": f"flow.py:{name}",
        "kind": "files",
        "glob": str(glob),
        "order": "name",
        "format": {"kind": "json"},
        "schema": schema,
        "event_time": "",
        "watermark": "",
        "record_bytes_max": 0,
    } | members


def dataset(name: str, *sql: str, rules: list[tuple[str, str, str]] | None = None, **members: Any) -> Json:
    """A table with one flow for each text of SQL; a rule is (name, condition, action)."""
    return {
        "name": name,
        "kind": "table",
        "where": f"flow.py:{name}",
        "comment": "",
        "partition_cols": [],
        "table_properties": {},
        "schema": "",
        "keys": [],
        "expectations": [
            {"name": rule, "condition": condition, "action": action, "where": f"flow.py:{name}.{rule}"}
            for rule, condition, action in rules or []
        ],
        "flows": [
            {
                "name": f"{name}{i or ''}",
                "where": f"flow.py:{name}",
                "sql": text,
                "once": False,
                "function": None,
            }
            for i, text in enumerate(sql)
        ],
    } | members


def function_of(dataset_spec: Json, number: int, name: str, schema: str) -> Json:
    """The dataset with its first flow going through a batch function."""
    dataset_spec["flows"][0]["function"] = {"id": number, "name": name, "schema": schema}
    return dataset_spec
