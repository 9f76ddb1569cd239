"""The pages that ``qanat explain`` prints: one entry for each error code, from ``spec/errors.d/*.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

_PACKAGED = Path(__file__).parent / "_errors"
_IN_CHECKOUT = Path(__file__).parents[2] / "spec" / "errors.d"


@dataclass(frozen=True)
class Page:
    """What is known about one code."""

    code: str
    title: str
    what: str
    do: str
    example: str


def pages(folder: Path | None = None) -> dict[str, Page]:
    """All pages by code, in the order of codes; from the wheel, or from the checkout that this runs in."""
    chosen = folder or (_PACKAGED if _PACKAGED.is_dir() else _IN_CHECKOUT)
    found: dict[str, Page] = {}
    for file in sorted(chosen.glob("*.toml")):
        for code, entry in tomllib.loads(file.read_text(encoding="utf-8")).items():
            found[code] = Page(
                code,
                str(entry.get("title", "")).strip(),
                str(entry.get("what", "")).strip(),
                str(entry.get("do", "")).strip(),
                str(entry.get("example", "")).strip("\n"),
            )
    return dict(sorted(found.items()))
