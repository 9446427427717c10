"""Checkpoints on the command line: how they are given, and what is told of who vouches for them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.cli.output import say, shown

if TYPE_CHECKING:
    from replayhouse.infra.audit.vouching import Signed

CheckpointOption = Annotated[
    Path | None,
    typer.Option("--checkpoint", metavar="FILE", help="A checkpoint kept elsewhere, which the log must lead to."),
]
PublicKey = Annotated[
    str | None,
    typer.Option(
        "--public-key",
        metavar="KEY",
        help="The key that must have signed the checkpoint: 64 hexadecimal digits, or a file.",
    ),
]
Untrusted = Annotated[
    bool,
    typer.Option("--untrusted", help="Exit with 0 where all holds, though nobody vouches for whoever signed."),
]


def say_signed(signed: "Signed") -> None:
    """What people are told of a checkpoint, where the chain leads there."""
    position, signed_at = signed.checkpoint.position, shown(signed.checkpoint.signed_at)
    say(f"It leads to the checkpoint of position {position:,}, signed {signed_at} UTC.")
    say_if_unvouched(signed)


def say_if_unvouched(signed: "Signed") -> None:
    """Where nobody knows whose signature it is, that it proves nothing."""
    if not signed.is_trusted:
        say(f"Signed with the key {signed.checkpoint.public_key.hex()}, for which nobody vouches:")
        say("anybody can sign with a key of their own. Name the one that you trust with --public-key.")


def refuse_unvouched(is_trusted: bool, try_acquire: bool) -> None:
    """The answer is no where nobody vouches for it, unless that `is_taken` all the same."""
    if not is_trusted and not try_acquire:
        raise typer.Exit(1)
