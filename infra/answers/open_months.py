"""The months of which not enough orders have ended yet: their figures will move, and go up."""

import psycopg

_ENDED_PERCENT = 95
_OPEN = """
    SELECT to_char(day, 'YYYY-MM') FROM executive_daily
    GROUP BY 1 HAVING sum(open) * 100 > sum(orders) * (100 - %s)
"""


def open_months(conn: psycopg.Connection) -> frozenset[str]:
    """The months of which fewer than 95 % of the orders were delivered or lost, within `in_one_moment`."""
    return frozenset(str(month) for (month,) in conn.execute(_OPEN, [_ENDED_PERCENT]).fetchall())
