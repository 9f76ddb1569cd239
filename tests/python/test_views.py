"""How a run looks while it goes: speeds over a window, lines, the drawing, numbers as people read them."""

import io
from pathlib import Path

import pytest
from rich.console import Console
from rich.theme import Theme

from qanat.cli import console as consoles
from qanat.cli import summary
from qanat.cli.live_view import LiveView, Rates
from qanat.cli.row_table import cell_text, readable, row_table
from qanat.cli.text_view import TextView, progress_line
from qanat.engines.native import DatasetProgress, Progress, SourceProgress, StepRows
from qanat.pipelines.load import load


def _drawn(renderable, width=100):
    out = Console(file=io.StringIO(), width=width, theme=Theme(consoles.STYLES), highlight=False)
    out.print(renderable)
    return [line.rstrip() for line in out.file.getvalue().splitlines()]


def _progress(at_s, rows, **more):
    dataset = DatasetProgress(
        rows_in=rows,
        rows_out=rows - 10,
        dead={"decode": 10} if rows else {},
        steps=1,
        rows_dead=10 if rows else 0,
    )
    return Progress(
        state="running", epoch=3, elapsed_s=at_s, bytes_read=rows * 100, datasets={"clean": dataset}, **more
    )


def test_rates_are_of_the_last_steps():
    rates = Rates(over_s=2.0)
    assert rates.bytes_per_s() == 0
    for second in range(1, 10):
        rates.add(_progress(float(second), 1000 * second * second))
    assert rates.rows_per_s("clean") == pytest.approx((81 - 49) * 1000 / 2)
    assert rates.bytes_per_s() == pytest.approx((81 - 49) * 100_000 / 2)
    assert rates.rows_per_s("other") == 0


def test_a_long_step_does_not_look_like_a_stop():
    rates = Rates(over_s=2.0)
    rates.add(_progress(1.0, 1000))
    for second in range(2, 60):
        rates.add(_progress(float(second), 1000))
    assert rates.rows_per_s("clean") == pytest.approx(1000)


def test_the_step_in_hand_is_shown():
    progress = _progress(1.0, 1000)
    progress.step = {"clean": StepRows(rows_in=100, rows_out=90, rows_dead=10), "new": StepRows(rows_in=5)}
    assert progress.datasets["clean"].rows_in == 1000
    line = progress_line(progress)
    assert "clean 1,100 in, 1,080 out, 20 dead" in line
    assert "new 5 in, 0 out" in line


def test_numbers_as_people_read_them():
    assert [consoles.size(n) for n in (0, 999, 61_300_000, 2e9, 3.4e12)] == [
        "0 B",
        "999 B",
        "61.3 MB",
        "2.0 GB",
        "3.4 TB",
    ]
    assert [consoles.short(n) for n in (0, 9_999, 41_200, 3.1e6, 2e9)] == [
        "0",
        "9,999",
        "41.2 k",
        "3.1 M",
        "2.0 G",
    ]
    assert [consoles.clock(s) for s in (0, 83, 3_723)] == ["0:00", "1:23", "1:02:03"]
    assert [consoles.duration(s) for s in (0.384, 12.41, 185)] == ["0.38 s", "12.4 s", "3:05"]
    assert [consoles.plural(n, "step") for n in (0, 1, 1200)] == ["0 steps", "1 step", "1,200 steps"]


def test_a_line_of_progress():
    assert progress_line(_progress(15.0, 120_000, bytes_waiting=4_000_000)) == (
        "0:15 running, step 3, 12.0 MB (800.0 kB/s, 4.0 MB waiting): clean 120.0 k in, 120.0 k out, 10 dead"
    )


def test_lines_come_every_few_seconds_and_warnings_at_once(write, capsys):
    write("flow.py", "import qanat as qn\n@qn.table\ndef t():\n    return 'SELECT 1 AS x'\n")
    view = TextView()
    view.begin(load("flow.py"), Path("lake"))
    capsys.readouterr()
    view.show(_progress(1.0, 10, warnings=["A file vanished."]))
    view.show(_progress(2.0, 10, warnings=["A file vanished."]))
    assert capsys.readouterr().out == "warning: A file vanished.\n"
    view.show(_progress(6.0, 10))
    view.show(_progress(7.0, 10))
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_the_drawing_has_a_bar_when_what_waits_is_known(monkeypatch):
    view = LiveView()
    monkeypatch.setattr(
        view, "_console", Console(file=io.StringIO(), width=100, theme=Theme(consoles.STYLES))
    )
    times = ("2013-01-05 10:00:00", "2013-01-05 09:00:00", "")  # views go by the least
    sources = {f"s{i}": SourceProgress(watermark=time) for i, time in enumerate(times)}
    progress = _progress(5.0, 10_000, bytes_waiting=3_000_000, sources=sources)
    view._rates.add(progress)
    lines = _drawn(view._drawing(progress))
    assert "running  step 3  0:05" in lines[1]
    assert "25 %" in lines[1]
    assert "1.0 MB of 4.0 MB" in lines[1]
    assert "0:15 left" in lines[1]
    assert any(line.split()[:5] == ["clean", "10,000", "9,990", "–", "10"] for line in lines)
    assert any("events up to 2013-01-05 09:00:00" in line for line in lines)
    without = _drawn(view._drawing(_progress(5.0, 10_000)))
    assert " %" not in without[1]
    assert "left" not in without[1]


def test_many_datasets_do_not_fill_the_screen(monkeypatch):
    view = LiveView()
    monkeypatch.setattr(
        view, "_console", Console(file=io.StringIO(), width=100, theme=Theme(consoles.STYLES))
    )
    progress = Progress(datasets={f"t{i}": DatasetProgress() for i in range(50)})
    assert _drawn(view._drawing(progress))[-1].strip() == "and 34 more"


@pytest.mark.parametrize("width", [80, 120])
def test_the_summary_keeps_its_numbers_whole(width):
    progress = _progress(1.0, 123_456_789)
    text = "\n".join(_drawn(summary.summary_table(progress, width), width))
    assert "123,456,789" in text
    assert "123,456,779" in text
    assert "…" not in text


def test_a_run_without_new_rows_says_so():
    assert summary.headline(Progress(elapsed_s=0.2), None, False).plain == (
        "✓ Done in 0.20 s: 0 steps, 0 B read. Nothing new was there."
    )


def test_values_cannot_steer_the_terminal():
    assert cell_text("a\x1b[31mred\n", "VARCHAR").plain == "a\\x1b[31mred\\n"
    assert readable(b'\xff{"a": 1}\x00') == '\\xff{"a": 1}\\x00'
    assert readable(b"x" * 3000).endswith("… (3,000 bytes)")
    assert cell_text(None, "DOUBLE").plain == "NULL"
    assert cell_text("0.30000000000000004", "DOUBLE").plain == "0.3"
    assert cell_text("nan", "DOUBLE").plain == "nan"


def test_row_tables_fold_columns_that_do_not_fit():
    columns = [f"column_{i}" for i in range(20)]
    lines = _drawn(row_table(columns, ["VARCHAR"] * 20, [["x" * 10] * 20], 80), 80)
    assert any(line.endswith("… 15 more") for line in lines)
    assert all(len(line) <= 80 for line in lines)
    narrow = _drawn(row_table(["a"], ["VARCHAR"], [["y" * 500]], 80), 80)
    assert narrow[-1].endswith("…")
