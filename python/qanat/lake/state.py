"""What a storage folder remembers of its views: from the newest checkpoint, and from the last run's notes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def saved_flows(storage: Path) -> dict[str, dict[str, Any]]:
    """The flows of the newest checkpoint by ``dataset.flow``; empty when there is none that can be read."""
    for path in sorted((storage / "_qanat/checkpoints").glob("*.json"), reverse=True):
        try:
            _, body = path.read_text(encoding="utf-8").split("\n", 1)
            flows: dict[str, dict[str, Any]] = json.loads(body)["state"]["flows"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # the engine tells of damage; this only looks
        return flows
    return {}


def last_run(storage: Path) -> dict[str, dict[str, Any]]:
    """What the operators of each view did in the last run; empty when nothing is known."""
    try:
        known: dict[str, dict[str, Any]] = json.loads((storage / "_qanat/circuits.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known
