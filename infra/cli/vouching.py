"""Who vouches for a checkpoint: the key that must have signed it, and what is told where nobody knows that key.

A signature alone says that somebody signed: the file brings its own key, and anybody can sign with a key of their own.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from replayhouse.infra.cli.output import say, shown

if TYPE_CHECKING:
    from replayhouse.infra.audit.checkpoint import Checkpoint
    from replayhouse.infra.runtime.settings import Settings

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


class Signed(NamedTuple):
    """A checkpoint whose signature fits; trusted if that is one of the key which must have made it."""

    checkpoint: "Checkpoint"
    is_trusted: bool

    def as_json(self) -> dict[str, Any]:
        """What documents say of it."""
        return {"trusted": self.is_trusted, "checkpoint": _document(self.checkpoint)}

    def tell(self) -> None:
        """What people are told of it, where the chain leads there."""
        position, signed_at = self.checkpoint.position, shown(self.checkpoint.signed_at)
        say(f"It leads to the checkpoint of position {position:,}, signed {signed_at} UTC.")
        self.tell_if_unvouched()

    def tell_if_unvouched(self) -> None:
        """Where nobody knows whose signature it is, that it proves nothing."""
        if not self.is_trusted:
            say(f"Signed with the key {self.checkpoint.public_key.hex()}, for which nobody vouches:")
            say("anybody can sign with a key of their own. Name the one that you trust with --public-key.")


def refuse_unvouched(is_trusted: bool, is_taken: bool) -> None:
    """The answer is no where nobody vouches for it, unless that `is_taken` all the same."""
    if not is_trusted and not is_taken:
        raise typer.Exit(1)


def refuse_to_prove_up_to(signed: Signed, is_taken: bool) -> None:
    """Raises DoesNotHold where nobody vouches for the checkpoint, unless that `is_taken` all the same."""
    from replayhouse.infra.audit.documents import DoesNotHold

    if not signed.is_trusted and not is_taken:
        raise DoesNotHold(
            f"The checkpoint is signed with the key {signed.checkpoint.public_key.hex()}, for which nobody vouches. "
            "Name the one that you trust with --public-key; --untrusted proves up to this one all the same."
        )


def read_signed(path: Path, public_key: str | None, settings: "Settings") -> Signed:
    """The checkpoint in a file, signed with the key that is named, or else with that of the settings, if there is one.

    Raises UsageError and InputError where that cannot be read, DoesNotHold where the signature is not one of that key.
    """
    from replayhouse.infra.audit.checkpoint import read_checkpoint

    trusted = _trusted(public_key, settings)
    return Signed(read_checkpoint(path, trusted), trusted is not None)


def _trusted(public_key: str | None, settings: "Settings") -> bytes | None:
    """The key that must have signed: the one named, else ours; None where there is neither.

    Raises UsageError where the settings name a key that is not there: whose checkpoints are to be trusted is lost then.
    """
    from replayhouse.infra.audit.signing_keys import read_key, read_public_key

    if public_key is not None:
        return read_public_key(public_key)
    if settings.signing_key is None and not settings.signing_key_path.exists():
        return None
    return read_key(settings.signing_key_path).public_key().public_bytes_raw()


def _document(checkpoint: "Checkpoint") -> dict[str, Any]:
    return {
        "store": checkpoint.store,
        "position": checkpoint.position,
        "chain": checkpoint.chain.hex(),
        "signed_at": checkpoint.signed_at,
        "public_key": checkpoint.public_key.hex(),
    }
