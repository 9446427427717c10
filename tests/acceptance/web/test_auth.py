"""Who asks, and what that role may open: as it is answered over HTTP, and as it stands on the page."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from replayhouse.infra.runtime.identity import Identity, Role
from replayhouse.infra.web.auth.permissions import matrix
from tests.support.in_process import Warehouse
from tests.support.web import asking

PAGES = {
    "figures": ("/questions/22", "/api/questions/22", "/api/openapi.json"),
    "rows and things": ("/questions/22/rows", "/orders/0", "/api/things/order/0", "/changes"),
    "log and proofs": ("/log", "/api/log/1"),
    "quality": ("/quality", "/api/quality/newest"),
}
"""Some of what there is in each area that is read."""


class Whoever:
    """Believes a header: what a proxy does, without its proofs."""

    def who(self, request: Request) -> Identity:
        return Identity("ines", Role(request.headers["x-role"]), "test")


@pytest.fixture(scope="module")
def site(loaded: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with asking(loaded.database, tmp_path_factory.mktemp("home"), Whoever()) as made:
        yield made


def test_the_page_on_security_has_the_table() -> None:
    page = (Path(__file__).parents[3] / "docs/security.md").read_text(encoding="utf-8")
    shown = ["| may open | " + " | ".join(Role) + " |", "|---" * (len(Role) + 1) + "|"]
    assert "\n".join([*shown, *("| " + " | ".join(row) + " |" for row in matrix())]) in page


@pytest.mark.parametrize("role", Role)
def test_each_role_opens_what_the_table_says_and_nothing_else(site: TestClient, role: Role) -> None:
    for area, *cells in matrix():
        is_open = cells[list(Role).index(role)] == "yes"
        for path in PAGES.get(area.partition(":")[0], ()):
            status = site.get(path, headers={"x-role": role}).status_code
            assert (status != 403) == is_open, f"{role} asks for {path}, which is of {area}, and is answered {status}"
    status = site.post("/api/moments", json={}, headers={"x-role": role}).status_code
    assert (status != 403) == (role not in (Role.MARKETING, Role.STEWARD))


def test_who_may_not_is_told_so_in_plain_words(site: TestClient) -> None:
    told = site.get("/api/log/1", headers={"x-role": "marketing"})
    assert (told.status_code, list(told.json())) == (403, ["error"])
    assert "As marketing, ines may not open this page" in told.json()["error"]
    page = site.get("/log", headers={"x-role": "marketing"})
    assert page.status_code == 403
    assert "As marketing, ines may not open this page" in page.text
    assert re.fullmatch("[0-9a-f]{32}", page.headers["x-request-id"])


@pytest.mark.parametrize("path", ["/log%3F", "/log/..%2fquestions", "/LOG", "/questions/../log", "/%6cog"])
def test_no_way_of_writing_a_path_leads_past_the_table(site: TestClient, path: str) -> None:
    assert site.get(path, headers={"x-role": "marketing"}).status_code in (403, 404)


def test_whether_the_server_is_alive_everybody_may_ask(loaded: Warehouse, tmp_path: Path) -> None:
    class Nobody:
        def who(self, request: Request) -> Identity:
            raise AssertionError("nobody asks who it is")

    with asking(loaded.database, tmp_path, Nobody()) as site:
        assert [site.get(path).status_code for path in ("/healthz", "/readyz", "/static/app.css")] == [200] * 3
