"""What relays tell of themselves, and how far they are behind the log (schema `publishing`)."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg
from psycopg import sql

LIVING = ("starting", "publishing", "following", "waiting")
"""The states of a relay that goes on by itself."""

LONGEST_SILENCE_SECONDS = 120.0

_CLAIM = """
    INSERT INTO publishing.relay (name, position, state, since, updated_at, session)
    VALUES (%(name)s, 0, 'starting', clock_timestamp(), clock_timestamp(), %(session)s)
    ON CONFLICT (name) DO UPDATE
    SET state = 'starting', error = NULL, since = clock_timestamp(), updated_at = clock_timestamp(),
        session = %(session)s
"""
_IS_CLAIMED = "SELECT session = %(session)s FROM publishing.relay WHERE name = %(name)s"
# Where another process has taken over, what this one says counts no longer.
_TELL = """
    UPDATE publishing.relay
    SET position = coalesce(%(position)s, position), error = %(error)s, updated_at = clock_timestamp(),
        since = CASE WHEN (state, error) IS DISTINCT FROM (%(state)s, %(error)s) THEN clock_timestamp() ELSE since END,
        state = %(state)s
    WHERE name = %(name)s AND session = %(session)s
"""
_RELAYS = """
    SELECT name, position, state, error, since, updated_at, clock_timestamp() FROM publishing.relay ORDER BY name
"""
_LAG = sql.SQL("""
    SELECT count(*), (
        SELECT recorded_at FROM event_store.commit
        WHERE last_position >= (SELECT min(notification_id) FROM event_store.{events} WHERE notification_id > {known})
        ORDER BY last_position
        LIMIT 1
    ), clock_timestamp()
    FROM event_store.{events}
    WHERE notification_id > {known}
""")


class Standing(NamedTuple):
    """What a relay has said of itself, and whether it should have said something by now."""

    name: str
    position: int
    state: str
    error: str | None
    since: datetime
    updated_at: datetime
    is_silent: bool


class RelayStatus(NamedTuple):
    """How a relay is. `lag` counts the events not published yet; `lag_seconds` is the age of the oldest of them."""

    name: str
    position: int
    state: str
    error: str | None
    since: datetime
    updated_at: datetime
    lag: int
    lag_seconds: float
    is_silent: bool
    """Whether it should have said something by now."""

    def document(self) -> dict[str, object]:
        """What `status --json` prints of it."""
        told = self._asdict()
        del told["name"]
        return told


def claim(conn: psycopg.Connection, name: str, session: UUID) -> None:
    """The process `session` says that it takes the relay over."""
    conn.execute(_CLAIM, {"name": name, "session": session})


def is_claimed(conn: psycopg.Connection, name: str, session: UUID) -> bool:
    """Whether no other process has taken the relay over since."""
    row = conn.execute(_IS_CLAIMED, {"name": name, "session": session}).fetchone()
    return row is None or bool(row[0])


def tell_state(
    conn: psycopg.Connection, name: str, session: UUID, state: str, *, position: int | None, error: str | None = None
) -> None:
    """Says how the relay is; `position` None leaves it as it was. Says nothing where another process took over."""
    told = {"name": name, "session": session, "state": state, "position": position, "error": error}
    conn.execute(_TELL, told)


def relays(conn: psycopg.Connection) -> list[RelayStatus]:
    """All relays that were ever started here, with their lag by what they last said."""
    found = []
    for name, position, state, error, since, updated_at, is_silent in standing(conn):
        context = name.partition(".")[0]  # `sales.state` publishes what the events of sales became
        query = _LAG.format(events=sql.Identifier(f"{context}_events"), known=sql.Literal(position))
        row = conn.execute(query).fetchone()
        assert row is not None  # counts always give a row
        events, oldest, now = row
        age = max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0
        found.append(RelayStatus(name, position, state, error, since, updated_at, events, round(age, 3), is_silent))
    return found


def standing(conn: psycopg.Connection) -> list[Standing]:
    """The same without their lag: what they have said."""
    found = []
    for name, position, state, error, since, updated_at, now in conn.execute(_RELAYS).fetchall():
        is_silent = state in LIVING and (now - updated_at).total_seconds() > LONGEST_SILENCE_SECONDS
        found.append(Standing(name, position, state, error, since, updated_at, is_silent))
    return found
