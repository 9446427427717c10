"""The topic of a context's rows: keeping the newest of each key gives the tables, whatever happened on the way."""

import random
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg.rows import dict_row

from replayhouse.infra.kafka.broker.node import Broker
from replayhouse.infra.kafka.cluster_client import KafkaCluster
from replayhouse.infra.kafka.producer import ConfluentProducer
from replayhouse.infra.kafka.topics import make_topics
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.publishing import relay as relaying
from replayhouse.infra.publishing.channel import Rows
from replayhouse.infra.publishing.names import state_topic
from replayhouse.infra.publishing.ports import Outgoing, Uncertain
from replayhouse.infra.publishing.relay import Order
from replayhouse.infra.publishing.threads import Published, run_relays
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from replayhouse.ingest.synthetic import generate
from replayhouse.projections.projection import personal_columns
from replayhouse.projections.warehouse import PROJECTIONS
from tests.oracle.lines import a_customer, an_order
from tests.support.brokers import applied, deleted, settings_for
from tests.support.crashes import SEED, a_seed
from tests.support.extracts import a_good_extract, adding, changed, write
from tests.support.in_process import Warehouse
from tests.support.published import committed_messages
from tests.support.read_side import Log
from tests.support.relay_processes import Relays, Setting

KILLS = 6

Table = dict[bytes, dict[str, Any]]


@pytest.fixture
def kafka(broker: Broker) -> KafkaSettings:
    return applied(settings_for(broker, state="sales,customer,quality"))


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


def published(database: Database, kafka: KafkaSettings, *contexts: str, recover: bool = False) -> dict[str, Published]:
    assert kafka.bootstrap is not None
    cluster, told = KafkaCluster(kafka, kafka.bootstrap), list[str]()
    order = Order(recover=recover)
    return run_relays(database, cluster, kafka, contexts, order, threading.Event(), told.append)


def on_topic(kafka: KafkaSettings, context: str) -> Table:
    """The newest row of each key, as anybody would keep them."""
    rows: Table = {}
    for messages in committed_messages(str(kafka.bootstrap), state_topic(kafka.prefix, context)):
        for message in messages:
            assert message.key is not None
            if message.value is None:
                rows.pop(message.key, None)
            else:
                rows[message.key] = msgspec.json.decode(message.value)
    return rows


def in_tables(warehouse: Warehouse, context: str) -> Table:
    """The rows of the live tables as they should stand on the topic, personal columns withheld."""
    warehouse.json("project")
    rows: Table = {}
    with psycopg.connect(warehouse.database.url, row_factory=dict_row, options="-c timezone=UTC") as conn:
        for table in PROJECTIONS[context].tables:
            keys = [str(column.name) for column in table.primary_key.columns]
            for row in conn.execute(f"SELECT * FROM {context}.{table.name}".encode()):
                told = msgspec.to_builtins(row)
                key = {"table": str(table.name), "key": {name: told[name] for name in keys}}
                rows[msgspec.json.encode(key)] = _withheld(told, personal_columns(table))
    return rows


def _withheld(row: dict[str, Any], columns: list[str]) -> dict[str, Any]:
    """`unknown` stands where a value is never null, null elsewhere."""
    nothing: Mapping[str, Any] = dict.fromkeys(("zip_prefix", "city", "city_normalised", "destination_zip"), "unknown")
    return row | {name: nothing.get(name) for name in columns}


def without_history(rows: Table) -> Table:
    """Addresses that differ in what nobody sees are one: that table is another one without keys."""
    return {key: row for key, row in rows.items() if b'"address_history"' not in key}


def test_the_newest_rows_are_those_of_the_tables_after_loads_a_retraction_and_an_erasure(
    warehouse: Warehouse, kafka: KafkaSettings, tmp_path: Path
) -> None:
    first = a_good_extract()
    second = changed(first, orders=adding(an_order(8, "created")), customers=adding(a_customer(108, 901, "20000")))

    def check(step: str) -> None:
        done = published(warehouse.database, kafka, "sales", "customer")
        assert set(done) == {"sales", "sales.state", "customer", "customer.state"}
        assert done["sales"].position == done["sales.state"].position
        for context in ("sales", "customer"):
            found, expected = on_topic(kafka, context), in_tables(warehouse, context)
            assert without_history(found) == without_history(expected), f"{context} after {step}"

    warehouse.ingest(write(tmp_path / "first", first))
    load = warehouse.ingest(write(tmp_path / "second", second))["batch"]
    check("two loads")
    assert any(b'"customer_alias":"' in key for key in on_topic(kafka, "customer"))
    warehouse.json("retract", load, "--reason", "a test")
    check("its retraction")
    [(person,)] = warehouse.rows("SELECT customer_id FROM customer.dim_customer ORDER BY customer_id DESC LIMIT 1")
    warehouse.json("customer", "erase", "--yes", str(person), "--reason", "asked for it")
    check("an erasure")
    written = on_topic(kafka, "customer").values()
    assert not any(word in str(written) for word in ("são paulo", "01001", "atrasou"))
    assert sum(row.get("is_anonymized") is True for row in written) == 1


def test_values_are_exact(warehouse: Warehouse, kafka: KafkaSettings, tmp_path: Path) -> None:
    warehouse.ingest(write(tmp_path / "first", a_good_extract()))
    published(warehouse.database, kafka, "sales", "quality")
    rows = on_topic(kafka, "sales")
    order = next(row for key, row in rows.items() if b'"fact_order"' in key and row["item_count"] == 2)
    assert (order["price"], order["freight"], order["paid"]) == ("99.90", "10.10", "110.00")
    assert Decimal(order["total"]) == Decimal("110.00")
    assert (order["placed_at"], order["is_paid"]) == ("2017-03-01T10:00:00", True)
    key = next(key for key in rows if b'"fact_order_item"' in key)
    assert list(msgspec.json.decode(key)) == ["table", "key"]
    assert list(msgspec.json.decode(key)["key"]) == ["order_id", "item_no"]
    [batch] = [row for key, row in on_topic(kafka, "quality").items() if b'"table":"batch"' in key]
    assert batch["opened_at"].endswith("Z")


def test_small_windows_and_a_commit_whose_outcome_was_lost_make_no_difference(
    warehouse: Warehouse, kafka: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each third transaction is committed, and nobody is told: the relay starts again from what it finds."""
    warehouse.ingest(write(tmp_path / "first", a_good_extract()))
    monkeypatch.setattr(relaying, "EVENTS_A_TRANSACTION", 3)
    monkeypatch.setattr(relaying, "_FIRST_PAUSE_SECONDS", 0.01)
    published_by_library, number = ConfluentProducer.publish, 0

    def losing_some_answers(producer: ConfluentProducer, messages: list[Outgoing]) -> None:
        nonlocal number
        number += 1
        published_by_library(producer, messages)
        if number % 3 == 0:
            raise Uncertain("nobody knows")

    monkeypatch.setattr(ConfluentProducer, "publish", losing_some_answers)
    published(warehouse.database, kafka, "customer")
    assert number >= 8
    assert without_history(on_topic(kafka, "customer")) == without_history(in_tables(warehouse, "customer"))


def test_killed_at_any_moment_a_relay_leaves_the_rows_of_the_tables(
    warehouse: Warehouse, kafka: KafkaSettings, tmp_path: Path
) -> None:
    seed = a_seed()
    print(f"To repeat, set {SEED}={seed}")
    chance = random.Random(seed)
    generate(tmp_path / "extract", 40, 5)
    warehouse.ingest(tmp_path / "extract")
    relays = Relays(Setting(warehouse.database.url, kafka, events_a_transaction=5))
    try:
        for _ in range(KILLS):
            process = relays.start()
            time.sleep(chance.uniform(0.2, 1.2))
            process.kill()
        relays.run()
    finally:
        relays.end()
    assert on_topic(kafka, "sales") == in_tables(warehouse, "sales")


def test_a_stream_that_cannot_be_folded_stops_no_other(
    database: Database, kafka: KafkaSettings, warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.ingest(write(tmp_path / "first", a_good_extract()))
    whole = in_tables(warehouse, "sales")
    [(order,)] = warehouse.rows("SELECT order_id FROM sales.fact_order LIMIT 1")
    with database.connect(autocommit=True) as conn:
        conn.execute("ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only")
        conn.execute("UPDATE event_store.sales_events SET state = '{}' WHERE originator_id = %s", [order])
    cluster, told = KafkaCluster(kafka, str(kafka.bootstrap)), list[str]()
    monkeypatch.setattr(
        "replayhouse.infra.publishing.threads.channels_of", lambda kafka, contexts: [Rows(kafka, *contexts)]
    )
    run_relays(database, cluster, kafka, ["sales"], Order(), threading.Event(), told.append)
    assert any(str(order) in line and "cannot be folded" in line for line in told)
    assert on_topic(kafka, "sales") == {key: row for key, row in whole.items() if str(order).encode() not in key}


def test_a_topic_that_lost_its_rows_or_its_position_is_refused_and_filled_anew(
    warehouse: Warehouse, kafka: KafkaSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.ingest(write(tmp_path / "first", a_good_extract()))
    published(warehouse.database, kafka, "sales")
    whole = on_topic(kafka, "sales")
    topic = state_topic(kafka.prefix, "sales")
    deleted(kafka, topic)
    make_topics(kafka, str(kafka.bootstrap))

    with pytest.raises(UsageError, match="deleted and made again"):
        published(warehouse.database, kafka, "sales")
    done = published(warehouse.database, kafka, "sales", recover=True)
    assert done["sales"].events == 0
    assert done["sales.state"].events > 0
    assert on_topic(kafka, "sales") == whole
    assert published(warehouse.database, kafka, "sales", recover=True)["sales.state"].events == 0, "nothing is lost"

    sales = PROJECTIONS["sales"]
    monkeypatch.setitem(PROJECTIONS, "sales", replace(sales, version=sales.version + 1))
    for recover in (False, True):
        with pytest.raises(UsageError, match=r"another version.*Delete the topic"):
            published(warehouse.database, kafka, "sales", recover=recover)
    deleted(kafka, topic)
    make_topics(kafka, str(kafka.bootstrap))
    assert published(warehouse.database, kafka, "sales", recover=True)["sales.state"].events > 0


def test_a_context_without_that_setting_has_no_topic_of_rows(
    conn: psycopg.Connection, database: Database, broker: Broker
) -> None:
    Log(conn)
    settings = applied(settings_for(broker), "sales")
    assert set(published(database, settings, "sales")) == {"sales"}
