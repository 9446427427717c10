"""Marts: what needs the streams of several contexts, as views over the star schema, in the schema `mart`.

To add one, write a `Mart` in a module of its own here and name it in `MARTS`, after the marts that it builds on. Its
`select` is given every table and view of the star schema by its live name, `tables["sales.fact_order"]`, standing in
whatever schemas the warehouse at hand has: the live ones, a revision that is being built, a prefix of time travel.
"""

from replayhouse.projections.marts.mart import Mart, Tables

__all__ = ["MARTS", "Mart", "Tables"]

MARTS: tuple[Mart, ...] = ()
"""The declared marts, each after those that it builds on."""
