"""How far ClickHouse is behind the log, where one is set up: asked in passing, and not waited for."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from psycopg import sql

from replayhouse.infra.application.site import Site
from replayhouse.infra.runtime.errors import ReplayhouseError

_LAG = sql.SQL("SELECT count(*) FROM event_store.{events} WHERE notification_id > {position}")


class ThereStatus(NamedTuple):
    """Up to which position a context is shown there, and how many of its events are not."""

    position: int
    lag: int


class ClickHouseStatus(NamedTuple):
    """Where it is, without a password; how far each context is; or, with an `error`, why that is not known."""

    place: str
    contexts: Mapping[str, ThereStatus]
    error: str | None

    def document(self) -> dict[str, Any]:
        """As JSON shows it: `error` only where there is one, and then no contexts."""
        if self.error is not None:
            return {"place": self.place, "error": self.error}
        return {"place": self.place, "contexts": {context: told._asdict() for context, told in self.contexts.items()}}


def clickhouse_status(site: Site) -> ClickHouseStatus | None:
    """How far it is; None where none is set up, or it is the engine without a server, which one process at a time has.

    Raises UsageError where the settings make no sense.
    """
    if site.clickhouse.url is None or site.clickhouse.address.folder:
        return None
    from replayhouse.infra.clickhouse.standing import positions

    place = site.clickhouse.address.place
    with site.as_reader.connect("replayhouse status") as conn:
        try:
            found = positions(conn, site.clickhouse)
        except ReplayhouseError as error:
            return ClickHouseStatus(place, {}, str(error))
        told = {}
        for context, position in found.items():
            query = _LAG.format(events=sql.Identifier(f"{context}_events"), position=sql.Literal(position))
            (lag,) = conn.execute(query).fetchone() or (0,)
            told[context] = ThereStatus(position, lag)
    return ClickHouseStatus(place, told, None)
