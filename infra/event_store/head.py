"""The head of the log: the row of `event_store.head`, read by itself, without what it takes to read events."""

from contextlib import suppress
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg

from replayhouse.infra.event_store.commits import RECORDED_AT
from replayhouse.infra.event_store.merkle import GENESIS
from replayhouse.infra.runtime.errors import Rejected

_STORE = "SELECT store_id FROM event_store.store"
_HEAD = f"SELECT position, {RECORDED_AT}, chain FROM event_store.head"


class Head(NamedTuple):
    """The end of the log: everything up to `position` is visible to whoever reads after reading this.

    `recorded_at` (UTC) is that of the newest commit; `chain` 32 bytes, zeros while the log is empty.
    """

    position: int
    recorded_at: datetime
    chain: bytes


def read_head(conn: psycopg.Connection) -> Head:
    """The head as the transaction at hand sees it; the driver's errors are its own."""
    return head_from(conn, _HEAD)


def head_from(conn: psycopg.Connection, query: str, *counted: int) -> Head:
    """The head that a query gives, so many events on. Raises Rejected where it is none any more, or there are two."""
    with suppress(psycopg.DataError):  # a position from which nothing can be counted on
        match conn.execute(query.encode(), counted).fetchmany(2):
            case [(int(position), datetime() as recorded_at, bytes(chain))] if position >= sum(counted) and len(
                chain
            ) == len(GENESIS):
                return Head(position, recorded_at, chain)
    raise Rejected(
        "The head of the log is not what it should be: one row with a position, a time and a chain. Nothing can be "
        "appended to such a log: replayhouse audit verify says what is the matter; restore a backup."
    )


def find_store(conn: psycopg.Connection) -> UUID | None:
    """Which store this is; None where that was taken away."""
    match conn.execute(_STORE).fetchmany(2):
        case [(UUID() as store,)]:
            return store
    return None
