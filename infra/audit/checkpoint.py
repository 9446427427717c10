"""A checkpoint: the head of the chain at some time, signed, to be kept where those who write to the log cannot reach.

A log that holds in itself may have been rewritten as a whole, or cut off at its end. With a checkpoint it cannot have
been, up to the position that the checkpoint names.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from replayhouse.infra.audit.documents import DoesNotHold, Hash, Kind, Moment, Position, read_document, rendered
from replayhouse.infra.audit.signing_keys import is_signed

FORMAT: Literal["replayhouse checkpoint 1"] = "replayhouse checkpoint 1"
SIGNED = ("store", "position", "chain", "recorded_at", "signed_at")
"""The fields that the signature covers, in their order; it covers the format as well."""

CHECKPOINT = Kind("checkpoint", (FORMAT, *SIGNED, "public_key", "signature"))


class Document(msgspec.Struct, forbid_unknown_fields=True):
    """A checkpoint as it stands in its file."""

    format: Literal["replayhouse checkpoint 1"]
    store: UUID
    position: Position
    chain: Hash
    recorded_at: Moment
    signed_at: Moment
    public_key: Hash
    signature: Annotated[str, Meta(pattern=r"^[0-9a-f]{128}\Z")]


class Checkpoint(NamedTuple):
    """The head of the chain of a store: position, chain (32 bytes) and recorded time of its newest commit then.

    `public_key` (32 bytes) is that of whoever signed it, at `signed_at`.
    """

    store: UUID
    position: int
    chain: bytes
    recorded_at: datetime
    signed_at: datetime
    public_key: bytes


class HeadToSign(NamedTuple):
    """What a checkpoint says of a store."""

    store: UUID
    position: int
    chain: bytes
    recorded_at: datetime


def signed(head: HeadToSign, signed_at: datetime, key: Ed25519PrivateKey) -> bytes:
    """The bytes of a checkpoint's file; times are aware and in UTC."""
    public_key = key.public_key().public_bytes_raw().hex()
    chain = head.chain.hex()
    document = Document(FORMAT, head.store, head.position, chain, head.recorded_at, signed_at, public_key, signature="")
    document.signature = key.sign(_message(document)).hex()
    return rendered(document)


def read_checkpoint(path: Path, trusted: bytes | None = None) -> Checkpoint:
    """The checkpoint in a file, its signature checked; `trusted` is the key (32 bytes) that must have made it.

    Raises InputError where it is no checkpoint, DoesNotHold where it was changed or somebody else signed it.
    """
    found = read_document(path, CHECKPOINT, Document)
    public_key = bytes.fromhex(found.public_key)
    if not is_signed(public_key, bytes.fromhex(found.signature), _message(found)):
        raise DoesNotHold(f"The checkpoint {path} was changed: its signature does not fit what it says.")
    if trusted is not None and public_key != trusted:
        raise DoesNotHold(
            f"The checkpoint {path} is signed with the key {found.public_key}, and not with {trusted.hex()}: "
            "somebody else made it, or it is older than that key (--public-key names another)."
        )
    chain = bytes.fromhex(found.chain)
    return Checkpoint(found.store, found.position, chain, found.recorded_at, found.signed_at, public_key)


def _message(document: Document) -> bytes:
    """What is signed: the format, then a line `name value` for each field, as it stands in the file."""
    values = msgspec.to_builtins(document)
    lines = [document.format, *(f"{name} {values[name]}" for name in SIGNED)]
    return "".join(f"{line}\n" for line in lines).encode()
