"""The main job, ours: typed source, five rules with dead letters, projection, a Delta table by day."""

from clicks_source import CLEAN, RULES, declare_source

import qanat as qn

declare_source()


@qn.expect_all_or_quarantine(RULES)
@qn.table(partition_cols=["day"])
def clean():
    return CLEAN
