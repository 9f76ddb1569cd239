"""Nexmark q0 to q22 as views over one stream of events; answers of the small size hold in the harness as well."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import duckdb
import pytest
from incarnation import Lives
from nexmark.generate import COLUMNS, REFERENCES, event
from plans import cut, death
from rows import Stream, load
from sizes import sized
from statements import View
from trial import File, Plan, Round, judge, report

FOLDER = Path(__file__).parent / "nexmark"
EVENTS = sized(2500, 40_000)
ROUNDS = sized(3, 5)
SMALL = 2500
STREAM = Stream("event", COLUMNS, {})
TABLES = [
    View(name, f"SELECT unnest({name}) FROM event WHERE event_type = {number}")
    for number, name in enumerate(("person", "auction", "bid"))
]
QUERIES = [View(path.stem, path.read_text().split("\n", 1)[1]) for path in sorted(FOLDER.glob("q*.sql"))]


def plan(seed: int) -> Plan:
    """Events nearly in order: each up to 40 places late."""
    rng = Random(seed)
    numbers = sorted(range(EVENTS), key=lambda n: n + rng.randrange(40))
    rounds = []
    for number in range(ROUNDS):
        some = [event(n) for n in numbers[number * EVENTS // ROUNDS : (number + 1) * EVENTS // ROUNDS]]
        parts = cut(rng, some, 4)
        rounds.append(
            Round([File(STREAM, f"{number}-{i}.jsonl", p) for i, p in enumerate(parts)], [death(rng)])
        )
    return Plan([STREAM], rounds, REFERENCES, sized(40_000, 1_000_000), sized(3, 10))


@pytest.mark.parametrize("seed", range(1, 1 + sized(1, 3)))
def test_nexmark(lives: Lives, seed: int) -> None:
    problems = judge(lives, plan(seed), TABLES + QUERIES, TABLES + QUERIES)
    assert not problems, report(problems)


def by_hand(events: list[dict[str, Any]]) -> dict[str, Counter[Any]]:
    """Some answers by plain Python, so that the SQL is not checked by itself alone."""
    persons, auctions, bids = ([e[name] for e in events if e[name]] for name in ("person", "auction", "bid"))
    people = {p["id"]: p for p in persons if p["state"] in ("OR", "ID", "CA")}
    closing = {a["id"]: a for a in auctions}
    highest: dict[int, int] = {}
    for bid in bids:
        auction = closing.get(bid["auction"])
        if auction and auction["date_time"] <= bid["date_time"] <= auction["expires"]:
            highest[bid["auction"]] = max(highest.get(bid["auction"], 0), bid["price"])
    by_category: dict[int, list[int]] = {}
    for key, price in highest.items():
        by_category.setdefault(closing[key]["category"], []).append(price)
    return {
        "q00": Counter((b["auction"], b["bidder"], b["price"]) for b in bids),
        "q02": Counter((b["auction"], b["price"]) for b in bids if b["auction"] % 123 == 0),
        "q03": Counter(
            (people[a["seller"]]["name"], people[a["seller"]]["city"], people[a["seller"]]["state"], a["id"])
            for a in auctions
            if a["category"] == 10 and a["seller"] in people
        ),
        "q04": Counter((category, round(sum(p) / len(p), 6)) for category, p in by_category.items()),
        "q09": Counter(highest.items()),
        "q12": Counter((b["bidder"], b["date_time"][:18] + "0") for b in bids),
        "q13": Counter((b["auction"], f"value {b['auction'] % 100}") for b in bids if b["auction"] % 2 == 0),
        "q18": Counter({(b["auction"], b["bidder"]) for b in bids}),
        "q22": Counter(tuple(b["url"].split("/")[3:6]) for b in bids),
    }


OF_QUERY = {
    "q00": "auction, bidder, price",
    "q02": "auction, price",
    "q03": "name, city, state, id",
    "q04": "category, round(final, 6)",
    "q09": "id, price",
    "q12": "bidder, strftime(starttime, '%Y-%m-%d %H:%M:%S'), bid_count",
    "q13": "auction, value",
    "q18": "auction, bidder",
    "q22": "dir1, dir2, dir3",
}


def test_answers_of_the_small_size() -> None:
    events = [event(n) for n in range(SMALL)]
    wanted = by_hand(events)
    wanted["q12"] = Counter((*key, n) for key, n in wanted["q12"].items())
    assert len(QUERIES) == 23
    with duckdb.connect() as db:
        for name, sql in REFERENCES.items():
            db.execute(f"CREATE TABLE {name} AS {sql}")
        load(db, STREAM, events)
        for view in TABLES:
            db.execute(f"CREATE VIEW {view.name} AS {view.sql}")
        for query in QUERIES:
            found = db.execute(f"SELECT {OF_QUERY.get(query.name, '*')} FROM ({query.sql})").fetchall()
            assert found, query.name
            if query.name in wanted:
                assert Counter(found) == wanted[query.name], query.name
