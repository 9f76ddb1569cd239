"""Writes purchases: short JSON lines, of customers drawn at random."""

from __future__ import annotations

from bench import lines

_SQL = """
SELECT i, format('{{"id":{},"customer":{},"amount":{}}}', i, r(i, 0, {customers}), r(i, 1, 100000)) AS line
FROM range({first}, {last}) t(i)
"""


def purchases(customers: int) -> lines.Lines:
    """Of so many customers."""
    sql = _SQL.replace("{customers}", str(customers))
    return lines.Lines(f"purchases-{customers}", sql, {}, rows_a_file=500_000)


if __name__ == "__main__":
    parser = lines.arguments()
    parser.add_argument("--customers", type=int, required=True)
    asked = parser.parse_args()
    lines.carry_out(asked, purchases(asked.customers))
