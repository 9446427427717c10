"""Times that lie far ahead, up to the last second that there is, and what is evaluated where no order is placed yet."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.postgres.connection import Database
from tests.acceptance.extracts import a_good_extract, a_review, adding, changed, replacing, write
from tests.acceptance.in_process import Warehouse
from tests.acceptance.loads import Loads
from tests.databases import database, server
from tests.oracle.lines import an_order

__all__ = ["database", "server"]

LAST = "9999-12-31 23:59:59"


@pytest.fixture
def loads(database: Database, tmp_path: Path) -> Iterator[Loads]:
    """No loads yet; when the test is through, a rebuild must not change anything."""
    loads = Loads(Warehouse(database, tmp_path / "home"), tmp_path)
    yield loads
    loads.check()


def test_orders_of_the_last_second_that_there_is_are_loaded(loads: Loads) -> None:
    lines = a_good_extract()
    step_by_step = dict.fromkeys(("approved", "carrier", "delivered", "promised"), LAST)
    lines["orders"][0] = an_order(1, placed=LAST, **step_by_step)
    lines["orders"][1] = an_order(2, **step_by_step)
    lines = changed(
        lines,
        order_items=lambda items: [item.replace("2017-03-05 00:00:00", LAST) for item in items],
        order_reviews=adding(a_review(803, 3, created="9999-12-31 00:00:00", answered=LAST)),
    )
    dry = loads.warehouse.json("ingest", write(loads.folder / "dry", lines), "--dry-run")
    assert loads.load_whole(lines)["events"] == dry["events"]
    assert loads.shown("SELECT count(*) FROM customer.dim_customer WHERE last_purchase_at > '9999-01-01'") == [(1,)]
    loads.load(changed(lines, sellers=replacing("curitiba", "londrina")))
