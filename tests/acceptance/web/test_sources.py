"""Several sources in the browser and over HTTP: loads say whose they are, and one can be looked at alone."""

import re
from collections.abc import Iterator
from html import escape
from urllib.parse import parse_qsl
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.web.jobs import Jobs
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse
from tests.support.shop import LINES, write_export, write_mapping
from tests.support.web import asking

SLASHED = LINES[2].replace("#1002", "#1001/2")
"""A line of an order whose number has a slash."""


@pytest.fixture(scope="module")
def shared(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """A warehouse with a load of the nine files, and one of a shop. Nobody changes it."""
    folder = tmp_path_factory.mktemp("shared")
    with copied(server) as database:
        warehouse = Warehouse(database, folder / "home")
        warehouse.ingest(write(folder / "march", a_good_extract()))
        told = warehouse.json(
            "ingest", write_export(folder / "january", [*LINES, SLASHED]), "--source", write_mapping(folder / "shop")
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


def test_a_source_alone_is_offered_made_and_shown(shared: Warehouse, site: TestClient) -> None:
    """The answers are those of `ask --source`; the moment bar says what a page shows, and leads to the others."""
    offered = site.get("/questions/22", params={"source": "shop"})
    assert offered.status_code == 409
    assert '<input type="hidden" name="source" value="shop">' in offered.text
    assert site.get("/api/questions/22", params={"source": "shop"}).status_code == 409

    begun = site.post("/api/moments", json={"source": "shop"})
    assert (begun.status_code, begun.json()["source"]) == (202, "shop")
    jobs: Jobs = site.app.state.jobs  # type: ignore[attr-defined]  # the client knows no more of it than ASGI
    assert jobs.wait(begun.json()["id"]).error is None
    assert [one["source"] for one in site.get("/api/moments").json()["made"]] == ["shop"]
    assert "of shop alone" in site.get("/moments").text

    for number in ("1", "22"):
        told = site.get(f"/api/questions/{number}", params={"source": "shop"})
        asked = shared.json("ask", number, "--source", "shop")
        assert (told.json()["rows"], told.json()["finding"]) == (asked["rows"], asked["finding"])
        assert told.json()["rows"] != site.get(f"/api/questions/{number}").json()["rows"]
    tag = {"if-none-match": told.headers["etag"]}
    assert site.get("/api/questions/22", params={"source": "shop"}, headers=tag).status_code == 304
    assert site.get("/api/questions/22", headers=tag).status_code == 200

    page = site.get("/questions/1", params={"source": "shop"})
    assert "of shop alone" in page.text
    assert '<a href="/questions/1">all</a>' in page.text
    assert '<a href="/questions/1?source=shop" aria-current="true">shop</a>' in page.text
    assert "replayhouse ask 1 --source shop" in page.text
    assert "/questions/1/rows?source=shop&amp;key=2018-01" in page.text
    rows = site.get("/api/questions/1/rows", params={"source": "shop", "key": "2018-01", "column": "revenue"}).json()
    assert {row["source"] for row in rows["rows"]} == {"shop"}
    for path in ("/", "/questions", "/questions/1/rows?key=2018-01&column=revenue"):
        shown = site.get(path, params={**dict(parse_qsl(path.partition("?")[2])), "source": "shop"})
        assert (shown.status_code, "of shop alone" in shown.text) == (200, True)
    assert "this page shows all sources, not shop alone" in site.get("/log", params={"source": "shop"}).text


@pytest.mark.parametrize("page", ["/", "/questions/1", "/api/questions/1", "/api/questions/1.csv"])
def test_a_source_that_is_none_is_told_with_the_nearest(site: TestClient, page: str) -> None:
    told = site.get(page, params={"source": "shp"})
    assert told.status_code == 404
    assert "no load of a source" in told.text
    assert "did you mean shop?" in told.text
    assert site.post("/api/moments", json={"source": "shp"}).status_code == 404


def test_where_there_is_one_source_nothing_is_to_be_chosen(client: TestClient) -> None:
    assert 'aria-label="Source"' not in client.get("/questions/1").text


def test_a_load_leads_to_the_mapping_that_made_its_records(shared: Warehouse, site: TestClient) -> None:
    kept = shared.json("sources", "show", "january")
    told = site.get("/api/loads/january/mapping").json()
    assert told == {name: value for name, value in kept.items() if name != "seconds"}
    page = site.get("/loads/january/mapping").text
    assert f">{escape(kept['files']['orders.sql'])}</pre>" in page.replace("&#34;", "&quot;").replace("&#39;", "&#x27;")
    assert f"/loads/{UUID(kept['batch']).hex}/mapping" in site.get("/loads/january").text
    assert "/mapping" not in site.get("/loads/march").text
    assert site.get("/loads/march/mapping").status_code == 404


def test_a_key_may_have_a_slash_in_it(shared: Warehouse, site: TestClient) -> None:
    [first, *_] = shared.json("audit", "history", "order", "--key", "#1001/2")
    told = site.get("/api/things/order/%231001%2F2", params={"source": "shop"})
    assert (told.status_code, UUID(told.json()["id"])) == (200, UUID(first["stream"]))
    missing = site.get("/api/things/order/%231001%2F3", params={"source": "shop"})
    assert (missing.status_code, "'#1001/3'" in missing.json()["error"]) == (404, True)


def test_a_status_tells_how_each_source_is(shared: Warehouse, site: TestClient, client: TestClient) -> None:
    events = {load["name"]: load["events"] for load in shared.json("batches")}
    told = site.get("/api/status").json()["sources"]
    assert {name: (one["loads"], one["last_load"], one["events"]) for name, one in told.items()} == {
        "olist": (1, "march", events["march"]),
        "shop": (1, "january", events["january"]),
    }
    assert told.keys() == shared.json("status")["sources"].keys()
    shown = shared.run("status").out
    assert re.search(r"^shop +1 +january ", shown, re.MULTILINE), shown
    assert "sources" not in client.get("/api/status").json()
