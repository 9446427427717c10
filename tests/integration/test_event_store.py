"""Appending to the log and reading streams back."""

from dataclasses import replace
from hashlib import sha256
from uuid import UUID, uuid4

import psycopg
import pytest

from replayhouse.domain.customer.events import CustomerRegistered, ReviewSubmitted
from replayhouse.domain.kernel.events import DomainEvent, Rewound
from replayhouse.infra.audit.verify import Verified, verify
from replayhouse.infra.event_store.head import Head
from replayhouse.infra.event_store.keys import destroy_keys, make_keys
from replayhouse.infra.event_store.known_keys import LostKeys
from replayhouse.infra.event_store.merkle import GENESIS
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.store import LARGEST_APPEND, EventStore
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.errors import Conflict, InputError, Unreachable
from tests.support.databases import lose_keys
from tests.support.recorded_events import APPROVED, AT, PAID, order, registered

STORE = EventStore()

# Every column by itself, in PostgreSQL's own functions: what an outsider would compute.
LEAVES_BY_SQL = """
    SELECT leaf = sha256(
        '\\x00'::bytea
        || int4send(octet_length(context)) || convert_to(context, 'UTF8')
        || int4send(16) || uuid_send(originator_id)
        || int4send(8) || int8send(originator_version)
        || int4send(octet_length(topic)) || convert_to(topic, 'UTF8')
        || int4send(octet_length(state)) || state
        || CASE WHEN batch_id IS NULL THEN int4send(-1) ELSE int4send(16) || uuid_send(batch_id) END
        || CASE WHEN source IS NULL THEN int4send(-1)
                ELSE int4send(octet_length(source)) || convert_to(source, 'UTF8') END
    ) FROM event_store.log ORDER BY notification_id
"""


def events_of(conn: psycopg.Connection, context: str, stream: UUID) -> list[DomainEvent]:
    return list(STORE.streams(conn, context, [stream])[stream].events)


def test_an_empty_log_ends_at_position_0_with_a_chain_of_zeros(conn: psycopg.Connection) -> None:
    head = STORE.head(conn)
    assert (head.position, head.chain) == (0, GENESIS)
    assert verify(conn) == Verified(0, GENESIS)


def test_positions_follow_the_order_given_over_all_contexts(conn: psycopg.Connection) -> None:
    later, earlier = uuid4(), uuid4()
    head = STORE.append(conn, [order(later, 1), registered(earlier), order(earlier, 1), order(later, 2, PAID)], None)

    assert head.position == 4
    assert STORE.head(conn) == head
    places = "SELECT context, originator_id, originator_version FROM event_store.log ORDER BY notification_id"
    assert conn.execute(places).fetchall() == [
        ("sales", later, 1), ("customer", earlier, 1), ("sales", earlier, 1), ("sales", later, 2)
    ]  # fmt: skip


def test_an_append_is_one_commit_with_its_range_time_and_batch(conn: psycopg.Connection) -> None:
    batch = uuid4()
    STORE.append(conn, [order(uuid4(), 1)], None)
    head = STORE.append(conn, [order(uuid4(), 1), order(uuid4(), 1)], batch)

    commits = conn.execute(
        "SELECT first_position, last_position, batch_id, recorded_at, chain FROM event_store.commit ORDER BY 1 DESC"
    ).fetchall()
    assert commits[0] == (2, 3, batch, head.recorded_at, head.chain)
    assert len(commits) == 2
    batches = conn.execute("SELECT batch_id FROM event_store.sales_events ORDER BY notification_id").fetchall()
    assert batches == [(None,), (batch,), (batch,)]


def test_an_outsider_finds_the_same_leaves_and_the_same_chain(conn: psycopg.Connection) -> None:
    STORE.append(conn, [order(uuid4(), 1, source="orders:42 customers:7-9"), registered(uuid4())], uuid4())
    head = STORE.append(conn, [order(uuid4(), 1, PAID)], None)

    assert [same for (same,) in conn.execute(LEAVES_BY_SQL)] == [True, True, True]
    leaves = [leaf for (leaf,) in conn.execute("SELECT leaf FROM event_store.log ORDER BY notification_id")]
    times = conn.execute(
        "SELECT (extract(epoch FROM recorded_at) * 1000000)::bigint FROM event_store.commit ORDER BY last_position"
    ).fetchall()
    chain = bytes(32)
    roots = (sha256(b"\x01" + leaves[0] + leaves[1]).digest(), leaves[2])
    for (first, last), (time,), root in zip([(1, 2), (3, 3)], times, roots, strict=True):
        chain = sha256(chain + b"".join(n.to_bytes(8, "big") for n in (first, last, time)) + root).digest()
    assert chain == head.chain


def test_a_stream_comes_back_as_it_was_recorded(conn: psycopg.Connection) -> None:
    stream, other = uuid4(), uuid4()
    STORE.append(conn, [order(other, 1), order(stream, 1), order(stream, 2, PAID)], None)

    found = STORE.streams(conn, "sales", [stream, other, uuid4()])
    assert set(found) == {stream, other}
    assert found[stream] == (stream, 2, 3, [APPROVED, PAID])
    assert found[other] == (other, 1, 1, [APPROVED])
    assert STORE.streams(conn, "fulfillment", [stream]) == {}
    assert STORE.streams(conn, "sales", []) == {}


def test_a_stream_as_it_was_at_a_position(conn: psycopg.Connection) -> None:
    stream = uuid4()
    STORE.append(conn, [order(stream, 1), order(stream, 2, PAID)], None)
    assert STORE.streams(conn, "sales", [stream], up_to=1)[stream] == (stream, 1, 1, [APPROVED])
    assert STORE.streams(conn, "sales", [stream], up_to=0) == {}


def test_what_was_rewound_is_read_but_does_not_count(conn: psycopg.Connection) -> None:
    stream, batch = uuid4(), uuid4()
    rewound = Rewound(occurred_at=AT, batch_id=batch, to_version=1)
    STORE.append(conn, [order(stream, 1), order(stream, 2, PAID), order(stream, 3, rewound)], batch)

    found = STORE.streams(conn, "sales", [stream])[stream]
    assert found.last_version == 3
    assert found.events == [APPROVED, PAID, rewound]
    assert found.effective_events == [APPROVED]


def test_a_version_that_is_taken_is_a_conflict_and_nothing_of_the_append_stays(conn: psycopg.Connection) -> None:
    stream = uuid4()
    head = STORE.append(conn, [order(stream, 1)], None)
    with pytest.raises(Conflict, match=str(stream)):
        STORE.append(conn, [order(uuid4(), 1), registered(uuid4()), order(stream, 1, PAID)], None)

    assert STORE.head(conn) == head
    assert conn.execute("SELECT count(*) FROM event_store.log").fetchone() == (1,)
    assert conn.execute("SELECT count(*) FROM event_store.subject_key").fetchone() == (0,)
    assert isinstance(verify(conn), Verified)


def advance(conn: psycopg.Connection) -> None:
    conn.execute("INSERT INTO public.progress VALUES (1)")


def test_the_callers_own_rows_stand_or_fall_with_the_events(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TABLE public.progress (part int)")

    def fail(conn: psycopg.Connection) -> None:
        advance(conn)
        raise LookupError("somebody else owns the batch")

    with pytest.raises(LookupError):
        STORE.append(conn, [order(uuid4(), 1)], None, fail)
    assert conn.execute("SELECT count(*) FROM public.progress").fetchone() == (0,)
    assert STORE.head(conn).position == 0

    STORE.append(conn, [order(uuid4(), 1)], None, advance)
    assert conn.execute("SELECT part FROM public.progress").fetchall() == [(1,)]
    assert STORE.head(conn).position == 1


def test_an_append_without_events_makes_no_commit_but_keeps_the_callers_rows(conn: psycopg.Connection) -> None:
    conn.execute("CREATE TABLE public.progress (part int)")
    before = STORE.head(conn)
    after = STORE.append(conn, [], uuid4(), advance)
    assert after == before
    assert conn.execute("SELECT count(*) FROM event_store.commit").fetchone() == (0,)
    assert conn.execute("SELECT part FROM public.progress").fetchall() == [(1,)]


def test_more_than_a_chunk_at_once_is_refused(conn: psycopg.Connection) -> None:
    stream = uuid4()
    with pytest.raises(ValueError, match="20000"):
        STORE.append(conn, [order(stream, version) for version in range(1, LARGEST_APPEND + 2)], None)


def test_an_event_that_no_broker_would_take_is_refused_with_its_lines_and_nothing_is_appended(
    conn: psycopg.Connection,
) -> None:
    stream = uuid4()
    review = ReviewSubmitted(AT, uuid4(), stream, stream, 5, AT, AT, None, "x" * 760_000)
    with pytest.raises(
        InputError, match=rf"customer\.ReviewSubmitted\.v1 of the stream {stream}, of the lines "
    ) as told:
        STORE.append(conn, [order(uuid4(), 1), Recorded("customer", stream, 1, review, "order_reviews:9")], None)
    assert "order_reviews:9" in str(told.value)
    assert "998,000" in str(told.value)
    assert STORE.head(conn).position == 0
    fits = replace(review, comment="x" * 740_000)
    assert STORE.append(conn, [Recorded("customer", stream, 1, fits, "order_reviews:9")], None).position == 1


def test_recorded_time_never_goes_backwards(conn: psycopg.Connection) -> None:
    conn.execute("UPDATE event_store.head SET recorded_at = '2100-01-01 00:00 UTC'")  # a clock that was ahead
    first = STORE.append(conn, [order(uuid4(), 1)], None)
    second = STORE.append(conn, [order(uuid4(), 1)], None)
    assert first.recorded_at.year == 2100
    assert second.recorded_at >= first.recorded_at
    assert isinstance(verify(conn), Verified)


def test_an_append_tells_its_position_to_who_listens(conn: psycopg.Connection, database: Database) -> None:
    with database.connect(autocommit=True) as listener:
        listener.execute("LISTEN replayhouse")
        STORE.append(conn, [order(uuid4(), 1), order(uuid4(), 1)], None)
        assert [told.payload for told in listener.notifies(timeout=60, stop_after=1)] == ["2"]


def test_personal_fields_are_sealed_in_the_log_and_clear_when_read(conn: psycopg.Connection) -> None:
    person = uuid4()
    recorded = registered(person, city="caxias do sul")
    STORE.append(conn, [recorded], None)

    state = conn.execute("SELECT convert_from(state, 'UTF8') FROM event_store.customer_events").fetchone()
    assert state is not None
    assert "caxias" not in state[0]
    assert "01310" not in state[0]
    assert '"state":"SP"' in state[0]
    assert events_of(conn, "customer", person) == [recorded.event]


def test_without_the_key_personal_fields_are_none_and_later_ones_are_not_recorded(conn: psycopg.Connection) -> None:
    person, review = uuid4(), uuid4()
    STORE.append(conn, [registered(person)], None)
    destroy_keys(conn, [person])

    [found] = events_of(conn, "customer", person)
    assert isinstance(found, CustomerRegistered)
    assert (found.zip_prefix, found.city, found.state) == (None, None, "SP")

    late = ReviewSubmitted(
        occurred_at=AT, review_id=uuid4(), order_id=uuid4(), customer_id=person, score=1, title="late",
        comment="never came", created_at=AT, answered_at=AT,
    )  # fmt: skip
    STORE.append(conn, [Recorded("customer", review, 1, late)], None)
    state = conn.execute(
        "SELECT convert_from(state, 'UTF8')::json ->> 'comment' FROM event_store.customer_events"
        " WHERE originator_id = %s", [review]
    ).fetchone()  # fmt: skip
    assert state == (None,)
    assert isinstance(verify(conn), Verified)


def test_a_lost_key_is_not_taken_for_a_destroyed_one(conn: psycopg.Connection) -> None:
    person, erased = uuid4(), uuid4()
    STORE.append(conn, [registered(person), registered(erased)], None)
    destroy_keys(conn, [erased])
    lose_keys(conn, [person])

    with pytest.raises(LostKeys, match=rf"{person} is lost.*event_store\.subject_key.*Restore the keys"):
        STORE.streams(conn, "customer", [person, erased])
    [found] = events_of(conn, "customer", erased)
    assert isinstance(found, CustomerRegistered)
    assert found.city is None


def test_of_many_lost_keys_one_is_named(conn: psycopg.Connection) -> None:
    people = sorted(uuid4() for _ in range(3))
    STORE.append(conn, [registered(person) for person in people], None)
    lose_keys(conn, people)
    with pytest.raises(LostKeys, match=rf"{people[0]} \(and of 2 more\) is lost"):
        STORE.streams(conn, "customer", people)


def test_a_subject_has_one_key_whoever_makes_it(conn: psycopg.Connection) -> None:
    one, two, erased = uuid4(), uuid4(), uuid4()
    destroy_keys(conn, [erased])
    first = make_keys(conn, {one, erased})
    second = make_keys(conn, {one, two, erased})

    assert first[erased] is None
    assert second[erased] is None
    assert second[one] == first[one]
    assert len(second[two] or b"") == 32
    assert second[two] != second[one]


def test_a_lost_connection_is_said_plainly(database: Database, conn: psycopg.Connection) -> None:
    with database.connect(autocommit=True) as victim:
        conn.execute("SELECT pg_terminate_backend(%s)", [victim.info.backend_pid])
        with pytest.raises(Unreachable):
            STORE.head(victim)
    assert STORE.head(conn) == Head(0, STORE.head(conn).recorded_at, GENESIS)
