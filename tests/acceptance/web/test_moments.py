"""Moments in the browser and by HTTP: which are offered, and that others are made as a job."""

from html import unescape
from typing import Any

import psycopg
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.support.in_process import Warehouse

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
    offered = own_client.get(f"/questions/22?at={at}&x=1")
    assert offered.status_code == 409
    assert "This moment is not made yet" in offered.text
    told = own_client.get(f"/api/questions/22?at={at}")
    assert (told.status_code, list(told.json())) == (409, ["error"])
    assert told.json()["error"] in unescape(offered.text)

    fields = {"at": str(at), "by": "", "to": f"/questions/22?at={at}&x=1"}
    for name, value in fields.items():
        assert f'name="{name}" value="{value}"' in unescape(offered.text)
    begun = own_client.post("/moments", data=fields, follow_redirects=False)
    assert begun.status_code == 303
    assert job_of(own_client, begun)["state"] == "done"
    shown = own_client.get(begun.headers["location"])
    assert (shown.status_code, str(shown.url).partition("//localhost")[2]) == (200, fields["to"])
    answered = own_client.get(f"/api/questions/22?at={at}").json()
    assert own_client.post("/moments", data=fields, follow_redirects=False).headers["location"] == fields["to"]
    forget_what_was_made(own)
    assert answered["rows"] == own.json("ask", "22", "--at", str(at))["rows"]
