"""The hashes of the log, in a form that anybody can recompute with SHA-256 alone.

All numbers are big-endian; `+` joins bytes.

* *Field*: length in bytes as int32 + the bytes; null is the length -1 and nothing else. These are the very fields of
  PostgreSQL's binary COPY format.
* *Leaf* of an event: SHA-256(0x00 + fields of: context (UTF-8), originator_id (16 bytes), originator_version (int64),
  topic (UTF-8), state, batch_id (16 bytes or null), source (UTF-8 or null)).
* *Root* of a commit: the Merkle tree hash of RFC 6962, section 2.1, over the leaves of its events by position. The
  leaf above is RFC 6962's leaf hash already; an inner node is SHA-256(0x01 + left + right); the left subtree holds the
  largest power of two of leaves that is smaller than their number.
* *Chain* of a commit: SHA-256(chain of the commit before (32 zero bytes for the first) + first position (int64) + last
  position (int64) + recorded_at (int64, microseconds since 1970-01-01 00:00 UTC) + root).
* *Path* of an event in its commit: the Merkle audit path of RFC 6962, section 2.1.1, the nearest node first.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from struct import Struct
from typing import NamedTuple

GENESIS = bytes(32)
"""The chain before the first commit."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_RANGE_AND_TIME = Struct(">qqq")


def leaf_of(fields: bytes) -> bytes:
    """The leaf (32 bytes) of an event, given its fields from the context on as bytes."""
    return sha256(b"\x00" + fields).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The Merkle tree hash (32 bytes) of at least one leaf.

    Level by level: pairs are joined and an odd node at the end moves up as it is, which gives the tree of RFC 6962.
    """
    level = list(leaves)
    while len(level) > 1:
        level = _level_above(level)
    return level[0]


def _level_above(level: Sequence[bytes]) -> list[bytes]:
    pairs = zip(level[::2], level[1::2], strict=False)
    above = [sha256(b"\x01" + left + right).digest() for left, right in pairs]
    if len(level) % 2:
        above.append(level[-1])
    return above


def path_of(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The Merkle audit path of one of the leaves, counted from 0: the nodes (32 bytes each) that its root needs."""
    path, level = [], list(leaves)
    while len(level) > 1:
        if index ^ 1 < len(level):
            path.append(level[index ^ 1])
        level = _level_above(level)
        index //= 2
    return path


class Step(NamedTuple):
    """One step from a leaf to the root: the hash beside, whether that stands on the left, and what the two make."""

    beside: bytes
    is_left: bool
    node: bytes


def steps_by_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> list[Step] | None:
    """The way up a tree of `size` leaves that has this leaf at `index`; None where the path is of no such tree."""
    node, nodes, steps = leaf, iter(path), list[Step]()
    while size > 1:
        if index ^ 1 < size:
            beside, is_left = next(nodes, None), bool(index % 2)
            if beside is None:
                return None
            node = sha256(b"\x01" + (beside + node if is_left else node + beside)).digest()
            steps.append(Step(beside, is_left, node))
        index, size = index // 2, (size + 1) // 2
    return steps if next(nodes, None) is None else None


def root_by_path(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root of a tree of `size` leaves that has this leaf at `index`; None where the path is of no such tree."""
    steps = steps_by_path(leaf, index, size, path)
    if steps is None:
        return None
    return steps[-1].node if steps else leaf


def chain_of(previous: bytes, first_position: int, last_position: int, recorded_at: datetime, root: bytes) -> bytes:
    """The chain (32 bytes) of a commit; `recorded_at` is aware."""
    microseconds = (recorded_at - _EPOCH) // _MICROSECOND
    return sha256(previous + _RANGE_AND_TIME.pack(first_position, last_position, microseconds) + root).digest()
