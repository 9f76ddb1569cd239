"""Puts declarations together into one checked pipeline and writes the spec that the engine reads.

Checks names, flows, rules, that every table read exists, and that no dataset depends on itself. Columns and
types are the engine's to check.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qanat import sql_text
from qanat.errors import QanatError, did_you_mean
from qanat.pipelines.queries import query_text
from qanat.pipelines.registry import BatchFunction, Dataset, Flow, Reference, Registry, Source
from qanat.pipelines.sources import absolute
from qanat.where import Where, shown

_NAMES_SHOWN_MAX = 12


@dataclass
class PlannedFlow:
    """A flow whose SQL is known."""

    name: str
    where: Where
    sql: str
    once: bool
    batch: BatchFunction | None
    reads: list[str]  # as declared, not as written in the SQL


@dataclass
class Pipeline:
    """A loaded pipeline. ``spec()`` gives the engine's form of it; ``functions`` go with it."""

    name: str
    file: Path
    sources: list[Source]
    references: list[Reference]
    datasets: list[Dataset]
    flows: dict[str, list[PlannedFlow]]  # by name of the dataset
    functions: list[BatchFunction]
    storage: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)

    def spec(
        self,
        *,
        storage: str | Path,
        library: str = "",
        memory: str = "",
        threads: int = 0,
        step_bytes_max: int = 0,
    ) -> str:
        """The pipeline as the engine reads it: one JSON object.

        Parameters
        ----------
        storage
            Folder that holds the tables; made absolute.
        library
            Path of DuckDB's shared object; empty lets the engine fail with a message about it.
        memory, threads
            Limits such as ``"2GB"`` and ``4``; empty and 0 leave them to the engine.
        step_bytes_max
            Input of one step in bytes; 0 leaves it to the engine.
        """
        return json.dumps(
            {
                "name": self.name,
                "storage": str(Path(storage).expanduser().resolve()),
                "file": shown(str(self.file)),
                "library": library,
                "options": {
                    "memory": memory,
                    "threads": threads,
                    "step_bytes_max": step_bytes_max,
                    "app_id": "",
                },
                "sources": [_source_spec(source) for source in self.sources],
                "references": [
                    {"name": r.name, "where": str(r.where), "sql": r.sql} for r in self.references
                ],
                "datasets": [self._dataset_spec(dataset) for dataset in self.datasets],
            },
            ensure_ascii=False,
        )

    def _dataset_spec(self, dataset: Dataset) -> dict[str, Any]:
        return {
            "name": dataset.name,
            "kind": dataset.kind,
            "where": str(dataset.where),
            "comment": dataset.comment,
            "partition_cols": list(dataset.partition_cols),
            "table_properties": dataset.table_properties,
            "schema": dataset.schema,
            "keys": list(dataset.keys),
            "windows": {
                "emit": dataset.windows.emit,
                "column": dataset.windows.column,
                "size": dataset.windows.size,
                "lateness": dataset.windows.lateness,
            },
            "expectations": [
                {"name": e.name, "condition": e.condition, "action": e.action, "where": str(e.where)}
                for e in dataset.expectations
            ],
            "flows": [self._flow_spec(flow) for flow in self.flows[dataset.name]],
        }

    def _flow_spec(self, flow: PlannedFlow) -> dict[str, Any]:
        function = None
        if flow.batch is not None:
            function = {
                "id": next(i for i, other in enumerate(self.functions) if other is flow.batch),
                "name": getattr(flow.batch.function, "__name__", flow.name),
                "schema": flow.batch.schema,
            }
        return {
            "name": flow.name,
            "where": str(flow.where),
            "sql": flow.sql,
            "once": flow.once,
            "function": function,
        }


def build(registry: Registry, *, name: str, file: Path) -> Pipeline:
    """The pipeline that a registry's declarations make.

    Raises
    ------
    QanatError
        QN-1110 (nothing declared) and the QN-11xx and QN-12xx of each check.
    """
    _check_names(registry)
    if not registry.datasets:
        raise QanatError(
            "QN-1110",
            f"'{shown(str(file))}' declares no dataset.",
            ["A dataset is a function under @qn.table that returns SQL.", "See one:  qanat init my_pipeline"],
        )
    _check_notes(registry)
    flows = _attach(registry)
    planned = {
        dataset.name: [_planned(flow, registry) for flow in flows[dataset.name]]
        for dataset in registry.datasets
    }
    _check_cycles(registry.datasets, planned)
    _check_references(registry.references)
    functions = [flow.batch for each in planned.values() for flow in each if flow.batch is not None]
    return Pipeline(
        name,
        file,
        registry.sources,
        registry.references,
        registry.datasets,
        planned,
        functions,
        notices=_notices(registry, planned),
    )


def _source_spec(source: Source) -> dict[str, Any]:
    return {
        "name": source.name,
        "where": str(source.where),
        "kind": "files",
        "glob": absolute(source.connector.glob, source.where),
        "order": source.connector.order,
        "format": source.format.to_spec(),
        "schema": source.schema,
        "event_time": source.event_time,
        "watermark": source.watermark,
        "idle_timeout": source.idle_timeout,
        "record_bytes_max": source.connector.record_bytes_max,
        "comment": source.comment,
    }


def _check_names(registry: Registry) -> None:
    seen: dict[str, tuple[str, str, Where]] = {}
    declared = [("Source", s.name, s.where) for s in registry.sources]
    declared += [("Reference", r.name, r.where) for r in registry.references]
    declared += [("Dataset", d.name, d.where) for d in registry.datasets]
    for what, name, place in declared:
        other = seen.setdefault(name.casefold(), (what, name, place))
        if other[2] is not place or other[0] != what:
            raise _twice(what, name, place, other)


def _twice(what: str, name: str, place: Where, other: tuple[str, str, Where]) -> QanatError:
    lines = [
        f"at {place}",
        f"and at {other[2]}" + (f", as {other[0].lower()} '{other[1]}'" if (what, name) != other[:2] else ""),
    ]
    if name != other[1]:
        lines.append("SQL does not tell capital letters from small ones.")
    return QanatError(
        "QN-1202",
        f"{what} '{name}' is declared twice." if what == other[0] else f"The name '{name}' is taken twice.",
        [*lines, "Give one of them another name.", "Nothing was started."],
    )


def _check_notes(registry: Registry) -> None:
    for notes in registry.notes:
        first = notes.expectations[0] if notes.expectations else None
        if first is not None and set(notes.used_by) <= {"append_flow"}:
            hint = (
                "Rules stand on the target: qn.create_streaming_table(…, expect_all_or_drop={…})."
                if notes.used_by
                else f"Put @qn.table over {notes.name}()."
            )
            what = "a flow, not a dataset" if notes.used_by else "a function that makes no dataset"
            raise QanatError(
                "QN-1127",
                f"Rule '{first.name}' stands on {what}.",
                [f"at {first.where}", hint, "Nothing was started."],
            )
        if notes.batch is not None and not notes.used_by:
            raise QanatError(
                "QN-1113",
                f"Function '{notes.name}' is marked with @qn.map_batches, but makes no dataset.",
                [f"at {notes.batch.where}", "Put @qn.table over @qn.map_batches.", "Nothing was started."],
            )
        if notes.batch is not None and {"temporary_view", "materialized_view"} & set(notes.used_by):
            raise QanatError(
                "QN-1113",
                f"A view cannot be made by a Python function: '{notes.name}'.",
                [f"at {notes.batch.where}", "Use @qn.table over @qn.map_batches.", "Nothing was started."],
            )
    for dataset in registry.datasets:
        if dataset.notes is not None:
            dataset.expectations = list(dataset.notes.expectations)
        _check_rules(dataset)


def _check_rules(dataset: Dataset) -> None:
    if dataset.kind == "temporary_view" and dataset.expectations:
        rule = dataset.expectations[0]
        raise QanatError(
            "QN-1127",
            f"Rule '{rule.name}' stands on the temporary view '{dataset.name}', which stores nothing.",
            [f"at {rule.where}", "Put it on the tables that read the view.", "Nothing was started."],
        )
    seen: dict[str, Where] = {}
    for rule in dataset.expectations:
        other = seen.setdefault(rule.name.casefold(), rule.where)
        if other is not rule.where:
            raise QanatError(
                "QN-1127",
                f"Dataset '{dataset.name}' has two rules called '{rule.name}'.",
                [
                    f"at {other}",
                    f"and at {rule.where}",
                    "Give one of them another name.",
                    "Nothing was started.",
                ],
            )


def _attach(registry: Registry) -> dict[str, list[Flow]]:
    """The flows of each dataset: its own query first, then those that name it as target."""
    by_name = {dataset.name.casefold(): dataset for dataset in registry.datasets}
    flows = {dataset.name: list(dataset.flows) for dataset in registry.datasets}
    for append in registry.append_flows:
        target = by_name.get(append.target.casefold())
        if target is None or target.kind not in ("table", "streaming_table"):
            raise _no_target(append.target, append.flow, target, registry.datasets)
        taken = {flow.name.casefold(): flow for flow in flows[target.name]}
        if (other := taken.get(append.flow.name.casefold())) is not None:
            raise QanatError(
                "QN-1202",
                f"Table '{target.name}' has two flows called '{append.flow.name}'.",
                [f"at {other.where}", f"and at {append.flow.where}", "Nothing was started."],
            )
        flows[target.name].append(append.flow)
    for dataset in registry.datasets:
        if not flows[dataset.name]:
            raise QanatError(
                "QN-1225",
                f"Table '{dataset.name}' has no flow: nothing would ever be written to it.",
                [
                    f"at {dataset.where}",
                    f'Add one:  @qn.append_flow(target="{dataset.name}")',
                    "Nothing was started.",
                ],
            )
    return flows


def _no_target(name: str, flow: Flow, target: Dataset | None, datasets: list[Dataset]) -> QanatError:
    lines = [f"at {flow.where}"]
    if target is not None:
        kind = target.kind.replace("_", " ")
        text = f"Flow '{flow.name}' appends to '{target.name}', which is a {kind}."
        lines += [f"declared at {target.where}", "Only tables can be appended to."]
    else:
        text = f"Flow '{flow.name}' appends to '{name}', which is not declared."
        tables = [d.name for d in datasets if d.kind in ("table", "streaming_table")]
        lines += did_you_mean(name, tables) or [f'Declare it:  qn.create_streaming_table("{name}")']
    return QanatError("QN-1225", text, [*lines, "Nothing was started."])


def _planned(flow: Flow, registry: Registry) -> PlannedFlow:
    batch = flow.notes.batch if flow.notes is not None else None
    sql = query_text(flow.name, flow.where, batch.sql if batch is not None else flow.query)
    declared = _declared(registry)
    try:
        names = sql_text.table_names(sql)
    except QanatError as error:
        error.lines[:0] = [f"at {flow.where}, in the query of '{flow.name}'"]
        raise
    for name in names:
        if name.casefold() not in declared:
            raise _unknown_table(name, flow, declared.values())
    return PlannedFlow(flow.name, flow.where, sql, flow.once, batch, [declared[n.casefold()] for n in names])


def _declared(registry: Registry) -> dict[str, str]:
    every: list[Source | Reference | Dataset] = [
        *registry.sources,
        *registry.references,
        *registry.datasets,
    ]
    return {item.name.casefold(): item.name for item in every}


def _unknown_table(name: str, flow: Flow, declared: Iterable[str]) -> QanatError:
    names = list(declared)
    listed = ", ".join(names[:_NAMES_SHOWN_MAX]) + (", …" if len(names) > _NAMES_SHOWN_MAX else "")
    return QanatError(
        "QN-1201",
        f"'{flow.name}' reads '{name}', which is no source, reference or dataset of this pipeline.",
        [
            f"at {flow.where}",
            f"There are: {listed}",
            *did_you_mean(name, names),
            "Nothing was started.",
        ],
    )


def _check_cycles(datasets: list[Dataset], planned: dict[str, list[PlannedFlow]]) -> None:
    reads = {
        name: {r: flow for flow in flows for r in flow.reads if r in planned}
        for name, flows in planned.items()
    }
    done: set[str] = set()
    for dataset in datasets:
        path = _cycle_from(dataset.name, reads, done)
        if path:
            raise QanatError(
                "QN-1204",
                f"Datasets read each other in a circle: {' → '.join([*path, path[0]])}."
                if len(path) > 1
                else f"Dataset '{path[0]}' reads itself: {path[0]} → {path[0]}.",
                [
                    *(
                        f"at {reads[b][a].where}: '{b}' reads '{a}'"
                        for a, b in zip(path, [*path[1:], path[0]], strict=True)
                    ),
                    "Rows flow one way. Take one of these out, or read what comes before it.",
                    "Nothing was started.",
                ],
            )


def _cycle_from(start: str, reads: dict[str, dict[str, PlannedFlow]], done: set[str]) -> list[str]:
    """A circle that is reached from ``start``, in the order that rows would take; or none."""
    stack: list[tuple[str, list[str]]] = [(start, list(reads[start]))]
    on_path = [start]
    while stack:
        name, ahead = stack[-1]
        if not ahead:
            done.add(name)
            stack.pop()
            on_path.pop()
            continue
        following = ahead.pop(0)
        if following in on_path:
            return list(reversed(on_path[on_path.index(following) :]))
        if following not in done:
            stack.append((following, list(reads[following])))
            on_path.append(following)
    return []


def _check_references(references: list[Reference]) -> None:
    import glob

    for reference in references:
        if not reference.path or "://" in reference.path or glob.glob(reference.path, recursive=True):  # noqa: PTH207
            continue
        raise QanatError(
            "QN-1114",
            f"Reference '{reference.name}' has no data: no file matches its path.",
            [f"at {reference.where}", f"Looked for {reference.path}", "Nothing was started."],
        )


def _notices(registry: Registry, planned: dict[str, list[PlannedFlow]]) -> list[str]:
    import glob

    read = {name for flows in planned.values() for flow in flows for name in flow.reads}
    notices = [
        f"Source '{s.name}' is read by nothing ({s.where})." for s in registry.sources if s.name not in read
    ]
    for source in registry.sources:
        pattern = absolute(source.connector.glob, source.where)
        if "{" not in pattern and next(glob.iglob(pattern, recursive=True), None) is None:  # noqa: PTH207
            notices.append(f"Source '{source.name}': no file matches {shown(pattern)} now ({source.where}).")
    return notices
