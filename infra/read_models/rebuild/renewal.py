"""Keeping the live marts up with the tables: renewed, all of them, where the tables show something else by now.

They are made aside, and exchanged for those that stand. On a small log they are refreshed as they stand, in one
transaction, which costs less there: PostgreSQL computes each and writes the rows that differ, while readers go on. So
it is where others cannot take their place. Killed in between, what was noted of the marts says that they are not those
of now: whoever catches up next renews them.
"""

import psycopg
from psycopg import errors

from replayhouse.infra.postgres.connection import translated
from replayhouse.infra.postgres.locks import QUICK_LOCK, exclusive
from replayhouse.infra.read_models import marts, marts_shown
from replayhouse.infra.read_models.marts import Unmakeable
from replayhouse.infra.read_models.marts_aside import make_aside
from replayhouse.infra.read_models.marts_shown import MartsShown
from replayhouse.infra.read_models.rebuild import swap
from replayhouse.infra.runtime.errors import Conflicting
from replayhouse.infra.runtime.telling import Warn
from replayhouse.infra.telemetry.happenings import Happening
from replayhouse.infra.telemetry.spans import Work, span

_EXCHANGE_SECONDS = 5.0
_ATTEMPTS = 3
_SMALL = 20_000
"""Events of a log up to which refreshing costs less than making aside: docs/decisions/0033."""
_MAY_REFRESH = "SELECT has_database_privilege(current_database(), 'TEMPORARY')"
_NO_SWAP = "LOCK TABLE read_model.mart IN SHARE ROW EXCLUSIVE MODE"


class _Swapped(Exception):  # noqa: N818 - nothing is wrong
    """Other tables or marts were swapped in while marts were made."""


def are_due(conn: psycopg.Connection) -> bool:
    """Whether the marts that stand show something else than marts that were made now."""
    former, now = marts_shown.noted(conn), marts_shown.to_show(conn)
    return former is None or now.differs_from(former) or _is_later(now, former)


def renew_marts(conn: psycopg.Connection, wait: float | None = None) -> None:
    """Makes the marts anew if what they show differs from what there is to show; `conn` in autocommit.

    Readers see the old ones or the new ones. Where no mart reads what is new, only their position moves on. Raises
    Unmakeable where a mart cannot be made; Conflicting if another command is at it after `wait` seconds (as `exclusive`
    has it), if readers do not let go of the old ones for 5 s, or where a view of others stands in the way. The marts
    are as they were then.
    """
    with translated():
        if not are_due(conn):
            return
        with span(Work.MARTS, ends=Happening.MARTS_MADE), exclusive(conn, swap.MARTS_LOCK, wait):
            for _ in range(_ATTEMPTS):
                if _renewed(conn):
                    return
        raise Conflicting("Read models were swapped again and again while marts were made.")


def keep_marts(conn: psycopg.Connection, warn: Warn) -> None:
    """The same after something else that stands: where it cannot be done, that is told."""
    try:
        renew_marts(conn)
    except (Conflicting, Unmakeable) as error:
        former = marts_shown.noted(conn)
        kept = "There are no marts yet" if former is None else f"The marts still show position {former.position:,}"
        warn(f"{kept}. {error} What was loaded stands: replayhouse project makes them later.")


def _is_later(now: MartsShown, former: MartsShown) -> bool:
    return (now.position, now.newest) != (former.position, former.newest)


def _renewed(conn: psycopg.Connection) -> bool:
    """Makes them, if need be; False where something was swapped in meanwhile."""
    former, now = marts_shown.noted(conn), marts_shown.to_show(conn)
    if former is not None and not now.differs_from(former):
        if _is_later(now, former):
            marts_shown.redate(conn, former, now)
        return True
    if former is not None and former.erasures == now.erasures and now.newest <= _SMALL and _is_refreshed(conn, former):
        return True
    try:
        made = make_aside(conn, marts.FRESH)
        swap.patiently(conn, lambda: _exchange(conn, former, made), _EXCHANGE_SECONDS)
    except BaseException as error:
        if not conn.closed:
            marts.drop_aside(conn, marts.FRESH)
        if isinstance(error, _Swapped):
            return False
        if isinstance(error, Conflicting) and former is not None and _is_refreshed(conn, former):
            return True
        raise
    return True


def _is_refreshed(conn: psycopg.Connection, former: MartsShown) -> bool:
    """Refreshes the marts that stand; False where they must be made in another way.

    To a snapshot from before they are as they were, and so is what is noted of them.
    """
    if former.definition != marts_shown.definition() or conn.execute(_MAY_REFRESH).fetchone() != (True,):
        return False
    try:
        with marts.one_snapshot(conn):
            now = marts_shown.to_show(conn)
            marts.refresh(conn)
            marts_shown.note(conn, now)
    except errors.SerializationFailure:  # something was swapped in meanwhile
        return False
    return True


def _exchange(conn: psycopg.Connection, former: MartsShown | None, made: MartsShown) -> None:
    """A swap notes what its marts show, for which it waits for us or we for it: what we have made may stand on tables
    that are live no longer.
    """
    conn.execute(QUICK_LOCK)
    conn.execute(_NO_SWAP)
    if marts_shown.noted(conn) != former:
        raise _Swapped
    swap.exchange_marts(conn, made)
