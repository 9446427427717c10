"""Quality over the loads, as people and programs see it."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from replayhouse.infra.web.auth.tokens import Tokens
from tests.oracle.lines import an_item
from tests.support.extracts import a_good_extract, adding, changed, write
from tests.support.in_process import Warehouse
from tests.support.web import asking

BAD_ITEMS = [an_item(1, number, f"12.50{number}", "1.00") for number in range(3, 9)]
"""Prices with a fraction of a cent."""

ENTRIES = "SELECT subjects, role, resource, request FROM event_store.access ORDER BY access_id"


def cells(row: str) -> list[str]:
    """The texts of the cells of a row of a table."""
    found = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", text)).split()) for text in found]


def rows(text: str, heading: str) -> list[list[str]]:
    """The rows of the table that a heading names."""
    table = re.findall(rf'aria-labelledby="{heading}"><table>.*?<tbody>(.*?)</tbody>', text, re.DOTALL)
    return [cells(row) for row in re.findall(r"<tr.*?</tr>", table[0], re.DOTALL)]


def rows_under(text: str, label: str) -> list[list[str]]:
    """The rows of the table that is called so."""
    table = re.findall(rf'aria-label="{label}"><table>.*?<tbody>(.*?)</tbody>', text, re.DOTALL)
    return [cells(row) for row in re.findall(r"<tr.*?</tr>", table[0], re.DOTALL)]


def reports(warehouse: Warehouse) -> list[Any]:
    """What `quality report --json` says of each load, the newest first."""
    return [warehouse.json("quality", "report", load["batch"]) for load in reversed(warehouse.json("batches"))]


def test_each_load_has_the_figures_of_its_report(client: TestClient, loaded: Warehouse) -> None:
    told = reports(loaded)
    assert len(told) == 3
    for report in told:
        assert client.get(f"/api/quality/{report['batch']}").json() == report
        assert client.get(f"/api/quality/{report['name']}").json() == report
    text = client.get("/quality").text
    found = rows(text, "loads")
    assert [(row[0], row[2], float(row[3]), row[4]) for row in found] == [
        (report["name"], report["status"], report["score"], f"{report['rows']:,}") for report in told
    ]
    assert [(int(row[6]), int(row[7])) for row in found] == [
        (sum(check["failed"] > 0 for check in report["checks"]), sum(not check["passed"] for check in report["checks"]))
        for report in told
    ]


def test_a_program_reads_the_loads_some_at_a_time(client: TestClient, loaded: Warehouse) -> None:
    told = reports(loaded)
    found = [client.get(f"/api/quality?limit=2&offset={offset}").json() for offset in (0, 2, 4)]
    assert [page["number"] for page in found] == [3, 3, 3]
    assert [len(page["loads"]) for page in found] == [2, 1, 0]
    for load, report in zip(found[0]["loads"] + found[1]["loads"], told, strict=True):
        same = ("batch", "name", "status", "opened_at", "score", "rows", "quarantined")
        assert [load[name] for name in same] == [report[name] for name in same]
        assert load["broken"] == sum(check["failed"] > 0 for check in report["checks"])
        assert load["missed"] == sum(not check["passed"] for check in report["checks"])


def test_the_scores_are_drawn_from_the_oldest_load_to_the_newest(client: TestClient, loaded: Warehouse) -> None:
    told = list(reversed(reports(loaded)))
    text = client.get("/quality").text
    [spec] = re.findall(r'<script type="application/json" id="scores">(.*?)</script>', text)
    chart = json.loads(spec)
    assert chart["x"] == [report["name"] for report in told]
    assert chart["series"][0]["data"] == [report["score"] for report in told]
    assert chart["min"] < min(chart["series"][0]["data"]) <= chart["max"] == 100
    assert 'data-chart="scores"' in text


def test_rules_are_compared_over_the_loads(client: TestClient, loaded: Warehouse) -> None:
    checks = [{check["rule"]: check for check in report["checks"]} for report in reports(loaded)]
    broken = {rule for of_load in checks for rule, check in of_load.items() if check["failed"]}
    found = {row[0].split()[-1]: row for row in rows(client.get("/quality").text, "rules")}
    assert found.keys() == broken
    for rule, row in found.items():
        for shown, of_load in zip(row[2:], checks, strict=True):
            check = of_load[rule]
            assert shown == (f"{check['failed']:,} of {check['checked']:,}" if check["failed"] else "0")


def test_a_load_tells_each_rule_the_graver_first(client: TestClient, loaded: Warehouse) -> None:
    report = reports(loaded)[0]
    text = client.get(f"/quality/{report['name']}").text
    found = rows(text, "rules")
    assert {row[0]: (row[1].upper(), row[2], row[3], row[5]) for row in found} == {
        check["rule"]: (
            check["severity"],
            f"{check['checked']:,}",
            f"{check['failed']:,}",
            "reached" if check["passed"] else "missed",
        )
        for check in report["checks"]
    }
    order = ["critical", "high", "medium", "low"]
    severities = [order.index(row[1]) for row in found]
    assert severities == sorted(severities)
    for check in report["checks"]:
        if check["failed"]:
            assert check["sentence"] in text


def test_a_moment_knows_the_loads_that_had_begun(client: TestClient, loaded: Warehouse) -> None:
    first = loaded.json("batches")[0]
    [(end,)] = loaded.rows("SELECT max(last_position) FROM event_store.commit WHERE batch_id = %s", first["batch"])
    assert [row[0] for row in rows(client.get(f"/quality?at={end}").text, "loads")] == [first["name"]]
    later = loaded.json("batches")[1]["batch"]
    refused = client.get(f"/api/quality/{later}?at={end}")
    assert (refused.status_code, f"had not begun at position {end:,}" in refused.text) == (404, True)
    assert "does not know this load yet" in client.get(f"/quality/{later}?at={end}").text
    assert "does not know this load yet" not in client.get(f"/quality/{first['name']}?at={end}").text
    assert client.get(f"/api/quality/{first['batch']}?at={end}").json() == reports(loaded)[-1]


def test_records_that_were_kept_apart_are_told_without_their_texts(
    own: Warehouse, own_client: TestClient, tmp_path: Path
) -> None:
    lines = changed(a_good_extract(), order_items=adding(*BAD_ITEMS))
    told = own.json("ingest", write(tmp_path / "bad", lines), "--no-project")
    assert told["status"] == "completed"
    own.json("project", "quality")
    kept = own.json("quality", "quarantine", "--batch", told["batch"])
    assert len(kept) == len(BAD_ITEMS)
    text = own_client.get(f"/quality/{told['batch']}").text
    assert rows(text, "records") == [
        [f"{row['file']}:{row['line']}", row["rule"], row["reason"], row["status"]] for row in kept
    ]
    for row in kept:
        assert row["text"] not in text
        assert f"bad%2F{row['file']}%3A{row['line']}" in text
    [rule] = {row["rule"] for row in kept}
    assert f'href="/quality/{told["batch"]}?rule={rule}#apart"' in text
    assert len(rows(own_client.get(f"/quality/{told['batch']}?rule={rule}").text, "records")) == len(kept)
    none = own_client.get(f"/quality/{told['batch']}?rule=files_complete").text
    assert "0 records that this load" in none
    assert own_client.get(f"/api/quality/{told['batch']}").json()["quarantine"] == {rule: len(kept)}


@pytest.fixture
def apart(own: Warehouse, tmp_path: Path) -> list[dict[str, Any]]:
    """Records that were kept apart, as the command lists them: who lists them is in the access log."""
    lines = changed(a_good_extract(), order_items=adding(*BAD_ITEMS))
    batch = own.json("ingest", write(tmp_path / "bad", lines))["batch"]
    listed: list[dict[str, Any]] = own.json("quality", "quarantine", "--batch", batch)
    return listed


def test_records_are_shown_with_their_texts_which_is_noted_first(
    own: Warehouse, own_client: TestClient, apart: list[dict[str, Any]]
) -> None:
    [row, *_] = apart
    noted = own.rows(ENTRIES)
    page = own_client.get("/quality/quarantine", params={"load": row["batch"], "rule": row["rule"], "file": ""})
    assert page.headers["cache-control"] == "no-store"
    assert [found[:4] for found in rows_under(page.text, "Records")] == [
        [f"{one['file']}:{one['line']}", one["text"], one["rule"], one["reason"]] for one in apart
    ]
    [entry] = own.rows(ENTRIES)[len(noted) :]
    assert {str(subject) for subject in entry[0]} == {one["row"] for one in apart}
    assert entry[1:] == ("owner", f"texts of {len(apart)} quarantined records", page.headers["x-request-id"])

    own.json("quality", "discard", row["row"], "--reason", "a test")
    left = own_client.get("/quality/quarantine", params={"load": row["batch"]}).text
    assert len(rows_under(left, "Records")) == len(apart) - 1
    gone = own_client.get("/quality/quarantine", params={"load": row["batch"], "status": "discarded"}).text
    assert [found[5] for found in rows_under(gone, "Records")] == ["discarded"]


def test_stewards_see_the_texts_and_analysts_see_that_they_are_sealed(
    own: Warehouse, apart: list[dict[str, Any]], tmp_path: Path
) -> None:
    with asking(own.database, tmp_path / "home", lambda warehouses: Tokens(warehouses, 8)) as site:
        for role, sees in (("steward", True), ("analyst", False)):
            secret = own.json("token", "create", role, "--name", role, "--days", "1")["secret"]
            noted = len(own.rows(ENTRIES))
            page = site.get("/quality/quarantine?load=bad", headers={"authorization": f"Bearer {secret}"})
            assert page.status_code == 200
            assert [one["text"] in page.text for one in apart] == [sees] * len(apart)
            assert [found[1] == "sealed" for found in rows_under(page.text, "Records")] == [not sees] * len(apart)
            assert [row[1] for row in own.rows(ENTRIES)[noted:]] == ["steward"] * sees


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/quality/quarantine?status=bad", 400, "There is no status"),
        ("/quality/quarantine?file=nothing", 404, "There is no file"),
        ("/quality/quarantine?rule=nothing", 404, "There is no rule"),
        ("/quality/quarantine?load=nothing", 404, "There is no load nothing"),
        ("/quality/quarantine?page=0", 400, "page: "),
        ("/quality/nothing", 404, "There is no load nothing"),
        ("/api/quality/nothing", 404, "There is no load nothing"),
        ("/quality/00000000-0000-4000-8000-000000000000", 404, "There is no load 00000000"),
        ("/quality/whole?rule=nothing", 404, "There is no rule"),
        ("/quality/whole?page=0", 400, "page: "),
        ("/quality?page=x", 400, "page: "),
        ("/quality?at=nowhere", 400, "There is nothing called"),
        ("/api/quality/whole?at=nowhere", 400, "There is nothing called"),
    ],
)
def test_what_is_not_there_is_told(client: TestClient, path: str, status: int, words: str) -> None:
    response = client.get(path)
    assert response.status_code == status
    assert words in response.text


def test_a_page_beyond_the_last_says_so(client: TestClient) -> None:
    response = client.get("/quality?page=9")
    assert response.status_code == 200
    assert "There is no load on this page" in response.text
