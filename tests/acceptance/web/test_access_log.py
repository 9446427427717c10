"""Who is shown personal fields stands in the access log before they are read; who may not see them is shown none."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi.testclient import TestClient

from replayhouse.infra.application import history, lineage, thing
from replayhouse.infra.application.api.warehouse import Warehouse as Opened
from replayhouse.infra.application.rows_shown import shows_people
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.identity import Role
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.web.auth.tokens import Tokens
from tests.support.databases import a_database
from tests.support.extracts import a_good_extract, adding, changed, write
from tests.support.in_process import Warehouse, refused
from tests.support.web import asking

SECRETS = "SELECT zip_prefix, city FROM customer.dim_customer WHERE customer_id = %s"
ENTRIES = "SELECT who, role, subjects, purpose, resource, request FROM event_store.access ORDER BY access_id"


class ReachedError(Exception):
    """The reading was reached, and goes wrong."""


@pytest.fixture
def person(own: Warehouse) -> UUID:
    """Somebody with an order that was reviewed."""
    [(found,)] = own.rows("""
        SELECT DISTINCT o.customer_id FROM sales.fact_order AS o JOIN customer.fact_review USING (order_id)
        WHERE comment IS NOT NULL ORDER BY 1 LIMIT 1
    """)
    return UUID(str(found))


@pytest.fixture
def site(own: Warehouse, tmp_path: Path) -> Iterator[TestClient]:
    with asking(own.database, tmp_path / "home", lambda warehouses: Tokens(warehouses, 8)) as made:
        yield made


def bearing(warehouse: Warehouse, role: str) -> dict[str, str]:
    made = warehouse.json("token", "create", role, "--name", f"the {role}", "--days", "1")
    return {"authorization": f"Bearer {made['secret']}"}


def entries(warehouse: Warehouse) -> list[dict[str, Any]]:
    names = ("who", "role", "subjects", "purpose", "resource", "request")
    return [dict(zip(names, row, strict=True)) for row in warehouse.rows(ENTRIES)]


def order_and_review(warehouse: Warehouse, person: UUID) -> tuple[UUID, UUID, str]:
    [row] = warehouse.rows(
        "SELECT order_id, review_id, comment FROM sales.fact_order AS o JOIN customer.fact_review USING (order_id)"
        " WHERE o.customer_id = %s AND comment IS NOT NULL ORDER BY 1, 2 LIMIT 1",
        person,
    )
    return UUID(str(row[0])), UUID(str(row[1])), str(row[2])


def test_a_page_that_shows_a_person_is_noted_with_who_what_for_and_in_which_request(
    own: Warehouse, site: TestClient, person: UUID
) -> None:
    [(zip_prefix, city)] = own.rows(SECRETS, person)
    shown = site.get(f"/customers/{person}", headers=bearing(own, "owner") | {"x-purpose": "a complaint"})
    assert shown.status_code == 200
    assert str(zip_prefix) in shown.text
    [entry] = entries(own)
    assert (entry["who"], entry["role"], entry["purpose"]) == ("the owner", "owner", "a complaint")
    assert (entry["subjects"], entry["request"]) == ([person], shown.headers["x-request-id"])
    assert str(zip_prefix) not in str(entry)
    assert str(city) not in str(entry)


def test_without_a_purpose_it_is_browsing_and_a_hostile_one_is_none(
    own: Warehouse, site: TestClient, person: UUID
) -> None:
    owner = bearing(own, "owner")
    for purpose in ({}, {"x-purpose": ""}, {"x-purpose": "x" * 201}):
        assert site.get(f"/customers/{person}", headers=owner | purpose).status_code == 200
    assert [entry["purpose"] for entry in entries(own)] == ["browsing"] * 3


@pytest.mark.parametrize("role", [Role.READER, Role.ANALYST, Role.AUDITOR])
def test_who_may_not_see_people_is_shown_none_and_not_noted(
    own: Warehouse, site: TestClient, person: UUID, role: Role
) -> None:
    order, review, comment = order_and_review(own, person)
    [(zip_prefix, city)] = own.rows(SECRETS, person)
    [(at,)] = own.rows(
        "SELECT notification_id FROM event_store.customer_events WHERE originator_id = %s AND originator_version = 1",
        person,
    )
    headers, paths = bearing(own, role), [f"/customers/{person}", f"/orders/{order}", f"/reviews/{review}"]
    paths += [f"/shipments/{order}", f"/api/things/customer/{person}", f"/api/things/order/{order}"]
    paths += [f"/api/things/review/{review}", f"/api/lineage/customer.dim_customer/{person}"]
    paths += [f"/api/lineage/customer.fact_review/{review}/{order}", f"/api/lineage/sales.fact_order/{order}"]
    paths += [f"/log/{at}", f"/api/log/{at}"] if role is not Role.ANALYST else []
    for path in paths:
        answer = site.get(path, headers=headers)
        assert answer.status_code == 200, path
        assert "sealed" in answer.text, path
        for secret in (f'"{zip_prefix}"', f">{zip_prefix}<", f",{zip_prefix},", str(city), comment):
            assert secret not in answer.text, path
    assert entries(own) == []


def test_who_lives_in_a_city_is_told_to_those_only_who_may_see_people_and_is_noted(
    own: Warehouse, site: TestClient
) -> None:
    row = site.get("/api/questions/62", headers=bearing(own, "owner")).json()["rows"][0]
    figure = {"key": str(row[0]), "column": "orders"}
    for path in ("/questions/62/rows", "/questions/62/rows.json", "/api/questions/62/rows"):
        refused_to_the_analyst = site.get(path, params=figure, headers=bearing(own, "analyst"))
        assert (refused_to_the_analyst.status_code, "Personal fields say" in refused_to_the_analyst.text) == (403, True)
    assert entries(own) == []
    told = site.get("/api/questions/62/rows", params=figure, headers=bearing(own, "owner"))
    [entry] = entries(own)
    assert set(entry["subjects"]) == {UUID(behind["key"]) for behind in told.json()["rows"]} != set()
    assert (entry["who"], told.headers["cache-control"]) == ("the owner", "no-store")


def test_rows_that_no_personal_field_chooses_are_told_to_analysts_and_not_noted(
    own: Warehouse, site: TestClient
) -> None:
    row = site.get("/api/questions/61", headers=bearing(own, "analyst")).json()["rows"][0]
    figure = {"key": str(row[0]), "column": "orders"}
    assert site.get("/api/questions/61/rows", params=figure, headers=bearing(own, "analyst")).status_code == 200
    assert entries(own) == []


def test_the_lines_of_a_mart_are_for_those_only_who_may_see_all(own: Warehouse, site: TestClient) -> None:
    [(order,)] = own.rows("SELECT order_id FROM mart.orders LIMIT 1")
    answer = site.get(f"/api/lineage/mart.orders/{order}", headers=bearing(own, "analyst"))
    assert (answer.status_code, "may show personal fields" in answer.json()["error"]) == (403, True)


def test_commands_note_what_they_show(own: Warehouse, person: UUID) -> None:
    order, review, _ = order_and_review(own, person)
    own.json("audit", "history", "customer", person.hex[:12])
    own.json("audit", "history", "review", str(review))
    own.json("audit", "lineage", "fact_order", str(order))
    own.json("audit", "history", "order", str(order))  # whose events have no personal field
    own.json(
        "audit", "lineage", "dim_category", own.rows("SELECT category FROM marketplace.dim_category LIMIT 1")[0][0]
    )
    assert own.run("audit", "history", "shipment", str(order), REPLAYHOUSE_PURPOSE="claim 7").code == 0
    noted = entries(own)
    assert [entry["purpose"] for entry in noted] == ["audit history", "audit history", "audit lineage", "claim 7"]
    assert all(entry["role"] == "owner" and entry["request"] is None for entry in noted)
    assert person in noted[0]["subjects"]
    assert {order, review} & set(noted[1]["subjects"]) == {review}
    assert order in noted[2]["subjects"]

    about = own.json("customer", "access", str(person))
    assert [entry["resource"] for entry in about] == [entry["resource"] for entry in reversed(noted)]
    assert len(own.json("customer", "access", str(person), "--limit", "1")) == 1


def test_whoever_was_not_read_about_has_no_entry(own: Warehouse, person: UUID) -> None:
    own.json("audit", "history", "customer", str(person))
    [(other,)] = own.rows("SELECT customer_id FROM customer.dim_customer WHERE customer_id <> %s LIMIT 1", person)
    assert own.json("customer", "access", str(other)) == []
    assert "Nobody was shown" in own.run("customer", "access", str(other)).out


@pytest.mark.parametrize("arguments", [("person",), ("7c39",), ("7c396fd4830fd04220f754e42b4e5bff", "--limit", "0")])
def test_what_is_no_question_about_a_person_is_refused(own: Warehouse, arguments: tuple[str, ...]) -> None:
    refused(own.run("customer", "access", *arguments, "--json"), 2)


def test_the_entry_is_there_although_the_reading_fails(
    own: Warehouse, person: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        assert len(entries(own)) == len(read) + 1, "it is committed before"
        read.append(_)
        raise ReachedError

    read: list[object] = []
    order, _, _ = order_and_review(own, person)
    monkeypatch.setattr(history, "history_of", fail)
    monkeypatch.setattr(lineage, "trace_row", fail)
    own.run("audit", "history", "customer", str(person))
    own.run("audit", "lineage", "fact_order", str(order))
    assert (len(read), len(entries(own))) == (2, 2)


def test_nothing_is_read_where_the_entry_cannot_be_written(
    own: Warehouse, site: TestClient, person: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    order, _, _ = order_and_review(own, person)
    owner = bearing(own, "owner")
    own.json("status")  # nothing else is to be written from here on
    with own.database.connect(autocommit=True) as conn:
        conn.execute("ALTER TABLE event_store.access ADD CHECK (false) NOT VALID")

    def fail(*_: object, **__: object) -> None:
        read.append(_)
        raise ReachedError

    read: list[object] = []

    for module, name in ((history, "history_of"), (lineage, "trace_row"), (thing, "history_of")):
        monkeypatch.setattr(module, name, fail)
    assert own.run("audit", "history", "customer", str(person)).code != 0
    assert own.run("audit", "lineage", "fact_order", str(order)).code != 0
    assert site.get(f"/customers/{person}", headers=owner).status_code == 500
    assert read == []
    assert site.get(f"/customers/{person}", headers=bearing(own, "analyst")).status_code == 500, "it is reached"
    assert len(read) == 1


def test_the_access_log_is_only_added_to(own: Warehouse, person: UUID) -> None:
    own.json("audit", "history", "customer", str(person))
    for statement in ("UPDATE event_store.access SET who = 'x'", "DELETE FROM event_store.access"):
        with own.database.connect(autocommit=True) as conn, pytest.raises(Exception, match="append-only"):
            conn.execute(statement.encode())


def test_an_erasure_leaves_the_entries(own: Warehouse, person: UUID) -> None:
    order, _, _ = order_and_review(own, person)
    own.json("audit", "history", "customer", str(person))
    own.json("audit", "lineage", "fact_order", str(order))
    before = own.json("customer", "access", str(person))
    own.json("customer", "erase", str(person), "--reason", "asked for it", "--yes")
    assert own.json("customer", "access", str(person)) == before
    assert len(before) == 2


def test_a_backup_takes_the_entries_along_and_no_tokens(
    own: Warehouse, person: UUID, server: EmbeddedServer, tmp_path: Path
) -> None:
    own.json("audit", "history", "customer", str(person))
    bearing(own, "owner")
    own.json("db", "backup", tmp_path / "backup")
    with a_database(server) as database:
        restored = Warehouse(database, tmp_path / "restored")
        restored.json("db", "restore", tmp_path / "backup")
        assert entries(restored) == entries(own)
        assert restored.json("token", "list") == []
        restored.json("audit", "history", "customer", str(person))
        assert len(entries(restored)) == 2


def test_rows_behind_a_figure_that_tell_of_people_are_noted_by_the_command_too(own: Warehouse) -> None:
    key = own.json("ask", "62")["rows"][0][0]
    told = own.json("ask", "62", "--rows", str(key), "orders")
    [entry] = entries(own)
    assert set(entry["subjects"]) == {UUID(row["key"]) for row in told["rows"]} != set()
    own.json("ask", "22", "--rows", own.json("ask", "22")["rows"][0][0], "late")
    assert len(entries(own)) == 1


def test_rows_that_a_comparison_shows_are_noted(own: Warehouse, tmp_path: Path) -> None:
    [(middle,)] = own.rows("SELECT max(position) / 2 FROM sales.fact_order")
    own.json("audit", "compare", str(middle), "live", "--table", "sales.fact_order")
    assert entries(own) == []
    told = own.json("audit", "compare", str(middle), "live", "--table", "customer.dim_customer")
    [entry] = entries(own)
    keys = {UUID(row["key"]["customer_id"]) for row in told["tables"]["customer.dim_customer"]["rows"]}
    assert set(entry["subjects"]) == keys != set()
    assert entry["purpose"] == "audit compare"
    own.json("audit", "compare", "live", "live", "--table", "customer.dim_customer")
    assert len(entries(own)) == 1, "nothing differs, so nothing is shown"
    own.json("audit", "compare", str(middle), "live", "--table", "dim_customer", "--csv", tmp_path / "all.csv")
    assert entries(own)[-1]["subjects"] == []
    [(anybody,)] = own.rows("SELECT customer_id FROM customer.dim_customer ORDER BY customer_id DESC LIMIT 1")
    about = own.json("customer", "access", str(anybody))
    assert "customer.dim_customer" in about[0]["resource"], "it may have been about them"


def test_rows_that_a_plan_to_take_a_load_back_shows_are_noted(own: Warehouse) -> None:
    [(newest,)] = own.rows("SELECT batch_id::text FROM event_store.batch ORDER BY batch_seq DESC LIMIT 1")
    told = own.json("retract", str(newest), "--dry-run")
    noted = {entry["resource"]: entry["subjects"] for entry in entries(own)}
    shown = [name for name, of in told["tables"].items() if of["examples"] and shows_people(name)]
    assert noted.keys() == {f"what would change in {name}" for name in shown}
    keys = told["tables"]["customer.dim_customer"]["examples"]
    assert set(noted["what would change in customer.dim_customer"]) == {UUID(key["key"]["customer_id"]) for key in keys}


def test_who_reads_a_table_with_personal_columns_has_read_about_anybody(own: Warehouse, tmp_path: Path) -> None:
    with own.database.connect(autocommit=True) as conn:
        conn.execute("CREATE VIEW mart.mine AS SELECT * FROM customer.dim_customer")
    opened = Opened(Settings(home=tmp_path, database_url=own.database.url))
    opened.table("sales.fact_order")
    opened.table("mart.executive_daily")
    assert entries(own) == []
    opened.table("customer.dim_customer")
    opened.table("mart.mine")
    with pytest.raises(UsageError):
        opened.table("customer.nobody")
    assert [entry["resource"] for entry in entries(own)] == ["the table customer.dim_customer", "the table mart.mine"]
    assert [entry["subjects"] for entry in entries(own)] == [[], []]


# --- quarantined records ------------------------------------------------------------------------------------------

BAD = "00000000000000000000000000000001,182f4fb463c9b76345d4a63d052f9ba9,?,canoas,RS"


@pytest.fixture
def apart(own: Warehouse, tmp_path: Path) -> str:
    """The id of a record that was kept apart, whose text names a city."""
    own.ingest(write(tmp_path / "bad", changed(a_good_extract(), customers=adding(BAD))))
    [(row,)] = own.rows("SELECT row_id FROM quality.quarantine WHERE text LIKE %s", "%canoas%")
    return str(row)


def test_texts_of_records_are_for_stewards_too_and_noted(own: Warehouse, apart: str, site: TestClient) -> None:
    for role, sees in ((Role.OWNER, True), (Role.STEWARD, True), (Role.AUDITOR, False), (Role.READER, False)):
        headers = bearing(own, role)
        for place in ("things/row", "lineage/quality.quarantine", "lineage/quarantine"):
            path = f"/api/{place}/{apart}"
            answer = site.get(path, headers=headers)
            assert (answer.status_code, "canoas" in answer.text) == (200, sees), f"{role} asks for {path}"
    assert [entry["role"] for entry in entries(own)] == ["owner"] * 3 + ["steward"] * 3
    assert {str(subject) for entry in entries(own) for subject in entry["subjects"]} == {apart}


def test_the_command_notes_each_row_whose_text_it_shows(own: Warehouse, apart: str, tmp_path: Path) -> None:
    shown = own.json("quality", "quarantine")
    assert "canoas" in str(shown)
    own.json("quality", "quarantine", "--csv", tmp_path / "rows.csv")
    for entry in entries(own):
        assert {str(one) for one in entry["subjects"]} == {row["row"] for row in shown}
        assert entry["resource"] == f"texts of {len(shown)} quarantined records" or len(shown) == 1
    assert len(entries(own)) == 3, "the list, the file, and the list that is told with it"
    assert len(own.json("customer", "access", "182f4fb463c9b76345d4a63d052f9ba9")) == 3


def test_a_list_without_texts_is_not_noted(own: Warehouse, apart: str, site: TestClient) -> None:
    [(batch,)] = own.rows("SELECT batch_id FROM quality.quarantine WHERE row_id = %s", apart)
    page = site.get(f"/quality/{batch}", headers=bearing(own, "steward"))
    assert (page.status_code, "canoas" in page.text) == (200, False)
    assert entries(own) == []
