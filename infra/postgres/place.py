"""Where a warehouse is and how large, for people: no password is told."""

from typing import TYPE_CHECKING, NamedTuple

import psycopg

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.postgres.connection import Database

if TYPE_CHECKING:
    from replayhouse.infra.runtime.settings import Settings

_SIZES = """
    SELECT
        coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE n.nspname = 'event_store'), 0)::bigint,
        coalesce(sum(pg_total_relation_size(c.oid)) FILTER (WHERE n.nspname ~ %s), 0)::bigint
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm')
"""
_READ_MODELS = rf"^({'|'.join(CONTEXTS)}|shared|mart)(_r\d+)?$"


class Place(NamedTuple):
    """The home of the embedded database, or the database of one's own; `server` is its version.

    Sizes are those on disk, with indexes, in bytes; of the read models those that are live or kept.
    """

    home: str | None
    database: str | None
    server: str
    log_bytes: int
    read_model_bytes: int


def place_of(conn: psycopg.Connection, settings: "Settings") -> Place:
    """The warehouse of the settings, on a connection to it."""
    url = settings.database_url
    [(log, read_models)] = conn.execute(_SIZES, [_READ_MODELS]).fetchall()
    version = conn.info.parameter_status("server_version") or "?"
    return Place(
        str(settings.home) if url is None else None,
        None if url is None else Database(url).place,
        version.split()[0],
        log,
        read_models,
    )
