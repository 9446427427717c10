"""Decisions of people on records that were kept apart: who decides, on which row, and what came of it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.quality.row import BY_LOAD, NEW_ROW, QuarantinedRow, row_of
from replayhouse.infra.application.project import catch_up_all
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.kinds import HistoryKind
from replayhouse.infra.audit.named_streams import stream_named
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.loads.batches import Loads
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.short_ids import IdStart
from replayhouse.ingest.decision import Decision, Known


class Decided(NamedTuple):
    """What came of a decision. `events` by context, all five; `position` and `chain` are of the log's new head.

    `status` is what the row is now: released or discarded. `is_corrected`: of a row that was let in, whether with
    another text than it had.
    """

    row_id: UUID
    row: QuarantinedRow
    status: str
    events: Mapping[str, int]
    position: int
    chain: str
    is_corrected: bool | None = None

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "row": self.row_id,
            "file": self.row.file,
            "line": self.row.line,
            "status": self.status,
            "events": self.events,
            "position": self.position,
            "chain": self.chain,
            **({"corrected": self.is_corrected} if self.is_corrected is not None else {}),
        }


def row_named(site: Site, start: IdStart) -> UUID:
    """The row whose id begins so. Raises UsageError where there is none, or several are."""
    if start.is_whole:
        return start.first
    with site.database.connect("replayhouse quality") as connection:
        return stream_named(connection, HistoryKind.ROW, start)


@contextmanager
def caught_up(site: Site) -> Iterator[None]:
    """Catches the read models up after the block, also where the row was decided on before: by a command, it may be,
    that was killed before it came to that.
    """
    try:
        yield
    except UsageError:
        catch_up_all(site)
        raise
    catch_up_all(site)


@contextmanager
def deciding(site: Site) -> Iterator[psycopg.Connection]:
    """A connection of somebody who decides. Raises Conflicting while a load is at work, open or half taken back."""
    with (
        site.database.connect("replayhouse quality", autocommit=True) as connection,
        exclusive(connection, "ingest"),
    ):
        Loads(connection).refuse_while_under_way()
        yield connection


def decider(site: Site) -> str:
    """Who decides. Raises UsageError for a name that in the log means something else."""
    if site.settings.actor == BY_LOAD:
        raise UsageError(f"REPLAYHOUSE_ACTOR is '{BY_LOAD}', which in the log means a load: give another name.")
    return site.settings.actor


def quarantined(connection: psycopg.Connection, row_id: UUID) -> tuple[QuarantinedRow, Known]:
    """The row, with its stream. Raises UsageError if there is none, or it was decided on."""
    found = EventStore().streams(connection, "quality", [row_id])
    row = row_of(found[row_id].effective_events) if row_id in found else NEW_ROW
    if not row.was_quarantined:
        raise UsageError(f"There is no quarantined row {row_id}: replayhouse quality quarantine lists them.")
    if row.status != "quarantined":
        raise UsageError(
            f"The row {row_id} ({row.file}:{row.line}) is {row.status} already, by {row.by} ({row.why}); "
            "only a quarantined row is decided on."
        )
    return row, Known({"quality": found})


def counted(decisions: Sequence[Decision]) -> dict[str, int]:
    """How many events they are, by context."""
    return {context: sum(decision.context == context for decision in decisions) for context in CONTEXTS}
