"""Identities: the source's UUIDs as they are, and deterministic ones where the source has none."""

from uuid import NAMESPACE_URL, UUID, uuid5

UNKNOWN_ID = UUID(int=0)
"""Stands where the source names nobody; every dimension has a row for it."""


def natural_id(kind: str, key: str) -> UUID:
    """The same id for the same natural key, on every machine and in every replay (UUIDv5)."""
    return uuid5(NAMESPACE_URL, f"replayhouse:{kind}:{key}")
