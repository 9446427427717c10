"""Verifying a sealed log: has anyone tampered with it? From its files alone, without a database."""

from functools import partial
from pathlib import Path

from replayhouse.infra.application.site import Site
from replayhouse.infra.application.verify import VerifyReport
from replayhouse.infra.audit.documents import DoesNotHold
from replayhouse.infra.audit.vouching import Signed, read_signed
from replayhouse.infra.event_store.breaks import Anchor
from replayhouse.infra.sealed_log.manifest import Manifest
from replayhouse.infra.sealed_log.places import place_of
from replayhouse.infra.sealed_log.reader import read_manifest
from replayhouse.infra.sealed_log.verifying import verify_sealed_log
from replayhouse.infra.telemetry.happenings import Happening
from replayhouse.infra.telemetry.spans import Work, span


def verify_sealed(site: Site, given: str, checkpoint: Path | None, public_key: str | None) -> VerifyReport:
    """Recomputes the hash chain of all that is sealed in a folder, or at a URL; no database is needed.

    Raises InputError where there is no sealed log, or none that this program can read; DoesNotHold where the
    checkpoint itself does not, or is of another store.
    """
    with site.prepare_workers():
        place = place_of(given)
        signed = None if checkpoint is None else read_signed(checkpoint, public_key, site.settings)
        manifest = read_manifest(place)
        if signed is not None:
            _refuse_another_store(manifest, signed)
        known = None if signed is None else Anchor(signed.checkpoint.position, signed.checkpoint.chain)
        tell = partial(site.tell, "verifying")
        with span(Work.VERIFICATION, ends=Happening.VERIFICATION_ENDED) as done:
            broken = verify_sealed_log(place, manifest, known, workers=site.settings.workers, progress=tell)
            done.tell(position=manifest.position if broken is None else broken.position, holds=broken is None)
    commits = sum(segment.commits for segment in manifest.segments)
    if broken is not None:
        return VerifyReport(broken.position, None, broken.why, 0, commits, signed)
    return VerifyReport(manifest.position, manifest.chain, None, 0, commits, signed)


def _refuse_another_store(manifest: Manifest, signed: Signed) -> None:
    if signed.checkpoint.store != manifest.store:
        raise DoesNotHold(
            f"The checkpoint is of another store: of {signed.checkpoint.store}, and this log is of {manifest.store}."
        )
