"""Writes the slim clickstream: JSON lines without faults, in time order but for up to 29 s, one user in ten rows.

26 ms between events: 1 M rows are 7.2 hours, 10 M three days. One event in ten is up to 29 s late. One in ten
is of user 1; the others come from 14,000 active users, who change every half hour.
"""

from __future__ import annotations

from bench import lines

_SQL = """
WITH draws AS (
  SELECT i, 1772395200000 + (i * 25.92)::BIGINT AS arrival,
    arrival - CASE WHEN r(i, 0, 10) = 0 THEN r(i, 1, 29000) ELSE 0 END::BIGINT AS ts,
    CASE WHEN r(i, 2, 10) = 0 THEN 1
         ELSE ((arrival // 1800000) * 14000 + (14000 * pow(r(i, 3, 1000000) / 1e6, 1.5))::BIGINT) % 200000 + 1
    END AS user_id,
    sqrt(-2 * ln((r(i, 4, 1000000) + 1) / 1e6)) * cos(2 * pi() * r(i, 5, 1000000) / 1e6) AS normal,
    least(exp(7.5 + 1.2 * normal)::BIGINT, 999999) AS cents, text(i, 6, 32) AS id
  FROM range({first}, {last}) t(i))
SELECT i, format('{{"event_id":"{}-{}-4{}-{}-{}","user_id":{},"ts":"{}","country":"{}","price":"{}.{:02d}",',
    id[1:8], id[9:12], id[14:16], id[17:20], id[21:32], user_id, iso(ts),
    pick(user_id, 8, getvariable('countries')), cents // 100, cents % 100)
  || format('"url":"https://{}/{}/{}?utm_source={}&q={}"}}',
    pick(i, 9, getvariable('hosts')), pick(i, 10, getvariable('sections')), 1 + r(i, 11, 49999),
    pick(i, 12, getvariable('origins')), r(i, 13, 1000000)) AS line
FROM draws
"""

EVENTS = lines.Lines(
    "events",
    _SQL,
    {
        "hosts": "shop.example.com, www.example.com, m.example.com, eu.shop.example.org",
        "sections": "electronics, books, garden, toys, fashion, sports, music, pets",
        "origins": "google, newsletter, affiliate, direct",
        "countries": "US, US, US, US, DE, DE, IN, IN, BR, BR, GB, GB, FR, JP, CA, IT, ES, MX, KR, NL, PL, TR, SE, ID, AU, NG, ZA",
    },
)

if __name__ == "__main__":
    lines.carry_out(lines.arguments().parse_args(), EVENTS)
