"""The main job, ours: typed source, five rules with dead letters, projection, a Delta table by day."""

import qanat as qn
from clicks_source import CLEAN, RULES, declare_source

declare_source()


@qn.expect_all_or_quarantine(RULES)
@qn.table(partition_cols=["day"])
def clean():
    return CLEAN
