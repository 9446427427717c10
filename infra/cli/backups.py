"""`db backup` and `db restore`: the log into a file, the keys into another, and both into an empty database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.cli.options import Force, Json, example
from replayhouse.infra.cli.output import count, print_json, progress, say, seconds_so_far, shown, warn
from replayhouse.infra.runtime.errors import UsageError

if TYPE_CHECKING:
    from uuid import UUID

    from replayhouse.infra.backup.archive import Manifest
    from replayhouse.infra.backup.restore import Restored
    from replayhouse.infra.privacy.erasure_list import ErasedSubjects

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup of the log.")]
KeysToWrite = Annotated[
    Path | None, typer.Option("--keys", metavar="FILE", help="Where to write the keys; by default FILE.keys.")
]
KeysToRead = Annotated[
    Path | None,
    typer.Option("--keys", metavar="FILE", help="The keys, of this backup or a later one; by default FILE.keys."),
]
WithoutKeys = Annotated[
    bool,
    typer.Option("--without-keys", help="The keys are lost for good: everybody's personal fields count as erased."),
]
Erased = Annotated[
    Path | None,
    typer.Option(
        "--erased",
        metavar="FILE",
        help="Who was erased since the backup, besides those of erased_subjects.csv in REPLAYHOUSE_HOME.",
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the commands to those of `db`."""
    app.command(epilog=example("replayhouse db backup monday.backup", "replayhouse db backup log --keys safe/keys"))(
        backup
    )
    app.command(epilog=example("replayhouse db restore monday.backup", "replayhouse db restore log --keys safe/keys"))(
        restore
    )


def backup(file: FileArgument, keys: KeysToWrite = None, force: Force = False, json: Json = False) -> None:
    """Write the log into a file and the keys into another.

    Both show one moment; others may write meanwhile. Keep the files apart: whoever has both can read the personal
    fields, and whoever loses the keys can never read them again. Only the newest keys need be kept: they serve older
    backups too.
    """
    from replayhouse.infra.backup.backup import back_up
    from replayhouse.infra.cli.warehouse import open_warehouse

    keys_file = keys or _beside(file)
    with open_warehouse() as warehouse, progress() as tell:
        done = back_up(warehouse.database, file, keys_file, tell, replaces=force)
    told = done.manifest
    if json:
        print_json(
            {
                "file": str(file),
                "bytes": done.log_bytes,
                "keys": str(keys_file),
                "keys_bytes": done.keys_bytes,
                **_head_of(told),
                "taken_at": told.taken_at,
                "subjects": told.subjects,
                "seconds": seconds_so_far(),
            }
        )
        return
    say(f"Backed up: {count(told.position, 'event')} and {count(told.subjects, 'key')}, in {seconds_so_far():.1f} s.")
    say(f"The log is in {file}, the keys are in {keys_file}: keep them in different places.")
    say(f"Head of the chain: position {told.position:,}, {told.chain}")


def restore(
    file: FileArgument,
    keys: KeysToRead = None,
    without_keys: WithoutKeys = False,
    erased: Erased = None,
    json: Json = False,
) -> None:
    """Restore a backup into an empty database.

    The files are checked, the chain of the log is recomputed, who was erased since is erased again, and the read
    models are folded. Either all of it is there at the end, or the database is empty. A restore that was killed is
    started again.
    """
    from replayhouse.infra.application.project import warn_of_parked
    from replayhouse.infra.application.site import Site
    from replayhouse.infra.backup.restore import check_files
    from replayhouse.infra.backup.restore import restore as put_back
    from replayhouse.infra.postgres.connection import reach_database
    from replayhouse.infra.privacy.erasure_list import ErasedSubjects
    from replayhouse.infra.runtime.settings import load_settings

    settings = load_settings()
    keys_file = _keys_for(file, keys, without_keys)
    with progress() as tell:
        files = check_files(file, keys_file, tell)
        listed = ErasedSubjects(settings.home)
        subjects = _erased_in(erased, listed)
        done = put_back(reach_database(settings), files, subjects, listed, settings.workers, tell)
        warn_of_parked(Site(settings, tell, warn))
    if json:
        print_json(_restored_as_json(file, keys_file, done))
    else:
        _say_what_is_restored(done, has_keys=keys_file is not None)


def _restored_as_json(file: Path, keys_file: Path | None, done: "Restored") -> dict[str, object]:
    told = done.manifest
    return {
        "file": str(file),
        "keys": None if keys_file is None else str(keys_file),
        "backup": {**_head_of(told), "taken_at": told.taken_at},
        "position": done.head.position,
        "events": done.head.position,
        "chain": done.head.chain.hex(),
        "subjects": told.subjects,
        "erased": told.subjects if keys_file is None else done.erased,
        "seconds": seconds_so_far(),
    }


def _say_what_is_restored(done: "Restored", *, has_keys: bool) -> None:
    told = done.manifest
    until = f"{shown(told.recorded_at)} UTC"
    say(f"Restored: {count(told.position, 'event')}, the newest recorded {until}. The chain holds.")
    say(f"Head of the chain: position {done.head.position:,}, {done.head.chain.hex()}")
    if not has_keys:
        say(f"Without keys: {count(told.subjects, 'subject')} count as erased, for good in this database.")
    elif done.erased:
        say(f"Erased again: {count(done.erased, 'person', 'people')} of whose erasure the backup did not know.")
    say(
        f"Nothing is lost up to the backup, {shown(told.taken_at)} UTC. What was recorded after it is not here: load "
        "the extracts since then again."
    )
    say(f"The read models are folded; it took {seconds_so_far():.1f} s.")


def _head_of(manifest: "Manifest") -> dict[str, object]:
    return {
        "position": manifest.position,
        "events": manifest.position,
        "chain": manifest.chain,
        "recorded_at": manifest.recorded_at,
    }


def _beside(file: Path) -> Path:
    """Where the keys stand if nothing else is said."""
    return file.with_name(f"{file.name}.keys")


def _keys_for(file: Path, keys: Path | None, without: bool) -> Path | None:
    """The file of keys; None where there is none and it is said that this is so. Raises UsageError."""
    if without:
        if keys is not None:
            raise UsageError("--keys names the keys, and --without-keys says that they are lost: give one of them.")
        return None
    if not file.is_file():
        raise UsageError(f"There is no backup {file}: name the file of the log that replayhouse db backup has written.")
    found = keys or _beside(file)
    if not found.exists() and file.suffix == ".keys" and file.with_suffix("").is_file():
        raise UsageError(f"{file} holds the keys of a backup; its log is in {file.with_suffix('')}: name that.")
    if not found.exists():
        raise UsageError(
            f"There are no keys in {found}: name their file with --keys. Only if they are lost for good, restore "
            "--without-keys: then the personal fields of everybody count as erased."
        )
    return found


def _erased_in(given: Path | None, kept: "ErasedSubjects") -> "list[UUID]":
    """Who is on the list in the home, which may not exist, and on the one that is named. Raises UsageError."""
    if given is None:
        if not kept.path.exists():
            warn(
                f"No list of erased people ({kept.path.name}) is at hand: who was erased after the backup is not "
                "erased here."
            )
        return kept.subjects()
    if not given.exists():
        raise UsageError(f"There is no list of erased people {given}.")
    return list(dict.fromkeys([*kept.subjects(), *kept.at(given).subjects()]))
