"""The main job cut short: $QANAT_BENCH_PHASE says after what. A last rule drops every row that is left.

decode: the source's columns are made; projection: those of the result; rules: they are asked, and what breaks
them is written to the dead letters.
"""

import os

from clicks_source import CLEAN, RULES, declare_source

import qanat as qn

PHASE = os.environ["QANAT_BENCH_PHASE"]

declare_source()
# Each comparison is false for every row, and none can be known without its column.
NOTHING = {
    "decode": "event_id = '' OR session = '' OR url = '' OR ip = '' OR user_agent = '' OR country = ''"
    " OR user_id = 0 OR ts < TIMESTAMP '1900-01-01' OR price > 1e7 OR geo.lat > 90 OR geo.lon > 180"
    " OR len(tags) > 9",
    "projection": "host = '!' OR path = '!' OR country = '!' OR day < DATE '1900-01-01' OR len(tags) > 9"
    " OR event_id = '' OR session = '' OR ip = '' OR user_agent = '' OR user_id = 0 OR price > 1e7"
    " OR lat > 90 OR lon > 180",
}
RULES_ASKED = RULES if PHASE == "rules" else {}


@qn.expect_all_or_quarantine(RULES_ASKED)
@qn.expect_or_drop("nothing_is_written", NOTHING["decode" if PHASE == "decode" else "projection"])
@qn.table
def clean():
    return "SELECT * FROM clicks" if PHASE == "decode" else CLEAN
