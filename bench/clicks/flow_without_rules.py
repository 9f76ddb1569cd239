"""The same without rules: what flow.py costs more is the price of rules and dead letters."""

from clicks_source import CLEAN, declare_source

import qanat as qn

declare_source()


@qn.table(partition_cols=["day"])
def clean():
    return CLEAN
