"""Taking the newest loads back: what they brought counts no longer, and the read models follow."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import psycopg

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.quality.batch import batch_of
from replayhouse.infra.application.project import catch_up_all
from replayhouse.infra.application.rows_shown import note_rows
from replayhouse.infra.application.site import Site
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.loads.batches import Loads, time_of
from replayhouse.infra.loads.names import load_named
from replayhouse.infra.loads.retraction_log import PostgresRetractionLog, refuse_decided
from replayhouse.infra.loads.retraction_preview import Change, RetractionPlan, TableChanges, summarised
from replayhouse.infra.loads.retractions import FinishedRetraction, LoadStatus, Retractions
from replayhouse.infra.loads.source_names import known_source
from replayhouse.infra.loads.touched_streams import Decided, TouchedStreams
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.infra.read_models.checkpoints import projected
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.given_texts import recordable
from replayhouse.infra.runtime.telling import Tell
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.infra.telemetry.spans import Work, span
from replayhouse.ingest.retract import Retraction, retraction_id_of, take_back
from replayhouse.projections.projection import Row


@dataclass(frozen=True)
class TakenBack:
    """What became of one load. `events` of it count no longer, by context; `status` is retracted, rejected or planned.

    Of a load that was killed before its rejection was written down `status` is rejected: it is closed, no more.
    `decisions` are those of people that were recorded while it was open or half taken back, as earlier versions let
    them, and that count no longer either.
    """

    load: LoadStatus
    status: str
    reason: str | None
    by: str
    events: Mapping[str, int]
    decisions: Sequence[Decided] = ()

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "batch": self.load.batch_id,
            "name": self.load.name,
            "status": self.status,
            "reason": self.reason,
            "by": self.by,
            "events": self.events,
        }


@dataclass(frozen=True)
class RetractReport:
    """What `retract` answers: what became of each load, the newest first, and the head of the log.

    `tables`, of a plan only, tells what would change in each table of the star schema; `is_cascade`, that later loads
    were to be taken back, too; `source`, that all loads of a source were to be.
    """

    loads: list[TakenBack]
    position: int
    chain: str
    tables: Mapping[str, TableChanges] = field(default_factory=dict)
    is_cascade: bool = False
    source: str | None = None

    @property
    def asked(self) -> TakenBack:
        """The load that was asked for."""
        return self.loads[-1]

    @property
    def decisions(self) -> list[Decided]:
        """What people had decided that counts no longer, of all loads together."""
        return [decided for load in self.loads for decided in load.decisions]

    @property
    def events(self) -> dict[str, int]:
        """How many events count no longer, by context, of all loads together."""
        total = Counter[str]()
        for load in self.loads:
            total.update(load.events)
        return {context: total[context] for context in CONTEXTS}

    def document(self) -> dict[str, Any]:
        """As JSON shows it: the load that was asked for, with `events` of all together; `batches` of a cascade.

        Of a source its name, in the place of a load's id and name, and `batches`.

        `decisions` only where some were made on a load that was open or half taken back.
        """
        asked = self.asked.document()
        if self.source is not None:
            asked = {"source": self.source, **{name: asked[name] for name in ("status", "reason", "by")}}
        are_several = self.is_cascade or self.source is not None
        return {
            **asked,
            "events": self.events,
            **({"batches": [load.document() for load in self.loads]} if are_several else {}),
            **({"decisions": [decided._asdict() for decided in self.decisions]} if self.decisions else {}),
            **({"tables": {name: told.document() for name, told in self.tables.items()}} if self.tables else {}),
            "position": self.position,
            "chain": self.chain,
        }


def retract(
    site: Site, batch: str | None, reason: str | None, *, source: str | None = None, cascade: bool, dry_run: bool
) -> RetractReport:
    """Takes back the load with that id or name, and catches the read models up; or tells what would change.

    With `source` in the place of a load, all loads of that source, the newest first. Raises UsageError where there is
    no such load, or none of the source, or no reason for what is not only planned; and what `run` does.
    """
    if (batch is None) == (source is None) or (source is not None and cascade):
        raise UsageError(
            "Say which load is taken back, perhaps with --cascade, or with --source of which source all loads are."
        )
    why = _read_reason(reason, is_needed=not dry_run)
    wanted: _OfLoad | _OfSource
    with site.database.connect("replayhouse retract") as connection:
        if source is not None:
            wanted = _OfSource(known_source(connection, source))
        else:
            wanted = _OfLoad(load_named(connection, batch or ""), cascade)
    retraction = _Retract(site.database, site.settings.actor, site.tell)
    if dry_run:
        plan = retraction.plan(wanted, why)
        for name, told in plan.tables.items():
            if told.examples:
                note_rows(site, "retract --dry-run", "what would change in", name, map(_key_of, told.examples))
        return replace(plan, is_cascade=cascade, source=source)
    report = retraction.run(wanted, why)
    catch_up_all(site)
    return replace(report, is_cascade=cascade, source=source)


def _key_of(change: Change) -> Row:
    row = change.before or change.after or ()
    return row[: change.keys]


def _read_reason(reason: str | None, *, is_needed: bool) -> str:
    """The reason, which must say something; of a plan there need be none. Raises UsageError."""
    if reason is None and not is_needed:
        return ""
    if reason is None or not reason.strip():
        raise UsageError("Say why the load is taken back: --reason TEXT. It is recorded with the retraction.")
    return recordable(reason)


class _OfLoad(NamedTuple):
    """A load to take back, with `cascade` all later ones before it."""

    batch_id: UUID
    cascade: bool

    def chosen(self, retractions: Retractions) -> list[LoadStatus]:
        """What there is to take back, the newest first."""
        return retractions.chosen(self.batch_id, cascade=self.cascade)

    def finished(self, retractions: Retractions) -> list[FinishedRetraction]:
        """What is taken back already, where nothing is left to be."""
        found = retractions.finished(self.batch_id)
        return [] if found is None else [found]


class _OfSource(NamedTuple):
    """All loads of a source to take back."""

    source: str

    def chosen(self, retractions: Retractions) -> list[LoadStatus]:
        """The same."""
        return retractions.chosen_of(self.source)

    def finished(self, retractions: Retractions) -> list[FinishedRetraction]:
        """The same."""
        loads = [load for load in retractions.of_source(self.source) if load.status != "rejected"]
        found = [retractions.finished(load.batch_id) for load in loads]
        return [one for one in found if one is not None] if None not in found else []


@dataclass
class _Retract:
    """One run, by a person."""

    database: Database
    by: str
    tell: Tell
    _store: EventStore = field(default_factory=EventStore)

    def run(self, wanted: _OfLoad | _OfSource, reason: str) -> RetractReport:
        """Takes back what is wanted, or goes on where a killed process has ended.

        The last step, the caller's, is to catch the read models up: a load that was taken back, but is shown still,
        is told once more.

        Raises UsageError where there is no such load, or nothing to take back of it. Raises Conflicting while another
        process ingests or retracts, where later loads stand on it that were not meant, and where a decision of a
        person does; nothing is taken back then. What is open or half taken back no decision keeps from ending.
        """
        with self._alone() as connection:
            retractions = Retractions(connection)
            if shown_still := self._shown_still(connection, retractions, wanted):
                return self._report(connection, shown_still)
            loads = self._chosen(connection, wanted)
            return self._report(connection, [self._take_back(connection, retractions, load, reason) for load in loads])

    def plan(self, wanted: _OfLoad | _OfSource, reason: str) -> RetractReport:
        """What `run` would do, and what it would change in the read models, which are caught up for that.

        Appends nothing. Raises what `run` does.
        """
        with self._alone() as connection:
            loads = self._chosen(connection, wanted)
            touched, now = TouchedStreams(connection), time_of(connection)
            planned = []
            for load in loads:
                touched.find([load.batch_id])
                planned.append(TakenBack(load, "planned", reason or None, self.by, touched.events()))
            self.tell("catching the read models up", 0, 0)
            catch_up(self.database)
            self.tell("folding what the load has touched", 0, 0)
            retractions = [Retraction(load.batch_id, reason, self.by, now) for load in loads]
            tables = summarised(RetractionPlan(connection, retractions).changes())
            return replace(self._report(connection, planned), tables=tables)

    @contextmanager
    def _alone(self) -> Iterator[psycopg.Connection]:
        with (
            self.database.connect("replayhouse retract", autocommit=True) as connection,
            exclusive(connection, "ingest"),
        ):
            yield connection

    def _shown_still(
        self, connection: psycopg.Connection, retractions: Retractions, wanted: _OfLoad | _OfSource
    ) -> list[TakenBack]:
        """What was taken back already, where that is all that is wanted, and is not shown yet."""
        shown, touched = _is_shown_up_to(connection), TouchedStreams(connection)
        found = []
        for load, told, events, position in wanted.finished(retractions):
            if shown < position:
                touched.find([load.batch_id])
                dropped = touched.dropped(retraction_id_of(load.batch_id))
                found.append(TakenBack(load, "retracted", told.reason, told.by, events, dropped))
        return found

    def _chosen(self, connection: psycopg.Connection, wanted: _OfLoad | _OfSource) -> list[LoadStatus]:
        """The loads to take back, the newest first; no person has decided on what they brought.

        Nobody decides while a load is open or half taken back. Earlier versions let them: such a decision is in the way
        of nothing, or nothing could ever be loaded again. It could be made on what would not stay.
        """
        loads = wanted.chosen(Retractions(connection))
        self.tell("looking at what the load has touched", 0, 0)
        touched = TouchedStreams(connection)
        for load in loads:
            if load.status == "completed":
                touched.find([load.batch_id])
                refuse_decided(str(load), touched.decided())
        return loads

    def _report(self, connection: psycopg.Connection, taken: list[TakenBack]) -> RetractReport:
        head = self._store.head(connection)
        return RetractReport(taken, head.position, head.chain.hex())

    def _take_back(
        self, connection: psycopg.Connection, retractions: Retractions, load: LoadStatus, reason: str
    ) -> TakenBack:
        if load.status == "open" and self._was_rejected(connection, load.batch_id):
            retractions.reject(load.batch_id)
            return TakenBack(load, "rejected", reason, self.by, dict.fromkeys(CONTEXTS, 0))
        owner = uuid4()
        told = retractions.told(load.batch_id)
        goes_on = told is not None
        if told is None:
            told = Retraction(load.batch_id, reason, self.by, time_of(connection))
            retractions.begin(load, told, owner)
        else:
            retractions.take_over(load.batch_id, owner)
        happened(Happening.RETRACTION_BEGUN, load=load.batch_id, goes_on=goes_on)
        Loads(connection).note_run(retraction_id_of(load.batch_id), self.by)
        log = PostgresRetractionLog(connection, self._store, load.batch_id, owner)
        streams, done = log.streams_touched(), 0

        def count(rewound: int) -> None:
            nonlocal done
            done += rewound
            self.tell("rewinding", done, streams)

        self.tell("rewinding", done, streams)
        with span(Work.RETRACTION, ends=Happening.RETRACTION_ENDED, load=load.batch_id, streams=streams) as taken:
            events = take_back(log, told, count)
            taken.tell(events=sum(events.values()))
        dropped = log.dropped() if load.status != "completed" else []
        return TakenBack(load, "retracted", told.reason, told.by, events, dropped)

    def _was_rejected(self, connection: psycopg.Connection, load_id: UUID) -> bool:
        stream = self._store.streams(connection, "quality", [load_id]).get(load_id)
        return stream is not None and batch_of(stream.effective_events).status == "rejected"


def _is_shown_up_to(connection: psycopg.Connection) -> int:
    """The position up to which all read models show the log; 0 while one of them is missing."""
    known = [projected(connection, context) for context in CONTEXTS]
    return min(one.position if one is not None else 0 for one in known)
