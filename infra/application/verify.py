"""Verifying the log: has anyone tampered with it?"""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from replayhouse.infra.application.own_segments import own_segments
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit import verifications
from replayhouse.infra.audit.proofs import refuse_another_store
from replayhouse.infra.audit.verify import Anchor, Broken, Verified
from replayhouse.infra.audit.verify import verify as recompute
from replayhouse.infra.audit.vouching import Signed, read_signed
from replayhouse.infra.event_store.commits import count_after
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.telemetry.happenings import Happening
from replayhouse.infra.telemetry.spans import Work, span


@dataclass(frozen=True)
class VerifyReport:
    """What `audit verify` answers: the head of a log that holds, or, with a `reason`, the first position that does not.

    `position` and `chain` (in hexadecimal) are those of the head; of a log that does not hold there is no chain. Looked
    at were `commits`, those that came after the position `after`. `signed` is the checkpoint that the log was held
    against, if it was: one for which nobody vouches (`signed.is_trusted`) proves nothing.
    """

    position: int
    chain: str | None
    reason: str | None
    after: int
    commits: int
    signed: Signed | None

    @property
    def holds(self) -> bool:
        """Whether every event is as it was recorded."""
        return self.reason is None

    @property
    def events(self) -> int:
        """How many events were looked at, of a log that holds."""
        return self.position - self.after

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        if not self.holds:
            trusted = {} if self.signed is None else {"trusted": self.signed.is_trusted}
            return {"valid": False, **trusted, "position": self.position, "reason": self.reason}
        return {
            "valid": True,
            "position": self.position,
            "chain": self.chain,
            "events": self.events,
            "commits": self.commits,
            **({} if self.signed is None else self.signed.document()),
        }


def verify(site: Site, checkpoint: Path | None, public_key: str | None, *, since_checkpoint: bool) -> VerifyReport:
    """Recomputes the hash chain of the whole log, or of what came after the checkpoint; with the whole, the segments.

    Raises DoesNotHold where the checkpoint itself does not, or is of another store.
    """
    if since_checkpoint and checkpoint is None:
        raise UsageError("--since-checkpoint needs the checkpoint: --checkpoint FILE.")
    with (
        site.prepare_workers(),
        site.database.connect("replayhouse audit verify", autocommit=True) as connection,
    ):
        signed = None
        if checkpoint is not None:
            signed = read_signed(checkpoint, public_key, site.settings)
            refuse_another_store(connection, signed.checkpoint)
        found = _recompute(site, connection, signed, is_only_after=since_checkpoint)
        if isinstance(found, Verified) and not since_checkpoint and (segments := own_segments(site)) is not None:
            segments.verify(site.database)
        after = signed.checkpoint.position if signed is not None and since_checkpoint else 0
        commits = count_after(connection, after)
    if isinstance(found, Broken):
        return VerifyReport(found.position, None, found.why, after, commits, signed)
    return VerifyReport(found.position, found.chain.hex(), None, after, commits, signed)


def _recompute(
    site: Site, connection: psycopg.Connection, signed: Signed | None, *, is_only_after: bool
) -> Verified | Broken:
    """What verification finds, which is noted for `status --check`."""
    with span(Work.VERIFICATION, ends=Happening.VERIFICATION_ENDED) as done:
        found = recompute(
            connection,
            partial(site.tell, "verifying"),
            Anchor(signed.checkpoint.position, signed.checkpoint.chain) if signed is not None else None,
            is_only_after=is_only_after,
            database=site.database,
            workers=site.settings.workers,
        )
        done.tell(position=found.position, holds=not isinstance(found, Broken))
    reason = found.why if isinstance(found, Broken) else None
    verifications.note(connection, found.position, reason, is_part=is_only_after)
    return found
