"""Restoring a backup into an empty database."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from replayhouse.infra.application.backup import beside, head_of
from replayhouse.infra.application.project import warn_of_parked
from replayhouse.infra.application.site import Site
from replayhouse.infra.backup.archive import BackupFile, Manifest, in_megabytes
from replayhouse.infra.backup.encryption import Identity, decrypted, is_encrypted, read_identity
from replayhouse.infra.backup.restore import check_files
from replayhouse.infra.backup.restore import restore as put_back
from replayhouse.infra.event_store.head import Head
from replayhouse.infra.postgres.connection import reach_database
from replayhouse.infra.privacy.erasure_list import ErasedSubjects
from replayhouse.infra.runtime.errors import InputError, UsageError
from replayhouse.infra.telemetry.happenings import Happening, happened


@dataclass(frozen=True)
class RestoreReport:
    """What `restore` answers: what the backup held, and the head of the log as it stands now.

    `keys` is None where they are lost, and everybody counts as erased. `erased` counts the people of whose erasure the
    backup did not know.
    """

    file: Path
    keys: Path | None
    manifest: Manifest
    head: Head
    erased: int

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {
            "file": str(self.file),
            "keys": None if self.keys is None else str(self.keys),
            "backup": {**head_of(self.manifest), "taken_at": self.manifest.taken_at},
            "position": self.head.position,
            "events": self.head.position,
            "chain": self.head.chain.hex(),
            "subjects": self.manifest.subjects,
            "erased": self.manifest.subjects if self.keys is None else self.erased,
        }


def restore(
    site: Site, file: Path, keys: Path | None, erased: Path | None, identity: Path | None, *, without_keys: bool
) -> RestoreReport:
    """Checks the files of a backup, restores them into the database, and folds the read models.

    Encrypted ones are decrypted by the `identity` that is named, else by that of the settings.

    Who is on the list in the home, or on the list `erased`, is erased again. Either all of it is there at the end, or
    the database is empty.
    """
    keys_file = _keys_for(file, keys, without_keys)
    with site.prepare_workers(), in_clear(site, file, keys_file, identity) as (log, log_keys):
        files = check_files(log, log_keys, site.tell)
        listed = ErasedSubjects(site.settings.home)
        subjects = _erased_in(site, erased, listed)
        done = put_back(reach_database(site.settings), files, subjects, listed, site.settings.workers, site.tell)
    happened(Happening.BACKUP_RESTORED, position=done.head.position)
    warn_of_parked(site)
    return RestoreReport(file, keys_file, done.manifest, done.head, done.erased)


def _keys_for(file: Path, keys: Path | None, without: bool) -> Path | None:
    """The file of keys; None where there is none and it is said that this is so. Raises UsageError."""
    if without:
        if keys is not None:
            raise UsageError("--keys names the keys, and --without-keys says that they are lost: give one of them.")
        return None
    if not file.is_file():
        raise UsageError(f"There is no backup {file}: name the file of the log that replayhouse db backup has written.")
    found = keys or beside(file)
    if not found.exists() and file.suffix == ".keys" and file.with_suffix("").is_file():
        raise UsageError(f"{file} holds the keys of a backup; its log is in {file.with_suffix('')}: name that.")
    if not found.exists():
        raise UsageError(
            f"There are no keys in {found}: name their file with --keys. Only if they are lost for good, restore "
            "--without-keys: then the personal fields of everybody count as erased."
        )
    return found


@contextmanager
def in_clear(
    site: Site, file: Path, keys: Path | None, identity: Path | None
) -> Iterator[tuple[BackupFile, BackupFile | None]]:
    """Both files of a backup as they can be read; what had to be decrypted is in the home, without a name.

    Raises InputError where one is encrypted and no identity is named, or the other way round.
    """
    named = identity or site.settings.backup_identity
    known = None if named is None else read_identity(named.expanduser())
    if known is not None and known.is_open_to_others:
        site.warn(f"Others can read the identity {known.path}, and with it every backup for it: chmod 600 {known.path}")
    with ExitStack() as opened:
        log = opened.enter_context(_in_clear(site, file, known))
        yield log, None if keys is None else opened.enter_context(_in_clear(site, keys, known))


@contextmanager
def _in_clear(site: Site, path: Path, identity: Identity | None) -> Iterator[BackupFile]:
    try:
        sealed = is_encrypted(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
    if identity is None:
        if sealed:
            raise InputError(
                f"{path} is encrypted: name the file with its key, by --identity or REPLAYHOUSE_BACKUP_IDENTITY."
            )
        yield BackupFile(path)
        return
    if not sealed:
        raise InputError(
            f"{path} is not encrypted, and {identity.path} is named to decrypt it: is it the backup that you mean? If "
            "so, name no identity, neither by --identity nor in REPLAYHOUSE_BACKUP_IDENTITY."
        )
    with (
        _made(site.settings.home),
        decrypted(path, identity, site.settings.home, in_megabytes(site.tell, f"decrypting {path.name}")) as plain,
    ):
        yield BackupFile(path, plain)


@contextmanager
def _made(home: Path) -> Iterator[None]:
    """The folder, which goes again where nothing was put into it."""
    try:
        home.mkdir(parents=True, mode=0o700)
    except FileExistsError:
        yield
        return
    except OSError as error:
        raise UsageError(f"The folder {home} cannot be used: {error.strerror}. Set REPLAYHOUSE_HOME.") from error
    try:
        yield
    finally:
        with suppress(OSError):
            home.rmdir()


def _erased_in(site: Site, given: Path | None, kept: ErasedSubjects) -> list[UUID]:
    """Who is on the list in the home, which may not exist, and on the one that is named. Raises UsageError."""
    if given is None:
        if not kept.path.exists():
            site.warn(
                f"No list of erased people ({kept.path.name}) is at hand: who was erased after the backup is not "
                "erased here."
            )
        return kept.subjects()
    if not given.exists():
        raise UsageError(f"There is no list of erased people {given}.")
    return list(dict.fromkeys([*kept.subjects(), *kept.at(given).subjects()]))
