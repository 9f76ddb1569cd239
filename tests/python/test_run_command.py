"""`qanat run`, `dry-run` and `graph` over a stand-in engine: options, exit codes, what is printed, signals."""

import json
import os
import signal
import threading

import pytest
from typer.testing import CliRunner

import fake_core
from qanat.cli import exit_codes
from qanat.cli.main import app, main
from qanat.cli.run_command import Stops
from qanat.engines.native import Engine

FLOW = """
import qanat as qn
qn.source("events", qn.files("*.jsonl"), schema="id BIGINT")
@qn.expect_or_quarantine("has_aircraft", "id > 0")
@qn.table
def flights():
    return "FROM events"
@qn.temporary_view
def between():
    return "FROM flights"
@qn.materialized_view
def delays():
    return "SELECT count(*) AS n FROM between"
"""


@pytest.fixture
def pipeline(write, engine, folder):
    write("flow.py", FLOW)
    write("a.jsonl", '{"id": 1}\n')
    return folder


def qanat(*arguments):
    """Exit code, standard output, standard error."""
    done = CliRunner().invoke(app, arguments)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def main_exit(monkeypatch, *arguments):
    """The exit code of the real entry point, where failures become messages."""
    monkeypatch.setattr("sys.argv", ["qanat", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return caught.value.code or 0


def test_a_run_ends_with_a_summary_and_what_to_do_next(pipeline):
    code, out, _ = qanat("run", "flow.py")
    lines = [line.rstrip() for line in out.splitlines()]
    assert code == 0
    assert lines[0] == "qanat run flow.py: 3 datasets, into lake"
    assert any(line.startswith("✓ Done in ") and "5 steps, 61.5 MB read" in line for line in lines)
    table = [line.split() for line in lines]
    assert ["flights", "336,775", "327,345", "8,255", "470", "5", "1.75", "35.1"] in table
    assert ["has_aircraft", "455"] in table
    assert ["decode", "15"] in table
    assert ["departed", "8,255"] in table
    assert ["delay_known", "kept", "1,175"] in table
    assert lines[-4:] == [
        "Where to look next",
        '  qanat query "SELECT * FROM delays LIMIT 10"',
        "  qanat dlq show flights   rows that were set aside, as they came",
        "  qanat graph flow.py   what reads what",
    ]


def test_options_reach_the_engine(pipeline):
    code, out, _ = qanat(
        "run", "flow.py", "--storage", "other dir", "--memory", "2GB", "--threads", "3", "--continuous", "--trigger",
        "1.5s", "--refresh", "Flights,delays", "--full-refresh", "flights",
    )  # fmt: skip
    assert code == 0
    last = engine_last()
    assert last.spec["storage"] == str(pipeline / "other dir")
    assert last.spec["options"]["memory"] == "2GB"
    assert last.spec["options"]["threads"] == 3
    assert last.spec["library"].endswith(".so")
    assert last.options == {
        "continuous": True, "refresh": ["flights", "delays"], "full_refresh": ["flights"], "trigger_ms": 1500,
    }  # fmt: skip
    assert "--storage 'other dir'" in out


def engine_last():
    return fake_core.Engine.last


def test_full_refresh_of_all(pipeline):
    assert qanat("run", "flow.py", "--full-refresh-all")[0] == 0
    assert engine_last().options["full_refresh"] == "all"


def test_the_spec_file_gives_storage_and_limits(write, pipeline):
    write("qanat.yml", "name: shop\nstorage: data/lake\nlibraries: [{glob: {include: flow.py}}]\n"
          "configuration: {qanat.memory: 3GB, qanat.threads: 2, qanat.trigger: 1s}\n")  # fmt: skip
    assert qanat("run")[0] == 0
    assert engine_last().spec["name"] == "shop"
    assert engine_last().spec["storage"] == str(pipeline / "data/lake")
    assert engine_last().spec["options"] == {"memory": "3GB", "threads": 2, "step_bytes_max": 0, "app_id": ""}
    assert engine_last().options["trigger_ms"] == 1000
    assert qanat("run", "--spec", "qanat.yml", "--storage", "x", "--memory", "1GB")[0] == 0
    assert engine_last().spec["storage"] == str(pipeline / "x")
    assert engine_last().spec["options"]["memory"] == "1GB"


def test_json_lines_one_a_change_of_state(pipeline, engine):
    code, out, _ = qanat("run", "flow.py", "--log", "json")
    events = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert events[0]["event"] == "begin"
    assert events[0]["datasets"] == ["flights", "between", "delays"]
    end = events[-1]
    assert (end["event"], end["outcome"], end["exit_code"], end["error"]) == ("end", "done", 0, None)
    assert end["datasets"]["flights"]["dead"] == {"decode": 15, "has_aircraft": 455}
    assert all("time" in event for event in events)
    assert sum(e["event"] == "state" and e["state"] == "done" for e in events) == 1


def test_a_failure_in_the_run(pipeline, engine, monkeypatch, capsys):
    engine.failure = fake_core.CoreError("QN-3103", "The disk is full.", ["at lake/flights"], "retryable")
    assert main_exit(monkeypatch, "run", "flow.py") == exit_codes.LATER
    out, err = capsys.readouterr()
    assert "✗ Failed after" in out
    assert "Where to look next" not in out
    assert err == "QN-3103  The disk is full.\n  at lake/flights\n"
    engine.failure = fake_core.CoreError("QN-2103", "Cannot read.", [])
    assert main_exit(monkeypatch, "run", "flow.py") == exit_codes.FAILED
    engine.failure = fake_core.CoreError("QN-3503", "A row breaks a rule.", [], "invalid")
    assert main_exit(monkeypatch, "run", "flow.py") == exit_codes.RULE


def test_a_failure_as_json(pipeline, engine):
    engine.failure = fake_core.CoreError("QN-3103", "The disk is full.", ["at lake"], "retryable")
    code, out, _ = qanat("run", "flow.py", "--log", "json")
    end = json.loads(out.splitlines()[-1])
    assert code == end["exit_code"] == exit_codes.LATER
    assert end["outcome"] == "failed"
    assert end["error"] == {
        "code": "QN-3103",
        "text": "The disk is full.",
        "lines": ["at lake"],
        "kind": "retryable",
    }


def test_what_the_engine_refuses_is_a_failed_check(pipeline, engine, monkeypatch, capsys):
    engine.check_failure = fake_core.CoreError(
        "QN-1203", "Column 'amout' does not exist.", ["at flow.py:4"], "invalid"
    )
    for command in ("run", "dry-run", "graph"):
        assert main_exit(monkeypatch, command, "flow.py") == exit_codes.CHECKS
        out, err = capsys.readouterr()
        assert out == ""
        assert err == "QN-1203  Column 'amout' does not exist.\n  at flow.py:4\n"


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "no.py"], exit_codes.CHECKS, "QN-1101  There is no file 'no.py'."),
        (["run", "flow.py", "--memory", "lots"], exit_codes.USAGE, "QN-1301  --memory lots is no size."),
        (["run", "flow.py", "--threads", "-1"], exit_codes.USAGE, "QN-1301  --threads -1 cannot be."),
        (["run", "flow.py", "--trigger", "soon"], exit_codes.USAGE, "QN-1301  --trigger soon is no time."),
        (["run", "flow.py", "--trigger", "99h"], exit_codes.USAGE, "QN-1301  --trigger 99h is longer than a day."),
        (["run", "flow.py", "--spec", "q.yml"], exit_codes.USAGE, "QN-1302  Both FILE and --spec are given."),
        (["run", "flow.py", "--log", "xml"], exit_codes.USAGE, "QN-1303  --log xml is not known."),
        (["run", "flow.py", "--refresh", "flight"], exit_codes.USAGE, "QN-1304  --refresh names 'flight', which is"),
        (["run", "flow.py", "--refresh", "between"], exit_codes.USAGE, "QN-1304  --refresh names 'between', which"),
        (["graph", "flow.py", "--format", "png"], exit_codes.USAGE, "QN-1303  --format png is not known."),
        (["graph", "flow.py", "-o", "a.png"], exit_codes.USAGE, "QN-1303  The ending of 'a.png' is not known."),
        (["graph", "flow.py", "-o", "no/a.svg"], exit_codes.FAILED, "QN-1314  'no/a.svg' cannot be written: No such"),
        (["explain", "QN-0000"], exit_codes.USAGE, "QN-1308  There is no code 'QN-0000'."),
        (["query", "SELECT 1", "--format", "jsn"], exit_codes.USAGE, "QN-1303  --format jsn is not known."),
        (["init", "flow.py"], exit_codes.USAGE, "QN-1313  There is a 'flow.py' already."),
        (["init", "/"], exit_codes.USAGE, "QN-1313  '/' cannot be a pipeline's name."),
        (["schema", "a.log"], exit_codes.USAGE, "QN-1303  What 'a.log' holds cannot be told from its ending."),
        (["schema", "no*.csv"], exit_codes.FAILED, "QN-1309  'no*.csv' cannot be looked into."),
    ],
)  # fmt: skip
def test_exit_codes_of_what_is_refused(pipeline, monkeypatch, capsys, arguments, code, message):
    assert main_exit(monkeypatch, *arguments) == code
    assert capsys.readouterr().err.startswith(message)


def test_an_unknown_option_is_usage(pipeline, monkeypatch, capsys):
    assert main_exit(monkeypatch, "run", "--no-such") == exit_codes.USAGE
    assert "--no-such" in capsys.readouterr().err


def test_a_bug_of_ours_says_so(pipeline, engine, monkeypatch, capsys):
    monkeypatch.setattr(Engine, "describe", lambda self: 1 / 0)
    assert main_exit(monkeypatch, "dry-run", "flow.py") == exit_codes.BUG
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "QN-9050  This is a bug of Qanat: ZeroDivisionError.\n" in err


def test_signals_stop_after_the_step_then_at_once(engine):
    said = []
    stops = Stops(engine(json.dumps({"datasets": []}), []))
    stops.tell_through(said.append)
    asked = stops._engine.stops
    before = signal.getsignal(signal.SIGINT)
    stops._engine.stop = lambda *, now: asked.append(now)
    with stops.installed():
        os.kill(os.getpid(), signal.SIGINT)
        assert (asked, stops.exit_code) == ([False], exit_codes.INTERRUPTED)
        os.kill(os.getpid(), signal.SIGINT)
        assert asked == [False, True]
        os.kill(os.getpid(), signal.SIGTERM)
        assert (asked, stops.exit_code) == ([False, True], exit_codes.TERMINATED)
    assert signal.getsignal(signal.SIGINT) is before
    assert said == [
        "Ending after this step. Again to end at once; both are safe.",
        "Ending at once. The step in hand is not committed; the next run repeats it.",
    ]


def test_a_stopped_run_says_so_and_leaves_with_130(pipeline, engine, monkeypatch):
    run = fake_core.Engine.run

    def waits_for_the_stop(self, options):
        while not self.stops:
            os.kill(os.getpid(), signal.SIGINT)
            self._stopped.wait(10)
        run(self, options)

    def stop(self, now):
        self.stops.append(now)
        self._stopped.set()

    monkeypatch.setattr(fake_core.Engine, "_stopped", threading.Event(), raising=False)
    monkeypatch.setattr(fake_core.Engine, "run", waits_for_the_stop)
    monkeypatch.setattr(fake_core.Engine, "stop", stop)
    code, out, _ = qanat("run", "flow.py")
    assert code == exit_codes.INTERRUPTED
    assert "Ending after this step." in out
    assert "■ Stopped in " in out


def test_a_dry_run_shows_what_would_be_made(pipeline):
    code, out, _ = qanat("dry-run", "flow.py")
    assert code == 0
    assert out.splitlines() == [
        "flights  table  id BIGINT",
        "between  temporary view  id BIGINT",
        "delays  materialized view  id BIGINT",
        "✓ flow.py is sound: 3 datasets. Nothing was started.",
    ]
    assert not (pipeline / "lake").exists()


def test_graph_formats(pipeline, capfd):
    code, out, _ = qanat("graph", "flow.py")
    assert code == 0
    assert "flights  table  flow.py:4" in out
    assert qanat("graph", "flow.py", "-o", "g.svg")[0] == 0
    assert qanat("graph", "flow.py", "-o", "g.html")[0] == 0
    assert (pipeline / "g.svg").read_text().startswith("<svg ")
    assert (pipeline / "g.html").read_text().startswith("<!doctype html>")
    assert qanat("graph", "flow.py", "--format", "svg")[1].startswith("<svg ")


def test_version_and_help():
    from qanat import __version__

    assert qanat("--version")[1] == f"qanat {__version__}\n"
    assert qanat("-h")[0] == 0
    for command in ("init", "run", "dry-run", "graph", "schema", "query", "explain", "doctor", "dlq"):
        assert qanat(command, "--help")[0] == 0
