"""Places boxes in layers from left to right so that arrows are short and seldom cross. Pure arithmetic.

Layers by longest path; arrows that span several layers pass through points of their own; orders by
barycentres; heights by isotonic regression toward the neighbours' middles.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

_ORDER_SWEEPS = 8
_PLACE_SWEEPS = 12


@dataclass
class Item:
    """A box, or a point that an arrow passes through (``edge`` is set)."""

    name: str
    layer: int
    width: float
    height: float
    edge: tuple[str, str] | None = None
    x: float = 0.0
    y: float = 0.0

    @property
    def middle(self) -> float:
        """Height of its middle."""
        return self.y + self.height / 2


@dataclass
class Layout:
    """Where everything is."""

    items: dict[str, Item]
    layers: list[list[Item]]
    routes: dict[tuple[str, str], list[Item]] = field(default_factory=dict)  # boxes and points, in order
    width: float = 0.0
    height: float = 0.0


def place(
    sizes: Mapping[str, tuple[float, float]],
    edges: Sequence[tuple[str, str]],
    *,
    gap_y: float,
    gap_x: Callable[[Sequence[Item], Sequence[Item]], float],
    point_height: float = 0.0,
) -> Layout:
    """The places of boxes of these sizes.

    Parameters
    ----------
    sizes
        Width and height by name; the order decides where nothing else does.
    edges
        Arrows; they must not make a circle.
    gap_y
        Free space between boxes of a layer.
    gap_x
        Free space between two layers, by what is in them.
    point_height
        Space that a passing arrow takes.
    """
    layer_of = _layers(list(sizes), edges)
    items = {name: Item(name, layer_of[name], *sizes[name]) for name in sizes}
    routes = {edge: _route(items, edge, point_height) for edge in edges}
    count = max((item.layer for item in items.values()), default=-1) + 1
    layers = [[item for item in items.values() if item.layer == index] for index in range(count)]
    links = [pair for route in routes.values() for pair in pairwise(route)]
    _order(layers, links)
    _heights(layers, links, gap_y)
    result = Layout(items, layers, routes)
    _columns(result, gap_x)
    return result


def _layers(names: list[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Longest path from an input; then inputs move right, next to their first reader."""
    layer = dict.fromkeys(names, 0)
    for _ in names:
        changed = False
        for start, end in edges:
            if layer[end] < layer[start] + 1:
                layer[end] = layer[start] + 1
                changed = True
        if not changed:
            break
    targets = {end for _, end in edges}
    for name in names:
        readers = [layer[end] for start, end in edges if start == name]
        if name not in targets and readers:
            layer[name] = min(readers) - 1
    return layer


def _route(items: dict[str, Item], edge: tuple[str, str], point_height: float) -> list[Item]:
    start, end = items[edge[0]], items[edge[1]]
    route = [start]
    for layer in range(start.layer + 1, end.layer):
        point = Item(f"{edge[0]}→{edge[1]}@{layer}", layer, 0, point_height, edge)
        items[point.name] = point
        route.append(point)
    return [*route, end]


def _order(layers: list[list[Item]], links: list[tuple[Item, Item]]) -> None:
    before: dict[str, list[Item]] = {}
    after: dict[str, list[Item]] = {}
    for start, end in links:
        before.setdefault(end.name, []).append(start)
        after.setdefault(start.name, []).append(end)
    best, fewest = [list(layer) for layer in layers], _crossings(layers, links)
    for sweep in range(_ORDER_SWEEPS):
        forward = sweep % 2 == 0
        for index in range(1, len(layers)) if forward else range(len(layers) - 2, -1, -1):
            near = before if forward else after
            beside = {item.name: i for i, item in enumerate(layers[index - 1 if forward else index + 1])}
            at = {item.name: i for i, item in enumerate(layers[index])}

            def key(item: Item, near=near, beside=beside, at=at) -> float:  # type: ignore[no-untyped-def]
                places = [beside[n.name] for n in near.get(item.name, []) if n.name in beside]
                return sum(places) / len(places) if places else float(at[item.name])

            layers[index].sort(key=key)
        crossings = _crossings(layers, links)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    for layer, chosen in zip(layers, best, strict=True):
        layer[:] = chosen


def _crossings(layers: list[list[Item]], links: list[tuple[Item, Item]]) -> int:
    at = {item.name: i for layer in layers for i, item in enumerate(layer)}
    total = 0
    for index, (a, b) in enumerate(links):
        for c, d in links[index + 1 :]:
            if a.layer == c.layer and (at[a.name] - at[c.name]) * (at[b.name] - at[d.name]) < 0:
                total += 1
    return total


def _heights(layers: list[list[Item]], links: list[tuple[Item, Item]], gap: float) -> None:
    near: dict[str, list[tuple[Item, float]]] = {}
    for start, end in links:
        weight = (
            4.0 if start.edge and end.edge else 2.0 if start.edge or end.edge else 1.0
        )  # long arrows straight
        near.setdefault(start.name, []).append((end, weight))
        near.setdefault(end.name, []).append((start, weight))
    for layer in layers:
        _stack(layer, [0.0] * len(layer), gap)
    for sweep in range(_PLACE_SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            wanted = []
            for item in layer:
                beside = near.get(item.name, [])
                total = sum(weight for _, weight in beside)
                middle = sum(n.middle * w for n, w in beside) / total if total else item.middle
                wanted.append(middle - item.height / 2)
            _stack(layer, wanted, gap)
    top = min((item.y for layer in layers for item in layer), default=0.0)
    for layer in layers:
        for item in layer:
            item.y -= top


def _stack(layer: list[Item], wanted: list[float], gap: float) -> None:
    """Nearest to the wanted heights with the order kept and nothing overlapping: pool adjacent violators."""
    offset, offsets = 0.0, []
    for item in layer:
        offsets.append(offset)
        offset += item.height + gap
    pools: list[list[float]] = []  # sum, count
    for want, off in zip(wanted, offsets, strict=True):
        pools.append([want - off, 1.0])
        while len(pools) > 1 and pools[-2][0] / pools[-2][1] > pools[-1][0] / pools[-1][1]:
            total, number = pools.pop()
            pools[-1][0] += total
            pools[-1][1] += number
    values = [pool[0] / pool[1] for pool in pools for _ in range(int(pool[1]))]
    for item, off, value in zip(layer, offsets, values, strict=True):
        item.y = value + off


def _columns(layout: Layout, gap_x: Callable[[Sequence[Item], Sequence[Item]], float]) -> None:
    x = 0.0
    for index, layer in enumerate(layout.layers):
        width = max((item.width for item in layer), default=0.0)
        for item in layer:
            item.x = x
            if item.edge is not None:
                item.width = width
        x += width
        if index + 1 < len(layout.layers):
            x += gap_x(layer, layout.layers[index + 1])
    layout.width = x
    layout.height = max((item.y + item.height for layer in layout.layers for item in layer), default=0.0)
