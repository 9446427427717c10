"""A relay on a real broker: what it publishes, where it goes on, and what it refuses."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from replayhouse.domain.customer.events import CustomerRegistered
from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.kafka.broker.node import Broker
from replayhouse.infra.kafka.cluster_client import KafkaCluster
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.publishing import relay as relaying
from replayhouse.infra.publishing.message import message_of
from replayhouse.infra.publishing.names import events_topic, positions_topic, source_of, transactional_id
from replayhouse.infra.publishing.ports import Outgoing
from replayhouse.infra.publishing.position import read_position
from replayhouse.infra.publishing.relay import Order
from replayhouse.infra.publishing.threads import Published, run_relays
from replayhouse.infra.runtime.errors import Conflicting, ReplayhouseError, UsageError
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.brokers import applied, deleted, settings_for, with_more_partitions
from tests.support.databases import copied
from tests.support.in_process import Warehouse, refused
from tests.support.published import complaints, logged, published
from tests.support.read_side import MONDAY, Log, a_header, a_line, a_payment, an_id

PLACED = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])
REGISTERED = CustomerRegistered(MONDAY, an_id(7), "SP", MONDAY, "01001", "são paulo")

LONGEST_S = 120.0

REGISTERED_BY_NOBODY = replace(REGISTERED, zip_prefix=None, city=None)
WITHOUT_PERSONAL_FIELDS = (
    b'{"occurred_at":"2018-01-08T10:30:00","alias":"00000000-0000-0000-0000-000000000007","state":"SP",'
    b'"placed_at":"2018-01-08T10:30:00","zip_prefix":null,"city":null}'
)


class Relays:
    """Relays from one database to the broker, one after the other."""

    def __init__(self, database: Database, kafka: KafkaSettings) -> None:
        assert kafka.bootstrap is not None
        self.database = database
        self.kafka = kafka
        self.cluster = KafkaCluster(kafka, kafka.bootstrap)
        self.told: list[str] = []
        self.stop = threading.Event()

    def run(self, *contexts: str, **order: bool) -> dict[str, Published]:
        names = contexts or ("sales",)
        self.stop = threading.Event()
        return run_relays(self.database, self.cluster, self.kafka, names, Order(**order), self.stop, self.told.append)

    def complaints(self, *contexts: str) -> list[str]:
        return complaints(self.kafka, self.database, contexts or ("sales",))

    def position(self) -> int | None:
        found = read_position(self.cluster, self.kafka.prefix, "sales")
        return None if found is None else found.position


@pytest.fixture
def relays(database: Database, kafka: KafkaSettings) -> Iterator[Relays]:
    relays = Relays(database, applied(kafka, "sales", "customer"))
    yield relays
    relays.stop.set()


def place(log: Log, first: int, count: int = 1) -> int:
    """Places that many orders; the position of the last event."""
    return log.append_all("sales", {an_id((first + n) << 100): PLACED for n in range(count)})


def test_all_events_are_published_once_and_in_order_and_later_ones_after_them(
    relays: Relays, conn: psycopg.Connection
) -> None:
    log = Log(conn)
    last = place(log, 1, 400)
    assert relays.run() == {"sales": Published(len(logged(relays.database, "sales")), last)}
    assert relays.complaints() == []
    assert relays.run() == {"sales": Published(0, last)}
    later = place(log, 401, 3)
    assert relays.run() == {"sales": Published(3 * len(PLACED), later)}
    assert relays.complaints() == []
    assert relays.position() == later


def test_contexts_are_published_side_by_side(relays: Relays, conn: psycopg.Connection) -> None:
    log = Log(conn)
    place(log, 1, 20)
    log.append_all("customer", {an_id(n): [REGISTERED] for n in range(1, 30)})
    place(log, 21, 20)
    done = relays.run("sales", "customer")
    assert done["customer"].events == 29
    assert relays.complaints("sales", "customer") == []


def test_personal_fields_leave_as_ciphertext_or_not_at_all(
    database: Database, conn: psycopg.Connection, broker: Broker
) -> None:
    Log(conn).append("customer", an_id(1), [REGISTERED, REGISTERED_BY_NOBODY])
    stored, empty = logged(database, "customer")
    for policy, leaves in (("sealed", stored.state), ("omitted", WITHOUT_PERSONAL_FIELDS)):
        settings = applied(settings_for(broker, personal=policy, partitions=1), "customer")
        Relays(database, settings).run("customer")
        ((first, second),) = published(settings, "customer")
        assert (first.personal, first.state, first.leaf) == (policy, leaves, stored.leaf)
        assert (second.personal, second.state) == (None, empty.state)


def test_a_relay_stops_once_another_one_has_taken_over(relays: Relays, conn: psycopg.Connection) -> None:
    log = Log(conn)
    place(log, 1)
    first = threading.Thread(target=lambda: ended.append(caught(relays, follow=True)), daemon=True)
    ended: list[BaseException | None] = []
    first.start()
    wait_for(conn, "following")
    assert relays.run()["sales"].events == 0
    place(log, 2)
    first.join(LONGEST_S)
    assert [type(error).__mro__[1] for error in ended] == [Conflicting]
    assert "Another relay publishes sales now" in str(ended[0])
    relays.run()
    assert relays.complaints() == []


def test_a_relay_without_work_notices_too_that_another_one_has_taken_over(
    relays: Relays, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "CHECK_SECONDS", 0.0)
    place(Log(conn), 1)
    ended: list[BaseException | None] = []
    first = threading.Thread(target=lambda: ended.append(caught(relays, follow=True)), daemon=True)
    first.start()
    wait_for(conn, "following")
    relays.run()
    first.join(LONGEST_S)
    assert "Another relay publishes sales now" in str(ended[0])


def caught(relays: Relays, **order: bool) -> BaseException | None:
    try:
        relays.run(**order)
    except ReplayhouseError as error:
        return error
    return None


def wait_for(conn: psycopg.Connection, state: str) -> None:
    """Waits until the relay of sales says that it is in a state."""
    deadline = time.monotonic() + LONGEST_S
    while conn.execute("SELECT state FROM publishing.relay WHERE name = 'sales'").fetchone() != (state,):
        assert time.monotonic() < deadline, f"not {state} in time"
        time.sleep(0.02)


def test_topics_that_are_missing_are_named(database: Database, kafka: KafkaSettings) -> None:
    with pytest.raises(UsageError, match=r"sales\.events\.v1 and .*positions\.v1: make.*kafka topics --apply"):
        Relays(database, kafka).run()


def test_added_partitions_are_noticed(relays: Relays, conn: psycopg.Connection) -> None:
    place(Log(conn), 1)
    relays.run()
    with_more_partitions(relays.kafka, "sales", 8)
    with pytest.raises(UsageError, match="has 8 partitions, and had 6"):
        relays.run()


def test_added_partitions_are_noticed_by_a_relay_that_follows(
    relays: Relays, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relaying, "CHECK_SECONDS", 0.0)
    place(Log(conn), 1)
    ended: list[BaseException | None] = []
    follower = threading.Thread(target=lambda: ended.append(caught(relays, follow=True)), daemon=True)
    follower.start()
    wait_for(conn, "following")
    with_more_partitions(relays.kafka, "sales", 8)
    follower.join(LONGEST_S)
    assert "has 8 partitions" in str(ended[0])


def test_without_its_position_a_relay_goes_on_only_if_told_to_take_it_from_the_topic(
    relays: Relays, conn: psycopg.Connection
) -> None:
    log = Log(conn)
    last = place(log, 1, 30)
    relays.run()
    remake(relays.kafka, positions_topic(relays.kafka.prefix))
    with pytest.raises(UsageError, match=rf"position {last:,}, but the relay's own position is missing.*--recover"):
        relays.run()
    place(log, 31, 5)
    assert relays.run(recover=True)["sales"].events == 5 * len(PLACED)
    assert relays.complaints() == []
    assert relays.run()["sales"].events == 0


def remake(kafka: KafkaSettings, topic: str) -> None:
    """Deletes a topic, and makes what is missing."""
    deleted(kafka, topic)
    applied(kafka, "sales", "customer")


def test_a_topic_that_was_deleted_and_made_again_is_filled_only_if_told(
    relays: Relays, conn: psycopg.Connection
) -> None:
    place(Log(conn), 1, 30)
    relays.run()
    remake(relays.kafka, events_topic(relays.kafka.prefix, "sales"))
    with pytest.raises(UsageError, match=r"deleted and made again.*--recover"):
        relays.run()
    assert relays.run(recover=True)["sales"].events == 30 * len(PLACED)
    assert relays.complaints() == []


def test_a_store_that_lacks_what_was_published_is_refused(kafka: KafkaSettings, server: EmbeddedServer) -> None:
    applied(kafka, "sales")
    with copied(server) as backup:
        with backup.connect(autocommit=True) as conn:
            place(Log(conn), 1, 10)
        with copied(server, backup) as live, live.connect(autocommit=True) as conn:
            ahead = place(Log(conn), 11, 10)
            Relays(live, kafka).run()
            assert complaints(kafka, live, ["sales"]) == []
        restored = Relays(backup, kafka)
        with pytest.raises(ReplayhouseError, match=rf"up to position {ahead:,}, and the log ends at .* older backup"):
            restored.run()
        with pytest.raises(ReplayhouseError, match="older backup"):
            restored.run(recover=True)
        with backup.connect(autocommit=True) as conn:
            place(Log(conn), 21, 30)
        for order in (False, True):
            with pytest.raises(ReplayhouseError, match="the log has another event there"):
                restored.run(recover=order)


def test_another_store_is_refused(relays: Relays, conn: psycopg.Connection, server: EmbeddedServer) -> None:
    place(Log(conn), 1, 3)
    relays.run()
    with copied(server) as other, other.connect(autocommit=True) as elsewhere:
        place(Log(elsewhere), 1, 3)
        with pytest.raises(ReplayhouseError, match="events of another log"):
            Relays(other, relays.kafka).run()


def test_what_somebody_else_wrote_on_the_topic_is_noticed(relays: Relays, conn: psycopg.Connection) -> None:
    log = Log(conn)
    last = place(log, 1)
    relays.run()
    forged = logged(relays.database, "sales")[0]._replace(position=last + 5)
    topic = events_topic(relays.kafka.prefix, "sales")
    producer = relays.cluster.producer(transactional_id(relays.kafka.prefix, "somebody"))
    producer.start()
    producer.publish([Outgoing(topic, *message_of(forged, source_of(relays.kafka.prefix, "sales").encode()))])
    producer.close()
    with pytest.raises(UsageError, match=rf"up to position {last + 5:,}, and the relay has published up to {last:,}"):
        relays.run()


def test_status_tells_of_relays_once_there_are_any(relays: Relays, conn: psycopg.Connection, tmp_path: Path) -> None:
    log, warehouse = Log(conn), Warehouse(relays.database, tmp_path)
    place(log, 1)
    assert "relays" not in warehouse.json("status")
    relays.run()
    told = warehouse.json("status")["relays"]["sales"]
    assert (told["state"], told["lag"], told["lag_seconds"], told["error"]) == ("ended", 0, 0.0, None)
    last = place(log, 2, 2)
    told = warehouse.json("status")["relays"]["sales"]
    assert (told["position"], told["lag"]) == (last - 2 * len(PLACED), 2 * len(PLACED))
    assert 0 < told["lag_seconds"] < LONGEST_S
    assert "ended" in warehouse.run("status").out


def test_the_command_publishes_and_says_how_far_it_is(relays: Relays, conn: psycopg.Connection, tmp_path: Path) -> None:
    last = place(Log(conn), 1, 2)
    settings = {
        "REPLAYHOUSE_KAFKA_BOOTSTRAP": str(relays.kafka.bootstrap),
        "REPLAYHOUSE_KAFKA_PREFIX": relays.kafka.prefix,
    }
    warehouse = Warehouse(relays.database, tmp_path)
    done = warehouse.run("publish", "sales", "--json", **settings)
    assert done.code == 0, done
    assert done.document["contexts"] == {"sales": {"events": 2 * len(PLACED), "position": last}}
    refused(warehouse.run("publish", "quality", "--json", **settings), 2, "kafka topics --apply")
    refused(warehouse.run("publish", "--json"), 3, "kafka start", "REPLAYHOUSE_KAFKA_BOOTSTRAP")
