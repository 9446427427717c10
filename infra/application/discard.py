"""Giving up a record that was kept apart: it stays in the list, as discarded."""

from replayhouse.domain.quality.row import discard as give_up
from replayhouse.infra.application.decisions import (
    Decided,
    caught_up,
    counted,
    decider,
    deciding,
    quarantined,
    row_named,
)
from replayhouse.infra.application.site import Site
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.loads.batches import time_of
from replayhouse.infra.loads.load_log import recorded_of
from replayhouse.infra.runtime.given_texts import read_reason
from replayhouse.infra.runtime.short_ids import read_id_start
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.ingest.decision import Decision


def discard(site: Site, row: str, reason: str) -> Decided:
    """Gives up the row whose id is, or begins, so, and catches the read models up.

    Raises UsageError if there is no such row, or it is not quarantined; Conflicting while a load is at work, open or
    half taken back: the row may be gone with it.
    """
    start, why = read_id_start(row), read_reason(reason)
    row_id = row_named(site, start)
    with caught_up(site), deciding(site) as connection:
        found, known = quarantined(connection, row_id)
        discarded = give_up(found, decider(site), why, time_of(connection))
        decisions = [Decision("quality", row_id, event, None) for event in discarded]
        head = EventStore().append(connection, list(recorded_of(decisions, known)), None)
        happened(Happening.ROW_DISCARDED, position=head.position)
        return Decided(row_id, found, "discarded", counted(decisions), head.position, head.chain.hex())
