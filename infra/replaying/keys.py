"""Where whoever replays looks up the keys of personal fields: in bulk, some thousands of subjects at a time.

Nothing of it is written anywhere: an address goes to the processes that fold, and keys only from there to them.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from replayhouse.infra.event_store.known_keys import KeysOf


class KeysFrom(Protocol):
    """A place of keys. Can be sent to other processes."""

    def opened(self) -> AbstractContextManager[KeysOf]:
        """What looks keys up there, for the time of the block. Raises Unreachable."""
        ...


@dataclass(frozen=True)
class KeysOfDatabase:
    """The table `event_store.subject_key` of a database, by its URL; the role need not be able to read anything else.

    The driver of the database is imported when it is opened.
    """

    url: str = field(repr=False)

    @contextmanager
    def opened(self) -> Iterator[KeysOf]:
        """On a connection of its own. Raises Unreachable, LostKeys, and WrongServer where the role may not read it."""
        from replayhouse.infra.event_store.keys import read_keys
        from replayhouse.infra.postgres.connection import Database, translated

        with translated(), Database(self.url).connect("replayhouse replay", autocommit=True) as conn:
            yield partial(read_keys, conn)
