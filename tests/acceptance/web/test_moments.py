"""Moments in the browser and by HTTP: which are offered, and that others are made as a job."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import psycopg
import pytest
from fastapi import Request
from fastapi.testclient import TestClient
from httpx2 import Response

from replayhouse.infra.application import make_moment
from replayhouse.infra.application.api.warehouse import Warehouse as PythonWarehouse
from replayhouse.infra.application.moments import NotMade
from replayhouse.infra.runtime.identity import Identity, Role
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.web.jobs import Job, Jobs, State
from replayhouse.projections.questions import questions
from tests.support.homes import wait_until
from tests.support.in_process import Warehouse
from tests.support.web import asking

_ENDS = "SELECT notification_id FROM event_store.quality_events WHERE topic LIKE 'quality.BatchCompleted.%' ORDER BY 1"
_BESIDE = r"SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^(moment|unfinished)_' ORDER BY 1"


def job_of(client: TestClient, made: Response) -> dict[str, Any]:
    """What came of the job that an answer names, once it is over."""
    job = client.app.state.jobs  # type: ignore[attr-defined]  # the client's app is a FastAPI
    number = made.headers["location"].rpartition("/")[2]
    job.wait(number)
    found: dict[str, Any] = client.get(f"/api/moments/jobs/{number}").json()
    return found


def between(warehouse: Warehouse) -> int:
    """A position that is no load's end: in the middle of the second."""
    ends = positions(warehouse)
    return (ends[0] + ends[1]) // 2


def positions(warehouse: Warehouse) -> list[int]:
    """Where the loads ended."""
    with psycopg.connect(warehouse.database.url) as conn:
        return [row[0] for row in conn.execute(_ENDS).fetchall()]


def beside(warehouse: Warehouse) -> list[str]:
    """The schemas of moments that stand, or that were left unfinished."""
    with psycopg.connect(warehouse.database.url) as conn:
        return [row[0] for row in conn.execute(_BESIDE).fetchall()]


def forget_what_was_made(warehouse: Warehouse) -> None:
    """Removes the moments that stand, and all kept answers: who asks then has the log folded."""
    for prefix in {schema.rpartition("_")[0] for schema in beside(warehouse)}:
        warehouse.json("revisions", "drop", prefix)
    with psycopg.connect(warehouse.database.url) as conn:
        conn.execute("DELETE FROM read_model.answer")


def test_a_moment_that_is_not_made_is_offered_and_made_and_then_shown(own: Warehouse, own_client: TestClient) -> None:
    at = between(own)
    offered = own_client.get(f"/questions/2?at={at}&marketing_pct=12")
    assert offered.status_code == 409
    assert "This moment is not made yet" in offered.text
    told = own_client.get(f"/api/questions/2?at={at}&marketing_pct=12")
    assert (told.status_code, list(told.json())) == (409, ["error"])
    assert told.json()["error"] in unescape(offered.text)

    fields = {"at": str(at), "by": "", "to": f"/questions/2?at={at}&marketing_pct=12"}
    for name, value in fields.items():
        assert f'name="{name}" value="{value}"' in unescape(offered.text)
    begun = own_client.post("/moments", data=fields, follow_redirects=False)
    assert begun.status_code == 303
    assert job_of(own_client, begun)["state"] == "done"
    shown = own_client.get(begun.headers["location"])
    assert (shown.status_code, str(shown.url).partition("//localhost")[2]) == (200, fields["to"])
    answered = own_client.get(f"/api/questions/2?at={at}").json()
    assert own_client.post("/moments", data=fields, follow_redirects=False).headers["location"] == fields["to"]
    forget_what_was_made(own)
    assert answered["rows"] == own.json("ask", "2", "--at", str(at))["rows"]


@contextmanager
def held_up(warehouse: Warehouse) -> Iterator[None]:
    """Whoever folds sales in the block waits, after the schemas are made that the rows are to go to."""
    with psycopg.connect(warehouse.database.url) as conn:
        conn.execute("LOCK TABLE event_store.sales_events IN ACCESS EXCLUSIVE MODE")
        yield


def test_one_moment_is_made_at_a_time_and_nothing_is_left_of_one_that_is_cancelled(
    own: Warehouse, own_client: TestClient
) -> None:
    with held_up(own):
        begun = own_client.post("/api/moments", json={"by": "2018-01-31"})
        assert (begun.status_code, begun.json()["state"]) == (202, "running")
        place = begun.headers["location"]
        second = own_client.post("/api/moments", json={"by": "2018-02-28"})
        assert (second.status_code, list(second.json())) == (409, ["error"])
        assert "one is made at a time" in second.json()["error"]
        assert own_client.post("/moments", data={"by": "2018-02-28"}).status_code == 409
        assert own_client.post("/api/moments", json={"by": "2018-01-31"}).headers["location"] == place
        looked = own_client.get(place.removeprefix("/api"))
        assert '<meta http-equiv="refresh"' in looked.text
        assert f'data-again="{place.removeprefix("/api")}/state" data-every="1"' in looked.text
        assert "x-last" not in own_client.get(place.removeprefix("/api") + "/state").headers
        assert place.removeprefix("/api") in own_client.get("/moments").text
        wait_until(lambda: bool(beside(own)))
        assert own_client.delete(place).json()["state"] == "cancelled"
    assert beside(own) == []
    over = own_client.get(place).json()
    assert (over["state"], over["error"]) == ("cancelled", None)
    shown = own_client.get(place.removeprefix("/api"))
    assert "It was cancelled, and nothing is left of it." in shown.text
    assert "data-again" not in shown.text.partition("<main")[2]
    assert "x-last" in own_client.get(place.removeprefix("/api") + "/state").headers
    assert own_client.delete(place).json() == over


def test_nothing_is_left_of_a_moment_whose_server_was_killed(own: Warehouse, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url=own.database.url, workers=1).model_dump(mode="json")
    command = [sys.executable, "-m", "replayhouse.infra.web.making"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, told = process.communicate(json.dumps({"settings": settings, "at": None, "by": "2018-01-31"}).encode())
    assert (process.returncode, told) == (1, b"")
    assert beside(own) == []


def test_a_job_that_fails_says_why(tmp_path: Path) -> None:
    url = "postgresql://nobody@127.0.0.1:1/nothing"
    jobs = Jobs(Settings(home=tmp_path, database_url=url))
    job = jobs.wait(jobs.start("1", None, "/").id)
    assert job.state == "failed"
    assert job.error is not None
    assert "cannot be reached" in job.error
    assert url not in job.error


def test_few_moments_are_kept_and_none_after_somebody_was_erased(
    own: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_moment, "MOST_KEPT", 1)
    settings = Settings(home=tmp_path, database_url=own.database.url, workers=1)
    warehouse, asked = PythonWarehouse(settings), PythonWarehouse(settings, makes_moments=False)
    first, second = positions(own)[:2]
    for at in (first, second):
        assert warehouse.make_moment(at).is_made
    assert not warehouse.look_up_moment(first).is_made
    assert {name.rpartition("_")[0].rpartition("_")[0] for name in beside(own)} == {f"moment_{second}"}
    assert warehouse.moments().loads[1].is_made
    assert sum(row.part for row in asked.rows_behind(22, "2018-01", "late", at=second).rows) >= 0
    with pytest.raises(NotMade):
        asked.rows_behind(22, "2018-01", "late", at=first)
    person = own.rows("SELECT customer_id FROM customer.dim_customer WHERE position > 0 ORDER BY 1 LIMIT 1")[0][0]
    own.json("customer", "erase", str(person), "--reason", "asked", "--yes")
    with pytest.raises(NotMade):
        asked.rows_behind(22, "2018-01", "late", at=second)


def test_of_an_earlier_revision_pages_make_no_marts(own: Warehouse, own_client: TestClient) -> None:
    own.json("rebuild")
    told = own_client.get("/api/questions/22?at=r1")
    assert told.status_code == 409
    assert "replayhouse ask NUMBER --at r1" in told.json()["error"]


@pytest.mark.parametrize(
    ("at", "by"),
    [
        ("yesterday", None),
        ("99999999", None),
        ("2026-03-01T12:00", None),
        ("r99", None),
        (None, "2018-02-30"),
        (None, "2018-03-31T12:00+01:00"),
    ],
)
def test_moments_that_are_none_are_refused_in_the_words_of_the_command_line(
    loaded: Warehouse, client: TestClient, at: str | None, by: str | None
) -> None:
    options = [*(["--at", at] if at else []), *(["--occurred-before", by] if by else [])]
    words = loaded.run("ask", "22", *options).err.strip()
    given = {name: value for name, value in (("at", at), ("by", by)) if value}
    for told in (client.post("/api/moments", json=given), client.get("/api/questions/22", params=given)):
        assert (told.status_code, told.json()["error"]) == (400, words)
    page = client.post("/moments", data=given)
    assert page.status_code == 400
    assert words in unescape(page.text)


def test_a_form_that_names_nothing_or_another_site(client: TestClient, loaded: Warehouse) -> None:
    assert client.post("/moments", data={"at": " ", "by": ""}).status_code == 400
    assert client.post("/api/moments", json={}).status_code == 400
    assert client.post("/moments", content=b"at=" + b"1" * 20_000).status_code == 400
    assert client.post("/moments", content=b"\xff\xfe").status_code == 400
    at = str(positions(loaded)[-1])  # what is live stands
    for to in ("https://evil.example/", "//evil.example/", "/\\evil.example", "x", "/\n/evil"):
        answer = client.post("/moments", data={"at": at, "to": to}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/?at={at}")


@pytest.mark.parametrize("path", ["/moments/jobs/x", "/moments/jobs/x/state", "/api/moments/jobs/x"])
def test_a_job_that_is_not_there(client: TestClient, path: str) -> None:
    told = client.get(path)
    assert told.status_code == 404
    assert "There is no job" in told.text


def test_the_moments_are_the_ends_of_loads_and_of_months(client: TestClient, loaded: Warehouse) -> None:
    told = client.get("/api/moments").json()
    assert [int(one["at"]) for one in told["loads"]] == positions(loaded)
    assert [one["is_made"] for one in told["loads"]] == [False, False, True]
    assert [one["answers"] for one in told["loads"]] == [len(questions())] * 3
    months = [row[0].isoformat() for row in loaded.rows("SELECT last_day FROM mart.months WHERE orders > 0 ORDER BY 1")]
    assert [one["by"] for one in told["months"]] == months
    assert {one["at"] for one in told["revisions"]} == {"r1"}
    page = client.get("/moments").text
    assert all(f'href="/?by={day}"' in page for day in months)
    assert all(f'href="/?at={at}"' in page for at in positions(loaded))


def stops_of(page: str) -> dict[str, tuple[str, bool]]:
    """The stops of the rail: where each leads to, and whether it is the one that is looked at."""
    rail = page.partition('class="rail"')[2].partition("</nav>")[0]
    found = re.findall(r'<a href="([^"]*)" title="[^"]*"( aria-current="true")?><i></i><small>([^<]*)</small>', rail)
    return {label: (unescape(address), bool(current)) for address, current, label in found}


def axes_of(page: str) -> dict[str, tuple[str, bool]]:
    """The two axes, likewise."""
    part = page.partition('class="axis"')[2].partition("</nav>")[0]
    found = re.findall(r'<a href="([^"]*)"( aria-current="true")?>([^<]*)</a>', part)
    return {label: (unescape(address), bool(current)) for address, current, label in found}


def test_the_bar_leads_to_the_same_page_at_other_moments(client: TestClient, loaded: Warehouse) -> None:
    first, second, _ = positions(loaded)
    now = client.get("/questions/2?marketing_pct=12").text
    assert stops_of(now) == {
        "2018-03": (f"/questions/2?at={first}&marketing_pct=12", False),
        "2018-06": (f"/questions/2?at={second}&marketing_pct=12", False),
        "whole": ("/questions/2?marketing_pct=12", True),
    }
    assert axes_of(now) == {
        "As known on": ("/questions/2?marketing_pct=12", True),
        "As happened by": ("/questions/2?axis=happened&marketing_pct=12", False),
    }
    assert 'class="moment"' in now
    past = client.get(f"/moments?at={first}&by=2018-03-31").text
    assert 'class="moment past"' in past
    assert axes_of(past)["As happened by"] == (f"/moments?at={first}&by=2018-03-31", True)
    assert stops_of(past)["Mar 2018"] == (f"/moments?at={first}&by=2018-03-31", True)
    assert stops_of(past)["Feb 2018"] == (f"/moments?at={first}&by=2018-02-28", False)
    assert stops_of(past)["All"] == (f"/moments?at={first}&axis=happened", False)
    other = client.get(axes_of(past)["As known on"][0]).text
    assert stops_of(other)["2018-03"] == (f"/moments?at={first}&by=2018-03-31&axis=known", True)
    assert stops_of(other)["whole"] == ("/moments?by=2018-03-31&axis=known", False)
    assert "As known after 2018-03" in past


class Marketing:
    """Takes everybody for somebody who may not make a moment."""

    def who(self, request: Request) -> Identity:
        """Somebody of marketing."""
        return Identity("ines", Role.MARKETING, "test")


def test_who_may_not_make_a_moment_is_offered_none(loaded: Warehouse, tmp_path: Path) -> None:
    with asking(loaded.database, tmp_path, lambda _: Marketing()) as client:
        for page in (client.get("/moments"), client.get(f"/questions/22?at={between(loaded)}")):
            assert 'method="post"' not in page.text
        assert "Your role may look at moments that are made" in page.text
        assert client.post("/moments", data={"at": "1"}).status_code == 403
        assert client.post("/api/moments", json={"at": "1"}).status_code == 403


def test_who_may_not_make_a_moment_looks_on_and_is_led_where_they_may_go(
    loaded: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Jobs, "job", lambda _, number: Job("1", None, "/orders/0", id=number, state=State(number)))
    with asking(loaded.database, tmp_path, lambda _: Marketing()) as client:
        for state in State:
            told = client.get(f"/moments/jobs/{state}/state")
            assert told.status_code == 200
            assert "<form" not in told.text
            assert "/orders" not in told.text + str(told.headers)
            assert 'action="/moments' not in client.get(f"/moments/jobs/{state}").text
        went = client.get(f"/moments/jobs/{State.DONE}", follow_redirects=False)
    assert (went.status_code, went.headers["location"]) == (303, "/?at=1")
