"""How far the read models in ClickHouse are, looked at in passing: nothing is made or changed there."""

from collections.abc import Mapping

import psycopg

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.clickhouse import position
from replayhouse.infra.clickhouse.server import looked_at
from replayhouse.infra.runtime.clickhouse_settings import ClickHouseSettings


def positions(conn: psycopg.Connection, settings: ClickHouseSettings) -> Mapping[str, int]:
    """The position of the log that each context shows there; 0 of what was never shown, or is of another log.

    `conn` reads the log. Raises Unreachable where ClickHouse does not answer within some seconds, and what else
    `connected` does.
    """
    with looked_at(settings) as server:
        known = position.look(server)
    store = position.store_of(conn)
    return {
        context: known[context].position if context in known and known[context].store == store else 0
        for context in CONTEXTS
    }
