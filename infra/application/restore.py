"""Restoring a backup into an empty database."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from replayhouse.infra.application.backup import beside, head_of
from replayhouse.infra.application.project import warn_of_parked
from replayhouse.infra.application.site import Site
from replayhouse.infra.backup.archive import Manifest
from replayhouse.infra.backup.restore import check_files
from replayhouse.infra.backup.restore import restore as put_back
from replayhouse.infra.event_store.head import Head
from replayhouse.infra.postgres.connection import reach_database
from replayhouse.infra.privacy.erasure_list import ErasedSubjects
from replayhouse.infra.runtime.errors import UsageError


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


def restore(site: Site, file: Path, keys: Path | None, erased: Path | None, *, without_keys: bool) -> RestoreReport:
    """Checks the files of a backup, restores them into the database, and folds the read models.

    Who is on the list in the home, or on the list `erased`, is erased again. Either all of it is there at the end, or
    the database is empty.
    """
    keys_file = _keys_for(file, keys, without_keys)
    with site.prepare_workers():
        files = check_files(file, keys_file, site.tell)
        listed = ErasedSubjects(site.settings.home)
        subjects = _erased_in(site, erased, listed)
        done = put_back(reach_database(site.settings), files, subjects, listed, site.settings.workers, site.tell)
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
