"""Marts: what needs the streams of several contexts, materialised from the star schema, in the schema `mart`.

The base marts carry the terms of the questions once; the business marts hold sums that add up. Each is a file
`NAME.sql` in this folder, named in `MARTS` after those that it builds on. Its query names tables and views of the star
schema, and marts before it, without a schema: it is made where they stand, live, in a revision that is being built,
or under a prefix.
"""

from pathlib import Path

from replayhouse.projections.marts.mart import Mart, read_mart

__all__ = ["MARTS", "Mart"]

_BASE = ("orders", "lines", "payments", "reviews", "months", "period")
_BUSINESS = ("executive_daily", "customer_rfm", "seller_scorecard", "product_performance")

MARTS: tuple[Mart, ...] = tuple(read_mart(Path(__file__).parent / f"{name}.sql") for name in (*_BASE, *_BUSINESS))
"""The declared marts, each after those that it builds on."""
