"""The names that the warehouse needs for its schemas, and schemas of others that have them already.

A schema is ours if what we note of it stands in tables of ours, which are made in the same transaction.
"""

import psycopg

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.runtime.errors import WrongServer

FOR_A_MOMENT = ("mart_next", "mart_fresh", "mart_gone", "shared_gone", "unfinished_received")
SIGHTS = ("masked", "regional")
NAMES = ("event_store", "read_model", "publishing", "shared", "mart", *SIGHTS, *FOR_A_MOMENT, *CONTEXTS)
"""What stands in a warehouse, or does so for a moment."""

REVISIONS = rf"^({'|'.join(CONTEXTS)})_(r\d+|gone)$"
"""Names of revisions that are not live."""

_MADE_BY_MIGRATION = {"event_store": 1, "read_model": 3, "publishing": 11}
_FIRST_WITH_SIGHTS = 21
_FOUND = "SELECT nspname::text FROM pg_namespace WHERE nspname = ANY(%s) OR nspname ~ %s ORDER BY nspname"
_KNOWN_VERSION = "SELECT to_regclass('event_store.schema_version') IS NOT NULL"
_VERSION = "SELECT greatest(1, max(version)) FROM event_store.schema_version"
_PREPARED = "SELECT context FROM read_model.projection"


def refuse_those_of_others(conn: psycopg.Connection) -> None:
    """Raises WrongServer where somebody else's schemas have names of ours; before anything of ours is written."""
    found = [name for (name,) in conn.execute(_FOUND, [list(NAMES), REVISIONS]).fetchall()]
    ours = _ours(conn)  # asked after it, for another command may be making them right now
    if others := [name for name in found if name not in ours]:
        several = len(others) > 1
        what = "schemas of somebody else's under names" if several else "a schema of somebody else's under a name"
        raise WrongServer(
            f"The database {conn.info.dbname} has {what} that replayhouse needs: {', '.join(others)}. Nothing was "
            "written. Give the warehouse a database of its own (CREATE DATABASE replayhouse) and name that in "
            f"REPLAYHOUSE_DATABASE_URL, or rename {'those schemas' if several else 'that schema'}."
        )


def _ours(conn: psycopg.Connection) -> set[str]:
    if conn.execute(_KNOWN_VERSION).fetchone() != (True,):
        return set()
    (version,) = conn.execute(_VERSION).fetchone() or (0,)
    ours = {name for name, made_by in _MADE_BY_MIGRATION.items() if made_by <= version}
    if "read_model" not in ours:
        return ours
    contexts = {context for (context,) in conn.execute(_PREPARED).fetchall()}
    if contexts:  # the read models are made all at once, and revisions of theirs stand under names of the same kind
        ours |= contexts | {"shared", "mart", *FOR_A_MOMENT}
        ours |= set(SIGHTS) if version >= _FIRST_WITH_SIGHTS else set()
        found = conn.execute(_FOUND, [[], rf"^({'|'.join(sorted(contexts))})_(r\d+|gone)$"]).fetchall()
        ours |= {name for (name,) in found}
    return ours
