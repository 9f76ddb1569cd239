"""Column lists: what they say, and what is told when they say it wrongly."""

import pytest

from qanat.errors import QanatError
from qanat.pipelines.schema import Column, columns


def test_columns_are_read():
    text = """
        id BIGINT NOT NULL, -- the key
        price DECIMAL(10, 2), tags VARCHAR[] NULL,
        "odd, name" STRUCT(a INTEGER, "b c" VARCHAR) NOT NULL,
        at TIMESTAMP WITH TIME ZONE, m MAP(VARCHAR, INTEGER),
    """
    assert columns(text, "source 's'", "a.py:1") == [
        Column("id", "BIGINT", False),
        Column("price", "DECIMAL(10, 2)", True),
        Column("tags", "VARCHAR[]", True),
        Column("odd, name", 'STRUCT(a INTEGER, "b c" VARCHAR)', False),
        Column("at", "TIMESTAMP WITH TIME ZONE", True),
        Column("m", "MAP(VARCHAR, INTEGER)", True),
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is empty"),
        ("id", "column 'id' has no type"),
        ("id NOT NULL", "column 'id' has no type"),
        ("id BIGINT, ID INTEGER", "column 'ID' is there twice"),
        ("id: BIGINT", "'id: BIGINT' has a colon; a column is written 'name TYPE'"),
        ("id BIGINT,, b INTEGER", "there is nothing between two commas"),
        ("price DECIMAL(10, 2", "its parentheses do not match"),
        ("price DECIMAL 10, 2)", "its parentheses do not match"),
        ("1 BIGINT", "'1 BIGINT' does not begin with a column name"),
        ("__qn_raw BLOB", "column '__qn_raw': names that begin with __qn_ are ours"),
    ],
)
def test_refusals_say_why(text, why):
    with pytest.raises(QanatError) as caught:
        columns(text, "source 's'", "flow.py:3")
    assert str(caught.value) == (
        f"QN-1105  The schema of source 's' cannot be read: {why}.\n"
        "  at flow.py:3\n"
        '  A schema is a list of columns:  "id BIGINT NOT NULL, price DECIMAL(10,2), tags VARCHAR[]"\n'
        "  Nothing was started."
    )
