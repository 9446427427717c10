"""A backup: the log and what the loads keep beside it, and apart from that the keys, both as of one moment.

Nobody has to stop for it. `pg_dump` and this program read through one snapshot; what is appended meanwhile is not in
it. Read models are left out, for they are folded again from the log, and hold personal fields in clear text.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from subprocess import PIPE
from typing import Any, BinaryIO

import psycopg
from psycopg import IsolationLevel

from replayhouse.infra.audit.proofs import store_id
from replayhouse.infra.backup.archive import (
    DUMP,
    FORMAT,
    KEYS,
    LOG,
    SUBJECT_KEYS,
    SUBJECTS,
    Manifest,
    Shown,
    Tell,
    Writer,
    in_megabytes,
    writing_backup,
)
from replayhouse.infra.backup.encryption import IN_CLEAR, Recipients, encrypting
from replayhouse.infra.event_store.head import read_head
from replayhouse.infra.postgres import pg_tools
from replayhouse.infra.postgres.connection import Database, translated
from replayhouse.infra.postgres.migrate import schema_version
from replayhouse.infra.runtime.errors import ReplayhouseError, UsageError

_CHUNK = 2**20
_DUMP = (
    "--format=custom",
    "--compress=gzip:1",
    "--schema=event_store",
    "--schema=read_model",
    "--schema=publishing",
    "--exclude-table-data=event_store.subject_key",
    "--exclude-table-data=event_store.lock",
    "--exclude-table-data=event_store.verification",
    "--exclude-table-data=event_store.backup",
    "--exclude-table-data=event_store.restore_drill",
    "--exclude-table-data=event_store.token",  # one that was revoked since would be good again
    "--exclude-table-data=read_model.*",
    "--exclude-table-data=publishing.*",
    "--no-owner",
    "--no-privileges",
    "--lock-wait-timeout=10s",
)
_SNAPSHOT = "SELECT pg_export_snapshot(), now()"
_STORE = "SELECT chain FROM event_store.commit ORDER BY last_position LIMIT 1"
_SUBJECTS = "SELECT count(*) FROM event_store.subject_key"
_KEYS = "COPY (SELECT subject_id, key FROM event_store.subject_key ORDER BY subject_id) TO STDOUT (FORMAT binary)"
_SUBJECT_IDS = "COPY (SELECT subject_id FROM event_store.subject_key ORDER BY subject_id) TO STDOUT (FORMAT binary)"


@dataclass(frozen=True, slots=True)
class BackedUp:
    """What a backup holds, and how large its two files are (bytes)."""

    manifest: Manifest
    log_bytes: int
    keys_bytes: int


def back_up(
    database: Database,
    file: Path,
    keys_file: Path,
    tell: Tell,
    *,
    recipients: Recipients = IN_CLEAR,
    replaces: bool = False,
) -> BackedUp:
    """Writes the log into `file` and the keys into `keys_file`, readable for their owner alone, or the recipients.

    They take their places when they are whole, the keys first, for a file of keys serves every backup of its log that
    is as old or older. Only where `replaces` is said they replace earlier backups; those of an empty log never do.
    Raises UsageError where a name is taken by what may not be replaced, Conflicting, Unreachable, and what `translated`
    says; no file is changed then.
    """
    if file.absolute() == keys_file.absolute():
        raise UsageError(f"{file} cannot hold the log and the keys: keys are kept apart. Name another file for them.")
    with ExitStack() as files, database.connect("replayhouse backup") as conn, translated():
        log = files.enter_context(writing_backup(file, LOG, replaces=replaces))
        # Left, and so moved to its place, before the log.
        keys = files.enter_context(writing_backup(keys_file, KEYS, replaces=replaces))
        conn.isolation_level = IsolationLevel.REPEATABLE_READ
        conn.read_only = True
        with conn.transaction():
            _refuse_empty(conn, file, keys_file)
            with encrypting(keys, recipients) as for_keys, encrypting(log, recipients) as for_log:
                manifest = _write(conn, database, for_log, for_keys, tell)
        log_bytes, keys_bytes = log.seek(0, 2), keys.seek(0, 2)
    return BackedUp(manifest, log_bytes, keys_bytes)


def _refuse_empty(conn: psycopg.Connection, *files: Path) -> None:
    """An empty log under the name of a backup: somebody is in another warehouse than they think."""
    taken = [file for file in files if file.exists()]
    if taken and read_head(conn).position == 0:
        raise UsageError(
            f"The log is empty, and {taken[0]} holds a backup, which stays as it is: look at REPLAYHOUSE_HOME and "
            "REPLAYHOUSE_DATABASE_URL, or name another file."
        )


def _write(conn: psycopg.Connection, database: Database, log: BinaryIO, keys: BinaryIO, tell: Tell) -> Manifest:
    """Both files, within a transaction whose snapshot they show."""
    snapshot, taken_at = _row(conn, _SNAPSHOT)
    head = read_head(conn)
    store_id(conn)  # a backup of a log that is no store's any more could not be told from a forged one
    server = conn.info.server_version // 10_000
    pg_dump = pg_tools.program("pg_dump", server)
    with ThreadPoolExecutor(1) as beside, Writer(keys) as writer_of_keys, Writer(log) as writer:
        shown = beside.submit(_shown, database, head.position)
        keys_sha256 = writer_of_keys.add(SUBJECT_KEYS, _copied(conn, _KEYS), in_megabytes(tell, "writing the keys"))
        writer.add(SUBJECTS, _copied(conn, _SUBJECT_IDS), in_megabytes(tell, "writing the keys"))
        with pg_tools.running(pg_dump, [*_DUMP, f"--snapshot={snapshot}"], database.url, stdout=PIPE) as dump:
            writer.add(DUMP, iter(lambda: dump.read_from.read(_CHUNK), b""), in_megabytes(tell, "writing the log"))
            dump.finish()
        manifest = Manifest(
            kind=LOG,
            format=FORMAT,
            program=version("replayhouse"),
            server=server,
            schema_version=schema_version(conn),
            store=first_chain(conn),
            position=head.position,
            chain=head.chain.hex(),
            recorded_at=head.recorded_at,
            taken_at=taken_at,
            subjects=_row(conn, _SUBJECTS)[0],
            sha256=writer.sha256,
            keys_sha256=keys_sha256,
            shown=shown.result(),
        )
        writer_of_keys.finish(replace(manifest, kind=KEYS, sha256=writer_of_keys.sha256))
        writer.finish(manifest)
    return manifest


def first_chain(conn: psycopg.Connection) -> str:
    """What tells a log from others: the chain of its first commit, where it has one."""
    first = conn.execute(_STORE).fetchone()
    return bytes(first[0] if first else read_head(conn).chain).hex()


def what_is_shown(database: Database) -> dict[str, Shown]:
    """What the live read models show, in each of their tables; raises what `digests` does."""
    return {context: shown for context, (_, shown) in _digested(database).items()}


def _shown(database: Database, position: int) -> dict[str, Shown]:
    """The same of the contexts that are up with a position, and no further; of none where it cannot be said."""
    try:
        found = _digested(database)
    except (ReplayhouseError, psycopg.Error):
        return {}
    return {context: shown for context, (at, shown) in found.items() if at == position}


def _digested(database: Database) -> dict[str, tuple[int, Shown]]:
    from replayhouse.infra.read_models.digests import digests  # while pg_dump is at work already
    from replayhouse.projections.warehouse import PROJECTIONS

    found = {}
    for context, digest in digests(database).items():
        made_by = f"{PROJECTIONS[context].fingerprint}.{PROJECTIONS[context].version}"
        shown = Shown(made_by, {table: told.hex for table, told in digest.tables.items()})
        found[context] = digest.position, shown
    return found


def _copied(conn: psycopg.Connection, query: str) -> Iterator[bytes | bytearray | memoryview]:
    with conn.cursor().copy(query.encode()) as copy:
        yield from copy


def _row(conn: psycopg.Connection, query: str) -> tuple[Any, ...]:
    """The one row of a query that always has one."""
    row = conn.execute(query.encode()).fetchone()
    assert row is not None  # functions and counts always give a row
    return row
