"""Every fail point of the engine, passed by a small pipeline, killed or failing at its passes: after a restart
each line of the input is where it belongs, once.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import lake
import pytest
from incarnation import Lives
from shop import FUNCTIONS, Shop

CORE = Path(__file__).parents[2] / "core"
POINTS = sorted(
    {
        name
        for source in CORE.rglob("*.cc")
        if not source.name.endswith("_test.cc")
        for name in re.findall(r'QN_FAIL\("([^"]+)"\)', source.read_text())
    }
)
# Where "it did not happen, try again" ends the run instead: nothing is at stake there, the next run goes on.
RETRY_ENDS_THE_RUN = {"run.acknowledge.before", "run.acknowledge.after", "delta.sweep.before"}


def test_the_pipeline_passes_every_fail_point(lives: Lives, shop_with_lines: Shop) -> None:
    outcome = lives.live(shop_with_lines.spec(), functions=FUNCTIONS)
    assert outcome.ok, outcome
    assert len(POINTS) > 20
    assert sorted(set(POINTS) - set(outcome.passed)) == []
    shop_with_lines.check()


def test_the_ledger_notices_a_line_lost_and_a_line_doubled(lives: Lives, shop_with_lines: Shop) -> None:
    """The check of all tests here can fail."""
    assert lives.live(shop_with_lines.spec(), functions=FUNCTIONS).ok
    file = next(iter(shop_with_lines.lines))
    line = next(line for line in shop_with_lines.lines[file] if line.number == 1)
    shop_with_lines.lines[file].append(line)
    with pytest.raises(AssertionError, match=r"table clean:\nlost 1x \('1', 'pear'"):
        shop_with_lines.check()
    shop_with_lines.lines[file].pop()
    shop_with_lines.lines[file][line.number] = shop_with_lines.lines[file][2]  # 2 is filtered
    with pytest.raises(AssertionError, match=r"table clean:\ntoo much 1x \('1', 'pear'"):
        shop_with_lines.check()


@pytest.mark.parametrize("nth", [1, 2, 3])
@pytest.mark.parametrize("point", POINTS)
def test_killed(lives: Lives, shop_with_lines: Shop, point: str, nth: int) -> None:
    outcome = lives.live(shop_with_lines.spec(), functions=FUNCTIONS, fail=f"{point}=kill@{nth}")
    # A point that is passed off the steps' path, or once a run, may not be passed so often.
    assert outcome.killed or outcome.ok, outcome
    assert outcome.killed or nth > 1, f"{point} was not passed at all"
    again = lives.live(shop_with_lines.spec(), functions=FUNCTIONS)
    assert again.ok, again
    shop_with_lines.check()


@pytest.mark.parametrize("action", ["error", "unknown", "retry"])
@pytest.mark.parametrize("point", POINTS)
def test_failing(lives: Lives, shop_with_lines: Shop, point: str, action: str) -> None:
    outcome = lives.live(shop_with_lines.spec(), functions=FUNCTIONS, fail=f"{point}={action}@2!")
    if outcome.error is not None:
        assert outcome.error["code"] == "QN-9002", outcome
        assert f"Fail point '{point}' was armed with '{action}'." in outcome.error["message"]
        assert action != "retry" or point in RETRY_ENDS_THE_RUN, outcome
    shop_with_lines.write("b.jsonl", 5)
    again = lives.live(shop_with_lines.spec(), functions=FUNCTIONS)
    assert again.ok, again
    shop_with_lines.check()


# The commit's number: a recovery makes up to seven before anything new, one a table.
@pytest.mark.parametrize(
    ("point", "nth"), [("run.compute.after", 2), ("checkpoint.put.after", 2), ("run.commit.before", 9)]
)
def test_killed_again_and_again(lives: Lives, shop_with_lines: Shop, point: str, nth: int) -> None:
    """Each life dies a little later than the one before: every one gets a step further."""
    shop_with_lines.step_bytes_max = 600
    deaths = 0
    for _ in range(100):
        outcome = lives.live(shop_with_lines.spec(), functions=FUNCTIONS, fail=f"{point}=kill@{nth}")
        if outcome.ok:
            break
        deaths += 1
    assert outcome.ok, f"no end after {deaths} deaths"
    assert deaths >= 3
    shop_with_lines.check()


FLOW = """
import qanat as qn

qn.source("lines", qn.files("{input}/*.jsonl"), format=qn.json(), schema="id BIGINT, name VARCHAR")

@qn.table
def kept():
    return "SELECT id FROM lines"
"""


def command(shop: Shop, armed: str) -> subprocess.CompletedProcess[str]:
    """A run of its own process, with fail points armed from outside."""
    flow = shop.folder / "flow.py"
    flow.write_text(FLOW.format(input=shop.input))
    return subprocess.run(
        [sys.executable, "-m", "qanat", "run", str(flow), "--storage", str(shop.storage)],
        env=os.environ | {"QANAT_FAIL": armed},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_armed_by_the_environment(shop_with_lines: Shop) -> None:
    shop = shop_with_lines
    killed = command(shop, "run.commit.before=kill")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not list(shop.storage.glob("kept/_delta_log/*.json"))
    assert list(shop.storage.glob("kept/*.parquet"))
    again = command(shop, "")
    assert again.returncode == 0, again.stderr
    assert lake.live_files(shop.storage / "kept")


def test_armed_wrongly_by_the_environment(shop_with_lines: Shop) -> None:
    refused = command(shop_with_lines, "kill")
    assert refused.returncode == 70  # of all that is ours
    assert "QN-9003  A fail point is armed as name=action[@nth], found 'kill'." in refused.stderr
