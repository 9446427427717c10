"""Opening the inbox of a group, wherever it is kept: the one place that knows all kinds of them."""

import re
from pathlib import Path

from replayhouse_consumer.errors import Misuse
from replayhouse_consumer.inbox import Inbox
from replayhouse_consumer.sqlite_inbox import SqliteInbox

GROUP = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,49}")


def open_inbox(where: str | Path, group: str, prefix: str) -> Inbox:
    """The inbox of a group: in a SQLite file, in memory (`:memory:`), or in PostgreSQL (`postgresql://...`).

    Raises Misuse where it belongs to another group or another warehouse, Refused where the database does not let us in.
    """
    if not GROUP.fullmatch(group):
        raise Misuse(f"{group!r} is no name of a group: up to 50 letters, digits, dots, hyphens and underscores.")
    if str(where).startswith(("postgresql://", "postgres://")):
        try:
            from replayhouse_consumer.postgres_inbox import PostgresInbox
        except ImportError as error:
            raise Misuse("An inbox in PostgreSQL needs psycopg: install replayhouse-consumer[postgres].") from error
        return PostgresInbox(str(where), group, prefix)
    return SqliteInbox(where, group, prefix)
