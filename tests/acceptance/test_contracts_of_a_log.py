"""Every event of a real log keeps the contract that consumers were given, and so does every message made of one."""

import json
from collections import Counter
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from infra.kafka.contracts.compatibility import resolved
from infra.kafka.contracts.files import CONTRACTS
from infra.kafka.contracts.headers import NAME as HEADERS
from infra.kafka.contracts.revisions import file_of
from infra.kafka.message import LoggedEvent, message_of
from infra.postgres.connection import Database
from tests.acceptance.extracts import a_good_extract, a_review, adding, changed, write
from tests.acceptance.in_process import Warehouse
from tests.databases import database, server
from tests.oracle.lines import a_customer, a_payment, an_id, an_order
from tests.unit.test_contracts import undeclared

__all__ = ["database", "server"]

FOLDER = Path(__file__).parents[2] / CONTRACTS
FORMATS = Draft202012Validator.FORMAT_CHECKER
LOG = """
    SELECT split_part(topic, '.', 1), originator_id, originator_version, topic, state, notification_id, e.batch_id,
        source, leaf, c.recorded_at
    FROM event_store.log e JOIN LATERAL (
        SELECT recorded_at FROM event_store.commit WHERE last_position >= notification_id ORDER BY last_position LIMIT 1
    ) c ON true
    ORDER BY notification_id
"""


@pytest.fixture
def log(database: Database, tmp_path: Path) -> list[LoggedEvent]:
    """What two loads, a person who is erased, decisions on rows, and a load that is taken back leave in the log."""
    warehouse = Warehouse(database, tmp_path / "home")
    lines = changed(
        a_good_extract(),
        customers=adding(a_customer(106, 905, "123456", "rua da ana"), a_customer(107, 906, "1234567", "rua da bia")),
        orders=adding(an_order(6, "unavailable")),
    )
    warehouse.ingest(write(tmp_path / "first", lines))
    row, other = (each["row"] for each in warehouse.json("quality", "quarantine"))
    warehouse.json("quality", "discard", row, "--reason", "nobody knows")
    warehouse.json("quality", "release", other, "--text", a_customer(107, 906, "12345", "rua da bia"))
    warehouse.json("customer", "erase", an_id(901), "--reason", "asked for it")
    later = changed(
        lines,
        orders=lambda some: [*some[:3], an_order(4, "delivered", placed="2017-05-02 10:00:00"), *some[4:]],
        order_payments=adding(a_payment(4, 1, "5.00")),
        order_reviews=adding(a_review(803, 3, 2, comment="demorou")),
    )
    second = warehouse.ingest(write(tmp_path / "second", later))
    warehouse.json("retract", second["batch"], "--reason", "the wrong month")
    return [
        LoggedEvent(context, stream, version, topic, bytes(state), position, batch, lines, bytes(leaf), recorded_at)
        for context, stream, version, topic, state, position, batch, lines, leaf, recorded_at in warehouse.rows(LOG)
    ]


def test_every_event_of_a_log_and_its_message_keep_their_contracts(log: list[LoggedEvent]) -> None:
    """Formats too: times of ours are UTC, times of the source are local."""
    states_keep_their_contracts(log)
    headers_keep_theirs(log)


def states_keep_their_contracts(log: list[LoggedEvent]) -> None:
    met = Counter(event.topic for event in log)
    expected = (
        "OrderPlaced Rewound CustomerAnonymized RowDiscarded RowReleased BatchRetracted AreaSurveyed ProductListed"
    )
    assert {name.split(".")[1] for name in met} >= set(expected.split())
    for topic in met:
        schema = json.loads((FOLDER / f"{file_of(topic)}.json").read_text(encoding="utf-8"))
        validator, shape = Draft202012Validator(schema, format_checker=FORMATS), resolved(schema)
        for event in (event for event in log if event.topic == topic):
            state = json.loads(event.state)
            validator.validate(state)
            assert undeclared(shape, state) == []


def headers_keep_theirs(log: list[LoggedEvent]) -> None:
    schema = json.loads((FOLDER / f"{HEADERS}.json").read_text(encoding="utf-8"))
    validator = Draft202012Validator(schema, format_checker=FORMATS)
    seen: set[str] = set()
    for event in log:
        message = message_of(event, f"/replayhouse/{event.context}".encode())
        headers = {name: text.decode() for name, text in message.headers}
        validator.validate(headers)
        assert undeclared(schema, headers) == []
        seen |= set(headers)
    assert seen | {"ce_personal"} == set(schema["properties"]), "ce_personal is what the relay knows"
