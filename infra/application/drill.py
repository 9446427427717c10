"""The drill: a backup is restored into a throw-away warehouse, held against what it says of itself, and timed."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from replayhouse.infra.application.ask import ask
from replayhouse.infra.application.backup import note
from replayhouse.infra.application.restore import RestoreReport, restore
from replayhouse.infra.application.site import Site
from replayhouse.infra.backup.archive import Manifest, Shown
from replayhouse.infra.backup.backup import first_chain, what_is_shown
from replayhouse.infra.backup.records import Drilled, note_drill
from replayhouse.infra.event_store.head import Head, read_head
from replayhouse.infra.postgres.connection import translated
from replayhouse.infra.postgres.session import variables_kept
from replayhouse.infra.postgres.throwaway import throwaway_home
from replayhouse.infra.privacy.erasure_list import ErasedSubjects
from replayhouse.infra.runtime.errors import NoWarehouse, Rejected, ReplayhouseError
from replayhouse.infra.telemetry.happenings import Happening, happened

_FOLDER = "drill"
_ANY_QUESTION = 1


@dataclass(frozen=True)
class DrillReport:
    """What `drill` answers of a backup that came back.

    `tables` is how many of them show what they showed when the backup was made; of the contexts in `not_compared` that
    could not be said, and why. `events_lost` and `seconds_lost` are None where there was no log to compare with.
    """

    file: Path
    manifest: Manifest
    seconds_to_answers: float
    events_lost: int | None
    seconds_lost: float | None
    tables: int
    not_compared: Mapping[str, str]

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {
            "file": str(self.file),
            "position": self.manifest.position,
            "chain": self.manifest.chain,
            "taken_at": self.manifest.taken_at,
            "seconds_to_answers": round(self.seconds_to_answers, 3),
            "events_lost": self.events_lost,
            "seconds_lost": self.seconds_lost,
            "tables_compared": self.tables,
            "not_compared": dict(self.not_compared),
        }

    @property
    def noted(self) -> Drilled:
        """As it is noted in the database."""
        lost = self.events_lost, self.seconds_lost
        return Drilled(str(self.file.absolute()), self.manifest.position, self.seconds_to_answers, *lost, None)


class _Live(NamedTuple):
    """The log of the warehouse that the backup is of: where it begins, and where it ends."""

    store: str
    head: Head


def drill(site: Site, file: Path, keys: Path | None, identity: Path | None, *, without_keys: bool) -> DrillReport:
    """Restores a backup into a warehouse of its own, which is gone afterwards, and notes in the live one what it found.

    Raises Rejected where the log does not hold, the tables show something else than the backup says, or it is of
    another log than the warehouse; and what `restore` does.
    """
    live = _live(site)
    try:
        with variables_kept():
            report = _drilled(site, live, file, keys, identity, without_keys=without_keys)
    except Exception as error:
        told = str(error) if isinstance(error, ReplayhouseError) else f"{type(error).__name__}: {error}"
        _note(site, live, Drilled(str(file.absolute()), None, None, None, None, told.replace("\n", " ")))
        raise
    _note(site, live, report.noted)
    happened(Happening.BACKUP_DRILLED, position=report.manifest.position, seconds=report.seconds_to_answers)
    return report


def _live(site: Site) -> _Live | None:
    """None where there is none, or it cannot be looked at, which is told: it may be why somebody drills."""
    try:
        with site.database.connect("replayhouse drill", autocommit=True) as conn, translated():
            return _Live(first_chain(conn), read_head(conn))
    except NoWarehouse:
        site.warn("There is no warehouse here to compare with, and to note the drill in.")
    except ReplayhouseError as error:
        site.warn(f"The warehouse cannot be looked at, so that nothing is compared with it: {error}")
    return None


def _note(site: Site, live: _Live | None, found: Drilled) -> None:
    if live is not None:
        note(site, "this drill", lambda conn: note_drill(conn, found))


def _drilled(
    site: Site, live: _Live | None, file: Path, keys: Path | None, identity: Path | None, *, without_keys: bool
) -> DrillReport:
    listed = ErasedSubjects(site.settings.home).path
    with _elsewhere(site) as own:
        began = time.monotonic()
        erased = listed if listed.exists() else None
        done = restore(own, file, keys, erased, identity, without_keys=without_keys)
        own.tell("asking a question", 0, 0)
        ask(own, _ANY_QUESTION, {}, None, None)
        seconds = time.monotonic() - began
        own.tell("comparing the tables", 0, 0)
        tables, not_compared = _compared(done, what_is_shown(own.database))
    events, age = (None, None) if live is None else _lost(done.manifest, live, file)
    return DrillReport(file, done.manifest, seconds, events, age, tables, not_compared)


@contextmanager
def _elsewhere(site: Site) -> Iterator[Site]:
    """A site in a home that is thrown away."""
    with throwaway_home(site.settings.home / _FOLDER) as home:
        yield Site(site.settings.model_copy(update={"home": home, "database_url": None}), site.tell, site.warn)


def _compared(done: RestoreReport, shown: Mapping[str, Shown]) -> tuple[int, dict[str, str]]:
    """How many tables show what the backup says, and which contexts were not compared. Raises Rejected."""
    tables, others, not_compared = 0, [], {}
    for context, now in shown.items():
        then = done.manifest.shown.get(context)
        if then is None:
            not_compared[context] = "the backup does not say what it showed"
        elif then.made_by != now.made_by:
            not_compared[context] = "another version of the program made the backup"
        elif done.erased or done.keys is None:
            not_compared[context] = "people were erased since, or keys are lost"
        else:
            others += [f"{context}.{table}" for table, digest in now.tables.items() if then.tables.get(table) != digest]
            tables += len(now.tables)
    if others:
        raise Rejected(
            f"What was restored from {done.file} shows other rows than the warehouse did when it was made, in "
            f"{', '.join(others)}: do not rely on it, and keep the one before."
        )
    return tables, not_compared


def _lost(manifest: Manifest, live: _Live, file: Path) -> tuple[int, float]:
    """What would be lost if the live log were: how many events, and how many seconds of them. Raises Rejected."""
    if manifest.position and manifest.store != live.store:
        raise Rejected(
            f"{file} is a backup of another log than that of the warehouse here: look at REPLAYHOUSE_HOME and "
            "REPLAYHOUSE_DATABASE_URL, and at where the backups are."
        )
    events = max(0, live.head.position - manifest.position)
    seconds = (live.head.recorded_at - manifest.recorded_at).total_seconds() if events else 0.0
    return events, max(0.0, seconds)
