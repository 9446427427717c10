"""What each role may open, and how it is known who asks: as it is answered over HTTP, and as it stands on the page."""

import logging
import re
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from replayhouse.infra.runtime.identity import Identity, Role
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.telling import unheard
from replayhouse.infra.web.app import create_app
from replayhouse.infra.web.auth.permissions import matrix
from replayhouse.infra.web.auth.tokens import Tokens
from replayhouse.infra.web.closed_links import leads
from replayhouse.infra.web.warehouses import Warehouses
from tests.support.browser import FORMS, Seen, Visitor, a_browser, examine, serving
from tests.support.cli import Program
from tests.support.forked import AS_INSTALLED
from tests.support.in_process import Warehouse, refused
from tests.support.web import asking

PAGES = {
    "figures": ("/questions/22", "/api/questions/22", "/api/openapi.json"),
    "rows and things": ("/questions/22/rows", "/orders/0", "/api/things/order/0", "/changes"),
    "log and proofs": ("/log", "/api/log/1", "/loads/0/mapping", "/api/loads/0/mapping"),
    "quality and quarantined records": ("/quality", "/api/quality/newest", "/api/things/row/0"),
}
"""Some of what there is in each area that is read."""


class Whoever:
    """Believes a header: what a proxy does, without its proofs."""

    def who(self, request: Request) -> Identity:
        return Identity("ines", Role(request.headers["x-role"]), "test")


@pytest.fixture(scope="module")
def site(loaded: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with asking(loaded.database, tmp_path_factory.mktemp("home"), lambda _: Whoever()) as made:
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


@pytest.mark.parametrize("path", ["/log%3F", "/log/..%2fquestions", "/LOG", "/questions/../log", "/%6cog", "/log%0A"])
def test_no_way_of_writing_a_path_leads_past_the_table(site: TestClient, path: str) -> None:
    assert site.get(path, headers={"x-role": "marketing"}).status_code in (403, 404)


@pytest.mark.parametrize("path", ["/questions/22/rows", "/api/questions/22/rows", "/questions/22/rows.json"])
@pytest.mark.parametrize("end", ["%0A", "%0D", "%00", "%20", "/", "//", "/%0A", "%0A%0A"])
def test_nothing_behind_a_path_leads_to_rows_past_the_table(site: TestClient, path: str, end: str) -> None:
    figure = {"key": "2017-06", "column": "late"}
    for role in (Role.MARKETING, Role.STEWARD):
        assert site.get(f"{path}{end}", params=figure, headers={"x-role": role}).status_code in (403, 404)


@pytest.mark.parametrize("path", ["/log/0", "/orders/0", "/quality/newest", "/nowhere", "/questions/0", "/?at=never"])
@pytest.mark.parametrize("role", Role)
def test_no_page_that_tells_of_an_error_leads_where_the_role_may_not_go(
    site: TestClient, role: Role, path: str
) -> None:
    told = site.get(path, headers={"x-role": role})
    assert told.status_code >= 400
    links = re.findall(r'<a [^>]*href="(/[^"?#]*)', told.text)
    assert "/questions" in links
    assert [link for link in links if not leads(role, link)] == []


def test_whether_the_server_is_alive_everybody_may_ask(loaded: Warehouse, tmp_path: Path) -> None:
    class Nobody:
        def who(self, request: Request) -> Identity:
            raise AssertionError("nobody asks who it is")

    with asking(loaded.database, tmp_path, lambda _: Nobody()) as site:
        assert [site.get(path).status_code for path in ("/healthz", "/readyz", "/static/app.css")] == [200] * 3


# --- tokens -------------------------------------------------------------------------------------------------------


@pytest.fixture
def with_tokens(own: Warehouse, tmp_path: Path) -> Iterator[TestClient]:
    with asking(own.database, tmp_path / "home", lambda warehouses: Tokens(warehouses, 8)) as made:
        yield made


def a_token(warehouse: Warehouse, role: str, name: str = "ines") -> dict[str, Any]:
    made: dict[str, Any] = warehouse.json("token", "create", role, "--name", name, "--days", "1")
    return made


def bearing(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def test_a_good_token_lets_in_as_its_role(own: Warehouse, with_tokens: TestClient) -> None:
    token = a_token(own, "marketing")["secret"]
    assert with_tokens.get("/api/questions/22", headers=bearing(token)).status_code == 200
    assert with_tokens.get("/api/questions/22", headers={"authorization": f"bearer  {token} "}).status_code == 200
    told = with_tokens.get("/api/log/1", headers=bearing(token))
    assert (told.status_code, "As marketing, ines" in told.json()["error"]) == (403, True)


@pytest.mark.parametrize(
    ("role", "named"), [("marketing", ["/", "/questions"]), ("steward", ["/", "/questions", "/quality"])]
)
def test_the_head_of_a_page_names_the_parts_that_a_role_may_open(
    own: Warehouse, with_tokens: TestClient, role: str, named: list[str]
) -> None:
    shown = with_tokens.get("/", headers=bearing(a_token(own, role)["secret"])).text
    head = shown.partition('<nav aria-label="Main">')[2].partition("</nav>")[0]
    assert re.findall(r'href="([^"]+)"', head) == named
    assert "Log verified" in shown
    assert 'href="/log"' not in shown


def test_without_a_good_token_nobody_is_let_in(own: Warehouse, with_tokens: TestClient) -> None:
    expired, revoked, good = (a_token(own, "owner") for _ in range(3))
    with own.database.connect(autocommit=True) as conn:
        past = "UPDATE event_store.token SET expires_at = clock_timestamp() WHERE token_id = %s"
        conn.execute(past, [expired["token"]])
    assert own.json("token", "revoke", str(revoked["token"]))["revoked_at"]
    states = {one["token"]: one["state"] for one in own.json("token", "list")}
    assert [states[one["token"]] for one in (expired, revoked, good)] == ["expired", "revoked", "good"]
    wrong = [
        {},
        {"authorization": ""},
        {"authorization": "Bearer"},
        {"authorization": f"Basic {good['secret']}"},
        {"x-forwarded-user": "ines", "x-forwarded-groups": "admins"},
        {"cookie": f"replayhouse={good['secret']}"},
        *map(bearing, (expired["secret"], revoked["secret"], good["secret"][:-1] + "?", good["secret"] + "x", "rh_")),
    ]
    for headers in wrong:
        answer = with_tokens.get("/api/questions/22", headers=headers)
        assert (answer.status_code, list(answer.json())) == (401, ["error"]), headers
        assert answer.headers["www-authenticate"].startswith("Bearer")
        assert "rh_" not in answer.text
    assert with_tokens.get("/api/questions/22", headers=bearing(good["secret"])).status_code == 200


def test_a_person_logs_in_once_and_out_again(own: Warehouse, with_tokens: TestClient) -> None:
    token = a_token(own, "analyst")["secret"]
    asked = with_tokens.get("/questions/22?at=3")
    assert asked.status_code == 401
    assert 'name="to" value="/questions/22?at=3"' in asked.text

    wrong = with_tokens.post("/login", data={"token": "rh_guess", "to": "/questions/22"})
    assert (wrong.status_code, "This token is not good" in wrong.text) == (401, True)
    assert "set-cookie" not in wrong.headers

    done = with_tokens.post("/login", data={"token": f" {token}\n", "to": "/questions/22"}, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/questions/22")
    cookie = done.headers["set-cookie"].casefold()
    assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/", "max-age=28800"))
    assert token.casefold() not in cookie
    page = with_tokens.get("/questions/22")
    assert (page.status_code, "Log out ines (analyst)" in page.text) == (200, True)
    assert with_tokens.get("/log").status_code == 403

    kept = dict(with_tokens.cookies)
    assert with_tokens.post("/logout", follow_redirects=False).headers["location"] == "/login"
    assert not with_tokens.cookies
    with_tokens.cookies.update(kept)
    told = with_tokens.get("/questions/22")
    assert (told.status_code, "no longer logged in" in told.text) == (401, True)


def test_logging_in_works_in_a_browser_and_keeps_nobody_out(own: Warehouse, tmp_path: Path) -> None:
    token = a_token(own, "analyst")["secret"]
    with (
        serving(own.database, tmp_path / "home", way=lambda warehouses: Tokens(warehouses, 8)) as site,
        a_browser() as browser,
    ):
        visitor = Visitor(browser, site)
        for form in FORMS:
            assert visitor.look("/login?to=/terms", form) == Seen([], [], [], [])
        with visitor.visiting("/login?to=/terms") as (page, seen):
            page.get_by_label("Token").fill(token)
            page.get_by_role("button", name="Log in").click()
            page.wait_for_url(f"{site}/terms")
            examine(page, seen)
            assert page.context.cookies()[0]["httpOnly"]
            page.get_by_role("button", name="Log out ines (analyst)").click()
            page.wait_for_url(f"{site}/login")
            assert page.context.cookies() == []
            assert seen == Seen([], [], [], [])


def test_revoking_a_token_ends_its_sessions(own: Warehouse, with_tokens: TestClient) -> None:
    made = a_token(own, "owner")
    with_tokens.post("/login", data={"token": made["secret"]}, follow_redirects=False)
    assert with_tokens.get("/questions/22").status_code == 200
    own.json("token", "revoke", str(made["token"]))
    assert with_tokens.get("/questions/22").status_code == 401


def test_where_tls_is_a_cookie_goes_nowhere_else(own: Warehouse, with_tokens: TestClient) -> None:
    way = Tokens(Warehouses(Settings(database_url=own.database.url), unheard), 1)
    app = create_app(Warehouses(Settings(database_url=own.database.url), unheard), ("warehouse.example.com",), way)
    with closing(app.state.jobs), TestClient(app, base_url="https://warehouse.example.com") as site:
        token = a_token(own, "owner")["secret"]
        cookie = site.post("/login", data={"token": token}, follow_redirects=False).headers["set-cookie"]
        assert cookie.startswith("__Host-replayhouse=")
        assert "; secure" in cookie.casefold()
        assert site.get("/questions/22").status_code == 200
        assert site.get("/questions/22", headers={"host": "localhost"}).status_code == 421


@pytest.mark.parametrize("to", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", ""])
def test_logging_in_leads_to_no_other_site(own: Warehouse, with_tokens: TestClient, to: str) -> None:
    token = a_token(own, "owner")["secret"]
    done = with_tokens.post("/login", data={"token": token, "to": to}, follow_redirects=False)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert 'name="to" value="/"' in with_tokens.get("/login", params={"to": to}).text


def test_what_is_no_form_is_refused_in_plain_words(with_tokens: TestClient) -> None:
    assert with_tokens.post("/login", json={"token": "x"}).status_code == 400
    assert with_tokens.post("/login", data={"token": "x" * 5_000}).status_code == 400
    assert (
        with_tokens.post("/login", data={"token": "\udc80".encode("utf-8", "surrogatepass").hex()}).status_code == 401
    )
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert with_tokens.post("/login", content=b"token=%ff%00", headers=form).status_code == 401
    foreign = {"sec-fetch-site": "cross-site"}
    assert with_tokens.post("/login", data={"token": "x"}, headers=foreign).status_code == 403


def test_no_login_where_nobody_has_a_token(client: TestClient) -> None:
    assert client.get("/login").status_code == 404


def test_a_token_stands_nowhere_but_where_it_was_told(own: Warehouse, with_tokens: TestClient, tmp_path: Path) -> None:
    secret = a_token(own, "owner")["secret"]
    with_tokens.get("/orders/0000", headers=bearing(secret))
    with_tokens.post("/login", data={"token": secret})
    assert secret not in own.run("token", "list").out
    assert own.run("db", "backup", tmp_path / "backup").code == 0
    for schema, table in own.rows(
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE table_schema IN ('event_store', 'read_model') AND table_type = 'BASE TABLE'"
    ):
        [(found,)] = own.rows(
            f'SELECT count(*) FROM "{schema}"."{table}" AS t WHERE t::text LIKE %s', f"%{secret[3:]}%"
        )
        assert found == 0, table


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("create", "king", "--name", "x"), "king"),
        (("create", "owner", "--name", " "), "--name"),
        (("create", "owner", "--name", "a\nb"), "--name"),
        (("create", "owner", "--name", "x", "--days", "0"), "--days"),
        (("create", "owner", "--name", "x", "--days", "99999"), "99,999"),
        (("revoke", "999"), "There is no token 999"),
        (("revoke", "99999999999"), "There is no token 99999999999"),
    ],
)
def test_what_makes_no_sense_of_a_token_is_refused(own: Warehouse, arguments: tuple[str, ...], words: str) -> None:
    refused(own.run("token", *arguments, "--json"), 2, words)


def test_who_logs_in_and_who_is_refused_is_written_down_without_what_they_know(
    own: Warehouse, with_tokens: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    token = a_token(own, "marketing")["secret"]
    caplog.set_level(logging.INFO, "replayhouse.door")
    refused_to = with_tokens.get("/log/1%0Aforged?q=a-secret", headers=bearing(token)).headers["x-request-id"]
    with_tokens.get("/api/questions/22", headers=bearing(token[:-1] + "?"))
    with_tokens.post("/login", data={"token": "rh_guess"})
    with_tokens.post("/login", data={"token": token}, follow_redirects=False)
    with_tokens.post("/logout", follow_redirects=False)
    lines = [record.getMessage() for record in caplog.records if record.name == "replayhouse.door"]
    told = ["refused: ines (marketing)", "not let in: somebody", "not logged in: somebody"]
    told += ["logged in: ines (marketing)", "logged out: somebody"]
    assert [words in line for words, line in zip(told, lines, strict=True)] == [True] * 5, lines
    assert lines[0].endswith(f"GET /log/1%0Aforged, {refused_to}")
    assert not any("rh_" in line or "a-secret" in line or "\n" in line for line in lines)


# --- the command --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "settings", "words"),
    [
        (("--host", "0.0.0.0"), {}, "loopback only"),
        (("--auth", "proxy"), {}, "REPLAYHOUSE_WEB_PROXY_SECRET"),
        (("--auth", "token", "--host", "0.0.0.0"), {}, "--allowed-host"),
        (("--auth", "token"), {"REPLAYHOUSE_WEB_SESSION_HOURS": "0"}, "REPLAYHOUSE_WEB_SESSION_HOURS"),
    ],
)
def test_a_server_that_would_let_in_anybody_does_not_begin(
    loaded: Warehouse, arguments: tuple[str, ...], settings: dict[str, str], words: str
) -> None:
    done = loaded.run("serve", *arguments, **settings)
    assert (done.code, words in done.err) == (2, True), done


@contextmanager
def served(program: Program, *arguments: str) -> Iterator[str]:
    """The address of a server that runs in a process of its own, as installed."""
    command = [*AS_INSTALLED, "serve", "--port", "0", *arguments]
    with subprocess.Popen(command, env=program.environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[1]
        finally:
            process.terminate()


def test_the_address_of_the_socket_counts_and_no_header_that_tells_another(own: Warehouse, tmp_path: Path) -> None:
    secret = "between-the-two-of-us"
    program = Program(
        tmp_path / "home",
        REPLAYHOUSE_DATABASE_URL=own.database.url,
        REPLAYHOUSE_WEB_PROXY_SECRET=secret,
        REPLAYHOUSE_WEB_PROXY_ROLES="bi=analyst",
        REPLAYHOUSE_WEB_PROXY_NETWORKS="10.0.0.0/8",
    )
    headers = {"X-Replayhouse-Secret": secret, "X-Forwarded-User": "ines", "X-Forwarded-Groups": "bi"}
    claims: list[dict[str, str]] = [{}, {"X-Forwarded-For": "10.0.0.1"}, {"Forwarded": "for=10.0.0.1"}]
    with served(program, "--auth", "proxy") as address:
        for claim in claims:
            asked = urllib.request.Request(f"{address}api/questions/22", headers={**headers, **claim})
            with pytest.raises(urllib.error.HTTPError) as refusal:
                urllib.request.urlopen(asked)
            with refusal.value as answer:
                assert answer.code == 403
                assert b"through its proxy only" in answer.read()
