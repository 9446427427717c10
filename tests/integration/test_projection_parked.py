"""A stream that cannot be folded is parked with its error; the others go on, and it comes back when it can."""

from typing import Any
from uuid import UUID

import psycopg
import pytest

from replayhouse.domain.kernel.events import Rewound
from replayhouse.domain.sales.order import NEW_ORDER, observe, order_of
from replayhouse.infra.event_store.serialization.errors import NewerVersion
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.digests import digests
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.status import parked_streams, status
from replayhouse.projections import replay
from tests.support.read_side import MONDAY, Log, a_header, a_line, a_payment, an_id

BAD, GOOD = an_id(1), an_id(2)
PLACED = observe(NEW_ORDER, None, a_header("approved"), [a_line()])


def statuses(conn: psycopg.Connection) -> list[tuple[Any, ...]]:
    return conn.execute("SELECT order_id, status FROM sales.fact_order ORDER BY 1").fetchall()


@pytest.fixture
def log(conn: psycopg.Connection) -> Log:
    return Log(conn)


def refuse(patch: pytest.MonkeyPatch, stream: UUID) -> None:
    """Folding that stream fails from now on, as with a defect in the fold; for a rebuild see test_rebuild."""
    refold = replay.refold

    def failing(projection: Any, before: Any, after: Any) -> Any:
        if after.stream_id == stream:
            raise KeyError("a defect")
        return refold(projection, before, after)

    patch.setattr("replayhouse.infra.read_models.windows.refold", failing)


def test_the_others_go_on(database: Database, log: Log, conn: psycopg.Connection) -> None:
    log.append_all("sales", {BAD: PLACED, GOOD: PLACED})
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, BAD)
        catch_up(database)

    assert statuses(conn) == [(GOOD, "approved")]
    [parked] = parked_streams(conn)
    assert (parked.context, parked.stream_id, parked.folded_to) == ("sales", BAD, 0)
    assert parked.error == "KeyError: 'a defect'"
    found = status(database)["sales"]
    assert (found.parked, found.lag, found.projected) == (1, 0, found.head)


def test_its_rows_stay_as_they_were(database: Database, log: Log, conn: psycopg.Connection) -> None:
    log.append_all("sales", {BAD: PLACED, GOOD: PLACED})
    catch_up(database)
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, BAD)
        delivered = observe(order_of(PLACED), None, a_header("delivered"))
        log.append_all("sales", {BAD: delivered, GOOD: delivered})
        catch_up(database)
    assert statuses(conn) == [(BAD, "approved"), (GOOD, "delivered")]


def test_it_is_tried_again_when_asked_to(database: Database, log: Log, conn: psycopg.Connection) -> None:
    log.append("sales", BAD, PLACED)
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, BAD)
        catch_up(database)
    catch_up(database)
    assert statuses(conn) == []
    catch_up(database, retry_parked=True)
    assert statuses(conn) == [(BAD, "approved")]
    assert parked_streams(conn) == []


def test_it_is_tried_again_when_something_happens_to_it(database: Database, log: Log, conn: psycopg.Connection) -> None:
    log.append("sales", BAD, [*PLACED, *observe(order_of(PLACED), None, None, [a_line(2)], [a_payment()])])
    catch_up(database)
    with pytest.MonkeyPatch.context() as patch:
        refuse(patch, BAD)
        log.append("sales", BAD, [Rewound(MONDAY, UUID(int=7), to_version=len(PLACED))])
        catch_up(database)
        log.append("sales", BAD, observe(order_of(PLACED), None, a_header("shipped")))
        catch_up(database)
    assert len(parked_streams(conn)) == 1

    log.append("sales", BAD, observe(order_of(PLACED), None, a_header("delivered"))[-1:])
    catch_up(database)

    assert parked_streams(conn) == []
    assert statuses(conn) == [(BAD, "delivered")]
    live = digests(database)["sales"].tables
    assert live["fact_order_item"].rows == 1
    assert live["fact_payment"].rows == 0
    assert rebuild(database, ["sales"])["sales"].tables == live


def test_rows_that_do_not_fit_are_not_written(database: Database, log: Log, conn: psycopg.Connection) -> None:
    too_much = [a_line(1, price="9999999999.00"), a_line(2, price="9999999999.00")]
    bad = observe(NEW_ORDER, None, a_header("approved"), too_much)
    log.append_all("sales", {BAD: bad, GOOD: PLACED})
    catch_up(database)
    assert statuses(conn) == [(GOOD, "approved")]
    [parked] = parked_streams(conn)
    assert "fact_order.price cannot hold 19999999998.00" in parked.error


def test_an_event_that_cannot_be_read_parks_its_stream(database: Database, log: Log, conn: psycopg.Connection) -> None:
    log.append_all("sales", {BAD: PLACED, GOOD: PLACED})
    conn.execute("ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only")
    conn.execute("UPDATE event_store.sales_events SET topic = 'sales.OrderDreamt.v1' WHERE originator_id = %s", [BAD])
    catch_up(database)
    assert statuses(conn) == [(GOOD, "approved")]
    [parked] = parked_streams(conn)
    assert "sales.OrderDreamt.v1" in parked.error


def test_an_event_of_a_newer_program_stops_its_context_and_no_other(
    database: Database, log: Log, conn: psycopg.Connection
) -> None:
    """Parking the stream would hide that this program is too old for the log; no stream is at fault."""
    log.append_all("sales", {BAD: PLACED})
    catch_up(database)
    before = status(database)["sales"].projected
    log.append_all("sales", {BAD: observe(order_of(PLACED), None, a_header("delivered")), GOOD: PLACED})
    log.append("fulfillment", GOOD, [Rewound(MONDAY, UUID(int=7), to_version=0)])
    conn.execute("ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only")
    rename = "UPDATE event_store.sales_events SET topic = %s WHERE originator_id = %s AND topic = %s"
    newer = ["sales.OrderPlaced.v3", GOOD, "sales.OrderPlaced.v2"]
    conn.execute(rename, newer)

    with pytest.raises(NewerVersion, match=r"sales\.OrderPlaced\.v3.* the program is older than the log, update it"):
        catch_up(database)

    found = status(database)
    assert (found["sales"].projected, found["sales"].parked) == (before, 0)
    assert statuses(conn) == [(BAD, "approved")]
    assert found["fulfillment"].lag == 0, "the others have gone on"
    with pytest.raises(NewerVersion):
        rebuild(database, ["sales"])
    assert statuses(conn) == [(BAD, "approved")]

    conn.execute(rename, newer[2:] + newer[1:2] + newer[:1])  # as if the program had been updated
    catch_up(database)
    assert statuses(conn) == [(BAD, "delivered"), (GOOD, "approved")]
