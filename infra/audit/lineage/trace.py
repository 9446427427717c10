"""What made a row of the star schema: the events of its stream, what each did to it, and the lines that they name."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from replayhouse.infra.audit.history import HistoricEvent, history_of_stream
from replayhouse.infra.audit.lineage.effects import Effect, effects_on
from replayhouse.infra.audit.lineage.rows import NamedRow, TracedRow, find_row
from replayhouse.infra.audit.lineage.sources import Quoted, Sources, released_row
from replayhouse.infra.event_store.store import EventStore


class TracedEvent(NamedTuple):
    """An event of the row's stream, what it did to the row, and the lines that it names."""

    event: HistoricEvent
    effect: Effect
    quoted: list[Quoted]

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            **self.event.document(),
            "effect": self.effect.what,
            "columns": self.effect.columns,
            "lines": [quoted.document() for quoted in self.quoted],
        }


@dataclass(frozen=True)
class RowLineage:
    """A row, and the events that its table shows of its stream; none where it has no stream."""

    row: TracedRow
    events: list[TracedEvent]

    @property
    def beside(self) -> list[tuple[str, str]]:
        """Rows that have to do with this one, as tables and keys: what gave a view its other columns, and quarantined
        rows that were let in.
        """
        traced = self.events if self.row.name != "quality.quarantine" else []
        released = (released_row(event.source) for event, _, _ in traced)
        let_in = dict.fromkeys(("quality.quarantine", str(one)) for one in released if one is not None)
        return [*self.row.beside, *let_in]

    def document(self) -> dict[str, Any]:
        """As JSON shows it."""
        return {
            "table": self.row.name,
            "key": self.row.key,
            "row": self.row.row,
            "stream": self.row.stream,
            "note": self.row.note,
            "beside": [{"table": table, "key": key} for table, key in self.beside],
            "events": [event.document() for event in self.events],
        }


def trace_row(
    conn: psycopg.Connection,
    folding: psycopg.Connection,
    named: NamedRow,
    limit: int,
    instead: Path | None = None,
    *,
    reveals: bool = True,
) -> RowLineage:
    """What made a row; `conn` is in autocommit, and so is `folding`, on which the row's stream is read with its keys.

    `limit` lines of a file are quoted for an event; `instead` is where the extract is now, if not where it was loaded
    from. Unless it `reveals`, personal fields and the lines that hold them are sealed. Raises UsageError where the row
    is gone.
    """
    row = find_row(conn, named, reveals=reveals)
    return RowLineage(row, _events(conn, folding, row, limit, instead, reveals))


def _events(
    conn: psycopg.Connection,
    folding: psycopg.Connection,
    row: TracedRow,
    limit: int,
    instead: Path | None,
    reveals: bool,
) -> list[TracedEvent]:
    """The events of the row's stream that its table shows, with what they did."""
    if row.stream is None:
        return []
    history = history_of_stream(conn, row.context, row.stream, reveals=reveals)
    told = [event for event in history if event.position <= row.position]
    stream = EventStore().streams(folding, row.context, [row.stream], row.position)[row.stream]
    effects = effects_on(row.context, row.table, list(row.key.values()), row.stream, stream.events)
    sources = Sources(conn, [(event.batch_id, event.source) for event in told], limit, instead)
    return [
        TracedEvent(event, effect, sources.quote(event.batch_id, event.source, reveals=reveals))
        for event, effect in zip(told, effects, strict=True)
    ]
