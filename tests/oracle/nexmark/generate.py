"""Nexmark's events, each a function of its number: of 50, one is a person, three are auctions, 46 are bids.

Ten a second, so that windows of ten seconds hold a hundred. Half of the bids go to one hot auction, most of them by one
hot bidder, as in the benchmark.
"""

from __future__ import annotations

import datetime
from random import Random
from typing import Any

COLUMNS = {
    "event_type": "INTEGER",
    "person": "STRUCT(id BIGINT, name VARCHAR, email VARCHAR, city VARCHAR, state VARCHAR, date_time TIMESTAMP, "
    "extra VARCHAR)",
    "auction": "STRUCT(id BIGINT, item_name VARCHAR, description VARCHAR, initial_bid BIGINT, reserve BIGINT, "
    "date_time TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra VARCHAR)",
    "bid": "STRUCT(auction BIGINT, bidder BIGINT, price BIGINT, channel VARCHAR, url VARCHAR, date_time TIMESTAMP, "
    "extra VARCHAR)",
}
REFERENCES = {"side_input": "SELECT i AS key, 'value ' || i AS value FROM range(0, 100, 2) r(i)"}
FIRST_ID = 1000
_HOT = 50
_BEGIN = datetime.datetime(2024, 3, 1, 17, 59, 0)


def _time(number: int, more_ms: int = 0) -> str:
    return (_BEGIN + datetime.timedelta(milliseconds=100 * number + more_ms)).isoformat(" ", "milliseconds")


def _text(rng: Random, length: int) -> str:
    return "".join(rng.choices("abcdefgh", k=length))


def _price(rng: Random) -> int:
    return round(10 ** (rng.random() * 6) * 100)


def _person_id(rng: Random, persons: int) -> int:
    return (
        FIRST_ID + (persons - 1) // _HOT * _HOT if rng.random() < 0.75 else FIRST_ID + rng.randrange(persons)
    )


def event(number: int) -> dict[str, Any]:
    """The event of that number."""
    rng = Random(number)
    epoch, place = divmod(number, 50)
    persons, auctions = epoch + 1, max(1, 3 * epoch + min(place, 3))
    made: dict[str, Any] = {
        "event_type": min(place, 1) + (place > 3),
        "person": None,
        "auction": None,
        "bid": None,
    }
    if place == 0:
        made["person"] = {
            "id": FIRST_ID + epoch,
            "name": f"{rng.choice(['Ada', 'Kurt', 'Emmy'])} {rng.choice(['Lovelace', 'Gödel', 'Noether'])}",
            "email": f"{_text(rng, 5)}@{_text(rng, 4)}.com",
            "city": rng.choice(["Boise", "Portland", "Kent"]),
            "state": rng.choice(["ID", "OR", "CA", "WA"]),
            "date_time": _time(number),
            "extra": _text(rng, 8),
        }
    elif place <= 3:
        first = _price(rng)
        made["auction"] = {
            "id": FIRST_ID + 3 * epoch + place - 1,
            "item_name": _text(rng, 6),
            "description": _text(rng, 12),
            "initial_bid": first,
            "reserve": first + _price(rng),
            "date_time": _time(number),
            "expires": _time(number, rng.randrange(1, 60_000)),
            "seller": _person_id(rng, persons),
            "category": 10 + rng.randrange(5),
            "extra": _text(rng, 8),
        }
    else:
        is_hot = rng.random() < 0.5
        auction = (auctions - 1) // _HOT * _HOT if is_hot else rng.randrange(max(0, auctions - 100), auctions)
        channel = rng.choice(["Google", "Facebook", "Baidu", "Apple", f"channel-{rng.randrange(90)}"])
        query = f"?query=1&channel_id={rng.randrange(900)}" if rng.random() < 0.7 else "?query=1"
        made["bid"] = {
            "auction": FIRST_ID + auction,
            "bidder": _person_id(rng, persons),
            "price": _price(rng),
            "channel": channel,
            "url": f"https://www.nexmark.com/{_text(rng, 3)}/{_text(rng, 3)}/{_text(rng, 3)}/item.htm{query}",
            "date_time": _time(number),
            "extra": _text(rng, 8),
        }
    return made
