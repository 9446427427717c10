"""The pages of things: their events, what each changed, the lines it came from, and their rows."""

import html
import json
import re
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from replayhouse.infra.audit.lineage.rows import declared_tables
from replayhouse.infra.staging.files import SOURCE_FILES
from tests.support.in_process import Warehouse

_A_KEY_OF = {
    "order": ("orders", "SELECT order_id FROM sales.fact_order ORDER BY seller_count DESC, order_id LIMIT 1"),
    "customer": ("customers", "SELECT customer_id FROM customer.dim_customer ORDER BY orders DESC, 1 LIMIT 1"),
    "seller": ("sellers", "SELECT seller_id FROM sales.fact_order_item ORDER BY 1 LIMIT 1"),
    "product": ("products", "SELECT product_id FROM sales.fact_order_item ORDER BY 1 LIMIT 1"),
    "review": ("reviews", "SELECT review_id FROM customer.fact_review ORDER BY 1 LIMIT 1"),
    "shipment": ("shipments", "SELECT order_id FROM fulfillment.fact_delivery ORDER BY 1 LIMIT 1"),
}
_LINE = re.compile(r'<div class="csv" id="line-(\w{8})-(\w+)-(\d+)"><b>[^<]*</b>([^<]*)</div>')


_FILES = """
    SELECT f.file, f.rows, (
        SELECT count(*) FROM event_store.row_fingerprint AS seen
        JOIN event_store.batch AS b USING (batch_seq) WHERE b.batch_id = f.batch_id AND seen.file = f.file
    )
    FROM quality.batch_file AS f WHERE f.batch_id = %s AND f.file <> 'geolocation' ORDER BY f.file
"""
_BUSIEST = """
    SELECT seller_id, array_agg(DISTINCT order_id)::text FROM sales.fact_order_item
    GROUP BY 1 ORDER BY count(DISTINCT order_id) DESC LIMIT 1
"""
_NUMBER = r'<td class="n">([\d,]+)</td>\s*'
_FILE_ROW = re.compile(rf'<th scope="row">(\w+)</th>{_NUMBER * 3}')
_IN_TWO_LOADS = """
    SELECT e.originator_id, max(ends.position)
    FROM event_store.sales_events AS e
    JOIN (
        SELECT max(notification_id) AS position FROM event_store.quality_events
        WHERE topic LIKE 'quality.BatchCompleted.%%' GROUP BY originator_id
    ) AS ends ON ends.position < e.notification_id
    WHERE e.originator_version > 1 AND EXISTS (
        SELECT FROM event_store.sales_events AS first
        WHERE first.originator_id = e.originator_id AND first.notification_id < ends.position
    )
    GROUP BY e.originator_id ORDER BY 1 LIMIT 1
"""
_WITH_A_REVIEW = """
    SELECT c.customer_id, c.zip_prefix, c.city, r.order_id
    FROM customer.fact_review AS r JOIN customer.dim_customer AS c USING (customer_id)
    WHERE r.comment IS NOT NULL AND c.alias_count = 1 ORDER BY 1 LIMIT 1
"""


def a_key(warehouse: Warehouse, kind: str) -> UUID:
    """The id of some thing of a kind."""
    [(key,)] = warehouse.rows(_A_KEY_OF[kind][1])
    return UUID(str(key))


def page_of(client: TestClient, path: str, **query: str) -> str:
    """The text of a page that must be there."""
    response = client.get(path, params=query or None)
    assert response.status_code == 200, response.text
    return response.text


def lines_of(loaded: Warehouse, text: str) -> list[tuple[str, str]]:
    """The lines that a page shows in full, each with what stands in the file of its load at that line."""
    batches = loaded.rows("SELECT batch_id, origin FROM event_store.batch")
    folders = {str(batch)[:8]: Path(str(origin)) for batch, origin in batches}
    found = []
    for batch, file, number, shown in _LINE.findall(text):
        stands = (folders[batch] / SOURCE_FILES[file].name).read_text().split("\n")
        found.append((html.unescape(shown), stands[int(number) - 1]))
    return found


@pytest.mark.parametrize("kind", list(_A_KEY_OF))
def test_a_page_shows_every_event_with_its_position_and_lines(client: TestClient, loaded: Warehouse, kind: str) -> None:
    key = a_key(loaded, kind)
    response = client.get(f"/{_A_KEY_OF[kind][0]}/{key.hex}")
    events: list[Any] = loaded.json("audit", "history", kind, str(key))
    assert response.status_code == 200
    assert response.headers["cache-control"] == "no-store"
    for event in events:
        assert f'href="/log/{event["position"]}"' in response.text
    shown = lines_of(loaded, response.text)
    assert shown
    assert all(told == stands for told, stands in shown)


@pytest.mark.parametrize("kind", list(_A_KEY_OF))
def test_the_rows_beside_the_events_are_those_of_the_read_model(
    client: TestClient, loaded: Warehouse, kind: str
) -> None:
    key = a_key(loaded, kind)
    told = client.get(f"/api/things/{kind}/{key}").json()
    assert told["rows"]
    for row in told["rows"]:
        table = declared_tables()[row["table"]]
        by = [column.name for column in table.primary_key.columns]
        where = " AND ".join(f"{column}::text = %s" for column in by)
        [(stands,)] = loaded.rows(
            f"SELECT row_to_json(t)::text FROM {row['table']} AS t WHERE {where}",
            *(str(row["row"][column]) for column in by),
        )
        assert row["row"] == json.loads(str(stands))


def test_every_event_is_on_some_page_of_the_list_and_on_one_only(client: TestClient, loaded: Warehouse) -> None:
    address = f"/api/things/customer/{a_key(loaded, 'customer')}"
    whole = client.get(address).json()
    parts = [client.get(address, params={"limit": 2, "offset": at}).json() for at in range(0, whole["total"], 2)]
    assert [event for part in parts for event in part["events"]] == whole["events"]
    assert len(whole["events"]) == whole["total"] > 2


def test_as_they_happened_events_stand_by_business_time(client: TestClient, loaded: Warehouse) -> None:
    address = f"/api/things/customer/{a_key(loaded, 'customer')}"
    learnt = client.get(address).json()["events"]
    happened = client.get(address, params={"order": "happened"}).json()["events"]
    times = [event["occurred_at"] or "" for event in happened]
    assert times == sorted(times)
    assert sorted(happened, key=lambda event: event["position"]) == learnt


def test_what_a_moment_does_not_see_is_marked_and_not_in_the_row(client: TestClient, loaded: Warehouse) -> None:
    [(order, seen)] = loaded.rows(_IN_TWO_LOADS)
    address = f"/api/things/order/{order}"
    told = client.get(address, params={"at": seen}).json()
    assert {event["later"] for event in told["events"] if event["position"] > int(str(seen))} == {"learnt"}
    assert {event["later"] for event in told["events"] if event["position"] <= int(str(seen))} == {None}
    [row] = [row["row"] for row in told["rows"] if row["table"] == "sales.fact_order"]
    assert row["position"] == max(event["position"] for event in told["events"] if event["later"] is None)
    assert row != client.get(address).json()["rows"][0]["row"]
    page = page_of(client, f"/orders/{order}", at=str(seen))
    assert page.count('class="unseen ') == sum(event["later"] is not None for event in told["events"])
    assert f'href="/log/{row["position"]}?at={seen}"' in page
    before = client.get(address, params={"at": "1"}).json()
    assert before["rows"] == []
    assert "nothing is known of it" in page_of(client, f"/orders/{order}", at="1")


def test_by_business_time_what_happened_later_is_marked(client: TestClient, loaded: Warehouse) -> None:
    key = a_key(loaded, "order")
    placed = client.get(f"/api/things/order/{key}").json()["events"][0]["occurred_at"]
    told = client.get(f"/api/things/order/{key}", params={"by": placed[:10]}).json()
    later = [event for event in told["events"] if event["occurred_at"][:10] > placed[:10]]
    assert later
    assert {event["later"] for event in later} == {"happened"}
    assert {event["later"] for event in told["events"] if event not in later} == {None}


@pytest.mark.parametrize(("by", "later"), [("2018-01-01", {"happened"}), ("2200-01-01", {None})])
def test_by_business_time_what_was_recorded_of_a_load_later_is_marked(
    client: TestClient, loaded: Warehouse, by: str, later: set[str | None]
) -> None:
    [(load,)] = loaded.rows("SELECT batch_id FROM event_store.batch LIMIT 1")
    told = client.get(f"/api/things/batch/{load}", params={"by": by}).json()
    assert {event["later"] for event in told["events"]} == later


def test_a_correction_tells_what_was_and_is_and_taken_back_it_is_marked(
    own: Warehouse, own_client: TestClient, tmp_path: Path
) -> None:
    order, was = correct_a_price(own, tmp_path / "corrected")
    page = page_of(own_client, f"/orders/{order}")
    assert re.search(
        rf'<p class="did">.*<span class="sr">was </span>{was}</s><span class="sr"> is</span> 9,876.54', page
    )
    [(corrected,)] = own.rows("SELECT position FROM event_store.head")
    assert "taken back with its load" not in page
    own.json("retract", "corrected", "--reason", "the wrong price")
    retracted = page_of(own_client, f"/orders/{order}")
    assert "taken back with its load" in retracted
    assert "9,876.54" not in retracted.partition("The row of sales.fact_order")[2]
    then = page_of(own_client, f"/orders/{order}", at=str(corrected))
    assert "taken back with its load</span>" not in then
    assert "Taken back with its load" in then  # the event that takes back is there, as one that was learnt later
    load = page_of(own_client, "/loads/corrected")
    assert "It was taken back" in load
    assert "the wrong price" in load
    assert "It is complete" in page_of(own_client, "/loads/corrected", at=str(corrected))


def correct_a_price(warehouse: Warehouse, folder: Path) -> tuple[str, str]:
    """Loads an extract in which a line of an order has another price; the order, and the price that it had."""
    [(origin,)] = warehouse.rows("SELECT origin FROM event_store.batch ORDER BY batch_seq DESC LIMIT 1")
    shutil.copytree(str(origin), folder)
    items = folder / SOURCE_FILES["order_items"].name
    lines = items.read_text().split("\n")
    cells = lines[2].split(",")
    price = lines[0].split(",").index("price")
    was, cells[price] = Decimal(cells[price]), "9876.54"
    lines[2] = ",".join(cells)
    items.write_text("\n".join(lines))
    warehouse.ingest(folder)
    return cells[0], f"{was:,.2f}"


def test_of_who_was_erased_nothing_personal_is_shown(own: Warehouse, own_client: TestClient) -> None:
    [(person, zip_prefix, city, order)] = own.rows(_WITH_A_REVIEW)
    reviews = own_client.get(f"/api/things/order/{order}").json()["neighbours"]
    review = next(one["id"] for one in reviews if one["kind"] == "review")
    addresses = [f"/customers/{person}", f"/orders/{order}", f"/shipments/{order}", f"/reviews/{review}"]
    assert f"{zip_prefix},{city}" in page_of(own_client, addresses[0])
    [(comment,)] = own.rows("SELECT comment FROM customer.fact_review WHERE review_id = %s", review)
    own.json("customer", "erase", str(person), "--reason", "asked for it", "--yes")
    for address in addresses:
        page = page_of(own_client, address)
        assert f"{zip_prefix},{city}" not in page
        assert f">{zip_prefix}<" not in page
        assert str(comment) not in page
    page = page_of(own_client, addresses[0])
    assert "Personal data was erased here" in page
    assert '<td class="n">erased</td>' in page
    assert "Personal data erased" in page
    assert own_client.get(f"/api/things/customer/{person}").json()["erased"] is True


@pytest.mark.parametrize("kind", list(_A_KEY_OF))
def test_what_is_not_there_is_told_in_the_words_of_the_command_line(
    client: TestClient, loaded: Warehouse, kind: str
) -> None:
    place = _A_KEY_OF[kind][0]
    for key, status in (("0" * 31 + "7", 404), ("fffffff0", 404), ("zz", 400), ("abc", 400)):
        told = loaded.run("audit", "history", kind, key, "--json").document["error"]
        on_page, in_json = client.get(f"/{place}/{key}"), client.get(f"/api/things/{kind}/{key}")
        assert (on_page.status_code, in_json.status_code) == (status, status)
        assert told == in_json.json()["error"]
        assert html.escape(told, quote=False).replace("'", "&#39;") in on_page.text


def test_an_id_that_may_be_several_is_asked_to_be_written_out(own: Warehouse, own_client: TestClient) -> None:
    found = own.rows("""
        SELECT left(replace(order_id::text, '-', ''), 4) FROM sales.fact_order GROUP BY 1 HAVING count(*) > 1 LIMIT 1
    """)
    start = str(found[0][0]) if found else "0000"
    told = own.run("audit", "history", "order", start, "--json").document["error"]
    response = own_client.get(f"/api/things/order/{start}")
    assert (response.status_code, response.json()["error"]) == (400 if found else 404, told)


@pytest.mark.parametrize(
    "path",
    [
        "/orders/..%2f..%2fetc%2fpasswd",
        "/orders/%00",
        "/orders/%ff%fe",
        "/orders/abcd?from=-1",
        "/orders/abcd?order=sideways",
        "/orders/abcd?at=yesterday",
        "/loads/..%2f..",
        "/loads/%00",
        "/loads/no%20such%20load",
        "/loads/00000000000000000000000000000007",
        "/api/things/order/..%2f..",
        "/api/things/person/abcd",
        "/api/things/order/abcd?limit=0",
        "/api/things/order/abcd?limit=1000000000000000000000",
        "/api/lineage/pg_authid/1",
        "/api/lineage/fact_order/",
        "/api/lineage/fact_order_item/abcd/%00",
        "/api/lineage/fact_order_item/abcd/99999999999999999999",
        "/api/lineage/dim_geography/%00",
        "/api/lineage/mart.executive_daily/%00",
        "/api/lineage/mart.executive_daily/tomorrow",
    ],
)
def test_what_makes_no_sense_is_refused_and_no_fault_of_the_server(client: TestClient, path: str) -> None:
    assert client.get(path).status_code in (400, 404)


def test_the_lineage_of_a_row_is_that_of_the_command_line(client: TestClient, loaded: Warehouse) -> None:
    key = a_key(loaded, "order").hex
    for table, *rest in (("fact_order",), ("sales.fact_order_item", "1")):
        told = client.get("/".join(("/api/lineage", table, key, *rest)))
        assert told.headers["cache-control"] == "no-store"
        assert told.json() == loaded.json("audit", "lineage", table, key, *rest)
    assert client.get("/api/lineage/executive_daily/2018-01-05").json()["rows"][0]["day"] == "2018-01-05"


def as_number(text: str) -> int:
    """A whole number as a page shows it."""
    return int(text.replace(",", ""))


def test_the_page_of_a_load_has_the_figures_of_its_report(client: TestClient, loaded: Warehouse) -> None:
    for load in loaded.json("batches"):
        page = page_of(client, f"/loads/{load['name']}")
        assert load["batch"].replace("-", "") in page
        files = loaded.rows(_FILES, load["batch"])
        shown = [(file, *map(as_number, numbers)) for file, *numbers in sorted(re.findall(_FILE_ROW, page))]
        shown = [row for row in shown if row[0] != "geolocation"]  # samples that say the same are seen once
        assert [(file, rows, new + changed) for file, rows, new, changed in shown] == files
        counted = sum(map(as_number, re.findall(rf"</code></th>{_NUMBER}", page)))
        [(events,)] = loaded.rows("SELECT count(*) FROM event_store.log WHERE batch_id = %s", load["batch"])
        assert counted == events


def test_from_a_figure_one_comes_to_a_shipment_its_order_the_log_and_back_by_the_line(client: TestClient) -> None:
    question = page_of(client, "/questions/22")
    rows = page_of(client, first_link(question, r"/questions/22/rows[^\"]*2018-02[^\"]*"))
    shipment = page_of(client, first_link(rows, r"/shipments/\w+"))
    order = page_of(client, first_link(shipment, r"/orders/\w+"))
    assert _LINE.search(order)
    event = page_of(client, first_link(order, r"/log/\d+"))
    back = client.get(first_link(event, r"/find\?q=[^\"]+"))
    assert back.status_code == 200
    assert "What happened, and when we learnt it" in back.text


def first_link(page: str, pattern: str) -> str:
    """The first address of a page that is like this."""
    found = re.search(f'href="({pattern})"', page)
    assert found is not None, pattern
    return html.unescape(found[1])


def test_however_many_orders_a_seller_has_each_is_named_on_one_of_the_pages(
    client: TestClient, loaded: Warehouse
) -> None:
    [(seller, orders)] = loaded.rows(_BUSIEST)
    named: list[str] = []
    address: str | None = f"/sellers/{seller}"
    while address is not None:
        page = page_of(client, address)
        named += re.findall(r'class="chip" href="/orders/(\w+)"', page)
        after = re.search(r'<a href="([^"]+)" rel="next">', page)
        address = None if after is None else html.unescape(after[1])
    assert len(named) > 20
    assert sorted(map(str, map(UUID, named))) == sorted(str(orders).strip("{}").split(","))
