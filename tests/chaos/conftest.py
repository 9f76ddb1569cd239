"""How many kills."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--kills", type=int, default=None, help="how often the run is killed (5 in CI, 100 in make chaos)"
    )
