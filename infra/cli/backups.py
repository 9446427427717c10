"""`db backup` and `db restore`: the log into a file, the keys into another, and both into an empty database."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.cli.options import Force, Json, example
from replayhouse.infra.cli.output import print_json, say, seconds_so_far, shown
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.application.drill import DrillReport
    from replayhouse.infra.application.restore import RestoreReport

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

Recipient = Annotated[
    list[str] | None,
    typer.Option(
        "--recipient",
        metavar="age1...",
        help="Encrypt both files for the holder of this key; repeatable. By default for those listed in the file "
        "REPLAYHOUSE_BACKUP_RECIPIENTS.",
    ),
]
IdentityFile = Annotated[
    Path | None,
    typer.Option(
        "--identity",
        metavar="KEYFILE",
        help="The file with the key that decrypts the backup; by default REPLAYHOUSE_BACKUP_IDENTITY.",
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
    app.command(epilog=example("replayhouse db drill monday.backup", "replayhouse db drill log --identity backup.key"))(
        drill
    )


def backup(
    file: FileArgument,
    keys: KeysToWrite = None,
    recipient: Recipient = None,
    force: Force = False,
    json: Json = False,
) -> None:
    """Write the log into a file and the keys into another.

    Both show one moment; others may write meanwhile. Keep the files apart: whoever has both can read the personal
    fields, and whoever loses the keys can never read them again. Only the newest keys need be kept: they serve older
    backups too. With --recipient, both are encrypted as age does it.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        report = warehouse.backup(file, keys=keys, recipients=recipient or (), force=force)
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
        return
    told = report.manifest
    say(f"Backed up: {count(told.position, 'event')} and {count(told.subjects, 'key')}, in {seconds_so_far():.1f} s.")
    say(f"The log is in {file}, the keys are in {report.keys}: keep them in different places.")
    if report.recipients:
        say(f"Both are encrypted for {count(report.recipients, 'recipient')}.")
    say(f"Head of the chain: position {told.position:,}, {told.chain}")


def restore(
    file: FileArgument,
    keys: KeysToRead = None,
    without_keys: WithoutKeys = False,
    erased: Erased = None,
    identity: IdentityFile = None,
    json: Json = False,
) -> None:
    """Restore a backup into an empty database.

    The files are checked, the chain of the log is recomputed, who was erased since is erased again, and the read
    models are folded. Either all of it is there at the end, or the database is empty. A restore that was killed is
    started again.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        report = warehouse.restore(file, keys=keys, without_keys=without_keys, erased=erased, identity=identity)
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
    else:
        _say_what_is_restored(report)


def _say_what_is_restored(done: "RestoreReport") -> None:
    told = done.manifest
    until = f"{shown(told.recorded_at)} UTC"
    say(f"Restored: {count(told.position, 'event')}, the newest recorded {until}. The chain holds.")
    say(f"Head of the chain: position {done.head.position:,}, {done.head.chain.hex()}")
    if done.keys is None:
        say(f"Without keys: {count(told.subjects, 'subject')} count as erased, for good in this database.")
    elif done.erased:
        say(f"Erased again: {count(done.erased, 'person', 'people')} of whose erasure the backup did not know.")
    say(
        f"Nothing is lost up to the backup, {shown(told.taken_at)} UTC. What was recorded after it is not here: load "
        "the extracts since then again."
    )
    say(f"The read models are folded; it took {seconds_so_far():.1f} s.")


def drill(
    file: FileArgument,
    keys: KeysToRead = None,
    without_keys: WithoutKeys = False,
    identity: IdentityFile = None,
    json: Json = False,
) -> None:
    """Restore a backup into a throw-away warehouse, to know that it can be done.

    The chain of the log is recomputed, a question is asked, and every table is held against what the backup says that
    it showed. How long it took, and what would be lost, is told and noted in the warehouse. Exit code 1 where the
    backup is not to be relied on. The throw-away warehouse stands in the folder `drill` of REPLAYHOUSE_HOME, and is
    gone afterwards.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        report = warehouse.drill(file, keys=keys, without_keys=without_keys, identity=identity)
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
    else:
        _say_what_was_drilled(report)


def _say_what_was_drilled(done: "DrillReport") -> None:
    said = f"Restored and removed again: {count(done.manifest.position, 'event')}. The chain holds"
    say(f"{said}; {count(done.tables, 'table')} show what they showed when the backup was made.")
    for context, why in done.not_compared.items():
        say(f"Not compared: {context}, for {why}.")
    say(f"To answers: {done.seconds_to_answers:.1f} s.")
    if done.events_lost is None:
        return
    if done.events_lost:
        span = f"recorded within {done.seconds_lost:,.0f} s after the newest one of the backup"
        say(f"Would be lost: {count(done.events_lost, 'event')}, {span}.")
    else:
        say("Would be lost: nothing; the log has no event that the backup has not.")
