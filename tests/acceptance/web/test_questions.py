"""The questions in the browser and by HTTP: answers, the rows behind every figure, and what was said before."""

import html
import json
import re
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

import replayhouse
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.settings import Settings
from replayhouse.ingest.synthetic import generate
from replayhouse.projections.questions import Question, questions
from tests.support.databases import copied
from tests.support.in_process import Warehouse
from tests.support.web import ORDERS, SEED, UNTIL, asking

SOME = [1, 7, 22, 35, 41, 64, 72, 82]
"""Questions with lines, bars, ids, a map, a grid, keys of several columns."""

ENDS = "SELECT notification_id FROM event_store.quality_events WHERE topic LIKE 'quality.BatchCompleted.%%' ORDER BY 1"
STILL_OPEN = """
    SELECT to_char(placed_at, 'YYYY-MM') FROM sales.fact_order GROUP BY 1
    HAVING count(*) FILTER (WHERE status IN ('delivered', 'canceled', 'unavailable')) < 0.95 * count(*) ORDER BY 1
"""
_KEPT = "SELECT count(*) FROM read_model.answer"


class Cell(NamedTuple):
    """A cell of the table on a page: its text, where it leads, and what stands in amber."""

    text: str
    address: str | None
    amber: str | None


def good(response: Response) -> str:
    assert response.status_code == 200, response.text
    return response.text


def rows_of(page: str) -> list[list[Cell]]:
    """The rows of the last table on the page; none where there is no table."""
    bodies = re.findall(r"<tbody>(.*?)</tbody>", page, re.DOTALL)
    rows = re.findall(r"<tr>(.*?)</tr>", bodies[-1], re.DOTALL) if bodies else []
    return [[_cell(cell) for cell in re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL)] for row in rows]


def _cell(told: str) -> Cell:
    amber = re.search(r'<span class="ch">(.*?)</span>', told)
    address = re.search(r'href="([^"]*)"', told)
    text = html.unescape(re.sub(r"<[^>]*>", "", re.sub(r'<span class="(ch|bar[^"]*)">.*?</span>', "", told))).strip()
    return Cell(text, html.unescape(address[1]) if address else None, amber[1] if amber else None)


def ends(warehouse: Warehouse) -> list[int]:
    """The positions at which the loads were complete."""
    return [position for (position,) in warehouse.rows(ENDS)]


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace("\N{MINUS SIGN}", "-"))


def refusal(warehouse: Warehouse, *arguments: str) -> str:
    """What the command line says."""
    return str(warehouse.run(*arguments, "--json").document["error"])


# --- the list -------------------------------------------------------------------------------------------------------


def test_all_questions_are_listed_with_their_findings(client: TestClient, loaded: Warehouse) -> None:
    page = html.unescape(good(client.get("/questions")))
    for one in loaded.json("ask", "all"):
        assert f"<p>{one['finding']}</p>" in page
    assert [int(found) for found in re.findall(r'href="/questions/(\d+)"', page)] == [one.number for one in questions()]
    assert page.count('<svg class="spark"') > 10


def test_the_list_computes_no_answer(own: Warehouse, own_client: TestClient) -> None:
    with own.database.connect("replayhouse test", autocommit=True) as connection:
        connection.execute("DELETE FROM read_model.answer")
    page = good(own_client.get("/questions"))
    assert own.rows(_KEPT) == [(0,)]
    assert questions()[21].title in html.unescape(page)
    assert "<svg class=" not in page


def test_questions_are_found_by_words(client: TestClient) -> None:
    page = good(client.get("/questions", params={"q": "late share"}))
    assert 'href="/questions/22"' in page
    assert 'href="/questions/7"' not in page
    assert [one["question"] for one in client.get("/api/questions?q=22").json()] == [22]
    assert len(client.get("/api/questions").json()) == len(questions())
    nothing = good(client.get("/questions", params={"q": "<script>"}))
    assert "No question has these words" in nothing
    assert "“<script>”" in html.unescape(nothing)
    assert "<script>”" not in nothing


def test_the_list_of_a_past_moment_has_the_findings_of_then(client: TestClient, loaded: Warehouse) -> None:
    first, second, _ = ends(loaded)
    for position in (first, second):
        told = loaded.json("ask", "22", "--at", str(position))
        page = html.unescape(good(client.get("/questions", params={"at": str(position)})))
        assert f"<p>{told['finding']}</p>" in page
        assert f'href="/questions/22?at={position}"' in page


# --- one question ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", questions(), ids=lambda one: one.path.stem)
def test_every_question_has_its_page(client: TestClient, asked: Question) -> None:
    page = good(client.get(f"/questions/{asked.number}"))
    assert f"<h1>{asked.title}</h1>" in html.unescape(page)
    assert ("data-chart=" in page or 'class="html"' in page) == (asked.chart["kind"] != "table" and rows_of(page) != [])


@pytest.mark.parametrize("asked", SOME)
def test_the_page_shows_the_answer(client: TestClient, loaded: Warehouse, asked: int) -> None:
    told = loaded.json("ask", str(asked))
    page = good(client.get(f"/questions/{asked}"))
    assert told["finding"] in html.unescape(page)
    shown = rows_of(page)
    rows = told["rows"] if str(told["rows"][0][0]).startswith(shown[0][0].text) else told["rows"][::-1]
    assert len(shown) == len(rows)
    for cells, row in zip(shown, rows, strict=True):
        for cell, value in zip(cells, row, strict=True):
            if value is None:
                assert cell.text == "–"
            elif isinstance(value, str):
                assert value.startswith(cell.text)
            else:
                assert number(cell.text) == Decimal(str(value))


def test_what_a_figure_was_stands_beside_it(client: TestClient, loaded: Warehouse) -> None:
    _, second, third = ends(loaded)
    told = client.get("/api/questions/22/changes", params={"from": second}).json()
    assert (told["was"]["position"], told["now"]["position"]) == (second, third)
    moved = {
        (row["now"][0], place): was
        for row in told["rows"]
        if row["was"] and row["now"]
        for place, (was, now) in enumerate(zip(row["was"], row["now"], strict=True))
        if was != now
    }
    came = {row["now"][0] for row in told["rows"] if row["was"] is None}
    assert moved, "a load that moves no figure shows nothing"
    assert came
    shown = rows_of(good(client.get("/questions/22")))
    amber = {
        (cells[0].text, place): cell.amber
        for cells in shown
        for place, cell in enumerate(cells)
        if cell.amber and place
    }
    assert amber.keys() == moved.keys()
    for place, was in moved.items():
        assert amber[place] == f"was {'–' if was is None else amber[place].removeprefix('was ')}"
        assert was is None or number(amber[place].removeprefix("was ")) == Decimal(str(was))
    assert {cells[0].text for cells in shown if cells[0].amber == "new"} == came


def test_a_past_page_shows_beside_each_figure_what_is_known_now(client: TestClient, loaded: Warehouse) -> None:
    _, second, _ = ends(loaded)
    past = rows_of(good(client.get("/questions/22", params={"at": second})))
    now = {cells[0].text: cells for cells in rows_of(good(client.get("/questions/22")))}
    assert any(cell.amber for cells in past for cell in cells)
    for cells in past:
        for cell, present in zip(cells, now[cells[0].text], strict=True):
            assert cell.amber == (None if cell.text == present.text else f"now {present.text}")


def test_a_past_page_is_the_one_that_was_shown_when_its_load_was_the_newest(
    own: Warehouse, own_client: TestClient, tmp_path: Path
) -> None:
    addresses = [f"/questions/{asked}" for asked in (7, 22, 61)]
    saved = [good(own_client.get(address)) for address in addresses]
    tag = own_client.get("/api/questions/22").headers["etag"]
    generate(tmp_path / "more", ORDERS + 40, SEED, None, 1)
    position = ends(own)[-1]
    assert own.json("ingest", tmp_path / "more")["status"] == "completed"
    for address, before in zip(addresses, saved, strict=True):
        assert _texts(own_client.get(address).text) != _texts(before), "the load changed nothing"
        assert _texts(good(own_client.get(address, params={"at": position}))) == _texts(before)
    then = own_client.get("/api/questions/22", params={"at": position}, headers={"if-none-match": tag})
    assert then.status_code == 304, "an answer of record is the same from then on"
    assert own_client.get("/api/questions/22", headers={"if-none-match": tag}).status_code == 200


def _texts(page: str) -> list[list[str]]:
    return [[cell.text for cell in row] for row in rows_of(page)]


def test_months_that_are_not_over_are_drawn_hollow(server: EmbeddedServer, tmp_path: Path) -> None:
    generate(tmp_path / "spring", ORDERS, SEED, UNTIL[0], 1)
    with copied(server) as database:
        warehouse = Warehouse(database, tmp_path / "home")
        warehouse.ingest(tmp_path / "spring")
        with asking(database, tmp_path / "home") as client:
            page = good(client.get("/questions/1"))
        still_open = [month for (month,) in warehouse.rows(STILL_OPEN)]
    spec = json.loads(re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page)[0])
    assert still_open
    assert [spec["x"][place] for place in spec["open"]] == still_open
    assert "open: fewer than 95 % of its orders have ended" in page


def test_parameters_are_a_form_and_stay_in_every_link(client: TestClient) -> None:
    page = html.unescape(good(client.get("/questions/34?min_reviews=5&axis=happened")))
    assert '<input name="min_reviews" value="5"' in page
    assert "20 by default, 0 at least" in page
    assert "replayhouse ask 34 --set min_reviews=5" in page
    assert all(cell.address is None or "min_reviews=5" in cell.address for row in rows_of(page) for cell in row)
    assert '<input name="min_reviews" value="20"' in good(client.get("/questions/34?min_reviews="))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("min_reviews=x", ("--set", "min_reviews=x")),
        ("min_reviews=-1", ("--set", "min_reviews=-1")),
        ("min_reviews=1&min_reviews=2", ("--set", "min_reviews=1", "--set", "min_reviews=2")),
        ("min=1", ("--set", "min=1")),
        ("at=gestern", ("--at", "gestern")),
        ("at=2026-03-01T12:00", ("--at", "2026-03-01T12:00")),
    ],
)
def test_what_is_wrong_is_told_in_the_words_of_the_command_line(
    client: TestClient, loaded: Warehouse, given: str, words: Sequence[str]
) -> None:
    told = refusal(loaded, "ask", "34", *words)
    for path in ("/api/questions/34", "/api/questions/34.csv", "/questions/34.json"):
        response = client.get(f"{path}?{given}")
        assert (response.status_code, response.json()) == (400, {"error": told})
    page = client.get(f"/questions/34?{given}")
    assert page.status_code == 400
    assert told in html.unescape(page.text)


# --- the rows behind figures ----------------------------------------------------------------------------------------


def _sums(page: str) -> tuple[str, Decimal]:
    """What a page of rows says of adding up, and what its parts make; of a figure made of others, nothing."""
    said = re.search(r'<b class="said">(.*?)</b>', page)
    assert said
    place = -3  # before the load and the position
    return said[1], sum((number(row[place].text) for row in rows_of(page)), start=Decimal(0))


@pytest.mark.parametrize("asked", SOME)
def test_figures_lead_to_rows_that_make_them(client: TestClient, asked: int) -> None:
    rows = rows_of(good(client.get(f"/questions/{asked}")))
    looked_at = 0
    for row in (rows[0], rows[len(rows) // 2], rows[-1]):
        for cell in row:
            if cell.address is None or "/rows?" not in cell.address:
                continue
            page = good(client.get(cell.address))
            measures = [
                one.address for line in rows_of(page) for one in line if one.address and "/rows?" in one.address
            ]
            for address in measures or [cell.address]:
                said, total = _sums(good(client.get(address)))
                assert said.startswith("Adds up: "), (address, said)
                shown = number(said.rpartition("make")[2].removeprefix("s").strip())
                assert measures or shown == number(cell.text)
                assert shown == total or "Page 1 of" in page
                looked_at += 1
    assert looked_at >= 3


def test_a_row_tells_which_load_brought_it_and_whether_it_is_new(client: TestClient, loaded: Warehouse) -> None:
    _, second, third = ends(loaded)
    names = [name for (name,) in loaded.rows("SELECT name FROM quality.batch ORDER BY position")]
    month = rows_of(good(client.get("/questions/22")))
    found: list[dict[str, Any]] = []
    for row in month:
        params: dict[str, str | int] = {"key": row[0].text, "column": "deliveries", "limit": 500}
        found += client.get("/api/questions/22/rows", params=params).json()["rows"]
    positions: dict[str, int] = dict(
        loaded.rows("SELECT replace(order_id::text, '-', ''), position FROM fulfillment.fact_delivery")
    )
    assert {row["key"]: row["position"] for row in found} == {row["key"]: positions[row["key"]] for row in found}
    assert {row["is_new"] for row in found} == {True, False}
    for one in found:
        assert one["is_new"] == (one["position"] > second)
        assert (one["load"] == names[-1]) == (second < one["position"] <= third)


def test_rows_of_a_past_moment_are_those_of_then(loaded: Warehouse, tmp_path: Path) -> None:
    _, second, _ = ends(loaded)
    settings = Settings(home=tmp_path, database_url=loaded.database.url, workers=1)
    told = loaded.json("ask", "22", "--at", str(second))
    month, late = next((row[0], row[2]) for row in reversed(told["rows"]) if row[2])
    found = replayhouse.Warehouse(settings).figure_rows(22, [month], "late", at=second)
    assert (found.value, found.number, found.adds_up) == (late, late, True)
    assert all(row.position and row.position <= second and row.load for row in found.rows)


def test_rows_lead_to_the_things_and_events_that_made_them(client: TestClient) -> None:
    (row, *_) = client.get("/api/questions/22/rows?key=2018-04&column=deliveries&limit=1").json()["rows"]
    page = good(client.get("/questions/22/rows?key=2018-04&column=deliveries"))
    assert f'href="/shipments/{row["key"]}"' in page
    assert f'href="/log/{row["position"]}"' in page


def test_rows_are_told_a_page_at_a_time(client: TestClient, loaded: Warehouse) -> None:
    told = loaded.json("ask", "5", "--rows", '["year", "2018"]', "orders")
    pages: list[dict[str, Any]] = []
    while True:
        address = f"/api/questions/5/rows?key=year&key=2018&column=orders&limit=80&offset={len(pages)}"
        found = client.get(address).json()
        pages += found["rows"]
        if not found["rows"]:
            break
    assert found["number"] == len(pages) == len(told["rows"])
    assert found["total"] == found["figure"] == told["figure"] == sum(row["part"] for row in pages)
    assert sorted(row["key"] for row in pages) == sorted(row["key"] for row in told["rows"])
    assert "There are no rows on this page." in good(
        client.get("/questions/5/rows?key=year&key=2018&column=orders&page=9")
    )


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("key=2018-04&column=nothing", 404, ("--rows", "2018-04", "nothing")),
        ("key=1999-01&column=late", 404, ("--rows", "1999-01", "late")),
        ("key=2018-04&key=x&column=late", 404, ("--rows", '["2018-04", "x"]', "late")),
    ],
)
def test_figures_that_are_none_are_refused_in_the_words_of_the_command_line(
    client: TestClient, loaded: Warehouse, query: str, status: int, words: Sequence[str]
) -> None:
    told = refusal(loaded, "ask", "22", *words)
    response = client.get(f"/api/questions/22/rows?{query}")
    assert (response.status_code, response.json()) == (status, {"error": told})
    assert client.get(f"/questions/22/rows?{query}").status_code == status


@pytest.mark.parametrize(
    "query", ["key=2018-04", "column=late", "key=2018-04&column=late&page=0", "key=%00&column=%00"]
)
def test_what_cannot_be_asked_for_is_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/questions/22/rows?{query}").status_code in (400, 404)


# --- for programs ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", SOME)
def test_json_and_csv_are_those_of_the_command_line(
    client: TestClient, loaded: Warehouse, asked: int, tmp_path: Path
) -> None:
    told = loaded.json("ask", str(asked), "--csv", tmp_path / "answer.csv")
    del told["seconds"]
    for path in (f"/api/questions/{asked}", f"/questions/{asked}.json"):
        assert client.get(path).json() == told
    for path in (f"/api/questions/{asked}.csv", f"/questions/{asked}.csv"):
        response = client.get(path)
        assert response.content == (tmp_path / "answer.csv").read_bytes()
        assert response.headers["content-type"] == "text/csv; charset=utf-8"


@pytest.mark.parametrize("path", ["/api/questions/22", "/api/questions/22.csv", "/questions/22.json"])
def test_whoever_has_an_answer_is_told_so(client: TestClient, loaded: Warehouse, path: str) -> None:
    first, *_ = ends(loaded)
    tag = client.get(path).headers["etag"]
    again = client.get(path, headers={"if-none-match": f'"other", {tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(path, headers={"if-none-match": '"other"'}).status_code == 200
    assert client.get(path, params={"at": first}, headers={"if-none-match": tag}).status_code == 200


def test_other_parameters_make_another_answer(client: TestClient) -> None:
    tags = [client.get("/api/questions/34", params=given).headers["etag"] for given in ({}, {"min_reviews": 5})]
    assert len(set(tags)) == 2
    usual = client.get("/api/questions/34?min_reviews=20").headers["etag"]
    assert usual == tags[0], "the default, said, is the default"


def test_what_differs_between_two_moments_is_told_row_by_row(client: TestClient, loaded: Warehouse) -> None:
    first, second, _ = ends(loaded)
    told = client.get("/api/questions/7/changes", params={"from": first, "to": second}).json()
    was, now = (
        {row[0]: row for row in loaded.json("ask", "7", "--at", str(position))["rows"]} for position in (first, second)
    )
    assert told["rows"]
    for row in told["rows"]:
        (key,) = row["key"]
        assert (row["was"], row["now"]) == (was.get(key), now.get(key))
        assert row["was"] != row["now"]
    assert {row["key"][0] for row in told["rows"]} == {key for key in was | now if was.get(key) != now.get(key)}
    assert client.get("/api/questions/7/changes?from=live").json()["rows"] == []
    assert client.get("/api/questions/7/changes").status_code == 400


def test_a_mean_over_three_months_says_that_its_sums_are_those_of_one_month(client: TestClient) -> None:
    month = client.get("/api/questions/22").json()["rows"][-1][0]
    page = good(client.get("/questions/22/rows", params={"key": month, "column": "late_pct_3m"}))
    assert f"these measures of {month} and of the two months before; here they are those of {month} alone" in page
    page = good(client.get("/questions/22/rows", params={"key": month, "column": "late_pct"}))
    assert "late_pct is no sum of rows. It is made of:" in page
