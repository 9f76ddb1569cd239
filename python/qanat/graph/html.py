"""A page of its own for a pipeline: the picture, and beside it what is known of the chosen dataset."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from qanat.graph.model import ACTIONS, Graph, Node
from qanat.graph.svg import STYLE, svg

_PAGE_STYLE = """
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
header { padding: 18px 24px 0; } h1 { margin: 0; font-size: 20px; }
header p { margin: 2px 0 0; color: var(--quiet); }
main { display: flex; align-items: flex-start; }
#picture { flex: 1; overflow: auto; padding: 8px; }
#picture .node { cursor: pointer; }
#picture .node:focus { outline: none; }
#picture .node:hover .card, #picture .node:focus-visible .card, #picture .chosen .card {
  stroke: var(--source); stroke-width: 2; }
#picture.some .node:not(.near) { opacity: .35; }
#picture.some .arrow:not(.near) { opacity: .2; }
#picture .arrow.near .edge { stroke: var(--source); }
#picture .arrow.near .tip { fill: var(--source); }
aside { width: 380px; max-width: 45vw; padding: 18px 24px; border-left: 1px solid var(--line);
  min-height: 60vh; position: sticky; top: 0; max-height: 100vh; overflow: auto; }
aside h2 { margin: 0; font-size: 17px; } aside .kind { color: var(--quiet); margin: 0 0 10px; }
aside table { border-collapse: collapse; width: 100%; margin: 6px 0 14px; font-size: 13px; }
aside td { padding: 3px 8px 3px 0; vertical-align: top; border-top: 1px solid var(--line); }
aside td > * { display: block; }
aside td:last-child { text-align: right; white-space: nowrap; padding-right: 0; }
aside code { font: 12px ui-monospace, Menlo, Consolas, monospace; color: var(--quiet);
  overflow-wrap: anywhere; }
aside h3 { font-size: 12px; margin: 0; color: var(--quiet); font-weight: 600; }
.drop { color: var(--warn); } .quarantine, .fail { color: var(--bad); } .keep { color: var(--quiet); }
@media (max-width: 800px) { main { display: block; }
  aside { width: auto; max-width: none; border-left: 0; border-top: 1px solid var(--line); } }
"""
_SCRIPT = """
const nodes = JSON.parse(document.getElementById('nodes').textContent);
const picture = document.getElementById('picture');
const about = document.getElementById('about');
const first = about.innerHTML;
function element(tag, text, kind) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
}
function rows(title, list, cells) {
  if (!list.length) return;
  about.append(element('h3', title));
  const table = document.createElement('table');
  for (const item of list) {
    const row = table.insertRow();
    for (const lines of cells(item)) {
      const cell = row.insertCell();
      for (const [text, kind, tag] of lines) cell.append(element(tag || 'span', text, kind));
    }
  }
  about.append(table);
}
function choose(name) {
  picture.classList.toggle('some', !!name);
  const near = new Set([name]);
  for (const arrow of picture.querySelectorAll('.arrow')) {
    const touches = arrow.dataset.from === name || arrow.dataset.to === name;
    arrow.classList.toggle('near', touches);
    if (touches) { near.add(arrow.dataset.from); near.add(arrow.dataset.to); }
  }
  for (const node of picture.querySelectorAll('.node')) {
    node.classList.toggle('near', near.has(node.dataset.name));
    node.classList.toggle('chosen', node.dataset.name === name);
  }
  if (!name) { about.innerHTML = first; return; }
  const node = nodes[name];
  const kind = node.kind + (node.where ? ', ' + node.where : '');
  about.replaceChildren(element('h2', name), element('p', kind, 'kind'));
  if (node.comment) about.append(element('p', node.comment));
  if (node.detail) about.append(element('p', node.detail, 'kind'));
  rows('Rules', node.rules, r => [[[r.name], [r.condition, '', 'code']], [[r.what, r.action]]]);
  const type = c => [c.type + (c.nullable ? '' : ' not null'), '', 'code'];
  rows('Columns', node.columns, c => [[[c.name]], [type(c)]]);
}
for (const node of picture.querySelectorAll('.node')) {
  node.setAttribute('tabindex', '0');
  node.addEventListener('click', event => { event.stopPropagation(); choose(node.dataset.name); });
  node.addEventListener('keydown', event => { if (event.key === 'Enter') choose(node.dataset.name); });
}
picture.addEventListener('click', () => choose(null));
document.addEventListener('keydown', event => { if (event.key === 'Escape') choose(null); });
"""


def html(graph: Graph) -> str:
    """One file without outside parts: it can be mailed, and opened without a network."""
    nodes = {node.name: _facts(node) for node in graph.nodes}
    data = json.dumps(nodes, ensure_ascii=False).replace("<", "\\u003c")
    inputs = sum(node.kind in ("source", "reference") for node in graph.nodes)
    said = f"{inputs} inputs, {len(graph.nodes) - inputs} datasets"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{escape(graph.name)}</title>\n<style>{STYLE}{_PAGE_STYLE}</style>\n</head>\n<body>\n"
        f"<header><h1>{escape(graph.name)}</h1><p>{said}</p></header>\n"
        f'<main><div id="picture">{svg(graph, standalone=False)}</div>\n'
        '<aside id="about"><p class="kind">Choose a dataset to see its rules and columns.</p></aside>'
        f'</main>\n<script type="application/json" id="nodes">{data}</script>\n'
        f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def _facts(node: Node) -> dict[str, Any]:
    return {
        "kind": node.kind_text,
        "where": node.where,
        "comment": node.comment,
        "detail": node.detail,
        "rules": [
            {
                "name": rule.name,
                "what": ACTIONS.get(rule.action, rule.action),
                "action": rule.action,
                "condition": " ".join(rule.condition.split()),
            }
            for rule in node.rules
        ],
        "columns": [{"name": c.name, "type": c.type.lower(), "nullable": c.nullable} for c in node.columns],
    }
