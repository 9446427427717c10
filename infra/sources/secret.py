"""The secret of a store that ids of personal keys are made with: without it, a person's id could be guessed.

It stands among the keys of people, as that of nobody, so that it is backed up, sealed and kept from others as they are,
and never in the log.
"""

import os
from typing import NoReturn

import psycopg

from replayhouse.domain.kernel.ids import natural_id
from replayhouse.infra.event_store.keys import known_keys, make_keys
from replayhouse.infra.runtime.errors import UsageError

SECRET = natural_id("secret", "ids of people")
BYTES = 32


def secret_of(connection: psycopg.Connection, *, may_make: bool) -> bytes:
    """The secret, made where there is none yet; one for the moment where nothing may be written.

    Raises UsageError where it was destroyed, or left out of a restored backup: other ids would be other people.
    """
    kept = kept_secret(connection)
    if kept is not None:
        return kept
    made = make_keys(connection, [SECRET])[SECRET] if may_make else os.urandom(BYTES)
    return made if made is not None else _refuse_lost()


def kept_secret(connection: psycopg.Connection) -> bytes | None:
    """The secret, or None where no load has needed one yet. Raises UsageError where it was destroyed."""
    known = known_keys(connection, [SECRET])
    if not known:
        return None
    key = known[SECRET]
    return key if key is not None else _refuse_lost()


def _refuse_lost() -> NoReturn:
    raise UsageError(
        "The secret that makes ids of people is lost: without it, a load would take everybody for somebody else. "
        "Restore the keys from their backup."
    )
