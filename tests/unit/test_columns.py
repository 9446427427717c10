"""Folds on columns: the rows are those of one by one, whatever the streams hold."""

from collections.abc import Sequence
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.kernel.events import DomainEvent
from tests.support.alike_streams import TIMES, alike, kinds_of
from tests.support.on_columns import EveryKey, on_columns, one_by_one, stored

ALL_KINDS = [pytest.param(context, kinds, id=kinds[0].__name__) for context in CONTEXTS for kinds in kinds_of(context)]


@pytest.mark.parametrize(("context", "kinds"), ALL_KINDS)
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
