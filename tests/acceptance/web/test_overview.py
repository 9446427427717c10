"""The overview: its figures are those of the questions that they lead to, now and as of a load of the past."""

import html
import json
import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.support.corrected import SAVED, Corrected
from tests.support.databases import copied
from tests.support.in_process import Warehouse
from tests.support.web import asking

_TILE = re.compile(r'<div class="tile"><dt>(.*?)</dt><dd>(.*?)</dd></div>', re.DOTALL)
_CHART = re.compile(r'<script type="application/json" id="(chart-\d+)">(.*?)</script>', re.DOTALL)
_TWELVE = 12


def text_of(part: str) -> str:
    """What a person reads of it."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", part)).split())


def tiles(page: str) -> dict[str, str]:
    """Each tile's text by its name."""
    return {name: text_of(inner) for name, inner in _TILE.findall(page)}


def figures(page: str) -> dict[str, str]:
    """The same without what another moment says of it."""
    return tiles(re.sub(r'<a class="changed".*?</a>', "", page))


def charts(page: str) -> dict[str, dict[str, Any]]:
    """What is drawn, by name."""
    return {name: json.loads(spec) for name, spec in _CHART.findall(page)}


def answers(loaded: Warehouse, number: int) -> list[dict[str, Any]]:
    """The rows of an answer as the command line gives it, each by the names of its columns."""
    told = loaded.json("ask", str(number))
    return [dict(zip([column["name"] for column in told["columns"]], row, strict=True)) for row in told["rows"]]


def money(value: Decimal, decimals: int) -> str:
    """An amount as a tile has it."""
    return f"R$ {value.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):,}"


@pytest.fixture(scope="module")
def regular(loaded: Warehouse) -> list[str]:
    """The regular months."""
    return [row["month"] for row in answers(loaded, 4)]


@pytest.fixture(scope="module")
def expected(loaded: Warehouse, regular: list[str]) -> dict[str, str]:
    """What each tile must begin with: computed from the answers of the command line over the last regular months."""

    def over(number: int, column: str) -> list[Decimal]:
        rows = {row.get("period", row.get("month")): row[column] for row in answers(loaded, number)}
        return [Decimal(str(rows[month] or 0)) for month in regular[-_TWELVE:]]

    revenue, late = sum(over(1, "revenue"), start=Decimal(0)), sum(over(22, "late"), start=Decimal(0))
    scores, reviews = over(31, "avg_score"), over(31, "reviews")
    share = 100 * late / sum(over(22, "deliveries"))
    score = sum((a * b for a, b in zip(scores, reviews, strict=True)), start=Decimal(0)) / sum(reviews)
    return {
        "Revenue": money(revenue, 0),
        "Orders": f"{sum(over(5, 'orders')):,}",
        "New customers": f"{sum(over(2, 'new_customers')):,}",
        "Average order": money(revenue / sum(over(6, "delivered_orders")), 2),
        "Late deliveries": f"{share.quantize(Decimal('0.1'), ROUND_HALF_UP)} %",
        "Review score": f"{score.quantize(Decimal('0.01'), ROUND_HALF_UP)} of 5",
    }


def test_each_figure_is_computed_from_the_answer_that_it_leads_to(client: TestClient, expected: dict[str, str]) -> None:
    shown = tiles(client.get("/").text)
    assert list(shown) == list(expected)
    assert [shown[name][: len(text)] for name, text in expected.items()] == list(expected.values())


def test_the_change_on_the_year_is_that_of_the_months_that_were_regular_a_year_before(
    client: TestClient, loaded: Warehouse, regular: list[str]
) -> None:
    orders = {row["period"]: row["orders"] for row in answers(loaded, 5)}
    before = {month: f"{int(month[:4]) - 1}{month[4:]}" for month in regular[-_TWELVE:]}
    compared = [month for month, then in before.items() if then in regular]
    now, then = sum(orders[month] for month in compared), sum(orders[before[month]] for month in compared)
    change = (Decimal(100 * (now - then)) / then).quantize(Decimal("0.1"), ROUND_HALF_UP)
    assert 0 < len(compared) < _TWELVE
    assert f"{'▲' if change > 0 else '▼'} {abs(change)} % on the year" in tiles(client.get("/").text)["Orders"]


def test_what_is_drawn_are_the_figures_of_the_answers(
    client: TestClient, loaded: Warehouse, regular: list[str]
) -> None:
    drawn = charts(client.get("/").text)
    revenue = {row["month"]: row["revenue"] for row in answers(loaded, 1)}
    late = {row["month"]: row["late_pct"] for row in answers(loaded, 22)}
    assert drawn["chart-1"]["x"] == drawn["chart-22"]["x"] == regular
    assert drawn["chart-1"]["series"][0]["data"] == [revenue[month] for month in regular]
    assert drawn["chart-22"]["series"][0]["data"] == [late[month] for month in regular]
    assert drawn["chart-7"]["series"][0]["data"] == [row["revenue"] for row in answers(loaded, 7)[:8]]


def test_whatever_the_page_leads_to_is_there(client: TestClient, loaded: Warehouse) -> None:
    page = client.get("/").text
    leads = {html.unescape(found) for found in re.findall(r'href="(/(?:questions|changes)[^"]*)"', page)}
    leads |= {spec["href"][place] for spec in charts(page).values() for place in (0, -1)}
    assert len(leads) > 20
    assert {path: client.get(path).status_code for path in leads} == dict.fromkeys(leads, 200)


def test_the_last_load_is_held_against_the_one_before(
    client: TestClient, loaded: Warehouse, regular: list[str]
) -> None:
    before = loaded.json("ask", "--history", "5")["answers"][-2]["rows"]
    known = {period: orders for kind, period, orders, _ in before if kind == "month"}
    now = {row["period"]: row["orders"] for row in answers(loaded, 5)}
    added = sum(now[month] - known.get(month, 0) for month in regular[-_TWELVE:])
    assert added > 0
    assert f"+{added:,} by the last load" in tiles(client.get("/").text)["Orders"]


@pytest.mark.parametrize("path", SAVED)
def test_a_moment_of_the_past_shows_the_figures_that_were_shown_then(corrected: Corrected, path: str) -> None:
    past = corrected.client.get(f"{path}{'&' if '?' in path else '?'}at={corrected.before}").text
    assert figures(past) == figures(corrected.saved[path])
    was, now = charts(corrected.saved[path]), charts(past)
    assert [spec["series"][0]["data"] for spec in now.values()] == [spec["series"][0]["data"] for spec in was.values()]


def test_what_was_corrected_since_is_known_now_and_was_brought_by_the_last_load(corrected: Corrected) -> None:
    past = tiles(corrected.client.get("/", params={"at": corrected.before, "period": "all"}).text)
    now = tiles(corrected.client.get("/?period=all").text)
    assert now["Revenue"].endswith("+R$ 100 by the last load")
    assert past["Revenue"].endswith(f"now known: {figures(corrected.client.get('/?period=all').text)['Revenue']}")
    assert "now known" not in past["Orders"]
    page = corrected.client.get("/", params={"at": corrected.before, "period": "all"}).text
    [*_, lead] = re.findall(r'<a class="changed" href="([^"]+)"', page)
    assert f"price of line 1 R$ {corrected.was:.2f}" in text_of(corrected.client.get(html.unescape(lead)).text)
    assert "by the last load" not in now["Orders"]
    _, then = charts(corrected.client.get(f"/?at={corrected.before}").text)["chart-1"]["series"]
    assert then["name"] == "as known now"


def test_all_months_are_those_of_the_questions(client: TestClient, loaded: Warehouse) -> None:
    shown = tiles(client.get("/?period=all").text)
    everything = next(row for row in answers(loaded, 31) if row["month"] == "all")
    orders = sum(row["orders"] for row in answers(loaded, 5) if row["period_type"] == "month")
    assert shown["Orders"].startswith(f"{orders:,}")
    assert shown["Review score"].startswith(f"{everything['avg_score']:.2f} of 5")
    assert all("on the year" not in text for text in shown.values())


def test_a_load_that_was_taken_back_is_held_against_what_it_had_brought(own: Warehouse, own_client: TestClient) -> None:
    own.json("retract", "whole", "--reason", "the wrong month")
    assert "by taking whole back" in tiles(own_client.get("/?period=all").text)["Orders"]
    assert "What taking whole back changed" in text_of(own_client.get("/changes").text)


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("period=ever", "period: Input should be 'twelve' or 'all'"),
        ("at=gestern", "gestern"),
        ("at=999999999999", "The log has no position 999,999,999,999"),
        ("by=gestern", "gestern"),
    ],
)
def test_what_makes_no_sense_is_told_plainly(client: TestClient, query: str, told: str) -> None:
    response = client.get(f"/?{query}")
    assert response.status_code == 400
    assert told in text_of(response.text)


@pytest.fixture(scope="module")
def empty(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The site of a warehouse without any load."""
    home = tmp_path_factory.mktemp("empty")
    with copied(server) as database:
        Warehouse(database, home).json("project")
        with asking(database, home) as client:
            yield client


@pytest.mark.parametrize("path", ["/", "/changes"])
def test_without_a_load_it_says_what_to_do(empty: TestClient, path: str) -> None:
    response = empty.get(path)
    assert response.status_code == 200
    assert "Nothing is loaded yet" in response.text
    assert "replayhouse ingest" in response.text


def test_without_a_load_nothing_can_have_changed(empty: TestClient) -> None:
    response = empty.get("/api/changes")
    assert response.status_code == 404
    assert response.json()["error"].startswith("Nothing is loaded yet")
    assert empty.get("/api/changes?from=0&to=5").status_code == 400


def test_the_status_is_that_of_the_command_line(client: TestClient, loaded: Warehouse, tmp_path: Path) -> None:
    told, said = client.get("/api/status").json(), loaded.json("status")
    assert {name: told[name] for name in ("position", "chain", "contexts", "batches")} == {
        name: said[name] for name in ("position", "chain", "contexts", "batches")
    }
