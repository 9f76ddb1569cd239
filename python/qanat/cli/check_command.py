"""``qanat dry-run``: the engine's checks without its run."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from rich.text import Text

from qanat.cli.console import console, plural
from qanat.engines.native import Engine
from qanat.pipelines.load import load
from qanat.where import shown


def dry_run(file: Path | None, storage: Path | None) -> None:
    """Checks it; says what it would make."""
    pipeline = load(file)
    out = console()
    with TemporaryDirectory(prefix="qanat-dry-run-") as folder:
        described = Engine(pipeline, storage or folder).describe()
    for notice in pipeline.notices:
        out.print(Text.assemble(("! ", "warn"), notice), soft_wrap=True)
    for dataset in described["datasets"]:
        columns = ", ".join(f"{c['name']} {c['type']}" for c in dataset["columns"])
        kind = dataset["kind"].replace("_", " ")
        out.print(Text.assemble((dataset["name"], "name"), (f"  {kind}  ", "quiet"), columns), soft_wrap=True)
    made = plural(len(described["datasets"]), "dataset")
    said = f" {shown(str(pipeline.file))} is sound: {made}. Nothing was started."
    out.print(Text.assemble(("✓", "good"), said), soft_wrap=True)
