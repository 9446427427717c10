"""The log as people and programs see it: its commits, each event with its place in the chain, and proofs to keep."""

import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from replayhouse.infra.postgres.connection import Database
from tests.support.in_process import Warehouse
from tests.support.web import asking

TAMPER = """
    ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only;
    UPDATE event_store.sales_events SET source = 'orders:2' WHERE notification_id = {};
    ALTER TABLE event_store.sales_events ENABLE ALWAYS TRIGGER append_only
"""
SPOIL_A_COMMIT = """
    ALTER TABLE event_store.commit DISABLE TRIGGER append_only;
    UPDATE event_store.commit SET root = '' WHERE last_position = (SELECT min(last_position) FROM event_store.commit);
    ALTER TABLE event_store.commit ENABLE ALWAYS TRIGGER append_only
"""
A_PERSON = """
    SELECT notification_id, originator_id FROM event_store.customer_events
    WHERE topic LIKE 'customer.CustomerRegistered.%%' ORDER BY notification_id LIMIT 1
"""
AN_ORDER = "SELECT min(notification_id) FROM event_store.sales_events WHERE topic LIKE 'sales.OrderPlaced.%%'"


def an_order(warehouse: Warehouse) -> int:
    """The position of an event OrderPlaced."""
    [(position,)] = warehouse.rows(AN_ORDER)
    return int(str(position))


def shown_commits(text: str) -> list[tuple[int, int]]:
    """The ranges of positions in a page's table of commits."""
    found = re.findall(r'href="/log/(\d+)[^"]*">[\d,]+</a>(?: to <a class="fig" href="/log/(\d+))?', text)
    return [(int(first), int(last or first)) for first, last in found]


def all_commits(warehouse: Warehouse) -> list[tuple[Any, ...]]:
    return warehouse.rows("SELECT first_position, last_position FROM event_store.commit ORDER BY last_position DESC")


def test_the_log_tells_its_head_and_every_commit_with_its_load(client: TestClient, loaded: Warehouse) -> None:
    text = client.get("/log").text
    [(position, chain)] = loaded.rows("SELECT position, encode(chain, 'hex') FROM event_store.head")
    assert f'<dd class="hash">{chain}</dd>' in text
    assert f"{position:,} events" in text
    assert shown_commits(text) == all_commits(loaded)
    for load in ("2018-03", "2018-06", "whole"):
        assert f">{load}</a></td>" in text
    assert "The log held up to position" in text
    assert "replayhouse audit verify" in text


def test_where_there_is_no_key_the_first_step_is_to_make_one(own: Warehouse, own_client: TestClient) -> None:
    text = own_client.get("/log").text
    assert text.index("replayhouse audit keygen") < text.index("replayhouse audit checkpoint FILE")
    assert "There is no key yet to sign one." in text
    own.json("audit", "keygen")
    text = own_client.get("/log").text
    assert "audit keygen" not in text
    assert "These write one, and hold the log against it:" in text


def test_page_by_page_each_commit_comes_once(client: TestClient, loaded: Warehouse) -> None:
    found: list[tuple[int, int]] = []
    address = "/api/log?limit=3"
    while True:
        told = client.get(address).json()
        assert len(told["commits"]) <= 3
        found += [(one["first"], one["last"]) for one in told["commits"]]
        if told["before"] is None:
            break
        address = f"/api/log?limit=3&before={told['before']}"
    assert found == all_commits(loaded)
    assert told["number"] == len(found) > 3

    first = found[4][1]
    older = client.get(f"/log?before={first}").text
    assert shown_commits(older) == found[5:]
    assert 'href="/log">Newest</a>' in older


def test_a_moment_shows_the_commits_up_to_it(client: TestClient, loaded: Warehouse) -> None:
    commits = all_commits(loaded)
    text = client.get(f"/log?at={commits[3][1]}").text
    told = re.findall(r'href="/log/(\d+)\?at=\d+">', text)
    assert max(int(position) for position in told) == commits[3][1]
    assert "As known then" in text
    later = client.get(f"/log/{commits[0][1]}?at={commits[3][1]}").text
    assert "does not know this event yet" in later
    assert "does not know this event yet" not in client.get(f"/log/{commits[3][1]}?at={commits[3][1]}").text


def test_an_event_is_told_as_its_history_tells_it(client: TestClient, loaded: Warehouse) -> None:
    position = an_order(loaded)
    told = client.get(f"/api/log/{position}").json()
    [event] = [one for one in loaded.json("audit", "history", "order", told["stream"]) if one["position"] == position]
    for name in (
        "context",
        "stream",
        "version",
        "event",
        "topic",
        "occurred_at",
        "source",
        "batch",
        "facts",
        "rewound",
    ):
        assert told[name] == event[name], name
    assert (told["kind"], told["key"], told["load"]) == ("order", told["stream"], "2018-03")

    text = client.get(f"/log/{position}").text
    assert "<h1>Order placed</h1>" in text
    assert f'href="/orders/{told["key"].replace("-", "")}"' in text
    for part in told["source"].split():
        file, line = re.findall(r"^(\w+):(\d+)", part)[0]
        assert f'href="/find?q=2018-03%2F{file}%3A{line}"' in text
        assert f">{part}</a>" in text
    assert f'href="/log/{position - 1}"' in text
    assert f'href="/log/{position + 1}"' in text


def test_the_path_of_an_event_is_that_of_its_proof(client: TestClient, loaded: Warehouse) -> None:
    position = an_order(loaded)
    told = client.get(f"/api/log/{position}").json()
    proof = loaded.run("audit", "prove", str(position)).document
    assert [step["hash"] for step in told["path"]] == proof["path"]
    assert told["path"][-1]["makes"] == told["commit"]["root"] == proof["commit"]["root"]
    assert told["commit"]["chain_before"] == proof["chain_before"]
    assert told["later_commits"] == len(proof["later_commits"])
    text = client.get(f"/log/{position}").text
    for step in told["path"]:
        assert f'joined on its {step["side"]} with</b><span class="hash">{step["hash"]}' in text
    for value in (told["leaf"], told["commit"]["root"], told["commit"]["chain"]):
        assert f'<span class="hash">{value}</span>' in text


def test_a_proof_that_was_downloaded_is_accepted_and_with_a_byte_changed_it_is_not(
    client: TestClient, loaded: Warehouse, tmp_path: Path
) -> None:
    position = an_order(loaded)
    page = client.get(f"/log/{position}").text
    [address] = re.findall(r'href="([^"]+)" download', page)
    response = client.get(address)
    assert response.headers["content-disposition"] == f'attachment; filename="event-{position}.proof"'
    assert response.content == loaded.run("audit", "prove", str(position)).out.encode()

    file = tmp_path / "event.proof"
    file.write_bytes(response.content)
    done = loaded.run("audit", "check-proof", file, "--untrusted", "--json")
    assert (done.code, done.document["valid"], done.document["position"]) == (0, True, position)
    key, kept = {"REPLAYHOUSE_SIGNING_KEY": str(tmp_path / "key")}, tmp_path / "kept"
    assert loaded.run("audit", "keygen", **key).code == 0
    assert loaded.run("audit", "checkpoint", kept, **key).code == 0
    vouched = loaded.run("audit", "check-proof", file, "--checkpoint", kept, "--json", **key)
    assert (vouched.code, vouched.document["trusted"]) == (0, True)
    at = response.content.index(b"OrderPlaced")
    file.write_bytes(response.content[:at] + b"o" + response.content[at + 1 :])
    done = loaded.run("audit", "check-proof", file, "--untrusted", "--json")
    assert (done.code, done.document["valid"]) == (1, False)


def test_beside_each_page_the_same_stands_as_json(client: TestClient) -> None:
    for page in ("log", "log/7", "quality", "quality/whole"):
        beside = client.get(f"/{page}.json")
        assert (beside.status_code, beside.json()) == (200, client.get(f"/api/{page}").json()), page
    missing = client.get("/log/0.json")
    assert (missing.status_code, list(missing.json())) == (404, ["error"])


@pytest.mark.parametrize("path", ["/log/{}", "/api/log/{}", "/api/log/{}/proof"])
@pytest.mark.parametrize(
    ("position", "status", "words"),
    [
        ("0", 404, "The log has no position 0: positions run from 1 to"),
        ("-1", 404, "The log has no position -1"),
        ("999999999999999999999", 404, "The log has no position 999,999,999,999,999,999,999"),
        ("x", 400, "position: "),
        ("1.5", 400, "position: "),
    ],
)
def test_a_position_that_is_none_is_answered_plainly(
    client: TestClient, path: str, position: str, status: int, words: str
) -> None:
    response = client.get(path.format(position))
    assert response.status_code == status
    assert words in response.text


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/log?before=0", "before: "),
        ("/api/log?before=x", "before: "),
        ("/api/log?limit=0", "limit: "),
        ("/log?at=nowhere", "There is nothing called"),
        ("/log?at=999999999", "The log has no position 999,999,999"),
        ("/log/1?at=nowhere", "There is nothing called"),
    ],
)
def test_what_makes_no_sense_is_told(client: TestClient, address: str, words: str) -> None:
    response = client.get(address)
    assert response.status_code == 400
    assert words in response.text


def test_an_event_that_was_changed_is_shown_to_nobody_as_if_it_held(own: Warehouse, own_client: TestClient) -> None:
    position = an_order(own)
    beside = own_client.get(f"/log/{position + 1}")
    assert beside.status_code == 200
    with own.database.connect("replayhouse test", autocommit=True) as connection:
        connection.execute(TAMPER.format(position).encode())
    for path in ("/log/{}", "/api/log/{}", "/api/log/{}/proof"):
        response = own_client.get(path.format(position))
        assert response.status_code == 409, path
        assert "does not hold" in response.text


def test_a_commit_that_is_none_is_told_and_stops_nobody(own: Warehouse, own_client: TestClient) -> None:
    with own.database.connect("replayhouse test", autocommit=True) as connection:
        connection.execute(SPOIL_A_COMMIT.encode())
    [(last,)] = own.rows("SELECT min(last_position) FROM event_store.commit")
    flaw = f"the commit that ends at {last} lacks a hash: one of 32 bytes"
    assert flaw in own_client.get("/log").text
    [told] = [one for one in own_client.get("/api/log").json()["commits"] if one["flaw"]]
    assert (told["last"], told["flaw"]) == (last, flaw)
    assert own_client.get(f"/log/{last}").status_code == 409


def test_an_event_that_a_retraction_took_back_says_so(own: Warehouse, own_client: TestClient) -> None:
    [(position,)] = own.rows("SELECT max(notification_id) FROM event_store.sales_events")
    assert "counts no longer" not in own_client.get(f"/log/{position}").text
    own.json("retract", "whole", "--reason", "the wrong extract")
    assert "counts no longer" in own_client.get(f"/log/{position}").text
    assert own_client.get(f"/api/log/{position}").json()["rewound"] is True


def test_what_is_personal_is_kept_by_no_browser_and_erased_with_the_person(
    own: Warehouse, own_client: TestClient
) -> None:
    [(position, customer)] = own.rows(A_PERSON)
    before = own_client.get(f"/api/log/{position}")
    page = own_client.get(f"/log/{position}")
    assert before.headers["cache-control"] == page.headers["cache-control"] == "no-store"
    city = before.json()["facts"]["city"]
    assert f"<dd>{city}" in page.text.replace("\n", "")
    own.json("customer", "erase", "--yes", str(customer), "--reason", "asked for it")
    assert own_client.get(f"/api/log/{position}").json()["facts"]["city"] == "erased"
    assert city not in own_client.get(f"/log/{position}").text


def test_a_log_without_events_is_told_as_that(database: Database, tmp_path: Path) -> None:
    with asking(database, tmp_path / "home") as client:
        page = client.get("/log")
        assert page.status_code == 200
        assert "0 events in 0 commits" in page.text
        assert "Nobody has verified this log yet" in page.text
        assert client.get("/api/log").json()["commits"] == []
        response = client.get("/log/1")
        assert (response.status_code, "The log is empty" in response.text) == (404, True)
        quality = client.get("/quality")
        assert quality.status_code == 200
        assert "There is no load yet" in quality.text


def test_what_a_verification_found_stands_on_the_page(own: Warehouse, own_client: TestClient) -> None:
    position = an_order(own)
    with own.database.connect("replayhouse test", autocommit=True) as connection:
        connection.execute(TAMPER.format(position).encode())
    assert own.run("audit", "verify").code == 1
    assert f"does not hold from position {position:,} on" in own_client.get("/log").text
    assert own_client.get("/api/log").json()["verified"]["holds"] is False
