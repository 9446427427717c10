"""What stands in live tables, held against what the log makes, before that takes its place.

A rebuild mends rows that somebody changed by hand; whoever asked for it is told that there were some.
"""

import psycopg
from psycopg import sql
from sqlalchemy import Table

from replayhouse.infra.postgres.planner import COMPUTED_ONCE_HERE
from replayhouse.infra.read_models import checkpoints, versions
from replayhouse.infra.read_models.rebuild.revisions import NextRevision
from replayhouse.infra.read_models.rebuild.workers import Rebuilt
from replayhouse.infra.read_models.schema import model_of, qualified
from replayhouse.infra.read_models.versions import standing_shapes
from replayhouse.projections.projection import columns_without_position

_IS_OTHER = sql.SQL("""
    SELECT (SELECT count(*) FROM {live}) <> %s OR EXISTS (
        SELECT FROM {live} AS a FULL JOIN {made} AS b ON ({of_a}) = ({of_b})
        WHERE record_image_ne(ROW({all_of_a}), ROW({all_of_b}))
    )
""")
"""Values are compared byte by byte, as digests would: 0.0 is not -0.0."""


def differing_tables(conn: psycopg.Connection, revision: NextRevision, rebuilt: Rebuilt) -> list[str] | None:
    """The live tables of a context that are not what was folded for the next revision; within a transaction.

    None where they need not be the same: they show another position, are not filled yet, or were made by a program with
    other tables or another fold. The server joins the two: half a microsecond a row.
    """
    context = revision.context
    live = checkpoints.projected(conn, context)
    if revision.fills or live is None or live.position != rebuilt.position or not versions.is_current(conn, context):
        return None
    conn.execute(COMPUTED_ONCE_HERE)
    stand, made = (standing_shapes(conn, schema) for schema in (context, revision.schema))
    return [
        name
        for name, table in model_of(context, context).tables.items()
        if [(column.name, column.type) for column in stand.get(name, ())]
        != [(column.name, column.type) for column in made[name]]
        or _is_other(conn, table, revision.model.tables[name], rebuilt.tables[name].rows)
    ]


def _is_other(conn: psycopg.Connection, live: Table, made: Table, rows: int) -> bool:
    """Whether a live table holds other rows than one with so many, whose columns and types are the same."""
    key = [column.name for column in made.primary_key.columns]
    columns = columns_without_position(made)
    statement = _IS_OTHER.format(
        live=qualified(live),
        made=qualified(made),
        of_a=_named("a", key),
        of_b=_named("b", key),
        all_of_a=_named("a", columns),
        all_of_b=_named("b", columns),
    )
    row = conn.execute(statement, [rows]).fetchone()
    assert row is not None
    return bool(row[0])


def _named(table: str, columns: list[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(table, column) for column in columns)
