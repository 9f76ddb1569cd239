"""Rows as a table on a terminal: types under names, numbers to the right, long values cut."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

_CELL_WIDTH_MAX = 60
_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")


def row_table(
    columns: Sequence[str], types: Sequence[str], rows: Sequence[Sequence[str | None]], width: int
) -> Table:
    """The rows below their column names; columns that do not fit the width are folded into "… n more"."""
    cells = [[cell_text(value, type_) for value, type_ in zip(row, types, strict=True)] for row in rows]
    fit = _columns_that_fit(columns, types, cells, width)
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        header_style="",
        border_style="quiet",
    )
    for name, type_ in list(zip(columns, types, strict=True))[:fit]:
        right = not type_.endswith("]") and type_.removeprefix("U").startswith(_NUMBERS)
        head = Text.assemble((name, "name"), "\n", (type_.lower()[:_CELL_WIDTH_MAX], "quiet"))
        table.add_column(
            head,
            justify="right" if right else "left",
            no_wrap=True,
            overflow="ellipsis",
            max_width=_CELL_WIDTH_MAX,
        )
    if fit < len(columns):
        table.add_column(Text(f"… {len(columns) - fit} more", style="quiet"), no_wrap=True)
    for row in cells:
        table.add_row(*row[:fit])
    return table


def cell_text(value: str | None, type_: str) -> Text:
    """One value as DuckDB wrote it; NULL in grey, so that it differs from a text that says NULL."""
    if value is None:
        return Text("NULL", style="quiet")
    if type_ in ("DOUBLE", "FLOAT"):
        return Text(f"{float(value):.6g}")
    return Text(one_line(value))


def readable(raw: bytes, length_max: int = 2000) -> str:
    """Bytes as a person reads them: text where they are UTF-8, ``\\xNN`` where they are not."""
    cut = raw[:length_max]
    text = cut.decode("utf-8", errors="backslashreplace")
    return one_line(text) + (f"… ({len(raw):,} bytes)" if len(raw) > length_max else "")


def one_line(text: str) -> str:
    """Control characters written out: no value may move the cursor or colour the terminal."""
    return "".join(c if c.isprintable() or c == " " else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character, f"\\x{ord(character):02x}")


def _columns_that_fit(
    columns: Sequence[str], types: Sequence[str], cells: list[list[Text]], width: int
) -> int:
    used, fit = 0, 0
    for index, name in enumerate(columns):
        widest = max(
            [len(name), min(len(types[index]), _CELL_WIDTH_MAX), *(row[index].cell_len for row in cells)]
        )
        used += min(widest, _CELL_WIDTH_MAX) + 2
        rest = 0 if index == len(columns) - 1 else 10
        if used + rest > width and index:
            break
        fit += 1
    return fit
