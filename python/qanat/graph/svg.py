"""Draws a pipeline as SVG: one card a dataset with its rules and columns, arrows between them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from qanat.graph.layout import Item, place
from qanat.graph.model import ACTIONS, Graph, Node

_CHARACTER = 7.3  # of the 12 px monospaced text, wide enough for common fonts
_LINE = 18
_HEAD = 46
_PAD = 14
_COLUMNS_SHOWN_MAX = 9
_TEXT_MAX = 44
_GAP_X, _GAP_Y = 84, 26
_MARGIN = 24

# Light first; dark where the reader's system is dark. An SVG file alone follows the system too.
STYLE = """
:root, svg { --paper: #ffffff; --ink: #1b2a33; --quiet: #64757f; --line: #b6c4cb; --card: #f7fafb;
  --source: #0b7a8f; --table: #1f5fbf; --view: #6b46b8; --reference: #7a6a3a;
  --warn: #a66a00; --bad: #b3362b; }
@media (prefers-color-scheme: dark) { :root, svg { --paper: #10181d; --ink: #e4edf1; --quiet: #8fa3ad;
  --line: #465862; --card: #17222a; --source: #4cc4da; --table: #7aa9ff; --view: #b79bff;
  --reference: #cdb878; --warn: #e6b455; --bad: #ff8a7d; } }
svg text { font: 12px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  fill: var(--ink); }
svg .name { font-weight: 700; font-size: 14px; }
svg .quiet { fill: var(--quiet); }
svg .card { fill: var(--card); stroke: var(--line); stroke-width: 1; }
svg .edge { fill: none; stroke: var(--line); stroke-width: 1.6; }
svg .tip { fill: var(--line); }
svg .rule { stroke: var(--line); stroke-width: 1; }
svg .keep { fill: var(--quiet); } svg .drop { fill: var(--warn); }
svg .quarantine, svg .fail { fill: var(--bad); }
svg .source { fill: var(--source); } svg .table, svg .streaming_table { fill: var(--table); }
svg .materialized_view, svg .temporary_view { fill: var(--view); } svg .reference { fill: var(--reference); }
"""


def svg(graph: Graph, *, standalone: bool = True) -> str:
    """The picture. ``standalone``: with its own style, for a file of its own."""
    cards = {node.name: _Card(node) for node in graph.nodes}
    sizes = {name: (card.width, card.height) for name, card in cards.items()}
    layout = place(sizes, graph.edges, gap_y=_GAP_Y, gap_x=_gap_x, point_height=8)
    for layer in layout.layers:  # cards of a layer are equally wide
        widest = max(item.width for item in layer)
        for item in layer:
            item.width = widest
            if item.name in cards:
                cards[item.name].width = widest
    width, height = layout.width + 2 * _MARGIN, layout.height + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(graph.name)}">'
    ]
    if standalone:
        parts.append(f"<style>{STYLE}</style>")
        parts.append(f'<rect width="{width:.0f}" height="{height:.0f}" style="fill: var(--paper)"/>')
    parts.append(f'<g transform="translate({_MARGIN} {_MARGIN})">')
    parts += [_arrow(route, edge) for edge, route in layout.routes.items()]
    parts += [cards[node.name].draw(layout.items[node.name]) for node in graph.nodes]
    parts.append("</g></svg>\n")
    return "\n".join(parts)


def _gap_x(left: Sequence[Item], right: Sequence[Item]) -> float:
    return _GAP_X + 2.0 * min(len(left), len(right), 10)


def _arrow(route: list[Item], edge: tuple[str, str]) -> str:
    """A soft curve from box to box, through the points of a long one."""
    start, end = route[0], route[-1]
    x, y = start.x + start.width, start.middle
    path = f"M {x:.1f} {y:.1f}"
    for item in route[1:]:
        to_x = item.x - (7 if item is end else 0)
        bend = max(24.0, (to_x - x) / 2)
        path += (
            f" C {x + bend:.1f} {y:.1f}, {to_x - bend:.1f} {item.middle:.1f}, {to_x:.1f} {item.middle:.1f}"
        )
        if item.edge is not None:
            path += f" L {item.x + item.width:.1f} {item.middle:.1f}"
        x, y = item.x + item.width, item.middle
    back, at = end.x - 8, end.middle
    tip = f"{back:.1f},{at - 5:.1f} {end.x:.1f},{at:.1f} {back:.1f},{at + 5:.1f}"
    names = f'data-from="{escape(edge[0])}" data-to="{escape(edge[1])}"'
    return (
        f'<g class="arrow" {names}><path class="edge" d="{path}"/><polygon class="tip" points="{tip}"/></g>'
    )


class _Card:
    """One node: a head, its rules, its columns."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._rules = [(rule.action, rule.name, ACTIONS.get(rule.action, rule.action)) for rule in node.rules]
        shown = node.columns[:_COLUMNS_SHOWN_MAX]
        self._columns = [(_cut(c.name, 26), _cut(c.type.lower(), 18)) for c in shown]
        self._more = len(node.columns) - len(shown)
        lines = [_cut(node.name) + "  ", node.kind_text, _cut(node.detail)]
        lines += [f"● {name}  {what}" for _, name, what in self._rules]
        lines += [f"{name}   {type_}" for name, type_ in self._columns]
        self.width = max(150.0, max(len(line) for line in lines) * _CHARACTER + 2 * _PAD)
        sections = (len(self._rules), len(self._columns) + (1 if self._more > 0 else 0))
        self.height: float = (
            _HEAD + (_LINE if node.detail else 0) + sum(n * _LINE + 13 for n in sections if n)
        )

    def draw(self, item: Item) -> str:
        node, width = self.node, self.width
        title = f"<title>{escape(_title(node))}</title>"
        parts = [
            f'<g class="node" data-name="{escape(node.name)}" '
            f'transform="translate({item.x:.1f} {item.y:.1f})">{title}',
            f'<rect class="card" width="{width:.1f}" height="{self.height:.1f}" rx="7"/>',
            f'<rect class="{node.kind}" width="4" height="{self.height - 14:.1f}" x="0" y="7" rx="2"/>',
            _text(_PAD, 20, "name", _cut(node.name)),
            _text(_PAD, 37, f"kind {node.kind}", node.kind_text),
        ]
        y = float(_HEAD)
        if node.detail:
            parts.append(_text(_PAD, y + 8, "quiet", _cut(node.detail)))
            y += _LINE
        for action, name, what in self._rules:
            y = self._line(parts, y, first=(action, name, what) is self._rules[0] or y == _HEAD)
            parts.append(_text(_PAD, y, action, "●"))
            parts.append(_text(_PAD + 2 * _CHARACTER, y, "", name))
            parts.append(_text(width - _PAD, y, f"{action} end", what, end=True))
        y += 12 if self._rules else 0
        for index, (name, type_) in enumerate(self._columns):
            y = self._line(parts, y, first=index == 0)
            parts.append(_text(_PAD, y, "", name))
            parts.append(_text(width - _PAD, y, "quiet", type_, end=True))
        if self._more > 0:
            parts.append(_text(_PAD, y + _LINE, "quiet", f"and {self._more} more"))
        return "\n".join([*parts, "</g>"])

    def _line(self, parts: list[str], y: float, *, first: bool) -> float:
        """The next line's base; a rule above the first of a section."""
        if not first:
            return y + _LINE
        parts.append(
            f'<line class="rule" x1="{_PAD}" x2="{self.width - _PAD:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        return y + _LINE - 1


def _text(x: float, y: float, kind: str, text: str, *, end: bool = False) -> str:
    anchor = ' text-anchor="end"' if end else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}"{anchor}>{escape(text)}</text>'


def _cut(text: str, length: int = _TEXT_MAX) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"


def _title(node: Node) -> str:
    lines = [f"{node.name}: {node.kind_text}", node.comment, node.where]
    lines += [f"{rule.name}: {rule.condition}" for rule in node.rules]
    return "\n".join(line for line in lines if line)
