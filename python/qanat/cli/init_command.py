"""``qanat init``: writes a small pipeline that runs, with data of its own and a test."""

from __future__ import annotations

import json
import random
import re
import shlex
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

from rich.text import Text

from qanat.cli.console import console
from qanat.errors import QanatError

_DAYS = 3
_ORDERS_A_DAY = 20
_PRODUCTS = {
    "P1": ("Qanat map", "paper", 12.5),
    "P2": ("Rope, 30 m", "tools", 39.9),
    "P3": ("Oil lamp", "tools", 24.0),
    "P4": ("Clay pipe", "building", 8.75),
    "P5": ("Field notes", "paper", 6.2),
}
_CUSTOMERS = ("ada", "blaise", "grace", "kurt", "mary", "omar", None, "test")
_CUSTOMER_WEIGHTS = (5, 5, 5, 5, 5, 5, 1, 1)
_SPEC = """\
# The pipeline as one unit: `qanat run` finds this file in the working folder.
name: {name}
storage: lake
libraries:
  - glob:
      include: flow.py
"""
_IGNORE = "/lake/\n__pycache__/\n.pytest_cache/\n"


def init(path: str) -> None:
    """Writes it and says what to do next."""
    folder = Path(path)
    name = re.sub(r"\W+", "_", folder.name).strip("_")
    if not name:
        raise QanatError(
            "QN-1313", f"'{path}' cannot be a pipeline's name.", ["For example:  qanat init shop"]
        )
    if folder.exists():
        raise QanatError(
            "QN-1313",
            f"There is a '{path}' already.",
            [f"Choose another name:  qanat init {path.rstrip('/')}_2"],
        )
    try:
        _write(folder, name)
    except OSError as error:
        raise QanatError("QN-1314", f"'{path}' cannot be written: {error.strerror}.", kind="failed") from None
    _print_next(folder)


def _write(folder: Path, name: str) -> None:
    orders = folder / "data" / "orders"
    orders.mkdir(parents=True)
    template = files("qanat") / "template"
    for file in ("flow.py", "test_flow.py"):
        (folder / file).write_text((template / file).read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "qanat.yml").write_text(_SPEC.format(name=name), encoding="utf-8")
    (folder / ".gitignore").write_text(_IGNORE, encoding="utf-8")
    products = [
        f"{key},{title if ',' not in title else chr(34) + title + chr(34)},{group}"
        for key, (title, group, _) in _PRODUCTS.items()
    ]
    (folder / "data" / "products.csv").write_text(
        "product,name,group\n" + "\n".join(products) + "\n", encoding="utf-8"
    )
    for day, lines in _orders():
        (orders / f"{day}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _orders() -> list[tuple[str, list[str]]]:
    """The same days each time, clean and dirty rows among them."""
    draw = random.Random(1)
    result = []
    number = 0
    for day in range(_DAYS):
        at = datetime(2026, 1, 5, 8) + timedelta(days=day)
        lines = []
        for _ in range(_ORDERS_A_DAY):
            number += 1
            at += timedelta(seconds=draw.randrange(60, 1800))
            product = draw.choice(list(_PRODUCTS))
            price = _PRODUCTS[product][2] * draw.choice((1, 1, 1, 1, 1, 1, -1))
            lines.append(
                json.dumps(
                    {
                        "order_id": number,
                        "ts": at.isoformat(sep=" "),
                        "customer": draw.choices(_CUSTOMERS, _CUSTOMER_WEIGHTS)[0],
                        "product": product,
                        "quantity": draw.choice((1, 1, 1, 2, 3, 12)),
                        "price": round(price, 2),
                    }
                )
            )
        lines.insert(draw.randrange(len(lines)), "not an order")
        result.append((f"{at:%Y-%m-%d}", lines))
    return result


def _print_next(folder: Path) -> None:
    out = console()
    out.print(
        Text.assemble(
            ("✓", "good"),
            " ",
            (str(folder), "name"),
            " is ready. It has a flow, three days of orders, and a test.",
        )
    )
    out.print()
    for command, why in (
        (f"cd {shlex.quote(str(folder))}", ""),
        ("qanat run", "orders become tables in ./lake"),
        ('qanat query "SELECT * FROM revenue ORDER BY ALL"', ""),
        ("qanat dlq ls", "the orders that were set aside, and why"),
        ("qanat graph", "what reads what"),
        ("pytest", "the pipeline's own test"),
    ):
        out.print(
            Text.assemble("  ", (command, "command"), (f"   {why}" if why else "", "quiet")), soft_wrap=True
        )
    out.print()
    out.print(Text("Then open flow.py: it is short, and says what each part does.", style="quiet"))
