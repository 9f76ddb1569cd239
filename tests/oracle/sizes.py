"""How much the oracle tests do: little in CI, much by `make oracle`, which sets QANAT_ORACLE=large."""

from __future__ import annotations

import os

LARGE = os.environ.get("QANAT_ORACLE") == "large"


def sized(small: int, large: int) -> int:
    return large if LARGE else small
