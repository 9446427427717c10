"""The pages of things: their events, what each changed, the lines it came from, and their rows."""

import html
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

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


def a_key(warehouse: Warehouse, kind: str) -> UUID:
    """The id of some thing of a kind."""
    [(key,)] = warehouse.rows(_A_KEY_OF[kind][1])
    return UUID(str(key))


def page_of(client: TestClient, path: str, **query: str) -> str:
    """The text of a page that must be there."""
    response = client.get(path, params=query)
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
