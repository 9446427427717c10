"""A backup: the log into a file, the keys into another."""

from dataclasses import dataclass
from pathlib import Path

from replayhouse.infra.application.site import Site
from replayhouse.infra.backup.archive import Manifest
from replayhouse.infra.backup.backup import back_up


@dataclass(frozen=True)
class BackupReport:
    """What `backup` answers: what its files hold, and how large they are (bytes)."""

    file: Path
    log_bytes: int
    keys: Path
    keys_bytes: int
    manifest: Manifest

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {
            "file": str(self.file),
            "bytes": self.log_bytes,
            "keys": str(self.keys),
            "keys_bytes": self.keys_bytes,
            **head_of(self.manifest),
            "taken_at": self.manifest.taken_at,
            "subjects": self.manifest.subjects,
        }


def backup(site: Site, file: Path, keys: Path | None, *, force: bool) -> BackupReport:
    """Writes the log into a file and the keys into another, by default `FILE.keys`; both show one moment."""
    keys_file = keys or beside(file)
    done = back_up(site.database, file, keys_file, site.tell, replaces=force)
    return BackupReport(file, done.log_bytes, keys_file, done.keys_bytes, done.manifest)


def beside(file: Path) -> Path:
    """Where the keys of a backup stand if nothing else is said."""
    return file.with_name(f"{file.name}.keys")


def head_of(manifest: Manifest) -> dict[str, object]:
    """The end of the log that a backup holds, as JSON shows it."""
    return {
        "position": manifest.position,
        "events": manifest.position,
        "chain": manifest.chain,
        "recorded_at": manifest.recorded_at,
    }
