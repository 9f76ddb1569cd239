"""Changes of views' tables, read by deltalake: summed up version by version they are the table at that version.

The tables come from the C++ test `ViewChanges.*` (core/app/view_changes_test.cc).
"""

import collections
import pathlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from deltalake import DeltaTable

SIGN = {"insert": 1, "update_postimage": 1, "delete": -1, "update_preimage": -1}
Bag = collections.Counter[tuple[Any, ...]]


@pytest.fixture(scope="module")
def golden(written: Callable[[str, str], pathlib.Path]) -> pathlib.Path:
    """The folder with the tables."""
    return written("qn_app_test", "ViewChanges.*")


def values(row: dict[str, Any]) -> tuple[Any, ...]:
    """A row without what the feed says of it."""
    return tuple(row[name] for name in sorted(row) if not name.startswith("_"))


@pytest.mark.parametrize("name", ["keyed", "parts", "bag"])
def test_the_changes_sum_up_to_the_table(golden: pathlib.Path, name: str) -> None:
    path = golden / name / "sales"
    newest = DeltaTable(path).version()
    assert newest == 11
    changes = pa.table(DeltaTable(path).load_cdf(starting_version=0).read_all()).to_pylist()
    assert {row["_change_type"] for row in changes} == ({"insert", "delete"} if name == "bag" else set(SIGN))
    total: Bag = collections.Counter()
    for version in range(newest + 1):
        for row in changes:
            if row["_commit_version"] == version:
                total[values(row)] += SIGN[row["_change_type"]]
        total = collections.Counter({row: count for row, count in total.items() if count != 0})
        stored = DeltaTable(path, version=version).to_pyarrow_table().to_pylist()
        assert total == collections.Counter(map(values, stored)), version
    assert sum(total.values()) > 100


def test_only_what_changed_is_told(golden: pathlib.Path) -> None:
    path = golden / "keyed" / "sales"
    table = DeltaTable(path).load_cdf(starting_version=5, ending_version=5).read_all()
    # 60 keys at most were drawn in a step, each with one old row and one new at most.
    assert 0 < table.num_rows <= 120
