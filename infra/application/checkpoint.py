"""Writing a checkpoint: the signed head of the chain."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.checkpoint import signed
from replayhouse.infra.audit.proofs import head_to_sign
from replayhouse.infra.audit.signing_keys import read_key
from replayhouse.infra.runtime.files import writing
from replayhouse.infra.telemetry.happenings import Happening, happened


@dataclass(frozen=True)
class CheckpointReport:
    """What `audit checkpoint` answers: what the file says. `chain` and `public_key` are hexadecimal, times in UTC."""

    file: Path
    store: UUID
    position: int
    chain: str
    recorded_at: datetime
    signed_at: datetime
    public_key: str

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {**vars(self), "file": str(self.file)}


def checkpoint(site: Site, file: Path, *, force: bool) -> CheckpointReport:
    """Writes the head of the chain, signed with the key that the settings name; over a file that is there by `force`.

    Raises UsageError where there is no key, or the file is not to be written over.
    """
    database = site.database
    key = read_key(site.settings.signing_key_path)
    with database.connect("replayhouse audit checkpoint") as connection:
        head = head_to_sign(connection)
    signed_at = datetime.now(UTC)
    with writing(file, replaces=force) as written:
        written.write(signed(head, signed_at, key))
    happened(Happening.CHECKPOINT_SIGNED, position=head.position)
    public_key = key.public_key().public_bytes_raw().hex()
    chain = head.chain.hex()
    return CheckpointReport(file, head.store, head.position, chain, head.recorded_at, signed_at, public_key)
