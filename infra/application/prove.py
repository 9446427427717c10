"""Proving that an event stands in the log."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.inclusion import Proof, written
from replayhouse.infra.audit.proofs import inclusion_proof, refuse_another_store
from replayhouse.infra.audit.vouching import read_signed, refuse_to_prove_up_to
from replayhouse.infra.runtime.files import writing


@dataclass(frozen=True)
class ProveReport:
    """What `audit prove` answers: the proof, and the file that it was written to, if it was."""

    file: Path | None
    proof: Proof

    @property
    def data(self) -> bytes:
        """The proof as it stands in its file, every byte of which counts."""
        return written(self.proof)

    def document(self) -> dict[str, Any]:
        """As JSON shows it: what was written where, or else the proof itself."""
        if self.file is None:
            proof: dict[str, Any] = json.loads(self.data)
            return proof
        event, head = self.proof.event, self.proof.head
        return {
            "file": str(self.file),
            "position": event.position,
            "topic": event.topic,
            "head": {"position": head.position, "chain": head.chain},
        }


def prove(
    site: Site,
    position: int,
    file: Path | None,
    checkpoint: Path | None,
    public_key: str | None,
    *,
    untrusted: bool,
    force: bool,
) -> ProveReport:
    """The proof that the event at a position stands in the log, up to a checkpoint, or else to the head.

    Raises UsageError where there is no such position, DoesNotHold where the log or the checkpoint does not, or nobody
    vouches for the checkpoint, unless such a one is taken (`untrusted`).
    """
    database = site.database
    signed = read_signed(checkpoint, public_key, site.settings) if checkpoint is not None else None
    with database.connect("replayhouse audit prove", autocommit=True) as connection:
        if signed is not None:
            if not untrusted:
                refuse_to_prove_up_to(signed)
            refuse_another_store(connection, signed.checkpoint)
        proof = inclusion_proof(connection, position, signed.checkpoint if signed is not None else None)
    report = ProveReport(file, proof)
    if file is not None:
        with writing(file, replaces=force) as written_to:
            written_to.write(report.data)
    return report
