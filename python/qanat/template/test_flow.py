"""Runs the pipeline on its own data, in a folder that goes afterwards:  pytest"""

from pathlib import Path

from qanat.testing import run

FLOW = Path(__file__).parent / "flow.py"


def test_every_order_is_somewhere(tmp_path):
    result = run(FLOW, tmp_path)
    counts = result.counts("orders")
    assert counts.rows_in == counts.rows_out + counts.rows_dead + counts.rows_dropped
    assert result.rows("SELECT count(*) FROM orders") == [(counts.rows_out,)]


def test_dead_letters_keep_what_came(tmp_path):
    letters = run(FLOW, tmp_path).dead_letters("orders")
    assert {letter["reason"] for letter in letters} == {"decode", "expectation"}
    assert b"not an order" in {letter["raw"] for letter in letters}


def test_running_again_changes_nothing(tmp_path):
    before = run(FLOW, tmp_path).rows("SELECT * FROM revenue ORDER BY ALL")
    assert run(FLOW, tmp_path).rows("SELECT * FROM revenue ORDER BY ALL") == before
