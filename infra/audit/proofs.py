"""What a checkpoint or a proof of inclusion must know of the log, read from the database."""

from contextlib import suppress
from uuid import UUID

import psycopg
from psycopg import errors

from replayhouse.infra.audit.checkpoint import Checkpoint, HeadToSign
from replayhouse.infra.audit.documents import DoesNotHold
from replayhouse.infra.audit.inclusion import Commit, Proof, ProvedEvent, check, encoded_state, proof_of
from replayhouse.infra.event_store.commits import Commit as StoredCommit
from replayhouse.infra.event_store.commits import commits_after
from replayhouse.infra.event_store.head import find_store, read_head
from replayhouse.infra.event_store.log_tables import ALL_EVENTS, differences
from replayhouse.infra.event_store.merkle import GENESIS, path_of
from replayhouse.infra.postgres.connection import translated
from replayhouse.infra.runtime.errors import Unknown, UsageError

_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"
_EVENT = f"""
    SELECT context, originator_id, originator_version, topic, state, batch_id, source
    FROM ({ALL_EVENTS}) AS log WHERE notification_id = %s
"""
_CHAIN_BEFORE = "SELECT chain FROM event_store.commit WHERE last_position = %s"
_LEAVES = f"""
    SELECT string_agg(leaf, '' ORDER BY notification_id)
    FROM ({ALL_EVENTS}) AS log WHERE notification_id BETWEEN %s AND %s
"""  # in one piece: of the thousands of a commit, rows would take longer than the hashes


def store_id(conn: psycopg.Connection) -> UUID:
    """Which store this is. Raises DoesNotHold where that was taken away."""
    with suppress(errors.UndefinedTable):
        store = find_store(conn)
        if store is not None:
            return store
    raise DoesNotHold("Which store this is cannot be said: event_store.store is no table of one row any more.")


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
        _refuse_other_tables(conn)
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


def proof_in_commit(conn: psycopg.Connection, position: int) -> Proof:
    """The proof that the event at a position stands in its commit, which it ends with: index lookups, whatever follows.

    `conn` is in no transaction. Raises Unknown where there is no such position, DoesNotHold where the commit does not.
    """
    with translated(), conn.transaction():
        conn.execute(_SNAPSHOT)
        _refuse_other_tables(conn)
        last = read_head(conn).position
        _refuse_unknown(position, last, None)
        proof = _proof(conn, position, last, 1)
    check(proof)
    return proof


def _refuse_unknown(position: int, last: int, checkpoint: Checkpoint | None) -> None:
    if not last:
        raise Unknown("The log is empty: there is no event to prove.")
    if not 1 <= position <= last:
        raise Unknown(f"The log has no position {position:,}: positions run from 1 to {last:,}.")
    if checkpoint is not None and position > checkpoint.position:
        raise UsageError(f"The checkpoint is of position {checkpoint.position:,}, and {position:,} came after it.")


def _refuse_other_tables(conn: psycopg.Connection) -> None:
    """What is proved is what the folds read: the rows of plain tables."""
    others = differences(conn)
    if others and others[0].spoils_reading:
        raise DoesNotHold(f"Nothing can be proved, for the log is not as the migrations made it: {others[0].why}.")


def _proof(conn: psycopg.Connection, position: int, end: int, most_commits: int | None = None) -> Proof:
    events = conn.execute(_EVENT.encode(), [position]).fetchall()
    commits = commits_after(conn, position - 1, end, most_commits)
    if len(events) != 1 or not commits or any(commit.flaw for commit in commits) or commits[0].first > position:
        raise _tampered(position)
    own = commits[0]
    leaves = _leaves(conn, own)
    before = conn.execute(_CHAIN_BEFORE, [own.first - 1]).fetchone() if own.first > 1 else (GENESIS,)
    context, stream, version, topic, state, batch_id, source = events[0]
    if (
        before is None
        or len(leaves) != own.last - own.first + 1
        or not all(map(_is_hash, before))
        or None in (stream, version, topic, state)
    ):
        raise _tampered(position)
    told = ProvedEvent(position, context, stream, version, topic, *encoded_state(state), batch_id, source)
    path = path_of(leaves, position - own.first)
    head = commits[-1].last, commits[-1].chain
    steps = [Commit(step.first, step.last, step.recorded_at, step.root.hex()) for step in commits]
    return proof_of(told, path, before[0], steps, head)


def _leaves(conn: psycopg.Connection, commit: StoredCommit) -> list[bytes]:
    """The leaves of the events of a commit. Where one was changed they lead to another root, whatever it is."""
    with conn.cursor(binary=True) as cursor:
        [(joined,)] = cursor.execute(_LEAVES.encode(), [commit.first, commit.last]).fetchall()
    size = len(GENESIS)
    found = b"" if joined is None else bytes(joined)
    return [found[at : at + size] for at in range(0, len(found), size)]


def _is_hash(found: bytes | None) -> bool:
    return found is not None and len(found) == len(GENESIS)


def _tampered(position: int) -> DoesNotHold:
    return DoesNotHold(
        f"The log does not hold at position {position:,}, so nothing can be proved: see 'replayhouse audit verify'."
    )
