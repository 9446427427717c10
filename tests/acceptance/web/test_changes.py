"""The changes: what a load corrected, the figures that moved by it, and the answers that are others now."""

import html
import re

import pytest
from fastapi.testclient import TestClient

from tests.support.corrected import LOAD, SECRET, Corrected
from tests.support.in_process import Warehouse


def text_of(page: str) -> str:
    """What a person reads of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def ends(warehouse: Warehouse) -> list[int]:
    """Where the loads of a warehouse ended."""
    return [answer["position"] for answer in warehouse.json("ask", "--history", "1")["answers"]]


def test_a_corrected_price_is_told_with_both_lines_and_why_the_month_moved(corrected: Corrected) -> None:
    page = corrected.client.get("/changes").text
    shown = text_of(page)
    assert f"What the load {LOAD} changed" in shown
    became = f"price of line 1 R$ {corrected.was:.2f} became R$ {corrected.now:.2f}"
    assert f"Order {corrected.order[:8]} : {became}" in shown
    assert re.search(rf"2018-03 order_items:\d+ {LOAD} order_items:{corrected.line}\b", shown)
    assert "+100.00 a price corrected" in shown
    assert f'href="/orders/{corrected.order}"' in page
    assert f"/find?q={LOAD}%2Forder_items%3A{corrected.line}" in page


def test_the_api_tells_the_same(corrected: Corrected) -> None:
    told = corrected.client.get("/api/changes").json()
    assert corrected.client.get("/changes.json").json() == told
    assert (told["from"], told["to"]) == (corrected.before, corrected.after)
    assert [load["load"] for load in told["loads"]] == [LOAD]
    order, review = told["corrections"]
    assert (told["corrected"], order["id"], order["event"]) == (2, corrected.order, "OrderLineAmended")
    assert (review["kind"], review["id"]) == ("review", corrected.review)
    assert order["changes"] == [
        {
            "what": "price of line 1",
            "before": float(corrected.was),
            "after": float(corrected.now),
            "is_personal": False,
        }
    ]
    assert [(one["figure"], one["change"]) for one in told["moved"]] == [("Revenue", 100.0)]
    assert (told["events"]["sales.OrderLineAmended.v2"], told["lacking"]) == (1, [])


def test_that_something_personal_was_corrected_is_told_but_not_what_stands_there(corrected: Corrected) -> None:
    page, told = (corrected.client.get(path).text for path in ("/changes", "/api/changes"))
    assert f"Review {corrected.review[:8]} : title or comment corrected" in text_of(page)
    assert SECRET not in page
    assert SECRET not in told


def test_the_rows_that_changed_are_those_in_which_the_answers_differ(corrected: Corrected) -> None:
    changed = {one["question"]: one for one in corrected.client.get("/api/changes").json()["answers"]}
    counts = {}
    for number in (1, 2, 7, 22):
        new, old = (
            corrected.warehouse.json("ask", str(number), "--at", str(at))["rows"]
            for at in (corrected.after, corrected.before)
        )
        counts[number] = sum(row != was for row, was in zip(new, old, strict=True))
    assert {number: changed.get(number, {"changed": 0})["changed"] for number in counts} == counts
    assert counts[1] > 0 == counts[22]


def test_events_are_counted_between_the_two_ends(client: TestClient, loaded: Warehouse) -> None:
    first, second, third = ends(loaded)
    told = client.get("/api/changes", params={"from": first, "to": third}).json()
    assert sum(told["events"].values()) == third - first
    assert [load["position"] for load in told["loads"]] == [second, third]
    counted = loaded.rows(
        "SELECT topic, count(*) FROM event_store.log WHERE notification_id > %s AND notification_id <= %s GROUP BY 1",
        first,
        third,
    )
    assert told["events"] == dict(counted)


def test_months_that_were_over_moved_by_the_orders_delivered_since(client: TestClient, loaded: Warehouse) -> None:
    first, second, _ = ends(loaded)
    shown = text_of(client.get("/changes", params={"from": first, "to": second}).text)
    was, now = (
        {row[0]: row[1:3] for row in loaded.json("ask", "1", "--at", str(at))["rows"]} for at in (first, second)
    )
    moved = [month for month in sorted(was)[::-1] if was[month][1] != now[month][1] and month < max(now)]
    assert moved
    for month in moved:
        (_, before), (_, after) = was[month], now[month]
        assert f"{month} Revenue R$ {before:,.2f} R$ {after:,.2f}" in shown
    delivered = now[moved[0]][0] - was[moved[0]][0]
    assert f"{delivered} more order" in shown


def test_a_month_that_taking_a_load_back_opens_again_has_moved(own: Warehouse, own_client: TestClient) -> None:
    own.json("retract", "whole", "--reason", "the wrong month")
    was = {row[0]: row[2] for row in own.json("ask", "1", "--at", str(ends(own)[-1]))["rows"]}
    now = {row[0]: row[2] for row in own.json("ask", "1")["rows"]}
    own.json("ask", "all")
    newest = max(now)
    assert newest < max(was)
    assert now[newest] != was[newest]
    shown = text_of(own_client.get("/changes").text)
    assert f"{newest} Revenue R$ {was[newest]:,.2f} R$ {now[newest]:,.2f}" in shown


def test_months_of_which_no_order_is_left_are_told_as_gone(own: Warehouse, own_client: TestClient) -> None:
    was = {row[1]: row[2] for row in own.json("ask", "5")["rows"] if row[0] == "month"}
    own.json("retract", "whole", "--reason", "the wrong month")
    own.json("ask", "all")
    now = {row[1]: row[2] for row in own.json("ask", "5")["rows"] if row[0] == "month"}
    gone = was.keys() - now.keys()
    assert gone
    told = own_client.get("/api/changes").json()["moved"]
    assert {(one["month"], one["was"]) for one in told if one["figure"] == "Orders" and one["now"] is None} == {
        (month, was[month]) for month in gone
    }
    assert all(one["change"] == -one["was"] for one in told if one["now"] is None)
    newest = max(gone)
    shown = text_of(own_client.get("/changes").text)
    assert (
        f"{newest} Orders {was[newest]:,} – \N{MINUS SIGN}{was[newest]:,} no order that counts is left of it" in shown
    )


def test_events_are_told_with_and_without_those_that_tell_of_the_load(client: TestClient, loaded: Warehouse) -> None:
    load = loaded.json("batches")[-1]
    first, last = ends(loaded)[-2:]
    of_quality = last - first - load["events"]
    assert of_quality > 0
    shown = text_of(client.get("/changes").text)
    assert f"{last - first:,} events, {of_quality:,} of them of quality" in shown
    shown = text_of(client.get(f"/loads/{load['batch']}").text)
    assert f"events {last - first:,} without those of quality, as in lists of loads {load['events']:,}" in shown


def test_as_of_a_moment_of_the_past_it_is_the_load_that_was_newest(client: TestClient, loaded: Warehouse) -> None:
    first, second, _ = ends(loaded)
    page = client.get("/changes", params={"at": second}).text
    assert "What the load 2018-06 changed" in text_of(page)
    assert f"From position {first:,} to {second:,}" in text_of(page)
    told = client.get("/api/changes", params={"at": second}).json()
    assert (told["from"], told["to"]) == (first, second)


def test_the_first_load_brought_everything(client: TestClient, loaded: Warehouse) -> None:
    first = ends(loaded)[0]
    page = text_of(client.get("/changes", params={"from": 0, "to": first}).text)
    assert "What the first load, 2018-03, brought" in page
    assert client.get("/api/changes", params={"from": 0, "to": first}).json()["corrected"] == 0


def test_where_answers_are_not_kept_it_says_how_to_make_them(own: Warehouse, own_client: TestClient) -> None:
    _, second, third = ends(own)
    with own.database.connect("replayhouse test", autocommit=True) as connection:
        connection.execute("DELETE FROM read_model.answer WHERE position = %s", [second])
    page = text_of(own_client.get("/changes").text)
    assert f"replayhouse ask all --at {second}" in page
    assert own_client.get("/api/changes").json()["lacking"] == [second]
    assert own_client.get("/api/changes", params={"from": 0, "to": third}).json()["lacking"] == []


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("from=5", "No load ends at position 5."),
        ("to=999999999999999999999999", "No load ends at position 999999999999999999999999."),
        ("from=gestern", "from: "),
        ("to=-1", "to: "),
    ],
)
def test_positions_that_are_no_ends_of_loads_are_told_so(client: TestClient, query: str, told: str) -> None:
    response = client.get(f"/api/changes?{query}")
    assert response.status_code == 400
    assert told in response.json()["error"]
    page = client.get(f"/changes?{query}")
    assert page.status_code == 400
    assert told in text_of(page.text)


def test_the_wrong_way_round_is_told_so(client: TestClient, loaded: Warehouse) -> None:
    first, second, _ = ends(loaded)
    for old, new in ((second, first), (second, second)):
        response = client.get("/api/changes", params={"from": old, "to": new})
        assert response.status_code == 400
        assert f"Position {old} does not come before position {new}" in response.json()["error"]
