"""Files that a mapping does not require: what an absent one would have said stays as it is known, and is not missed."""

import re
from pathlib import Path
from typing import Any

import pytest

from replayhouse.infra.postgres.connection import Database
from tests.support.complete_shop import complete_mapping, orders_export
from tests.support.databases import Beginnings
from tests.support.in_process import Warehouse, refused
from tests.support.shop import write_mapping

ORDERS = range(1000, 1010)
FILES = """
[files.articles]
path = "articles*.csv"
required = false
columns = { "Article" = "text", "Kind" = "text", "Grams" = "whole" }
[files.stars]
path = "stars*.csv"
required = false
columns = { "Order" = "text", "Score" = "whole", "At" = "time" }
"""
SELECTS = {
    "products": """
        WITH sold AS (SELECT "Lineitem name" AS sold_as, min(line) AS line FROM export GROUP BY "Lineitem name")
        SELECT
            CASE WHEN (SELECT count(*) FROM articles) > 0 THEN coalesce(articles.line, 1) ELSE sold.line END AS line,
            CASE WHEN (SELECT count(*) FROM articles) > 0 THEN 'articles' ELSE 'export' END AS file,
            id('product', coalesce("Article", sold_as)) AS product_id,
            length(coalesce("Article", sold_as)) AS product_name_lenght,
            "Kind" AS product_category_name, "Grams" AS product_weight_g
        FROM sold FULL JOIN articles ON "Article" = sold_as""",
    "order_reviews": """
        SELECT line, id('review', "Order") AS review_id, id('order', "Order") AS order_id, "Score" AS review_score,
            "At" AS review_creation_date
        FROM stars""",
}
ARTICLES = ["Article,Kind,Grams", "Article 1000,mugs,250", "Article 1001,,300", "Article 9999,lamps,"]
STARS = ["Order,Score,At", "#1000,5,2018-01-20 00:00:00"]

BEGINNINGS = Beginnings()


class Shop:
    """A warehouse, and the loads of a shop whose exports hold everything, each with files beside its orders."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.warehouse = Warehouse(database, folder / "home")
        self.folder = folder
        self.mapping = complete_mapping(folder / "shop", setting="shrinks_at_most = 0.5")
        text = (self.mapping / "source.toml").read_text(encoding="utf-8") + FILES
        write_mapping(self.mapping, **SELECTS)
        (self.mapping / "source.toml").write_text(text, encoding="utf-8")

    def export(self, name: str, **files: list[str]) -> Path:
        export = orders_export(self.folder / name, ORDERS)
        for file, lines in files.items():
            (export / f"{file}.csv").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return export

    def load(self, name: str, **files: list[str]) -> Any:
        told = self.warehouse.json("ingest", self.export(name, **files), "--source", self.mapping)
        assert told["status"] == "completed", told
        return told

    def products(self) -> set[Any]:
        return set(self.warehouse.rows("SELECT category, weight_g FROM marketplace.product"))


@pytest.fixture
def shop(database: Database, tmp_path: Path) -> Shop:
    """All files are loaded as `first`, once a process."""
    shop = Shop(database, tmp_path)
    told = BEGINNINGS.made(database, "all", lambda: shop.load("first", articles=ARTICLES, stars=STARS))
    assert ("absent" in told, told["missing_records"]) == (False, [])
    assert shop.products() == {("mugs", 250), ("unknown", 300), ("lamps", None), ("unknown", None)}
    return shop


def test_what_absent_files_would_have_said_stays_as_it_is_known(shop: Shop) -> None:
    before = shop.warehouse.digests()
    done = shop.warehouse.run("ingest", shop.export("later"), "--source", shop.mapping)
    assert "Not there, as the mapping allows: articles*.csv, stars*.csv." in done.out, done
    assert re.search(r"^The extract holds no .*\border_reviews\b", done.out, re.M), done
    assert "Missing, though" not in done.out
    assert shop.warehouse.digests() == before
    told = shop.warehouse.json("ingest", shop.folder / "later", "--source", shop.mapping)
    assert (told["status"], told["absent"]) == ("unchanged", ["articles*.csv", "stars*.csv"])


def test_a_record_that_a_file_has_no_more_was_last_there_when_the_file_was(shop: Shop) -> None:
    shop.load("without")
    told = shop.load("shrunk", articles=ARTICLES[:-1], stars=STARS)
    [products] = told["missing_records"]
    assert (products["file"], products["known"], products["missing"]) == ("products", 11, 1)
    assert [one["last_in"]["name"] for one in products["since"]] == ["first"]
    assert [(place["file"], place["line"]) for place in products["first"]] == [("articles.csv", 4)]


def test_an_empty_cell_of_a_file_that_is_there_is_nothing(shop: Shop) -> None:
    shop.load("emptied", articles=[ARTICLES[0], "Article 1000,,250", *ARTICLES[2:]])
    assert shop.products() == {("unknown", 250), ("unknown", 300), ("lamps", None), ("unknown", None)}


def test_a_first_load_needs_no_file_that_is_not_required_and_later_ones_add_what_it_lacked(
    database: Database, tmp_path: Path
) -> None:
    shop = Shop(database, tmp_path)
    done = shop.warehouse.run("sources", "check", shop.mapping, shop.export("early"))
    assert done.code == 0, done
    assert "file articles: not there; none fits articles*.csv, and it is not required" in done.out
    assert "records order_reviews: none, for no file that they are made from is there" in done.out
    early = shop.load("early")
    assert (early["files"]["products"]["new"], shop.products()) == (10, {("unknown", None)})
    later = shop.load("later", articles=ARTICLES, stars=STARS)
    assert (later["files"]["products"]["new"], later["files"]["products"]["changed"]) == (1, 2)
    assert shop.warehouse.rows("SELECT count(name_length), count(weight_g) FROM marketplace.product") == [(11, 2)]
    assert shop.warehouse.rows("SELECT count(*) FROM customer.fact_review") == [(1,)]


def test_a_required_file_is_asked_for_and_records_do_not_stand_in_one_that_is_absent(
    database: Database, tmp_path: Path
) -> None:
    shop = Shop(database, tmp_path)
    export = shop.export("early")
    (export / "orders_export_1.csv").rename(export / "articles.csv")
    done = shop.warehouse.run("sources", "check", shop.mapping, export, "--json")
    refused(done, 2, f"{export} holds no file that fits orders_export*.csv (files.export), but articles.csv")
    products = SELECTS["products"].replace("'export'", "'articles'")
    (shop.mapping / "products.sql").write_text(products, encoding="utf-8")
    done = shop.warehouse.run("sources", "check", shop.mapping, shop.export("other"), "--json")
    refused(done, 2, "products.sql says that records stand in articles, which this extract lacks")
