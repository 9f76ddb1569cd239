"""Pictures: places without overlaps, arrows from every reader's input, text that holds together."""

import json
import re
import xml.etree.ElementTree as ET
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from qanat.graph.html import html
from qanat.graph.layout import place
from qanat.graph.model import from_description
from qanat.graph.svg import svg
from qanat.graph.text import drawing, promises


def _described(reads, **extra):
    """A description with a source `s` and datasets that read what `reads` says."""
    column = {"name": "id", "type": "BIGINT", "nullable": False}
    return {
        "name": "p<q>",
        "sources": [{"name": "s", "columns": [column], "where": "f.py:1"}],
        "references": [{"name": "r", "columns": [column], "where": "f.py:2"}],
        "datasets": [
            {
                "name": name, "kind": "table", "comment": "About <it>.", "where": "f.py:3", "columns": [column] * 12,
                "reads": read, "partition_cols": ["day"],
                "expectations": [{"name": "rule", "condition": "id < 3", "action": "drop"}], "flows": [],
            }
            for name, read in reads.items()
        ],
        "order": list(reads),
        **extra,
    }  # fmt: skip


DIAMOND = {"a": ["s", "r"], "b": ["a"], "c": ["a"], "d": ["b", "c", "s"]}


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 12))
    names = [f"n{i}" for i in range(count)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]]
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=20)) if pairs else []
    sizes = {name: (draw(st.integers(1, 30)), draw(st.integers(1, 9))) for name in names}
    return sizes, edges


@given(graphs())
def test_nothing_overlaps_and_arrows_go_right(graph):
    sizes, edges = graph
    layout = place(sizes, edges, gap_y=2, gap_x=lambda left, right: 10, point_height=1)
    boxes = list(layout.items.values())
    for layer in layout.layers:
        ordered = sorted(layer, key=lambda item: item.y)
        for above, below in pairwise(ordered):
            assert above.y + above.height + 2 <= below.y + 1e-6
    for route in layout.routes.values():
        for start, end in pairwise(route):
            assert end.layer == start.layer + 1
            assert start.x + start.width < end.x
    assert set(layout.routes) == set(edges)
    assert min(box.y for box in boxes) == 0


@given(graphs())
def test_text_and_svg_hold_every_node(graph):
    _, edges = graph
    names = list(graph[0])
    described = _described({n: [a for a, b in edges if b == n] for n in names})
    picture = from_description(described)
    lines = [row.plain for row in drawing(picture, 10_000)]
    text = "\n".join(lines)
    for name in names:
        assert re.search(rf"[┃│] {name} +[┃│┠├]", text), text
    assert text.count("▶") == len(edges)
    ET.fromstring(svg(picture))


def test_a_small_picture_is_drawn_well():
    picture = from_description(_described({"clean": ["s"], "big": ["clean", "r"]}))
    assert [row.plain.rstrip() for row in drawing(picture, 120)] == [
        "╭────────╮      ┏━━━━━━━━━━━━━━━━━━━━┓",
        "│ s      ├─────▶┃ clean              ┃",
        "│ source │      ┃ table by day       ┠────╮",
        "╰────────╯      ┃ 12 columns, 1 rule ┃    │  ┏━━━━━━━━━━━━━━━━━━━━┓",
        "                ┗━━━━━━━━━━━━━━━━━━━━┛    │  ┃ big                ┃",
        "                                          ╰─▶┃ table by day       ┃",
        "                ╭───────────╮            ╭──▶┃ 12 columns, 1 rule ┃",
        "                │ r         ├────────────╯   ┗━━━━━━━━━━━━━━━━━━━━┛",
        "                │ reference │",
        "                ╰───────────╯",
    ]


def test_narrow_terminals_get_a_list():
    picture = from_description(_described(DIAMOND))
    lines = [row.plain for row in drawing(picture, 40)]
    assert lines[lines.index("d  table by day") :] == [
        "d  table by day", "  ├─◀ b", "  ├─◀ c", "  └─◀ s", "r  reference",
    ]  # fmt: skip


def test_promises_name_what_happens_to_rows():
    picture = from_description(_described({"clean": ["s"]}))
    assert [row.plain.rstrip() for row in promises(picture)] == [
        "clean  table by day  f.py:3",
        "  About <it>.",
        "  rule  dropped        id < 3",
    ]


def test_inputs_that_nobody_reads_are_left_out():
    picture = from_description(_described({"clean": ["s"]}))
    assert [node.name for node in picture.nodes] == ["s", "clean"]


def test_svg_is_sound_and_follows_dark_and_light():
    picture = from_description(_described(DIAMOND), {"s": "data/*.jsonl, json"})
    text = svg(picture)
    tree = ET.fromstring(text)
    cards = [e for e in tree.iter("{http://www.w3.org/2000/svg}g") if e.get("class") == "node"]
    arrows = [e for e in tree.iter("{http://www.w3.org/2000/svg}g") if e.get("class") == "arrow"]
    assert {card.get("data-name") for card in cards} == {"s", "r", "a", "b", "c", "d"}
    assert {(a.get("data-from"), a.get("data-to")) for a in arrows} == {
        ("s", "a"), ("r", "a"), ("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("s", "d"),
    }  # fmt: skip
    assert "prefers-color-scheme: dark" in text
    assert "data/*.jsonl, json" in text
    assert "and 3 more" in text
    assert "About &lt;it&gt;." in text


def test_html_is_one_file_with_all_facts():
    picture = from_description(_described({"clean": ["s"]}))
    text = html(picture)
    assert "<title>p&lt;q&gt;</title>" in text
    assert not re.search(r"""(src|href)=["']""", text), "it must open without a network"
    data = json.loads(re.search(r'id="nodes">(.*?)</script>', text, re.DOTALL)[1])
    assert data["clean"]["rules"] == [
        {"name": "rule", "what": "dropped", "action": "drop", "condition": "id < 3"}
    ]
    assert data["s"]["columns"] == [{"name": "id", "type": "bigint", "nullable": False}]


def test_html_cannot_be_left_by_a_comment():
    described = _described({"clean": ["s"]})
    described["datasets"][0]["comment"] = "</script><script>alert(1)</script>"
    assert "<script>alert" not in html(from_description(described))
