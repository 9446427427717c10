"""Times that lie far ahead, up to the last second that there is, and what is evaluated where no order is placed yet."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from replayhouse.infra.application import ingest
from replayhouse.infra.postgres.connection import Database
from tests.oracle.expected import expected
from tests.oracle.lines import an_item, an_order
from tests.support.extracts import Lines, a_good_extract, a_review, adding, changed, replacing, write
from tests.support.in_process import Warehouse
from tests.support.loads import Loads

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


NOT_YET = "2107-03-01 10:00:00"
EVALUATED = "SELECT count(*) FROM event_store.customer_events WHERE topic ~ 'SegmentChanged'"
SEGMENTS = "SELECT segment, segment_as_of, count(*) FROM customer.dim_customer WHERE alias_count > 0 GROUP BY 1, 2"
AS_OF = "SELECT as_of FROM event_store.batch ORDER BY batch_seq"


def with_all_placed(placed: str, *items: str) -> Lines:
    """Orders 1 and 2, of the same person, are delivered, the others are not."""
    orders = [an_order(n, "delivered" if n < 3 else "created", placed=placed, promised=LAST) for n in range(1, 6)]
    return changed(a_good_extract(), orders=lambda _: orders, order_items=adding(*items))


BAD_ITEM = an_item(2, 2, "12.505", "1.00")


def test_nobody_is_evaluated_while_every_order_is_yet_to_be_placed(loads: Loads) -> None:
    lines = with_all_placed(NOT_YET, BAD_ITEM)
    dry = loads.warehouse.json("ingest", write(loads.folder / "dry", lines), "--dry-run")
    told = loads.load(lines)
    assert told["events"] == dry["events"]
    assert loads.shown(EVALUATED) == [(0,)]
    assert loads.shown(SEGMENTS) == [("NEW", None, 4)]

    row = loads.warehouse.json("quality", "quarantine")[0]["row"]
    good = BAD_ITEM.replace("12.505", "12.50")
    loads.warehouse.json("quality", "release", row, "--text", good, "--reason", "a digit too many")
    assert loads.shown(EVALUATED) == [(0,)]
    assert loads.shown(SEGMENTS) == [("NEW", None, 4)]
    assert loads.shown(AS_OF) == [(None,), (None,)]

    # The first order that counts evaluates all who bought, though the load does not show them.
    later = {"orders": [an_order(7, "created", placed="2017-09-30 00:00:00")]}
    dry = loads.warehouse.json("ingest", write(loads.folder / "dry later", later), "--dry-run")
    assert loads.load(later)["events"] == dry["events"]
    assert sorted(loads.shown(SEGMENTS), key=str) == [("NEW", None, 3), ("REGULAR", date(2017, 9, 30), 1)]


def test_the_oracle_evaluates_nobody_either(loads: Loads) -> None:
    loads.load_whole(with_all_placed(NOT_YET))
    loads.load({"orders": []})
    assert loads.shown(AS_OF) == [(None,), (None,)]


def test_nobody_is_evaluated_without_an_order_by_a_load_that_was_interrupted_either(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    without_orders: Lines = {file: [] for file in ("orders", "order_items", "order_payments", "order_reviews")}
    folder = write(loads.folder / "given", {**a_good_extract(), **without_orders})
    with monkeypatch.context() as patched:
        patched.setattr(ingest, "run_units", interrupted)
        assert loads.warehouse.run("ingest", folder).code == 130
    loads.warehouse.ingest(folder)
    assert loads.warehouse.differs_from(expected(folder)) == ""
    assert (loads.shown(EVALUATED), loads.shown(SEGMENTS), loads.shown(AS_OF)) == (
        [(0,)],
        [("NEW", None, 4)],
        [(None,)],
    )
