"""What every clickstream flow here shares: the source, the rules, the projection. Declares no table."""

from __future__ import annotations

import os

import qanat as qn

SCHEMA = """event_id VARCHAR, user_id BIGINT, session VARCHAR, ts TIMESTAMP, url VARCHAR, ip VARCHAR,
            user_agent VARCHAR, country VARCHAR, price DECIMAL(10,2), geo STRUCT(lat DOUBLE, lon DOUBLE),
            tags VARCHAR[]"""

RULES = {
    "has_user": "user_id IS NOT NULL",
    "ts_in_range": "ts >= TIMESTAMP '2026-01-01' AND ts < TIMESTAMP '2027-01-01'",
    "price_not_negative": "price >= 0",
    # host and path are '' when the URL has none
    "url_is_web": "regexp_matches(host, '^[A-Za-z0-9.-]+$') AND starts_with(path, '/')",
    "country_is_code": "length(country) = 2",
}

CLEAN = """
SELECT event_id, user_id, session, ts,
  regexp_extract(url, '^https?://([^/]+)', 1) AS host,
  regexp_extract(url, '^https?://[^/]+([^?#]*)', 1) AS path,
  ip, user_agent, lower(country) AS country, price, geo.lat AS lat, geo.lon AS lon, tags, ts::DATE AS day
FROM clicks
"""


def declare_source() -> None:
    """The folder that $QANAT_BENCH_INPUT names."""
    folder = os.environ["QANAT_BENCH_INPUT"]
    qn.source("clicks", qn.files(f"{folder}/*.jsonl"), format=qn.json(), schema=SCHEMA)
