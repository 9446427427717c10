"""The loads so far, as the write side keeps them: which files, which is open, and who works on it."""

import json
import socket
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, cast
from uuid import UUID

import psycopg

from replayhouse.infra.runtime.errors import Conflicting

OPEN = """
SELECT batch_seq, batch_id, name, files, opened_at, as_of, units, outcome
FROM event_store.batch
WHERE kind = 'load' AND status = 'open'
ORDER BY batch_seq DESC
LIMIT 1
"""

NEWEST = """
SELECT batch_seq, batch_id, name, files, opened_at, as_of, units, outcome
FROM event_store.batch
WHERE kind = 'load' AND status = 'completed' AND source ->> 'name' IS NOT DISTINCT FROM %s
ORDER BY batch_seq DESC
LIMIT 1
"""

LOADED_BEFORE = """
SELECT batch_seq, batch_id, name, files, opened_at, as_of, units, outcome
FROM event_store.batch
WHERE kind = 'load' AND status = 'completed' AND files = %s
ORDER BY batch_seq DESC
LIMIT 1
"""

BEGIN = """
INSERT INTO event_store.batch (batch_id, name, status, opened_at, files, attempt, as_of, units, owner, origin, source)
VALUES (%s, %s, 'open', %s, %s, %s, %s, %s, %s, %s, %s)
RETURNING batch_seq
"""

TAKE_OVER = "UPDATE event_store.batch SET owner = %s, origin = %s WHERE batch_id = %s AND status = 'open'"

FINISH = """
UPDATE event_store.batch
SET status = %s, outcome = %s, completed_at = clock_timestamp(), owner = NULL
WHERE batch_id = %s AND owner = %s AND status = 'open'
"""

FILES_LOADED = """
SELECT DISTINCT jsonb_object_keys(files)
FROM event_store.batch
WHERE kind = 'load' AND status = 'completed' AND source ->> 'name' IS NOT DISTINCT FROM %s
"""

EVENTS = "SELECT events FROM event_store.batch_progress WHERE batch_id = %s"

DECIDE = """
INSERT INTO event_store.batch
    (batch_id, name, status, kind, opened_at, completed_at, files, attempt, as_of, units, source)
SELECT %s, %s, 'completed', 'decision', clock_timestamp(), clock_timestamp(), '{}', 0, %s, '{}', (
    SELECT source FROM event_store.batch WHERE batch_id = %s
)
RETURNING batch_seq
"""

UNDER_WAY = """
SELECT batch_id, name, status, origin, source ->> 'name'
FROM event_store.batch
WHERE kind = 'load' AND status IN ('open', 'retracting')
ORDER BY batch_seq DESC
LIMIT 1
"""

DISOWN = "UPDATE event_store.batch SET owner = NULL WHERE status = 'open'"

NOTE_RUN = "UPDATE event_store.batch SET run_by = %s, run_on = %s, program = %s WHERE batch_id = %s"

SOURCE_OF = "SELECT source ->> 'name' FROM event_store.batch WHERE batch_id = %s"

NEXT_SEQ = "SELECT coalesce(max(batch_seq), 0) + 1 FROM event_store.batch"


class Load(NamedTuple):
    """A load as the write side knows it. `files` maps short names to SHA-256, `units` are first buckets."""

    batch_seq: int
    batch_id: UUID
    name: str
    files: dict[str, str]
    opened_at: datetime
    as_of: date | None
    units: list[int]
    outcome: dict[str, Any] | None


class UnderWay(NamedTuple):
    """A load that is open, or half taken back (`status` is retracting), of an extract that was at `origin`.

    `source` is the name of the mapping that made its records, if one did.
    """

    batch_id: UUID
    name: str
    status: str
    origin: str | None
    source: str | None

    def way_out(self) -> str:
        """What a command says that cannot be done until this is finished: what is under way, and how it ends."""
        taking_back = f"replayhouse retract {self.batch_id} --reason TEXT"
        if self.status == "open":
            by = f", by the mapping {self.source}" if self.source is not None else ""
            place = f" ({self.origin}{by})" if self.origin is not None else ""
            return (
                f"The load {self.batch_id} ({self.name}) is open: ingest its files again{place} to finish it, or take "
                f"it back with {taking_back}. Then this again."
            )
        return (
            f"The load {self.batch_id} ({self.name}) is being taken back, and that is not finished: run {taking_back} "
            "to finish it, then this again."
        )


class Loads:
    """The table of loads. The caller holds the lock of ingest, so that nobody else opens one."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self._connection = connection

    def newest_completed(self, source: str | None) -> Load | None:
        """The newest load of a source (None: of the nine files) that is done and was not taken back."""
        row = self._connection.execute(NEWEST, (source,)).fetchone()
        return Load(*row) if row is not None else None

    def open_load(self) -> Load | None:
        """The load that is under way, if there is one."""
        row = self._connection.execute(OPEN).fetchone()
        return Load(*row) if row is not None else None

    def source_of(self, batch_id: UUID) -> str | None:
        """The name of the source of a load; None of one of the nine files."""
        row = self._connection.execute(SOURCE_OF, (batch_id,)).fetchone()
        return row[0] if row is not None else None

    def under_way(self) -> "UnderWay | None":
        """The load that is open, or half taken back, if there is one."""
        row = self._connection.execute(UNDER_WAY).fetchone()
        return UnderWay(*row) if row is not None else None

    def loaded_before(self, files: Mapping[str, str]) -> Load | None:
        """The newest load of these very files that is done and was not taken back."""
        row = self._connection.execute(LOADED_BEFORE, (json.dumps(dict(files)),)).fetchone()
        return Load(*row) if row is not None else None

    def attempts(self, files: Mapping[str, str]) -> int:
        """How many loads there were of these very files."""
        counted = self._connection.execute(
            "SELECT count(*) FROM event_store.batch WHERE kind = 'load' AND files = %s", (json.dumps(dict(files)),)
        ).fetchone()
        return int(counted[0]) if counted else 0

    def files_loaded(self, source: str | None) -> set[str]:
        """Short names of the files that some load of a source, done and not taken back, has brought."""
        return {file for (file,) in self._connection.execute(FILES_LOADED, (source,))}

    def next_seq(self) -> int:
        """The number after that of the newest load: all loads so far are before it."""
        row = self._connection.execute(NEXT_SEQ).fetchone()
        return int(row[0]) if row else 1

    def has_any_before(self, batch_seq: int) -> bool:
        """Whether an earlier load may have appended events of any context but quality."""
        found = self._connection.execute(
            "SELECT 1 FROM event_store.batch WHERE batch_seq < %s AND status <> 'rejected' LIMIT 1", (batch_seq,)
        )
        return found.fetchone() is not None

    def begin(
        self,
        batch_id: UUID,
        name: str,
        files: Mapping[str, str],
        attempt: int,
        as_of: date | None,
        units: Iterable[int],
        owner: UUID,
        opened_at: datetime,
        origin: Path,
        source: Mapping[str, Any] | None = None,
    ) -> int:
        """Opens a load of the extract at `origin`, an absolute path; returns its number.

        `source` tells of the mapping that made its records, if one did.
        """
        hashes = json.dumps(dict(files))
        values = (batch_id, name, opened_at, hashes, attempt, as_of, list(units), owner, _storable(origin))
        told = None if source is None else json.dumps(source)
        row = self._connection.execute(BEGIN, (*values, told)).fetchone()
        assert row is not None, "INSERT ... RETURNING gives a row"
        return int(row[0])

    def decide(self, batch_id: UUID, name: str, as_of: date | None, load_id: UUID) -> int:
        """Notes a person's decision on what a load brought, as a batch of its own that is done at once.

        Returns its number, for what later loads look up. It is of the load's source.
        """
        [(batch_seq,)] = self._connection.execute(DECIDE, (batch_id, name, as_of, load_id)).fetchall()
        return int(batch_seq)

    def refuse_while_under_way(self) -> None:
        """Raises Conflicting if a load is open, or half taken back: what of it will count nobody can tell yet."""
        found = self.under_way()
        if found is not None:
            raise Conflicting(found.way_out())

    def disown(self) -> None:
        """What is left of a killed load or retraction ends at its next chunk; a chunk at work is waited for."""
        self._connection.execute(DISOWN)

    def take_over(self, batch_id: UUID, owner: UUID, origin: Path) -> None:
        """The load is this process' from now on; what is left of an earlier one ends at its next chunk.

        Its files may stand elsewhere by now: at `origin`.
        """
        self._connection.execute(TAKE_OVER, (owner, _storable(origin), batch_id))

    def note_run(self, batch_id: UUID, by: str) -> None:
        """Writes down who runs a batch now, and that it is this program on this machine."""
        self._connection.execute(NOTE_RUN, (by, socket.gethostname(), version("replayhouse"), batch_id))

    def finish(self, batch_id: UUID, owner: UUID, status: str, outcome: Mapping[str, object]) -> None:
        """Closes a load as completed or rejected. Raises Conflicting if somebody else has taken it over."""
        done = self._connection.execute(FINISH, (status, json.dumps(outcome), batch_id, owner))
        if done.rowcount != 1:
            raise Conflicting(f"another process has taken over the load {batch_id}: this one ends here")

    def events_of(self, batch_id: UUID) -> Counter[str]:
        """How many events a load has appended so far, by context."""
        events: Counter[str] = Counter()
        for (counts,) in self._connection.execute(EVENTS, (batch_id,)):
            events.update(counts)
        return events


def time_of(connection: psycopg.Connection) -> datetime:
    """The time by the server's clock, which all who load go by, in UTC."""
    [(now,)] = connection.execute("SELECT clock_timestamp()").fetchall()
    return cast(datetime, now).astimezone(UTC)


def _storable(origin: Path) -> str | None:
    """The path as text; None of one whose bytes are no text, which no column can hold."""
    text = str(origin)
    try:
        text.encode()
    except UnicodeEncodeError:
        return None
    return text
