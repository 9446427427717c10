"""Several sources in the browser and over HTTP: loads say whose they are."""

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse
from tests.support.shop import LINES, write_export, write_mapping
from tests.support.web import asking


@pytest.fixture(scope="module")
def shared(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A warehouse with a load of the nine files, and one of a shop. Nobody changes it."""
    folder = tmp_path_factory.mktemp("shared")
    with copied(server) as database:
        warehouse = Warehouse(database, folder / "home")
        warehouse.ingest(write(folder / "march", a_good_extract()))
        told = warehouse.json(
            "ingest", write_export(folder / "january", LINES), "--source", write_mapping(folder / "shop")
        )
        assert told["status"] == "completed", told
        yield warehouse


@pytest.fixture(scope="module")
def site(shared: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with asking(shared.database, tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.mark.parametrize("page", ["/log", "/quality", "/moments", "/questions/1/rows?key=2018-01&column=revenue"])
def test_loads_are_named_with_their_sources(site: TestClient, client: TestClient, page: str) -> None:
    """Where there are several: else there is nothing to tell apart."""
    assert "<small>of shop</small>" in site.get(page).text
    assert "<small>of olist</small>" not in client.get(page).text


def test_programs_are_told_the_source_of_a_load(site: TestClient) -> None:
    loads = {"march": "olist", "january": "shop"}
    assert {one["name"]: one["source"] for one in site.get("/api/quality").json()["loads"]} == loads
    assert {one["load"]: one["source"] for one in site.get("/api/moments").json()["loads"]} == loads
    assert {one["load"]: one["source"] for one in site.get("/api/log").json()["commits"]} == loads
    rows = site.get("/api/questions/1/rows", params={"key": "2018-01", "column": "revenue"}).json()["rows"]
    assert "shop" in {row["source"] for row in rows}
    assert '<th scope="row">source</th><td class="n">shop</td>' in site.get("/loads/january").text
