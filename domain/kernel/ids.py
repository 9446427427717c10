"""Identities: the source's UUIDs as they are, and deterministic ones where the source has none."""

from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from replayhouse.domain.kernel.each import joined

UNKNOWN_ID = UUID(int=0)
"""Stands where the source names nobody; every dimension has a row for it."""


def natural_id(kind: str, key: str) -> UUID:
    """The same id for the same natural key, on every machine and in every replay (UUIDv5)."""
    name = joined("replayhouse:", kind, ":", key)
    if (ask := getattr(type(name), "named_in", None)) is not None:
        asked: Any = ask(name, NAMESPACE_URL)
        return asked  # type: ignore[no-any-return]  # a column stands for the ids
    return uuid5(NAMESPACE_URL, name)
