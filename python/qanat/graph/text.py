"""Draws a pipeline on a terminal: boxes and lines of characters, then what each dataset promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from rich.text import Text

from qanat.graph.layout import Item, Layout, place
from qanat.graph.model import ACTIONS, Graph, Node

_UP, _RIGHT, _DOWN, _LEFT = 1, 2, 4, 8
_LINES = {
    _LEFT | _RIGHT: "─", _LEFT: "─", _RIGHT: "─", _UP | _DOWN: "│", _UP: "│", _DOWN: "│",
    _DOWN | _RIGHT: "╭", _DOWN | _LEFT: "╮", _UP | _RIGHT: "╰", _UP | _LEFT: "╯",
    _UP | _DOWN | _RIGHT: "├", _UP | _DOWN | _LEFT: "┤",
    _LEFT | _RIGHT | _DOWN: "┬", _LEFT | _RIGHT | _UP: "┴",
    _UP | _DOWN | _LEFT | _RIGHT: "┼",
}  # fmt: skip
_NAME_WIDTH_MAX = 32
_STYLES = {"source": "water", "reference": "quiet", "temporary_view": "quiet"}
_ACTION_STYLES = {"keep": "quiet", "drop": "warn", "quarantine": "bad", "fail": "bad"}


@dataclass(frozen=True)
class _Cell:
    character: str
    style: str = ""


class _Canvas:
    """Characters with styles, and lines that join where they meet."""

    def __init__(self) -> None:
        self._cells: dict[tuple[int, int], _Cell] = {}
        self._lines: dict[tuple[int, int], int] = {}

    def text(self, x: int, y: int, text: str, style: str = "") -> None:
        for index, character in enumerate(text):
            self._cells[x + index, y] = _Cell(character, style)

    def horizontal(self, x1: int, x2: int, y: int) -> None:
        for x in range(x1, x2 + 1):
            mask = (_LEFT if x > x1 else 0) | (_RIGHT if x < x2 else 0)
            self._lines[x, y] = self._lines.get((x, y), 0) | mask

    def vertical(self, x: int, y1: int, y2: int) -> None:
        top, bottom = min(y1, y2), max(y1, y2)
        for y in range(top, bottom + 1):
            mask = (_UP if y > top else 0) | (_DOWN if y < bottom else 0)
            self._lines[x, y] = self._lines.get((x, y), 0) | mask

    def rows(self) -> list[Text]:
        cells = {at: _Cell(_LINES[mask], "quiet") for at, mask in self._lines.items() if mask}
        cells.update(self._cells)
        rows: list[Text] = []
        for y in range(max((y for _, y in cells), default=-1) + 1):
            row = Text()
            for x in range(max((x for x, other in cells if other == y), default=-1) + 1):
                cell = cells.get((x, y), _Cell(" "))
                row.append(cell.character, cell.style)
            rows.append(row)
        return rows


def drawing(graph: Graph, width: int) -> list[Text]:
    """The boxes and arrows; as an indented list when they are wider than ``width`` characters."""
    boxes = {node.name: _box_lines(node) for node in graph.nodes}
    arriving = {node.name: sum(end == node.name for _, end in graph.edges) for node in graph.nodes}
    sizes = {
        name: (
            float(max(len(text) for text, _ in lines) + 4),
            float(max(len(lines), arriving[name]) + 2),
        )
        for name, lines in boxes.items()
    }
    layout = place(sizes, graph.edges, gap_y=1, gap_x=_gap, point_height=1)
    for item in layout.items.values():
        item.x, item.y = round(item.x), round(item.y)
    _unstick(layout)
    if layout.width > width:
        return _listing(graph)
    canvas = _Canvas()
    for index in range(len(layout.layers) - 1):
        _draw_gap(canvas, layout, index)
    leaving = {start for start, _ in graph.edges}
    for name, lines in boxes.items():
        _draw_box(canvas, layout.items[name], lines, graph.node(name), name in leaving)
    for item in layout.items.values():
        if item.edge is not None:
            canvas.horizontal(int(item.x) - 1, int(item.x + item.width), int(item.y))
    return canvas.rows()


def _unstick(layout: Layout) -> None:
    """Rounding may have let two boxes touch."""
    for layer in layout.layers:
        bottom = None
        for item in layer:
            if bottom is not None and item.y < bottom + 1:
                item.y = bottom + 1
            bottom = item.y + item.height


def _box_lines(node: Node) -> list[tuple[str, str]]:
    name = node.name if len(node.name) <= _NAME_WIDTH_MAX else node.name[: _NAME_WIDTH_MAX - 1] + "…"
    lines = [(name, "name"), (node.kind_text[:_NAME_WIDTH_MAX], "quiet")]
    facts = [_number(len(node.columns), "column")] if node.columns else []
    facts += [_number(len(node.rules), "rule")] if node.rules else []
    if facts and node.kind not in ("source", "reference"):
        lines.append((", ".join(facts), "quiet"))
    return lines


def _number(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _gap(left: Sequence[Item], right: Sequence[Item]) -> float:
    del right
    return 5.0 + len(left)


def _draw_box(canvas: _Canvas, item: Item, lines: list[tuple[str, str]], node: Node, leaving: bool) -> None:
    x, y, width, height = int(item.x), int(item.y), int(item.width), int(item.height)
    style = _STYLES.get(node.kind, "")
    stored = node.kind not in ("source", "reference", "temporary_view")
    corners = "╭╮╰╯" if not stored else "┏┓┗┛"
    flat, side = ("─", "│") if not stored else ("━", "┃")
    canvas.text(x, y, corners[0] + flat * (width - 2) + corners[1], style)
    canvas.text(x, y + height - 1, corners[2] + flat * (width - 2) + corners[3], style)
    for row in range(1, height - 1):
        canvas.text(x, y + row, side + " " * (width - 2) + side, style)
    if leaving:
        canvas.text(x + width - 1, _leaving_row(item), "┠" if stored else "├", style)
    for row, (text, text_style) in enumerate(lines):
        canvas.text(x + 2, y + 1 + row, text, text_style)


def _leaving_row(item: Item) -> int:
    return int(item.y) if item.edge is not None else int(item.y + (item.height - 1) // 2)


def _draw_gap(canvas: _Canvas, layout: Layout, index: int) -> None:
    """Arrows between two layers: one track for each start, one row for each arrival."""
    left, right = layout.layers[index], layout.layers[index + 1]
    links = [
        (start, end, edge)
        for edge, route in layout.routes.items()
        for start, end in pairwise(route)
        if start.layer == index
    ]
    arrivals = _arrivals(right, links)
    edge_x = int(min(item.x for item in right)) - 1
    tracks = _tracks(left, links, arrivals)
    for start, end, edge in links:
        row, target = _leaving_row(start), arrivals[end.name, edge]
        begin = int(start.x + start.width)
        track = edge_x - 2 - tracks[start.name]
        canvas.horizontal(begin, track, row)
        canvas.vertical(track, row, target)
        canvas.horizontal(track, edge_x, target)
        if end.edge is None:
            canvas.text(edge_x, target, "▶", "quiet")


def _arrivals(
    right: list[Item], links: list[tuple[Item, Item, tuple[str, str]]]
) -> dict[tuple[str, tuple[str, str]], int]:
    rows: dict[tuple[str, tuple[str, str]], int] = {}
    for item in right:
        coming = sorted((link for link in links if link[1] is item), key=lambda link: _leaving_row(link[0]))
        if item.edge is not None:
            rows.update({(item.name, edge): int(item.y) for _, _, edge in coming})
            continue
        middle = int(item.y + (item.height - 1) // 2)
        first = max(int(item.y) + 1, middle - (len(coming) - 1) // 2)
        for offset, (start, _, edge) in enumerate(coming):
            row = first + offset
            if len(coming) == 1 and int(item.y) < _leaving_row(start) < int(item.y + item.height) - 1:
                row = _leaving_row(start)  # straight, where it can be
            rows[item.name, edge] = row
    return rows


def _tracks(
    left: list[Item],
    links: list[tuple[Item, Item, tuple[str, str]]],
    arrivals: dict[tuple[str, tuple[str, str]], int],
) -> dict[str, int]:
    """Which vertical each start uses, 0 being the rightmost: those that go down nest inside each other."""
    down, up, straight = [], [], []
    for item in left:
        targets = [arrivals[end.name, edge] for start, end, edge in links if start is item]
        if not targets:
            continue
        row = _leaving_row(item)
        if all(target == row for target in targets):
            straight.append(item.name)
        elif sum(targets) / len(targets) >= row:
            down.append(item.name)
        else:
            up.append(item.name)
    order = [*down, *reversed(up)]
    tracks = {name: index for index, name in enumerate(order)}
    tracks.update(dict.fromkeys(straight, 0))
    return tracks


def _listing(graph: Graph) -> list[Text]:
    """For narrow terminals: each dataset with what it reads."""
    rows: list[Text] = []
    for node in graph.nodes:
        reads = [start for start, end in graph.edges if end == node.name]
        if node.kind in ("source", "reference") and not reads:
            rows.append(Text.assemble((node.name, "name"), (f"  {node.kind_text}", "quiet")))
            continue
        rows.append(Text.assemble((node.name, "name"), (f"  {node.kind_text}", "quiet")))
        for index, start in enumerate(reads):
            rows.append(Text.assemble(("  └─◀ " if index == len(reads) - 1 else "  ├─◀ ", "quiet"), start))
    return rows


def promises(graph: Graph) -> list[Text]:
    """Each dataset with its comment and its rules."""
    rows: list[Text] = []
    for node in graph.nodes:
        if node.kind in ("source", "reference"):
            continue
        if rows:
            rows.append(Text())
        rows.append(Text.assemble((node.name, "name"), (f"  {node.kind_text}  {node.where}", "quiet")))
        if node.comment:
            rows.append(Text("  " + node.comment.strip().split("\n")[0]))
        name_width = max((len(rule.name) for rule in node.rules), default=0)
        for rule in node.rules:
            action = ACTIONS.get(rule.action, rule.action)
            rows.append(
                Text.assemble(
                    f"  {rule.name:<{name_width}}  ",
                    (f"{action:<13}", _ACTION_STYLES.get(rule.action, "")),
                    (f"  {' '.join(rule.condition.split())}", "quiet"),
                )
            )
    return rows
