"""Writes Nexmark's stream as Beam's and nexmark-flink's generator has it: JSON lines, person : auction : bid = 1 : 3 : 46.

10,000 events a second of event time. Half of the bids go to the hot auction, three in four are of the hot
bidder, three in four auctions of the hot seller; each changes with every hundredth auction or person.
"""

from __future__ import annotations

from bench import lines

# person_last, auction_last: the newest ids when row i is made, before 1000 is added.
_SQL = """
WITH ids AS (
  SELECT i, i % 50 AS place, i // 50 AS person_last,
    greatest(0, CASE WHEN place < 1 THEN (person_last - 1) * 3 + 2
                     WHEN place < 4 THEN person_last * 3 + place - 1
                     ELSE person_last * 3 + 2 END) AS auction_last,
    1772400000000 + i // 10 AS ms, iso(ms) AS stamp, least(person_last + 1, 1000) AS active,
    1000 + person_last + 1 - active + r(i, 0, active + 10) AS any_person,
    greatest(auction_last - 100, 0) AS auction_from,
    1000 + auction_from + r(i, 1, auction_last - auction_from + 11) AS any_auction
  FROM range({first}, {last}) t(i)),
members AS (
  SELECT *, round(pow(10, 6 * r(i, 2, 1000000) / 1e6) * 100)::BIGINT AS price,
    CASE WHEN r(i, 3, 2) > 0 THEN 1000 + auction_last // 100 * 100 ELSE any_auction END AS auction,
    CASE WHEN r(i, 4, 4) > 0 THEN 1001 + person_last // 100 * 100 ELSE any_person END AS bidder,
    CASE WHEN r(i, 4, 4) > 0 THEN 1000 + person_last // 100 * 100 ELSE any_person END AS seller
  FROM ids)
SELECT i, CASE
  WHEN place < 1 THEN
    format('{{"event_type":0,"person":{{"id":{},"name":"{} {}","emailAddress":"{}@{}.com","creditCard":"{}",',
      1000 + person_last, pick(i, 5, getvariable('first_names')), pick(i, 6, getvariable('last_names')),
      text(i, 7, 7), text(i, 8, 5), 1000000000000000 + r(i, 9, 8999999999999999))
    || format('"city":"{}","state":"{}","dateTime":"{}","extra":"{}"}},"auction":null,"bid":null}}',
      pick(i, 10, getvariable('cities')), pick(i, 11, getvariable('states')), stamp, text(i, 12, 60))
  WHEN place < 4 THEN
    format('{{"event_type":1,"person":null,"auction":{{"id":{},"itemName":"{}","description":"{}",',
      1000 + auction_last, text(i, 20, 20), text(i, 22, 100))
    || format('"initialBid":{},"reserve":{},"dateTime":"{}","expires":"{}","seller":{},"category":{},',
      price, price + round(pow(10, 6 * r(i, 30, 1000000) / 1e6) * 100)::BIGINT, stamp,
      iso(ms + 1 + r(i, 31, 332)), seller, 10 + r(i, 32, 5))
    || format('"extra":"{}"}},"bid":null}}', text(i, 40, 200))
  ELSE
    format('{{"event_type":2,"person":null,"auction":null,"bid":{{"auction":{},"bidder":{},"price":{},',
      auction, bidder, price)
    || format('"channel":"{}","url":"https://www.nexmark.com/{}/{}/item.htm?query=1",',
      pick(i, 5, getvariable('channels')), text(i, 6, 5), text(i, 7, 5))
    || format('"dateTime":"{}","extra":"{}"}}}}', stamp, text(i, 8, 20))
  END AS line
FROM members
"""

NEXMARK = lines.Lines(
    "nexmark",
    _SQL,
    {
        "first_names": "Peter, Paul, Luke, John, Saul, Vicky, Kate, Julie, Sarah, Deiter, Walter",
        "last_names": "Shultz, Abrams, Spencer, White, Bartels, Walton, Smith, Jones, Noris",
        "cities": "Phoenix, Los Angeles, San Francisco, Boise, Portland, Bend, Redmond, Seattle, Kent, Cheyenne",
        "states": "AZ, CA, ID, OR, WA, WY",
        "channels": "Google, Facebook, Baidu, Apple",
    },
)

if __name__ == "__main__":
    lines.carry_out(lines.arguments().parse_args(), NEXMARK)
