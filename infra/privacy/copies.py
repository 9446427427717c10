"""Copies of read models outside of this database: where they are, and which of them may show a person who was erased.

An erasure destroys keys, and live read models follow; what was written elsewhere in clear it cannot reach. Whoever
makes such a copy notes it here *before* a personal field is written, and again when it is made anew. Sealed segments of
the log need no note: what is personal in them is sealed.
"""

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import psycopg

from replayhouse.infra.runtime.manifests import MANIFEST

Kind = Literal["export", "replay", "clickhouse"]

_NOTE = """
    INSERT INTO event_store.copy_elsewhere (kind, host, place, contexts, is_in_clear, read_at_position)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (kind, host, place) DO UPDATE
        SET contexts = excluded.contexts, is_in_clear = excluded.is_in_clear,
            read_at_position = excluded.read_at_position, made_at = clock_timestamp()
"""
# While it is made, what stood there counts too: it is replaced at the end.
_NOTE_COMING = """
    INSERT INTO event_store.copy_elsewhere AS c (kind, host, place, contexts, is_in_clear, read_at_position)
    VALUES (%s, %s, %s, %s, %s, %s)
    ON CONFLICT (kind, host, place) DO UPDATE
        SET is_in_clear = c.is_in_clear OR excluded.is_in_clear,
            contexts = ARRAY(SELECT DISTINCT unnest(c.contexts || excluded.contexts)),
            read_at_position = CASE WHEN c.is_in_clear THEN least(c.read_at_position, excluded.read_at_position)
                ELSE excluded.read_at_position END
"""
_IS_NOTED = "SELECT EXISTS (SELECT FROM event_store.copy_elsewhere WHERE kind = %s AND host = %s AND place = %s)"
_FORGET = "DELETE FROM event_store.copy_elsewhere WHERE kind = %s AND host = %s AND place = %s"
_OF_BEFORE = """
    SELECT kind, host, place, contexts, is_in_clear, read_at_position FROM event_store.copy_elsewhere
    WHERE is_in_clear AND read_at_position < (
        SELECT max(notification_id) FROM event_store.customer_events WHERE topic LIKE 'customer.CustomerAnonymized.%'
    )
    ORDER BY kind, host, place
"""


class Copy(NamedTuple):
    """A copy: what made it, where it stands, and of which contexts it is.

    `place` is an absolute folder on the machine `host`, or an address without a password and an empty `host`.
    `read_at_position` is where the log ended when the copy was read, whatever moment it shows: keys are of then.
    """

    kind: Kind
    host: str
    place: str
    contexts: Sequence[str]
    is_in_clear: bool
    read_at_position: int

    @property
    def named(self) -> str:
        """As a person is told of it."""
        where = f"{self.place} on {self.host}" if self.host and self.host != socket.gethostname() else self.place
        return f"{self.kind} {where}"

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {"kind": self.kind, "host": self.host or None, "place": self.place, "contexts": list(self.contexts)}

    @property
    def remedy(self) -> str:
        """What makes it show the erased no more."""
        if self.kind == "clickhouse":
            return "replayhouse project --to clickhouse brings it up to date"
        return f"make it anew with replayhouse {self.kind}, or remove the folder"

    @property
    def is_gone(self) -> bool:
        """Whether it was a folder of this machine, and is none any more; one that was left unfinished is one.

        Of a folder that cannot be looked into nobody knows that.
        """
        if self.host != socket.gethostname():
            return False
        try:
            return not any(name.startswith(MANIFEST) for name in os.listdir(self.place))
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:
            return False


def of_folder(kind: Kind, folder: Path, contexts: Sequence[str], is_in_clear: bool, read_at_position: int) -> Copy:
    """A copy in a folder of this machine."""
    return Copy(kind, socket.gethostname(), str(folder.resolve()), contexts, is_in_clear, read_at_position)


def note(conn: psycopg.Connection, copy: Copy) -> None:
    """Notes a copy, in the place of what was noted of the same place before."""
    conn.execute(_NOTE, [*copy[:3], list(copy.contexts), copy.is_in_clear, copy.read_at_position])


def note_coming(conn: psycopg.Connection, copy: Copy) -> None:
    """Notes a copy that is about to be written beside what stands in its place, and is to replace it."""
    conn.execute(_NOTE_COMING, [*copy[:3], list(copy.contexts), copy.is_in_clear, copy.read_at_position])


def is_noted(conn: psycopg.Connection, copy: Copy) -> bool:
    """Whether anything is noted of the same place."""
    return conn.execute(_IS_NOTED, copy[:3]).fetchone() == (True,)


def forget(conn: psycopg.Connection, copy: Copy) -> None:
    """Takes the note of a copy away: it is not there any more."""
    conn.execute(_FORGET, copy[:3])


def of_before_an_erasure(conn: psycopg.Connection) -> list[Copy]:
    """The copies in clear that were read before the newest erasure, and may show an erased person.

    A folder of this machine that is gone is not among them.
    """
    return [copy for copy in (Copy(*row) for row in conn.execute(_OF_BEFORE)) if not copy.is_gone]
