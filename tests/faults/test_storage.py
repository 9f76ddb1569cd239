"""Storage that is full, closed, damaged, or shared with others: a clear message, and no row lost or doubled."""

from __future__ import annotations

import json
import os
import random
import shutil
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import lake
import pyarrow as pa
import pytest
import specs
from deltalake import DeltaTable, write_deltalake
from deltalake.schema import Field, PrimitiveType
from incarnation import Lives, Outcome
from shop import FUNCTIONS, Shop

AGAIN = {"full_refresh": "all"}


def run(lives: Lives, shop: Shop, **how: Any) -> Outcome:
    return lives.live(shop.spec(), functions=FUNCTIONS, **how)


def message(outcome: Outcome) -> str:
    assert outcome.error is not None, outcome
    return str(outcome.error["message"])


def goes_on(lives: Lives, shop: Shop) -> None:
    outcome = run(lives, shop)
    assert outcome.ok, outcome
    shop.check()


# ---- closed ----


def test_a_storage_that_may_not_be_written(obedient: Lives, shop_with_lines: Shop) -> None:
    shop = shop_with_lines
    shop.folder.chmod(0o555)
    told = message(run(obedient, shop))
    shop.folder.chmod(0o755)
    assert told == (
        f"QN-3102  No permission to make the folder '{shop.storage}'.\n"
        "  The system says: Permission denied.\n"
        "  Give the user that runs this pipeline the right to do it, or choose another folder."
    )
    goes_on(obedient, shop)


@pytest.mark.parametrize("folder", ["_delta_log", "part=0"])
def test_a_table_that_may_not_be_written(obedient: Lives, shop_with_lines: Shop, folder: str) -> None:
    shop = shop_with_lines
    assert run(obedient, shop, fail="run.acknowledge.after=kill@1").killed
    closed = shop.storage / "clean" / folder
    closed.chmod(0o555)
    told = message(run(obedient, shop))
    closed.chmod(0o755)
    assert told.startswith(f"QN-3102  No permission to write '{closed}/"), told
    goes_on(obedient, shop)


# ---- full ----


class Hexes:
    """Lines of digits that do not compress, and a table of them: five steps of which the small disk holds three."""

    def __init__(self, folder: Path, storage: Path) -> None:
        digits = random.Random(1)
        self.file = folder / "in.jsonl"
        self.rows = [(number, digits.randbytes(250).hex()) for number in range(20_000)]
        with self.file.open("w") as out:
            out.writelines(json.dumps({"id": number, "k": text}) + "\n" for number, text in self.rows)
        source = specs.source("a", self.file, "id BIGINT, k VARCHAR")
        self.spec = specs.pipeline(
            storage, [source], [specs.dataset("t", "SELECT id, k FROM a")], step_bytes_max=2_200_000
        )
        self.table = storage / "t"

    def stored(self) -> int:
        """How many rows there are, all of them right and none twice."""
        with duckdb.connect() as db:
            lake.view(db, "t", self.table, "id BIGINT, k VARCHAR")
            found = db.execute("SELECT id, k FROM t ORDER BY id").fetchall()
        assert found == self.rows[: len(found)]
        return len(found)


def test_a_full_disk_ends_the_run_and_keeps_what_was_committed(
    lives: Lives, tmp_path: Path, small_disk: Path
) -> None:
    hexes = Hexes(tmp_path, small_disk / "lake")
    told = message(lives.live(hexes.spec))  # tries six times, in 16 s
    assert told.startswith("QN-3101  The disk is full."), told
    assert 0 < hexes.stored() < len(hexes.rows)
    assert os.system(f"mount -o remount,size=64m {small_disk}") == 0
    assert lives.live(hexes.spec).ok
    assert hexes.stored() == len(hexes.rows)
    assert lake.orphans(hexes.table) == []


def test_a_disk_that_is_freed_in_time_ends_nothing(lives: Lives, tmp_path: Path, small_disk: Path) -> None:
    hexes = Hexes(tmp_path, small_disk / "lake")
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(3_000_000))
    freed = threading.Timer(2, ballast.unlink)
    freed.start()
    hexes.rows = hexes.rows[:3000]  # fits without the ballast only
    hexes.file.write_text("".join(json.dumps({"id": n, "k": text}) + "\n" for n, text in hexes.rows))
    outcome = lives.live(hexes.spec)
    freed.join()
    assert outcome.ok, outcome
    assert hexes.stored() == len(hexes.rows)


# ---- damaged ----


def checkpoints(shop: Shop) -> list[Path]:
    """Oldest first."""
    return sorted((shop.storage / "_qanat/checkpoints").glob("*.json"))


def damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)


def test_a_damaged_last_checkpoint_is_told_and_refused_where_tables_are_ahead(
    lives: Lives, shop_with_lines: Shop
) -> None:
    shop = shop_with_lines
    assert run(lives, shop, fail="run.acknowledge.after=kill@2").killed
    last = checkpoints(shop)[-1]
    damage(last)
    outcome = run(lives, shop)
    told = message(outcome)
    assert outcome.progress["warnings"] == [
        "QN-3402  A checkpoint is damaged; step 1, the one before, was used instead.\n"
        f"  {last}: its checksum is wrong\n"
        f"  It was kept as '{last}.damaged'. Check the disk."
    ]
    # Computed anew it would lie in other files: whether they hold the same rows, nobody can tell.
    assert told == (
        "QN-3406  The tables are ahead of the newest checkpoint that can be read.\n"
        "  checkpoint: step 1; the tables have step 2.\n"
        "  What was read since is not known any more: going on would store rows a second time.\n"
        "  Nothing was started. Begin again with --full-refresh-all, or bring back the checkpoint."
    )
    assert run(lives, shop, options=AGAIN).ok
    shop.check()
    goes_on(lives, shop)


def test_a_damaged_last_checkpoint_without_commits_is_done_again(lives: Lives, shop_with_lines: Shop) -> None:
    shop = shop_with_lines
    assert run(lives, shop, fail="run.checkpoint.after=kill@2").killed
    damage(checkpoints(shop)[-1])
    outcome = run(lives, shop)
    assert outcome.ok, outcome
    assert outcome.progress["warnings"][0].startswith("QN-3402  A checkpoint is damaged; step 1, ")
    shop.check()


def test_the_checkpoint_before_can_be_restored_also_after_a_restart(lives: Lives, tmp_path: Path) -> None:
    """What only it names of the remembered rows stays, although the step after it has copied all of that together."""
    left, right = tmp_path / "left.jsonl", tmp_path / "right.jsonl"
    left.touch()
    right.touch()
    sources = [
        specs.source("l", left, "k BIGINT, v VARCHAR"),
        specs.source("r", right, "k BIGINT, w VARCHAR"),
    ]
    sql = "SELECT k, v, w FROM l JOIN r USING (k)"
    spec = specs.pipeline(tmp_path / "lake", sources, [specs.dataset("pairs", sql, kind="materialized_view")])
    # Nothing meets anything yet: no table is ahead of its checkpoint. The eighth step copies the seven before.
    for number in range(8):
        with left.open("a") as out:
            out.write(json.dumps({"k": number, "v": f"v{number}"}) + "\n")
        assert lives.live(spec).ok
    damage(sorted((tmp_path / "lake/_qanat/checkpoints").glob("*.json"))[-1])
    with right.open("a") as out:
        out.writelines(json.dumps({"k": number, "w": f"w{number}"}) + "\n" for number in range(8))
    outcome = lives.live(spec)
    assert outcome.ok, outcome
    assert outcome.progress["warnings"][0].startswith("QN-3402  A checkpoint is damaged; step 7, ")
    with duckdb.connect() as db:
        lake.view(db, "pairs", tmp_path / "lake/pairs", "k BIGINT, v VARCHAR, w VARCHAR")
        found = db.execute("SELECT k, v, w FROM pairs ORDER BY k").fetchall()
    assert found == [(number, f"v{number}", f"w{number}") for number in range(8)]


def test_no_sound_checkpoint_starts_nothing(lives: Lives, shop_with_lines: Shop) -> None:
    shop = shop_with_lines
    assert run(lives, shop).ok
    for file in checkpoints(shop):
        file.write_bytes(b"")
    told = message(run(lives, shop))
    assert told.startswith(f"QN-3401  No sound checkpoint is left in '{shop.storage}/_qanat/checkpoints'.\n")
    assert told.endswith(
        "  Starting from nothing would read everything again and double it, so nothing was started.\n"
        "  Put a sound checkpoint back from a backup, or rebuild with --full-refresh-all."
    )
    shop.check()
    assert run(lives, shop, options=AGAIN).ok
    shop.check()
    shop.write("b.jsonl", 9)
    goes_on(lives, shop)


@pytest.mark.parametrize(("folder", "code"), [("_qanat", "QN-3204"), ("_qanat/checkpoints", "QN-3406")])
def test_tables_whose_state_is_gone_are_not_doubled(
    lives: Lives, shop_with_lines: Shop, folder: str, code: str
) -> None:
    shop = shop_with_lines
    assert run(lives, shop).ok
    shutil.rmtree(shop.storage / folder)
    told = message(run(lives, shop))
    assert told.startswith(code + "  "), told
    assert "--full-refresh" in told
    assert run(lives, shop, options=AGAIN).ok
    shop.check()


# ---- shared ----


def test_a_second_process_is_refused(lives: Lives, obedient: Lives, shop_with_lines: Shop) -> None:
    shop = shop_with_lines
    holder: list[Outcome] = []
    held = threading.Thread(
        target=lambda: holder.append(run(obedient, shop, options={"continuous": True}, stop_ms=4000))
    )
    held.start()
    lock = shop.storage / "_qanat/lock"
    while held.is_alive() and (not lock.exists() or not lock.read_text().endswith("\n")):
        pass
    pid = json.loads(lock.read_text())["pid"]
    told = message(run(lives, shop)).splitlines()
    held.join()
    assert holder[0].ok, holder[0]
    assert told[0] == "QN-3201  Another process runs a pipeline on this storage."
    assert told[1].startswith(f"  It is process {pid} on host '")
    assert told[2:] == [
        f"  Lock: {lock}",
        "  Nothing was started. Stop that process, or use another --storage folder.",
    ]
    goes_on(lives, shop)


def foreign_rows(shop: Shop, table: str) -> None:
    """Somebody else's row: deltalake appends."""
    columns: dict[str, Any] = {"id": pa.array([1000], pa.int64())}
    if table == "clean":
        columns["name"] = pa.array(["theirs"])
        columns["price"] = pa.array([Decimal("1.00")], pa.decimal128(10, 2))
        columns["part"] = pa.array([2], pa.int64())
    else:
        columns["price"] = pa.array([Decimal("1.00")], pa.decimal128(18, 2))
    write_deltalake(str(shop.storage / table), pa.table(columns), mode="append")
    shop.theirs[table] = ("1000", "theirs", "1.00", "2") if table == "clean" else ("1000", "1.00")


@pytest.mark.parametrize("table", ["clean", "doubled"])
@pytest.mark.parametrize("death", ["run.checkpoint.after", "run.acknowledge.after", ""])
def test_rows_that_somebody_else_appends_stay_beside_ours(
    lives: Lives, shop_with_lines: Shop, table: str, death: str
) -> None:
    """Between a checkpoint and its commits, between two steps, and between two runs."""
    shop = shop_with_lines
    outcome = run(lives, shop, fail=f"{death}=kill@2" if death else "")
    assert outcome.killed == bool(death), outcome
    foreign_rows(shop, table)
    shop.write("c.jsonl", 6)
    goes_on(lives, shop)


def test_properties_that_somebody_else_sets_stay(lives: Lives, shop_with_lines: Shop) -> None:
    shop = shop_with_lines
    assert run(lives, shop, fail="run.checkpoint.after=kill@2").killed
    table = DeltaTable(str(shop.storage / "clean"))
    table.alter.set_table_properties({"delta.logRetentionDuration": "interval 3 days"})
    goes_on(lives, shop)
    assert DeltaTable(str(shop.storage / "clean")).metadata().configuration == {
        "delta.checkpointInterval": "2",
        "delta.logRetentionDuration": "interval 3 days",
    }


def test_a_column_that_somebody_else_adds_is_refused(lives: Lives, shop_with_lines: Shop) -> None:
    shop = shop_with_lines
    assert run(lives, shop).ok
    table = DeltaTable(str(shop.storage / "doubled"))
    table.alter.add_columns([Field("extra", PrimitiveType("string"))])
    shop.write("c.jsonl", 6)
    assert message(run(lives, shop)) == (
        f"QN-3309  Table '{shop.storage}/doubled' has other columns than dataset 'doubled'.\n"
        "  Column 3 is 'extra' in the table and missing in the dataset.\n"
        "  New columns may only be added at the end, and must allow NULL.\n"
        "  Change the query, give the dataset a new name, or remove the table's folder and run with --full-refresh."
    )
