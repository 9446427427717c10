"""Relays, brokers and databases that are killed or stand still: what is on the topics is the log, once and in order."""

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from kafka import KafkaAdminClient

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from replayhouse.ingest.synthetic import generate
from tests.support.brokers import OwnBroker, altered, applied, settings_for
from tests.support.crashes import SEED, a_seed
from tests.support.homes import AS_INSTALLED, Home
from tests.support.in_process import Warehouse
from tests.support.placed_orders import PLACED, Orders, being_placed
from tests.support.prepared import furnish
from tests.support.published import complaints
from tests.support.read_side import Log, an_id
from tests.support.relay_processes import Relays, Setting

LONGEST_S = 120.0
KILLS = 20

STATE = "SELECT state FROM publishing.relay WHERE name = 'sales'"
SESSION = "SELECT session FROM publishing.relay WHERE name = 'sales'"
PUBLISHED = "SELECT position FROM publishing.relay WHERE name = 'sales'"


@pytest.fixture
def relays(database: Database, kafka: KafkaSettings) -> Iterator[Relays]:
    relays = Relays(Setting(database.url, applied(kafka)))
    yield relays
    relays.end()


@pytest.fixture
def chance() -> random.Random:
    seed = a_seed()
    print(f"To repeat, set {SEED}={seed}")
    return random.Random(seed)


@pytest.fixture
def orders(conn: psycopg.Connection) -> Orders:
    return Orders(conn)


def until(is_so: Callable[[], bool]) -> None:
    """Waits for something, for two minutes at most."""
    deadline = time.monotonic() + LONGEST_S
    while not is_so():
        assert time.monotonic() < deadline, f"not within {LONGEST_S:.0f} s"
        time.sleep(0.02)


def shows(conn: psycopg.Connection, query: str, value: object) -> Callable[[], bool]:
    return lambda: conn.execute(query.encode()).fetchone() == (value,)


def test_killed_at_any_moment_a_relay_leaves_nothing_out_and_sends_nothing_twice(
    relays: Relays, orders: Orders, database: Database, chance: random.Random
) -> None:
    orders.place(1_000)  # so many that each of them is at work when it is killed
    with being_placed(database, orders):
        for number in range(KILLS):
            transactions = chance.randrange(1, 8)
            if number % 3 == 0:  # at any moment of its start, or later
                process = relays.start()
                time.sleep(chance.uniform(0.1, 2.0))
            else:  # at moments so short that chance seldom meets them
                moment = "stops_in" if number % 3 == 1 else "stops_after"
                process = relays.start(**{moment: transactions})
                until(process.has_stopped_itself)
            process.kill()
    relays.run()
    assert complaints(relays.setting.kafka, database, ["sales"]) == []


def test_killed_in_the_midst_of_a_transaction_a_relay_takes_it_back(
    relays: Relays, orders: Orders, database: Database, conn: psycopg.Connection
) -> None:
    orders.place(50)
    process = relays.start(stops_in=3)
    until(process.has_stopped_itself)
    process.kill()
    relays.run()
    assert complaints(relays.setting.kafka, database, ["sales"]) == []


def test_a_broker_killed_in_the_midst_of_a_transaction_is_waited_for(
    database: Database, orders: Orders, conn: psycopg.Connection, own_broker: OwnBroker
) -> None:
    # Mostly the broker comes back later than the transaction may take; then it is undone, else it comes through.
    kafka = applied(settings_for(own_broker, transaction_seconds=5), "sales")
    relays = Relays(Setting(database.url, kafka))
    try:
        orders.place(50)
        process = relays.start(stops_in=3)
        until(process.has_stopped_itself)
        own_broker.kill()
        process.send(signal.SIGCONT)
        time.sleep(0.5)  # it is on its way to the broker that is gone
        own_broker.start()
        last = orders.place(50)
        until(shows(conn, PUBLISHED, last))
        own_broker.kill()
        orders.place(5)
        until(shows(conn, STATE, "waiting"))
        assert process.is_running()
        own_broker.start()
        until(shows(conn, PUBLISHED, orders.place(5)))
        process.end()
        assert complaints(kafka, database, ["sales"]) == []
    finally:
        relays.end()


def test_a_relay_woken_after_the_brokers_gave_up_its_transaction_goes_on(
    relays: Relays, orders: Orders, conn: psycopg.Connection, database: Database
) -> None:
    kafka = relays.setting.kafka.model_copy(update={"transaction_seconds": 5})
    last = orders.place(50)
    process = relays.start(kafka=kafka, stops_in=3)
    until(process.has_stopped_itself)
    until(lambda: not has_open_transaction(kafka))
    process.send(signal.SIGCONT)
    until(shows(conn, PUBLISHED, last))
    process.end()
    assert complaints(kafka, database, ["sales"]) == []


def has_open_transaction(kafka: KafkaSettings) -> bool:
    with KafkaAdminClient(bootstrap_servers=kafka.bootstrap) as admin:
        (found,) = admin.describe_transactions([f"{kafka.prefix}.relay.sales"]).values()
    return str(found.state) not in ("CompleteAbort", "TransactionState.COMPLETE_ABORT")


def test_a_relay_woken_after_another_one_took_over_ends_and_says_so(
    relays: Relays, orders: Orders, conn: psycopg.Connection, database: Database
) -> None:
    orders.place(50)
    first = relays.start(stops_in=3)
    until(first.has_stopped_itself)
    second = relays.start()
    until(shows(conn, STATE, "following"))
    first.send(signal.SIGCONT)
    code, said = first.result()
    assert code == 4
    assert "Another relay publishes sales now" in said
    until(shows(conn, PUBLISHED, orders.place(10)))
    second.end()
    assert complaints(relays.setting.kafka, database, ["sales"]) == []


def test_while_a_load_runs_relays_are_killed_and_publish_all_of_it(
    relays: Relays, database: Database, tmp_path: Path, chance: random.Random
) -> None:
    generate(tmp_path / "extract", 250, 7, None, 1)
    contexts = ("sales", "fulfillment", "customer", "marketplace", "quality")
    is_loaded = threading.Event()

    def kill_again_and_again() -> None:
        while not is_loaded.is_set():
            process = relays.start(contexts=contexts)
            time.sleep(chance.uniform(0.5, 2.0))
            process.kill()

    thread = threading.Thread(target=kill_again_and_again)
    thread.start()
    try:
        Warehouse(database, tmp_path / "home").run("ingest", tmp_path / "extract", "--no-project")
    finally:
        is_loaded.set()
        thread.join()
    assert relays.start(contexts=contexts, follow=False, events_a_transaction=1_000).result() == (0, "")
    assert complaints(relays.setting.kafka, database) == []


def test_brokers_that_stay_away_are_an_answer_once_patience_ends(database: Database, orders: Orders) -> None:
    nowhere = KafkaSettings(bootstrap="127.0.0.1:9", prefix="nowhere")
    relays = Relays(Setting(database.url, nowhere, follow=False, patience=0.1))
    code, said = relays.start().result()
    assert code == 3
    assert "No broker answers at 127.0.0.1:9" in said


def test_a_message_larger_than_the_topic_takes_is_an_answer(
    relays: Relays, orders: Orders, conn: psycopg.Connection, kafka: KafkaSettings
) -> None:
    following = relays.start(events_a_transaction=1, keeps_facts=True)
    until(shows(conn, STATE, "following"))
    topic = altered(kafka, "sales", max_message_bytes="600")
    until(lambda: orders.place(1) > 0 and not following.is_running())  # the brokers tell of it before they mind it
    code, said = following.result()
    assert code == 1, said
    assert f"bytes for {topic}" in said
    assert "raise max.message.bytes" in said

    code, said = relays.start().result()
    assert code == 2, "a topic that takes too little is refused at the start"
    assert f"{topic} has max.message.bytes 600" in said


def test_a_database_that_goes_away_is_waited_for_and_a_second_relay_ends_the_first(
    tmp_path: Path, prepared: Path, kafka: KafkaSettings
) -> None:
    applied(kafka, "sales")
    settings = {"REPLAYHOUSE_KAFKA_BOOTSTRAP": str(kafka.bootstrap), "REPLAYHOUSE_KAFKA_PREFIX": kafka.prefix}
    home = Home(tmp_path / "home", AS_INSTALLED)
    furnish(home.path, prepared)
    try:
        home.server.start()
        first = home.start("publish", "sales", "--follow", "--json", **settings)
        with home.connected() as conn:
            until(shows(conn, PUBLISHED, Orders(conn).place(1)))
            session = conn.execute(SESSION).fetchone()
        home.server.stop()
        until(lambda: "Waiting" in first.told())
        home.server.start()
        with home.connected() as conn:
            until(shows(conn, STATE, "following"))
            second = home.start("publish", "sales", "--follow", "--json", **settings)
            until(lambda: conn.execute(SESSION).fetchone() != session)
            until(shows(conn, STATE, "following"))
            last = Log(conn).append("sales", an_id(7), PLACED)
            done = first.result()
            until(shows(conn, PUBLISHED, last))
        assert done.code == 4, done
        assert "Another relay publishes sales now" in done.document["error"]
        second.kill(signal.SIGTERM)
        done = second.result()
        assert (done.code, done.document["contexts"]["sales"]["position"]) == (0, last), done
    finally:
        home.halt()
