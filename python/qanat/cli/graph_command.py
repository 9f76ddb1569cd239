"""``qanat graph``: the pipeline as a picture."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from qanat.cli.console import console
from qanat.engines.native import Engine
from qanat.errors import QanatError, did_you_mean
from qanat.graph.model import Graph, from_description
from qanat.pipelines.load import load
from qanat.where import shown

_FORMATS = ("text", "svg", "html")


def graph(file: Path | None, format: str, output: Path | None) -> None:
    """Draws it, on the terminal or into a file."""
    chosen = format or (output.suffix.removeprefix(".") if output else "text")
    if chosen not in _FORMATS:
        what = f"--format {chosen}" if format else f"The ending of '{output}'"
        raise QanatError(
            "QN-1303",
            f"{what} is not known.",
            [f"Known: {', '.join(_FORMATS)}", *did_you_mean(chosen, _FORMATS)],
        )
    picture = _picture(file)
    if chosen == "text" and output is None:
        _print(picture)
        return
    text = _drawn(picture, chosen)
    if output is None:
        print(text, end="")
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise QanatError(
            "QN-1314", f"'{output}' cannot be written: {error.strerror}.", kind="failed"
        ) from None
    console(stderr=True).print(f"{shown(str(output))} is written.", soft_wrap=True)


def _picture(file: Path | None) -> Graph:
    pipeline = load(file)
    with TemporaryDirectory(prefix="qanat-graph-") as folder:
        described = Engine(pipeline, folder).describe()
    details = {source.name: f"{source.connector.glob}, {source.format.kind}" for source in pipeline.sources}
    return from_description(described, details)


def _drawn(picture: Graph, format: str) -> str:
    if format == "svg":
        from qanat.graph.svg import svg

        return svg(picture)
    if format == "html":
        from qanat.graph.html import html

        return html(picture)
    from qanat.graph.text import drawing, promises

    rows = [*drawing(picture, 10_000), *promises(picture)]
    return "\n".join(row.plain.rstrip() for row in rows) + "\n"


def _print(picture: Graph) -> None:
    from qanat.graph.text import drawing, promises

    out = console()
    for row in drawing(picture, out.width):
        out.print(row, soft_wrap=True)
    out.print()
    for row in promises(picture):
        out.print(row, soft_wrap=True)
