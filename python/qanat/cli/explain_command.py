"""``qanat explain``: the page of one code, or the list of all."""

from __future__ import annotations

import re
import textwrap

from rich.text import Text

from qanat.catalogue import Page, pages
from qanat.cli.console import console
from qanat.errors import QanatError, did_you_mean

_WIDTH_MAX = 100


def explain(code: str | None) -> None:
    """Prints it."""
    known = pages()
    if code is None:
        out = console()
        for page in known.values():
            out.print(Text.assemble((page.code, "code"), "  ", page.title), soft_wrap=True)
        return
    wanted = _normal(code)
    if wanted not in known:
        raise QanatError(
            "QN-1308",
            f"There is no code '{code}'.",
            [*did_you_mean(wanted, known), "All of them:  qanat explain"],
        )
    _print(known[wanted])


def _normal(code: str) -> str:
    """``1203``, ``qn1203`` and ``QN-1203`` are the same."""
    digits = re.fullmatch(r"(?:qn)?[-_ ]?(\d{4})", code.strip(), re.IGNORECASE)
    return f"QN-{digits[1]}" if digits else code.strip().upper()


def _print(page: Page) -> None:
    out = console()
    width = min(out.width, _WIDTH_MAX)
    out.print(Text.assemble((page.code, "code"), "  ", (page.title, "bold")), soft_wrap=True)
    out.print()
    _paragraphs(page.what, width)
    if page.do:
        out.print()
        out.print(Text("What to do", style="quiet"))
        _paragraphs(page.do, width)
    if page.example:
        out.print()
        out.print(Text("Example", style="quiet"))
        for line in textwrap.dedent(page.example).split("\n"):
            out.print(Text("  " + line), soft_wrap=True)


def _paragraphs(text: str, width: int) -> None:
    out = console()
    for index, paragraph in enumerate(re.split(r"\n\s*\n", text)):
        if index:
            out.print()
        for line in textwrap.wrap(" ".join(paragraph.split()), width, break_on_hyphens=False):
            out.print(Text(line), soft_wrap=True)
