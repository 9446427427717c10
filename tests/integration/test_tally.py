"""A tally counts the events up to a position, whatever it counted before; of another log it has counted nothing."""

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replayhouse.infra.event_store.tally import Tally
from tests.support.placed_orders import Orders

COUNTED = "SELECT count(*) FROM event_store.sales_events WHERE notification_id <= %s"


def counted(conn: psycopg.Connection, position: int) -> int:
    row = conn.execute(COUNTED, [position]).fetchone()
    assert row is not None
    return int(row[0])


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_whichever_positions_are_asked_for_in_whatever_order(conn: psycopg.Connection, asked: list[float]) -> None:
    head, tally = Orders(conn).place(7) if counted(conn, 10**9) == 0 else counted(conn, 10**9), Tally()
    tally.begin(conn, head)
    for part in asked:
        position = round(part * head)
        assert tally.up_to(conn, "sales", position) == counted(conn, position)


def test_what_was_counted_is_not_counted_again(conn: psycopg.Connection) -> None:
    orders, tally = Orders(conn), Tally()
    head = orders.place(5)
    tally.begin(conn, head)
    before = tally.up_to(conn, "sales", head)
    conn.execute("ALTER TABLE event_store.sales_events RENAME TO elsewhere")
    tally.begin(conn, head)
    assert tally.up_to(conn, "sales", head) == before
    conn.execute("ALTER TABLE event_store.elsewhere RENAME TO sales_events")
    more = orders.place(2)
    tally.begin(conn, more)
    assert tally.up_to(conn, "sales", more) == counted(conn, more) > before


def test_counts_of_a_log_that_was_longer_or_another_one_are_forgotten(conn: psycopg.Connection) -> None:
    tally = Tally()
    head = Orders(conn).place(3)
    tally.begin(conn, head)
    whole = tally.up_to(conn, "sales", head)
    tally._counted["sales"][head] = whole + 100
    tally.begin(conn, head - 1)
    assert tally.up_to(conn, "sales", head - 1) == counted(conn, head - 1)

    tally._counted["sales"][head] = whole + 100
    conn.execute("ALTER TABLE event_store.store DISABLE TRIGGER ALL")
    conn.execute("UPDATE event_store.store SET store_id = gen_random_uuid()")
    tally.begin(conn, head)
    assert tally.up_to(conn, "sales", head) == whole
