"""What is published of a real log keeps the contracts that consumers were given: events, headers, rows."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.contracts.compatibility import resolved
from replayhouse.infra.contracts.files import CONTRACTS
from replayhouse.infra.contracts.headers import NAME as HEADERS
from replayhouse.infra.contracts.revisions import file_of
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.publishing.message import LoggedEvent, message_of
from replayhouse.infra.publishing.state import Change, State
from replayhouse.projections.warehouse import PROJECTIONS
from tests.oracle.lines import a_customer, a_payment, an_id, an_order
from tests.support.extracts import a_good_extract, a_review, adding, changed, write
from tests.support.in_process import Warehouse
from tests.support.json_schemas import undeclared

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
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    """In its log: two loads, a person who is erased, decisions on rows, and a load that is taken back."""
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
    warehouse.json("customer", "erase", "--yes", an_id(901), "--reason", "asked for it")
    later = changed(
        lines,
        orders=lambda some: [*some[:3], an_order(4, "delivered", placed="2017-05-02 10:00:00"), *some[4:]],
        order_payments=adding(a_payment(4, 1, "5.00")),
        order_reviews=adding(a_review(803, 3, 2, comment="demorou")),
    )
    second = warehouse.ingest(write(tmp_path / "second", later))
    warehouse.json("retract", second["batch"], "--reason", "the wrong month")
    return warehouse


def test_what_a_log_gives_to_publish_keeps_its_contracts(warehouse: Warehouse) -> None:
    """Formats too: times of ours are UTC, times of the source are local."""
    log = [
        LoggedEvent(context, stream, version, topic, bytes(state), position, batch, lines, bytes(leaf), recorded_at)
        for context, stream, version, topic, state, position, batch, lines, leaf, recorded_at in warehouse.rows(LOG)
    ]
    states_keep_their_contracts(log)
    headers_keep_theirs(log)
    with warehouse.database.connect("replayhouse test", autocommit=True) as conn:
        for context in CONTEXTS:
            (window,) = State(conn, context, pytest.fail).windows(0, log[-1].position, len(log))
            rows_keep_theirs(context, window.changes)


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


def rows_keep_theirs(context: str, changes: list[Change]) -> None:
    """Every table has rows, and each is described column by column; so is its key."""
    messages = json.loads((FOLDER / "asyncapi.json").read_text(encoding="utf-8"))["components"]["messages"]
    met: set[str] = set()
    for change in changes:
        key = json.loads(change.key)
        message = messages[f"{context}.{key['table']}"]
        Draft202012Validator(message["payload"], format_checker=FORMATS).validate(
            change.value and json.loads(change.value)
        )
        assert message["bindings"]["kafka"]["key"]["description"] == f"JSON: {shape_of(key)}"
        if change.value is not None:
            assert list(json.loads(change.value)) == list(message["payload"]["properties"])
        met.add(key["table"])
    assert met == {table.name for table in PROJECTIONS[context].tables}


def shape_of(key: dict[str, Any]) -> str:
    columns = ",".join(f'"{name}":...' for name in key["key"])
    return f'{{"table":"{key["table"]}","key":{{{columns}}}}}'
