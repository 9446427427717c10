"""The live read model follows the log: exactly once, whatever is appended in whatever steps."""

from typing import Any
from uuid import UUID

import psycopg

from replayhouse.domain.kernel.events import Rewound
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.domain.sales.order import NEW_ORDER, observe, order_of
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.live.projector import catch_up
from tests.support.read_side import MONDAY, Log, a_header, a_line, a_payment, an_id

ORDER = an_id(1)


def rows(conn: psycopg.Connection, table: str) -> list[tuple[Any, ...]]:
    return conn.execute(f"SELECT * FROM {table} ORDER BY 1, 2".encode()).fetchall()


def test_an_order_shows_with_its_lines_and_payments(database: Database, conn: psycopg.Connection) -> None:
    placed = observe(NEW_ORDER, an_id(9), a_header("approved"), [a_line(1), a_line(2)], [a_payment(amount="25.00")])
    position = Log(conn).append("sales", ORDER, placed)

    assert catch_up(database)["sales"] == len(placed)

    [(order_id, customer_id, alias, status, *_, at)] = rows(conn, "sales.fact_order")
    assert (order_id, customer_id, alias, status, at) == (ORDER, an_id(9), an_id(500), "approved", position)
    assert [row[1] for row in rows(conn, "sales.fact_order_item")] == [1, 2]
    assert [row[1] for row in rows(conn, "sales.fact_payment")] == [1]


def test_what_is_projected_already_is_not_projected_again(database: Database, conn: psycopg.Connection) -> None:
    Log(conn).append("sales", ORDER, observe(NEW_ORDER, None, a_header(), [a_line()]))
    catch_up(database)
    shown = rows(conn, "sales.fact_order")

    assert catch_up(database) == {"sales": 0, "fulfillment": 0, "customer": 0, "marketplace": 0, "quality": 0}
    assert rows(conn, "sales.fact_order") == shown


def test_a_later_event_changes_the_rows_of_its_stream_alone(database: Database, conn: psycopg.Connection) -> None:
    log = Log(conn)
    placed = observe(NEW_ORDER, None, a_header("approved"), [a_line()])
    log.append_all("sales", {ORDER: placed, an_id(2): placed})
    catch_up(database)
    other = rows(conn, "sales.fact_order")[1]

    log.append("sales", ORDER, observe(order_of(placed), None, a_header("delivered"), [a_line(2)]))
    catch_up(database)

    changed, unchanged = rows(conn, "sales.fact_order")
    assert changed[3] == "delivered"
    assert unchanged == other
    assert [row[:2] for row in rows(conn, "sales.fact_order_item")] == [(ORDER, 1), (ORDER, 2), (an_id(2), 1)]


def test_rows_vanish_with_the_load_that_brought_them(database: Database, conn: psycopg.Connection) -> None:
    log = Log(conn)
    placed = observe(NEW_ORDER, None, a_header("approved"), [a_line()])
    log.append("sales", ORDER, placed)
    catch_up(database)
    log.append("sales", ORDER, observe(order_of(placed), None, None, [a_line(2)]))
    catch_up(database)

    position = log.append("sales", ORDER, [Rewound(MONDAY, UUID(int=7), to_version=len(placed))])
    catch_up(database)
    assert [(row[1], row[-1]) for row in rows(conn, "sales.fact_order_item")] == [(1, position)]

    log.append("sales", ORDER, [Rewound(MONDAY, UUID(int=7), to_version=0)])
    catch_up(database)
    assert rows(conn, "sales.fact_order") == rows(conn, "sales.fact_order_item") == []


def test_an_empty_warehouse_has_its_unknown_members(database: Database, conn: psycopg.Connection) -> None:
    catch_up(database)
    assert conn.execute("SELECT customer_id, segment, position FROM customer.dim_customer").fetchall() == [
        (UNKNOWN_ID, "unknown", 0)
    ]
    assert conn.execute("SELECT category_english, position FROM marketplace.dim_product").fetchall() == [("unknown", 0)]
