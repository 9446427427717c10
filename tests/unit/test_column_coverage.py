"""What folds on columns are held to leaves no event out: neither a new one, nor an older version of one."""

from random import Random
from uuid import UUID

import pytest

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.kernel.events import Rewound
from replayhouse.infra.event_store.serialization.registry import REGISTRY
from replayhouse.projections.warehouse import PROJECTIONS
from tests.golden import GoldenEvent, golden_events
from tests.support.alike_streams import alike, kinds_of
from tests.support.on_columns import EveryKey, on_columns, one_by_one, stored

STREAMS = 30
OLDER = [entry for entry in golden_events() if entry.topic not in set(REGISTRY.topics.values())]


def test_every_event_of_every_context_is_drawn_for_the_properties_of_columns() -> None:
    """`tests/unit/test_columns.py` runs over them: an event that is missing is to be added to `drawn_events.py`."""
    drawn = {(context, kind) for context in CONTEXTS for kinds in kinds_of(context) for kind in kinds}
    recorded = {(context, kind) for context, kind in REGISTRY.topics if kind is not Rewound}
    assert {kind.__name__ for _, kind in recorded - drawn} == set()
    assert {context for context, _ in drawn} == set(PROJECTIONS)


def test_there_are_older_versions() -> None:
    assert OLDER


@pytest.mark.parametrize("entry", OLDER, ids=[entry.topic for entry in OLDER])
def test_an_older_version_is_folded_on_columns_as_one_by_one(entry: GoldenEvent) -> None:
    """Alone, and behind events of today: brought up before columns are made of it, with no key of anybody."""
    context = entry.topic.partition(".")[0]
    kind = REGISTRY.event_type_of(entry.topic)
    kinds = next(kinds for kinds in kinds_of(context) if kind in kinds)
    behind = stored(
        context,
        {UUID(int=number): of for number, of in enumerate(alike(Random(1), kinds[:1], STREAMS, hardness=0.0), 1)},
        EveryKey(set()),
    )
    old = [
        (UUID(int=number).bytes, 10_000 + number, entry.topic, entry.state.encode()) for number in range(1, STREAMS + 1)
    ]
    mixed = sorted([*behind, *old], key=lambda row: (row[0], row[1]))
    for rows in (sorted(old), mixed):
        found, expected = (way(context, rows, None) for way in (on_columns, one_by_one))
        assert (found.rows, found.failed) == (expected.rows, expected.failed)
        assert found.failed or found.counts.streams or context == "quality"
