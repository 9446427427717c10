"""With which keys a sealed log is replayed, and where it is noted that the rows show personal fields in clear.

An erasure cannot reach what was written elsewhere: so it is noted in the warehouse, before the first row is written,
and the erasure names it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from replayhouse.infra.application.site import Site
from replayhouse.infra.backup.archive import KEYS, BackupFile, check, in_megabytes
from replayhouse.infra.backup.keys_file import KeysOfFile
from replayhouse.infra.event_store.head import find_store, read_head
from replayhouse.infra.postgres.connection import Database, database_of, translated
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.privacy import copies
from replayhouse.infra.replaying.erased import newest_erasure
from replayhouse.infra.replaying.keys import KeysFrom, KeysOfDatabase
from replayhouse.infra.replaying.output import Output
from replayhouse.infra.runtime.errors import InputError, ReplayhouseError
from replayhouse.infra.sealed_log.reader import SealedLog

_IS_NOT_NOTED = (
    "These rows show personal fields in clear, and no warehouse of this log is configured here to note it in: an "
    "erasure will not name them. Remove {folder} yourself once somebody in it is erased."
)
_STAYS_NOTED = (
    "The rows that stood in {folder} until now showed personal fields in clear, and no warehouse of this log is "
    "configured here to take its note of them back: an erasure will go on to name the folder."
)


@dataclass(frozen=True)
class FoundKeys:
    """Where keys are looked up, up to which position of the log they know who was erased, and who is to note that."""

    keys: KeysFrom
    position: int
    database: Database | None


def keys_from(site: Site, given: str, log: SealedLog) -> FoundKeys:
    """The keys of a database, by its URL, or of the file that `db backup` writes, by its path.

    Raises Unreachable, UsageError for a URL that is none; InputError for a file that is none, or is older than an
    erasure that the log tells, or of another store.
    """
    if given.startswith(("postgresql://", "postgres://")):
        database = database_of(given, "The URL given with --keys")
        with _connected(database) as conn:
            if find_store(conn) != log.store:
                raise InputError(
                    f"The database {database.place} is not the warehouse of which {log.place} is the log: name the one "
                    "that has its keys."
                )
            position = read_head(conn).position
        _refuse_older(f"The database {database.place}", "ends", position, log, "Name the warehouse as it is now.")
        return FoundKeys(KeysOfDatabase(given), position, database)
    path = Path(given)
    manifest = check(BackupFile(path), KEYS, in_megabytes(site.tell, "checking the keys"))
    _refuse_older(str(path), "was written", manifest.position, log, "Name the keys of a newer backup.")
    return FoundKeys(KeysOfFile(path.absolute()), max(manifest.position, log.position), None)


def _refuse_older(whose: str, ends: str, position: int, log: SealedLog, remedy: str) -> None:
    """Raises InputError for keys that do not know of an erasure that the log tells."""
    if position >= log.position:
        return
    erased = newest_erasure(log)
    if erased > position:
        raise InputError(
            f"{whose} {ends} at position {position:,}, and the log tells at position {erased:,} that somebody was "
            f"erased: its keys would show them. {remedy}"
        )


@dataclass(frozen=True)
class Noted:
    """A note that is to be kept, and where."""

    copy: copies.Copy
    database: Database


def note_coming(
    site: Site, found: FoundKeys | None, output: Output, contexts: Sequence[str], log: SealedLog
) -> Noted | None:
    """Notes that a folder is about to hold rows: in clear, or in the place of some that may have been.

    Until `note_done`, what stood there counts too. Who withholds and replaces nothing in clear needs no note, and no
    warehouse: None. Warns where there is none to note it.
    """
    was_clear = output.before is not None and output.before.personal != "withheld"
    if found is None and not was_clear and not output.had_leftovers:
        return None
    position = log.position if found is None else found.position
    copy = copies.of_folder("replay", output.folder, contexts, found is not None, position)
    database = (None if found is None else found.database) or _warehouse_of(site, log)
    if database is None:
        if found is not None or was_clear:
            site.warn((_STAYS_NOTED if found is None else _IS_NOT_NOTED).format(folder=output.folder))
        return None
    with _connected(database) as conn:
        copies.note_coming(conn, copy)
    return Noted(copy, database)


def note_done(site: Site, noted: Noted | None) -> None:
    """Notes what stands there now that nothing else does."""
    if noted is None:
        return
    try:
        with _connected(noted.database) as conn:
            copies.note(conn, noted.copy)
    except ReplayhouseError as error:
        site.warn(f"The rows are written, and what is noted of {noted.copy.place} is still of those before: {error}")


def _warehouse_of(site: Site, log: SealedLog) -> Database | None:
    """The warehouse of the settings, if there is one and it is that of the log."""
    if site.settings.database_url is None and not EmbeddedServer(site.settings.home).is_made():
        return None
    with _connected(site.database) as conn:
        return site.database if find_store(conn) == log.store else None


@contextmanager
def _connected(database: Database) -> Iterator[psycopg.Connection]:
    with translated(), database.connect("replayhouse replay", autocommit=True) as conn:
        yield conn
