"""The secret of a store that ids of personal keys are made with: without it, a person's id could be guessed.

It stands among the keys of people, as that of nobody, so that it is backed up, sealed and kept from others as they are,
and never in the log.
"""

import os

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
    known = known_keys(connection, [SECRET])
    if not known and not may_make:
        return os.urandom(BYTES)
    key = known[SECRET] if known else make_keys(connection, [SECRET])[SECRET]
    if key is None:
        raise UsageError(
            "The secret that makes ids of people is lost: without it, a load would take everybody for somebody else. "
            "Restore the keys from their backup."
        )
    return key
