"""Marts made aside, on tables that are live or are to be: on one connection, or in lanes.

In lanes they are declared first, and then filled, each as soon as those are that it builds on. What builds on which is
asked of the server, which knows it of every view. Killed in between, they stand in the schema aside, some of them
empty, until the next making removes them.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial

import psycopg

from replayhouse.infra.postgres import lanes
from replayhouse.infra.postgres.lanes import Lanes, Step
from replayhouse.infra.read_models import marts_shown
from replayhouse.infra.read_models.marts import (
    create_marts,
    declare_marts,
    drop_aside,
    fill,
    live_schemas,
    one_snapshot,
    refuse_those_of_others,
)
from replayhouse.infra.read_models.marts_shown import Coming, MartsShown
from replayhouse.projections import marts

_BUILDS_ON = """
    SELECT v.relname::text, array_agg(DISTINCT m.relname::text)
    FROM pg_class AS v
    JOIN pg_rewrite AS r ON r.ev_class = v.oid
    JOIN pg_depend AS d
        ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
    JOIN pg_class AS m ON m.oid = d.refobjid AND m.relnamespace = v.relnamespace AND m.oid <> v.oid
    WHERE v.relnamespace = to_regnamespace(%s)
    GROUP BY v.relname
"""


def make_aside(
    conn: psycopg.Connection,
    schema: str,
    coming: Iterable[Coming] = (),
    at_work: Lanes = (),
    beside: Sequence[Step] = (),
) -> MartsShown:
    """Makes marts aside, on the live tables and on those that are to take the place of some; what they will show.

    `beside` is done with the same snapshot; all of it in the lanes `at_work`, where there are any. `conn` in
    autocommit. Raises Unmakeable, and Conflicting where somebody else has something of their names.
    """
    coming = list(coming)
    schemas = {**live_schemas(), **{one.context: one.schema for one in coming}}
    with conn.transaction():
        drop_aside(conn, schema)
        refuse_those_of_others(conn)
        if at_work:
            declare_marts(conn, schema, schemas)
    with one_snapshot(conn):
        made = marts_shown.to_show(conn, coming)
        if at_work:
            lanes.run(conn, at_work, [*_filling(conn, schema), *beside])
        else:
            for step in beside:
                step.do(conn)
            create_marts(conn, schema, schemas)
    return made


def _filling(conn: psycopg.Connection, schema: str) -> list[Step]:
    """Filling each mart, first those on which most others wait."""
    builds_on: dict[str, list[str]] = dict(conn.execute(_BUILDS_ON, [schema]).fetchall())
    waiting = {mart.name: 0 for mart in marts.MARTS}
    for mart in marts.MARTS:
        for other in _all_below(mart.name, builds_on):
            waiting[other] += 1
    return [
        Step(mart.name, partial(fill, schema=schema, mart=mart), frozenset(builds_on.get(mart.name, ())))
        for mart in sorted(marts.MARTS, key=lambda mart: -waiting[mart.name])
    ]


def _all_below(name: str, builds_on: Mapping[str, Sequence[str]]) -> set[str]:
    direct = set(builds_on.get(name, ()))
    return direct.union(*(_all_below(other, builds_on) for other in direct))
