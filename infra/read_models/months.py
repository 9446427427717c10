"""The months in which something was ordered, as the live marts tell them."""

from datetime import date

import psycopg

_LAST_DAYS = "SELECT last_day FROM mart.months WHERE orders > 0 ORDER BY last_day"


def last_days(conn: psycopg.Connection) -> list[date]:
    """The last day of each month in which something was ordered; the live marts stand."""
    return [day for (day,) in conn.execute(_LAST_DAYS).fetchall()]
