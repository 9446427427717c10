"""What the live marts show: as of which position, made when, of what; and whether there is something else to show.

What a mart says follows from its definition and from what its tables show. That is told by a few numbers (`made_of`):
of each context the newest event, how many streams are parked, where the calendar ends; and by the number of the newest
stream that an erasure had folded again. Marts are made anew where these are other ones.
"""

import json
from collections.abc import Sequence
from dataclasses import astuple
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.projections import marts
from replayhouse.projections.fingerprint import fingerprint_of, shapes_of
from replayhouse.projections.shared import DIM_DATE
from replayhouse.projections.warehouse import PROJECTIONS

# The marts show the log as of any position from the newest event that a context shows to before the next one that it
# does not. Where there is no such position, contexts stand apart. No mart reads the context quality.
_NOW = sql.SQL("""
    WITH live AS (
        SELECT context, coalesce(coming.revision, p.revision) AS revision,
            coalesce(coming.position, p.position) AS position
        FROM read_model.projection AS p
        LEFT JOIN unnest(%(contexts)s::text[], %(revisions)s::int[], %(positions)s::bigint[])
            AS coming (context, revision, position) USING (context)
    ), events AS (
        {events}
    )
    SELECT
        coalesce(least(max(position), min(next) - 1), 0),
        coalesce(max(newest), 0),
        (SELECT coalesce(max(seq), 0) FROM read_model.refold WHERE context <> 'quality'),
        jsonb_object_agg(context, newest) FILTER (WHERE context <> 'quality') || jsonb_build_object(
            'parked', (
                SELECT count(*) FROM read_model.parked JOIN live USING (context, revision) WHERE context <> 'quality'
            ),
            'calendar', (SELECT max(date) FROM {calendar})
        ),
        transaction_timestamp()
    FROM events
""")
_EVENTS = sql.SQL("""
    SELECT context, position,
        coalesce((SELECT max(notification_id) FROM {events} WHERE notification_id <= position), 0) AS newest,
        (SELECT min(notification_id) FROM {events} WHERE notification_id > position) AS next
    FROM live WHERE context = {context}
""")
_STANDING = """
    SELECT coalesce(jsonb_object_agg(c.relname, c.oid::bigint), '{}')
    FROM unnest(%(names)s::text[]) AS name
    JOIN pg_class AS c ON c.oid = to_regclass(format('mart.%%I', name)) AND c.relkind = 'm'
"""
_NOTED = f"""
    SELECT position, newest, erasures, made_of, made_at, definition, relations = ({_STANDING}) FROM read_model.mart
"""
_NOTE = f"""
    INSERT INTO read_model.mart (position, newest, erasures, made_of, made_at, definition, relations)
    VALUES (%(position)s, %(newest)s, %(erasures)s, %(made_of)s, %(made_at)s, %(definition)s, ({_STANDING}))
    ON CONFLICT (one_row) DO UPDATE
    SET position = excluded.position, newest = excluded.newest, erasures = excluded.erasures,
        made_of = excluded.made_of, made_at = excluded.made_at, definition = excluded.definition,
        relations = excluded.relations
"""
_REDATE = "UPDATE read_model.mart SET position = %s, newest = %s WHERE made_at = %s"
_SPOIL = "UPDATE read_model.mart SET definition = ''"
_HOLD = sql.SQL("SELECT FROM {} LIMIT 0")


class Replaced(Conflicting):
    """The marts were exchanged between the transaction's snapshot and its first look at them."""


class Coming(NamedTuple):
    """What a context is to show, from the schema where it stands now: its revision, up to which position."""

    context: str
    schema: str
    revision: int
    position: int


class MartsShown(NamedTuple):
    """What marts show: the log up to `position`, as it was known at `made_at` (with zone).

    `newest` is beyond that where some contexts show events that others could not be caught up with. `erasures` grows
    with each erasure that took something out of them; `definition` is another one where they are made in another way.
    """

    position: int
    newest: int
    erasures: int
    made_of: dict[str, Any]
    made_at: datetime
    definition: str

    @property
    def is_of_one_position(self) -> bool:
        """Whether they show the log as of a position, rather than some contexts as of a later one."""
        return self.newest <= self.position

    def differs_from(self, other: "MartsShown") -> bool:
        """Whether marts that show the other may have other rows."""
        mine, theirs = self.definition, other.definition
        return (mine, self.erasures, self.made_of) != (theirs, other.erasures, other.made_of)


def definition() -> str:
    """SHA-256 over the marts and the declarations of the tables that they read; 64 hexadecimal digits."""
    if _told[0] is not marts.MARTS:  # told for every answer: two thousandths of a second that it need not wait for
        _told[:] = [marts.MARTS, _definition()]
    return str(_told[1])


_told: list[object] = [None, ""]
"""The marts that `definition` told of the last time, and what."""


def _definition() -> str:
    told = [list(astuple(mart)) for mart in marts.MARTS]
    return sha256(json.dumps([told, _of_tables()]).encode()).hexdigest()


@cache
def _of_tables() -> list[tuple[str, int, str]]:
    folded = [(context, made.version, made.fingerprint) for context, made in PROJECTIONS.items()]
    return [*folded, ("shared", 0, fingerprint_of(shapes_of([DIM_DATE])))]


def to_show(conn: psycopg.Connection, coming: Sequence[Coming] = (), shared: str = "shared") -> MartsShown:
    """What marts would show that were made now: of the live tables, and of what is to take the place of some."""
    events = [
        _EVENTS.format(events=sql.Identifier("event_store", f"{context}_events"), context=sql.Literal(context))
        for context in PROJECTIONS
    ]
    query = _NOW.format(events=sql.SQL(" UNION ALL ").join(events), calendar=sql.Identifier(shared, DIM_DATE.name))
    given = {
        "contexts": [one.context for one in coming],
        "revisions": [one.revision for one in coming],
        "positions": [one.position for one in coming],
    }
    row = conn.execute(query, given).fetchone()
    assert row is not None  # aggregates always give a row
    position, newest, erasures, made_of, made_at = row
    return MartsShown(position, newest, erasures, made_of, made_at, definition())


def noted(conn: psycopg.Connection) -> MartsShown | None:
    """What the live marts show, as was noted when they were moved in; None where there are none, or others."""
    row = conn.execute(_NOTED, {"names": _names()}).fetchone()
    return MartsShown(*row[:6]) if row is not None and row[-1] else None


def shown(conn: psycopg.Connection) -> MartsShown | None:
    """The same for whoever is to read them: nobody moves others in before the transaction ends. None: there are none.

    A snapshot that is older than the marts that stand knows what was noted of former ones: then raises Replaced.
    """
    if not all(conn.execute("SELECT to_regclass(%s) IS NOT NULL", [f"mart.{_names()[0]}"]).fetchone() or ()):
        return None
    conn.execute(_HOLD.format(sql.Identifier("mart", _names()[0])))
    found = noted(conn)
    if found is None:
        raise Replaced("The marts were replaced a moment ago. Try again.")
    return found


def marts_of_before_an_erasure(conn: psycopg.Connection) -> list[str]:
    """The marts that may show what was erased, with their schema: all, where they do not know of the last erasure."""
    former = noted(conn)
    if former is None or former.erasures == to_show(conn).erasures:
        return []
    return [f"mart.{name}" for name in _names()]


def note(conn: psycopg.Connection, made: MartsShown) -> None:
    """Notes what the marts show that were moved in, within the transaction that did so."""
    conn.execute(_NOTE, {**made._asdict(), "made_of": Jsonb(made.made_of), "names": _names()})


def redate(conn: psycopg.Connection, former: MartsShown, now: MartsShown) -> None:
    """Notes that the marts that stand show the log up to a later position: nothing that they read lies between."""
    conn.execute(_REDATE, [now.position, now.newest, former.made_at])


def spoil(conn: psycopg.Connection) -> None:
    """Notes that the marts stand on something that is no more: they are to be made anew."""
    conn.execute(_SPOIL)


def _names() -> list[str]:
    return [mart.name for mart in marts.MARTS]
