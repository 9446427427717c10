"""The read models in ClickHouse: what the live ones show, after whatever is loaded, taken back, parked and erased."""

import subprocess
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from replayhouse.domain.kernel.events import Rewound
from replayhouse.domain.sales.order import NEW_ORDER, observe, order_of
from replayhouse.infra.clickhouse import position, tables
from replayhouse.infra.clickhouse.digests import digest_of
from replayhouse.infra.clickhouse.filling import Filler
from replayhouse.infra.clickhouse.session import lock_of
from replayhouse.infra.clickhouse.writing import insert, write_changes
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.infra.read_models.upsert import TableLines
from replayhouse.projections import replay
from tests.oracle.lines import a_customer
from tests.oracle.lines import an_id as the_id
from tests.support import hard_values
from tests.support.clickhouse import Died, Kept, dying_before, keeping
from tests.support.extracts import Lines, a_good_extract, write
from tests.support.hard_values import EXPECTED, HARD_VALUES
from tests.support.in_process import refused
from tests.support.read_side import MONDAY, Log, a_header, a_line, a_payment, an_id

BAD, GOOD = an_id(1), an_id(2)
PLACED = observe(NEW_ORDER, None, a_header("approved"), [a_line()], [a_payment()])
DELIVERED = observe(order_of(PLACED), None, a_header("delivered"))
ORDERS = "SELECT toString(order_id), status FROM replayhouse.sales_fact_order ORDER BY 1"
ITEMS = "SELECT item_no FROM replayhouse.sales_fact_order_item ORDER BY 1"
CITY = "vila encantada do norte"
WHY = ("--reason", "a test")


@pytest.fixture
def kept(database: Database, tmp_path: Path) -> Iterator[Kept]:
    with keeping(database, tmp_path) as one:
        yield one


@pytest.fixture
def log(conn: psycopg.Connection) -> Log:
    return Log(conn)


def an_extract(city: str) -> Lines:
    """A good extract whose first customer lives there."""
    lines = a_good_extract()
    return {**lines, "customers": [a_customer(101, 901, "01001", city), *lines["customers"][1:]]}


# --- values ---------------------------------------------------------------------------------------------------------


def test_hard_values_are_kept_and_digested_as_everywhere(kept: Kept) -> None:
    with kept.connected() as server:
        name = tables.create(server, HARD_VALUES, suffix="")
        insert(server, HARD_VALUES, b"".join(line + b"\n" for line in hard_values.lines()), 1)
        found = digest_of(server, HARD_VALUES, f"{server.named(name)} FINAL")

    assert (found.rows, found.hex) == (EXPECTED.rows, EXPECTED.digest)


def test_keys_with_quotes_and_escapes_are_found_again(kept: Kept) -> None:
    kept.project("marketplace")
    keys = ["it's", r"back\\slash", r"tab\tend", r"line\nend", "two''quotes", "{a:String}", "%s", "é"]
    category = next(table for table in tables.declared()["marketplace"] if table.name == "dim_category")
    with kept.connected() as server:
        for number, key in enumerate(keys, 1):
            insert(server, category, f"{key}\tx\t{number}\n".encode(), 1_001)

        gone = "".join(f"{key}\t{number}\n" for number, key in enumerate(keys, 1)).encode()
        write_changes(server, "marketplace", {"dim_category": TableLines(gone=gone)}, 600)

        assert server.rows("SELECT category FROM replayhouse.marketplace_dim_category") == [("unknown",)]


# --- one way through ------------------------------------------------------------------------------------------------


def test_what_is_loaded_and_taken_back_is_shown_as_in_postgresql(kept: Kept, tmp_path: Path) -> None:
    kept.warehouse.ingest(write(tmp_path / "first", a_good_extract()))
    told, live = kept.project(), kept.live_digests()
    assert kept.digests() == live
    assert {context: of["events"] for context, of in told.items()} == kept.warehouse.events()
    assert {of["projected"] for of in told.values()} == {kept.warehouse.json("status")["position"]}
    assert kept.project() == {context: {**of, "events": 0} for context, of in told.items()}

    kept.warehouse.ingest(write(tmp_path / "second", an_extract(CITY)))
    kept.project()
    assert kept.live_digests() != live
    assert kept.digests() == kept.live_digests()

    kept.warehouse.json("retract", kept.warehouse.json("batches")[-1]["batch"], *WHY)
    kept.project()
    assert kept.digests() == kept.live_digests()

    rebuilt = kept.json("rebuild", "--to", "clickhouse")["contexts"]
    assert {of["revision"] for of in rebuilt.values()} == {2}
    assert kept.digests() == kept.live_digests()


def test_the_calendar_and_the_joined_view_are_those_of_postgresql(kept: Kept, tmp_path: Path) -> None:
    kept.warehouse.ingest(write(tmp_path / "first", a_good_extract()))
    kept.project()

    days = "SELECT toString(min(date)), toString(max(date)), count() FROM replayhouse.shared_dim_date"
    assert kept.rows(days) == kept.warehouse.rows(
        "SELECT min(date)::text, max(date)::text, count(*)::int FROM shared.dim_date"
    )
    products = "SELECT toString(product_id), category_english FROM replayhouse.marketplace_dim_product ORDER BY 1"
    assert kept.rows(products) == kept.warehouse.rows(
        "SELECT product_id::text, category_english FROM marketplace.dim_product ORDER BY 1"
    )


def test_a_category_that_no_row_translates_is_null_in_the_joined_view(kept: Kept) -> None:
    kept.project("marketplace")
    product = next(table for table in tables.declared()["marketplace"] if table.name == "product")
    line = f"{GOOD}\tnowhere" + 8 * r"\N".join(["\t", ""]) + "\t9\n"
    with kept.connected() as server:
        insert(server, product, line.encode(), 1_001)
        found = server.rows("SELECT category_english FROM replayhouse.marketplace_dim_product WHERE position = 9")
    assert found == [(None,)]


def test_tables_and_columns_say_what_they_are(kept: Kept) -> None:
    kept.project("sales")

    comments = """
        SELECT t.comment, c.comment FROM system.columns AS c JOIN system.tables AS t
            ON t.database = c.database AND t.name = c.table
        WHERE c.database = 'replayhouse' AND c.table = 'sales_fact_payment' AND c.name = 'amount'
    """
    assert kept.rows(comments) == [("One row for each payment of an order", "amount, BRL")]


def test_people_are_told_what_was_done(kept: Kept, tmp_path: Path) -> None:
    kept.warehouse.ingest(write(tmp_path / "first", a_good_extract()))

    assert "projected" in kept.run("project", "--to", "clickhouse").out
    assert "folded into clickhouse" in kept.run("rebuild", "--to", "clickhouse").out
    assert "sales.fact_order " in kept.run("digest", "--in", "clickhouse").out


# --- rows that come and go ------------------------------------------------------------------------------------------


def test_rows_vanish_with_what_brought_them_and_come_back(kept: Kept, log: Log) -> None:
    log.append("sales", BAD, PLACED)
    kept.project("sales")
    log.append("sales", BAD, observe(order_of(PLACED), None, None, [a_line(2)]))
    kept.project("sales")
    assert kept.rows(ITEMS) == [(1,), (2,)]

    log.append("sales", BAD, [Rewound(MONDAY, UUID(int=7), to_version=len(PLACED))])
    kept.project("sales")
    assert kept.rows(ITEMS) == [(1,)]

    log.append("sales", BAD, [Rewound(MONDAY, UUID(int=7), to_version=0)])
    kept.project("sales")
    assert kept.rows(ORDERS) == kept.rows(ITEMS) == []

    log.append("sales", BAD, PLACED)
    kept.project("sales")
    assert kept.rows(ORDERS) == [(str(BAD), "approved")]


def test_a_row_that_another_stream_makes_by_now_is_not_removed_with_the_stream_that_made_it(kept: Kept) -> None:
    kept.project("sales")
    payment = next(table for table in tables.declared()["sales"] if table.name == "fact_payment")
    standing = "SELECT position FROM replayhouse.sales_fact_payment"
    with kept.connected() as server:
        insert(server, payment, f"{GOOD}\t1\tboleto\t1\t1.00\t20180101\t70\n".encode(), 1_001)

        write_changes(server, "sales", {"fact_payment": TableLines(gone=f"{GOOD}\t1\t60\n".encode())}, 600)
        assert server.rows(standing) == [(70,)]

        write_changes(server, "sales", {"fact_payment": TableLines(gone=f"{GOOD}\t1\t70\n".encode())}, 601)
        assert server.rows(standing) == []


# --- dying in between -----------------------------------------------------------------------------------------------


def test_a_window_that_is_half_written_is_written_to_its_end_before_what_came_later(kept: Kept, log: Log) -> None:
    """Else rows would stay that a later event has taken back before they were told to be there."""
    kept.project("sales")
    for statement in count():
        order = an_id(100 + statement)
        log.append("sales", order, PLACED)
        with dying_before(statement):
            done = True
            try:
                kept.project("sales")
            except Died:
                done = False
        log.append("sales", order, [Rewound(MONDAY, UUID(int=7), to_version=0)])
        kept.project("sales")
        assert kept.rows(ORDERS) == kept.rows(ITEMS) == [], f"it died before statement {statement}"
        if done:
            break
    assert statement > 4


# --- streams that cannot be folded ----------------------------------------------------------------------------------


def refuse(patch: pytest.MonkeyPatch, stream: UUID) -> None:
    """Folding that stream fails from now on, as with a defect in the fold."""
    refold = replay.refold

    def failing(projection: Any, before: Any, after: Any) -> Any:
        if after.stream_id == stream:
            raise KeyError("a defect")
        return refold(projection, before, after)

    patch.setattr("replayhouse.infra.read_models.windows.refold", failing)


def test_a_stream_that_cannot_be_folded_keeps_its_rows_and_the_others_go_on(kept: Kept, log: Log) -> None:
    log.append_all("sales", {BAD: PLACED, GOOD: PLACED})
    kept.project("sales")
    log.append_all("sales", {BAD: DELIVERED, GOOD: DELIVERED})
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, BAD)
        done = kept.run("project", "sales", "--to", "clickhouse", "--json")
        assert done.document["contexts"]["sales"]["parked"] == 1
        assert str(BAD) in done.err
        assert "a defect" in done.err
        assert kept.rows(ORDERS) == [(str(BAD), "approved"), (str(GOOD), "delivered")]

        log.append("sales", BAD, [Rewound(MONDAY, UUID(int=7), to_version=0)])  # still parked, still as it was
        kept.project("sales")
        assert kept.rows(ORDERS) == [(str(BAD), "approved"), (str(GOOD), "delivered")]

    assert kept.project("sales")["sales"]["parked"] == 1
    assert kept.project("sales", "--retry-parked")["sales"]["parked"] == 0
    assert kept.rows(ORDERS) == [(str(GOOD), "delivered")]


def test_a_parked_stream_comes_back_with_its_next_event(kept: Kept, log: Log) -> None:
    log.append_all("sales", {BAD: PLACED, GOOD: PLACED})
    kept.project("sales")
    log.append("sales", BAD, observe(order_of(PLACED), None, None, [a_line(2)]))
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, BAD)
        assert kept.project("sales")["sales"]["parked"] == 1

    log.append("sales", BAD, [Rewound(MONDAY, UUID(int=7), to_version=0)])

    assert kept.project("sales")["sales"]["parked"] == 0
    assert kept.rows(ORDERS) == [(str(GOOD), "approved")]


# --- people who are erased ------------------------------------------------------------------------------------------


def test_who_is_erased_is_in_no_file_once_clickhouse_is_up_with_the_log(kept: Kept, tmp_path: Path) -> None:
    kept.warehouse.ingest(write(tmp_path / "first", an_extract(CITY)))
    kept.project()
    kept.warehouse.ingest(write(tmp_path / "second", an_extract("vila do sul")))  # who has moved since
    kept.project()
    assert kept.files_with(CITY)

    erased = kept.json("customer", "erase", the_id(901), "--yes", *WHY)
    assert [copy["kind"] for copy in erased["stale_copies"]] == ["clickhouse"]
    assert [copy["place"] for copy in kept.json("status")["stale_copies"]] == [kept.url]
    assert kept.run("status", "--check").code == 1

    kept.project()

    assert kept.files_with(CITY) == kept.files_with("vila do sul") == []
    assert kept.digests() == kept.live_digests()
    assert "stale_copies" not in kept.json("status")
    assert kept.rows("SELECT count() FROM replayhouse.customer_dim_customer WHERE is_anonymized") == [(1,)]


def test_who_is_erased_while_everything_is_folded_again_is_not_shown(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.warehouse.ingest(write(tmp_path / "first", an_extract(CITY)))
    held = Filler._hold
    erased: list[str] = []

    def erase_then_hold(filler: Filler, context: str, rebuilt: Any) -> None:
        if not erased:
            erased.append(kept.json("customer", "erase", the_id(901), "--yes", *WHY)["status"])
        held(filler, context, rebuilt)

    monkeypatch.setattr(Filler, "_hold", erase_then_hold)
    kept.json("rebuild", "--to", "clickhouse")

    assert erased == ["erased"]
    assert kept.files_with(CITY) == []
    assert kept.digests() == kept.live_digests()
    assert "stale_copies" not in kept.json("status")


def test_what_small_windows_tear_apart_comes_together(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.project()
    monkeypatch.setattr("replayhouse.infra.clickhouse.projector.EVENTS_A_WINDOW", 3)
    for number, city in enumerate((CITY, "vila do sul")):
        kept.warehouse.ingest(write(tmp_path / str(number), an_extract(city)))
        kept.project()
        assert kept.digests() == kept.live_digests()


def test_the_note_stays_until_every_context_with_personal_fields_is_up_with_the_log(kept: Kept, tmp_path: Path) -> None:
    kept.warehouse.ingest(write(tmp_path / "first", an_extract(CITY)))
    kept.project()
    kept.json("customer", "erase", the_id(901), "--yes", *WHY)

    kept.project("sales", "customer")
    assert "stale_copies" in kept.json("status")
    kept.project("quality", "fulfillment")
    assert "stale_copies" not in kept.json("status")


def test_personal_fields_are_withheld_where_that_is_asked_for_and_stay_so(kept: Kept, tmp_path: Path) -> None:
    kept.warehouse.ingest(write(tmp_path / "first", an_extract(CITY)))
    kept.json("rebuild", "--to", "clickhouse", "--withhold-personal")
    kept.warehouse.ingest(write(tmp_path / "second", an_extract("vila do sul")))
    kept.project()

    assert kept.files_with(CITY) == kept.files_with("vila do sul") == []
    live, there = kept.live_digests(), kept.digests()
    assert there["sales"] == live["sales"]
    assert there["customer"]["dim_customer"] != live["customer"]["dim_customer"]
    assert kept.json("customer", "erase", the_id(901), "--yes", *WHY)["stale_copies"] == []

    with pytest.raises(Died), dying_before(3):
        kept.json("rebuild", "--to", "clickhouse")
    noted = "SELECT is_in_clear FROM event_store.copy_elsewhere"
    assert kept.warehouse.rows(noted) == [(True,)], "before the first row is written"
    kept.project()
    assert kept.warehouse.rows(noted) == [(False,)]

    kept.json("rebuild", "--to", "clickhouse")
    assert kept.warehouse.rows(noted) == [(True,)]
    assert kept.digests() == kept.live_digests()


def test_a_context_that_comes_later_withholds_what_the_others_do(kept: Kept, tmp_path: Path) -> None:
    kept.warehouse.ingest(write(tmp_path / "first", an_extract(CITY)))
    kept.json("rebuild", "customer", "--to", "clickhouse", "--withhold-personal")
    kept.project()
    with kept.connected() as server:
        assert [told.is_withheld for told in position.read(server).values()] == 5 * [True]


def test_a_database_that_has_not_noted_the_copy_fills_it_anew(kept: Kept, log: Log, conn: psycopg.Connection) -> None:
    """It was restored from a backup, and what it knows of erasures is numbered in another way."""
    log.append("sales", BAD, PLACED)
    kept.project()
    conn.execute("DELETE FROM event_store.copy_elsewhere")

    kept.project()

    with kept.connected() as server:
        revisions = {context: told.revision for context, told in position.read(server).items()}
    assert revisions == {"sales": 1, "fulfillment": 2, "customer": 2, "marketplace": 1, "quality": 2}


# --- what is refused ------------------------------------------------------------------------------------------------


def test_another_warehouse_is_not_written_over(kept: Kept, log: Log, tmp_path: Path) -> None:
    log.append("sales", BAD, PLACED)
    kept.project()
    with kept.connected() as server:
        told = position.read(server)["sales"]
        for store, chain, words in ((64 * "a", told.chain, "another warehouse"), (told.store, 64 * "b", "restored")):
            changed = {"store": store, "chain": chain, "step": 100 + told.step}
            told = position.write(server, "sales", type(told)(**{**as_given(told), **changed}))
            refused(kept.run("project", "--to", "clickhouse", "--json"), 2, words)

    kept.json("rebuild", "--to", "clickhouse")  # the same warehouse, an older log
    kept.warehouse.json("project")
    assert kept.digests() == kept.live_digests()


def test_a_database_with_tables_of_others_is_left_alone(kept: Kept) -> None:
    with kept.connected() as server:
        server.execute("CREATE TABLE replayhouse.theirs (a Int8) ENGINE = MergeTree ORDER BY a")

    refused(kept.run("project", "--to", "clickhouse", "--json"), 2, "tables of others (theirs)")
    refused(kept.run("rebuild", "--to", "clickhouse", "--json"), 2, "theirs")


def test_tables_of_an_earlier_program_are_filled_anew_and_those_of_a_newer_one_left(kept: Kept, log: Log) -> None:
    log.append("sales", BAD, PLACED)
    kept.project()
    for change, code in (({"fold_version": 0}, 0), ({"fingerprint": "another"}, 0), ({"fold_version": 99}, 2)):
        with kept.connected() as server:
            told = position.read(server)["sales"]
            position.write(server, "sales", type(told)(**{**as_given(told), **change}))
        assert kept.run("digest", "sales", "--in", "clickhouse").code == 4
        assert kept.run("project", "sales", "--to", "clickhouse").code == code

    refused(kept.run("project", "sales", "--to", "clickhouse", "--json"), 2, "newer version")
    kept.json("rebuild", "sales", "--to", "clickhouse")
    kept.warehouse.json("project")
    assert kept.digests()["sales"] == kept.live_digests()["sales"]


def test_a_folder_that_another_process_has_open_is_told(database: Database, tmp_path: Path) -> None:
    kept = Kept(database, tmp_path)
    holding = f"""
import sys
from replayhouse.infra.clickhouse.server import connected
from replayhouse.infra.runtime.clickhouse_settings import load_clickhouse_settings
with connected(load_clickhouse_settings(url={kept.url!r})):
    print("open", flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", holding], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        refused(kept.run("project", "--to", "clickhouse", "--json"), 3, "another process has it open")
        holder.communicate()
    kept.url = "chdb:///proc/nowhere/folder"
    refused(kept.run("project", "--to", "clickhouse", "--json"), 2, "cannot be made")


def test_one_command_at_a_time_is_at_work(kept: Kept, conn: psycopg.Connection) -> None:
    with pytest.MonkeyPatch.context() as patch, exclusive(conn, lock_of(kept.settings.address)):
        patch.setattr("replayhouse.infra.postgres.locks.LONGEST_WAIT_SECONDS", 0.1)
        refused(kept.run("project", "--to", "clickhouse", "--json"), 4, "replayhouse test")


def as_given(told: position.Position) -> dict[str, Any]:
    return {name: getattr(told, name) for name in told.__struct_fields__}
