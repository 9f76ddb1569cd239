"""`kill -9` in a loop: five times in CI, a hundred times by `make chaos`."""

from __future__ import annotations

from pathlib import Path

import pytest
from chaos import Chaos


def test_killed_at_random(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    chaos = Chaos(tmp_path)
    figures = chaos.run(request.config.getoption("--kills", default=None) or 5)
    print(f"\n{figures}")
    assert figures.lines > 0
    assert figures.lost == 0
    assert figures.doubled == 0
    # The comparison can fail: three lines more or less, of which one at least goes into the tables.
    assert chaos.compare(chaos.writer.written + 3)[0] > 0
    assert chaos.compare(chaos.writer.written - 3)[1] > 0
