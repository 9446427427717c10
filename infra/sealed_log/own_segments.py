"""The segments that a warehouse keeps of its own log, under its home: what a rebuild reads in the place of events.

They are brought up to date before each rebuild, and never decide what is true: before they are read they are held
against the log, and where anything is the matter with them, that is told, and the log itself is read.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import psycopg

from replayhouse.infra.event_store.head import read_head
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.errors import Conflicting, InputError, Rejected, UsageError
from replayhouse.infra.runtime.manifests import MANIFEST
from replayhouse.infra.runtime.telling import Warn, unheard
from replayhouse.infra.sealed_log.manifest import Manifest, Segment, empty_manifest, is_folder_name, parsed
from replayhouse.infra.sealed_log.places import LocalFolder
from replayhouse.infra.sealed_log.reader import SealedLog
from replayhouse.infra.sealed_log.sealing import EVENTS_A_SEGMENT, chains_at, of_log, seal_on, store_of
from replayhouse.infra.sealed_log.targets import Target, local
from replayhouse.infra.sealed_log.verifying import first_changed_file, verify_sealed_log

FOLDER = "segments"

EVENTS_WORTH_SEALING = 50_000
"""A log of fewer is read itself."""

_SMALL = EVENTS_A_SEGMENT // 2


class _Unusable(Exception):  # noqa: N818 - the name says what is the matter
    """Why segments are not read. They are made anew where they `are_bad`."""

    def __init__(self, why: str, *, are_bad: bool = False) -> None:
        super().__init__(why)
        self.are_bad = are_bad


@dataclass(frozen=True)
class OwnSegments:
    """Those of the log of a database, in the folder `segments` of a home; `warn` is told why they are not read."""

    home: Path
    warn: Warn = unheard

    @contextmanager
    def up_to_date(self, database: Database) -> Iterator[SealedLog | None]:
        """The whole log, sealed, for the time of the block; None where it is small, or its segments are not to be read.

        Nobody else changes them meanwhile.
        """
        with ExitStack() as stack:
            yield self._log(database, stack)

    def verify(self, database: Database) -> None:
        """Recomputes all that they hold. Where they do not, that is told, and the next rebuild makes others."""
        folder = LocalFolder(self.home / FOLDER)
        if not (folder.path / MANIFEST).exists():
            return
        with ExitStack() as stack, database.connect("replayhouse audit verify", autocommit=True) as conn:
            if (target := self._held(stack)) is None:
                return
            try:
                with of_log(conn):
                    manifest, _ = _found(target, store_of(conn))
                    _refuse_another_log(conn, manifest, store_of(conn), read_head(conn).position)
                if (broken := verify_sealed_log(folder, manifest)) is not None:
                    raise _Unusable(f"from position {broken.position:,} on, {broken.why}", are_bad=True)
            except _Unusable as error:
                self.warn(f"The segments in {folder.name} do not hold, and are removed: {str(error).rstrip('.')}.")
                _discard(folder.path)
            except OSError as error:
                self._tell(error.strerror or str(error))

    def _log(self, database: Database, stack: ExitStack) -> SealedLog | None:
        with database.connect("replayhouse rebuild", autocommit=True) as conn:
            if read_head(conn).position < EVENTS_WORTH_SEALING:
                return None
            target = self._held(stack)
            return None if target is None else self._sealed(conn, target)

    def _held(self, stack: ExitStack) -> Target | None:
        """The folder, for this command alone; None where that cannot be had."""
        path = self.home / FOLDER
        try:
            _make(path)
            return stack.enter_context(local(LocalFolder(path), marks=True))
        except Conflicting:
            self._tell("another command is at work on them")
        except OSError as error:
            self._tell(error.strerror or str(error))
        return None

    def _sealed(self, conn: psycopg.Connection, target: Target) -> SealedLog | None:
        try:
            with of_log(conn):
                manifest = _brought_up(conn, target)
            return SealedLog(target.place, manifest)
        except _Unusable as error:
            self._tell(str(error))
            if error.are_bad:
                _discard(self.home / FOLDER)
        except (Rejected, UsageError) as error:
            self._tell(str(error))
        except OSError as error:
            self._tell(error.strerror or str(error))
        return None

    def _tell(self, why: str) -> None:
        self.warn(f"The segments in {self.home / FOLDER} are not used, and the log itself is read: {why.rstrip('.')}.")


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    if path.is_symlink():
        raise OSError(errno.ELOOP, "it is a link, and no link is followed", os.fspath(path))


def _brought_up(conn: psycopg.Connection, target: Target) -> Manifest:
    """The manifest of all of the log, its files as they were written. Raises _Unusable, Rejected and OSError."""
    store, head = store_of(conn), read_head(conn).position
    manifest, written = _found(target, store)
    _refuse_another_log(conn, manifest, store, head)
    if manifest.position < head:
        manifest = seal_on(conn, target, _to_go_on_from(manifest, head), written).manifest
    target.remove_left({segment.folder for segment in manifest.segments}, head)
    return manifest


def _found(target: Target, store: UUID) -> tuple[Manifest, bytes | None]:
    try:
        written = target.place.read(MANIFEST)
    except FileNotFoundError:
        return empty_manifest(store), None
    try:
        manifest = parsed(written, target.place.name)
    except InputError as error:
        raise _Unusable(str(error), are_bad=True) from error
    if (changed := first_changed_file(target.place, manifest)) is not None:
        raise _Unusable(changed, are_bad=True)
    return manifest, written


def _refuse_another_log(conn: psycopg.Connection, manifest: Manifest, store: UUID, head: int) -> None:
    """Raises _Unusable where any segment ends otherwise than the log has it there."""
    if manifest.store != store:
        raise _Unusable(f"they are of another store, {manifest.store}", are_bad=True)
    if manifest.position > head:
        why = f"they go on to position {manifest.position:,}, and the log ends at {head:,}"
        raise _Unusable(f"{why}: it was restored from an earlier backup", are_bad=True)
    ends = {segment.last: segment.chain for segment in manifest.segments}
    for position, chain in chains_at(conn, ends).items():
        if chain != ends[position]:
            why = f"at position {position:,} they have another chain than the log"
            raise _Unusable(f"{why}, which went on from an earlier backup, or was changed", are_bad=True)


def _to_go_on_from(manifest: Manifest, head: int) -> Manifest:
    """The same without its last segments that are smaller than what follows on them: these are sealed anew with it.

    So each is more than twice as large as the next, but for full ones, and their number stays small, however often
    something comes.
    """
    kept = list(manifest.segments)
    while kept and _is_small(kept[-1]) and kept[-1].events <= head - kept[-1].last:
        kept.pop()
    log = empty_manifest(manifest.store)
    for segment in kept:
        log = log.followed_by(segment)
    return log


def _is_small(segment: Segment) -> bool:
    return segment.events < _SMALL


def _discard(path: Path) -> None:
    """Removes segments that are not to be used again, and the manifest last: a killed command leaves it."""
    with suppress(OSError):
        for name in os.listdir(path):
            if is_folder_name(name.removesuffix(".unfinished")):
                shutil.rmtree(path / name)
        (path / MANIFEST).unlink(missing_ok=True)
