"""Rows of the log from columns are the rows that events encoded one by one make, byte by byte."""

import random
from typing import Any
from unittest.mock import MagicMock
from uuid import UUID

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.columns.log_rows import ColumnRows, Run, piece_of, piece_of_single
from replayhouse.infra.event_store.event_encoding import LARGEST_EVENT_BYTES, EncodedEvent, EncodedRows, EventTooLarge

BATCH = UUID(int=7)
TEXTS = st.text(max_size=20)


@st.composite
def runs(draw: st.DrawFn) -> list[EncodedEvent]:
    """Events that may be one piece: of one context, topic and version, each of another stream."""
    context, topic, version = draw(st.sampled_from(CONTEXTS)), draw(TEXTS), draw(st.integers(1, 2**40))
    has_source = draw(st.booleans())
    return [
        EncodedEvent(context, stream, version, topic, draw(TEXTS).encode(), BATCH, draw(TEXTS) if has_source else None)
        for stream in draw(st.lists(st.uuids(), min_size=1, max_size=5, unique=True))
    ]


def column_rows(some: list[list[EncodedEvent]], chance: random.Random) -> tuple[list[EncodedEvent], ColumnRows]:
    """The events in an order by chance, and the same as pieces; of every third run they stand alone."""
    events = [event for run in some for event in run]
    order = chance.sample(range(len(events)), len(events))
    pieces, at = [], 0
    together: dict[str, list[tuple[list[EncodedEvent], list[int]]]] = {}
    for number, run in enumerate(some):
        places = order[at : at + len(run)]
        if number % 3 == 2:
            pieces.append((piece_of_single(run), np.array(places, np.int64)))
        else:
            together.setdefault(run[0].context, []).append((run, places))
        at += len(run)
    for context, of_context in together.items():
        whole = piece_of(context, [_run(run) for run, _ in of_context], BATCH)
        pieces.append((whole, np.concatenate([np.array(places, np.int64) for _, places in of_context])))
    placed = [event for _, event in sorted(zip(order, events, strict=True), key=lambda pair: pair[0])]
    return placed, ColumnRows(pieces)


def _run(events: list[EncodedEvent]) -> Run:
    first = events[0]
    ids = np.frombuffer(b"".join(event.stream_id.bytes for event in events), np.uint8).reshape(-1, 16)
    sources = None if first.source is None else pa.array([event.source for event in events], pa.string())
    states = pa.array([event.state for event in events], pa.binary())
    return Run(ids, first.originator_version, first.topic, states, sources)


def copied(rows: Any) -> dict[str, bytes]:
    """What is copied, by the statement that takes it."""
    taken: dict[str, bytes] = {}

    class Copying:
        def __init__(self, query: Any) -> None:
            self._query = str(query)

        def __enter__(self) -> "Copying":
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def write(self, data: bytes) -> None:
            taken[self._query] = taken.get(self._query, b"") + bytes(data)

    connection = MagicMock()
    connection.cursor.return_value.__enter__.return_value.copy = Copying
    rows.copy(connection, 1_000)
    return taken


@given(st.lists(runs(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_pieces_make_the_rows_of_single_events(some: list[list[EncodedEvent]], chance: random.Random) -> None:
    events, ours = column_rows(some, chance)
    theirs = EncodedRows(events)
    assert ours.leaves == theirs.leaves
    assert ours.root() == theirs.root()
    assert copied(ours) == copied(theirs)


def test_an_event_that_no_broker_would_take_is_told_by_its_stream() -> None:
    ids = np.arange(64, dtype=np.uint8).reshape(4, 16)
    short, long = pa.array([b"{}", b"[]"]), pa.array([b"{}", b"x" * (LARGEST_EVENT_BYTES + 1)])
    runs = [Run(ids[:2], 1, "sales.OrderPlaced.v1", short, None), Run(ids[2:], 2, "sales.OrderPaid.v1", long, None)]
    with pytest.raises(EventTooLarge, match=f"sales.OrderPaid.v1 of the stream {UUID(bytes=ids[3].tobytes())}"):
        piece_of("sales", runs, BATCH)
