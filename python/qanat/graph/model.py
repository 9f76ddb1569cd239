"""What a picture of a pipeline shows: nodes and arrows, taken from the engine's description."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

KINDS = {
    "source": "source",
    "reference": "reference",
    "table": "table",
    "streaming_table": "table",
    "materialized_view": "materialized view",
    "temporary_view": "temporary view",
}
# What happens to a row that breaks a rule, in words that stand beside the rule.
ACTIONS = {"keep": "counted", "drop": "dropped", "fail": "stops the run", "quarantine": "quarantined"}


# DuckDB's long names of types, and the short ones that it takes as well.
_SHORT_TYPES = {"TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ", "TIME WITH TIME ZONE": "TIMETZ"}


@dataclass(frozen=True)
class Column:
    """One column; ``type`` as DuckDB writes it."""

    name: str
    type: str
    nullable: bool


@dataclass(frozen=True)
class Rule:
    """An expectation."""

    name: str
    condition: str
    action: str


@dataclass(frozen=True)
class Node:
    """A source, a reference or a dataset."""

    name: str
    kind: str
    where: str = ""
    comment: str = ""
    detail: str = ""  # of a source: what it reads
    columns: tuple[Column, ...] = ()
    rules: tuple[Rule, ...] = ()
    partition_cols: tuple[str, ...] = ()

    @property
    def kind_text(self) -> str:
        """``table by month``, ``source``."""
        by = f" by {', '.join(self.partition_cols)}" if self.partition_cols else ""
        return KINDS.get(self.kind, self.kind) + by


@dataclass
class Graph:
    """Nodes in order; arrows from what is read to what reads it."""

    name: str
    nodes: list[Node] = field(default_factory=list)
    edges: list[tuple[str, str]] = field(default_factory=list)

    def node(self, name: str) -> Node:
        """The node of that name."""
        return next(node for node in self.nodes if node.name == name)


def from_description(described: dict[str, Any], details: dict[str, str] | None = None) -> Graph:
    """The picture of what ``Engine.describe()`` gives; ``details`` are lines for sources, by name."""
    graph = Graph(described["name"])
    details = details or {}
    graph.nodes += [_node(item, "source", details.get(item["name"], "")) for item in described["sources"]]
    by_name = {item["name"]: item for item in described["datasets"]}
    order = [name for name in described.get("order") or () if name in by_name]
    order += [name for name in by_name if name not in order]
    for name in order:
        graph.nodes.append(_node(by_name[name], by_name[name]["kind"], ""))
    # Last, so that the rows' way through the pipeline is drawn on top and what it joins below.
    graph.nodes += [_node(item, "reference", "") for item in described["references"]]
    known = {node.name.casefold(): node.name for node in graph.nodes}
    for name in order:
        reads = [known[read.casefold()] for read in by_name[name]["reads"] if read.casefold() in known]
        graph.edges += [(read, name) for read in dict.fromkeys(reads)]
    read = {start for start, _ in graph.edges}
    graph.nodes = [n for n in graph.nodes if n.kind not in ("source", "reference") or n.name in read]
    return graph


def _node(item: dict[str, Any], kind: str, detail: str) -> Node:
    return Node(
        item["name"],
        kind,
        item.get("where", ""),
        item.get("comment", "") or "",
        detail,
        tuple(
            Column(c["name"], _SHORT_TYPES.get(c["type"], c["type"]), c.get("nullable", True))
            for c in item.get("columns") or ()
        ),
        tuple(Rule(e["name"], e["condition"], e["action"]) for e in item.get("expectations") or ()),
        tuple(item.get("partition_cols") or ()),
    )
