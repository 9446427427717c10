"""A load is taken back: all is as before it, the log keeps it, and the same files can be loaded again."""

from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest

from domain.customer.events import CustomerAnonymized
from domain.kernel.events import DomainEvent
from domain.quality.events import RowReleased
from domain.sales.events import OrderInvoiced
from infra.postgres.connection import Database
from infra.postgres.store import EventStore
from infra.recorded import Recorded
from tests.acceptance.extracts import Lines, a_good_extract, adding, changed, replacing, times, write
from tests.acceptance.in_process import Warehouse, refused
from tests.acceptance.loads import Loads
from tests.databases import database, server
from tests.oracle.lines import a_customer, an_id, an_item, an_order

__all__ = ["database", "server"]

BECAUSE = ("--reason", "the shop was closed that day")
MONDAY = datetime(2018, 1, 8, 10, 30)

DAYS = "SELECT count(*), max(date) FROM shared.dim_date"
STATUSES = "SELECT name, status FROM quality.batch ORDER BY opened_at"


def a_later_extract() -> Lines:
    """The good extract after some days: corrected, gone on, and with a new person's order, in another year."""
    return changed(
        a_good_extract(),
        customers=lambda some: [*some, a_customer(106, 905)],
        order_items=adding(an_item(6, 1, "30.00", "3.00"), an_item(77, 1, "1.00", "1.00")),
        orders=lambda some: [
            *some[:3],
            an_order(4, "delivered", placed="2017-05-02 10:00:00", **times(3, 5, 25, month=5)),
            some[4],
            an_order(6, placed="2018-06-01 10:00:00", approved="2018-06-01 10:30:00", promised="2018-07-01 00:00:00"),
        ],
        products=replacing("casa,40,500,2,800", "livros,41,500,2,900"),
        sellers=replacing("04001", "04002"),
        geolocation=replacing("-22.9,", "-22.8,"),
    )


@pytest.fixture
def loads(database: Database, tmp_path: Path) -> Loads:
    return Loads(Warehouse(database, tmp_path / "home"), tmp_path)


def decide(warehouse: Warehouse, context: str, stream: UUID, event: DomainEvent) -> None:
    """A person's decision: an event of no load."""
    store = EventStore()
    with warehouse.database.connect("replayhouse test", autocommit=True) as conn:
        version = store.streams(conn, context, [stream])[stream].last_version
        store.append(conn, [Recorded(context, stream, version + 1, event)], None)


def statuses(loads: Loads) -> list[str]:
    return [batch["status"] for batch in loads.warehouse.json("batches")]


# --- as before it ---------------------------------------------------------------------------------------------------


def test_the_read_models_are_those_from_before_the_load_live_and_rebuilt(loads: Loads) -> None:
    loads.load(a_good_extract())
    before, days = loads.warehouse.digests(), loads.shown(DAYS)
    told = loads.load(a_later_extract())
    assert loads.warehouse.digests() != before
    assert loads.shown(DAYS) != days

    taken = loads.warehouse.run("retract", told["batch"], *BECAUSE, "--json", REPLAYHOUSE_ACTOR="ana").document

    assert loads.warehouse.digests() == before
    assert loads.shown(DAYS) == days
    assert loads.shown(STATUSES) == [("1", "completed"), ("2", "retracted")]
    assert statuses(loads) == ["completed", "retracted"]
    loads.check()
    assert (taken["batch"], taken["name"], taken["status"]) == (told["batch"], "2", "retracted")
    assert (taken["reason"], taken["by"]) == (BECAUSE[1], "ana")
    assert taken["events"] == {**told["events"], "quality": 1}, "one row was kept apart; its own stream is left alone"
    status = loads.warehouse.json("status")
    assert (taken["position"], taken["chain"]) == (status["position"], status["chain"])
    assert loads.warehouse.run("audit", "verify").code == 0


def test_the_only_load_leaves_nothing_but_the_log_and_what_is_told_of_it(loads: Loads) -> None:
    told = loads.load(a_good_extract())
    events = loads.warehouse.events()
    loads.warehouse.json("retract", told["batch"], *BECAUSE)
    for table, unknown in (("sales.fact_order", 0), ("customer.dim_customer", 1), ("marketplace.product", 1)):
        assert loads.shown(f"SELECT count(*)::int FROM {table}") == [(unknown,)]
    assert loads.shown(DAYS) == [(731, datetime(2017, 12, 31).date())]
    assert all(loads.warehouse.events()[context] > number for context, number in events.items())
    loads.check()


def test_rows_that_the_load_kept_apart_are_kept_apart_no_longer_and_those_it_let_in_are_so_again(loads: Loads) -> None:
    apart = changed(a_good_extract(), order_items=adding(an_item(6, 1, "30.00", "3.00")))
    loads.load(apart)
    before = loads.kept_apart()
    told = loads.load(a_later_extract())
    assert loads.kept_apart() != before
    loads.warehouse.json("retract", told["batch"], *BECAUSE)
    assert loads.kept_apart() == before
    loads.check()


def test_history_shows_what_was_taken_back(loads: Loads) -> None:
    loads.load(a_good_extract())
    told = loads.load(a_later_extract())
    loads.warehouse.json("retract", told["batch"], *BECAUSE)
    events = loads.warehouse.json("audit", "history", "order", an_id(4))
    assert [(event["event"], event["rewound"]) for event in events] == [
        ("OrderPlaced", False),
        ("OrderApproved", True),
        ("OrderShipped", True),
        ("OrderCompleted", True),
        ("Rewound", False),
    ]
    assert events[-1]["facts"] == {"batch_id": told["batch"], "to_version": 1}
    (*_, last) = loads.warehouse.json("audit", "history", "batch", told["batch"])
    assert last["event"] == "BatchRetracted"
    assert last["facts"]["reason"] == BECAUSE[1]


# --- loaded again ---------------------------------------------------------------------------------------------------


def test_the_same_files_append_what_is_missing_as_another_batch(loads: Loads) -> None:
    loads.load(a_good_extract())
    first = loads.load(a_later_extract())
    after = loads.warehouse.digests()
    loads.warehouse.json("retract", first["batch"], *BECAUSE)
    again = loads.load(a_later_extract())
    assert again["batch"] != first["batch"]
    assert (again["events"], again["files"]) == (first["events"], first["files"])
    assert loads.warehouse.digests() == after
    assert statuses(loads) == ["completed", "retracted", "completed"]
    loads.check()


def test_the_files_of_the_load_before_bring_nothing_new(loads: Loads) -> None:
    loads.load(a_good_extract())
    told = loads.load(a_later_extract())
    loads.warehouse.json("retract", told["batch"], *BECAUSE)
    assert loads.warehouse.json("ingest", loads.folder / "1")["status"] == "unchanged"


def test_a_required_file_that_only_the_load_had_brought_is_missing_again(loads: Loads) -> None:
    told = loads.load(a_good_extract())
    loads.warehouse.json("retract", told["batch"], *BECAUSE)
    lacking = write(loads.folder / "lacking", {k: v for k, v in a_good_extract().items() if k != "sellers"})
    assert loads.warehouse.run("ingest", lacking, "--json").document["status"] == "rejected"


def test_a_rejected_load_is_in_the_way_of_nothing(loads: Loads) -> None:
    told = loads.load(a_good_extract())
    lacking = write(loads.folder / "lacking", {"orders": ['"']})
    assert loads.warehouse.run("ingest", lacking, "--json").code == 1
    loads.warehouse.json("retract", told["batch"], *BECAUSE)
    assert statuses(loads) == ["retracted", "rejected"]


# --- in order -------------------------------------------------------------------------------------------------------


def test_later_loads_are_named_and_taken_back_before_it_with_cascade(loads: Loads) -> None:
    empty = loads.warehouse.digests()
    first, second = loads.load(a_good_extract()), loads.load(a_later_extract())
    third = loads.load(changed(a_later_extract(), sellers=replacing("04002", "04003")))
    events = loads.warehouse.events()

    done = loads.warehouse.run("retract", first["batch"], *BECAUSE, "--json")
    refused(done, 4, second["batch"], third["batch"], "--cascade")
    assert loads.warehouse.events() == events

    told = loads.warehouse.json("retract", first["batch"], "--cascade", *BECAUSE)
    assert [(one["batch"], one["status"]) for one in told["batches"]] == [
        (load["batch"], "retracted") for load in (third, second, first)
    ]
    assert told["batch"] == first["batch"]
    assert told["events"] == {name: sum(one["events"][name] for one in told["batches"]) for name in told["events"]}
    assert loads.warehouse.digests() == empty
    assert statuses(loads) == ["retracted"] * 3
    loads.check()


def test_one_after_the_other_they_are_taken_back_with_a_load_in_between(loads: Loads) -> None:
    first = loads.load(a_good_extract())
    one = loads.warehouse.digests()
    loads.warehouse.json("retract", loads.load(a_later_extract())["batch"], *BECAUSE)
    third = loads.load(changed(a_later_extract(), sellers=replacing("04002", "04003")))
    loads.warehouse.json("retract", third["batch"], *BECAUSE)
    assert loads.warehouse.digests() == one
    loads.warehouse.json("retract", first["batch"], *BECAUSE)
    loads.check()
    assert loads.shown("SELECT count(*)::int FROM sales.fact_order") == [(0,)]


# --- refused --------------------------------------------------------------------------------------------------------


def test_what_cannot_be_taken_back_is_told_in_plain_words(loads: Loads) -> None:
    run = loads.warehouse.run
    refused(run("retract", str(UUID(int=1)), *BECAUSE, "--json"), 2, "no load", "nor any other")
    refused(run("retract", "yesterday's", *BECAUSE, "--json"), 2, "not an id")
    told = loads.load(a_good_extract())
    refused(run("retract", str(UUID(int=1)), *BECAUSE, "--json"), 2, told["batch"], "(1)", "completed")
    refused(run("retract", told["batch"], "--json"), 2, "--reason")
    refused(run("retract", told["batch"], "--reason", " ", "--json"), 2, "--reason")
    rejected = run("ingest", write(loads.folder / "lacking", {"orders": ['"']}), "--json").document
    refused(run("retract", rejected["batch"], *BECAUSE, "--json"), 2, "rejected")
    loads.warehouse.json("retract", told["batch"].replace("-", "").upper(), *BECAUSE)
    refused(run("retract", told["batch"], *BECAUSE, "--json"), 2, "already", BECAUSE[1])


@pytest.mark.parametrize("is_cascade", [False, True])
def test_a_later_decision_of_a_person_blocks_it_and_is_named(loads: Loads, is_cascade: bool) -> None:
    told = loads.load(a_good_extract())
    decide(loads.warehouse, "sales", UUID(an_id(3)), OrderInvoiced(MONDAY))
    if is_cascade:
        loads.load(a_later_extract())
    events, digests = loads.warehouse.events(), loads.warehouse.digests()
    done = loads.warehouse.run("retract", told["batch"], *BECAUSE, "--json", *["--cascade"] * is_cascade)
    refused(done, 4, "sales.OrderInvoiced.v1", "at position 61", str(UUID(an_id(3))))
    assert (loads.warehouse.events(), loads.warehouse.digests()) == (events, digests), "no load is taken back"


def test_a_decision_made_before_the_load_does_not_block_it(loads: Loads) -> None:
    loads.load(a_good_extract())
    decide(loads.warehouse, "sales", UUID(an_id(4)), OrderInvoiced(MONDAY))
    loads.warehouse.json("project")
    before = loads.warehouse.digests()
    told = loads.load(a_later_extract())
    loads.warehouse.json("retract", told["batch"], *BECAUSE)
    assert loads.warehouse.digests() == before


def test_a_row_that_a_person_has_released_blocks_it_in_those_words(loads: Loads) -> None:
    told = loads.load(changed(a_good_extract(), order_items=adding(an_item(77, 1, "1.00", "1.00"))))
    [(row,)] = loads.shown("SELECT row_id FROM quality.quarantine")
    decide(loads.warehouse, "quality", row, RowReleased(MONDAY, "ana", "it is right", None))
    done = loads.warehouse.run("retract", told["batch"], *BECAUSE, "--json")
    refused(done, 4, "released a row", str(row))


def test_a_person_who_was_forgotten_stays_so_and_blocks_nothing(loads: Loads) -> None:
    loads.load(a_good_extract())
    told = loads.load(a_later_extract())
    decide(loads.warehouse, "customer", UUID(an_id(901)), CustomerAnonymized(MONDAY, "asked for it", "ana"))
    decide(loads.warehouse, "customer", UUID(an_id(905)), CustomerAnonymized(MONDAY, "asked for it", "ana"))
    loads.warehouse.json("retract", told["batch"], *BECAUSE)
    shown = f"SELECT is_anonymized FROM customer.dim_customer WHERE customer_id = '{an_id(901)}'"
    assert loads.shown(shown) == [(True,)]
    assert loads.shown(shown.replace(an_id(901), an_id(905))) == [], "whom only that load had brought"
    loads.check()
    loads.load(a_later_extract())
    assert loads.shown(shown.replace(an_id(901), an_id(905))) == [(True,)]
    loads.check()
