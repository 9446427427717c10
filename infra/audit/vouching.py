"""Who vouches for a checkpoint: the key that must have signed it.

A signature alone says that somebody signed: the file brings its own key, and anybody can sign with a key of their own.
"""

from pathlib import Path
from typing import NamedTuple

from replayhouse.infra.audit.checkpoint import Checkpoint, read_checkpoint
from replayhouse.infra.audit.documents import DoesNotHold
from replayhouse.infra.audit.signing_keys import read_key, read_public_key
from replayhouse.infra.runtime.settings import Settings


class Signed(NamedTuple):
    """A checkpoint whose signature fits; trusted if that is one of the key which must have made it."""

    checkpoint: Checkpoint
    is_trusted: bool

    def document(self) -> dict[str, object]:
        """What documents say of it."""
        checkpoint = self.checkpoint
        told = {
            "store": checkpoint.store,
            "position": checkpoint.position,
            "chain": checkpoint.chain.hex(),
            "signed_at": checkpoint.signed_at,
            "public_key": checkpoint.public_key.hex(),
        }
        return {"trusted": self.is_trusted, "checkpoint": told}


def read_signed(path: Path, public_key: str | None, settings: Settings) -> Signed:
    """The checkpoint in a file, signed with the key that is named, or else with that of the settings, if there is one.

    Raises UsageError and InputError where that cannot be read, DoesNotHold where the signature is not one of that key.
    """
    trusted = _trusted(public_key, settings)
    return Signed(read_checkpoint(path, trusted), trusted is not None)


def refuse_to_prove_up_to(signed: Signed) -> None:
    """Raises DoesNotHold where nobody vouches for the checkpoint."""
    if not signed.is_trusted:
        raise DoesNotHold(
            f"The checkpoint is signed with the key {signed.checkpoint.public_key.hex()}, for which nobody vouches. "
            "Name the one that you trust with --public-key; --untrusted proves up to this one all the same."
        )


def _trusted(public_key: str | None, settings: Settings) -> bytes | None:
    """The key that must have signed: the one named, else ours; None where there is neither.

    Raises UsageError where the settings name a key that is not there: whose checkpoints are to be trusted is lost then.
    """
    if public_key is not None:
        return read_public_key(public_key)
    if settings.signing_key is None and not settings.signing_key_path.exists():
        return None
    return read_key(settings.signing_key_path).public_key().public_bytes_raw()
