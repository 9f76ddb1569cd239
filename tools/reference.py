"""Writes docs/reference from the code: commands, API, error codes, exit codes. `--check` compares instead."""

from __future__ import annotations

import inspect
import json
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

import qanat
from qanat.catalogue import pages
from qanat.cli import exit_codes
from qanat.cli.main import app

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "reference"
NOTE = "<!-- Written by tools/reference.py from the code: change the code, then run it. -->\n"
# The order that a reader meets them in.
GROUPS = {
    "Inputs": ["source", "reference", "files", "json", "csv", "parquet"],
    "Datasets": [
        "table", "materialized_view", "temporary_view",
        "create_streaming_table", "append_flow", "map_batches",
    ],
    "Rules": [
        "expect", "expect_or_drop", "expect_or_fail", "expect_or_quarantine",
        "expect_all", "expect_all_or_drop", "expect_all_or_fail", "expect_all_or_quarantine",
    ],
    "Reading": ["changes"],
    "Loading": ["load", "Pipeline", "QanatError", "Files", "Format"],
}  # fmt: skip
SECTIONS = ("Parameters", "Returns", "Raises", "Examples")


def cli_page() -> str:
    """Every command with its arguments and options."""
    root = typer.main.get_command(app)
    parts = [NOTE, "# The command line\n", f"{root.help}\n"]
    parts.append("Exit codes: [exit-codes.md](exit-codes.md). Error codes: [errors.md](errors.md).\n")
    for name, command in _commands(root, "qanat"):
        parts += _command(name, command)
    return "\n".join(parts)


def _commands(group: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def _command(name: str, command: Any) -> list[str]:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join([name, *(p.name.upper() if p.required else f"[{p.name.upper()}]" for p in arguments)])
    if options:
        usage += " [OPTIONS]"
    parts = [f"## {name}\n", f"```\n{usage}\n```\n", f"{_flowing(command.help)}\n"]
    if arguments or options:
        parts.append("| | |\n|---|---|")
        parts += [f"| `{p.name.upper()}` | {_cell(p.help)} |" for p in arguments]
        parts += [f"| {_option(p)} | {_cell(p.help)}{_default(p)} |" for p in options]
        parts.append("")
    return parts


def _option(param: Any) -> str:
    names = ", ".join(f"`{name}`" for name in param.opts)
    if param.is_flag:
        return names
    if not param.metavar:
        sys.exit(f"tools/reference.py: option {param.opts[0]} has no metavar")
    return f"{names} `{param.metavar}`"


def _default(param: Any) -> str:
    if isinstance(param.show_default, str):
        return f" Default: {param.show_default}."
    if param.is_flag or param.show_default is False or param.default in (None, ""):
        return ""
    return f" Default: {param.default}."


def _cell(text: str | None) -> str:
    return " ".join((text or "").replace("|", "\\|").split())


def _flowing(text: str | None) -> str:
    return "\n\n".join(" ".join(p.split()) for p in re.split(r"\n\s*\n", inspect.cleandoc(text or "")))


def api_page() -> str:
    """Every public name with its docstring."""
    missing = set(qanat.__all__) - {n for names in GROUPS.values() for n in names} - {"__version__"}
    if missing:
        sys.exit(f"tools/reference.py: no group has {', '.join(sorted(missing))}")
    parts = [NOTE, "# The Python API\n", "```python\nimport qanat as qn\n```\n"]
    for group, names in GROUPS.items():
        parts.append(f"## {group}\n")
        for name in names:
            parts += _name(name, getattr(qanat, name))
    from qanat import testing

    parts.append("## qanat.testing\n")
    parts.append(f"{inspect.cleandoc(testing.__doc__ or '')}\n")
    for name in testing.__all__:
        parts += _name(name, getattr(testing, name), "testing.")
    return "\n".join(parts)


def _name(name: str, thing: Any, prefix: str = "qn.") -> list[str]:
    parts = [f"### {prefix}{name}\n"]
    if not (isinstance(thing, type) and name in ("Files", "Format", "Pipeline", "Run")):
        parts.append(f"```python\n{_signature(f'{prefix}{name}', thing)}\n```\n")
    parts += _docstring(inspect.getdoc(thing) or "")
    if isinstance(thing, type):
        for method, function in vars(thing).items():
            if inspect.isfunction(function) and not method.startswith("_") and function.__doc__:
                parts.append(f"#### {name}.{method}\n")
                parts.append(f"```python\n{_signature(f'{method}', function)}\n```\n")
                parts += _docstring(inspect.getdoc(function) or "")
    return parts


def _signature(name: str, thing: Any) -> str:
    given = inspect.signature(thing).parameters.values()
    shown = _parameters([p for p in given if p.name not in ("self", "query_function")])
    one = f"{name}({', '.join(shown)})"
    return one if len(one) <= 100 else f"{name}(\n    " + ",\n    ".join(shown) + ",\n)"


def _parameters(shown: list[inspect.Parameter]) -> list[str]:
    written: list[str] = []
    for parameter in shown:
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and "*" not in written:
            written.append("*")
        text = parameter.name
        if parameter.annotation is not inspect.Parameter.empty:
            text += f": {parameter.annotation}"
        if parameter.default is not inspect.Parameter.empty:
            default = parameter.default
            text += f" = {json.dumps(default) if isinstance(default, str) else default!r}"
        written.append(text)
    return written


def _docstring(text: str) -> list[str]:
    """numpydoc sections as Markdown."""
    pieces = re.split(r"^(\w+)\n-{3,}$", text, flags=re.MULTILINE)
    parts = [f"{_code(pieces[0].strip())}\n"]
    for title, body in zip(pieces[1::2], pieces[2::2], strict=True):
        if title not in SECTIONS:
            sys.exit(f"tools/reference.py: a docstring has a section '{title}'")
        body = textwrap.dedent(body.strip("\n"))
        if title == "Examples":
            parts.append(f"```python\n{body.strip()}\n```\n")
            continue
        parts.append(f"**{title}**\n")
        for term, said in re.findall(r"^(\S.*)\n((?:^(?:[ ]{4}.*)?\n?)+)", body + "\n", flags=re.MULTILINE):
            parts.append(f"- `{term.strip()}`: {_code(' '.join(said.split()))}")
        parts.append("")
    return parts


def _code(text: str) -> str:
    return re.sub(r"``(.+?)``", r"`\1`", text)


def exit_codes_page() -> str:
    """The table of exit codes."""
    rows = [f"| {code} | {name} | {_cell(said)} |" for code, (name, said) in exit_codes.MEANINGS.items()]
    return "\n".join([NOTE, "# Exit codes\n", "| code | name | what it says |", "|---|---|---|", *rows, ""])


def errors_page() -> str:
    """Every error code with its page; `qanat explain CODE` prints the same."""
    parts = [NOTE, "# Error codes\n", "`qanat explain CODE` prints the same.\n"]
    for page in pages(ROOT / "spec" / "errors.d").values():
        parts += [
            f"## {page.code}: {page.title}\n",
            f"{page.what}\n",
            f"{page.do}\n",
            f"```\n{page.example}\n```\n",
        ]
    return "\n".join(parts)


PAGES = {"cli.md": cli_page, "api.md": api_page, "exit-codes.md": exit_codes_page, "errors.md": errors_page}


def main(check: bool) -> int:
    """The exit code; with ``check`` 1 when a page is not that of the code."""
    stale = []
    for name, make in PAGES.items():
        text, path = make(), FOLDER / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if not check:
                FOLDER.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
    if check and stale:
        print(f"docs/reference: {', '.join(stale)} not as the code is; run tools/reference.py")
        return 1
    print("docs/reference is as the code is" if not stale else f"docs/reference: {', '.join(stale)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
