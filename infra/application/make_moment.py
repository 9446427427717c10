"""Making a moment that questions are then asked as of at once: read models and marts, under a prefix of its own."""

from datetime import date, datetime
from typing import NamedTuple

from replayhouse.infra.application.moments import (
    is_made_to_be_asked,
    name_of,
    read_moment,
    recorded,
    standing_as_of,
)
from replayhouse.infra.application.rebuild_into import telling
from replayhouse.infra.application.site import Site
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models import prefixes
from replayhouse.infra.read_models.snapshots import time_travel
from replayhouse.infra.read_models.snapshots.limits import Limits
from replayhouse.infra.runtime.errors import Conflicting

MOST_KEPT = 5
"""So many moments stand that were made so; with one more, that which was made first is dropped."""

_NAME = "replayhouse moment"


class MomentToAsk(NamedTuple):
    """A moment that questions can be asked as of, or could if it were made; `position` is None for what is live."""

    position: int | None
    occurred_before: datetime | None
    is_made: bool


def look_up_moment(
    site: Site, at: str | int | datetime | None, occurred_before: str | date | None, source: str | None = None
) -> MomentToAsk:
    """Which moment is meant, and whether it stands. Raises UsageError where none could be."""
    with site.as_reader.connect(_NAME, autocommit=True) as conn:
        wanted = read_moment(conn, at, occurred_before, source)
        if not isinstance(wanted, Limits):
            return MomentToAsk(None, None, is_made=True)
        return MomentToAsk(wanted.position, wanted.occurred_before, standing_as_of(conn, wanted) is not None)


def make_moment(
    site: Site, at: str | int | datetime | None, occurred_before: str | date | None, source: str | None = None
) -> MomentToAsk:
    """Makes a moment, unless it stands, and drops the oldest of those that were made so.

    Raises UsageError where there could be no such moment, and what `rebuild_into` raises.
    """
    with site.prepare_workers():
        database = site.database
        with database.connect(_NAME, autocommit=True) as conn:
            wanted = read_moment(conn, at, occurred_before, source)
            if not isinstance(wanted, Limits):
                return MomentToAsk(None, None, is_made=True)
            made = MomentToAsk(wanted.position, wanted.occurred_before, is_made=True)
            if standing_as_of(conn, wanted) is not None:
                return made
            name = name_of(recorded(conn, wanted))
        telling(site)(0, 0)
        time_travel.rebuild_into(database, name, limits=wanted, workers=site.settings.workers, tell=telling(site))
    _drop_the_oldest(site, database)
    return made


def _drop_the_oldest(site: Site, database: Database) -> None:
    with database.connect(_NAME, autocommit=True) as conn:
        standing = [one for one in prefixes.prefixes(conn) if is_made_to_be_asked(one.prefix)]
        for one in sorted(standing, key=lambda one: one.made_at, reverse=True)[MOST_KEPT:]:
            try:
                prefixes.drop(conn, one.prefix)
            except Conflicting as error:
                site.warn(f"An older moment still stands: {error}")
