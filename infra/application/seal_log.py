"""Sealing the log: what is not sealed yet becomes Parquet segments, outside of the database."""

from dataclasses import dataclass
from functools import partial

from replayhouse.infra.application.site import Site
from replayhouse.infra.sealed_log.sealing import seal
from replayhouse.infra.telemetry.happenings import Happening, happened


@dataclass(frozen=True)
class SealReport:
    """What `log seal` answers: up to which position and chain (in hexadecimal) the folder holds the log now.

    It has so many `segments`; `events` were sealed by this command.
    """

    folder: str
    position: int
    chain: str
    segments: int
    events: int

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {
            "position": self.position,
            "chain": self.chain,
            "segments": self.segments,
            "sealed": self.events,
            "folder": self.folder,
        }


def seal_log(site: Site, place: str) -> SealReport:
    """Seals into a folder, or at a URL that fsspec knows. See `sealed_log.sealing.seal` for what it raises."""
    with site.database.connect("replayhouse log seal", autocommit=True) as conn:
        sealed = seal(conn, place, partial(site.tell, "sealing"))
    manifest = sealed.manifest
    happened(Happening.LOG_SEALED, position=manifest.position, events=sealed.events)
    return SealReport(place, manifest.position, manifest.chain, len(manifest.segments), sealed.events)
