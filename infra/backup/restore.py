"""Restoring a backup into an empty database: the log, the keys, and from them the read models.

The files are checked before anything is touched, and the log is read back and its chain recomputed before anything is
folded. Until all is in, a mark keeps every other command away, and a restore that was killed begins anew; one that
fails leaves the database empty.
"""

from collections.abc import Collection, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from subprocess import PIPE
from typing import IO
from uuid import UUID

import psycopg
from psycopg import sql

from replayhouse.infra.audit.verify import Broken, verify
from replayhouse.infra.backup.archive import (
    DUMP,
    KEYS,
    LOG,
    SUBJECT_KEYS,
    SUBJECTS,
    BackupFile,
    Manifest,
    Tell,
    check,
    chunks_of,
    in_megabytes,
    opened,
)
from replayhouse.infra.event_store.head import Head, read_head
from replayhouse.infra.postgres import pg_tools, schemas
from replayhouse.infra.postgres.connection import Database, check_server, translated
from replayhouse.infra.postgres.locks import WRITING, exclusive
from replayhouse.infra.postgres.migrate import make_roles, migrate, migrations
from replayhouse.infra.postgres.restore_marker import ONE_AFTER_THE_OTHER, is_marked, mark, unmark
from replayhouse.infra.privacy.erasure import reapply
from replayhouse.infra.privacy.erasure_list import ErasedSubjects, Erasure
from replayhouse.infra.privacy.mentions import erasures
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.runtime.errors import Conflicting, InputError, Rejected, UsageError, WrongServer
from replayhouse.projections.marts import MARTS

_FIRST_WITH_TRANSACTION_TIMEOUT = 17
_CHUNK = 2**20

_IS_OURS = "SELECT to_regclass('event_store.head') IS NOT NULL"
_HAS_LOCKS = "SELECT to_regclass('event_store.lock') IS NOT NULL"
_IS_EMPTY = """
    SELECT position = 0
        AND NOT EXISTS (SELECT FROM event_store.batch) AND NOT EXISTS (SELECT FROM event_store.subject_key)
    FROM event_store.head
"""
_SCHEMAS = """
    SELECT nspname FROM pg_namespace
    WHERE nspname = ANY(%s) OR nspname ~ %s
    ORDER BY nspname
"""
_MADE_BY_HAND = """
    SELECT format('%%I.%%I', outside.nspname, view.relname)
    FROM pg_depend
    JOIN pg_rewrite ON pg_depend.classid = 'pg_rewrite'::regclass AND pg_rewrite.oid = pg_depend.objid
    JOIN pg_class AS view ON view.oid = pg_rewrite.ev_class
    JOIN pg_namespace AS outside ON outside.oid = view.relnamespace
    JOIN pg_class AS used ON pg_depend.refclassid = 'pg_class'::regclass AND used.oid = pg_depend.refobjid
    JOIN pg_namespace AS ours ON ours.oid = used.relnamespace
    WHERE ours.nspname = ANY(%(ours)s) AND outside.nspname <> ALL(%(ours)s)
    UNION
    SELECT format('mart.%%I', relname) FROM pg_class
    WHERE relnamespace = to_regnamespace('mart') AND relkind = ANY('{r,v,m}') AND relname <> ALL(%(marts)s)
    ORDER BY 1
"""
_DROP = sql.SQL("DROP SCHEMA {} CASCADE")
_ALONE = "SELECT pg_try_advisory_lock(hashtext('replayhouse restore'))"  # nobody reads here before it has ended

_KEYS_IN = "COPY event_store.subject_key (subject_id, key) FROM STDIN (FORMAT binary)"
_SUBJECTS_TABLE = "CREATE TEMPORARY TABLE backed_up (subject_id uuid)"
_SUBJECTS_IN = "COPY backed_up (subject_id) FROM STDIN (FORMAT binary)"
_FORGET_SUBJECTS = "DROP TABLE backed_up"
_WITHOUT_KEYS = "INSERT INTO event_store.subject_key (subject_id, key) SELECT subject_id, NULL FROM backed_up"
_MISSING = """
    SELECT count(*) FROM backed_up
    WHERE NOT EXISTS (SELECT FROM event_store.subject_key AS k WHERE k.subject_id = backed_up.subject_id)
"""
_ANALYZE = sql.SQL("ANALYZE {}")
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'event_store'"


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a backup, found to be whole and to belong together. Without keys, all subjects count as erased."""

    log: BackupFile
    keys: BackupFile | None
    manifest: Manifest


@dataclass(frozen=True, slots=True)
class Restored:
    """What stands in the database now: `head` is that of the backup, or what erasing again has added to it.

    `erased` counts the people of whose erasure the backup did not know.
    """

    manifest: Manifest
    head: Head
    erased: int
    folded: dict[str, int]


def check_files(log: BackupFile, keys: BackupFile | None, tell: Tell) -> Files:
    """Reads both files from end to end. Raises InputError if one is damaged or none of ours, or if they do not match;
    WrongServer if the schema of the backup is newer than this program.
    """
    manifest = check(log, LOG, in_megabytes(tell, "checking the backup"))
    if manifest.schema_version > len(migrations()):
        raise WrongServer(
            f"The backup {log.path} has schema version {manifest.schema_version}, and this program knows versions up "
            f"to {len(migrations())}: use a newer replayhouse."
        )
    if keys is not None:
        of_keys = check(keys, KEYS, in_megabytes(tell, "checking the keys"))
        if manifest.position > 0 and of_keys.store != manifest.store:
            raise InputError(
                f"{keys.path} holds the keys of another log than {log.path}: name those that belong to it."
            )
        if of_keys.position < manifest.position:
            raise InputError(
                f"{keys.path} holds the keys as of position {of_keys.position:,}, and {log.path} goes on to "
                f"{manifest.position:,}: name the keys that were written with it, or later."
            )
    return Files(log, keys, manifest)


def restore(
    database: Database, files: Files, erased: Collection[UUID], listed: ErasedSubjects, workers: int, tell: Tell
) -> Restored:
    """Restores the log and the keys, verifies it, erases again whom `erased` names, and fills the read models.

    Whoever is erased then stands on the list of the home, `listed`: the next restore must know of them too.
    Raises UsageError if the database is not empty, Rejected if the log does not hold, Conflicting, Unreachable and
    what `translated` says; the database is empty then.
    """
    with database.connect("replayhouse restore", autocommit=True) as conn, translated():
        check_server(conn)
        if conn.execute(_ALONE).fetchone() != (True,):
            raise Conflicting("Another replayhouse db restore is at work in this database: wait until it has ended.")
        _begin(conn)
        try:
            restored = _restore(conn, database, files, erased, listed, workers, tell)
        except BaseException:
            if not conn.closed:  # else the mark stays, and says so
                with suppress(psycopg.Error), conn.transaction():
                    _empty(conn)
                    unmark(conn)
            raise
        unmark(conn)
        return restored


def _restore(
    conn: psycopg.Connection,
    database: Database,
    files: Files,
    erased: Collection[UUID],
    listed: ErasedSubjects,
    workers: int,
    tell: Tell,
) -> Restored:
    tell("restoring the log", 0, 0)
    _load(conn, database, files.log)
    migrate(conn)  # first, for a backup may lack what the roles have rights on by now
    make_roles(conn)
    _verify(conn, files, tell)
    tell("restoring the keys", 0, 0)
    _load_keys(conn, files)
    tell("erasing again", 0, 0)
    told = reapply(conn, erased)
    listed.add_missing(erasures(conn))
    position, now = read_head(conn).position, datetime.now(UTC)
    listed.add_missing(Erasure(subject, now, position) for subject in erased)  # of whom the log may know nothing
    for (table,) in conn.execute(_TABLES).fetchall():  # only now: samples of destroyed keys would outlive them
        conn.execute(_ANALYZE.format(sql.Identifier("event_store", table)))
    tell("folding every stream", 0, 0)
    folded = catch_up(database, workers=workers, tell=partial(tell, "folding every stream"))
    return Restored(files.manifest, read_head(conn), told, folded)


# --- an empty database ------------------------------------------------------------------------------------------


def _begin(conn: psycopg.Connection) -> None:
    """Marks the database and empties it, if there is nothing in it that anybody could miss; else UsageError."""
    if not is_marked(conn):
        with exclusive(conn, WRITING) if conn.execute(_HAS_LOCKS).fetchone() == (True,) else nullcontext():
            _refuse_what_is_not_empty(conn)
            with conn.transaction():
                mark(conn)
    with conn.transaction():
        _empty(conn)


def _refuse_what_is_not_empty(conn: psycopg.Connection) -> None:
    place = conn.info.dbname
    found = _schemas(conn)
    if conn.execute(_IS_OURS).fetchone() == (True,):
        if conn.execute(_IS_EMPTY).fetchone() != (True,):
            raise UsageError(
                f"The database {place} is not empty: its log has {read_head(conn).position:,} events. Restore into an "
                "empty one: set REPLAYHOUSE_HOME to a new folder, or REPLAYHOUSE_DATABASE_URL to a new database."
            )
    elif found:
        raise UsageError(f"The database {place} is not empty: it has a schema {found[0]} that is not of replayhouse.")
    known = {"ours": found, "marts": [mart.name for mart in MARTS]}
    if made := conn.execute(_MADE_BY_HAND, known).fetchone():
        raise UsageError(f"The database {place} is not empty: somebody has made {made[0]}, which would go with it.")


def _schemas(conn: psycopg.Connection) -> list[str]:
    """Those that have the names of ours."""
    return [str(name) for (name,) in conn.execute(_SCHEMAS, [list(schemas.NAMES), schemas.REVISIONS]).fetchall()]


def _empty(conn: psycopg.Connection) -> None:
    """Removes all that replayhouse has made, within a transaction.

    The psql of a killed restore may still be at its commit, and is waited for.
    """
    conn.execute(ONE_AFTER_THE_OTHER.encode())
    for schema in _schemas(conn):
        conn.execute(_DROP.format(sql.Identifier(schema)))


# --- what the files hold ----------------------------------------------------------------------------------------


def _load(conn: psycopg.Connection, database: Database, log: BackupFile) -> None:
    """Lets pg_restore write its script and psql run it, in one transaction that ends well only if both did."""
    server = conn.info.server_version // 10_000
    pg_restore, psql = pg_tools.program("pg_restore", server), pg_tools.program("psql", server)
    as_script = ["--format=custom", "--no-owner", "--no-privileges", "--file=-"]
    quietly = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    with (
        opened(log, DUMP) as archive,
        pg_tools.running(pg_restore, as_script, stdin=archive, stdout=PIPE) as reading,
        pg_tools.running(psql, quietly, database.url, stdin=PIPE) as writing,
    ):
        try:
            writing.write_to.write(f"BEGIN; {ONE_AFTER_THE_OTHER}\n".encode())
            for chunk in script_for(server, reading.read_from):
                writing.write_to.write(chunk)
            reading.finish()
            writing.write_to.write(b"COMMIT;\n")
            writing.write_to.close()
        except BrokenPipeError:
            writing.finish()  # it tells why it has ended
            raise
        writing.finish()


def script_for(server: int, script: IO[bytes]) -> Iterator[bytes]:
    """What pg_restore writes, without the setting at its beginning that servers before PostgreSQL 17 do not know."""
    for line in script:
        if server >= _FIRST_WITH_TRANSACTION_TIMEOUT or not line.startswith(b"SET transaction_timeout"):
            yield line
        if line.startswith(b"SELECT pg_catalog.set_config"):
            break
    while chunk := script.read(_CHUNK):
        yield chunk


def _verify(conn: psycopg.Connection, files: Files, tell: Tell) -> None:
    # An index of one's own is no reason to lose a log; audit verify names it afterwards.
    found = verify(conn, lambda done, of: tell("verifying the log", done, of), ignores_guards=True)
    if isinstance(found, Broken):
        raise Rejected(
            f"The log in {files.log.path} does not hold from position {found.position:,} on: {found.why}. "
            "Nothing was restored: take an earlier backup."
        )
    if (found.position, found.chain.hex()) != (files.manifest.position, files.manifest.chain):
        raise Rejected(
            f"The log in {files.log.path} ends at position {found.position:,}, {found.chain.hex()}, which is not what "
            "the backup says of itself. Nothing was restored: take an earlier one."
        )


def _load_keys(conn: psycopg.Connection, files: Files) -> None:
    """The keys, one for each subject of the backup at least; where there are none, every subject counts as erased."""
    with conn.transaction():
        conn.execute(_SUBJECTS_TABLE)
        _copy_in(conn, _SUBJECTS_IN, files.log, SUBJECTS)
        if files.keys is None:
            conn.execute(_WITHOUT_KEYS)
        else:
            _copy_in(conn, _KEYS_IN, files.keys, SUBJECT_KEYS)
            (missing,) = conn.execute(_MISSING).fetchone() or (0,)
            if missing:
                raise InputError(
                    f"{files.keys.path} lacks the keys of {missing:,} subjects of {files.log.path}: name another."
                )
        conn.execute(_FORGET_SUBJECTS)


def _copy_in(conn: psycopg.Connection, query: str, backup: BackupFile, name: str) -> None:
    with conn.cursor().copy(query.encode()) as copy:
        for chunk in chunks_of(backup, name):
            copy.write(chunk)
