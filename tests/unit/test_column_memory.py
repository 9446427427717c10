"""Where memory does not hold a batch, fewer streams are folded at once, at last one by one: with the same rows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest

from replayhouse.domain.sales.events import OrderPlaced
from replayhouse.infra.cli import main
from replayhouse.infra.columns.batch import Batch
from replayhouse.infra.read_models import column_folding, windows
from replayhouse.infra.read_models.folding import STAYS, Folding
from replayhouse.infra.read_models.schema import Model
from replayhouse.infra.read_models.stream_reader import StoredRow, StreamReader
from replayhouse.infra.runtime.column_folds import Counts
from replayhouse.projections.digest import Digest
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.alike_streams import alike
from tests.support.on_columns import EveryKey, stored

STREAMS = 200
KEYS = EveryKey(set())
Limits = Callable[[int], Any]


@pytest.fixture(scope="module")
def orders() -> list[StoredRow]:
    """Streams of one shape and a few others, as they are stored."""
    random = Random(7)
    streams = alike(random, (OrderPlaced,), STREAMS, hardness=0.02)
    return stored("sales", {UUID(int=number * 2**96 + 1): of for number, of in enumerate(streams)}, KEYS)


@contextmanager
def reading(most: int) -> Iterator[None]:
    """Memory holds a batch of so many streams."""
    make = Batch.__init__

    def made(batch: Batch, events: Any, *others: Any) -> None:
        raise_beyond(len(events.begins), most)
        make(batch, events, *others)

    with patch.object(Batch, "__init__", made):
        yield


@contextmanager
def running(most: int) -> Iterator[None]:
    """Memory holds a run of so many streams."""
    stream = Batch.stream

    def seen(batch: Batch, group: Any) -> Any:
        raise_beyond(len(group), most)
        return stream(batch, group)

    with patch.object(Batch, "stream", seen):
        yield


@contextmanager
def writing(most: int) -> Iterator[None]:
    """Memory holds the lines of so many streams."""
    write = column_folding.column_rows

    def written(table: Any, pieces: Any) -> Any:
        raise_beyond(sum(piece.streams for piece in pieces), most)
        return write(table, pieces)

    with patch.object(column_folding, "column_rows", written):
        yield


def raise_beyond(streams: int, most: int) -> None:
    if streams > most:
        raise MemoryError


def folded(orders: list[StoredRow]) -> tuple[dict[str, Digest], int, Counts]:
    """What comes of them: digests of all rows that are handed out, events, and how it went."""
    folding = Folding("sales", None, lambda position: UUID(int=position), STAYS)
    list(folding.fold_all(orders, StreamReader(KEYS.keys_of), 50))
    return folding.digests, folding.events, folding.counts


@pytest.mark.parametrize("limit", [reading, running, writing])
@pytest.mark.parametrize("most", [STREAMS // 2, 40, 1], ids=["halves", "eighths", "no run at all"])
def test_a_batch_that_memory_does_not_hold_is_halved_down_to_one_by_one(
    limit: Limits, most: int, orders: list[StoredRow]
) -> None:
    digests, events, counts = folded(orders)
    with limit(most):
        halved = folded(orders)

    assert halved[:2] == (digests, events)
    assert sum((halved[2].streams, halved[2].few, halved[2].odd, halved[2].beyond)) == STREAMS
    assert counts.streams > STREAMS // 2
    assert (halved[2].streams > 0) == (most > 1)


def test_where_memory_does_not_even_hold_one_no_stream_is_blamed(orders: list[StoredRow]) -> None:
    folding = Folding("sales", None, lambda position: UUID(int=position), STAYS)
    with patch.object(folding, "_fold", side_effect=MemoryError), pytest.raises(MemoryError):
        list(folding.fold_all(orders, StreamReader(KEYS.keys_of), 50))


def test_no_stream_is_parked_for_want_of_memory(orders: list[StoredRow]) -> None:
    """What was parked would wait for somebody to try it again, though nothing was wrong with it."""
    [stream] = next(StreamReader(KEYS.keys_of).read(orders[:1]))
    with patch.object(windows, "refold", side_effect=MemoryError), pytest.raises(MemoryError):
        windows._fold(Model(PROJECTIONS["sales"], "sales"), stream, 0, windows.Window())


def test_a_command_says_in_plain_words_that_memory_is_full() -> None:
    message, then, code = main._in_words(MemoryError())
    assert (then, code) == ((), 2)
    assert message.startswith("The memory is full")
    assert message.endswith("run the same command again.")
