"""The law: for any input, cut into any steps, with any crashes between, the stored result equals DuckDB's answer to
the same SQL over the whole input.

Hypothesis draws rows, cuts, pipelines, lives and deaths (worlds.py). In CI the examples are the same each time;
QANAT_LAW_EXAMPLES=5000 draws so many others; QANAT_LAW_SHRINK=1 makes a failing one small.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import lake
import pytest
import specs
from hypothesis import HealthCheck, Phase, given, settings
from incarnation import Lives
from worlds import (
    COLUMNS,
    NEXT_RULE,
    NEXT_SQL,
    REFERENCE,
    SCHEMA,
    TOTALS_SQL,
    TWICE_SQL,
    VIEW,
    File,
    Life,
    World,
    worlds,
)

EXAMPLES = int(os.environ.get("QANAT_LAW_EXAMPLES", "60"))
IN_CI = "QANAT_LAW_EXAMPLES" not in os.environ
HIDDEN = ", qn_raw, qn_source, qn_file, qn_line"


# ---- the engine's side ----


def spec_of(world: World, folder: Path) -> dict[str, Any]:
    plan = world.plan
    sources = [
        specs.source(name, folder / name / "*.jsonl*", SCHEMA)
        for name in sorted({f.source for f in world.files})
    ]
    datasets = [specs.dataset("t", *plan.text(""), rules=plan.rules, partition_cols=plan.partition_cols)]
    if plan.reads_view:
        datasets.insert(0, specs.dataset("v", VIEW.replace("{h}", ""), kind="temporary_view"))
    if plan.has_next:
        datasets.append(specs.dataset("next", NEXT_SQL, rules=[NEXT_RULE]))
    if plan.has_function:
        twice = specs.dataset("twice", TWICE_SQL)
        datasets.append(specs.function_of(twice, 0, "twice", "id BIGINT, twice BIGINT"))
    if plan.has_totals:
        datasets.append(specs.dataset("totals", TOTALS_SQL, kind="materialized_view"))
    return specs.pipeline(
        folder / "lake",
        sources,
        datasets,
        references=[{"name": "ref", "where": "flow.py:ref", "sql": REFERENCE}],
        step_bytes_max=world.step_bytes_max,
    )


def append(files: list[File], folder: Path, number: int) -> bool:
    """Brings the pieces of a round; whether every file now ends where a bounded run may take its last record."""
    ends_whole = True
    for file in files:
        path = folder / file.source / file.name
        path.parent.mkdir(exist_ok=True)
        new = b"".join(p for p, at in zip(file.pieces, file.rounds, strict=True) if at == number)
        if new:
            with path.open("ab") as out:
                out.write(new)
        there = b"".join(p for p, at in zip(file.pieces, file.rounds, strict=True) if at <= number)
        rest = b"".join(file.pieces)[len(there) :]
        ends_whole = ends_whole and (not there or not rest or there.endswith(b"\n") or rest.startswith(b"\n"))
    return ends_whole


def lead(lives: Lives, spec: dict[str, Any], life: Life, *, may_be_bounded: bool) -> None:
    outcome = lives.live(
        spec,
        fail=life.fail,
        options=life.options,
        functions=["twice"],
        until_idle=life.is_continuous or not may_be_bounded,
    )
    if outcome.error is not None:
        assert outcome.error["code"] == "QN-9002" and life.fail, outcome
    assert not outcome.killed or "kill" in life.fail, outcome


# ---- DuckDB's side ----


def load(db: duckdb.DuckDBPyConnection, world: World, folder: Path) -> Counter[Any]:
    """Tables of whole sources; gives the dead letters of lines that are no rows, a reader's worth."""
    broken: Counter[Any] = Counter()
    for name in ("a", "b"):
        db.execute(
            f"CREATE TABLE {name} ({SCHEMA}, qn_raw BLOB, qn_source VARCHAR, qn_file VARCHAR, qn_line BIGINT)"
        )
    casts = ", ".join(f"CAST(? AS {kind})" for kind in COLUMNS.values())
    for file in world.files:
        path = str(folder / file.source / file.name)
        for number, line in enumerate(file.lines, start=1):
            if line.row is None:
                broken["decode", None, line.raw, file.source, path, number] += 1
                continue
            values = [format(v, "f") if isinstance(v, Decimal) else v for v in line.row.values()]
            db.execute(
                f"INSERT INTO {file.source} VALUES ({casts}, ?, ?, ?, ?)",
                [*values, line.raw, file.source, path, number],
            )
    db.execute(f"CREATE TABLE ref AS {REFERENCE}")
    hidden = VIEW.replace("{h}", "")
    db.execute(f"CREATE VIEW v AS {hidden}")
    return broken


def apply_rules(db: duckdb.DuckDBPyConnection, name: str, rules: list[tuple[str, str, str]]) -> None:
    """Table ``<name>_all`` becomes ``name``, and ``<name>_dead`` with the column qn_rules."""
    broken = {n: f"NOT coalesce(({condition})::BOOLEAN, false)" for n, condition, _ in rules}
    quarantines = [n for n, _, action in rules if action == "quarantine"]
    drops = [n for n, _, action in rules if action == "drop"]
    bad = " OR ".join(broken[n] for n in quarantines) or "false"
    gone = " OR ".join(broken[n] for n in drops) or "false"
    texts = ", ".join(f"CASE WHEN {broken[n]} THEN '{n}' END" for n in quarantines) or "NULL"
    db.execute(f"CREATE TABLE {name} AS SELECT * FROM {name}_all WHERE NOT ({bad}) AND NOT ({gone})")
    db.execute(
        f"CREATE TABLE {name}_dead AS SELECT *, concat_ws(',', {texts}) AS qn_rules FROM {name}_all WHERE {bad}"
    )
    counted = db.execute(
        f"SELECT (SELECT count(*) FROM {name}_all) - (SELECT count(*) FROM {name}) - (SELECT count(*) FROM {name}_dead)"
        f" - (SELECT count(*) FROM {name}_all WHERE NOT ({bad}) AND ({gone}))"
    ).fetchone()
    assert counted == (0,), "each row is in the table, a dead letter or dropped"


def answer(db: duckdb.DuckDBPyConnection, world: World, folder: Path) -> dict[str, Counter[Any]]:
    """Dead letters of each dataset; its rows are in the table of its name, beside columns that begin with qn_."""
    plan = world.plan
    dead = {"t": load(db, world, folder)}
    if len(plan.sql) == 1 and plan.base != "union":
        sources = {"a"}
        dead["t"] = Counter({k: n for k, n in dead["t"].items() if k[3] in sources})
    whole = " UNION ALL ".join(f"({sql})" for sql in plan.text(HIDDEN))
    db.execute(f"CREATE TABLE t_all AS {whole}")
    apply_rules(db, "t", plan.rules)
    found = db.execute(
        "SELECT 'expectation', qn_rules, qn_raw, qn_source, qn_file, qn_line FROM t_dead"
    ).fetchall()
    dead["t"].update(found)
    if plan.has_next:
        db.execute(f"CREATE TABLE next_all AS {NEXT_SQL}")
        apply_rules(db, "next", [NEXT_RULE])
        raw = "encode(to_json({'id': id, 'k': k, 'd': d})::VARCHAR)"
        dead["next"] = Counter(
            db.execute(f"SELECT 'expectation', qn_rules, {raw}, 't', NULL, NULL FROM next_dead").fetchall()
        )
    if plan.has_function:
        double = "CASE WHEN abs(id::HUGEINT) < 4611686018427387904 THEN id * 2 ELSE id END"
        db.execute(
            f"CREATE TABLE twice AS SELECT id, {double} AS twice FROM ({TWICE_SQL}) WHERE id IS DISTINCT FROM 13"
        )
        db.execute(f"CREATE TABLE twice_dead AS FROM ({TWICE_SQL}) WHERE id = 13")
        dead["twice"] = Counter(
            db.execute(
                """SELECT 'udf', NULL, '{"id": 13}'::BLOB, 'twice', NULL, NULL FROM twice_dead"""
            ).fetchall()
        )
    if plan.has_totals:
        db.execute(f"CREATE TABLE totals AS {TOTALS_SQL}")
    return dead


# ---- and both ----


def check_rows(db: duckdb.DuckDBPyConnection, name: str, table: Path, partition_cols: list[str]) -> None:
    described = [
        (c[0], c[1]) for c in db.execute(f"DESCRIBE {name}").fetchall() if not c[0].startswith("qn_")
    ]
    lake.view(db, "stored", table, ", ".join(f'"{column}" {kind}' for column, kind in described))
    columns = ", ".join(f'"{column}"' for column, _ in described)
    if "k" in partition_cols:  # Delta takes the empty text for NULL there
        db.execute(f"UPDATE {name} SET k = nullif(k, '')")
    wanted = lake.rows(db, f"SELECT {columns} FROM {name}")
    problem = lake.difference(wanted, lake.rows(db, f"SELECT {columns} FROM stored"))
    assert not problem, f"table {name}:\n{problem}"
    assert lake.orphans(table) == [], name


LETTERS = "reason VARCHAR, rule VARCHAR, raw BLOB, source VARCHAR, file VARCHAR, line BIGINT"


def check_dead_letters(db: duckdb.DuckDBPyConnection, name: str, table: Path, wanted: Counter[Any]) -> None:
    lake.view(db, "letters", table, LETTERS + ", detail VARCHAR, epoch BIGINT, time TIMESTAMPTZ")
    found = Counter(
        db.execute(
            "SELECT reason, nullif(rule, ''), raw, source, nullif(file, ''), nullif(line, 0) FROM letters"
        ).fetchall()
    )
    problem = lake.difference(wanted, found)
    assert not problem, f"dead letters of {name}:\n{problem}"
    assert not table.exists() or lake.orphans(table) == [], table.name


def check(world: World, folder: Path) -> None:
    with duckdb.connect() as db:
        dead = answer(db, world, folder)
        names = ["t"] + [n for n in ("next", "twice", "totals") if getattr(world.plan, HAS[n])]
        for name in names:
            check_rows(db, name, folder / "lake" / name, world.plan.partition_cols if name == "t" else [])
            check_dead_letters(db, name, folder / "lake" / f"{name}__dead_letters", dead.get(name, Counter()))


HAS = {"next": "has_next", "twice": "has_function", "totals": "has_totals"}


@settings(
    max_examples=EXAMPLES,
    derandomize=IN_CI,
    deadline=None,
    database=None,
    print_blob=True,
    # Shrinking takes many lives, and minutes: only where somebody waits for it.
    phases=[p for p in Phase if p is not Phase.shrink or "QANAT_LAW_SHRINK" in os.environ],
    report_multiple_bugs=False,
    suppress_health_check=list(HealthCheck),
)
@given(world=worlds())
def test_any_input_any_steps_any_crashes(lives: Lives, world: World) -> None:
    folder = Path(tempfile.mkdtemp(prefix="law-"))
    try:
        spec = spec_of(world, folder)
        for number, round_lives in enumerate(world.rounds):
            ends_whole = append(world.files, folder, number)
            for life in round_lives:
                lead(lives, spec, life, may_be_bounded=ends_whole)
        lead(lives, spec, Life("", False, {}), may_be_bounded=True)
        check(world, folder)
    finally:
        shutil.rmtree(folder)


@pytest.mark.parametrize("harm", ["lost", "doubled"])
def test_the_check_notices(lives: Lives, tmp_path: Path, harm: str) -> None:
    """The comparison can fail: a row that was lost, and one that came twice."""
    from worlds import File, Line, Plan

    lines = [Line(b'{"id": %d}' % i, dict.fromkeys(COLUMNS) | {"id": i}) for i in range(5)]
    plan = Plan("projection", ("SELECT id, k, d{h} FROM a",), [], [], False, False, False)
    file = File("a", "0.jsonl", lines, [b"".join(line.raw + b"\n" for line in lines)], [0])
    world = World(plan, [file], [], 0)
    append([file], tmp_path, 0)
    lead(lives, spec_of(world, tmp_path), Life("", False, {}), may_be_bounded=True)
    check(world, tmp_path)
    file.lines = lines[:-1] if harm == "doubled" else [*lines, lines[0]]
    with pytest.raises(AssertionError, match="too much 1x" if harm == "doubled" else "lost 1x"):
        check(world, tmp_path)
