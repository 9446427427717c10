"""How much of the log a moment sees: a position, and a business time, whatever read models stand for it."""

from datetime import datetime
from typing import NamedTuple

import psycopg

from replayhouse.infra.application.rebuild_into import limits_of
from replayhouse.infra.read_models.prefixes import prefixes
from replayhouse.infra.read_models.snapshots import moments
from replayhouse.infra.read_models.snapshots.limits import Limits, position_of


class Seen(NamedTuple):
    """Events up to `position` are seen, of these the ones that had happened before a local time, if one is given."""

    position: int
    occurred_before: datetime | None


def seen_at(conn: psycopg.Connection, at: str | int | datetime | None, occurred_before: str | None) -> Seen:
    """What a moment sees; a revision that stands sees the whole log. Raises UsageError for what is no moment."""
    before = limits_of(None, None, occurred_before).occurred_before
    if at is None or at == moments.LIVE:
        return Seen(position_of(conn, Limits()), before)
    wanted = moments.read(at)
    if wanted.limits is not None:
        return Seen(position_of(conn, wanted.limits), before)
    moments.schemas_of(conn, wanted.text)
    known = next((one for one in prefixes(conn) if one.prefix == wanted.text), None)
    if known is None:
        return Seen(position_of(conn, Limits()), before)
    return Seen(known.position, before or known.occurred_before)
