"""Folds on columns: the rows are those of one by one, whatever the streams hold."""

import re
from collections.abc import Sequence
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.fulfillment.events import AreaSurveyed, ShipmentPlanned, ShipmentReplanned
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.quality.events import BatchOpened
from replayhouse.domain.sales.events import OrderPlaced
from replayhouse.infra.event_store.serialization.mapper import Mapper
from replayhouse.infra.read_models.stream_reader import StoredRow
from tests.support.alike_streams import TIMES, alike, kinds_of
from tests.support.on_columns import EveryKey, on_columns, one_by_one, stored, written_on_columns

ALL_KINDS = [pytest.param(context, kinds, id=kinds[0].__name__) for context in CONTEXTS for kinds in kinds_of(context)]


EVERY_KIND = pytest.mark.parametrize(("context", "kinds"), ALL_KINDS)


@EVERY_KIND
@given(seed=st.integers(0, 2**32), least=st.sampled_from((1, 1, 3)))
def test_on_columns_as_one_by_one(context: str, kinds: Sequence[type[DomainEvent]], seed: int, least: int) -> None:
    random = Random(seed)
    streams = [stream for _ in range(random.randrange(1, 4)) for stream in alike(random, kinds, random.randrange(1, 9))]
    ids = random.sample(range(6), 1) + random.sample(range(10**6), len(streams))
    keyed = {UUID(int=number * 2 ** random.choice((0, 100))): of for number, of in zip(ids, streams, strict=False)}
    keys = EveryKey({UUID(int=1)} if random.random() < 0.5 else set())
    rows = stored(context, keyed, keys)
    before = random.choice((None, None, *TIMES[:4]))
    keys_of = None if random.random() < 0.1 else keys.keys_of

    expected = one_by_one(context, rows, keys_of, before)
    found = on_columns(context, rows, keys_of, before, least)

    assert (found.rows, found.failed) == (expected.rows, expected.failed)


@EVERY_KIND
@given(seed=st.integers(0, 2**32))
def test_what_columns_write_is_what_is_written_one_by_one(
    context: str, kinds: Sequence[type[DomainEvent]], seed: int
) -> None:
    rows, keys = drawn_rows(context, kinds, Random(seed))
    written_on_columns(context, rows, keys.keys_of)


def drawn_rows(context: str, kinds: Sequence[type[DomainEvent]], random: Random) -> tuple[list[StoredRow], EveryKey]:
    """Streams as they are stored, some of them alike; one person's key may be destroyed."""
    streams = [stream for _ in range(random.randrange(1, 4)) for stream in alike(random, kinds, random.randrange(1, 9))]
    ids = random.sample(range(6), 1) + random.sample(range(10**6), len(streams))
    keyed = {UUID(int=number * 2 ** random.choice((0, 100))): of for number, of in zip(ids, streams, strict=False)}
    keys = EveryKey({UUID(int=1)} if random.random() < 0.5 else set())
    return stored(context, keyed, keys), keys


@EVERY_KIND
def test_streams_of_one_shape_are_folded_and_written_on_columns(
    context: str, kinds: Sequence[type[DomainEvent]]
) -> None:
    """Else the properties above would show nothing. Odd ones have a text that JSON writes otherwise than it is."""
    random = Random(4)
    streams = {UUID(int=number): of for number, of in enumerate(alike(random, kinds[:1], 30, hardness=0.0))}
    keys = EveryKey(set())
    rows = stored(context, streams, keys)
    found = on_columns(context, rows, keys.keys_of, least=1)
    written = written_on_columns(context, rows, keys.keys_of)

    assert found.counts.streams + found.counts.odd + found.counts.beyond == 30
    assert (found.counts.streams >= 20) == (kinds[0] is not BatchOpened)
    assert (written >= 20) == (kinds[0] not in (BatchOpened, AreaSurveyed)), "coordinates are written one by one"


class Decoding(Mapper):
    """Counts the events that were decoded one by one."""

    decoded = 0

    def decode(self, topic: str, state: bytes) -> DomainEvent:
        self.decoded += 1
        return super().decode(topic, state)


@pytest.mark.parametrize("kind", [OrderPlaced, ShipmentPlanned, ShipmentReplanned])
def test_older_versions_that_are_read_as_they_are_stay_on_columns(kind: type[DomainEvent]) -> None:
    """Logs are full of them."""
    context = kind.__module__.split(".")[-2]
    streams = {UUID(int=number): of for number, of in enumerate(alike(Random(4), [kind], 30, hardness=0.0))}
    keys, mapper = EveryKey(set()), Decoding()
    rows = stored(context, streams, keys)
    older = [(stream, position, topic.replace(".v2", ".v1"), state) for stream, position, topic, state in rows]
    assert any(topic.endswith(f".{kind.__name__}.v1") for _, _, topic, _ in older)

    now, found = (on_columns(context, of, keys.keys_of, mapper=mapper) for of in (rows, older))
    assert (found, mapper.decoded) == (now, 0)
    assert found.counts.streams >= 20


@EVERY_KIND
@given(seed=st.integers(0, 2**32))
def test_states_that_were_damaged_fail_the_same_streams(
    context: str, kinds: Sequence[type[DomainEvent]], seed: int
) -> None:
    random = Random(seed)
    rows, keys = drawn_rows(context, kinds, random)
    damaged = [
        (stream, position, topic, changed(bytes(state), random) if random.random() < 0.1 else state)
        for stream, position, topic, state in rows
    ]
    expected = one_by_one(context, damaged, keys.keys_of)
    found = on_columns(context, damaged, keys.keys_of)
    assert (found.rows, found.failed) == (expected.rows, expected.failed)


def changed(state: bytes, random: Random) -> bytes:
    """A state with a sign less, more or another, or with another value: some can be read all the same."""
    at = random.randrange(len(state))
    return random.choice(
        (
            state[:at],
            state[:at] + state[at + 1 :],
            state[:at] + bytes([random.randrange(256)]) + state[at + 1 :],
            state.replace(b"00-", b"00Z-", 1),
            state.replace(b'"2', b'"02', 1),
            re.sub(rb'T(..:..:..)"', rb'T\1.25"', state),
            re.sub(rb'T(..:..:..)"', rb'T\1Z"', state, count=1),
            re.sub(rb"[0-9a-f]{12}\"", lambda found: found[0].upper(), state),
            re.sub(rb":(\d+)([,}])", rb": \1.0\2", state, count=1),
            re.sub(rb"\.(\d\d)\"", rb".\g<1>5\"", state, count=1),
            state[:-1] + b',"more":1}',
            state + b" ",
            re.sub(
                rb"\d", lambda found: random.choice((found[0], found[0], found[0], b"%d" % random.randrange(10))), state
            ),
        )
    )
