"""`audit verify`, `keygen`, `checkpoint`, `prove` and `check-proof`: whether anyone has tampered with the log."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from replayhouse.infra.cli.options import Force, Json, example
from replayhouse.infra.cli.output import count, iso, print_document, print_json, progress, say, seconds_so_far, shown
from replayhouse.infra.cli.vouching import (
    CheckpointOption,
    PublicKey,
    Signed,
    Untrusted,
    read_signed,
    refuse_to_prove_up_to,
    refuse_unvouched,
)
from replayhouse.infra.runtime.errors import UsageError

if TYPE_CHECKING:
    import psycopg

    from replayhouse.infra.audit.inclusion import Proved
    from replayhouse.infra.audit.verify import Broken, Progress, Verified
    from replayhouse.infra.cli.warehouse import Warehouse

COMMITS = "SELECT count(*) FROM event_store.commit WHERE last_position > %s"

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")]
ProofFile = Annotated[Path, typer.Argument(metavar="FILE", help="The proof.")]
SinceCheckpoint = Annotated[
    bool, typer.Option("--since-checkpoint", help="Recompute only what came after the checkpoint.")
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Where to write it; by default on standard output.")
]
PositionArgument = Annotated[int, typer.Argument(metavar="POSITION", help="The position of the event in the log.")]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(
        epilog=example("replayhouse audit verify", "replayhouse audit verify --checkpoint 2026-03.checkpoint --json")
    )(verify)
    app.command(epilog=example("replayhouse audit keygen"))(keygen)
    app.command(epilog=example("replayhouse audit checkpoint 2026-03.checkpoint"))(checkpoint)
    app.command(
        epilog=example(
            "replayhouse audit prove 1042 --out event.proof",
            "replayhouse audit prove 1042 --checkpoint 2026-03.checkpoint --out event.proof",
        )
    )(prove)
    app.command(
        "check-proof",
        epilog=example(
            "replayhouse audit check-proof event.proof",
            "replayhouse audit check-proof event.proof --checkpoint 2026-03.checkpoint --public-key auditor.key",
        ),
    )(check_proof)


def verify(
    checkpoint: CheckpointOption = None,
    since_checkpoint: SinceCheckpoint = False,
    public_key: PublicKey = None,
    untrusted: Untrusted = False,
    json: Json = False,
) -> None:
    """Recompute the hash chain of the whole log.

    Where it does not hold, the exit code is 1, and the first such position is named. With a checkpoint the chain must
    be the one that was signed, so a log that was rewritten as a whole, or cut off at its end, is found out as well. A
    checkpoint for which nobody vouches proves nothing: the exit code is 1 unless --untrusted is given.
    """
    from replayhouse.infra.audit.proofs import refuse_another_store
    from replayhouse.infra.audit.verify import Broken
    from replayhouse.infra.cli.warehouse import open_warehouse

    if since_checkpoint and checkpoint is None:
        raise UsageError("--since-checkpoint needs the checkpoint: --checkpoint FILE.")
    with (
        open_warehouse() as warehouse,
        warehouse.database.connect("replayhouse audit verify", autocommit=True) as connection,
        progress() as tell,
    ):
        with _answered(json):
            signed = read_signed(checkpoint, public_key, warehouse.settings) if checkpoint is not None else None
            if signed is not None:
                refuse_another_store(connection, signed.checkpoint)
        result = _recompute(warehouse, connection, signed, since_checkpoint, partial(tell, "verifying"))
        before = signed.checkpoint.position if signed is not None and since_checkpoint else 0
        row = connection.execute(COMMITS, [before]).fetchone()
    if isinstance(result, Broken):
        _tell_where_it_breaks(result, signed, json)
        raise typer.Exit(1)
    holds = _Holds(result.position, result.chain.hex(), before, commits=int(row[0]) if row else 0, signed=signed)
    if json:
        print_json(holds.as_json())
    else:
        _say_that_it_holds(holds)
    if signed is not None:
        refuse_unvouched(signed.is_trusted, untrusted)


def _recompute(
    warehouse: "Warehouse",
    connection: "psycopg.Connection",
    signed: Signed | None,
    is_only_after: bool,
    tell: "Progress",
) -> "Verified | Broken":
    """What verification finds, which is noted for `status --check`."""
    from replayhouse.infra.audit import verifications
    from replayhouse.infra.audit.verify import Anchor, Broken
    from replayhouse.infra.audit.verify import verify as recompute

    anchor = Anchor(signed.checkpoint.position, signed.checkpoint.chain) if signed is not None else None
    database, workers = warehouse.database, warehouse.settings.workers
    result = recompute(connection, tell, anchor, is_only_after=is_only_after, database=database, workers=workers)
    reason = result.why if isinstance(result, Broken) else None
    verifications.note(connection, result.position, reason, is_part=is_only_after)
    return result


class _Holds(NamedTuple):
    """What `audit verify` found: the head of a log that holds, and the `commits` looked at, those after `before`."""

    position: int
    chain: str
    before: int
    commits: int
    signed: Signed | None

    @property
    def events(self) -> int:
        """How many events were looked at."""
        return self.position - self.before

    def as_json(self) -> dict[str, Any]:
        """As `audit verify --json` prints it."""
        head = {"valid": True, "position": self.position, "chain": self.chain}
        of_signed = self.signed.as_json() if self.signed is not None else {}
        looked_at = {"events": self.events, "commits": self.commits}
        return {**head, **looked_at, **of_signed, "seconds": seconds_so_far()}


def _say_that_it_holds(found: _Holds) -> None:
    after = f" after position {found.before:,}" if found.before else ""
    events, commits = count(found.events, "event"), count(found.commits, "commit")
    say(f"The log holds: {events} in {commits}{after}, each as it was recorded.")
    if found.signed is not None:
        found.signed.tell()
    say(f"Head of the chain: position {found.position:,}, {found.chain}")


def _tell_where_it_breaks(broken: "Broken", signed: Signed | None, is_json: bool) -> None:
    trusted = {"trusted": signed.is_trusted} if signed is not None else {}
    if is_json:
        found = {"valid": False, **trusted, "position": broken.position, "reason": broken.why}
        print_json({**found, "seconds": seconds_so_far()})
        return
    say(f"The log does not hold from position {broken.position:,} on: {broken.why}.")
    if signed is not None:
        signed.tell_if_unvouched()


def keygen(json: Json = False) -> None:
    """Make the key that signs checkpoints.

    It is an Ed25519 key, in the file that REPLAYHOUSE_SIGNING_KEY names, by default signing_key.pem in the home folder;
    nobody else may read it. A key that is there is never overwritten. Keep a copy of it, and the public key where
    those who check can find it.
    """
    from replayhouse.infra.audit.signing_keys import make_key
    from replayhouse.infra.runtime.settings import load_settings

    path = load_settings().signing_key_path
    public_key = make_key(path).hex()
    if json:
        print_json({"path": str(path), "public_key": public_key})
        return
    say(f"The signing key is made: {path}")
    say(f"Public key: {public_key}")


def checkpoint(file: FileArgument, force: Force = False, json: Json = False) -> None:
    """Write the signed head of the chain, to be kept where those who write to the database cannot reach.

    It proves later, to anybody, what the log was at this time: audit verify --checkpoint.
    """
    from datetime import UTC, datetime

    from replayhouse.infra.audit.checkpoint import signed
    from replayhouse.infra.audit.proofs import head_to_sign
    from replayhouse.infra.audit.signing_keys import read_key
    from replayhouse.infra.cli.warehouse import open_warehouse

    with open_warehouse() as warehouse:
        key = read_key(warehouse.settings.signing_key_path)
        with warehouse.database.connect("replayhouse audit checkpoint") as connection:
            head = head_to_sign(connection)
    signed_at = datetime.now(UTC)
    _write(file, signed(head, signed_at, key), is_forced=force)
    public_key = key.public_key().public_bytes_raw().hex()
    if json:
        told = {"file": str(file), "store": head.store, "position": head.position, "chain": head.chain.hex()}
        print_json({**told, "recorded_at": head.recorded_at, "signed_at": signed_at, "public_key": public_key})
        return
    say(f"{file} holds the head of the chain, signed: position {head.position:,}, {head.chain.hex()}")
    say(f"Public key: {public_key}")


def prove(
    position: PositionArgument,
    out: Out = None,
    checkpoint: CheckpointOption = None,
    public_key: PublicKey = None,
    untrusted: Untrusted = False,
    force: Force = False,
    json: Json = False,
) -> None:
    """Write a proof that an event stands in the log.

    The proof holds the event, its path in its commit, and what the chain needs of each later commit, up to the
    checkpoint or else to the head. It is checked without the database: audit check-proof. Up to a checkpoint for which
    nobody vouches it is written only with --untrusted.
    """
    from replayhouse.infra.audit.inclusion import written
    from replayhouse.infra.audit.proofs import inclusion_proof, refuse_another_store
    from replayhouse.infra.cli.warehouse import open_warehouse

    with open_warehouse() as warehouse:
        signed = read_signed(checkpoint, public_key, warehouse.settings) if checkpoint is not None else None
        with warehouse.database.connect("replayhouse audit prove", autocommit=True) as connection:
            if signed is not None:
                refuse_to_prove_up_to(signed, untrusted)
                refuse_another_store(connection, signed.checkpoint)
            proof = inclusion_proof(connection, position, signed.checkpoint if signed is not None else None)
    if out is None:
        print_document(written(proof))
        return
    _write(out, written(proof), is_forced=force)
    head = proof.head
    if json:
        event = {"position": position, "topic": proof.event.topic}
        print_json({"file": str(out), **event, "head": {"position": head.position, "chain": head.chain}})
        return
    say(f"{out} proves the event at position {position:,}: {proof.event.topic}")
    say(f"It leads to position {head.position:,}, {head.chain}")


def check_proof(
    file: ProofFile,
    checkpoint: CheckpointOption = None,
    public_key: PublicKey = None,
    untrusted: Untrusted = False,
    json: Json = False,
) -> None:
    """Check a proof, without the database.

    It is worth something against a checkpoint that a trusted key has signed: --public-key, or else your own. Without,
    it only shows to which head of the chain the event leads, to be compared with one that you trust; nobody vouches
    for that, and the exit code is 1 unless --untrusted is given.
    """
    from replayhouse.infra.audit.inclusion import check, check_against, read_proof
    from replayhouse.infra.runtime.settings import load_settings

    with _answered(json):
        proved = check(read_proof(file))
        signed = read_signed(checkpoint, public_key, load_settings()) if checkpoint is not None else None
        if signed is not None:
            check_against(proved, signed.checkpoint)
    if json:
        print_json(_proved(proved, signed))
    else:
        _say_what_is_proved(proved, signed)
    refuse_unvouched(signed is not None and signed.is_trusted, untrusted)


def _say_what_is_proved(proved: "Proved", signed: Signed | None) -> None:
    event = proved.event
    say(f"The proof holds: position {event.position:,} is {event.topic}, version {event.originator_version}")
    say(f"of the stream {event.originator_id} in {event.context}, recorded {shown(proved.recorded_at)} UTC.")
    if event.source is not None:
        say(f"From: {event.source}, load {event.batch_id}")
    say(f"State: {event.state}")
    last = max(proved.chains)
    if signed is None:
        say(f"It leads to position {last:,}, {proved.chains[last].hex()}")
        say("Nobody vouches for this head: compare it with a checkpoint that you trust (--checkpoint FILE).")
        return
    signed.tell()
    if after := proved.commits_after(signed.checkpoint.position):
        say(
            f"It goes on over {count(after, 'later commit')} to position {last:,}: the checkpoint says nothing of that."
        )


@contextmanager
def _answered(is_json: bool) -> Iterator[None]:
    """What does not hold is the answer of the command: with `--json`, its document."""
    from replayhouse.infra.audit.documents import DoesNotHold

    try:
        yield
    except DoesNotHold as error:
        if not is_json:
            raise
        print_json({"valid": False, "trusted": False, "reason": str(error), "seconds": seconds_so_far()})
        raise typer.Exit(1) from error


def _proved(proved: "Proved", signed: Signed | None) -> dict[str, Any]:
    event, last = proved.event, max(proved.chains)
    vouched = {"trusted": False, "checkpoint": None} if signed is None else signed.as_json()
    after = {} if signed is None else {"commits_after_checkpoint": proved.commits_after(signed.checkpoint.position)}
    return {
        "valid": True,
        "position": event.position,
        "context": event.context,
        "stream": event.originator_id,
        "version": event.originator_version,
        "topic": event.topic,
        "state": event.state,
        "batch": event.batch_id,
        "source": event.source,
        "recorded_at": iso(proved.recorded_at),
        "head": {"position": last, "chain": proved.chains[last].hex()},
        **vouched,
        **after,
    }


def _write(path: Path, data: bytes, *, is_forced: bool) -> None:
    from replayhouse.infra.runtime.files import writing

    with writing(path, replaces=is_forced) as file:
        file.write(data)
