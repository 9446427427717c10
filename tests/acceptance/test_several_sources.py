"""Several sources in one warehouse: each is as it would be by itself, and can be asked and taken back by itself."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch
from uuid import UUID

import pytest

import replayhouse
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.infra.answers.answer import Answer
from replayhouse.infra.application import retract as retracting
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.sources.secret import SECRET
from replayhouse.ingest.retract import take_back
from tests.support.asking import python
from tests.support.databases import copied
from tests.support.in_process import Warehouse, dying_after, refused
from tests.support.other_dialect import mapping, rewritten
from tests.support.shop import LINES, SELECTS, write_export, write_mapping

OTHERS = ("sales", "fulfillment", "customer", "marketplace")
BATCH = ("quality", "batch")
"""Of loads it tells when they were opened."""

LATER = [*LINES[:4], LINES[4].replace("30,50;8,00", "30,50;9,00"), LINES[4].replace("#1003", "#1004")]
IDS = """
    SELECT order_id FROM sales.fact_order UNION SELECT product_id FROM marketplace.product
    UNION SELECT customer_id FROM customer.dim_customer
"""


class Places(NamedTuple):
    """Extracts and mappings."""

    olist: list[Path]
    shop: list[Path]
    mapping: Path
    twin: Path


def a_warehouse(database: Database, home: Path) -> Warehouse:
    """One with a known secret, so that people have the same ids in several."""
    with database.connect("replayhouse test", autocommit=True) as conn:
        conn.execute("INSERT INTO event_store.subject_key VALUES (%s, %s)", [SECRET, bytes(32)])
    return Warehouse(database, home)


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    folder = tmp_path_factory.mktemp("several")
    replayhouse.generate(folder / "march", orders=150, seed=3, until="2018-03-31")
    replayhouse.generate(folder / "all", orders=150, seed=3)
    exports = [write_export(folder / "january", LINES), write_export(folder / "february", LATER)]
    shop, twin = write_mapping(folder / "shop"), write_mapping(folder / "twin", "twin")
    return Places([folder / "march", folder / "all"], exports, shop, twin)


@pytest.fixture(scope="module")
def several(server: EmbeddedServer, places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Loads of the nine files, of a shop, and of the same shop by another name, one among the other."""
    with copied(server) as database:
        warehouse = a_warehouse(database, tmp_path_factory.mktemp("home"))
        for extract, source in (
            (places.olist[0], None),
            (places.shop[0], places.mapping),
            (places.shop[0], places.twin),
            (places.olist[1], None),
            (places.shop[1], places.mapping),
        ):
            load(warehouse, extract, source)
        yield warehouse


@pytest.fixture
def ours(server: EmbeddedServer, several: Warehouse, tmp_path: Path) -> Iterator[Warehouse]:
    """A copy of it."""
    with copied(server, several.database) as database:
        yield Warehouse(database, tmp_path / "home")


@pytest.fixture(scope="module")
def alone(
    server: EmbeddedServer, places: Places, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Warehouse]]:
    """A warehouse for each of two sources that has its loads and no others."""
    with copied(server) as one, copied(server) as two:
        shop, olist = (a_warehouse(made, tmp_path_factory.mktemp("home")) for made in (one, two))
        for export in places.shop:
            load(shop, export, places.mapping)
        for extract in places.olist:
            load(olist, extract)
        yield {"shop": shop, "olist": olist}


def load(warehouse: Warehouse, path: Path, source: Path | None = None) -> Any:
    told = warehouse.json("ingest", path, *(() if source is None else ("--source", source)))
    assert told["status"] == "completed", told
    return told


def tables(told: Any) -> dict[tuple[str, str], tuple[int, str]]:
    """Rows and digests by context and table, of all tables but that which tells when loads were opened."""
    return {
        (context, name): (table["rows"], table["digest"])
        for context, of_context in told["contexts"].items()
        for name, table in of_context["tables"].items()
        if (context, name) != BATCH
    }


def answers(warehouse: Warehouse, home: Path, source: str | None) -> dict[int, tuple[Any, str]]:
    """All hundred, by number: rows and finding."""
    with python(warehouse.database, home) as opened:
        found = list(opened.ask_all(source=source))
    assert all(isinstance(one, Answer) for one in found), found
    return {one.question.number: (one.rows, one.finding) for one in found if isinstance(one, Answer)}


@pytest.mark.parametrize("source", ["shop", "olist"])
def test_a_source_is_as_it_would_be_alone(
    source: str, ours: Warehouse, alone: dict[str, Warehouse], tmp_path: Path
) -> None:
    """Tables under a prefix have equal digests, and all questions equal answers, whatever else was loaded between."""
    made = ours.json("rebuild", "--into", "by_itself", "--source", source)
    assert tables(made) == tables(alone[source].json("digest"))
    assert answers(ours, tmp_path, source) == answers(alone[source], tmp_path, None)


def test_ids_of_two_sources_never_meet(several: Warehouse, alone: dict[str, Warehouse]) -> None:
    """But for the row of nobody. The shop's twin has had its first export alone, with one order less."""
    shop, olist, all_ids = ids_in(alone["shop"]), ids_in(alone["olist"]), ids_in(several)
    assert shop & olist <= {UNKNOWN_ID}
    assert all_ids > shop | olist
    assert len(all_ids - shop - olist) == len(shop - {UNKNOWN_ID}) - 1


def ids_in(warehouse: Warehouse) -> set[UUID]:
    return {found for (found,) in warehouse.rows(IDS)}


def test_what_is_taken_back_of_a_source_leaves_the_others_as_they_were(
    ours: Warehouse, alone: dict[str, Warehouse]
) -> None:
    planned = ours.json("retract", "--source", "shop", "--dry-run")
    assert (planned["status"], len(planned["batches"])) == ("planned", 2)
    assert planned["tables"]["sales.fact_order"]["removed"] == 4
    with patch.object(retracting, "take_back", dying_after(1, take_back)):
        assert ours.run("retract", "--source", "shop", "--reason", "a test").code != 0
    assert [load["status"] for load in ours.json("batches", "--source", "shop")] == ["retracting", "retracted"]

    told = ours.json("retract", "--source", "shop", "--reason", "a test")
    assert (told["source"], told["status"], len(told["batches"])) == ("shop", "retracted", 1)
    ours.json("retract", "--source", "twin", "--reason", "a test")
    assert tables(ours.json("digest", *OTHERS)) == tables(alone["olist"].json("digest", *OTHERS))
    assert tables(ours.json("rebuild", *OTHERS)) == tables(alone["olist"].json("digest", *OTHERS))
    refused(ours.run("retract", "--source", "shop", "--reason", "again", "--json"), 2, "nothing to take back")


def test_a_load_is_taken_back_under_later_ones_of_other_sources_that_do_not_stand_on_it(
    ours: Warehouse, places: Places, tmp_path: Path
) -> None:
    """What stands on it is named: a later load of its source, or of one that tells of the same things."""
    _, first_of_shop, _, second_of_olist, second_of_shop = [load["batch"] for load in ours.json("batches")]
    refused(ours.run("retract", first_of_shop, "--reason", "a test", "--json"), 4, second_of_shop)
    shop = tables(ours.json("rebuild", "--into", "before", "--source", "shop"))
    assert ours.json("retract", second_of_olist, "--reason", "a test")["status"] == "retracted"
    assert tables(ours.json("rebuild", "--into", "after", "--source", "shop")) == shop

    again = load(ours, rewritten(places.olist[0], tmp_path / "other"), mapping(tmp_path / "mapping"))
    assert {context: events for context, events in again["events"].items() if events} == {"quality": 4}
    for wanted in (["--source", "olist"], [ours.json("batches")[0]["batch"]]):
        refused(ours.run("retract", *wanted, "--reason", "a test", "--json"), 4, "stand on", again["batch"])


def test_a_later_load_is_compared_with_its_own_source_alone(ours: Warehouse, places: Places) -> None:
    """It appends what differs from that; the same export by a changed mapping as well."""
    before = ours.digests(OTHERS)
    told = load(ours, places.shop[1], places.twin)
    assert told["files"]["orders"] == {"rows": 4, "new": 1, "changed": 0, "unchanged": 3, "quarantined": 0}
    assert ours.digests(OTHERS) != before
    twins = tables(ours.json("rebuild", "--into", "twin_alone", "--source", "twin"))
    shops = tables(ours.json("rebuild", "--into", "shop_alone", "--source", "shop"))
    assert {table: rows for table, (rows, _) in twins.items() if table[0] != "quality"} == {
        table: rows for table, (rows, _) in shops.items() if table[0] != "quality"
    }

    with (places.twin / "source.toml").open("a") as toml:
        toml.write("# a remark\n")
    again = load(ours, places.shop[1], places.twin)
    assert {context: events for context, events in again["events"].items() if events} == {"quality": 4}


def test_loads_are_listed_by_source_and_an_unknown_one_is_told(ours: Warehouse) -> None:
    listed = [load["source"] for load in ours.json("batches")]
    assert listed == ["olist", "shop", "twin", "olist", "shop"]
    assert [load["source"] for load in ours.json("batches", "--source", "olist")] == ["olist"] * 2
    for command in (
        ["batches"],
        ["ask", "1"],
        ["rebuild", "--into", "then"],
        ["retract", "--dry-run"],
    ):
        refused(ours.run(*command, "--source", "shopp", "--json"), 2, "shopp", "did you mean shop?")
    refused(ours.run("rebuild", "--source", "shop", "--json"), 2, "--into")
    refused(ours.run("retract", "--json"), 2, "--source")


def test_a_source_that_was_loaded_before_is_loaded_by_its_name(ours: Warehouse, places: Places) -> None:
    """By the mapping of its newest load that stands, as that has kept it; the answer says so."""
    newest = ours.json("batches", "--source", "twin")[-1]["batch"]
    again = ours.run("ingest", places.shop[0], "--source", "twin", "--json")
    assert json.loads(again.out)["status"] == "unchanged"
    assert f"The mapping of twin is the one that the load {newest} has kept" in again.err
    assert load(ours, places.shop[1], Path("twin"))["files"]["orders"]["new"] == 1
    no_text = os.fsdecode(b"tw\xffin")
    refused(ours.run("ingest", places.shop[0], "--source", no_text, "--json"), 2, "neither the folder of a mapping")

    [kept] = ours.rows("SELECT source ->> 'mapping' FROM event_store.batch WHERE batch_id = %s", newest)
    with ours.database.connect("replayhouse test", autocommit=True) as conn:
        conn.execute("ALTER TABLE event_store.source_mapping DISABLE TRIGGER USER")
        conn.execute(
            'UPDATE event_store.source_mapping SET files = files || \'{"orders.sql": "SELECT 1"}\' WHERE sha256 = %s',
            kept,
        )
    refused(ours.run("ingest", places.shop[0], "--source", "twin", "--json"), 4, "changed since")
    for loaded in ("twin", "shopp"):
        ours.run("retract", "--source", loaded, "--reason", "a test")
        told = ours.run("ingest", places.shop[0], "--source", loaded, "--json")
        refused(told, 2, f"{loaded} is neither the folder of a mapping")


def test_a_source_alone_is_exported_by_the_prefix_under_which_it_stands(ours: Warehouse, tmp_path: Path) -> None:
    made = ours.json("rebuild", "--into", "shop_alone", "--source", "shop")
    told = ours.json("export", tmp_path / "files", "--at", "shop_alone")
    assert tables(told) == tables(made)


def test_an_answer_of_a_source_is_kept_and_is_not_that_of_all(ours: Warehouse) -> None:
    of_all, of_shop = ours.json("ask", "1"), ours.json("ask", "1", "--source", "shop")
    assert of_shop["source"] == "shop"
    assert of_shop["rows"] != of_all["rows"]
    again = ours.json("ask", "1", "--source", "shop")
    assert {**again, "seconds": 0} == {**of_shop, "seconds": 0}
    assert ours.json("ask", "1")["rows"] == of_all["rows"]
    [(second,)] = ours.rows(
        "SELECT max(c.last_position) FROM event_store.commit AS c JOIN event_store.batch AS b "
        "USING (batch_id) WHERE b.batch_seq = 2"
    )
    early = ours.json("ask", "1", "--source", "shop", "--at", str(second))
    assert early["rows"] != of_shop["rows"]
    assert "of what the loads of shop brought" in ours.run("ask", "1", "--source", "shop").out


def test_what_people_decide_is_of_the_source_that_it_is_about(ours: Warehouse, places: Places, tmp_path: Path) -> None:
    """An order that was let in is the shop's, somebody erased is so under each prefix; other sources have neither."""
    status = "CASE \"Name\" WHEN '#1005' THEN 'sent' ELSE 'delivered' END"
    told = write_mapping(tmp_path / "shop", orders=SELECTS["orders"].replace("'delivered'", status))
    load(ours, write_export(tmp_path / "export", [*LATER, LINES[2].replace("#1002", "#1005")]), told)
    [row] = [row for row in ours.json("quality", "quarantine") if row["file"] == "orders"]
    text = row["text"].replace("sent", "delivered")
    released = ours.run("quality", "release", row["row"], "--text", text, "--reason", "another word for it")
    assert released.code == 0, released
    made = {source: ours.json("rebuild", "--into", source, "--source", source) for source in ("shop", "olist", "twin")}
    orders = ours.rows("SELECT count(*) FROM shop_sales.fact_order")
    assert orders == [(5,)]
    assert ours.rows("SELECT count(*) FROM twin_sales.fact_order") == [(3,)]

    [(person,)] = ours.rows(
        "SELECT customer_id::text FROM shop_customer.dim_customer WHERE city_normalised = 'rio de janeiro'"
    )
    assert ours.run("customer", "erase", person, "--reason", "asked for it", "--yes").code == 0
    shown = "SELECT count(*) FROM {}_customer.dim_customer WHERE customer_id = %s AND is_anonymized"
    assert ours.rows(shown.format("shop"), person) == [(1,)]
    for source in ("olist", "twin"):
        again = ours.json("rebuild", "--into", f"{source}_again", "--source", source)
        assert tables(again) == tables(made[source])
        [(standing, anew)] = ours.rows(
            "SELECT a.digest, b.digest FROM read_model.prefix AS a, read_model.prefix AS b "
            "WHERE a.prefix = %s AND b.prefix = %s",
            source,
            f"{source}_again",
        )
        assert standing == anew
