"""The ids that `id(kind, key)` and `person_id(key)` of a mapping give (macros.py), computed from keys that are at hand.

By them a thing is found by the key that its source calls it by.
"""

import hashlib
import hmac
from uuid import UUID

BYTES = 16
"""So many of a hash are the id."""


def id_of_key(source: str, kind: str, key: str) -> UUID:
    """What `id(kind, key)` gives in the mapping of that source. Raises UnicodeEncodeError for what is no text."""
    return UUID(bytes=hashlib.sha256(_joined(source, kind, key)).digest()[:BYTES])


def person_id_of_key(source: str, key: str, secret: bytes) -> UUID:
    """What `person_id(key)` gives there, with the secret of the store. Raises UnicodeEncodeError as id_of_key does."""
    return UUID(bytes=hmac.digest(secret, _joined(source, key), "sha256")[:BYTES])


def _joined(*parts: str) -> bytes:
    return "\0".join(parts).encode()
