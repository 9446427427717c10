"""A backup: the log into a file, the keys into another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

from replayhouse.infra.application.site import Site
from replayhouse.infra.backup.archive import Manifest
from replayhouse.infra.backup.backup import back_up
from replayhouse.infra.backup.encryption import IN_CLEAR, Recipients, read_recipients, recipients_named
from replayhouse.infra.backup.records import note_backup
from replayhouse.infra.postgres.connection import translated
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.infra.telemetry.happenings import Happening, happened


@dataclass(frozen=True)
class BackupReport:
    """What `backup` answers: what its files hold, how large they are (bytes), and for how many they are encrypted."""

    file: Path
    log_bytes: int
    keys: Path
    keys_bytes: int
    manifest: Manifest
    recipients: int = 0

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
            "recipients": self.recipients,
        }


def backup(site: Site, file: Path, keys: Path | None, named: Sequence[str], *, force: bool) -> BackupReport:
    """Writes the log into a file and the keys into another, by default `FILE.keys`; both show one moment.

    They are encrypted for the recipients that are `named`, else for those of the settings; in clear where there are
    none.
    """
    keys_file = keys or beside(file)
    recipients = _recipients(site, named)
    done = back_up(site.database, file, keys_file, site.tell, recipients=recipients, replaces=force)
    size, sealed = done.log_bytes + done.keys_bytes, bool(recipients)
    note(site, "this backup", lambda conn: note_backup(conn, done.manifest.position, size, is_encrypted=sealed))
    happened(Happening.BACKUP_MADE, position=done.manifest.position, bytes=done.log_bytes + done.keys_bytes)
    return BackupReport(file, done.log_bytes, keys_file, done.keys_bytes, done.manifest, len(recipients))


def _recipients(site: Site, named: Sequence[str]) -> Recipients:
    if named:
        return recipients_named(named)
    listed = site.settings.backup_recipients
    return IN_CLEAR if listed is None else read_recipients(listed.expanduser())


def note(site: Site, what: str, write: Callable[[psycopg.Connection], None]) -> None:
    """Notes something for those who watch over the warehouse; where it cannot be noted, one is told.

    What is noted has happened, and stays so whether it is noted or not.
    """
    try:
        with site.database.connect("replayhouse backup", autocommit=True) as conn, translated():
            write(conn)
    except (ReplayhouseError, psycopg.Error) as error:
        told = str(error).splitlines()[0]
        site.warn(f"The database has no note of {what}, so that replayhouse status does not tell of it: {told}")


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
