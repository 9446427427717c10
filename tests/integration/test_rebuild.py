"""A rebuild makes of the log what following it has made, and readers notice nothing but a new revision."""

import psycopg
import pytest

from replayhouse.domain.sales.order import NEW_ORDER, observe, order_of
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.locks import exclusive
from replayhouse.infra.read_models.digests import digests
from replayhouse.infra.read_models.folding import Unfoldable
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.runtime.errors import Conflicting
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id


def some_orders(conn: psycopg.Connection, count: int = 40) -> Log:
    log = Log(conn)
    placed = {
        an_id(n << 120): observe(NEW_ORDER, an_id(n), a_header("approved"), [a_line(1), a_line(2)], [a_payment()])
        for n in range(count)
    }
    log.append_all("sales", placed)
    catch_up_later = {
        stream: observe(order_of(events), None, a_header("delivered")) for stream, events in list(placed.items())[::2]
    }
    log.append_all("sales", catch_up_later)
    return log


def test_a_rebuild_shows_what_following_the_log_shows(database: Database, conn: psycopg.Connection) -> None:
    some_orders(conn)
    catch_up(database)
    live = digests(database)

    rebuilt = rebuild(database, workers=1)

    again = digests(database)
    for context, before in live.items():
        assert again[context].tables == before.tables == rebuilt[context].tables
        assert (before.revision, again[context].revision, rebuilt[context].revision) == (1, 2, 2)
        assert again[context].position == before.position == rebuilt[context].position


@pytest.mark.parametrize(
    ("change", "differed"),
    [
        ("SELECT", []),
        ("UPDATE sales.fact_order SET item_count = item_count + 1 WHERE order_id = %s", ["fact_order"]),
        ("DELETE FROM sales.fact_payment WHERE order_id = %s", ["fact_payment"]),
        ("INSERT INTO sales.fact_payment SELECT order_id, 9, method, installments, amount, date_key, position"
         " FROM sales.fact_payment WHERE order_id = %s", ["fact_payment"]),
        ("UPDATE sales.fact_payment SET order_id = gen_random_uuid() WHERE order_id = %s", ["fact_payment"]),
        ("ALTER TABLE sales.fact_payment DROP CONSTRAINT fact_payment_pkey", []),
    ],
)  # fmt: skip
def test_live_rows_that_were_not_what_the_log_makes_are_told(
    database: Database, conn: psycopg.Connection, change: str, differed: list[str]
) -> None:
    some_orders(conn, 3)
    catch_up(database)
    conn.execute(change.encode(), [an_id(1 << 120)] if "%s" in change else None)
    told = {context: rebuilt.differed for context, rebuilt in rebuild(database, workers=1).items()}
    assert told == {context: differed if context == "sales" else [] for context in told}
    assert rebuild(database, ["sales"], workers=1)["sales"].differed == [], "it has mended them"


def test_live_rows_of_another_position_need_not_be_the_same_and_lost_columns_are_told(
    database: Database, conn: psycopg.Connection
) -> None:
    log = some_orders(conn, 3)
    catch_up(database)
    log.append("sales", an_id(99), observe(NEW_ORDER, None, a_header(), [a_line()]))
    assert rebuild(database, ["sales"], workers=1)["sales"].differed is None
    conn.execute("ALTER TABLE sales.fact_order DROP COLUMN item_count CASCADE")
    assert rebuild(database, ["sales"], workers=1)["sales"].differed == ["fact_order"]


def test_a_live_row_that_stands_there_twice_is_told(database: Database, conn: psycopg.Connection) -> None:
    some_orders(conn, 3)
    catch_up(database)
    conn.execute("ALTER TABLE sales.fact_order DROP CONSTRAINT fact_order_pkey CASCADE")
    conn.execute("INSERT INTO sales.fact_order SELECT * FROM sales.fact_order LIMIT 1")
    assert rebuild(database, ["sales"], workers=1)["sales"].differed == ["fact_order"]


def test_the_live_model_goes_on_after_a_rebuild(database: Database, conn: psycopg.Connection) -> None:
    log = some_orders(conn)
    catch_up(database)
    rebuild(database)
    log.append("sales", an_id(99), observe(NEW_ORDER, None, a_header(), [a_line()]))
    catch_up(database)
    assert digests(database)["sales"].tables == rebuild(database)["sales"].tables


def test_nothing_is_left_of_revisions_that_are_not_to_be_kept(database: Database, conn: psycopg.Connection) -> None:
    some_orders(conn, 3)
    rebuild(database, keep=0)
    rebuild(database, keep=0)
    schemas = conn.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '_r[0-9]+$'").fetchall()
    assert schemas == []


def test_two_rebuilds_exclude_each_other(database: Database, conn: psycopg.Connection) -> None:
    with exclusive(conn, "rebuild"), pytest.raises(Conflicting):
        rebuild(database, wait=0.1)


def test_a_stream_that_cannot_be_folded_ends_the_rebuild_and_is_named(
    database: Database, conn: psycopg.Connection
) -> None:
    catch_up(database)
    big = a_line(1, price="9999999999.99", freight="9999999999.99")
    Log(conn).append("sales", an_id(5), observe(NEW_ORDER, None, a_header(), [big]))
    before = digests(database)

    with pytest.raises(Unfoldable, match=str(an_id(5))):
        rebuild(database)

    assert digests(database) == before
