"""What a role may not see the database refuses, whatever a use case asks for; and nothing of a role is left behind."""

import logging
import re
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from psycopg import errors, sql

from replayhouse.infra.answers import asking as answering
from replayhouse.infra.application import event, lineage, list_questions, thing
from replayhouse.infra.application import site as sites
from replayhouse.infra.application.site import Site
from replayhouse.infra.postgres import connection, roles
from replayhouse.infra.postgres.connection import Database, NotPermitted
from replayhouse.infra.postgres.roles import ACTED_AS
from replayhouse.infra.read_models import sights
from replayhouse.infra.read_models.regions import set_for
from replayhouse.infra.runtime.errors import Forbidden
from replayhouse.infra.runtime.identity import Asked, Identity, Role
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.telling import unheard
from replayhouse.infra.web import warehouses
from replayhouse.infra.web.warehouses import Warehouses
from replayhouse.projections.questions import questions
from tests.support.askers import NAME, Whoever, a_login, a_role
from tests.support.crawling import crawl
from tests.support.homes import wait_until
from tests.support.in_process import Warehouse
from tests.support.rights_page import as_told, matrix
from tests.support.web import asking

PERSON = """
    SELECT o.customer_id, order_id, review_id FROM sales.fact_order AS o JOIN customer.fact_review USING (order_id)
    JOIN event_store.customer_events AS e ON e.originator_id = o.customer_id
    WHERE comment IS NOT NULL GROUP BY 1, 2, 3 HAVING count(*) = 1 ORDER BY 1 LIMIT 1
"""
"""Somebody of whom there is one event of the context, with an order that was reviewed."""

LEADING = [
    (Role.OWNER, 22, "late", True),
    (Role.OWNER, 62, "orders", True),
    (Role.ANALYST, 22, "late", True),
    (Role.ANALYST, 62, "orders", False),
    (Role.MARKETING, 22, "late", False),
    (Role.STEWARD, 22, "late", False),
]
"""Whether figures lead to rows, by role and question; of question 62 personal fields say which rows these are."""

OTHERS = tuple(ACTED_AS)
"""The roles of those who are no owner."""

WHO = "SELECT current_user::text, session_user::text"
LEFT = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'forgetful'
"""
SECRETS = {
    "event_store.subject_key": "SELECT key FROM event_store.subject_key LIMIT 1",
    "event_store.token": "SELECT sha256 FROM event_store.token LIMIT 1",
    "event_store.access": "SELECT who FROM event_store.access LIMIT 1",
    "event_store.log": "SELECT topic FROM event_store.log LIMIT 1",
    "customer.dim_customer": "SELECT zip_prefix FROM customer.dim_customer LIMIT 1",
    "quality.quarantine": "SELECT text FROM quality.quarantine LIMIT 1",
    "mart.orders": "SELECT * FROM mart.orders LIMIT 1",
    "masked.dim_customer": "SELECT zip_prefix FROM masked.dim_customer LIMIT 1",
    "regional.dim_customer": "SELECT zip_prefix FROM regional.dim_customer LIMIT 1",
}
"""Something of each kind of thing that the page on security tells of."""


@pytest.fixture(scope="module")
def login(loaded: Warehouse) -> Iterator[Database]:
    with a_login(loaded.database) as made:
        yield made


@pytest.fixture(scope="module", params=["of its own", "of the program"])
def site(
    request: pytest.FixtureRequest, loaded: Warehouse, login: Database, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient]:
    """The site, by a login of its own, and by that of the program."""
    given = login if request.param == "of its own" else None
    with asking(loaded.database, tmp_path_factory.mktemp("home"), lambda _: Whoever(), given) as made:
        yield made


def forgetful(query: str) -> Callable[..., list[Any]]:
    """A use case that reads whatever it likes on behalf of anybody."""

    def read(found: Site, *_: object) -> list[Any]:
        with found.database.connect("forgetful") as conn:
            conn.execute(query.encode()).fetchall()
        return []

    return read


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("relation", SECRETS)
def test_a_use_case_that_forgets_to_mask_is_refused_what_the_role_may_not_see(
    site: TestClient, role: Role, relation: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(list_questions, "list_questions", forgetful(SECRETS[relation]))
    monkeypatch.setattr(logging.getLogger("replayhouse.web"), "propagate", True)
    line = next(line for line in matrix() if line.tells_of(relation))
    may = role is Role.OWNER or bool(line.seen[ACTED_AS[role]])
    answer = site.get("/api/questions", headers=a_role(role))
    if may:
        assert (answer.status_code, answer.json()) == (200, [])
        return
    told = f"As {role}, {NAME} may not see this: the database refuses it."
    assert (answer.status_code, answer.json()) == (403, {"error": told})
    assert "GET /api/questions failed with Forbidden" in caplog.text
    assert relation not in caplog.text


def test_a_page_says_so_in_plain_words_too(site: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_questions, "list_questions", forgetful(SECRETS["event_store.subject_key"]))
    page = site.get("/questions", headers=a_role("marketing"))
    assert (page.status_code, "the database refuses it" in page.text) == (403, True)


@pytest.mark.parametrize("role", [Role.ANALYST, Role.AUDITOR])
def test_the_rows_behind_a_figure_are_read_with_no_right_on_tables(
    site: TestClient, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unmasked(conn: Any, *_: object) -> Any:
        return conn.execute("SELECT zip_prefix FROM customer.dim_customer").fetchall()

    figure = {"key": "2018-03", "column": "late"}
    assert site.get("/api/questions/22/rows", params=figure, headers=a_role(role)).status_code == 200
    monkeypatch.setattr(answering, "some_behind", unmasked)
    assert site.get("/api/questions/22/rows", params=figure, headers=a_role("reader")).status_code == 500
    answer = site.get("/api/questions/22/rows", params=figure, headers=a_role(role))
    assert (answer.status_code, "the database refuses it" in answer.text) == (403, True)


@pytest.mark.parametrize("role", [Role.READER, Role.ANALYST, Role.AUDITOR])
def test_where_sealing_is_forgotten_the_keys_are_refused(
    site: TestClient, loaded: Warehouse, role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    [(person, order, review)] = loaded.rows(PERSON)
    [(at,)] = loaded.rows("SELECT notification_id FROM event_store.customer_events WHERE originator_id = %s", person)
    paths = [f"/api/things/customer/{person}", f"/api/things/review/{review}", f"/api/things/shipment/{order}"]
    paths += [f"/api/lineage/customer.dim_customer/{person}", f"/api/lineage/customer.fact_review/{review}/{order}"]
    paths += [f"/api/log/{at}"] if role is not Role.ANALYST else []
    for path in paths:
        answer = site.get(path, headers=a_role(role))
        assert (answer.status_code, "sealed" in answer.text) == (200, True), path
    for module in (event, lineage, thing):
        monkeypatch.setattr(module, "noted", lambda *_, **__: True)
    for path in paths:
        answer = site.get(path, headers=a_role(role))
        assert (answer.status_code, "the database refuses it" in answer.text) == (403, True), path


def test_analysts_are_told_the_same_rows_behind_every_figure_as_owners(site: TestClient) -> None:
    for one in questions():
        answer = site.get(f"/api/questions/{one.number}", headers=a_role("owner")).json()
        if one.is_of_people or not answer["rows"] or not one.measures:
            continue
        key = list(map(str, answer["rows"][0][: len(one.key)]))
        figure: dict[str, str | int | list[str]] = {"key": key, "column": one.measures[0], "limit": 20}
        owners, analysts = (
            site.get(f"/api/questions/{one.number}/rows", params=figure, headers=a_role(role))
            for role in ("owner", "analyst")
        )
        assert (owners.status_code, analysts.status_code) == (200, 200), (one.number, owners.text, analysts.text)
        assert analysts.json() == owners.json(), one.number


READ = {
    "figures": ("/questions/22", "/api/questions/22", "/", "/moments", "/find?q=22", "/api/status", "/questions"),
    "changes": ("/changes", "/api/changes", "/loads/{batch}", "/orders/{order}", "/customers/{person}"),
    "rows behind": ("/questions/22/rows?key=2018-03&column=late", "/api/questions/22/rows?key=2018-03&column=late"),
    "commits": ("/log", "/api/log", "/api/log/3", "/api/log/3/proof"),
    "quality": ("/quality", "/api/quality", "/api/quality/{batch}"),
    "the list": ("/quality/{batch}", "/quality/quarantine"),
}
"""Some of what there is to ask for, by the lines of the page, whose first words are these."""


def test_it_is_read_as_the_page_says(
    site: TestClient, loaded: Warehouse, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    acted: list[str] = []
    real, of_database = roles.act_as, connection._act_as

    def noting(act: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
        def act_as(conn: Any, role: str) -> None:
            acted.append(role.removeprefix("replayhouse_"))
            act(conn, role)

        return act_as

    monkeypatch.setattr(connection, "_act_as", noting(of_database))
    for module in (sites, sights):
        monkeypatch.setattr(module, "act_as", noting(real))
    [(person, order, _)] = loaded.rows(PERSON)
    [(batch,)] = loaded.rows("SELECT batch_id FROM event_store.batch ORDER BY batch_seq LIMIT 1")
    lines = as_told("what is asked for")
    assert len(lines) == len(READ)
    for words, paths in READ.items():
        [cells] = [cells for told, cells in lines.items() if told.startswith(words)]
        for path, (role, cell) in product(paths, zip(Role, cells, strict=True)):
            acted.clear()
            answer = site.get(path.format(person=person, order=order, batch=batch), headers=a_role(role))
            assert (answer.status_code == 403) == (cell == "-"), (path, role, answer.text)
            if cell != "-":
                assert answer.status_code == 200, (path, role, answer.text)
                # Every page has the moments over it, which readers read.
                wanted = set() if cell == "program" else {cell}
                assert wanted <= set(acted) <= wanted | ({"reader"} if wanted else set()), (path, role, acted)


@pytest.mark.parametrize("role", OTHERS)
def test_no_link_of_a_page_leads_where_a_role_may_not_go(loaded: Warehouse, tmp_path: Path, role: Role) -> None:
    with asking(loaded.database, tmp_path, lambda _: Whoever()) as client:
        client.headers["x-role"] = role
        closed = [
            (link.page, link.address) for link, answer in crawl(client, "/", 1) if answer.status_code in (401, 403)
        ]
    assert closed == []


@pytest.mark.parametrize(("role", "number", "column", "leads"), LEADING)
def test_a_figure_leads_to_its_rows_for_those_who_are_told_them(
    site: TestClient, role: Role, number: int, column: str, leads: bool
) -> None:
    page = site.get(f"/questions/{number}", headers=a_role(role)).text
    assert bool(re.search(rf"/questions/{number}/rows\?[^\"]*column={column}\b", page)) is leads
    found = site.get(f"/api/questions/{number}", headers=a_role(role)).json()["rows"][0]
    assert str(found[0]) in page


def test_what_may_not_be_opened_is_found_and_leads_nowhere(site: TestClient, loaded: Warehouse) -> None:
    [(order,)] = loaded.rows("SELECT order_id FROM sales.fact_order ORDER BY 1 LIMIT 1")
    found = site.get(f"/find?q={order}", headers=a_role("marketing"), follow_redirects=False)
    assert (found.status_code, "/orders/" in found.text) == (200, False)
    assert site.get(f"/find?q={order}", headers=a_role("analyst"), follow_redirects=False).status_code == 303


# --- nothing is left behind ---------------------------------------------------------------------------------------


@pytest.fixture
def one(loaded: Warehouse, login: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Warehouses:
    """One warehouse, which all requests get one after the other; a statement may take a second."""
    monkeypatch.setattr(warehouses, "STATEMENT_SECONDS", 1)
    return Warehouses(Settings(home=tmp_path, database_url=loaded.database.url), unheard, 1, login)


def asked_as(role: Role) -> Asked:
    return Asked(Identity(NAME, role, "test"), "a test")


def seen_by(pool: Warehouses, role: Role, query: str = WHO) -> tuple[Any, ...] | None:
    """The first row that a query finds in a request of somebody with that role."""

    def read(found: Site, *_: object) -> Any:
        with found.database.connect("forgetful", autocommit=True) as conn:
            return conn.execute(query.encode()).fetchone()

    with pool.lend(asked_as(role)) as warehouse:
        done: tuple[Any, ...] | None = warehouse._do(read)
        return done


def test_each_request_acts_as_the_role_of_whoever_asks(one: Warehouses, login: Database) -> None:
    user = seen_by(one, Role.READER)
    assert user is not None
    for role in (*OTHERS, *reversed(OTHERS)):
        assert seen_by(one, role) == (ACTED_AS[role], user[1])
    owner = seen_by(one, Role.OWNER)
    assert owner is not None
    assert owner[0] == owner[1] != user[1]


ENDINGS = {
    "it fails": ("SELECT 1 / 0", Exception),
    "it is refused": ("SELECT key FROM event_store.subject_key", Forbidden),
    "it takes too long": ("SELECT pg_sleep(30)", Exception),
    "it is cancelled": ("SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(30)", Exception),
    "its connection is killed": ("SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(30)", Exception),
    "it has set another role": ("SELECT set_config('role', 'replayhouse_analyst', false)", None),
    "it has set a path": ("SELECT set_config('search_path', 'event_store', false)", None),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_however_a_request_ends_the_next_one_has_nothing_of_it(one: Warehouses, loaded: Warehouse, ending: str) -> None:
    query, error = ENDINGS[ending]
    for role in OTHERS:
        if error is None:
            seen_by(one, role, query)
        else:
            with pytest.raises(error):
                seen_by(one, role, query)
        wait_until(lambda: loaded.rows(LEFT) == [(0,)])
        for other in (Role.OWNER, Role.MARKETING, role):
            found = seen_by(one, other)
            assert found is not None
            assert found[0] == (found[1] if other is Role.OWNER else ACTED_AS[other])
    path = seen_by(one, Role.ANALYST, "SELECT current_setting('search_path')")
    assert path == ("",)


def test_of_nobody_nothing_is_read(one: Warehouses) -> None:
    with one.lend() as warehouse, pytest.raises(Forbidden, match="not known who asks"):
        warehouse._do(forgetful(WHO))


def test_a_login_of_its_own_may_read_nothing_until_it_acts_as_somebody(login: Database) -> None:
    with login.connect(autocommit=True) as conn:
        for query in SECRETS.values():
            with pytest.raises(errors.InsufficientPrivilege):
                conn.execute(query.encode())
        for role in ("replayhouse_owner", "replayhouse_writer", "postgres"):
            with pytest.raises(errors.InsufficientPrivilege):
                conn.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))


def test_who_goes_back_to_the_login_sees_nothing(one: Warehouses) -> None:
    with pytest.raises((Forbidden, NotPermitted)):
        seen_by(one, Role.READER, "RESET ROLE; SELECT topic FROM event_store.log LIMIT 1")


# --- whatever was swapped in --------------------------------------------------------------------------------------


def rebuilt(own: Warehouse) -> None:
    own.json("rebuild")


def reverted(own: Warehouse) -> None:
    own.json("rebuild", "sales", "customer")
    own.json("revert", "customer")


def taken_back(own: Warehouse) -> None:
    [(newest,)] = own.rows("SELECT batch_id::text FROM event_store.batch ORDER BY batch_seq DESC LIMIT 1")
    own.json("retract", str(newest), "--reason", "a test takes it back")


@pytest.mark.parametrize("change", [rebuilt, reverted, taken_back])
def test_so_it_is_whatever_was_swapped_in(
    own: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Callable[[Warehouse], None]
) -> None:
    with own.database.connect(autocommit=True) as conn, conn.transaction():
        set_for(conn, "replayhouse_marketing", ["RJ", "SP"])
    change(own)
    figure = {"key": "2018-03", "column": "late"}
    with a_login(own.database) as login, asking(own.database, tmp_path / "home", lambda _: Whoever(), login) as site:
        for role in ("reader", "analyst", "auditor"):
            assert site.get("/api/questions/22/rows", params=figure, headers=a_role(role)).status_code == 200
        for role in OTHERS:
            assert site.get("/api/questions/22", headers=a_role(role)).status_code == 200
            for relation, query in SECRETS.items():
                monkeypatch.setattr(list_questions, "list_questions", forgetful(query))
                may = next(line for line in matrix() if line.tells_of(relation)).seen[ACTED_AS[role]]
                status_code = site.get("/api/questions", headers=a_role(role)).status_code
                assert (role, relation, status_code) == (role, relation, 200 if may else 403)
            monkeypatch.undo()
        pool = Warehouses(Settings(home=tmp_path, database_url=own.database.url), unheard, 1, login)
        states = seen_by(
            pool, Role.MARKETING, "SELECT array_agg(DISTINCT state ORDER BY state) FROM regional.dim_customer"
        )
        assert states == (["RJ", "SP"],)


# --- who is told what ---------------------------------------------------------------------------------------------


def test_where_the_warehouse_is_owners_are_told_alone(site: TestClient, loaded: Warehouse) -> None:
    for role in Role:
        place = site.get("/api/status", headers=a_role(role)).json()["warehouse"]
        assert (place["home"], place["database"] is not None) == (None, role is Role.OWNER)
