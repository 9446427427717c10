"""`publish --verify`: whatever somebody does to a topic, the first position where it differs from the log is named."""

import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest
from kafka import KafkaAdminClient, TopicPartition

from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.application.site import Site
from replayhouse.infra.application.verify_topics import verify_topics
from replayhouse.infra.kafka.clients import kafka_python_config
from replayhouse.infra.kafka.cluster_client import KafkaCluster
from replayhouse.infra.kafka.comparison import Difference, Verified
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.publishing.names import events_topic, positions_topic
from replayhouse.infra.publishing.position import Position, record_of
from replayhouse.infra.publishing.relay import Order
from replayhouse.infra.publishing.threads import run_relays
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from replayhouse.infra.runtime.settings import load_settings
from replayhouse.infra.runtime.telling import tell_nobody
from tests.support.brokers import applied, deleted
from tests.support.cli import CONTEXTS, Done
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse, refused
from tests.support.kafka_log import Placed, logged, omitted, placed, send, send_log, send_to
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id

Messages = list[Placed]


@pytest.fixture(scope="module")
def warehouse(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """One load and an erasure; the tests of this module change nothing in it."""
    folder = tmp_path_factory.mktemp("published")
    with copied(server) as database:
        loaded = Warehouse(database, folder / "home")
        loaded.ingest(write(folder / "extract", a_good_extract()))
        [(person,)] = loaded.rows("SELECT customer_id FROM customer.dim_customer ORDER BY customer_id DESC LIMIT 1")
        loaded.json("customer", "erase", "--yes", str(person), "--reason", "asked for it")
        yield loaded


@pytest.fixture
def log(warehouse: Warehouse) -> Iterator[psycopg.Connection]:
    with warehouse.database.connect("replayhouse test", autocommit=True) as conn:
        yield conn


def verified(database: Database, kafka: KafkaSettings, *contexts: str) -> Verified:
    settings = load_settings(database_url=database.url)
    return verify_topics(Site(settings, tell_nobody, lambda _: None, kafka), contexts)


def verify(warehouse: Warehouse, kafka: KafkaSettings, *arguments: str) -> Done:
    settings = {"REPLAYHOUSE_KAFKA_BOOTSTRAP": str(kafka.bootstrap), "REPLAYHOUSE_KAFKA_PREFIX": kafka.prefix}
    return warehouse.run("publish", *arguments, "--verify", **settings)


def test_topics_that_hold_the_log_have_its_roots_and_its_chain(
    warehouse: Warehouse, kafka: KafkaSettings, log: psycopg.Connection
) -> None:
    send_log(applied(kafka), log)

    done = verify(warehouse, kafka, "--json")

    assert done.code == 0, done
    told, status = done.document, warehouse.json("status")
    assert (told["whole"], told["difference"]) == (True, None)
    assert (told["position"], told["chain"]) == (status["position"], status["chain"])
    assert [(told["commits"],)] == warehouse.rows("SELECT count(*) FROM event_store.commit")
    assert {c: of["events"] for c, of in told["contexts"].items()} == warehouse.events()
    done = verify(warehouse, kafka)
    assert done.code == 0
    assert "each once, in order, and as it was recorded" in done.out
    assert status["chain"] in done.out


def test_without_topics_it_is_said_that_there_are_none(warehouse: Warehouse, kafka: KafkaSettings) -> None:
    refused(verify(warehouse, kafka, "--json"), 2, f"no topic {kafka.prefix}.sales.events.v1", "kafka topics --apply")
    applied(kafka)
    deleted(kafka, positions_topic(kafka.prefix))
    whole = verify(warehouse, kafka, "--json")
    assert whole.code == 0, whole
    assert {of["published"] for of in whole.document["contexts"].values()} == {None}


def test_what_is_not_published_yet_is_no_difference(
    warehouse: Warehouse, kafka: KafkaSettings, log: psycopg.Connection
) -> None:
    applied(kafka)
    events = {context: logged(log, context) for context in CONTEXTS}
    commits = warehouse.rows("SELECT last_position FROM event_store.commit ORDER BY last_position")
    [(known,), *_] = commits[len(commits) // 2 :]
    for context, of_context in events.items():
        send(kafka, context, placed(kafka, [event for event in of_context if event.position <= known]))

    found = verified(warehouse.database, kafka, *CONTEXTS)
    assert (found.difference, found.chain_position) == (None, known)
    assert found.commits == len(commits) // 2 + 1
    for context, of_context in events.items():
        published = [event for event in of_context if event.position <= known]
        compared = found.contexts[context]
        assert (compared.events, compared.position) == (len(published), published[-1].position if published else 0)

    found = verified(warehouse.database, kafka, "sales")
    assert (found.difference, found.commits) == (None, 0), "roots need all contexts"


class Tampered(NamedTuple):
    """What somebody does to the messages of a topic, and what is said of that."""

    name: str
    change: Callable[[Messages], Sequence[Placed]]
    at: Callable[[Messages], int]
    why: str

    def __str__(self) -> str:
        return self.name


VICTIM = 12
"""The message that is tampered with, by its place on the topic; others come before and behind it in its partition."""


def position(message: Placed) -> int:
    return int(dict(message.message.headers)["ce_position"])


def of_victim(messages: Messages) -> int:
    return position(messages[VICTIM])


def next_of(messages: Messages, number: int = VICTIM) -> int:
    """The next message in the partition of one."""
    return next(n for n in range(number + 1, len(messages)) if messages[n].partition == messages[number].partition)


def instead(messages: Messages, victim: Placed) -> Messages:
    return [*messages[:VICTIM], victim, *messages[VICTIM + 1 :]]


def with_value(messages: Messages) -> Messages:
    victim = messages[VICTIM]
    return instead(messages, victim._replace(message=victim.message._replace(value=victim.message.value + b" ")))


def with_leaf(messages: Messages) -> Messages:
    victim = messages[VICTIM]
    headers = [(name, b"00" * 32 if name == "ce_leaf" else value) for name, value in victim.message.headers]
    return instead(messages, victim._replace(message=victim.message._replace(headers=headers)))


def with_key(messages: Messages) -> Messages:
    victim = messages[VICTIM]
    return instead(messages, victim._replace(message=victim.message._replace(key=victim.message.key.upper() + b" ")))


def swapped(messages: Messages) -> Messages:
    found, other = list(messages), next_of(messages)
    found[VICTIM], found[other] = found[other], found[VICTIM]
    return found


def elsewhere(messages: Messages) -> Messages:
    victim = messages[VICTIM]
    return instead(messages, victim._replace(partition=(victim.partition + 1) % 6))


def copied_elsewhere(messages: Messages) -> Messages:
    victim = messages[VICTIM]
    return [*messages[: VICTIM + 1], victim._replace(partition=(victim.partition + 1) % 6), *messages[VICTIM + 1 :]]


def foreign(messages: Messages, at: int = VICTIM + 1) -> Messages:
    victim = messages[VICTIM]
    stranger = victim._replace(message=victim.message._replace(headers=[("greeting", b"hello")]))
    return [*messages[:at], stranger, *messages[at:]]


def of_the_future(messages: Messages) -> Messages:
    headers = [(n, b"99999" if n == "ce_position" else v) for n, v in messages[-1].message.headers]
    return [*messages, messages[-1]._replace(message=messages[-1].message._replace(headers=headers))]


TAMPERED = [
    Tampered("dropped", lambda m: [*m[:VICTIM], *m[VICTIM + 1 :]], of_victim, "missing"),
    Tampered("doubled", lambda m: [*m[: VICTIM + 1], *m[VICTIM:]], of_victim, "second time"),
    Tampered("doubled at the end", lambda m: [*m, m[VICTIM]], of_victim, "second time"),
    Tampered("value", with_value, of_victim, "another value"),
    Tampered("key", with_key, of_victim, "key"),
    Tampered("leaf", with_leaf, of_victim, "ce_leaf"),
    Tampered("swapped", swapped, of_victim, "order is wrong"),
    Tampered("elsewhere", elsewhere, of_victim, "belongs to partition"),
    Tampered("copied elsewhere", copied_elsewhere, of_victim, "belongs to partition"),
    Tampered("foreign", foreign, of_victim, "no event"),
    Tampered("foreign at the end", lambda m: foreign(m, len(m)), lambda _: -1, "no event"),
    Tampered("foreign at the beginning", lambda m: foreign(m, 0), lambda _: -1, "no event"),
    Tampered("of the future", of_the_future, lambda _: 99999, "the log ends at"),
]


@pytest.mark.parametrize("tampered", TAMPERED, ids=str)
def test_what_was_done_to_a_topic_is_named_with_its_position(
    warehouse: Warehouse, kafka: KafkaSettings, log: psycopg.Connection, tampered: Tampered
) -> None:
    messages = placed(applied(kafka, "sales"), logged(log, "sales"))
    next_of(messages)  # there is one: what follows in the partition matters
    send(kafka, "sales", tampered.change(messages))

    difference = verified(warehouse.database, kafka, "sales").difference

    assert difference is not None
    assert tampered.why in difference.why
    assert difference.position == tampered.at(messages) or tampered.at(messages) < 0
    assert difference.context == "sales"


def test_the_first_of_several_differences_is_named(
    warehouse: Warehouse, kafka: KafkaSettings, log: psycopg.Connection
) -> None:
    applied(kafka)
    sales, customer = placed(kafka, logged(log, "sales")), placed(kafka, logged(log, "customer"))
    send(kafka, "sales", [*sales[:15], *sales[16:]])
    send(kafka, "customer", [*customer[:-1]])
    for context in set(CONTEXTS) - {"sales", "customer"}:
        send(kafka, context, placed(kafka, logged(log, context)))

    done = verify(warehouse, kafka, "--json")
    assert (done.code, done.document["whole"]) == (1, False)
    assert done.document["difference"]["position"] == position(sales[15])
    done = verify(warehouse, kafka)
    assert done.code == 1
    assert f"first at position {position(sales[15]):,} of sales: its message is missing" in done.out


def test_messages_cut_off_at_the_end_are_missing_where_the_relay_says_that_they_were_published(
    warehouse: Warehouse, kafka: KafkaSettings, log: psycopg.Connection
) -> None:
    messages = placed(applied(kafka, "sales"), logged(log, "sales"))
    send(kafka, "sales", messages[:-1])
    assert verified(warehouse.database, kafka, "sales").difference is None, "it may not be published yet"

    topic, key, value, _ = record_of(kafka.prefix, "sales", Position(position(messages[-1]), None, 6, None))
    send_to(kafka, topic, key, value)
    found = verified(warehouse.database, kafka, "sales")
    assert found.contexts["sales"].published == position(messages[-1])
    assert found.difference is not None
    assert (found.difference.position, found.difference.where) == (position(messages[-1]), None)


def test_where_personal_fields_were_omitted_leaves_are_taken_from_the_messages(
    warehouse: Warehouse, kafka: KafkaSettings, log: psycopg.Connection
) -> None:
    applied(kafka)
    events = {context: logged(log, context) for context in CONTEXTS}
    for context, of_context in events.items():
        send(kafka, context, placed(kafka, map(omitted, of_context)))

    found = verified(warehouse.database, kafka, *CONTEXTS)
    assert found.difference is None
    assert found.chain.hex() == warehouse.json("status")["chain"]
    personal = {context: sum(e.personal is not None for e in of_context) for context, of_context in events.items()}
    assert {context: compared.omitted for context, compared in found.contexts.items()} == personal
    assert personal["customer"] > 0
    assert found.commits < len(warehouse.rows("SELECT FROM event_store.commit"))
    assert "personal fields were omitted" in verify(warehouse, kafka).out


def test_what_was_left_out_of_an_omitted_event_must_be_personal(
    warehouse: Warehouse, kafka: KafkaSettings, log: psycopg.Connection
) -> None:
    events = [omitted(event) for event in logged(log, "customer")]
    victim = next(n for n, event in enumerate(events) if event.personal == "omitted" and b'"state":"SP"' in event.state)
    events[victim] = events[victim]._replace(state=events[victim].state.replace(b'"state":"SP"', b'"state":null'))
    send(applied(kafka, "customer"), "customer", placed(kafka, events))
    difference = verified(warehouse.database, kafka, "customer").difference
    assert difference is not None
    assert difference.position == events[victim].position


def test_an_event_changed_in_the_log_after_it_was_published_is_found(
    server: EmbeddedServer, kafka: KafkaSettings, tmp_path: Path
) -> None:
    with copied(server) as database:
        Warehouse(database, tmp_path / "home").ingest(write(tmp_path / "extract", a_good_extract()))
        with database.connect("replayhouse test", autocommit=True) as conn:
            events = logged(conn, "sales")
            send(applied(kafka, "sales"), "sales", placed(kafka, events))
            conn.execute("ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only")
            change = "UPDATE event_store.sales_events SET leaf = %s WHERE notification_id = %s"
            conn.execute(change, [bytes(32), events[7].position])
        assert verified(database, kafka, "sales").difference == Difference(
            "sales",
            events[7].position,
            f"the header ce_leaf of its message is '{events[7].leaf.hex()}' and must be '{'00' * 32}'",
            differing(database, kafka),
        )


def differing(database: Database, kafka: KafkaSettings) -> Any:
    found = verified(database, kafka, "sales").difference
    return None if found is None else found.where


def test_what_retention_has_removed_is_no_difference_but_told(
    warehouse: Warehouse, kafka: KafkaSettings, log: psycopg.Connection
) -> None:
    messages = placed(applied(kafka, "sales"), logged(log, "sales"))
    send(kafka, "sales", messages)
    partition = messages[VICTIM].partition
    of_partition = [n for n, message in enumerate(messages) if message.partition == partition]
    topic = TopicPartition(events_topic(kafka.prefix, "sales"), partition)
    with KafkaAdminClient(**kafka_python_config(kafka, str(kafka.bootstrap))) as admin:
        admin.delete_records({topic: 2})

    found = verified(warehouse.database, kafka, "sales")
    assert found.difference is None
    assert (found.contexts["sales"].expired, found.contexts["sales"].events) == (2, len(messages) - 2)
    assert len(of_partition) > 2


def test_beside_a_relay_that_follows_the_log_nothing_seems_to_differ(
    server: EmbeddedServer, kafka: KafkaSettings
) -> None:
    applied(kafka, "sales")
    stop = threading.Event()
    with copied(server) as database, database.connect("replayhouse test", autocommit=True) as conn:
        cluster, told = KafkaCluster(kafka, str(kafka.bootstrap)), list[str]()
        order = Order(follow=True)
        relay = threading.Thread(
            target=run_relays, args=(database, cluster, kafka, ["sales"], order, stop, told.append)
        )
        appending = threading.Thread(target=append_orders, args=(Log(conn), stop))
        for thread in (relay, appending):
            thread.start()
        try:
            found = [verified(database, kafka, "sales")]
            while len(found) < 4 or found[-1].contexts["sales"].events == found[0].contexts["sales"].events:
                found.append(verified(database, kafka, "sales"))
        finally:
            stop.set()
            for thread in (appending, relay):
                thread.join()
        assert [of.difference for of in found] == [None] * len(found)
        run_relays(database, cluster, kafka, ["sales"], Order(), threading.Event(), told.append)
        last = verified(database, kafka, "sales")
        assert (last.difference, last.contexts["sales"].events) == (None, len(logged(conn, "sales")))


def append_orders(log: Log, stop: threading.Event) -> None:
    placed_order = observe(NEW_ORDER, None, a_header(), [a_line()], [a_payment()])
    for number in count(1):
        log.append("sales", an_id(number << 100), placed_order)
        if stop.wait(0.002):
            return


def test_verify_and_publishing_exclude_each_other(warehouse: Warehouse, kafka: KafkaSettings) -> None:
    done = verify(warehouse, kafka, "--follow", "--json")
    assert (done.code, list(done.document)) == (2, ["error"])
