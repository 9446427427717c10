"""A load is taken back: all is as before it, the log keeps it, and the same files can be loaded again."""

from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from replayhouse.domain.customer.events import CustomerAnonymized
from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.quality.events import RowReleased
from replayhouse.domain.quality.rules import RULES, RULES_OF_MAPPINGS
from replayhouse.domain.sales.events import OrderInvoiced
from replayhouse.infra.event_store.recorded import Recorded
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.loads.retraction_log import PostgresRetractionLog
from replayhouse.infra.loads.retractions import Retractions
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.ingest.batch import tell_completion, tell_opening
from tests.oracle.lines import an_id, an_item
from tests.support.extracts import a_good_extract, a_later_extract, adding, changed, replacing, write
from tests.support.in_process import Warehouse, dying_after, refused
from tests.support.loads import Loads

FINISH = "replayhouse.infra.loads.batches.Loads.finish"
APPEND = "replayhouse.infra.loads.retraction_log.PostgresRetractionLog.append_rewinds"

BECAUSE = ("--reason", "the shop was closed that day")
MONDAY = datetime(2018, 1, 8, 10, 30)

DAYS = "SELECT count(*), max(date) FROM shared.dim_date"
STATUSES = "SELECT name, status FROM quality.batch ORDER BY opened_at"


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
    loads.begin(a_good_extract())
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
    assert loads.warehouse.json("ingest", loads.folder / "1")["status"] == "unchanged"
    history_shows_it(loads.warehouse, told["batch"])


def history_shows_it(warehouse: Warehouse, batch: str) -> None:
    events = warehouse.json("audit", "history", "order", an_id(4))
    assert [(event["event"], event["rewound"]) for event in events] == [
        ("OrderPlaced", False),
        ("OrderApproved", True),
        ("OrderShipped", True),
        ("OrderCompleted", True),
        ("Rewound", False),
    ]
    assert events[-1]["facts"] == {"batch_id": batch, "to_version": 1}
    (*_, last) = warehouse.json("audit", "history", "batch", batch)
    assert (last["event"], last["facts"]["reason"], last["facts"]["by"]) == ("BatchRetracted", BECAUSE[1], "ana")


def test_the_only_load_leaves_nothing_but_the_log_and_what_is_told_of_it(loads: Loads) -> None:
    told = loads.begin(a_good_extract())
    events = loads.warehouse.events()
    loads.warehouse.json("retract", told["batch"], *BECAUSE)
    for table, unknown in (("sales.fact_order", 0), ("customer.dim_customer", 1), ("marketplace.product", 1)):
        assert loads.shown(f"SELECT count(*)::int FROM {table}") == [(unknown,)]
    assert loads.shown(DAYS) == [(731, datetime(2017, 12, 31).date())]
    assert all(loads.warehouse.events()[context] > number for context, number in events.items())
    loads.check()
    lacking = write(loads.folder / "lacking", {k: v for k, v in a_good_extract().items() if k != "sellers"})
    done = loads.warehouse.run("ingest", lacking, "--json")
    assert done.document["status"] == "rejected", "a required file that only that load had brought"


def test_rows_that_the_load_kept_apart_are_kept_apart_no_longer_and_those_it_let_in_are_so_again(loads: Loads) -> None:
    apart = changed(a_good_extract(), order_items=adding(an_item(6, 1, "30.00", "3.00")))
    loads.load(apart)
    before = loads.kept_apart()
    told = loads.load(a_later_extract())
    assert loads.kept_apart() != before
    loads.warehouse.json("retract", told["batch"], *BECAUSE)
    assert loads.kept_apart() == before
    loads.check()


# --- loaded again ---------------------------------------------------------------------------------------------------


def test_the_same_files_append_what_is_missing_as_another_batch(loads: Loads) -> None:
    loads.begin(a_good_extract())
    first = loads.load(a_later_extract())
    after = loads.warehouse.digests()
    loads.warehouse.json("retract", first["batch"], *BECAUSE)
    again = loads.load(a_later_extract())
    assert again["batch"] != first["batch"]
    assert (again["events"], again["files"]) == (first["events"], first["files"])
    assert loads.warehouse.digests() == after
    assert statuses(loads) == ["completed", "retracted", "completed"]
    loads.check()


def test_a_rejected_load_is_in_the_way_of_nothing(loads: Loads) -> None:
    told = loads.begin(a_good_extract())
    lacking = write(loads.folder / "lacking", {"orders": ['"']})
    assert loads.warehouse.run("ingest", lacking, "--json").code == 1
    loads.warehouse.json("retract", told["batch"], *BECAUSE)
    assert statuses(loads) == ["retracted", "rejected"]


# --- in order -------------------------------------------------------------------------------------------------------


def test_later_loads_are_named_and_taken_back_before_it_with_cascade(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between two of them, the same command takes the others back."""
    empty = loads.warehouse.digests()
    first, second = loads.begin(a_good_extract()), loads.load(a_later_extract())
    third = loads.load(changed(a_later_extract(), sellers=replacing("04002", "04003")))
    events = loads.warehouse.events()

    done = loads.warehouse.run("retract", first["batch"], *BECAUSE, "--json")
    refused(done, 4, second["batch"], third["batch"], "--cascade")
    assert loads.warehouse.events() == events

    with monkeypatch.context() as patched:
        patched.setattr("replayhouse.infra.loads.retractions.Retractions.begin", dying_after(1, Retractions.begin))
        assert loads.warehouse.run("retract", first["batch"], "--cascade", *BECAUSE).code == 1
    assert statuses(loads) == ["completed", "completed", "retracted"]

    told = loads.warehouse.json("retract", first["batch"], "--cascade", *BECAUSE)
    assert [(one["batch"], one["status"]) for one in told["batches"]] == [
        (load["batch"], "retracted") for load in (second, first)
    ]
    assert told["batch"] == first["batch"]
    assert told["events"] == {name: sum(one["events"][name] for one in told["batches"]) for name in told["events"]}
    assert loads.warehouse.digests() == empty
    assert statuses(loads) == ["retracted"] * 3
    loads.check()


# --- not finished ---------------------------------------------------------------------------------------------------


def test_an_open_load_can_be_taken_back_so_that_other_files_can_be_loaded(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = loads.begin(a_good_extract())
    before = loads.warehouse.digests()
    lost = write(loads.folder / "lost", a_later_extract())
    with monkeypatch.context() as patched:
        patched.setattr("replayhouse.infra.application.ingest.tell_completion", dying_after(0, tell_completion))
        assert loads.warehouse.run("ingest", lost).code == 1
    (_, open_load) = loads.warehouse.json("batches")
    others = write(loads.folder / "others", changed(a_good_extract(), sellers=replacing("04001", "04003")))
    refused(loads.warehouse.run("ingest", others, "--json"), 4, open_load["batch"])
    refused(loads.warehouse.run("retract", first["batch"], *BECAUSE, "--json"), 4, open_load["batch"])

    loads.warehouse.json("retract", open_load["batch"], *BECAUSE)

    assert loads.warehouse.digests() == before
    loads.warehouse.ingest(others)
    assert statuses(loads) == ["completed", "retracted", "completed"]


def test_a_load_that_was_killed_before_it_told_anything_or_its_rejection_is_closed(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    extracts = write(loads.folder / "good", a_good_extract()), write(loads.folder / "bad", {"orders": ['"']})
    for extract, point in zip(extracts, ("replayhouse.infra.application.ingest.tell_opening", FINISH), strict=True):
        with monkeypatch.context() as patched:
            patched.setattr(point, dying_after(0, tell_opening))
            assert loads.warehouse.run("ingest", extract).code == 1
        *_, open_load = loads.warehouse.json("batches")
        assert open_load["status"] == "open"
        loads.warehouse.json("retract", open_load["batch"], *BECAUSE)
    assert statuses(loads) == ["retracted", "rejected"]


def test_a_killed_retraction_is_finished_by_the_same_command_and_no_load_is_taken_in_before(
    loads: Loads, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = loads.begin(a_good_extract())
    before = loads.warehouse.digests()
    told = loads.load(a_later_extract())
    monkeypatch.setattr("replayhouse.ingest.retract.STREAMS_A_CHUNK", 4)
    with monkeypatch.context() as patched:
        patched.setattr(APPEND, dying_after(2, PostgresRetractionLog.append_rewinds))
        assert loads.warehouse.run("retract", told["batch"], "--reason", "the first reason").code == 1
    assert statuses(loads) == ["completed", "retracting"]
    for command in (("ingest", loads.folder / "1"), ("ingest", loads.folder / "1", "--dry-run")):
        refused(loads.warehouse.run(*command, "--json"), 4, f"replayhouse retract {told['batch']}")
    refused(loads.warehouse.run("retract", first["batch"], *BECAUSE, "--json"), 4, told["batch"])

    with monkeypatch.context() as patched:
        patched.setattr("replayhouse.infra.application.retract.catch_up_all", dying_after(0, print))
        assert loads.warehouse.run("retract", told["batch"], *BECAUSE).code == 1
    taken = loads.warehouse.json("retract", told["batch"], *BECAUSE)
    assert taken["events"] == {**told["events"], "quality": 1}
    assert taken["reason"] == "the first reason"
    assert loads.warehouse.digests() == before
    refused(loads.warehouse.run("retract", told["batch"], *BECAUSE, "--json"), 2, "already", "the first reason")


def test_while_another_command_writes_the_log_it_says_so(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    told = loads.begin(a_good_extract())
    monkeypatch.setattr("replayhouse.infra.application.retract.exclusive", partial(exclusive, wait=0.1))
    with loads.warehouse.database.connect("somebody else", autocommit=True) as conn, exclusive(conn, "ingest"):
        refused(loads.warehouse.run("retract", told["batch"], *BECAUSE, "--json"), 4, "somebody else")


# --- planned --------------------------------------------------------------------------------------------------------


def test_a_plan_tells_what_would_change_and_changes_nothing(loads: Loads) -> None:
    loads.begin(a_good_extract())
    rows, days = counted(loads), loads.shown(DAYS)
    told = loads.load(a_later_extract())
    events, digests, more = loads.warehouse.events(), loads.warehouse.digests(), counted(loads)

    planned = loads.warehouse.json("retract", told["batch"], "--dry-run")

    assert (loads.warehouse.events(), loads.warehouse.digests()) == (events, digests)
    assert (planned["status"], planned["events"]) == ("planned", {**told["events"], "quality": 1})
    tables = planned["tables"]
    less = {name: more[name] + tables[name]["added"] - tables[name]["removed"] for name in rows}
    checks = 2 * (len(RULES) - len(RULES_OF_MAPPINGS))
    assert less == {**rows, "quality.batch": 2, "quality.batch_file": 18, "quality.fact_check": checks}
    assert tables["shared.dim_date"]["removed"] == 365 == loads.shown(DAYS)[0][0] - days[0][0]
    assert tables["sales.fact_order"]["examples"] == [
        {
            "key": {"order_id": str(UUID(an_id(4)))},
            "change": "changed",
            "columns": {
                "status": {"from": "delivered", "to": "created"},
                "approved_at": {"from": "2017-05-03T12:00:00", "to": None},
                "shipped_at": {"from": "2017-05-05T12:00:00", "to": None},
                "completed_at": {"from": "2017-05-25T12:00:00", "to": None},
            },
        },
        {
            "key": {"order_id": str(UUID(an_id(6)))},
            "change": "removed",
            "columns": tables["sales.fact_order"]["examples"][1]["columns"],
        },
    ]
    removed = tables["sales.fact_order"]["examples"][1]["columns"]
    assert removed["status"] == {"from": "delivered", "to": None}
    assert "position" not in removed
    said = loads.warehouse.run("retract", told["batch"], "--dry-run").out
    assert "Nothing was taken back." in said
    assert "status: delivered -> created" in said


def counted(loads: Loads) -> dict[str, int]:
    """The number of rows of each table."""
    told = loads.warehouse.json("digest")["contexts"]
    return {f"{name}.{table}": of["rows"] for name, tables in told.items() for table, of in tables["tables"].items()}


# --- refused --------------------------------------------------------------------------------------------------------


def test_what_cannot_be_taken_back_is_told_in_plain_words(loads: Loads) -> None:
    run = loads.warehouse.run
    refused(run("retract", str(UUID(int=1)), *BECAUSE, "--json"), 2, "no load", "nor any other")
    refused(run("retract", "yesterday's", *BECAUSE, "--json"), 2, "no load yesterday")
    told = loads.begin(a_good_extract())
    refused(run("retract", str(UUID(int=1)), *BECAUSE, "--json"), 2, told["batch"], "(1)", "completed")
    refused(run("retract", told["batch"], "--json"), 2, "--reason")
    refused(run("retract", told["batch"], "--reason", " ", "--json"), 2, "--reason")
    rejected = run("ingest", write(loads.folder / "lacking", {"orders": ['"']}), "--json").document
    refused(run("retract", rejected["batch"], *BECAUSE, "--json"), 2, "rejected")
    loads.warehouse.json("retract", told["batch"].replace("-", "").upper(), *BECAUSE)
    refused(run("retract", told["batch"], *BECAUSE, "--json"), 2, "already", BECAUSE[1])


def test_a_later_decision_of_a_person_blocks_it_and_is_named_before_any_load_is_taken_back(loads: Loads) -> None:
    told = loads.begin(a_good_extract())
    decide(loads.warehouse, "sales", UUID(an_id(3)), OrderInvoiced(MONDAY))
    loads.load(a_later_extract())
    events, digests = loads.warehouse.events(), loads.warehouse.digests()
    done = loads.warehouse.run("retract", told["batch"], *BECAUSE, "--json", "--cascade")
    refused(done, 4, "sales.OrderInvoiced.v1", "at position 61", str(UUID(an_id(3))))
    assert (loads.warehouse.events(), loads.warehouse.digests()) == (events, digests)


def test_a_row_that_a_person_has_released_blocks_it_in_those_words(loads: Loads) -> None:
    told = loads.load(changed(a_good_extract(), order_items=adding(an_item(77, 1, "1.00", "1.00"))))
    [(row,)] = loads.shown("SELECT row_id FROM quality.quarantine")
    decide(loads.warehouse, "quality", row, RowReleased(MONDAY, "ana", "it is right", None))
    done = loads.warehouse.run("retract", told["batch"], *BECAUSE, "--json")
    refused(done, 4, "released a row", str(row))


def test_a_person_who_was_forgotten_stays_so_and_blocks_nothing(loads: Loads) -> None:
    loads.begin(a_good_extract())
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
