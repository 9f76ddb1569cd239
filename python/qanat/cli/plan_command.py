"""``qanat plan``: how each view is kept up to date."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.text import Text
from rich.tree import Tree

from qanat.cli.console import console, duration, plural, short, size
from qanat.cli.run_command import storage_of
from qanat.engines.native import Engine
from qanat.errors import QanatError, did_you_mean
from qanat.lake.state import last_run
from qanat.pipelines.load import load


def plan(file: Path | None, view: str, storage: Path | None) -> None:
    """Draws the circuit of each view; QN-1315 when there is no such view."""
    pipeline = load(file)
    with TemporaryDirectory(prefix="qanat-plan-") as folder:
        described = Engine(pipeline, folder).describe()
    views = {d["name"]: d for d in described["datasets"] if d["kind"] == "materialized_view"}
    if view and view not in views:
        raise QanatError(
            "QN-1315",
            f"There is no materialized view '{view}'.",
            [f"The pipeline has: {', '.join(views) or 'none'}", *did_you_mean(view, list(views))],
            kind="not_found",
        )
    known = last_run(storage_of(storage, pipeline))
    out = console()
    if not views:
        out.print("This pipeline has no materialized views; tables only append, and remember nothing.")
    for name, dataset in views.items():
        if view in ("", name):
            out.print(drawn(dataset, known.get(name)))
            out.print()


def drawn(dataset: dict[str, Any], stats: dict[str, Any] | None) -> Tree:
    """One view: what it reads at the leaves, its operators above."""
    flow = dataset["flows"][0]
    circuit = flow["circuit"]
    if circuit is None:
        how = "  recomputed whole when the sources are drained"
        tree = Tree(Text.assemble((dataset["name"], "name"), how))
        reason = flow["why_recomputed"] or "it reads nothing that grows"
        tree.add(Text(f"because {reason}", "quiet"))
        return tree
    fits = stats is not None and stats.get("fingerprint") == flow["fingerprint"]
    operators = stats["ops"] if stats is not None and fits else []
    kind = "rows change and go" if circuit["output"]["weighted"] else "rows are only added"
    tree = Tree(Text.assemble((dataset["name"], "name"), f"  follows its inputs; {kind}"))
    weighted = {entry["name"] for entry in circuit["inputs"] if entry["weighted"]}
    shown: set[int] = set()
    for source in circuit["output"]["inputs"]:
        _add(tree, source, circuit["ops"], operators, weighted, shown)
    if stats is None:
        tree.add(Text("no run yet: rows, time and state are shown after the first one", "quiet"))
    elif not fits:
        tree.add(Text("the view has changed since the last run; the next one builds it anew", "warn"))
    return tree


def _add(
    above: Tree,
    source: str,
    ops: list[dict[str, Any]],
    stats: list[dict[str, Any]],
    weighted: set[str],
    shown: set[int],
) -> None:
    if not source.startswith("#"):
        kind = "changes of" if source in weighted else "new rows of"
        above.add(Text.assemble((f"{kind} ", "quiet"), source))
        return
    index = int(source[1:])
    op = ops[index]
    label = Text.assemble((f"{source} ", "quiet"), op["label"], (f"  {op['how']}", "quiet"))
    if index in shown:
        above.add(Text.assemble(label, ("  (above)", "quiet")))
        return
    shown.add(index)
    if index < len(stats):
        label.append(f"\n   {_told(stats[index])}", "quiet")
    node = above.add(label)
    for below in op["inputs"]:
        _add(node, below, ops, stats, weighted, shown)


def _told(stats: dict[str, Any]) -> str:
    rows = f"{short(stats['rows_in'])} changes in, {short(stats['rows_out'])} out"
    steps = plural(stats["steps"], "step")
    return f"{rows}, {steps}, {duration(stats['seconds'])}; holds {size(stats['state_bytes'])}"
