"""Rows of streams whose key was destroyed: written anew as of the position that the tables show, parked streams too."""

from uuid import UUID

import psycopg
import pytest

from replayhouse.domain.customer.customer import Address, AliasSeen, customer_of, observe_aliases
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.privacy.erasure import erase
from replayhouse.infra.privacy.mentions import RowText, ids_in, rows_naming
from replayhouse.infra.read_models import refolding, windows
from replayhouse.infra.read_models.digests import digests
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.status import parked_streams
from tests.support.read_side import HOUR, MONDAY, Log, an_id

ANA, BIA = an_id(901), an_id(902)
SANTOS, SALVADOR = Address("11001", "santos", "SP"), Address("40000", "salvador", "BA")
FIRST = observe_aliases(customer_of(()), [AliasSeen(an_id(500), MONDAY, SANTOS)])
MOVED = observe_aliases(customer_of(FIRST), [AliasSeen(an_id(501), MONDAY + HOUR, SALVADOR)])


def cities(conn: psycopg.Connection) -> dict[UUID, tuple[str, int]]:
    rows = conn.execute("SELECT customer_id, city, alias_count FROM customer.dim_customer WHERE position > 0")
    return {person: (city, aliases) for person, city, aliases in rows}


def erased(conn: psycopg.Connection, person: UUID) -> None:
    assert erase(conn, person, "asked for it", "ana", lambda *_: None) is not None


@pytest.fixture
def log(database: Database, conn: psycopg.Connection) -> Log:
    log = Log(conn)
    log.append_all(
        "customer", {ANA: FIRST, BIA: observe_aliases(customer_of(()), [AliasSeen(an_id(600), None, SANTOS)])}
    )
    catch_up(database)
    return log


def refuse_folding(patch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise KeyError("a defect")

    patch.setattr(windows, "refold", failing)


def test_a_parked_stream_is_shown_as_of_the_position_of_its_rows(
    database: Database, log: Log, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        refuse_folding(patched)
        log.append("customer", ANA, MOVED)
        catch_up(database)
    assert (cities(conn)[ANA], len(parked_streams(conn))) == (("santos", 1), 1)

    erased(conn, ANA)
    assert cities(conn) == {ANA: ("unknown", 1), BIA: ("santos", 1)}
    catch_up(database, retry_parked=True)
    assert (cities(conn)[ANA], parked_streams(conn)) == (("unknown", 2), [])
    live = digests(database)["customer"].tables
    assert rebuild(database, ["customer"])["customer"].tables == live


def test_a_stream_that_cannot_be_folded_again_loses_its_rows_until_it_can(
    database: Database, log: Log, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise KeyError("a defect")

    with monkeypatch.context() as patched:
        patched.setattr(refolding, "_written", failing)
        erased(conn, ANA)
    assert cities(conn) == {BIA: ("santos", 1)}
    [parked] = parked_streams(conn)
    assert (parked.stream_id, parked.folded_to, parked.error) == (ANA, 0, "KeyError: 'a defect'")
    catch_up(database, retry_parked=True)
    assert (cities(conn)[ANA], parked_streams(conn)) == (("unknown", 1), [])


# --- which rows name a person ----------------------------------------------------------------------------------------


def test_ids_are_found_wherever_they_stand_in_a_text() -> None:
    person = "0123456789abcdef0123456789ABCDEF"
    hyphened = "01234567-89ab-cdef-0123-456789abcdef"
    for text in (person, f'"{person}",x', f"x{person}", f"{person}0,01001", hyphened, f"a,b\n,{person}"):
        assert person.lower() in ids_in(text), text
    assert ids_in("1,2017-03-01 10:00:00,santos") == set()


def test_what_belongs_to_an_order_that_is_kept_apart_itself_is_found_through_it() -> None:
    alias, order, other = (an_id(n).hex for n in (500, 1, 2))
    texts = [
        RowText(an_id(10), "order_reviews", f"{an_id(800).hex},{order},5,,muito"),
        RowText(an_id(11), "orders", f"{order},{alias},Delivered"),
        RowText(an_id(12), "order_reviews", f"{an_id(801).hex},{other},5,,pouco"),
        RowText(an_id(13), "orders", f"{other},{an_id(501).hex},Delivered"),
        RowText(an_id(14), "", f"{order},1"),
    ]
    assert rows_naming({alias}, lambda: texts) == {an_id(10), an_id(11), an_id(14)}
    assert rows_naming({an_id(7).hex}, lambda: texts) == set()
