"""A subject without a row of keys has lost its key: read models say so and stop, and show nobody as erased."""

from uuid import UUID

import psycopg
import pytest

from replayhouse.domain.customer.events import CustomerRegistered
from replayhouse.infra.event_store.keys import destroy_keys
from replayhouse.infra.event_store.known_keys import LostKeys
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.digests import digests
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.status import parked_streams, status
from tests.support.databases import lose_keys
from tests.support.read_side import MONDAY, Log, an_id

PERSON, NEIGHBOUR = an_id(1), an_id(2)


def registered(alias: int) -> CustomerRegistered:
    return CustomerRegistered(MONDAY, an_id(alias), zip_prefix="01310", city="santos", state="SP", placed_at=MONDAY)


def cities(conn: psycopg.Connection) -> dict[UUID, str]:
    return dict(conn.execute("SELECT customer_id, city FROM customer.dim_customer WHERE customer_id <> %s", [an_id(0)]))


@pytest.fixture
def log(conn: psycopg.Connection) -> Log:
    log = Log(conn)
    log.append_all("customer", {PERSON: [registered(500)], NEIGHBOUR: [registered(501)]})
    return log


def test_following_the_log_stops_and_parks_nothing(database: Database, log: Log, conn: psycopg.Connection) -> None:
    keys = conn.execute(
        "SELECT subject_id, key FROM event_store.subject_key WHERE subject_id = %s", [PERSON]
    ).fetchone()
    assert keys is not None
    lose_keys(conn, [PERSON])
    with pytest.raises(LostKeys, match=f"{PERSON} is lost"):
        catch_up(database, ["customer"])
    assert (parked_streams(conn), cities(conn), status(database)["customer"].lag) == ([], {}, 2)

    conn.execute("INSERT INTO event_store.subject_key VALUES (%s, %s)", keys)
    catch_up(database, ["customer"])
    assert cities(conn) == {PERSON: "santos", NEIGHBOUR: "santos"}


def test_a_rebuild_stops_and_the_live_tables_stay(database: Database, log: Log, conn: psycopg.Connection) -> None:
    catch_up(database)
    before = digests(database)
    lose_keys(conn)
    with pytest.raises(LostKeys, match=rf"{PERSON} \(and of 1 more\) is lost"):
        rebuild(database, ["customer"])
    assert digests(database) == before
    assert rebuild(database, ["sales"]), "what holds no personal field needs no key"


def test_who_was_erased_is_shown_without_personal_fields(
    database: Database, log: Log, conn: psycopg.Connection
) -> None:
    destroy_keys(conn, [PERSON])
    catch_up(database)
    assert cities(conn) == {PERSON: "unknown", NEIGHBOUR: "santos"}
    rebuild(database, ["customer"])
    assert cities(conn) == {PERSON: "unknown", NEIGHBOUR: "santos"}
