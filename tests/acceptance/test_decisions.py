"""People decide on records that were kept apart: they let them in, corrected or not, or give them up. That stands."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from replayhouse.infra.application import ingest as loading
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.oracle.expected import DEPENDS_ON_EARLIER_LOADS, expected
from tests.oracle.lines import a_customer, a_payment, an_id, an_item, an_order, line
from tests.support.databases import copied
from tests.support.extracts import Lines, a_good_extract, a_review, adding, changed, instead, times, write
from tests.support.in_process import Warehouse, refused
from tests.support.loads import NO_EVENTS, Loads, events_of, of_file


class Decisions(Loads):
    """Loads, and what is decided on their bad records."""

    def row(self, file: str, status: str = "quarantined") -> str:
        """The one row of a file with a status."""
        [row] = self.warehouse.json("quality", "quarantine", "--file", file, "--status", status)
        return str(row["row"])

    def release(self, row: str, *arguments: str) -> Any:
        return self.warehouse.json("quality", "release", row, *arguments)

    def events_of_no_load(self) -> list[tuple[str, str]]:
        """Name and source of each event that no load brought, in order."""
        return [
            (str(name), str(source))
            for name, source in self.shown(
                "SELECT split_part(topic, '.', 2), source FROM event_store.log"
                " WHERE batch_id IS NULL ORDER BY notification_id"
            )
        ]

    def differs_from(self, lines: Lines) -> str:
        """Where the read models differ from those of one good extract; empty if they do not."""
        self._number += 1
        oracle = expected(write(self.folder / str(self._number), lines))
        return self.warehouse.differs_from(oracle, *DEPENDS_ON_EARLIER_LOADS)


GOOD_ITEM = an_item(1, 3, "12.50", "1.00")
BAD_ITEM = GOOD_ITEM.replace("12.50", "12.505")
SELLER = line(an_id(52), 1, "x", "SP")
"""One more seller makes the next day's extract another one."""


def with_bad_item(*sellers: str) -> Lines:
    return changed(a_good_extract(), order_items=adding(BAD_ITEM), sellers=adding(*sellers))


def with_good_item(*sellers: str) -> Lines:
    return changed(a_good_extract(), order_items=adding(GOOD_ITEM), sellers=adding(*sellers))


@pytest.fixture
def loads(database: Database, tmp_path: Path) -> Decisions:
    """No loads yet."""
    return Decisions(Warehouse(database, tmp_path / "home"), tmp_path)


@pytest.fixture(scope="module")
def loaded(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A database with the bad item apart, to be copied."""
    folder = tmp_path_factory.mktemp("loaded")
    with copied(server) as database:
        Decisions(Warehouse(database, folder / "home"), folder).load(with_bad_item())
        yield database


@pytest.fixture
def apart(server: EmbeddedServer, loaded: Database, tmp_path: Path) -> Iterator[Decisions]:
    """One load, with the bad item apart."""
    with copied(server, loaded) as database:
        yield Decisions(Warehouse(database, tmp_path / "home"), tmp_path)


# --- letting in ------------------------------------------------------------------------------------------------------


def test_a_corrected_record_is_let_in_as_if_an_extract_had_brought_it(apart: Decisions) -> None:
    row = apart.row("order_items")

    told = apart.release(row, "--text", GOOD_ITEM, "--reason", "a digit too many")

    assert (told["status"], told["file"], told["line"], told["corrected"]) == ("released", "order_items", 7, True)
    assert apart.differs_from(with_good_item()) == ""
    source = f"release:{row} order_items:7"
    assert apart.events_of_no_load() == [
        ("RowReleased", source),
        ("OrderLineAdded", source),
        ("ShipmentReplanned", source),
        ("PurchaseAmended", source),
    ]
    assert told["events"] == {"sales": 1, "fulfillment": 1, "customer": 1, "marketplace": 0, "quality": 1}
    assert apart.shown("SELECT count(DISTINCT last_position) FROM event_store.commit WHERE batch_id IS NULL") == [(1,)]
    assert apart.kept_apart() == [("order_items", 7, "values_readable", "released")]
    lineage = apart.warehouse.run("audit", "lineage", "sales.fact_order_item", an_id(1), "3")
    assert (lineage.code, f"release:{row} order_items:7" in lineage.out) == (0, True), lineage
    traced = apart.warehouse.json("audit", "lineage", "sales.fact_order_item", an_id(1), "3")
    [made] = [event for event in traced["events"] if event["effect"] == "made"]
    assert made["lines"][0]["texts"] == [{"line": 7, "text": BAD_ITEM}], "the line of the load that kept it apart"
    assert traced["beside"] == [{"table": "quality.quarantine", "key": str(row)}]
    history = apart.warehouse.json("audit", "history", "row", row)[-1]
    assert (history["event"], history["facts"]["why"], history["facts"]["text"]) == (
        "RowReleased",
        "a digit too many",
        GOOD_ITEM,
    )
    apart.check()
    assert apart.warehouse.json("audit", "verify")["valid"]


def test_the_same_bad_text_in_the_next_extract_neither_comes_back_nor_undoes_the_correction(apart: Decisions) -> None:
    apart.release(apart.row("order_items"), "--text", GOOD_ITEM)
    told = apart.load(with_bad_item(SELLER))
    assert events_of(told) == {**NO_EVENTS, "marketplace": 1}
    assert apart.differs_from(with_good_item(SELLER)) == ""
    assert apart.kept_apart() == [("order_items", 7, "values_readable", "released")]

    # nor does it where the order is decided again for another reason
    paid = changed(with_bad_item(SELLER), order_payments=adding(a_payment(1, 2, "13.50")))
    apart.load(paid)
    assert apart.differs_from(changed(with_good_item(SELLER), order_payments=adding(a_payment(1, 2, "13.50")))) == ""


def test_a_good_record_in_a_later_extract_changes_what_was_let_in(apart: Decisions) -> None:
    apart.release(apart.row("order_items"), "--text", GOOD_ITEM)
    as_let_in = apart.load_whole(with_good_item(SELLER))
    assert (events_of(as_let_in)["sales"], of_file(as_let_in, "order_items")) == (0, (0, 0, 6, 0))

    dearer = changed(a_good_extract(), order_items=adding(GOOD_ITEM.replace("12.50", "20.00")), sellers=adding(SELLER))
    told = apart.load_whole(dearer)
    assert of_file(told, "order_items") == (0, 1, 5, 0)


def test_of_two_records_with_the_same_key_a_person_may_choose_the_second(loads: Decisions) -> None:
    first, second = a_good_extract()["order_items"][3], an_item(3, 1, "25.00", "1.00")
    both = changed(a_good_extract(), order_items=adding(second))
    chosen = changed(a_good_extract(), order_items=instead(3, second))
    loads.load(both)
    loads.release(loads.row("order_items"), "--reason", "the invoice says so")
    assert loads.differs_from(chosen) == ""

    told = loads.load(changed(both, sellers=adding(SELLER)))  # both again: that says nothing new
    assert (events_of(told)["sales"], of_file(told, "order_items")) == (0, (0, 0, 6, 0))
    told = loads.load(changed(a_good_extract(), order_payments=adding(a_payment(3, 2, "15.00"))))  # the first alone
    assert of_file(told, "order_items") == (0, 0, 5, 0)
    assert (
        loads.differs_from(changed(chosen, order_payments=adding(a_payment(3, 2, "15.00")), sellers=adding(SELLER)))
        == ""
    )

    third = first.replace("10.00", "30.00")
    told = loads.load(changed(a_good_extract(), order_items=instead(3, third)))
    assert of_file(told, "order_items") == (0, 1, 4, 0)
    told = loads.load(changed(a_good_extract(), products=adding(line(an_id(73), *[""] * 8))))  # news again by now
    assert of_file(told, "order_items") == (0, 1, 4, 0)
    loads.check()


def test_a_quarantined_order_is_let_in_and_what_belongs_to_it_one_by_one_after_it(loads: Decisions) -> None:
    order = an_order(9, **times(1, 3, 10))
    with_order = changed(
        a_good_extract(),
        customers=adding(a_customer(109, 909)),
        orders=adding(order),
        order_items=adding(an_item(9, 1, "50.00", "5.00")),
        order_payments=adding(a_payment(9, 1, "55.00")),
        order_reviews=adding(a_review(809, 9, 4)),
    )
    loads.load(changed(with_order, orders=instead(5, order.replace("delivered", "Delivered"))))
    item, review = loads.row("order_items"), loads.row("order_reviews")

    refusal = loads.warehouse.run("quality", "release", item, "--json")
    assert (refusal.code, refusal.document["rule"], refusal.document["status"]) == (1, "orders_known", "quarantined")
    assert loads.events_of_no_load() == []

    loads.release(loads.row("orders"), "--text", order)
    for row in (item, loads.row("order_payments"), review):
        assert loads.release(row)["corrected"] is False
    assert loads.differs_from(with_order) == ""
    told = loads.load(changed(with_order, sellers=adding(SELLER)))
    assert events_of(told) == {**NO_EVENTS, "marketplace": 1}
    assert [of_file(told, file)[0] for file in told["files"]] == [0, 0, 0, 0, 0, 0, 0, 1, 0]
    loads.check()


SEGMENT = """
    SELECT segment, orders, segment_as_of::text FROM customer.dim_customer WHERE customer_id = %s::uuid
"""


def test_who_was_let_in_is_put_into_a_segment_as_of_the_newest_load(loads: Decisions) -> None:
    loads.load(changed(a_good_extract(), orders=instead(0, an_order(1, "lost", **times(1, 3, 10)))))
    assert loads.warehouse.rows(SEGMENT, an_id(901)) == [("ONE_TIME", 1, "2017-05-03")]
    loads.release(loads.row("orders"), "--text", an_order(1, **times(1, 3, 10)))
    assert loads.warehouse.rows(SEGMENT, an_id(901)) == [("REGULAR", 2, "2017-05-03")]


# --- giving up, and what cannot be done ------------------------------------------------------------------------------


def test_what_was_given_up_does_not_come_back(apart: Decisions) -> None:
    row = apart.row("order_items")
    done = apart.warehouse.run("quality", "discard", row, "--reason", "a test order", "--json", REPLAYHOUSE_ACTOR="ana")
    assert (done.code, done.document["status"], done.document["events"]["quality"]) == (0, "discarded", 1)
    told = apart.load(with_bad_item(SELLER))
    assert told["events"]["quality"] == 4
    assert apart.kept_apart() == [("order_items", 7, "values_readable", "discarded")]
    assert apart.warehouse.json("audit", "history", "row", row)[-1]["facts"] == {"by": "ana", "why": "a test order"}
    refused(apart.warehouse.run("quality", "release", row, "--json"), 2, "is discarded already, by ana")
    refused(apart.warehouse.run("quality", "discard", row, "--reason", "x", "--json"), 2, "is discarded already")


def test_what_does_not_pass_is_told_and_appends_nothing(loads: Decisions) -> None:
    lines = changed(with_bad_item(), geolocation=adding("01001,north,-46.6,são paulo,SP"))
    loads.load(changed(lines, order_reviews=adding(a_review(820, 1, 0))))
    item, sample = loads.row("order_items"), loads.row("geolocation")
    position = loads.warehouse.json("status")["position"]

    for text, rule in (
        (BAD_ITEM, "values_readable"),
        (GOOD_ITEM.replace(an_id(1), an_id(99)), "orders_known"),
        (GOOD_ITEM + ",more", "records_well_formed"),
        (f"{GOOD_ITEM}\\n{GOOD_ITEM}".replace("\\n", "\n"), "records_well_formed"),
        (GOOD_ITEM + '"', "quotes_closed"),
        ("", "records_well_formed"),
    ):
        done = loads.warehouse.run("quality", "release", item, "--text", text, "--json")
        assert (done.code, done.document["rule"]) == (1, rule), done
    plain = loads.warehouse.run("quality", "release", loads.row("order_reviews"))
    assert (plain.code, "does not pass" in plain.out, "(scores_in_range)" in plain.out) == (1, True, True)
    refused(loads.warehouse.run("quality", "release", sample, "--json"), 1, "not let in by itself")
    refused(loads.warehouse.run("quality", "release", an_id(5), "--json"), 2, "no quarantined row")
    refused(loads.warehouse.run("quality", "release", told_batch(loads), "--json"), 2, "no quarantined row")
    refused(loads.warehouse.run("quality", "discard", item, "--json"), 2, "--reason")
    refused(
        loads.warehouse.run("quality", "discard", item, "--reason", "x", "--json", REPLAYHOUSE_ACTOR="load"), 2, "ACTOR"
    )
    assert loads.warehouse.json("status")["position"] == position


def test_a_load_that_a_decision_stands_on_is_not_taken_back_and_an_erasure_stands_in_no_ones_way(
    loads: Decisions,
) -> None:
    loads.load(changed(a_good_extract(), order_items=lambda some: some[:-1]))
    bad, later = loads.load(with_bad_item()), loads.load(with_bad_item(SELLER))
    loads.release(loads.row("order_items"), "--text", GOOD_ITEM)
    assert (
        loads.warehouse.json("customer", "erase", "--yes", an_id(902), "--reason", "asked for it")["status"] == "erased"
    )

    loads.warehouse.json("retract", later["batch"], "--reason", "wrong file")
    position = loads.warehouse.json("status")["position"]
    done = loads.warehouse.run("retract", bad["batch"], "--reason", "wrong file", "--json")
    refused(done, 4, "a person", bad["batch"])
    assert loads.warehouse.json("status")["position"] == position
    assert loads.differs_from(with_good_item()) != "", "somebody is erased"
    assert loads.kept_apart() == [("order_items", 7, "values_readable", "released")]


def test_while_a_load_is_open_nothing_is_let_in(apart: Decisions, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    row = apart.row("order_items")
    folder = write(apart.folder / "next", with_bad_item(SELLER))
    with monkeypatch.context() as patched:
        patched.setattr(loading, "run_units", interrupted)
        assert apart.warehouse.run("ingest", folder).code == 130
    refused(apart.warehouse.run("quality", "release", row, "--text", GOOD_ITEM, "--json"), 4, "next", "is open")
    refused(apart.warehouse.run("quality", "discard", row, "--reason", "x", "--json"), 4, "next", "is open")
    apart.warehouse.ingest(folder)
    apart.release(row, "--text", GOOD_ITEM)
    assert apart.differs_from(with_good_item(SELLER)) == ""


def test_killed_at_any_step_a_release_is_made_up_for_or_was_done(
    apart: Decisions, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    row = apart.row("order_items")
    command = ("quality", "release", row, "--text", GOOD_ITEM)
    position = apart.warehouse.json("status")["position"]
    for point in (
        "application.release.copy_references",
        "application.release.copy_due",
        "staging.work.DuckDBWork.references",
    ):
        with monkeypatch.context() as patched:
            patched.setattr(f"replayhouse.infra.{point}", killed)
            assert apart.warehouse.run(*command).code == 130
        assert apart.warehouse.json("status")["position"] == position
    with monkeypatch.context() as patched:
        patched.setattr("replayhouse.infra.application.decisions.catch_up_all", killed)
        assert apart.warehouse.run(*command).code == 130
    assert apart.differs_from(with_good_item()) != ""

    refused(apart.warehouse.run(*command, "--json"), 2, "is released already")
    assert apart.differs_from(with_good_item()) == ""
    assert apart.shown("SELECT count(*) FROM event_store.batch WHERE kind = 'decision'") == [(1,)]


def told_batch(loads: Decisions) -> str:
    return str(loads.warehouse.json("batches")[-1]["batch"])


def test_rows_are_listed_filtered_and_written_to_a_file(loads: Decisions, tmp_path: Path) -> None:
    told = loads.load(changed(with_bad_item(), order_reviews=adding(a_review(820, 1, 0, comment='"de Maria,\nrua x"'))))
    everything = loads.warehouse.json("quality", "quarantine")
    assert [(row["file"], row["line"], row["rule"], row["status"]) for row in everything] == [
        ("order_items", 7, "values_readable", "quarantined"),
        ("order_reviews", 5, "scores_in_range", "quarantined"),
    ]
    assert [row["text"] for row in everything] == [BAD_ITEM, a_review(820, 1, 0, comment='"de Maria,\nrua x"')]

    def files(*arguments: str) -> list[str]:
        return [row["file"] for row in loads.warehouse.json("quality", "quarantine", *arguments)]

    assert files("--file", "order_items") == ["order_items"]
    assert files("--rule", "scores_in_range", "--batch", told["batch"]) == ["order_reviews"]
    assert files("--limit", "1") == ["order_items"]
    assert files("--status", "released") == []
    assert files("--status", "all") == ["order_items", "order_reviews"]
    done = loads.warehouse.run("quality", "quarantine", "--csv", tmp_path / "rows.csv")
    assert "2 rows written" in done.out
    assert (tmp_path / "rows.csv").read_text().splitlines()[0] == "row,batch,file,line,rule,reason,text,status"
    assert (tmp_path / "rows.csv").stat().st_mode & 0o077 == 0
    refused(loads.warehouse.run("quality", "quarantine", "--csv", tmp_path / "rows.csv", "--json"), 2, "--force")
    assert loads.warehouse.run("quality", "quarantine", "--csv", tmp_path / "rows.csv", "--force").code == 0
    plain = loads.warehouse.run("quality", "quarantine", "--limit", "1").out
    assert BAD_ITEM in plain
    assert "1 of 2 rows" in plain
    for arguments, word in (
        (("--batch", an_id(9)), "no load"),
        (("--file", "sales"), "no file 'sales'"),
        (("--rule", "none"), "no rule 'none'"),
        (("--status", "gone"), "'gone'"),
        (("--csv", str(tmp_path)), "is not a file"),
    ):
        refused(loads.warehouse.run("quality", "quarantine", *arguments, "--json"), 2, word)
