"""A test that should run and was skipped fails the run."""

import pathlib

import pytest

import skipped

PYTEST = """<testsuites><testsuite>
<testcase classname="tests.a" name="ran"/>
<testcase classname="tests.a" name="not"><skipped message="no broker"/></testcase>
</testsuite></testsuites>"""
GTEST = """<testsuites><testsuite name="A">
<testcase name="Ran" status="run" result="completed" classname="A"/>
<testcase name="Off" status="notrun" result="suppressed" classname="A"/>
</testsuite></testsuites>"""


@pytest.mark.parametrize(
    ("report", "allowed", "code", "said"),
    [
        (PYTEST, {}, 1, "skipped, but should run: tests.a.not: no broker"),
        (PYTEST, {"tests.a.*": "needs a broker"}, 0, "1 tests ran, 1 were skipped"),
        (GTEST, {}, 1, "skipped, but should run: A.Off: not run"),
        (GTEST.replace("notrun", "run"), {}, 0, "2 tests ran, 0 were skipped"),
        ("<testsuites/>", {}, 1, "0 tests ran, 0 were skipped"),
    ],
)
def test_skips(
    tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str],
    report: str,
    allowed: dict[str, str],
    code: int,
    said: str,
) -> None:
    (tmp_path / "report.xml").write_text(report)
    assert skipped.main(tmp_path, allowed) == code
    assert said in capsys.readouterr().out
