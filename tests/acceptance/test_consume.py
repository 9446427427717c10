"""`consume`: what those see who consume the topics, and the star schema folded from the topics alone."""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.publishing.names import positions_topic
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.oracle.lines import a_customer, an_order
from tests.support.brokers import applied, deleted
from tests.support.cli import CONTEXTS, PROGRAM, Done
from tests.support.crashes import SEED, a_seed
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, adding, changed, write
from tests.support.forked import FORKED
from tests.support.homes import Command
from tests.support.in_process import Warehouse, refused
from tests.support.kafka_log import logged, placed, send, send_log

TIMEOUT_S = 120
KILLS = 5


def on(kafka: KafkaSettings) -> dict[str, str]:
    """The environment of commands that are to use these topics."""
    return {"REPLAYHOUSE_KAFKA_BOOTSTRAP": str(kafka.bootstrap), "REPLAYHOUSE_KAFKA_PREFIX": kafka.prefix}


class Consumer:
    """Commands of somebody who has nothing of the publisher's but the topics."""

    def __init__(self, warehouse: Warehouse, kafka: KafkaSettings) -> None:
        self._warehouse = warehouse
        self._settings = on(kafka)

    def run(self, *arguments: str | Path) -> Done:
        return self._warehouse.run("consume", *arguments, **self._settings)

    def json(self, *arguments: str | Path) -> Any:
        done = self.run(*arguments, "--json")
        assert done.code == 0, done
        return done.document


@pytest.fixture
def publisher(server: EmbeddedServer, tmp_path: Path) -> Iterator[Warehouse]:
    with copied(server) as database:
        yield Warehouse(database, tmp_path / "publisher")


@pytest.fixture
def elsewhere(server: EmbeddedServer) -> Iterator[Database]:
    """The consumer's database: another one, whose log is empty."""
    with copied(server) as database:
        yield database


@pytest.fixture
def consumer(elsewhere: Database, kafka: KafkaSettings, tmp_path: Path) -> Consumer:
    return Consumer(Warehouse(elsewhere, tmp_path / "consumer"), kafka)


def a_story(publisher: Warehouse, folder: Path) -> None:
    """Two loads with records that cannot be read, the second of them taken back, and a person erased."""
    first = changed(
        a_good_extract(),
        customers=adding(a_customer(106, 901, "123456", "rua da ana"), a_customer(107, 905, "123456", "rua da bia")),
    )
    second = changed(first, orders=adding(an_order(8, "created")), customers=adding(a_customer(108, 901, "20000")))
    publisher.begin(write(folder / "first", first))
    publisher.json("retract", publisher.ingest(write(folder / "second", second))["batch"], "--reason", "a test")
    [(person,)] = publisher.rows("SELECT customer_id FROM customer.dim_customer WHERE zip_prefix = '01001' LIMIT 1")
    publisher.json("customer", "erase", "--yes", str(person), "--reason", "asked for it")


def publish(publisher: Warehouse, kafka: KafkaSettings) -> None:
    with publisher.database.connect("replayhouse test", autocommit=True) as conn:
        send_log(kafka, conn)


def digests_of(told: Any) -> dict[str, str]:
    return {f"{c}.{t}": d["digest"] for c, of in told["contexts"].items() for t, d in of["tables"].items()}


def live(publisher: Warehouse) -> dict[str, str]:
    return digests_of(publisher.json("digest"))


def test_the_star_schema_folded_from_the_topics_is_the_publishers(
    publisher: Warehouse, consumer: Consumer, kafka: KafkaSettings, elsewhere: Database, tmp_path: Path
) -> None:
    a_story(publisher, tmp_path)
    assert publisher.run("publish", **on(applied(kafka))).code == 0
    assert publisher.run("publish", "--verify", **on(kafka)).code == 0
    publisher.json("db", "backup", tmp_path / "log", "--keys", tmp_path / "keys")

    told = consumer.json("--rebuild", "--into", "mirror", "--keys", tmp_path / "keys")
    assert set(told) == {"contexts", "seconds", "withheld"}
    assert tuple(told["contexts"]) == CONTEXTS
    assert told["withheld"] == []
    assert digests_of(told) == live(publisher), "erased persons and the load that was taken back included"

    told = consumer.json("--rebuild", "--into", "mirror")
    differ = {table for table, digest in live(publisher).items() if digests_of(told)[table] != digest}
    assert (
        differ
        == set(told["withheld"])
        == {
            "fulfillment.fact_delivery",
            "customer.dim_customer",
            "customer.address_history",
            "customer.fact_review",
            "quality.quarantine",
        }
    )
    with elsewhere.connect("replayhouse test") as conn:
        shown = conn.execute("SELECT * FROM mirror_customer.dim_customer ORDER BY customer_id").fetchall()
        assert {(row[1], row[2]) for row in shown} == {("unknown", "unknown")}
        schemas = {n for (n,) in conn.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^(mirror|unf)'")}
    assert schemas == {f"mirror_{name}" for name in (*CONTEXTS, "shared", "mart", "masked", "regional")}
    known = publisher.rows("SELECT * FROM customer.dim_customer ORDER BY customer_id")
    assert [(row[0], *row[4:]) for row in shown] == [(row[0], *row[4:]) for row in known], "is_anonymized, too"
    assert sum(row[14] for row in shown) == 1


def test_without_keys_and_without_personal_fields_the_tables_are_the_same(
    publisher: Warehouse, consumer: Consumer, kafka: KafkaSettings, tmp_path: Path
) -> None:
    a_story(publisher, tmp_path)
    publisher.json("db", "backup", tmp_path / "log", "--keys", tmp_path / "keys")
    done = publisher.run("publish", **on(applied(kafka)), REPLAYHOUSE_KAFKA_PERSONAL="omitted")
    assert done.code == 0
    assert publisher.run("publish", "--verify", **on(kafka)).code == 0

    done = consumer.run("--rebuild", "--into", "mirror", "--keys", tmp_path / "keys")

    assert done.code == 0, done
    *tables, _, _, omission, _, withheld = done.out.splitlines()
    assert "published without personal fields" in omission
    shown = {line.split()[0].removeprefix("mirror_"): line.split()[-1] for line in tables[1:]}
    differ = {table for table, digest in live(publisher).items() if shown[table] != digest}
    assert differ == set(withheld.strip().split(", "))


def test_keys_older_than_an_erasure_do_not_undo_it_and_keys_too_old_are_told(
    publisher: Warehouse, consumer: Consumer, kafka: KafkaSettings, elsewhere: Database, tmp_path: Path
) -> None:
    publisher.begin(write(tmp_path / "first", a_good_extract()))
    publisher.json("db", "backup", tmp_path / "log", "--keys", tmp_path / "keys")
    [(person,)] = publisher.rows("SELECT customer_id FROM customer.fact_review WHERE title IS NOT NULL")
    publisher.json("customer", "erase", "--yes", str(person), "--reason", "asked for it")
    publish(publisher, applied(kafka))
    assert digests_of(consumer.json("--rebuild", "--into", "mirror", "--keys", tmp_path / "keys")) == live(publisher)

    later = changed(
        a_good_extract(), orders=adding(an_order(6, "created")), customers=adding(a_customer(106, 906, "30000"))
    )
    known = publisher.rows("SELECT position FROM event_store.head")[0][0]
    publisher.ingest(write(tmp_path / "second", later))
    with publisher.database.connect("replayhouse test", autocommit=True) as conn:
        for context in CONTEXTS:
            send(kafka, context, placed(kafka, [e for e in logged(conn, context) if e.position > known]))
    before = tables_of(elsewhere)
    done = consumer.run("--rebuild", "customer", "--into", "mirror", "--keys", tmp_path / "keys", "--json")
    refused(done, 1, "not among the keys given", "written after its events")
    assert tables_of(elsewhere) == before, "what stood there still stands, and nothing else"


def test_an_erasure_shows_in_a_copy_of_this_log_and_leaves_one_of_another_alone(
    publisher: Warehouse, elsewhere: Database, kafka: KafkaSettings, tmp_path: Path
) -> None:
    """Both warehouses have the same persons and positions; the consumer has a log of its own, and erases there."""
    extract = write(tmp_path / "extract", a_good_extract())
    theirs = Warehouse(elsewhere, tmp_path / "consumer")
    for warehouse in (publisher, theirs):
        warehouse.ingest(extract)
    publisher.json("db", "backup", tmp_path / "log", "--keys", tmp_path / "keys")
    assert publisher.run("publish", "customer", **on(applied(kafka, "customer"))).code == 0
    [(person,)] = publisher.rows("SELECT customer_id FROM customer.dim_customer ORDER BY customer_id DESC LIMIT 1")
    city = "SELECT city FROM mirror_customer.dim_customer ORDER BY customer_id DESC LIMIT 1"
    for warehouse, is_gone in ((publisher, True), (theirs, False)):
        Consumer(warehouse, kafka).json("--rebuild", "customer", "--into", "mirror", "--keys", tmp_path / "keys")
        [(before,)] = warehouse.rows(city)
        rows = warehouse.rows("SELECT * FROM mirror_customer.dim_customer ORDER BY 1")
        warehouse.json("customer", "erase", "--yes", str(person), "--reason", "asked for it")
        assert warehouse.rows(city) == [("unknown" if is_gone else before,)]
        assert (warehouse.rows("SELECT * FROM mirror_customer.dim_customer ORDER BY 1") == rows) is not is_gone


def tables_of(database: Database) -> list[Any]:
    with database.connect("replayhouse test") as conn:
        return conn.execute(
            "SELECT n.nspname, c.relname, c.oid FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'r' AND n.nspname !~ '^(pg_|information_schema)' ORDER BY 1, 2"
        ).fetchall()


def test_topics_that_do_not_hold_whole_streams_are_refused(
    publisher: Warehouse, consumer: Consumer, kafka: KafkaSettings, elsewhere: Database, tmp_path: Path
) -> None:
    publisher.begin(write(tmp_path / "first", a_good_extract()))
    with publisher.database.connect("replayhouse test", autocommit=True) as conn:
        messages = placed(kafka, logged(conn, "sales"))
    second = next(n for n, (_, message) in enumerate(messages) if dict(message.headers)["ce_streamversion"] == b"2")
    before = tables_of(elsewhere)

    def told(*tampered: Any, prefix: str) -> Done:
        harmed = kafka.model_copy(update={"prefix": f"{kafka.prefix}-{prefix}"})
        send(applied(harmed, "sales"), "sales", tampered)
        return Consumer(consumer._warehouse, harmed).run("--rebuild", "sales", "--into", "mirror", "--json")

    stream = messages[second].message.key.decode()
    lost = told(*messages[:second], *messages[second + 1 :], prefix="lost")
    refused(lost, 1, stream, "lacks its version 2", "publish --verify")
    refused(told(*messages, messages[second], prefix="twice"), 1, "came twice", stream)
    foreign = messages[3].message._replace(headers=[("ce_type", b"sales.OrderPlaced.v1")])
    refused(told(messages[3]._replace(message=foreign), prefix="foreign"), 1, "offset 0", "no ce_streamversion")
    customers = messages[3].message._replace(headers=[("ce_type", b"customer.CustomerMoved.v1")])
    refused(told(messages[3]._replace(message=customers), prefix="other"), 1, "another context")
    assert tables_of(elsewhere) == before


def test_topics_of_events_alone_are_folded_too(
    publisher: Warehouse, consumer: Consumer, kafka: KafkaSettings, tmp_path: Path
) -> None:
    """A copy of the topics that another cluster has may lack the one of positions."""
    publisher.begin(write(tmp_path / "first", a_good_extract()))
    with publisher.database.connect("replayhouse test", autocommit=True) as conn:
        send(applied(kafka, "sales"), "sales", placed(kafka, logged(conn, "sales")))
    deleted(kafka, positions_topic(kafka.prefix))
    folded = digests_of(consumer.json("--rebuild", "sales", "--into", "mirror"))
    assert folded == {table: digest for table, digest in live(publisher).items() if table.startswith("sales.")}


def orders_in(mirror: Database) -> list[Any]:
    with mirror.connect("replayhouse test") as conn:
        return conn.execute("SELECT * FROM mirror_sales.fact_order ORDER BY order_id").fetchall()


def test_a_rebuild_killed_at_any_moment_leaves_the_tables_as_they_were_and_nothing_for_the_next(
    publisher: Warehouse, consumer: Consumer, kafka: KafkaSettings, elsewhere: Database, tmp_path: Path
) -> None:
    publisher.begin(write(tmp_path / "first", a_good_extract()))
    with publisher.database.connect("replayhouse test", autocommit=True) as conn:
        send_log(applied(kafka, "sales"), conn, ["sales"])
    told = consumer.json("--rebuild", "sales", "--into", "mirror")
    before = orders_in(elsewhere)
    assert before

    seed = a_seed()
    print(f"To repeat, set {SEED}={seed}")
    chance = random.Random(seed)
    settings = {"REPLAYHOUSE_DATABASE_URL": elsewhere.url, "REPLAYHOUSE_HOME": str(tmp_path), **on(kafka)}
    rebuild = ["consume", "--rebuild", "sales", "--into", "mirror", "--json"]
    whole = Command(FORKED, rebuild, os.environ | settings)
    assert whole.result().code == 0
    longest = time.monotonic() - whole.started
    for _ in range(KILLS):
        command = Command(FORKED, rebuild, os.environ | settings)
        time.sleep(chance.uniform(0, longest))
        command.kill()
        command.result()
        assert command.left_behind() == []
        assert orders_in(elsewhere) == before
    with elsewhere.connect("replayhouse test", autocommit=True) as conn:  # however the kills fell
        conn.execute("CREATE SCHEMA IF NOT EXISTS unfinished_received")
    assert digests_of(consumer.json("--rebuild", "sales", "--into", "mirror")) == digests_of(told)
    with elsewhere.connect("replayhouse test") as conn:
        left = conn.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^unfinished'").fetchall()
    assert left == []


def test_the_newest_events_or_all_of_them_are_shown_as_they_stand_on_the_topic(
    publisher: Warehouse, consumer: Consumer, kafka: KafkaSettings, tmp_path: Path
) -> None:
    publisher.begin(write(tmp_path / "first", a_good_extract()))
    with publisher.database.connect("replayhouse test") as conn:
        events = logged(conn, "customer")
        send_log(applied(kafka, "customer"), conn, ["customer"])

    shown = consumer.json("customer", "--from-beginning")
    assert [event["position"] for event in shown] == [event.position for event in events]
    assert consumer.json("customer") == shown[-10:]
    assert consumer.json("customer", "--limit", "3") == shown[-3:]
    assert consumer.json("customer", "--limit", "3", "--from-beginning") == shown[:3]

    first, review = shown[0], next(event for event in shown if event["type"] == "customer.ReviewSubmitted.v1")
    assert set(first) == {
        *("position", "time", "recorded_at", "type", "stream", "version", "batch", "lines", "personal"),
        *("partition", "offset", "facts"),
    }
    assert (first["type"], first["version"]) == ("customer.CustomerRegistered.v1", 1)
    assert (first["facts"]["zip_prefix"], first["facts"]["city"]) == ("sealed", "sealed")
    assert first["facts"]["state"] == "SP"
    assert (review["facts"]["title"], review["facts"]["comment"]) == (None, "sealed")
    assert review["time"].endswith("-03:00")

    done = consumer.run("customer", "--limit", "1")
    assert done.code == 0
    [line] = done.out.splitlines()
    assert line.split("  ")[:1] == [f"{shown[-1]['position']:>9,}".split("  ")[0]]
    assert shown[-1]["stream"] in line
    assert not any(text in str(shown) + done.out for text in ("01001", "paulo", "atrasou"))


def test_what_cannot_be_shown_is_refused_in_plain_words(consumer: Consumer, kafka: KafkaSettings) -> None:
    refused(consumer.run("--json"), 2, "which context")
    refused(consumer.run("sales", "customer", "--json"), 2, "one at a time")
    refused(consumer.run("sales", "--json"), 2, f"no topic {kafka.prefix}.sales.events.v1", "kafka topics --apply")
    refused(consumer.run("sales", "--into", "x", "--json"), 2, "--rebuild")
    refused(consumer.run("--rebuild", "--json"), 2, "--into PREFIX")
    refused(consumer.run("--rebuild", "--follow", "--into", "x", "--json"), 2, "leave")
    refused(consumer.run("--rebuild", "--into", "1x", "--json"), 2, "no prefix")
    refused(consumer.run("--rebuild", "--into", "x", "--keys", "nowhere", "--json"), 2, "no file nowhere")


def test_the_installed_program_follows_a_topic_until_it_is_ended(
    publisher: Warehouse, kafka: KafkaSettings, tmp_path: Path
) -> None:
    publisher.begin(write(tmp_path / "first", a_good_extract()))
    with publisher.database.connect("replayhouse test") as conn:
        messages = placed(applied(kafka, "sales"), logged(conn, "sales"))
    send(kafka, "sales", messages[:5])
    environment = {**os.environ, **on(kafka), "REPLAYHOUSE_HOME": str(tmp_path)}
    command: list[str | Path] = [PROGRAM, "consume", "sales", "--from-beginning", "--follow", "--json"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        try:
            shown = [json.loads(following.stdout.readline()) for _ in range(5)]
            send(kafka, "sales", messages[5:8])
            shown += [json.loads(following.stdout.readline()) for _ in range(3)]
            following.send_signal(signal.SIGTERM)
            assert following.wait(TIMEOUT_S) == 0
            assert following.stdout.read() == ""
        finally:
            following.kill()
    positions = [int(dict(message.headers)["ce_position"]) for _, message in messages[:8]]
    assert sorted(event["position"] for event in shown) == positions
