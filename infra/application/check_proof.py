"""Checking a proof, without a database."""

from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path

from replayhouse.infra.audit.inclusion import Proved, check, check_against, read_proof
from replayhouse.infra.audit.vouching import Signed, read_signed
from replayhouse.infra.runtime.settings import load_settings


@dataclass(frozen=True)
class CheckProofReport:
    """What `audit check-proof` answers: what the proof has shown, and the checkpoint that it leads to, if one is given.

    It is worth something where that is trusted; else it shows to which head of the chain the event leads.
    """

    proved: Proved
    signed: Signed | None

    @property
    def is_trusted(self) -> bool:
        """Whether somebody vouches for where the proof leads to."""
        return self.signed is not None and self.signed.is_trusted

    @property
    def position(self) -> int:
        """The last position that the proof leads to."""
        return max(self.proved.chains)

    @property
    def chain(self) -> str:
        """The chain up to there, in hexadecimal."""
        return self.proved.chains[self.position].hex()

    @property
    def commits_after_checkpoint(self) -> int:
        """Over how many commits the proof goes on after the checkpoint, which says nothing of these."""
        return 0 if self.signed is None else self.proved.commits_after(self.signed.checkpoint.position)

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        event = self.proved.event
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
            "recorded_at": self.proved.recorded_at,
            "head": {"position": self.position, "chain": self.chain},
            **self._vouched(),
        }

    def _vouched(self) -> dict[str, object]:
        if self.signed is None:
            return {"trusted": False, "checkpoint": None}
        return {**self.signed.document(), "commits_after_checkpoint": self.commits_after_checkpoint}


def check_proof(
    file: str | PathLike[str],
    checkpoint: str | PathLike[str] | None = None,
    public_key: str | PathLike[str] | None = None,
) -> CheckProofReport:
    """Checks a proof, best against a checkpoint, which must be signed with `public_key`, or else with your own key.

    A public key is 64 hexadecimal digits, or the name of a file; your own key is that of the settings in the
    environment. Raises Rejected where the proof or the checkpoint does not hold, InputError where it is none.
    """
    proved = check(read_proof(Path(file)))
    if checkpoint is None:
        return CheckProofReport(proved, None)
    signed = read_signed(Path(checkpoint), None if public_key is None else fspath(public_key), load_settings())
    check_against(proved, signed.checkpoint)
    return CheckProofReport(proved, signed)
