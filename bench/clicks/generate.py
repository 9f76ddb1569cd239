"""Writes the clickstream: JSON lines, the same for the same rows and seed, 1 % of them damaged in five ways.

Row i depends on (seed, i) alone, so a smaller set is the beginning of a larger one. Only DuckDB is needed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
from pathlib import Path

CACHE = Path(os.environ.get("QANAT_BENCH_CACHE", "~/.cache/qanat/bench")).expanduser()
SEED = 42
ROWS_A_FILE = 62_500
# How a row can be damaged, each by the name of the rule that finds it; "decode" is a line cut short.
DAMAGE = ("decode", "has_user", "ts_in_range", "price_not_negative", "url_is_web")

_UNITS = {"": 1, "K": 1_000, "M": 1_000_000}

# r(k, n): the k-th draw of a row, 0 <= r < n. Strides of i leave room for all draws of a row.
_MACROS = """
CREATE MACRO r(i, k, n) AS
  (hash({seed}::UBIGINT * 1000000007 + i::UBIGINT * 64 + k) >> 11)::BIGINT % n::BIGINT;
CREATE MACRO hex16(i, k) AS format('{{:016x}}', hash({seed}::UBIGINT * 1000000007 + i::UBIGINT * 64 + k));
CREATE MACRO pick(i, k, words) AS words[r(i, k, len(words)) + 1];
"""

# 26 ms between events: 1 M rows are 7.2 hours, 10 M three days. One event in ten is up to 29 s late. One row
# in ten is of user 1; the others come from 14,000 active users, who change every half hour.
_DRAWS = """
SELECT i, CASE WHEN r(i, 0, 100) = 0 THEN r(i, 1, 5)::INT ELSE -1 END AS damage, r(i, 2, 2) AS variant,
  1772395200000 + (i * 25.92)::BIGINT AS arrival,
  arrival - CASE WHEN r(i, 3, 10) = 0 THEN r(i, 4, 29000) ELSE 0 END::BIGINT AS ts,
  CASE WHEN r(i, 5, 10) = 0 THEN 1
       ELSE ((arrival // 1800000) * 14000 + (14000 * pow(r(i, 6, 1000000) / 1e6, 1.5))::BIGINT) % 200000 + 1
  END AS user_id,
  sqrt(-2 * ln((r(i, 7, 1000000) + 1) / 1e6)) * cos(2 * pi() * r(i, 8, 1000000) / 1e6) AS normal,
  least(exp(7.5 + 1.2 * normal)::BIGINT, 999999) AS cents,
  format('{}/{}/{}/{}?utm_source={}&q={}',
    pick(i, 9, getvariable('hosts')), pick(i, 10, getvariable('sections')), pick(i, 11, getvariable('pages')),
    1 + r(i, 12, 49999), pick(i, 13, getvariable('origins')), r(i, 14, 1000000)) AS place,
  pick(user_id, 15, getvariable('countries')) AS land
FROM range({first}, {last}) t(i)
"""

_MEMBERS = """
SELECT *,
  hex16(i, 20) AS h1, hex16(i, 21) AS h2,
  CASE WHEN damage = 1 THEN 'null' ELSE user_id::VARCHAR END AS user_text,
  CASE WHEN damage = 2 AND variant = 0 THEN '1970-01-01T00:00:00.000Z'
       WHEN damage = 2 THEN '2099-12-31T23:59:59.999Z'
       ELSE strftime(make_timestamp(ts * 1000), '%Y-%m-%dT%H:%M:%S.%gZ') END AS ts_text,
  CASE WHEN damage = 3 THEN '-' ELSE '' END || format('{}.{:02d}', cents // 100, cents % 100) AS price_text,
  CASE WHEN damage = 4 AND variant = 0 THEN 'not a url'
       WHEN damage = 4 THEN 'ftp://' || place ELSE 'https://' || place END AS url,
  CASE WHEN r(i, 22, 10) = 0 THEN lower(land) ELSE land END AS country,
  list_transform(range(r(i, 23, 4)::BIGINT),
    lambda k: '"' || pick(i, 24 + k, getvariable('tags')) || '"') AS tags
FROM draws
"""

_LINES = """
SELECT damage, format('{{"event_id":"{}-{}-4{}-{}-{}","user_id":{},"session":"{}","ts":"{}","url":"{}",',
    h1[1:8], h1[9:12], h1[13:15], h2[1:4], h2[5:16], user_text, hex16(i, 28), ts_text, url)
  || format('"ip":"{}.{}.{}.{}","user_agent":"Mozilla/5.0 ({}) {}","country":"{}","price":"{}",',
    1 + r(i, 29, 254), 1 + r(i, 30, 254), 1 + r(i, 31, 254), 1 + r(i, 32, 254),
    pick(i, 33, getvariable('systems')), pick(i, 34, getvariable('browsers')), country, price_text)
  || format('"geo":{{"lat":{:.4f},"lon":{:.4f}}},"tags":[{}]}}',
    r(i, 35, 1300000) / 1e4 - 60, r(i, 36, 3600000) / 1e4 - 180, array_to_string(tags, ',')) AS whole,
  CASE WHEN damage = 0 THEN whole[1 : 20 + r(i, 37, 100)::INT] ELSE whole END AS line
FROM members ORDER BY i
"""

_WORDS = {
    "hosts": "shop.example.com www.example.com m.example.com eu.shop.example.org api.example.net "
    "blog.example.com cdn.example.net example.com",
    "sections": "electronics books garden toys fashion sports grocery music health office auto pets",
    "pages": "item list search review basket checkout compare deal",
    "origins": "google newsletter affiliate direct facebook bing",
    "countries": "US US US US DE DE IN IN BR BR GB GB FR JP CA IT ES MX KR NL PL TR SE ID AU NG ZA",
    "tags": "sale new promo organic mobile returning vip ab_a ab_b cold",
    "browsers": "Chrome/139.0 Safari/605.1 Firefox/141.0 Edg/139.0",
}
_SYSTEMS = [
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 14_5",
    "X11; Linux x86_64",
    "iPhone; CPU iPhone OS 18_0 like Mac OS X",
    "Android 15; Mobile",
]


def rows_of(size: str) -> int:
    """1000, 100K, 10M as a number."""
    found = re.fullmatch(r"(\d+)([KM]?)", size.upper().replace("_", ""))
    if not found:
        raise SystemExit(f"--size {size} is no size; write 1000, 100K or 10M.")
    return int(found[1]) * _UNITS[found[2]]


def folder_of(rows: int, seed: int = SEED) -> Path:
    """Where `clicks` keeps a set."""
    return CACHE / "data" / f"clicks-{rows}-{seed}"


def clicks(rows: int, seed: int = SEED) -> dict[str, object]:
    """Makes the set unless it is there. What it holds: folder, rows, bytes, good, bad by kind of damage."""
    folder = CACHE / "data" / f"clicks-{rows}-{seed}"
    about = folder / "about.json"
    if not about.exists():
        unfinished = folder.with_name(folder.name + ".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        told = write(rows, seed, unfinished, ROWS_A_FILE)
        (unfinished / "about.json").write_text(json.dumps(told))
        unfinished.rename(folder)
    return {"folder": str(folder), **json.loads(about.read_text())}


def write(rows: int, seed: int, folder: Path, rows_a_file: int) -> dict[str, object]:
    """Makes the files in a new folder; what they hold."""
    import duckdb

    folder.mkdir(parents=True)
    connection = duckdb.connect()
    connection.execute(_MACROS.format(seed=seed))
    for name, words in _WORDS.items():
        connection.execute(f"SET VARIABLE {name} = {words.split()!r}")
    connection.execute(f"SET VARIABLE systems = {_SYSTEMS!r}")
    bad = dict.fromkeys(DAMAGE, 0)
    for number, first in enumerate(range(0, rows, rows_a_file)):
        draws = _DRAWS.replace("{first}", str(first)).replace("{last}", str(min(first + rows_a_file, rows)))
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE made AS WITH draws AS ({draws}), members AS ({_MEMBERS}) {_LINES}"
        )
        path = folder / f"part-{number:05d}.jsonl"
        connection.execute(
            f"COPY (SELECT line FROM made) TO '{path}'"
            " (FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER '\x01')"
        )
        counted = connection.execute(
            "SELECT damage, count(*) FROM made WHERE damage >= 0 GROUP BY 1"
        ).fetchall()
        for damage, count in counted:
            bad[DAMAGE[damage]] += count
    size = sum(path.stat().st_size for path in folder.glob("*.jsonl"))
    return {"rows": rows, "bytes": size, "seed": seed, "good": rows - sum(bad.values()), "bad": bad}


def main() -> None:
    """`python -m bench.clicks.generate 1M`: prints what the set holds, as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", help="rows: 1000, 100K, 10M")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--into", type=Path, help="a new folder, instead of the cache")
    parser.add_argument("--rows-a-file", type=int, default=ROWS_A_FILE, help="with --into")
    asked = parser.parse_args()
    rows = rows_of(asked.size)
    told = write(rows, asked.seed, asked.into, asked.rows_a_file) if asked.into else clicks(rows, asked.seed)
    print(json.dumps(told))


if __name__ == "__main__":
    main()
