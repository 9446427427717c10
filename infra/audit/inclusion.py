"""A proof that an event stands in the log: its fields, its path in its commit, and what each later commit adds.

Whoever holds the head of the chain, best a signed checkpoint, recomputes it from the proof with SHA-256 alone.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

import msgspec
from msgspec import Meta

from replayhouse.infra.audit.checkpoint import Checkpoint
from replayhouse.infra.audit.documents import DoesNotHold, Hash, Kind, Moment, Position, read_document, rendered
from replayhouse.infra.event_store.merkle import Step, chain_of, leaf_of, root_by_path, steps_by_path
from replayhouse.infra.postgres.binary_copy import field

FORMAT: Literal["replayhouse inclusion proof 1"] = "replayhouse inclusion proof 1"
PROOF = Kind(
    "proof", (FORMAT, "originator_id", "originator_version", "state_encoding", "path", "later_commits", "chain_before")
)

Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class ProvedEvent(msgspec.Struct, forbid_unknown_fields=True):
    """The event: all that its leaf covers, and its position. A state that is no UTF-8 stands there in base64."""

    position: Position
    context: str
    originator_id: UUID
    originator_version: Int64
    topic: str
    state_encoding: Literal["utf-8", "base64"]
    state: str
    batch_id: UUID | None
    source: str | None


class Commit(msgspec.Struct, forbid_unknown_fields=True):
    """What was appended at once."""

    first_position: Position
    last_position: Position
    recorded_at: Moment
    root: Hash


class Head(msgspec.Struct, forbid_unknown_fields=True):
    """Where the proof leads to."""

    position: Position
    chain: Hash


class Proof(msgspec.Struct, forbid_unknown_fields=True):
    """A proof as it stands in its file. `chain_before` is the chain up to the commit before that of the event."""

    format: Literal["replayhouse inclusion proof 1"]
    event: ProvedEvent
    path: list[Hash]
    chain_before: Hash
    commit: Commit
    later_commits: list[Commit]
    head: Head


class Proved(NamedTuple):
    """What a proof has shown: the event, when it was recorded, and the chain (32 bytes) at the end of each commit."""

    event: ProvedEvent
    recorded_at: datetime
    chains: Mapping[int, bytes]

    def commits_after(self, position: int) -> int:
        """How many commits it leads over after a position: what is said there is not covered by the chain before."""
        return sum(last > position for last in self.chains)


def proof_of(
    event: ProvedEvent, path: Sequence[bytes], chain_before: bytes, commits: Sequence[Commit], head: tuple[int, bytes]
) -> Proof:
    """Puts a proof together; the first of the commits is that of the event, the last one leads to the head."""
    position, chain = head
    nodes = [node.hex() for node in path]
    return Proof(FORMAT, event, nodes, chain_before.hex(), commits[0], list(commits[1:]), Head(position, chain.hex()))


def encoded_state(state: bytes) -> tuple[Literal["utf-8", "base64"], str]:
    """How a state stands in a proof."""
    try:
        return "utf-8", state.decode()
    except UnicodeDecodeError:
        return "base64", base64.b64encode(state).decode()


def written(proof: Proof) -> bytes:
    """The bytes of a proof's file."""
    return rendered(proof)


def read_proof(path: Path) -> Proof:
    """The proof in a file, not checked yet. Raises InputError where it is none, DoesNotHold where it was changed."""
    return read_document(path, PROOF, Proof)


def check(proof: Proof) -> Proved:
    """Recomputes everything that a proof says. Raises DoesNotHold, which says what does not fit."""
    event, commit = proof.event, proof.commit
    if not commit.first_position <= event.position <= commit.last_position:
        raise DoesNotHold("The proof does not hold: the position of the event is not one of its commit's.")
    root = root_by_path(leaf(event), *_place(proof))
    if root is None or root.hex() != commit.root:
        raise DoesNotHold(
            f"The proof does not hold: the event at position {event.position:,} does not lead to the root of its "
            "commit. The event, its path or the commit was changed."
        )
    chain, last, chains = bytes.fromhex(proof.chain_before), commit.first_position - 1, {}
    for step in (commit, *proof.later_commits):
        if step.first_position != last + 1 or step.last_position < step.first_position:
            raise DoesNotHold(f"The proof does not hold: no commit begins at position {last + 1:,}.")
        chain = chain_of(chain, step.first_position, step.last_position, step.recorded_at, bytes.fromhex(step.root))
        last = step.last_position
        chains[last] = chain
    if last != proof.head.position or chain.hex() != proof.head.chain:
        raise DoesNotHold(
            f"The proof does not hold: its commits lead to position {last:,}, {chain.hex()}, and not to the head that "
            f"it names: position {proof.head.position:,}, {proof.head.chain}."
        )
    return Proved(event, commit.recorded_at, chains)


def check_against(proved: Proved, checkpoint: Checkpoint) -> None:
    """Whether the proof leads to the chain that a checkpoint signed. Raises DoesNotHold."""
    chain = proved.chains.get(checkpoint.position)
    if chain is None:
        ends = f"{min(proved.chains):,} to {max(proved.chains):,}"
        raise DoesNotHold(
            f"The proof says nothing of the checkpoint: it leads over the positions {ends}, and the checkpoint is of "
            f"{checkpoint.position:,}. Write a proof up to it: audit prove {proved.event.position} --checkpoint FILE."
        )
    if chain != checkpoint.chain:
        raise DoesNotHold(
            f"The proof does not hold: at position {checkpoint.position:,} it leads to another chain than the "
            "checkpoint signed. It is of another store, or of a log that was rewritten."
        )


def steps_of(proof: Proof) -> list[Step]:
    """How the leaf of the event leads to the root of its commit, of a proof that was checked."""
    steps = steps_by_path(leaf(proof.event), *_place(proof))
    assert steps is not None  # it holds
    return steps


def _place(proof: Proof) -> tuple[int, int, list[bytes]]:
    """Which leaf of how many the event is in its commit, and the path from there."""
    first, last = proof.commit.first_position, proof.commit.last_position
    return proof.event.position - first, last - first + 1, [bytes.fromhex(node) for node in proof.path]


def state_of(event: ProvedEvent) -> bytes:
    """The state as it stands in the log. Raises DoesNotHold where it was changed to something impossible."""
    try:
        state = event.state.encode() if event.state_encoding == "utf-8" else base64.b64decode(event.state)
    except ValueError:
        state = None
    if state is None or encoded_state(state) != (event.state_encoding, event.state):
        raise DoesNotHold("The proof does not hold: the state of the event is not spelled as it was written.")
    return state


def leaf(event: ProvedEvent) -> bytes:
    """The leaf (32 bytes) that the event makes. Raises DoesNotHold where its state is impossible."""
    batch_id = event.batch_id.bytes if event.batch_id is not None else None
    source = event.source.encode() if event.source is not None else None
    fields = (
        event.context.encode(),
        event.originator_id.bytes,
        event.originator_version.to_bytes(8, "big", signed=True),
        event.topic.encode(),
        state_of(event),
        batch_id,
        source,
    )
    return leaf_of(b"".join(map(field, fields)))
