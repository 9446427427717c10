"""Earlier revisions are kept, listed, and swapped in again; the marts follow whatever tables are live."""

import psycopg
import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.digests import digests
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.rebuild import revisions, self_check
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.rebuild.revert import revert
from replayhouse.infra.runtime.errors import Conflicting, ReplayhouseError, UsageError
from replayhouse.projections import marts
from replayhouse.projections.marts import Mart
from tests.support.read_side import Log, place, ten_orders_shown

BY_HAND = """
    CREATE VIEW mart.paid AS SELECT order_id, paid FROM sales.fact_order WHERE is_paid;
    COMMENT ON VIEW mart.paid IS 'mine';
    CREATE MATERIALIZED VIEW mart.total AS SELECT count(*) AS orders, sum(paid) AS paid FROM mart.paid;
    CREATE UNIQUE INDEX one_total ON mart.total (orders);
    CREATE VIEW mart.average AS SELECT paid / orders AS average FROM mart.total
"""
STANDS_ON_OTHERS = """
    SELECT DISTINCT n.nspname FROM pg_depend AS d
    JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    JOIN pg_class AS t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid
    JOIN pg_namespace AS n ON n.oid = t.relnamespace
    WHERE r.ev_class IN (SELECT oid FROM pg_class WHERE relnamespace = 'mart'::regnamespace) AND n.nspname ~ '_'
"""


@pytest.fixture
def log(conn: psycopg.Connection, database: Database) -> Log:
    return ten_orders_shown(conn, database)


def standing(conn: psycopg.Connection) -> list[tuple[int, str]]:
    return [(one.revision, one.status) for one in revisions.listed(conn, ["sales"])]


# --- kept -------------------------------------------------------------------------------------------------------


def test_as_many_earlier_revisions_are_kept_as_is_asked_for(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    for _ in range(3):
        rebuild(database, ["sales"], keep=2)
    assert standing(conn) == [(1, "dropped"), (2, "kept"), (3, "kept"), (4, "live")]
    rebuild(database, ["sales"], keep=0)
    assert [status for _, status in standing(conn)] == ["dropped"] * 4 + ["live"]
    assert conn.execute("SELECT count(*) FROM pg_namespace WHERE nspname ~ '_r[0-9]+$'").fetchone() == (0,)


def test_a_revision_is_listed_with_its_reason_and_the_digest_of_its_tables(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    tables = rebuild(database, ["sales"], reason="the fold of payments was wrong")["sales"].tables
    [_, live] = revisions.listed(conn, ["sales"])
    assert live.reason == "the fold of payments was wrong"
    assert live.digest == f"{sum(digest.total for digest in tables.values()) % 2**256:064x}"
    assert live.position == live.digest_position


def test_a_row_that_differs_from_what_its_stream_folds_to_ends_the_rebuild(
    database: Database, conn: psycopg.Connection, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = self_check.check

    def harmed(connection: psycopg.Connection, *others: object) -> None:
        connection.execute("UPDATE sales_r2.fact_order SET status = 'lost'")
        check(connection, *others)  # type: ignore[arg-type]  # passed on as they came

    monkeypatch.setattr(self_check, "check", harmed)
    before = digests(database)["sales"]
    with pytest.raises(ReplayhouseError, match=r"self-check.*sales\.fact_order"):
        rebuild(database, ["sales"])
    assert digests(database)["sales"] == before
    assert standing(conn) == [(1, "live")]


# --- the way back -----------------------------------------------------------------------------------------------


def test_an_earlier_revision_is_swapped_in_and_brought_up_to_date(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    before = rebuild(database, ["sales"])["sales"].position
    rebuild(database, ["sales"])
    newest = place(log, 100, 5)
    conn.execute("UPDATE sales.fact_order SET status = 'wrong'")  # a bad deployment

    done = revert(database, "sales")

    assert (done.former.revision, done.revision) == (3, 2)
    assert (done.stood_at, done.position) == (before, newest)
    assert standing(conn) == [(1, "kept"), (2, "live"), (3, "kept")]
    live = digests(database)["sales"].tables
    assert live["fact_order"].rows == 15
    assert rebuild(database, ["sales"])["sales"].tables == live


def test_following_the_log_goes_on_after_a_revert(database: Database, conn: psycopg.Connection, log: Log) -> None:
    rebuild(database, ["sales"])
    revert(database, "sales", to=1)
    place(log, 200, 3)
    catch_up(database)
    live = digests(database)["sales"].tables
    assert rebuild(database, ["sales"])["sales"].tables == live


@pytest.mark.parametrize("to", [None, 1, 7], ids=["none kept", "the live one", "none such"])
def test_what_is_not_kept_cannot_be_swapped_in(
    database: Database, conn: psycopg.Connection, log: Log, to: int | None
) -> None:
    with pytest.raises(UsageError, match=r"no earlier revision|it is live"):
        revert(database, "sales", to=to)


def test_a_dropped_revision_is_told_apart(database: Database, conn: psycopg.Connection, log: Log) -> None:
    rebuild(database, ["sales"], keep=1)
    rebuild(database, ["sales"], keep=1)
    with pytest.raises(UsageError, match=r"revision 1, but it is dropped.*Kept are 2"):
        revert(database, "sales", to=1)


# --- marts ------------------------------------------------------------------------------------------------------


def test_views_made_by_hand_show_the_tables_that_are_live(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    conn.execute(BY_HAND)
    conn.execute("GRANT SELECT ON mart.total TO replayhouse_reader")
    for swap in (lambda: rebuild(database, ["sales"]), lambda: rebuild(database), lambda: revert(database, "sales")):
        swap()
        assert conn.execute(STANDS_ON_OTHERS).fetchall() == []
        assert conn.execute("SELECT orders FROM mart.total").fetchone() == (10,)
        assert conn.execute("SELECT count(*) FROM mart.average").fetchone() == (1,)
    assert conn.execute("SELECT obj_description('mart.paid'::regclass)").fetchone() == ("mine",)
    may = "SELECT has_table_privilege('replayhouse_reader', 'mart.total', 'SELECT')"
    assert conn.execute(may).fetchone() == (True,)
    assert conn.execute("SELECT count(*) FROM pg_indexes WHERE indexname = 'one_total'").fetchone() == (1,)


def test_views_of_who_only_reads_go_along_too(database: Database, conn: psycopg.Connection, log: Log) -> None:
    conn.execute(BY_HAND)
    for kind, view in (("VIEW", "paid"), ("MATERIALIZED VIEW", "total"), ("VIEW", "average")):
        conn.execute(f"ALTER {kind} mart.{view} OWNER TO replayhouse_reader")
    rebuild(database, ["sales"])
    assert conn.execute(STANDS_ON_OTHERS).fetchall() == []
    assert conn.execute("SELECT orders FROM mart.total").fetchone() == (10,)
    assert conn.execute("SELECT count(*) FROM mart.paid").fetchone() == (10,)
    owners = "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE oid = ANY(%s::regclass[])"
    assert conn.execute(owners, [["mart.paid", "mart.total", "mart.average"]]).fetchall() == [("replayhouse_reader",)]


def test_a_view_of_others_on_a_materialised_one_is_not_lost(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    conn.execute(BY_HAND)
    conn.execute("CREATE SCHEMA bi; CREATE VIEW bi.total AS SELECT * FROM mart.total")
    with pytest.raises(Conflicting, match=r"mart\.total"):
        rebuild(database, ["sales"])
    assert standing(conn) == [(1, "live")]
    assert conn.execute("SELECT orders FROM bi.total").fetchone() == (10,)


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two marts, the second built on the first."""
    said = {"date_key": "the day", "orders": "how many"}
    a_day = "SELECT date_key, count(*) AS orders FROM fact_order GROUP BY date_key"
    monkeypatch.setattr(
        marts,
        "MARTS",
        (
            Mart("orders_a_day", "Orders by day", said, a_day, ("date_key",)),
            Mart(
                "busiest",
                "The most on a day",
                {"orders": "how many"},
                "SELECT max(orders) AS orders FROM orders_a_day",
                ("orders",),
            ),
        ),
    )


def test_declared_marts_are_swapped_with_the_tables(
    declared: None, database: Database, conn: psycopg.Connection, log: Log
) -> None:
    for swap in (lambda: rebuild(database, ["sales"]), lambda: rebuild(database), lambda: revert(database, "sales")):
        swap()
        assert conn.execute(STANDS_ON_OTHERS).fetchall() == []
        assert conn.execute("SELECT orders FROM mart.busiest").fetchone() == (10,)
        assert conn.execute("SELECT sum(orders)::int FROM mart.orders_a_day").fetchone() == (10,)
        left = conn.execute("SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^mart_'").fetchall()
        assert left == []


def test_views_made_by_hand_keep_options_comments_and_rights(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    conn.execute("""
        CREATE VIEW mart.guarded WITH (security_barrier = true) AS SELECT order_id FROM sales.fact_order;
        CREATE MATERIALIZED VIEW mart.later WITH (fillfactor = 70) AS SELECT order_id FROM sales.fact_order
            WITH NO DATA;
        COMMENT ON MATERIALIZED VIEW mart.later IS 'a view';
        COMMENT ON COLUMN mart.later.order_id IS 'a column';
        GRANT SELECT ON mart.guarded, mart.later TO PUBLIC;
        ALTER MATERIALIZED VIEW mart.later OWNER TO replayhouse_owner
    """)
    told = """
        SELECT relname, relacl::text, reloptions, relowner::regrole::text, relispopulated, obj_description(oid),
            col_description(oid, 1)
        FROM pg_class WHERE relnamespace = 'mart'::regnamespace AND relkind IN ('v', 'm') ORDER BY relname
    """
    before = conn.execute(told).fetchall()
    rebuild(database, ["sales"])
    assert conn.execute(told).fetchall() == before
