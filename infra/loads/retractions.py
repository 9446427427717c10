"""The loads that may be taken back, and the retractions so far, as the write side keeps them."""

from typing import NamedTuple
from uuid import UUID

import psycopg

from replayhouse.infra.event_store.sources_told import BUILT_IN
from replayhouse.infra.loads.batches import Loads
from replayhouse.infra.runtime.errors import Conflicting, UsageError
from replayhouse.ingest.retract import Retraction, retraction_id_of

LOADS_NAMED = 10
"""So many loads are named where one was asked for that does not exist."""

_LOADS = """
SELECT batch_id, name, status
FROM event_store.batch
WHERE kind = 'load'
ORDER BY batch_seq DESC
"""

_LOADS_OF = """
SELECT batch_id, name, status
FROM event_store.batch
WHERE kind = 'load' AND coalesce(source ->> 'name', %s) = %s
ORDER BY batch_seq DESC
"""

# What a later load of another source says of the same thing was recorded as far as it differed.
_STANDING_ON = """
SELECT b.batch_id, b.name, b.status
FROM event_store.batch AS b
WHERE b.kind = 'load' AND b.status NOT IN ('rejected', 'retracted') AND b.batch_id <> ALL(%(loads)s) AND EXISTS (
    SELECT FROM event_store.row_fingerprint AS said
    JOIN event_store.row_fingerprint AS told USING (file, key)
    JOIN event_store.batch AS before ON before.batch_seq = told.batch_seq
    WHERE said.batch_seq = b.batch_seq AND told.batch_seq < b.batch_seq AND before.batch_id = ANY(%(chosen)s)
)
ORDER BY b.batch_seq DESC
"""

_TOLD = """
SELECT r.load_id, r.reason, r.retracted_by, b.opened_at
FROM event_store.retraction AS r
JOIN event_store.batch AS b USING (batch_id)
WHERE r.load_id = %s
"""

_LEAVE = "UPDATE event_store.batch SET status = 'retracting', owner = NULL WHERE batch_id = %s AND status = %s"

_BEGIN = """
WITH begun AS (
    INSERT INTO event_store.batch (batch_id, kind, name, status, opened_at, files, attempt, units, owner)
    VALUES (%(batch)s, 'retraction', %(name)s, 'open', %(at)s, '{}', 0, '{}', %(owner)s)
)
INSERT INTO event_store.retraction (batch_id, load_id, reason, retracted_by)
VALUES (%(batch)s, %(load)s, %(reason)s, %(by)s)
"""

_TAKE_OVER = "UPDATE event_store.batch SET owner = %s WHERE batch_id = %s AND status = 'open'"

_REJECT = """
UPDATE event_store.batch
SET status = 'rejected', completed_at = clock_timestamp(), owner = NULL
WHERE batch_id = %s AND status = 'open'
"""

_FINISHED = """
SELECT outcome -> 'events', (SELECT coalesce(max(last_position), 0) FROM event_store.commit WHERE batch_id = b.batch_id)
FROM event_store.batch AS b
WHERE batch_id = %s
"""


class LoadStatus(NamedTuple):
    """A load in the list of loads: open, rejected, completed, retracting or retracted."""

    batch_id: UUID
    name: str
    status: str

    def __str__(self) -> str:
        return f"{self.batch_id} ({self.name})"


class FinishedRetraction(NamedTuple):
    """A load that was taken back: how many of its events count no longer, and where its retraction ends in the log."""

    load: LoadStatus
    told: Retraction
    events: dict[str, int]
    position: int


class Retractions:
    """The table of loads, as taking them back sees it. The caller holds the lock of ingest."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection
        self._loads = Loads(connection)

    def chosen(self, batch_id: UUID, *, cascade: bool) -> list[LoadStatus]:
        """The loads to take back, the newest first and the one that is asked for last.

        Raises UsageError where that one does not exist, or there is nothing to take back of it; Conflicting where
        later loads stand on it and `cascade` is not given, or where another retraction must be finished before.
        """
        loads = self._all()
        asked = _found(batch_id, loads)
        if asked.status == "rejected":
            raise UsageError(f"The load {asked} was rejected: nothing of it counts, so there is nothing to take back.")
        if asked.status == "retracted":
            raise UsageError(self._told_already(asked))
        later = [load for load in loads[: loads.index(asked)] if load.status not in ("rejected", "retracted")]
        if cascade:
            return [*later, asked]
        if in_the_way := self._standing_on(asked, later):
            told = ", ".join(map(str, in_the_way))
            raise Conflicting(
                f"Later loads stand on the load {asked}: {told}. Take these back before it, the newest first, or all "
                "of them with --cascade."
            )
        return [asked]

    def _standing_on(self, asked: LoadStatus, later: list[LoadStatus]) -> list[LoadStatus]:
        """Of later loads those of the same source, or that tell of the same things; and what is not finished."""
        if not later:
            return []
        own = {load.batch_id for load in self.of_source(self._loads.source_of(asked.batch_id) or BUILT_IN)}
        others = {"loads": list(own), "chosen": [asked.batch_id]}
        standing = own | {batch_id for batch_id, _, _ in self._connection.execute(_STANDING_ON, others)}
        return [load for load in later if load.batch_id in standing or load.status != "completed"]

    def chosen_of(self, source: str) -> list[LoadStatus]:
        """The loads of a source that are to be taken back, the newest first.

        Raises UsageError where none of them counts any more; Conflicting where a load of another source is open, or
        half taken back, or stands on them.
        """
        loads = self.of_source(source)
        under_way = self._loads.under_way()
        if under_way is not None and under_way.batch_id not in {load.batch_id for load in loads}:
            raise Conflicting(under_way.way_out())
        chosen = [load for load in loads if load.status not in ("rejected", "retracted")]
        if not chosen:
            raise UsageError(f"No load of {source} counts any more: there is nothing to take back.")
        others = {"loads": [load.batch_id for load in loads], "chosen": [load.batch_id for load in chosen]}
        if standing := [str(LoadStatus(*row)) for row in self._connection.execute(_STANDING_ON, others)]:
            raise Conflicting(
                f"Later loads of other sources tell of the same things as those of {source}, such as areas or "
                f"categories, and stand on them: {', '.join(standing)}. Take these back before."
            )
        return chosen

    def of_source(self, source: str) -> list[LoadStatus]:
        """All loads of a source, the newest first."""
        return [LoadStatus(*row) for row in self._connection.execute(_LOADS_OF, [BUILT_IN, source])]

    def finished(self, batch_id: UUID) -> FinishedRetraction | None:
        """How a load was taken back; None if it is not, or not yet. Raises UsageError where there is no such load."""
        asked = _found(batch_id, self._all())
        if asked.status != "retracted":
            return None
        row = self._connection.execute(_FINISHED, [retraction_id_of(batch_id)]).fetchone()
        assert row is not None, "nothing else makes a load retracted"
        told = self.told(batch_id)
        assert told is not None, "a retraction that is finished was begun"
        return FinishedRetraction(asked, told, *row)

    def told(self, load_id: UUID) -> Retraction | None:
        """How a load was taken back, or is about to be; None if it is not."""
        row = self._connection.execute(_TOLD, [load_id]).fetchone()
        return Retraction(*row) if row is not None else None

    def begin(self, load: LoadStatus, retraction: Retraction, owner: UUID) -> None:
        """From now on the load is being taken back, and no process may go on with it."""
        parameters = {
            "batch": retraction_id_of(load.batch_id),
            "name": f"retraction of {load.name}",
            "load": load.batch_id,
            "reason": retraction.reason,
            "by": retraction.by,
            "at": retraction.at,
            "owner": owner,
        }
        with self._connection.transaction():
            if self._connection.execute(_LEAVE, [load.batch_id, load.status]).rowcount != 1:
                raise Conflicting(f"Another process has changed the load {load} meanwhile: try again.")
            self._connection.execute(_BEGIN, parameters)

    def take_over(self, load_id: UUID, owner: UUID) -> None:
        """An unfinished retraction is this process' from now on; what is left of an earlier one ends."""
        self._connection.execute(_TAKE_OVER, (owner, retraction_id_of(load_id)))

    def reject(self, load_id: UUID) -> None:
        """Closes an open load whose rejection was told, but not written down, before its process was killed."""
        self._connection.execute(_REJECT, [load_id])

    def _all(self) -> list[LoadStatus]:
        """All loads, the newest first."""
        return [LoadStatus(*row) for row in self._connection.execute(_LOADS)]

    def _told_already(self, load: LoadStatus) -> str:
        told = self.told(load.batch_id)
        assert told is not None, "nothing else makes a load retracted"
        return f"The load {load} was taken back already, on {told.at:%Y-%m-%d} by {told.by}: {told.reason}"


def _found(batch_id: UUID, loads: list[LoadStatus]) -> LoadStatus:
    asked = next((load for load in loads if load.batch_id == batch_id), None)
    if asked is None:
        raise UsageError(_unknown(batch_id, loads))
    return asked


def _unknown(batch_id: UUID, loads: list[LoadStatus]) -> str:
    if not loads:
        return f"There is no load {batch_id}, nor any other yet."
    told = ", ".join(f"{load} {load.status}" for load in loads[:LOADS_NAMED])
    more = f", and {len(loads) - LOADS_NAMED:,} older ones" if len(loads) > LOADS_NAMED else ""
    return f"There is no load {batch_id}. There are, the newest first: {told}{more}."
