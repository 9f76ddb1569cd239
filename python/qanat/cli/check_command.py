"""``qanat dry-run``: the engine's checks without its run."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.text import Text

from qanat.cli.console import console, plural, short
from qanat.cli.run_command import storage_of
from qanat.engines.native import Engine
from qanat.lake.state import saved_flows
from qanat.lake.tables import Lake
from qanat.pipelines.load import load
from qanat.where import shown


def dry_run(file: Path | None, storage: Path | None) -> None:
    """Checks it; says what it would make."""
    pipeline = load(file)
    out = console()
    with TemporaryDirectory(prefix="qanat-dry-run-") as folder:
        described = Engine(pipeline, storage or folder).describe()
    lake = storage_of(storage, pipeline)
    for notice in pipeline.notices:
        out.print(Text.assemble(("! ", "warn"), notice), soft_wrap=True)
    for dataset in described["datasets"]:
        columns = ", ".join(f"{c['name']} {c['type']}" for c in dataset["columns"])
        kind = dataset["kind"].replace("_", " ")
        out.print(Text.assemble((dataset["name"], "name"), (f"  {kind}  ", "quiet"), columns), soft_wrap=True)
    for line in _kept_or_rebuilt(described, lake):
        out.print(line, soft_wrap=True)
    made = plural(len(described["datasets"]), "dataset")
    said = f" {shown(str(pipeline.file))} is sound: {made}. Nothing was started."
    out.print(Text.assemble(("✓", "good"), said), soft_wrap=True)


def _kept_or_rebuilt(described: dict[str, Any], storage: Path) -> list[Text]:
    """What the next run does with the state of each view; nothing to say before the first run."""
    saved = saved_flows(storage)
    rebuilt: set[str] = set()
    lines = []
    for dataset in described["datasets"]:
        name, flow = dataset["name"], dataset["flows"][0]
        before = saved.get(f"{name}.{flow['name']}")
        if before is None or flow["circuit"] is None:
            continue
        changed = _changed(before.get("circuit", {}).get("fingerprint", ""), flow["fingerprint"])
        above = sorted(rebuilt.intersection(entry["name"] for entry in flow["circuit"]["inputs"]))
        if not changed and not above:
            lines.append(Text.assemble(("= ", "good"), f"{name} keeps its state"))
            continue
        rebuilt.add(name)
        why = changed or f"'{above[0]}', which it reads, is rebuilt"
        lines.append(
            Text.assemble(("↻ ", "warn"), f"{name} is rebuilt: {why}; that reads {_reads(flow, storage)}")
        )
    return lines


def _changed(before: str, now: str) -> str:
    """What has changed between two fingerprints of a view; empty: nothing."""
    sql_before, _, rest_before = before.partition("/")
    sql_now, _, rest_now = now.partition("/")
    if rest_before == rest_now:
        return "" if sql_before == sql_now else "its SQL has changed"
    return f"its {'' if sql_before == sql_now else 'SQL, '}windows or rules have changed"


def _reads(flow: dict[str, Any], storage: Path) -> str:
    lake = Lake(storage)
    tables = set(lake.table_names())
    told = []
    for entry in flow["circuit"]["inputs"]:
        name = entry["name"]
        if name in tables:
            rows = sum(file["rows"] for file in lake.snapshot(name)["files"])
            told.append(f"{short(rows)} rows of {name}")
        else:
            told.append(f"{name} from its beginning")
    return ", ".join(told)
