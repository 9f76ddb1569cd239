"""Pages and helpers around a run: explain, init, doctor, doctests, the generated reference."""

import doctest
import importlib
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

import qanat
from qanat import catalogue
from qanat.cli import doctor_command, exit_codes
from qanat.cli.main import app
from qanat.errors import QanatError, did_you_mean

ROOT = Path(__file__).parents[2]


def qanat_command(*arguments):
    done = CliRunner().invoke(app, arguments)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def _modules():
    names = [m.name for m in pkgutil.walk_packages(qanat.__path__, "qanat.")]
    return [n for n in names if ".template" not in n and not n.endswith(("_core", "__main__"))]


@pytest.mark.parametrize("name", _modules())
def test_examples_in_docstrings_run(name, folder):
    from qanat.pipelines.registry import collecting

    with collecting():
        failed, _ = doctest.testmod(importlib.import_module(name))
    assert failed == 0


def test_every_public_function_has_an_example():
    for name in qanat.__all__:
        thing = getattr(qanat, name)
        if callable(thing) and not isinstance(thing, type) and name != "load":
            assert ">>> " in thing.__doc__, name


def test_pages_from_a_wheel_and_from_a_checkout(tmp_path):
    packaged = tmp_path / "_errors"
    packaged.mkdir()
    (packaged / "a.toml").write_text(
        '[QN-1000]\ntitle = "T"\nwhat = "W"\ndo = "D"\nexample = """\nQN-1000  T\n  at\n"""\n'
    )
    assert catalogue.pages(packaged) == {
        "QN-1000": catalogue.Page("QN-1000", "T", "W", "D", "QN-1000  T\n  at")
    }
    assert "QN-1202" in catalogue.pages()


def test_every_example_begins_with_its_code():
    entries = tomllib.loads((ROOT / "spec/errors.d/python.toml").read_text(encoding="utf-8"))
    for code, entry in entries.items():
        assert entry["example"].strip().startswith(f"{code}  "), code


def test_explain_prints_a_page():
    code, out = qanat_command("explain", "qn1202")
    assert code == 0
    assert out.startswith("QN-1202  A name is taken twice\n")
    assert "  QN-1202  Dataset 'clean' is declared twice.\n    at flows/shop.py:19\n" in out
    assert qanat_command("explain", "1202")[1] == out


def test_explain_lists_all():
    lines = qanat_command("explain")[1].splitlines()
    assert [line.split()[0] for line in lines] == sorted(line.split()[0] for line in lines)
    assert len(lines) == len(catalogue.pages())


def test_messages_guess_near_names_only():
    assert did_you_mean("amout", ["amount", "currency"]) == ["Did you mean 'amount'?"]
    assert did_you_mean("AMOUNT", ["amount"]) == ["Did you mean 'amount'?"]
    assert did_you_mean("x", ["amount"]) == []
    assert did_you_mean("a", []) == []


def test_init_makes_a_pipeline_that_loads(folder):
    code, out = qanat_command("init", "my-shop")
    assert code == 0
    assert "cd my-shop" in out
    made = {str(p.relative_to(folder / "my-shop")) for p in (folder / "my-shop").rglob("*") if p.is_file()}
    assert made >= {"flow.py", "test_flow.py", "qanat.yml", ".gitignore", "data/products.csv"}
    pipeline = qanat.load("my-shop")
    assert pipeline.name == "my_shop"
    assert pipeline.notices == []
    assert pipeline.storage == str(folder / "my-shop" / "lake")
    lines = [
        line
        for p in sorted((folder / "my-shop/data/orders").iterdir())
        for line in p.read_text().splitlines()
    ]
    orders = [json.loads(line) for line in lines if line.startswith("{")]
    assert len(orders) == 60
    assert any(o["customer"] is None for o in orders), "each rule must have something to do"
    assert any(o["price"] < 0 for o in orders)
    assert any(o["customer"] == "test" for o in orders)
    assert any(o["quantity"] > 10 for o in orders)
    assert "not an order" in lines


def test_init_makes_the_same_each_time(folder):
    qanat_command("init", "a")
    qanat_command("init", "b")
    for path in (folder / "a/data").rglob("*.jsonl"):
        assert path.read_bytes() == (folder / "b" / path.relative_to(folder / "a")).read_bytes()


def test_schema_prints_a_declaration_to_paste(write, folder):
    write("in/clicks-1.csv", "id;at\n1;2026-01-01 00:00:00\n")
    os.rename("in/clicks-1.csv", "in/clicks.tsv")  # noqa: PTH104
    Path("in/clicks.tsv").write_text("id\tat\n1\t2026-01-01 00:00:00\n")
    code, out = qanat_command("schema", "in/clicks.tsv")
    assert code == 0
    assert out == (
        'qn.source(\n    "clicks",\n    qn.files("in/clicks.tsv"),\n    format=qn.csv(delimiter="\\t"),\n'
        '    schema="id BIGINT, at TIMESTAMP",\n)\n'
    )
    compile(out, "out", "exec")


def test_long_schemas_break_into_lines_that_still_parse():
    from qanat.engines.inference import schema_literal
    from qanat.pipelines import schema as schemas

    wanted = [(f"column {i}" if i % 5 == 0 else f"column_{i}", "DECIMAL(18,3)") for i in range(30)]
    lines = schema_literal(wanted, "    schema=")
    assert len(lines) > 5
    text = eval("\n".join(lines))
    assert [(c.name, c.type) for c in schemas.columns(text, "s", "w")] == wanted


def test_doctor_finds_the_machine_sound(engine, folder):
    code, out = qanat_command("doctor")
    assert code == 0
    for word in ("qanat", "engine", "DuckDB", "machine", "storage", "disk", "lock"):
        assert re.search(rf"^[✓!] +{word} ", out, re.MULTILINE), out
    assert "All is well." in out or "It will run" in out
    assert list(folder.iterdir()) == [], "doctor leaves nothing behind"


def test_doctor_tells_what_is_missing(engine, folder, monkeypatch):
    monkeypatch.setenv("QANAT_DUCKDB", "/no/libduckdb.so")
    code, out = qanat_command("doctor")
    assert code == exit_codes.FAILED
    assert "✗  DuckDB   no library from $QANAT_DUCKDB: /no/libduckdb.so" in out
    assert "A run would fail; see what is marked." in out


def test_doctor_sees_a_storage_that_cannot_be_written(folder):
    (folder / "file").write_text("x")
    found = {f.what: f for f in doctor_command.findings(folder / "file" / "lake")}
    assert found["storage"].level == "bad"


def test_doctor_sees_who_holds_the_lock(folder):
    lock = folder / "lake" / "_qanat" / "lock"
    lock.parent.mkdir(parents=True)
    lock.write_text(json.dumps({"pid": 4711, "host": "here", "since_ms": 0}))
    assert doctor_command._lock(folder / "lake").found == "free"
    holder = subprocess.Popen(
        [sys.executable, "-c", "import fcntl,sys; f=open(sys.argv[1],'r+'); fcntl.flock(f,2); print(1,flush=True); sys.stdin.read()",
         str(lock)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        holder.stdout.readline()
        finding = doctor_command._lock(folder / "lake")
        assert finding.level == "warn"
        assert finding.found.startswith("held by process 4711 since 1970-01-01")
    finally:
        holder.communicate()


def test_sync_times_are_milliseconds(tmp_path):
    ticks = iter(range(1000))
    with (tmp_path / "f").open("wb") as file:
        assert doctor_command._sync_times(file.fileno(), lambda: float(next(ticks))) == [1000.0] * 16


def test_failures_go_to_standard_error_without_colour_in_pipes(capsys):
    from qanat.cli.console import print_failure

    print_failure(QanatError("QN-1202", "Twice.", ["at a.py:1"]))
    assert capsys.readouterr() == ("", "QN-1202  Twice.\n  at a.py:1\n")


def test_exit_codes_are_documented():
    page = (ROOT / "docs/reference/exit-codes.md").read_text(encoding="utf-8")
    for code, (name, _) in exit_codes.MEANINGS.items():
        assert f"| {code} | {name} |" in page


def test_the_reference_is_that_of_this_code():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools/reference.py"), "--check"], capture_output=True, text=True,
        env={**os.environ, "PYTHONPATH": str(Path(qanat.__file__).parents[1])}, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_command_is_quick_to_help():
    """No engine, no DuckDB, no view is loaded to show help."""
    code = (
        "import sys; from qanat.cli.main import app\n"
        "try:\n    app(['--help'], standalone_mode=False)\nfinally:\n"
        "    print([m for m in ('duckdb', 'qanat._core', 'qanat.cli.run_command', 'yaml') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.endswith("[]\n")
    assert shutil.which(sys.executable)
