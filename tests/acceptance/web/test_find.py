"""Searching: what a text means, one thing or several, and what is said where it means nothing."""

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from replayhouse.infra.staging.files import SOURCE_FILES
from tests.support.in_process import Warehouse

_NEWEST = "SELECT name, batch_id, origin FROM event_store.batch WHERE kind = 'load' ORDER BY batch_seq DESC LIMIT 1"
_FIRST = "SELECT name, origin FROM event_store.batch WHERE kind = 'load' ORDER BY batch_seq LIMIT 1"
_STATE = "SELECT convert_from(state, 'UTF8') FROM event_store.log WHERE notification_id = %s"
_ALIAS = "SELECT customer_alias, customer_id FROM customer.customer_alias ORDER BY 1 LIMIT 1"
_PLACES = {
    "orders": ("orders", "order_id"),
    "order_items": ("orders", "order_id"),
    "order_payments": ("orders", "order_id"),
    "order_reviews": ("reviews", "review_id"),
    "customers": ("customers", "customer_unique_id"),
    "products": ("products", "product_id"),
    "sellers": ("sellers", "seller_id"),
}
_IDS = {
    "orders": "SELECT order_id FROM sales.fact_order ORDER BY 1 LIMIT 1",
    "customers": "SELECT customer_id FROM customer.dim_customer WHERE position > 0 ORDER BY 1 LIMIT 1",
    "reviews": "SELECT review_id FROM customer.fact_review ORDER BY 1 LIMIT 1",
    "products": "SELECT product_id FROM marketplace.product WHERE position > 0 ORDER BY 1 LIMIT 1",
    "sellers": "SELECT seller_id FROM marketplace.dim_seller WHERE position > 0 ORDER BY 1 LIMIT 1",
}


def leads_to(client: TestClient, text: str, **query: str) -> str:
    """Where a search leads; it must have found one thing."""
    response = client.get("/find", params={"q": text, **query}, follow_redirects=False)
    assert response.status_code == 303, response.text
    return response.headers["location"]


def told_of(client: TestClient, text: str) -> str:
    """The page of a search that has found several things, or none."""
    response = client.get("/find", params={"q": text}, follow_redirects=False)
    assert response.status_code == 200
    return response.text


def record_at(folder: str, file: str, line: int) -> dict[str, str]:
    """What stands at a line of an extract's file, which has no line ends in its first records."""
    lines = (Path(folder) / SOURCE_FILES[file].name).read_text().split("\n")
    return dict(zip(lines[0].split(","), lines[line - 1].split(","), strict=False))


@pytest.mark.parametrize("file", list(_PLACES))
def test_a_line_leads_to_what_its_record_is_about(client: TestClient, loaded: Warehouse, file: str) -> None:
    [(newest, _, folder)], [(first, other)] = loaded.rows(_NEWEST), loaded.rows(_FIRST)
    place, column = _PLACES[file]
    assert leads_to(client, f"{file}:3") == f"/{place}/{record_at(str(folder), file, 3)[column]}"
    assert leads_to(client, f"{newest}/{file}:3") == leads_to(client, f" {SOURCE_FILES[file].name}:3 ")
    assert leads_to(client, f"{first}/{file}:3") == f"/{place}/{record_at(str(other), file, 3)[column]}"
    assert client.get("/find", params={"q": f"{file}:3"}).status_code == 200


@pytest.mark.parametrize("file", ["geolocation", "categories"])
def test_a_line_of_what_has_no_page_leads_to_the_log(client: TestClient, loaded: Warehouse, file: str) -> None:
    place, position = leads_to(client, f"{file}:2").rsplit("/", 1)
    [(source,)] = loaded.rows(
        "SELECT state::text || convert_from(state, 'UTF8') FROM event_store.log WHERE notification_id = %s",
        int(position),
    )
    [(_, _, folder)] = loaded.rows(_NEWEST)
    record = record_at(str(folder), file, 2)
    column = "geolocation_zip_code_prefix" if file == "geolocation" else "product_category_name"
    assert place == "/log"
    assert record[column] in str(source)


@pytest.mark.parametrize("place", list(_IDS))
def test_an_id_leads_to_its_page_as_long_as_its_beginning_is_the_only_one(
    client: TestClient, loaded: Warehouse, place: str
) -> None:
    [(key,)] = loaded.rows(_IDS[place])
    digits = str(key).replace("-", "")
    assert leads_to(client, digits) == leads_to(client, str(key).upper()) == f"/{place}/{digits}"
    assert leads_to(client, digits[:14]) == f"/{place}/{digits}"
    assert client.get(f"/{place}/{digits[:14]}").status_code == 200


def test_an_alias_of_the_source_leads_to_the_person_behind_it(client: TestClient, loaded: Warehouse) -> None:
    [(alias, person)] = loaded.rows(
        "SELECT customer_alias, customer_id FROM customer.customer_alias ORDER BY 1 LIMIT 1"
    )
    assert leads_to(client, str(alias)) == f"/customers/{str(person).replace('-', '')}"


def test_a_number_is_a_position_and_may_be_a_question(client: TestClient, loaded: Warehouse) -> None:
    assert leads_to(client, "1042") == leads_to(client, "1,042") == "/log/1042"
    both = told_of(client, "22")
    assert 'href="/log/22"' in both
    assert 'href="/questions/22"' in both
    [(head,)] = loaded.rows("SELECT position FROM event_store.head")
    assert leads_to(client, str(head)) == f"/log/{head}"
    assert "Nothing found" in told_of(client, f"{int(str(head)) + 1}")


def test_a_load_is_found_by_its_name_and_its_id(client: TestClient, loaded: Warehouse) -> None:
    [(name, key, _)] = loaded.rows(_NEWEST)
    address = f"/loads/{str(key).replace('-', '')}"
    assert leads_to(client, str(name)) == leads_to(client, str(key)) == address
    assert client.get(address).status_code == 200


def test_words_lead_to_the_questions_that_have_them(client: TestClient, loaded: Warehouse) -> None:
    every = loaded.json("questions", "late", "deliveries")
    text = told_of(client, "late deliveries")
    assert len(every) > 1
    assert all(f'href="/questions/{one["question"]}"' in text for one in every)
    title = every[0]["title"]
    assert leads_to(client, title) == f"/questions/{every[0]['question']}"


def test_the_moment_is_kept(client: TestClient) -> None:
    assert leads_to(client, "1042", at="2000") == "/log/1042?at=2000"
    assert 'name="at" value="2000"' in client.get("/find", params={"q": "nothing of it", "at": "2000"}).text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "What can be looked for"),
        ("nothing of the kind", "Nothing found"),
        ("orders:1", "the header is line 1"),
        ("orders:999999999", "No record of orders starts at line 999999999"),
        ("receipts:7", "There is no file receipts"),
        ("2017-01/orders:7", "There is no load 2017-01"),
        ("ffffffff", "Nothing found"),
        ("\0", "Nothing found"),
        ("<script>alert(1)</script>", "&lt;script&gt;"),
        ("' OR 1=1 --", "Nothing found"),
        ("9" * 40, "Nothing found"),
    ],
)
def test_what_is_not_found_is_told_plainly_with_what_can_be(client: TestClient, text: str, told: str) -> None:
    page = told_of(client, text)
    assert told in page
    assert "What can be looked for" in page


def test_a_text_without_end_is_refused(client: TestClient) -> None:
    assert client.get("/find", params={"q": "x" * 201}).status_code == 400
