"""The first revision of every read model and the calendar: empty, from the first command on."""

import psycopg

from replayhouse.infra.postgres.roles import STEWARD, grant
from replayhouse.infra.postgres.schemas import refuse_those_of_others
from replayhouse.infra.read_models import sights
from replayhouse.infra.read_models.calendar import create_calendar, keep_calendar
from replayhouse.infra.read_models.checkpoints import projected
from replayhouse.infra.read_models.marts import MART, create_schema
from replayhouse.infra.read_models.schema import Model
from replayhouse.projections.warehouse import PROJECTIONS

_ONE_AT_A_TIME = "LOCK TABLE read_model.projection IN SHARE ROW EXCLUSIVE MODE"
_FIRST_REVISION = """
    INSERT INTO read_model.revision (context, revision, position, events, live_at, fingerprint, fold_version)
    VALUES (%s, 1, 0, 0, clock_timestamp(), %s, %s)
"""
_TRACK = "INSERT INTO read_model.projection (context, revision, position) VALUES (%s, 1, 0)"
_HAS_CALENDAR = "SELECT to_regclass('shared.dim_date') IS NOT NULL"
_HAS_SCHEMA = "SELECT to_regnamespace(%s) IS NOT NULL"


def prepare(conn: psycopg.Connection) -> None:
    """Makes the read models that are not there yet, with nothing but their unknown members; `conn` in autocommit.

    Raises WrongServer where somebody else has schemas of their names.
    """
    if is_prepared(conn):
        return
    with conn.transaction():
        conn.execute(_ONE_AT_A_TIME)
        refuse_those_of_others(conn)
        if not any(projected(conn, context) for context in PROJECTIONS):
            grant(conn, "read_model")
        for context, projection in PROJECTIONS.items():
            if projected(conn, context) is None:
                model = Model(projection, context)
                model.create(conn)
                model.link(conn)
                conn.execute(_FIRST_REVISION, [context, projection.fingerprint, projection.version])
                conn.execute(_TRACK, [context])
        if conn.execute(_HAS_CALENDAR).fetchone() == (False,):
            create_calendar(conn)
        if not _has_schema_of_marts(conn):
            create_schema(conn, MART)
        keep_calendar(conn)
        if not sights.are_shown(conn):
            sights.show(conn)
            grant(conn, "quality", STEWARD)


def is_prepared(conn: psycopg.Connection) -> bool:
    """Whether all of it is there."""
    are_there = all(projected(conn, context) for context in PROJECTIONS) and _has_schema_of_marts(conn)
    return are_there and sights.are_shown(conn)


def _has_schema_of_marts(conn: psycopg.Connection) -> bool:
    return conn.execute(_HAS_SCHEMA, [MART]).fetchone() == (True,)
