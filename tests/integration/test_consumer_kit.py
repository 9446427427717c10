"""The kit for consumers on a real broker."""

import json
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from confluent_kafka import Producer
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from replayhouse.infra.kafka.clients import confluent_config
from replayhouse.infra.publishing.message import message_of
from replayhouse.infra.publishing.names import events_topic, source_of
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from replayhouse_consumer import Consumer, Event, Hole, Misuse, OtherTopic, Poison, Refused, Stream, Stuck, sqlite_inbox
from replayhouse_consumer.events import CustomerRegisteredV1, PaymentReceivedV1
from tests.support.brokers import OwnBroker, applied, settings_for
from tests.support.consuming import Log, Publisher
from tests.support.homes import wait_until

TABLES = """
CREATE TABLE IF NOT EXISTS paid (id INTEGER PRIMARY KEY, amount TEXT);
CREATE TABLE IF NOT EXISTS seen (stream INTEGER, version INTEGER, PRIMARY KEY (stream, version));
"""
QUICK = {"session_timeout_ms": 1500, "heartbeat_interval_ms": 300}
LONGEST_S = 120.0


def a_consumer(kafka: KafkaSettings, inbox: Path, /, **settings: Any) -> Consumer:
    given: dict[str, Any] = {"group": "g", "contexts": ["sales"], "inbox": inbox, "tables": TABLES, "kafka": QUICK}
    return Consumer(kafka.bootstrap or "", **given | {"prefix": kafka.prefix} | settings)


def keeping_paid(consumer: Consumer) -> Consumer:
    """Keeps what was paid for each order, as a read model."""

    @consumer.stream("sales")
    def changed(stream: Stream, db: sqlite3.Connection) -> None:
        amount = sum((event.amount for event in stream.of(PaymentReceivedV1)), Decimal(0))
        db.execute("REPLACE INTO paid VALUES (?, ?)", (stream.id.int, str(amount)))

    return consumer


def keeping_seen(consumer: Consumer, also: Callable[[Event], None] = lambda event: None) -> Consumer:
    """Writes down each payment; one that is handled twice would break the key."""

    @consumer.on(PaymentReceivedV1, ignore_rewinds=True)
    def happened(event: PaymentReceivedV1, db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO seen VALUES (?, ?)", (event.envelope.stream.int, event.envelope.version))
        also(event)

    return consumer


def paid(inbox: Path) -> dict[int, str]:
    return dict(rows(inbox, "SELECT id, amount FROM paid"))


def seen(inbox: Path) -> set[tuple[int, int]]:
    return set(rows(inbox, "SELECT stream, version FROM seen"))


def rows(inbox: Path, query: str) -> list[Any]:
    """None while the consumer has not made its tables yet."""
    with closing(sqlite3.connect(inbox)) as db, suppress(sqlite3.OperationalError):
        return db.execute(query).fetchall()
    return []


def comes_true(is_so: Callable[[], bool]) -> None:
    wait_until(is_so)
    assert is_so()


@contextmanager
def running(*consumers: Consumer) -> Iterator[None]:
    """They run in threads of their own; an error of one is raised at the end."""
    errors: list[BaseException] = []

    def run(consumer: Consumer) -> None:
        try:
            consumer.run()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=[consumer], daemon=True) for consumer in consumers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for consumer in consumers:
            consumer.stop()
        for thread in threads:
            thread.join(LONGEST_S)
    assert not any(thread.is_alive() for thread in threads), "a consumer does not end"
    assert errors == []


def letters(kafka: KafkaSettings, topic: str) -> list[Any]:
    """All that is on a topic of dead letters."""
    partition = TopicPartition(topic, 0)
    reader = KafkaConsumer(bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False)
    try:
        reader.assign([partition])
        (end,) = reader.end_offsets([partition]).values()
        found: list[Any] = []
        while reader.position(partition) < end:
            found += reader.poll(timeout_ms=1000).get(partition, [])
        return found
    finally:
        reader.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_topic(kafka: KafkaSettings, topic: str) -> None:
    with KafkaAdminClient(bootstrap_servers=kafka.bootstrap) as admin:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}}, wait_for_metadata=True)


def test_a_read_model_follows_the_topic_and_nothing_that_was_aborted(kafka: KafkaSettings, tmp_path: Path) -> None:
    applied(kafka, "sales")
    inbox, log, publisher = tmp_path / "inbox.db", Log(), Publisher(kafka)
    publisher.publish([log.add(1, "OrderInvoiced"), log.paid(1, "10.00"), log.paid(2, "7.50")])
    publisher.abort([Log().paid(3, "99.00")])
    consumer = keeping_paid(a_consumer(kafka, inbox))
    assert consumer.run(to_end=True).events == 3
    assert paid(inbox) == {1: "10.00", 2: "7.50"}

    publisher.publish([log.paid(1, "0.50"), log.rewound(2, 0)])
    publisher.abort([Log().paid(4, "99.00")])
    again = keeping_paid(a_consumer(kafka, inbox))
    assert again.run(to_end=True).events == 2
    assert paid(inbox) == {1: "10.50", 2: "0"}
    assert lag(kafka) == 0


def lag(kafka: KafkaSettings) -> int:
    """What those who watch the group are told: messages and marks of transactions that were not read."""
    topic = events_topic(kafka.prefix, "sales")
    partitions = [TopicPartition(topic, number) for number in range(kafka.partitions)]
    reader = KafkaConsumer(bootstrap_servers=kafka.bootstrap, group_id="g", enable_auto_commit=False)
    try:
        ends = reader.end_offsets(partitions)
        return sum(end - (reader.committed(partition) or 0) for partition, end in ends.items())
    finally:
        reader.close()


def test_members_of_a_group_share_the_work_and_take_over(kafka: KafkaSettings, tmp_path: Path) -> None:
    """While they come and go, each event has its effect once: a second one would break the key, and end the run."""
    applied(kafka, "sales")
    inbox, log, publisher = tmp_path / "inbox.db", Log(), Publisher(kafka)
    handled: tuple[list[int], ...] = ([], [], [])

    def member(number: int) -> Consumer:
        consumer = a_consumer(kafka, inbox, batch=20)
        return keeping_seen(consumer, lambda event: handled[number].append(event.envelope.position))

    def has_its_share(number: int) -> bool:
        if len(seen(inbox)) == len(log.events):  # no faster than they can handle, for they are to catch up in the end
            publisher.publish([log.paid(stream, "1.00") for stream in range(40)])
        return bool(handled[number])

    first, second, third = map(member, range(3))
    with running(first):
        comes_true(lambda: has_its_share(0))
        with running(second):
            comes_true(lambda: has_its_share(1))
        with running(third):
            first.stop()
            comes_true(lambda: has_its_share(2))
            comes_true(lambda: len(seen(inbox)) == len(log.events))
    assert sum(map(len, handled)) == len(log.events)


def test_a_member_that_the_group_has_given_up_and_its_successor_handle_each_event_once(
    kafka: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A handler hangs for longer than the group waits; the successor is at the same events when it goes on."""
    monkeypatch.setattr(sqlite_inbox, "BUSY_SECONDS", 0.2)
    caplog.set_level("INFO", "replayhouse_consumer")
    applied(kafka, "sales")
    inbox, log, publisher = tmp_path / "inbox.db", Log(), Publisher(kafka)
    publisher.publish([log.paid(number, "1.00") for number in range(60)])
    hangs, goes_on = threading.Event(), threading.Event()

    def hang(event: Event) -> None:
        hangs.set()
        assert goes_on.wait(LONGEST_S)

    zombie = keeping_seen(a_consumer(kafka, inbox, kafka={**QUICK, "max_poll_interval_ms": 1000}), hang)
    with running(zombie):
        assert hangs.wait(LONGEST_S)
        with running(keeping_seen(a_consumer(kafka, inbox, tables=""))):
            comes_true(lambda: "Waiting, to try again: database is locked" in caplog.text)
            goes_on.set()
            comes_true(lambda: "Another consumer of the group has handled what was at hand" in caplog.text)
    assert len(seen(inbox)) == 60


def registered(log: Log, person: int, state: str = "SP") -> Any:
    sealed = {"zip_prefix": "c2VhbGVkIHppcA==", "city": "c2VhbGVkIGNpdHk="}
    known = {"alias": str(UUID(int=7)), "state": state, "placed_at": None}
    return log.add(person, "CustomerRegistered", **known, **sealed, later={"nickname": "Zé"})


def unpacks_to(kafka: KafkaSettings, topic: str, size: int) -> None:
    """A message that brokers take, for it is packed well."""
    own = {"compression.type": "gzip", "message.max.bytes": 2 * size, "batch.size": 2 * size}
    producer = Producer(confluent_config(kafka, kafka.bootstrap or "") | own)
    producer.produce(topic, bytes(size), b"packed well")
    assert producer.flush(LONGEST_S) == 0


def test_what_cannot_be_handled_goes_to_the_dead_letters_without_personal_fields(
    kafka: KafkaSettings, tmp_path: Path
) -> None:
    """Its stream is parked, all others go on; once the handler is mended, the parked stream is handed out again."""
    applied(kafka, "customer")
    make_topic(kafka, f"{kafka.prefix}.g.dead.v1")
    log, publisher, inbox = Log("customer"), Publisher(kafka), tmp_path / "inbox.db"
    topic = events_topic(kafka.prefix, "customer")
    publisher.publish([registered(log, 1), registered(log, 2, "??"), log.add(2, "CustomerPraised"), registered(log, 3)])
    publisher.raw(topic, b"somebody else", b"Zeca", [("ce_type", b"customer.Odd.v1")])
    publisher.raw(topic, b"a null header", b"Zeca", [("ce_type", None), ("ce_position", None)])
    deep = message_of(registered(Log("customer"), 5), source_of(kafka.prefix, "customer").encode())
    publisher.raw(topic, deep.key, b'{"state":' * 100_000, [*deep.headers])
    unpacks_to(kafka, topic, 50_000_000)
    publisher.publish([registered(log, 4)])

    states: dict[int, str] = {}
    broken = True
    consumer = a_consumer(kafka, inbox, contexts=["customer"], dead_letters=True, tries=2)

    @consumer.on(CustomerRegisteredV1, ignore_rewinds=True)
    def happened(event: CustomerRegisteredV1, db: sqlite3.Connection) -> None:
        if broken and event.state == "??":
            raise ValueError(f"no such state, in {event.city}")
        states[event.envelope.stream.int] = event.state

    counts = consumer.run(to_end=True)
    assert states == {1: "SP", 3: "SP", 4: "SP"}
    assert (counts.dead, counts.parked, counts.unknown) == (5, 1, {"customer.CustomerPraised.v1": 1})

    found = {letter.key: (letter.value, dict(letter.headers)) for letter in letters(kafka, f"{kafka.prefix}.g.dead.v1")}
    assert len(found) == 5
    assert sum(b"becomes larger than" in headers["reason"] for _, headers in found.values()) == 1
    value, headers = found[f"{UUID(int=2)}.1".encode()]
    told = json.loads(value)
    assert told.keys() == {"occurred_at", "alias", "state", "placed_at"}
    assert headers["reason"] == b"ValueError: no such state, in [sealed]"
    assert (headers["ce_type"], headers["topic"]) == (b"customer.CustomerRegistered.v1", topic.encode())
    strangers = [letter for key, letter in found.items() if key.startswith(topic.encode())]
    assert [value for value, _ in strangers] == [None] * 3
    assert any(b"no header" in headers["reason"] for _, headers in strangers)

    two, five = sorted(consumer.parked(), key=lambda parked: parked.stream.int)
    assert (two.stream, two.version) == (UUID(int=2), 1)
    assert five.stream == UUID(int=5)
    assert consumer.retry_parked() == [two, five]
    broken = False
    assert consumer.retry_parked() == [five]
    assert states == {1: "SP", 2: "??", 3: "SP", 4: "SP"}


def test_without_dead_letters_it_ends_at_what_cannot_be_handled(kafka: KafkaSettings, tmp_path: Path) -> None:
    """What came before in the partition has been handled, and a mended handler goes on from there."""
    applied(KafkaSettings.model_validate(kafka.model_dump() | {"partitions": 1}), "sales")
    log, inbox = Log(), tmp_path / "inbox.db"
    Publisher(kafka).publish([log.paid(number, "1.00") for number in range(1, 6)])

    def refuse(event: Event) -> None:
        if event.envelope.stream.int == 3:
            raise Poison("three is not a number")

    with pytest.raises(Stuck, match=r"PaymentReceived\.v1 at offset 2 of .* cannot be handled: three is not a number"):
        keeping_seen(a_consumer(kafka, inbox), refuse).run(to_end=True)
    assert seen(inbox) == {(1, 1), (2, 1)}
    keeping_seen(a_consumer(kafka, inbox)).run(to_end=True)
    assert len(seen(inbox)) == 5


def test_events_that_are_gone_before_they_were_read_end_it(kafka: KafkaSettings, tmp_path: Path) -> None:
    """Neither a consumer that fell behind nor a new one silently begins in the middle."""
    applied(KafkaSettings.model_validate(kafka.model_dump() | {"partitions": 1}), "sales")
    log, publisher, inbox = Log(), Publisher(kafka), tmp_path / "inbox.db"
    publisher.publish([log.paid(1, "1.00")])
    keeping_paid(a_consumer(kafka, inbox)).run(to_end=True)
    publisher.publish([log.paid(2, "1.00"), log.paid(3, "1.00")])
    with KafkaAdminClient(bootstrap_servers=kafka.bootstrap) as admin:
        admin.delete_records({TopicPartition(events_topic(kafka.prefix, "sales"), 0): 3})
    for where in (inbox, tmp_path / "new.db"):
        with pytest.raises(Hole, match="no longer there"):
            keeping_paid(a_consumer(kafka, where)).run(to_end=True)
    assert paid(inbox) == {1: "1.00"}


def test_a_topic_that_was_made_again_ends_it(kafka: KafkaSettings, tmp_path: Path) -> None:
    """Even if the new one has more events than the old one had."""
    applied(kafka, "sales")
    Publisher(kafka).publish([Log().paid(1, "1.00")])
    inbox = tmp_path / "inbox.db"
    keeping_paid(a_consumer(kafka, inbox)).run(to_end=True)
    topic = events_topic(kafka.prefix, "sales")
    with KafkaAdminClient(bootstrap_servers=kafka.bootstrap) as admin:
        admin.delete_topics([topic])
        comes_true(lambda: topic not in admin.list_topics())
    applied(kafka, "sales")
    log = Log()
    Publisher(kafka).publish([log.paid(number, "5.00") for number in range(50)])
    with pytest.raises(OtherTopic, match="deleted and made again"):
        keeping_paid(a_consumer(kafka, inbox)).run(to_end=True)
    assert paid(inbox) == {1: "1.00"}


def test_topics_are_never_made_by_reading(kafka: KafkaSettings, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=f"no topic {kafka.prefix}.sales.events.v1"):
        keeping_paid(a_consumer(kafka, tmp_path / "inbox.db")).run(to_end=True)
    applied(kafka, "sales")
    with pytest.raises(Refused, match=f"no topic {kafka.prefix}.g.dead.v1"):
        keeping_paid(a_consumer(kafka, tmp_path / "inbox.db", dead_letters=True)).run(to_end=True)


@pytest.mark.parametrize("name", ["group_id", "enable_auto_commit", "isolation_level", "no_such_setting"])
def test_settings_that_exactly_once_stands_on_are_not_the_callers(
    kafka: KafkaSettings, tmp_path: Path, name: str
) -> None:
    applied(kafka, "sales")
    with pytest.raises(Misuse, match=name):
        keeping_paid(a_consumer(kafka, tmp_path / "inbox.db", kafka={name: "x"})).run(to_end=True)


def test_a_broker_that_dies_and_comes_back_is_waited_for(own_broker: OwnBroker, tmp_path: Path) -> None:
    """By one that is at work and by one that starts meanwhile; an effect that came twice would break the key."""
    kafka = applied(settings_for(own_broker), "sales")
    log, inbox = Log(), tmp_path / "inbox.db"
    late, publisher = tmp_path / "late.db", Publisher(kafka)
    with running(keeping_seen(a_consumer(kafka, inbox, batch=10))):
        publisher.publish([log.paid(number, "1.00") for number in range(300)])
        comes_true(lambda: bool(seen(inbox)))
        own_broker.kill()
        with running(keeping_seen(a_consumer(kafka, late, group="late"))):
            own_broker.start()
            Publisher(kafka).publish([log.paid(number, "2.00") for number in range(50)])
            comes_true(lambda: len(seen(inbox)) == len(log.events) == len(seen(late)))


def test_while_no_broker_answers_it_can_be_told_to_stop(tmp_path: Path) -> None:
    nobody = KafkaSettings(bootstrap=f"127.0.0.1:{free_port()}")
    inbox = tmp_path / "inbox.db"
    with running(keeping_paid(a_consumer(nobody, inbox, kafka={"bootstrap_timeout_ms": 500}))):
        comes_true(inbox.exists)
