"""`audit verify`, `keygen`, `checkpoint`, `prove` and `check-proof`: whether anyone has tampered with the log."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.cli.options import Force, Json, example
from replayhouse.infra.cli.output import print_document, print_json, say, seconds_so_far, shown
from replayhouse.infra.cli.vouching import (
    CheckpointOption,
    PublicKey,
    Untrusted,
    refuse_unvouched,
    say_if_unvouched,
    say_signed,
)
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.application.check_proof import CheckProofReport
    from replayhouse.infra.application.verify import VerifyReport

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
    from replayhouse.infra.cli.warehouse import named_warehouse

    with answered(json), named_warehouse() as warehouse:
        found = warehouse.verify(checkpoint, public_key, since_checkpoint=since_checkpoint)
    tell_verified(found, json=json, untrusted=untrusted)


def tell_verified(found: "VerifyReport", *, json: bool, untrusted: bool) -> None:
    """What a verification has found; the exit code is 1 where the log does not hold, or nobody vouches for it."""
    if json:
        print_json({**found.document(), "seconds": seconds_so_far()})
    elif found.holds:
        _say_that_it_holds(found)
    else:
        _say_where_it_breaks(found)
    if not found.holds:
        raise typer.Exit(1)
    if found.signed is not None:
        refuse_unvouched(found.signed.is_trusted, untrusted)


def _say_that_it_holds(found: "VerifyReport") -> None:
    after = f" after position {found.after:,}" if found.after else ""
    events, commits = count(found.events, "event"), count(found.commits, "commit")
    say(f"The log holds: {events} in {commits}{after}, each as it was recorded.")
    if found.signed is not None:
        say_signed(found.signed)
    say(f"Head of the chain: position {found.position:,}, {found.chain}")


def _say_where_it_breaks(found: "VerifyReport") -> None:
    say(f"The log does not hold from position {found.position:,} on: {found.reason}.")
    if found.signed is not None:
        say_if_unvouched(found.signed)


def keygen(json: Json = False) -> None:
    """Make the key that signs checkpoints.

    It is an Ed25519 key, in the file that REPLAYHOUSE_SIGNING_KEY names, by default signing_key.pem in the home folder;
    nobody else may read it. A key that is there is never overwritten. Keep a copy of it, and the public key where
    those who check can find it.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        made = warehouse.keygen()
    if json:
        print_json(made.document())
        return
    say(f"The signing key is made: {made.path}")
    say(f"Public key: {made.public_key}")


def checkpoint(file: FileArgument, force: Force = False, json: Json = False) -> None:
    """Write the signed head of the chain, to be kept where those who write to the database cannot reach.

    It proves later, to anybody, what the log was at this time: audit verify --checkpoint.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        made = warehouse.checkpoint(file, force=force)
    if json:
        print_json(made.document())
        return
    say(f"{file} holds the head of the chain, signed: position {made.position:,}, {made.chain}")
    say(f"Public key: {made.public_key}")


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
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        found = warehouse.prove(position, out, checkpoint, public_key, untrusted=untrusted, force=force)
    if out is None:
        print_document(found.data)
        return
    if json:
        print_json(found.document())
        return
    head = found.proof.head
    say(f"{out} proves the event at position {position:,}: {found.proof.event.topic}")
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
    from replayhouse.infra.application import check_proof as application

    with answered(json):
        found = application.check_proof(file, checkpoint, public_key)
    if json:
        print_json(found.document())
    else:
        _say_what_is_proved(found)
    refuse_unvouched(found.is_trusted, untrusted)


def _say_what_is_proved(found: "CheckProofReport") -> None:
    event, signed = found.proved.event, found.signed
    say(f"The proof holds: position {event.position:,} is {event.topic}, version {event.originator_version}")
    say(f"of the stream {event.originator_id} in {event.context}, recorded {shown(found.proved.recorded_at)} UTC.")
    if event.source is not None:
        say(f"From: {event.source}, load {event.batch_id}")
    say(f"State: {event.state}")
    if signed is None:
        say(f"It leads to position {found.position:,}, {found.chain}")
        say("Nobody vouches for this head: compare it with a checkpoint that you trust (--checkpoint FILE).")
        return
    say_signed(signed)
    if after := found.commits_after_checkpoint:
        say(
            f"It goes on over {count(after, 'later commit')} to position {found.position:,}: the checkpoint says "
            "nothing of that."
        )


@contextmanager
def answered(is_json: bool) -> Iterator[None]:
    """What does not hold is the answer of the command: with `--json`, its document."""
    from replayhouse.infra.audit.documents import DoesNotHold

    try:
        yield
    except DoesNotHold as error:
        if not is_json:
            raise
        print_json({"valid": False, "trusted": False, "reason": str(error), "seconds": seconds_so_far()})
        raise typer.Exit(1) from error
