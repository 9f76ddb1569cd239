"""Input that cannot be read, goes away, changes, or is monstrous: a clear message or a dead letter, and nothing lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import duckdb
import lake
import pytest
import specs
from incarnation import Lives
from shop import FUNCTIONS, Shop


def fails(lives: Lives, shop: Shop) -> str:
    """The message that a life ends with."""
    outcome = lives.live(shop.spec(), functions=FUNCTIONS)
    assert outcome.error is not None, outcome
    return str(outcome.error["message"])


def goes_on(lives: Lives, shop: Shop) -> None:
    """Afterwards all is as if nothing had been."""
    outcome = lives.live(shop.spec(), functions=FUNCTIONS)
    assert outcome.ok, outcome
    shop.check()


def test_a_file_that_may_not_be_read(obedient: Lives, shop_with_lines: Shop) -> None:
    shop = shop_with_lines
    file = shop.input / "b.jsonl"
    file.chmod(0)
    assert fails(obedient, shop) == (
        f"QN-2102  File '{file}' cannot be read.\n"
        f"  QN-3102  No permission to open '{file}'.\n"
        "  The system says: Permission denied.\n"
        "  Give the user that runs this pipeline the right to do it, or choose another folder.\n"
        "  Nothing of this step was stored. Make the file readable, or move it out of the glob."
    )
    file.chmod(0o644)
    goes_on(obedient, shop)


def test_a_folder_that_may_not_be_read(obedient: Lives, shop_with_lines: Shop) -> None:
    shop = shop_with_lines
    shop.input.chmod(0)
    message = fails(obedient, shop)
    shop.input.chmod(0o755)
    assert message.startswith(
        f"QN-2101  The files of '{shop.input}/*.jsonl' cannot be listed.\n"
        f"  QN-3102  No permission to list '{shop.input}'.\n"
    )
    goes_on(obedient, shop)


def test_a_folder_named_like_a_file_is_none(lives: Lives, shop_with_lines: Shop) -> None:
    (shop_with_lines.input / "d.jsonl").mkdir()
    goes_on(lives, shop_with_lines)


def test_a_file_that_vanishes_half_read_is_missed(lives: Lives, shop_with_lines: Shop) -> None:
    shop = shop_with_lines
    shop.step_bytes_max = 300
    assert lives.live(shop.spec(), functions=FUNCTIONS, fail="run.acknowledge.after=kill@1").killed
    file = shop.input / "a.jsonl"
    content = file.read_bytes()
    file.unlink()
    message = fails(lives, shop)
    assert message.startswith(
        f"QN-2109  File '{file}' vanished before it was read to its end.\n  read from it before: "
    )
    assert message.endswith("Put it back, or accept the loss with --full-refresh.")
    file.write_bytes(content)
    goes_on(lives, shop)


def test_a_file_that_vanishes_whole_is_not_missed(lives: Lives, shop_with_lines: Shop) -> None:
    shop = shop_with_lines
    assert lives.live(shop.spec(), functions=FUNCTIONS).ok
    (shop.input / "a.jsonl").unlink()
    with (shop.input / "c.jsonl").open("a") as out:
        out.write('{"id": 1000, "name": "skip"}\n')
    goes_on(lives, shop)


def test_a_file_that_became_shorter(lives: Lives, shop_with_lines: Shop) -> None:
    shop = shop_with_lines
    assert lives.live(shop.spec(), functions=FUNCTIONS).ok
    file = shop.input / "a.jsonl"
    content = file.read_bytes()
    file.write_bytes(content[:100])
    assert fails(lives, shop) == (
        f"QN-2103  File '{file}' became shorter after it was read.\n"
        f"  read before: {len(content):,} bytes; it has now: 100\n"
        "  We do not guess what is new in it. Nothing of this step was stored.\n"
        "  Put the old content back, or give the new content a new name."
    )
    file.write_bytes(content)
    goes_on(lives, shop)


def test_a_file_that_was_overwritten_with_more(lives: Lives, shop_with_lines: Shop) -> None:
    shop = shop_with_lines
    assert lives.live(shop.spec(), functions=FUNCTIONS).ok
    file = shop.input / "a.jsonl"
    content = file.read_bytes()
    file.write_bytes(content.replace(b"apple", b"APPLE") + b'{"id": 1000, "name": "skip"}\n')
    assert fails(lives, shop).startswith(
        f"QN-2103  File '{file}' was replaced or overwritten after it was read.\n"
    )
    file.write_bytes(content)
    goes_on(lives, shop)


def test_a_finished_file_that_was_overwritten_with_as_much(lives: Lives, shop_with_lines: Shop) -> None:
    shop = shop_with_lines
    assert lives.live(shop.spec(), functions=FUNCTIONS).ok
    file = shop.input / "a.jsonl"
    content = file.read_bytes()
    file.write_bytes(content.replace(b"apple", b"APPLE"))
    assert fails(lives, shop).startswith(
        f"QN-2103  File '{file}' was replaced or overwritten after it was read.\n"
    )
    file.write_bytes(content)
    goes_on(lives, shop)


# ---- monsters ----

DEEP = 100_000
MB = 1_000_000


def nested(head: bytes, opening: bytes, middle: bytes, closing: bytes) -> list[bytes]:
    return [head, opening * DEEP, middle, closing * DEEP, b"}"]


MONSTERS: dict[str, tuple[Callable[[], Iterable[bytes]], int, str]] = {
    # name: the line's pieces, bytes kept of it, how the detail begins
    "200 MB": (
        lambda: [b'{"id":7,"k":"', *[b"x" * MB] * 200, b'"}'],
        1 << 20,
        "a record of 200000016 bytes is larger than the source's limit; only its beginning is kept here",
    ),
    "200 MB without sense": (
        lambda: [b"\xff" * MB] * 200,
        1 << 20,
        "a record of 200000001 bytes is larger than the source's limit; only its beginning is kept here",
    ),
    "deep lists in a column": (
        lambda: nested(b'{"id":7,"k":', b"[", b"", b"]"),
        2 * DEEP + 13,
        "column 'k': expected VARCHAR, found array (declare JSON to keep its text)",
    ),
    "deep lists beside": (
        lambda: nested(b'{"id":7,"z":', b"[", b"", b"]"),
        2 * DEEP + 13,
        "not JSON at byte 1036: nested deeper than 1024 levels, found '['",
    ),
    "deep objects": (
        lambda: nested(b'{"id":7,"z":', b'{"a":', b"1", b"}"),
        6 * DEEP + 14,
        "not JSON at byte 5128: nested deeper than 1024 levels, found '{'",
    ),
    "deep lists that never end": (
        lambda: [b'{"id":7,"z":', b"[" * DEEP],
        DEEP + 12,
        "not JSON at byte 1036: nested deeper than 1024 levels, found '['",
    ),
}


@pytest.mark.parametrize("name", MONSTERS)
def test_a_monstrous_line_is_a_dead_letter_and_its_neighbours_are_rows(
    lives: Lives, tmp_path: Path, name: str
) -> None:
    pieces, kept_bytes, detail = MONSTERS[name]
    file = tmp_path / "in.jsonl"
    with file.open("wb") as out:
        out.write(b'{"id":1}\n')
        out.writelines(pieces())
        out.write(b'\n{"id":2}\n')
    storage = tmp_path / "lake"
    spec = specs.pipeline(
        storage,
        [specs.source("a", file, "id BIGINT, k VARCHAR")],
        [specs.dataset("t", "SELECT id, k FROM a")],
    )
    outcome = lives.live(spec)
    assert outcome.ok, outcome
    assert outcome.peak_kb < 600_000
    with duckdb.connect() as db:
        lake.view(db, "t", storage / "t", "id BIGINT, k VARCHAR")
        assert lake.rows(db, "FROM t") == {("1", None): 1, ("2", None): 1}
        letters: list[Any] = letters_of(db, storage / "t__dead_letters")
    assert letters == [("decode", detail, kept_bytes, 2)]


BAD_LINES = 4_000_000


def bad_lines(file: Path, count: int) -> None:
    with file.open("wb") as out:
        out.write(b"what now!\n" * count)


def test_input_that_is_wholly_bad_does_not_fill_the_memory(lives: Lives, tmp_path: Path) -> None:
    """Four million dead letters, most in one step: held together they would take half a gigabyte and more."""
    bad_lines(tmp_path / "in.jsonl", BAD_LINES)
    storage = tmp_path / "lake"
    spec = specs.pipeline(
        storage,
        [specs.source("a", tmp_path / "in.jsonl", "id BIGINT")],
        [specs.dataset("t", "SELECT id FROM a")],
    )
    outcome = lives.live(spec)
    assert outcome.ok, outcome
    assert outcome.peak_kb < 250_000
    with duckdb.connect() as db:
        letters_of(db, storage / "t__dead_letters")
        assert db.execute(
            "SELECT count(*), count(DISTINCT line), min(line), max(line), min(raw), max(raw), min(file) FROM letters"
        ).fetchone() == (
            BAD_LINES,
            BAD_LINES,
            1,
            BAD_LINES,
            b"what now!",
            b"what now!",
            str(tmp_path / "in.jsonl"),
        )


def test_rows_that_all_break_a_rule_do_not_fill_the_memory(lives: Lives, tmp_path: Path) -> None:
    with (tmp_path / "in.jsonl").open("wb") as out:
        out.write(b'{"id":-1}\n' * BAD_LINES)
    spec = specs.pipeline(
        tmp_path / "lake",
        [specs.source("a", tmp_path / "in.jsonl", "id BIGINT")],
        [specs.dataset("t", "SELECT id FROM a", rules=[("fair", "id > 0", "quarantine")])],
    )
    outcome = lives.live(spec)
    assert outcome.ok, outcome
    assert outcome.peak_kb < 250_000
    assert outcome.progress["datasets"]["t"]["dead"] == {"fair": BAD_LINES}


def test_a_step_that_fails_leaves_no_dead_letters(lives: Lives, tmp_path: Path) -> None:
    """Also when they were on the disk before it failed."""
    bad_lines(tmp_path / "in.jsonl", 50_000)
    with (tmp_path / "in.jsonl").open("a") as out:
        out.write('{"id":-1}\n')
    storage = tmp_path / "lake"
    spec = specs.pipeline(
        storage,
        [specs.source("a", tmp_path / "in.jsonl", "id BIGINT")],
        [specs.dataset("t", "SELECT id FROM a", rules=[("fair", "id > 0", "fail")])],
    )
    outcome = lives.live(spec)
    assert outcome.error is not None, outcome
    assert outcome.error["code"] == "QN-3503"
    assert [file for file in storage.glob("t*/**/*") if file.is_file()] == []
    (tmp_path / "in.jsonl").write_text('{"id":1}\nwhat now!\n')
    assert lives.live(spec).ok
    with duckdb.connect() as db:
        assert letters_of(db, storage / "t__dead_letters") == [
            ("decode", "not JSON at byte 1: expected an object, found 'w'", 9, 2)
        ]


def letters_of(db: duckdb.DuckDBPyConnection, table: Path) -> list[Any]:
    columns = (
        "reason VARCHAR, rule VARCHAR, detail VARCHAR, raw BLOB, source VARCHAR, file VARCHAR, line BIGINT"
    )
    lake.view(db, "letters", table, columns + ", epoch BIGINT, time TIMESTAMPTZ")
    return db.execute("SELECT reason, detail, octet_length(raw), line FROM letters").fetchall()
