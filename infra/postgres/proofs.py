"""What a checkpoint or a proof of inclusion must know of the log, read from the database."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import psycopg

from infra.errors import UsageError
from infra.postgres.connection import translated
from infra.postgres.merkle import GENESIS, path_of
from infra.postgres.store import read_head
from infra.proof.checkpoint import Checkpoint, HeadToSign
from infra.proof.documents import DoesNotHold
from infra.proof.inclusion import Commit, Proof, ProvedEvent, check, encoded_state, proof_of

_STORE = "SELECT store_id FROM event_store.store"
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
_EVENT = """
    SELECT context, originator_id, originator_version, topic, state, batch_id, source
    FROM event_store.log WHERE notification_id = %s
"""
_COMMITS = """
    SELECT first_position, last_position, recorded_at, root, chain
    FROM event_store.commit WHERE last_position >= %s AND last_position <= %s ORDER BY last_position
"""
_CHAIN_BEFORE = "SELECT chain FROM event_store.commit WHERE last_position = %s"
_LEAVES = "SELECT leaf FROM event_store.log WHERE notification_id BETWEEN %s AND %s ORDER BY notification_id"


class _Commit(NamedTuple):
    first: int
    last: int
    recorded_at: datetime
    root: bytes
    chain: bytes

    def proved(self) -> Commit:
        return Commit(self.first, self.last, self.recorded_at, self.root.hex())


def store_id(conn: psycopg.Connection) -> UUID:
    """Which store this is."""
    row = conn.execute(_STORE).fetchone()
    assert row is not None  # the migration made it
    store: UUID = row[0]
    return store


def head_to_sign(conn: psycopg.Connection) -> HeadToSign:
    """The head of the chain as it is now."""
    with translated():
        head = read_head(conn)
        return HeadToSign(store_id(conn), head.position, head.chain, head.recorded_at)


def refuse_another_store(conn: psycopg.Connection, checkpoint: Checkpoint) -> None:
    """Raises DoesNotHold where the checkpoint is not of this store."""
    with translated():
        here = store_id(conn)
    if checkpoint.store != here:
        raise DoesNotHold(f"The checkpoint is of another store: of {checkpoint.store}, and this one is {here}.")


def inclusion_proof(conn: psycopg.Connection, position: int, checkpoint: Checkpoint | None = None) -> Proof:
    """The proof that the event at a position stands in the log, up to the checkpoint, or else to the head.

    `conn` is in no transaction. Raises UsageError where there is no such position, or none before the checkpoint;
    DoesNotHold where the log does not hold on the way, so that nothing can be proved.
    """
    with translated(), conn.transaction():
        conn.execute(_SNAPSHOT)
        last = read_head(conn).position
        _refuse_unknown(position, last, checkpoint)
        if checkpoint is not None and checkpoint.position > last:
            raise DoesNotHold(
                f"The log was cut off: it ends at position {last:,}, and the checkpoint knows it up to "
                f"{checkpoint.position:,}."
            )
        proof = _proof(conn, position, checkpoint.position if checkpoint is not None else last)
    proved = check(proof)
    if checkpoint is not None and proved.chains.get(checkpoint.position) != checkpoint.chain:
        raise DoesNotHold("The log was rewritten: it leads to another chain than the checkpoint signed.")
    return proof


def _refuse_unknown(position: int, last: int, checkpoint: Checkpoint | None) -> None:
    if not last:
        raise UsageError("The log is empty: there is no event to prove.")
    if not 1 <= position <= last:
        raise UsageError(f"The log has no position {position:,}: positions run from 1 to {last:,}.")
    if checkpoint is not None and position > checkpoint.position:
        raise UsageError(f"The checkpoint is of position {checkpoint.position:,}, and {position:,} came after it.")


def _proof(conn: psycopg.Connection, position: int, end: int) -> Proof:
    event = conn.execute(_EVENT, [position]).fetchone()
    commits = [_Commit(*row) for row in conn.execute(_COMMITS, [position, end])]
    if event is None or not commits or commits[0].first > position:
        raise _tampered(position)
    own = commits[0]
    leaves = [leaf for (leaf,) in conn.execute(_LEAVES, [own.first, own.last])]
    before = conn.execute(_CHAIN_BEFORE, [own.first - 1]).fetchone() if own.first > 1 else (GENESIS,)
    if before is None or len(leaves) != own.last - own.first + 1:
        raise _tampered(position)
    context, stream, version, topic, state, batch_id, source = event
    told = ProvedEvent(position, context, stream, version, topic, *encoded_state(state), batch_id, source)
    path = path_of(leaves, position - own.first)
    head = commits[-1].last, commits[-1].chain
    return proof_of(told, path, before[0], [commit.proved() for commit in commits], head)


def _tampered(position: int) -> DoesNotHold:
    return DoesNotHold(
        f"The log does not hold at position {position:,}, so nothing can be proved: see 'replayhouse audit verify'."
    )
