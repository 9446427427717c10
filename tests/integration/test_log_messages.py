"""What a relay sends of the log is, to the byte, the message that each of its events has."""

from collections.abc import Sequence
from itertools import chain
from typing import Literal
from uuid import UUID, uuid4

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.publishing.log_messages import Block, LogMessages
from replayhouse.infra.publishing.log_reader import ContextLog
from replayhouse.infra.publishing.message import message_of
from replayhouse.infra.publishing.personal import PersonalFields
from replayhouse.infra.publishing.ports import Outgoing
from tests.support.recorded_events import order, registered

CONTEXTS = ("sales", "customer")
TOPIC, SOURCE = "events", b"/replayhouse/sales"

lines = st.none() | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=20)
cities = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), min_size=1, max_size=20)
events = st.builds(lambda source: order(uuid4(), 1, source=source), lines) | st.builds(
    lambda city: registered(uuid4(), city), cities
)
appends = st.lists(st.tuples(st.lists(events, min_size=1, max_size=5), st.none() | st.uuids()), max_size=4)


def blocks(conn: psycopg.Connection, context: str, policy: Literal["sealed", "omitted"], *bounds: int) -> list[Block]:
    after, end, limit, most_events, most_bytes = bounds
    messages = LogMessages(context, TOPIC, SOURCE, PersonalFields(policy))
    return list(messages.blocks(conn, after, end, limit, most_events, most_bytes))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    appended=appends,
    policy=st.sampled_from(["sealed", "omitted"]),
    after=st.integers(0, 5),
    limit=st.integers(1, 12),
    together=st.integers(1, 5),
    most_bytes=st.sampled_from([1, 300, 10_000]),
)
def test_messages_are_those_of_the_events(
    conn: psycopg.Connection,
    appended: Sequence[tuple[list[Recorded], UUID | None]],
    policy: Literal["sealed", "omitted"],
    after: int,
    limit: int,
    together: int,
    most_bytes: int,
) -> None:
    with conn.transaction(force_rollback=True):
        for some, batch in appended:
            EventStore().append(conn, some, batch)
        log_end = 20
        for context in CONTEXTS:
            log, personal = ContextLog(conn, context), PersonalFields(policy)
            rows = list(log.after(after, log_end, limit))
            expected = [Outgoing(TOPIC, *message_of(personal.leaving(row.event), SOURCE)) for row in rows]
            found = blocks(conn, context, policy, after, log_end, limit, together, most_bytes)

            assert list(chain.from_iterable(block.messages for block in found)) == expected
            assert [log.standing(block.position) for block in found] == [block.standing for block in found]
            states = {row.event.position: row.event.state for row in rows}
            for block in found:
                own = [state for position, state in states.items() if position <= block.position]
                states = {position: state for position, state in states.items() if position > block.position}
                assert len(own) == len(block.messages) <= together
                assert sum(map(len, own[:-1])) <= most_bytes
                assert not states or len(own) == together or sum(map(len, own)) > most_bytes


def test_what_was_not_taken_leaves_the_connection_good_for_more(conn: psycopg.Connection) -> None:
    EventStore().append(conn, [order(uuid4(), 1) for _ in range(50)], None)
    some = LogMessages("sales", TOPIC, SOURCE, PersonalFields("sealed")).blocks(conn, 0, 50, 50, 1, 1)
    assert next(some).position == 1
    some.close()
    assert conn.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.parametrize("context", CONTEXTS)
def test_of_an_empty_log_there_is_nothing_to_send(conn: psycopg.Connection, context: str) -> None:
    assert blocks(conn, context, "sealed", 0, 100, 10, 10, 10) == []
