"""How things look on a terminal: colours, numbers, times, and the printing of failures."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from qanat.errors import QanatError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_PIPE_WIDTH = 120
_NARROW = 100

STYLES = {
    "water": "cyan",
    "name": "bold",
    "good": "green",
    "warn": "yellow",
    "bad": "red",
    "quiet": "bright_black",
    "command": "cyan",
    "code": "bold red",
}


def console(*, stderr: bool = False) -> Console:
    """A terminal to print on. NO_COLOR and pipes are respected; what is no terminal is wide."""
    from rich.console import Console
    from rich.theme import Theme

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPE_WIDTH
    return Console(file=stream, width=width, theme=Theme(STYLES), highlight=False, soft_wrap=False)


def table(*titles: str, width: int) -> Table:
    """An empty table in our dress: names to the left, the other columns are numbers; tighter where narrow."""
    from rich import box
    from rich.table import Table

    narrow = width < _NARROW
    made = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1 if narrow else 2, 0, 0),
        header_style="quiet",
        border_style="quiet",
    )
    for index, title in enumerate(titles):
        if index == 0:
            made.add_column(title, overflow="fold", vertical="bottom")
        else:
            shown = title.replace(" ", "\n") if narrow else title
            made.add_column(shown, justify="right", no_wrap=True, vertical="bottom")
    return made


def print_failure(error: QanatError) -> None:
    """The message as it is; the code in colour where there is colour."""
    if not sys.stderr.isatty() or os.environ.get("NO_COLOR"):
        sys.stderr.write(f"{error}\n")
        return
    bold_red, quiet, reset = "\033[1;31m", "\033[2m", "\033[0m"
    head, *lines = str(error).split("\n")
    code, _, text = head.partition("  ")
    sys.stderr.write(f"{bold_red}{code}{reset}  \033[1m{text}{reset}\n")
    for line in lines:
        sys.stderr.write(line + "\n")
    sys.stderr.write(f"{quiet}  More about it: qanat explain {error.code}{reset}\n")


def count(number: int) -> str:
    """``336776`` → ``336,776``."""
    return f"{number:,}"


def short(number: float) -> str:
    """A rate in few letters: ``41.2 k``, ``3.1 M``."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= limit:
            return f"{number / (1e3 if unit == 'k' else limit):.1f} {unit}"
    return f"{number:,.0f}"


def size(number: float) -> str:
    """Bytes as people read them, in powers of 1,000: ``61.3 MB``."""
    for limit, unit in ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if number >= limit:
            return f"{number / limit:.1f} {unit}"
    return f"{number:.0f} B"


def clock(seconds: float) -> str:
    """``83`` → ``1:23``; hours where there are any."""
    whole = int(seconds)
    hours, minutes = whole // 3600, whole % 3600 // 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def duration(seconds: float) -> str:
    """A time that is over: ``0.38 s``, ``12.4 s``, ``3:05``."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    return f"{seconds:.1f} s" if seconds < 100 else clock(seconds)


def plural(number: int, one: str, many: str | None = None) -> str:
    """``1 step``, ``2 steps``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"
