"""The sources of a warehouse: the names of the mappings that loads were made by, and of the one that is built in."""

import psycopg

from replayhouse.infra.event_store.sources_told import BUILT_IN
from replayhouse.infra.runtime.errors import Unknown
from replayhouse.infra.sources.names import meant

_NAMES = "SELECT DISTINCT coalesce(source ->> 'name', %s) AS name FROM event_store.batch WHERE kind = 'load' ORDER BY 1"


def source_names(conn: psycopg.Connection) -> list[str]:
    """The sources that the warehouse has loads of, those that were taken back as well, by name."""
    return [name for (name,) in conn.execute(_NAMES, [BUILT_IN])]


def known_source(conn: psycopg.Connection, name: str) -> str:
    """The name, where the warehouse has loads of that source. Raises Unknown, which tells what it has loads of."""
    known = source_names(conn)
    if name not in known:
        told = meant(name, known)
        raise Unknown(f"This warehouse has no load of a source '{name}': {told}{'' if told.endswith('?') else '.'}")
    return name
