"""Replaying a sealed log: its events folded into Parquet, without a database."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.application.rebuild_into import limits_of
from replayhouse.infra.application.replay_keys import keys_from, note_coming, note_done
from replayhouse.infra.application.site import Site
from replayhouse.infra.replaying.manifest import LimitsMet, RowsManifest
from replayhouse.infra.replaying.output import writing_rows
from replayhouse.infra.replaying.replay import Engine, Job, Pool
from replayhouse.infra.replaying.replay import replay as fold_again
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.sealed_log.reader import SealedLog, open_sealed_log
from replayhouse.infra.telemetry.happenings import Happening
from replayhouse.infra.telemetry.spans import Work, span

POOL, SPARK = "pool", "spark"
"""The engines: the one that every machine has, and the one for clusters."""

HERE = "local[*]"
"""Spark's master, where none is named: the processors of this machine."""

_DOING = "folding the sealed log"


@dataclass(frozen=True)
class ReplayReport:
    """What `replay` answers: where the rows stand, and what their manifest says."""

    folder: Path
    manifest: RowsManifest

    @property
    def events(self) -> int:
        """How many events were folded, of all contexts together."""
        return sum(context.events for context in self.manifest.contexts.values())

    def document(self) -> dict[str, object]:
        """As JSON shows it: the shape of `digest --json`, with position and chain of the log beside it."""
        told = self.manifest
        return {
            "position": told.position,
            "chain": told.chain,
            "contexts": {
                context: {
                    "position": told.position,
                    "events": of_context.events,
                    "tables": {
                        name: {"rows": table.rows, "digest": table.digest} for name, table in of_context.tables.items()
                    },
                }
                for context, of_context in told.contexts.items()
            },
            "withheld": list(told.withheld),
        }


def replay(
    site: Site,
    place: str,
    folder: Path,
    contexts: Iterable[str] | None,
    *,
    as_of: str | datetime | None = None,
    to_position: int | None = None,
    occurred_before: str | date | None = None,
    keys: str | None = None,
    workers: int | None = None,
    engine: str | Engine = POOL,
    master: str | None = None,
    force: bool = False,
) -> ReplayReport:
    """Folds the sealed log at a place, as far as the limits go, into Parquet files of a folder.

    `keys` is the URL of a database that has them, or the file of a backup; without, personal fields are withheld.
    `engine` is one by its name, or whatever folds the parts. See `writing_rows` for what becomes of what stands in the
    folder.
    """
    limits = limits_met(as_of, to_position, occurred_before)
    wanted, processes = chosen(contexts), workers or site.settings.workers
    folds = _engine(engine, processes, master)
    with site.prepare_workers(processes if engine == POOL else 1):
        whole = open_sealed_log(place)
        log = limited(whole, limits)
        found = None if keys is None else keys_from(site, keys, whole)
        with writing_rows(folder, replaces=force) as output:
            noted = note_coming(site, found, output, wanted, whole)
            job = Job(log, wanted, limits, None if found is None else found.keys)
            site.tell(_DOING, 0, 0)
            with span(Work.REPLAY, ends=Happening.REPLAY_DONE, position=log.position):
                manifest = fold_again(job, output, folds, partial(site.tell, _DOING))
        note_done(site, noted)
    return ReplayReport(folder, manifest)


def _engine(named: str | Engine, processes: int, master: str | None) -> Engine:
    if named == SPARK:
        from replayhouse.infra.replaying.spark import Spark

        return Spark(master or HERE)
    if master is not None:
        raise UsageError(f"A master is Spark's: say --engine {SPARK} with it.")
    if named == POOL:
        return Pool(processes)
    if isinstance(named, str):
        raise UsageError(f"There is no engine '{named}': there are {POOL} and {SPARK}.")
    return named


def limits_met(as_of: str | datetime | None, to_position: int | None, occurred_before: str | date | None) -> LimitsMet:
    """The limits as a manifest tells them. Raises UsageError for what is none."""
    limits = limits_of(as_of, to_position, occurred_before)
    return LimitsMet(limits.position, limits.as_of, limits.occurred_before)


def limited(log: SealedLog, limits: LimitsMet) -> SealedLog:
    """The log up to the lower of both positions. Raises UsageError for one beyond its end."""
    position = log.position
    if limits.to_position is not None:
        if limits.to_position > position:
            raise UsageError(
                f"{log.place} is sealed up to position {position:,}, and {limits.to_position:,} is asked for: seal "
                "what came since (replayhouse log seal)."
            )
        position = limits.to_position
    if limits.as_of is not None:
        position = min(position, log.position_at(limits.as_of))
    return log.up_to(position)
