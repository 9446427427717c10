"""Tables and rows that another version of the program has made are recognised on every road, and filled anew."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import MetaData, Table

from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.event_store.serialization.errors import NewerVersion
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models import prefixes, refolding, versions
from replayhouse.infra.read_models import schema as model_schema
from replayhouse.infra.read_models.digests import digests
from replayhouse.infra.read_models.live.projector import Projector, catch_up
from replayhouse.infra.read_models.live.watcher import Watch
from replayhouse.infra.read_models.rebuild import revisions
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.rebuild.revert import revert
from replayhouse.infra.read_models.schema import model_of
from replayhouse.infra.read_models.snapshots.diff import TableOfTwo, one_moment
from replayhouse.infra.read_models.snapshots.diff_sources import two_sides
from replayhouse.infra.read_models.snapshots.moments import Wanted
from replayhouse.infra.read_models.snapshots.time_travel import rebuild_into
from replayhouse.infra.read_models.status import status
from replayhouse.infra.read_models.versions import OtherVersion, standing_shapes
from replayhouse.infra.runtime.errors import Conflicting, UsageError
from replayhouse.projections.columns import flag
from replayhouse.projections.fingerprint import shapes_of
from replayhouse.projections.projection import Projection, Rows, Stream
from replayhouse.projections.versions import VERSIONS, Version
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id

PLACED = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])


def _with_a_column_more(sales: Projection) -> Projection:
    """Sales as a later version of the program may declare it: each payment says whether it came in installments."""
    payments = sales.tables[2]
    *columns, position = payments.to_metadata(MetaData(), schema="sales").columns
    more = flag("is_in_installments", "whether it came in installments")
    later = Table(
        payments.name,
        MetaData(schema="sales"),
        *[column._copy() for column in (*columns, more, position)],
        comment=payments.comment,
    )

    def fold(stream: Stream) -> Rows:
        rows = sales.fold(stream)
        return rows | {"fact_payment": [(*row[:-1], row[3] > 1, row[-1]) for row in rows.get("fact_payment", [])]}

    return replace(sales, tables=(*sales.tables[:2], later), fold=fold, version=sales.version + 1)


@pytest.fixture
def log(conn: psycopg.Connection, database: Database) -> Log:
    """Ten orders, shown by the program as it is."""
    log = Log(conn)
    place(log, 1, 10)
    catch_up(database)
    return log


def place(log: Log, first: int, count: int) -> int:
    return log.append_all("sales", {an_id((first + n) << 110): PLACED for n in range(count)})


@pytest.fixture
def as_program(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Projection], None]]:
    """Puts another declaration of sales in the place of the program's."""

    def put(projection: Projection) -> None:
        monkeypatch.setitem(PROJECTIONS, "sales", projection)
        monkeypatch.setitem(VERSIONS, "sales", Version(projection.version, projection.fingerprint))
        model_schema.model_of.cache_clear()

    yield put
    model_schema.model_of.cache_clear()


@pytest.fixture
def upgraded(log: Log, as_program: Callable[[Projection], None]) -> Projection:
    """The program has got a column more since the ten orders were shown."""
    later = _with_a_column_more(PROJECTIONS["sales"])
    as_program(later)
    return later


def test_declared_tables_are_those_that_are_made(conn: psycopg.Connection, database: Database) -> None:
    catch_up(database)
    for context, projection in PROJECTIONS.items():
        assert standing_shapes(conn, context) == shapes_of(projection.tables)
    assert versions.others(conn) == {}


def test_an_earlier_programs_tables_are_filled_anew_and_kept_beside(
    database: Database, conn: psycopg.Connection, log: Log, upgraded: Projection
) -> None:
    assert not versions.is_current(conn, "sales")
    assert status(database)["sales"].made_by == "earlier"
    with pytest.raises(OtherVersion, match=r"sales was made by an earlier version.*replayhouse project"):
        digests(database)
    place(log, 100, 1)

    assert catch_up(database) == dict.fromkeys(PROJECTIONS, 0) | {"sales": 11 * len(PLACED)}

    assert conn.execute("SELECT count(*) FROM sales.fact_payment WHERE NOT is_in_installments").fetchone() == (11,)
    assert [(r.revision, r.status, r.fold_version, r.reason) for r in revisions.listed(conn, ["sales"])] == [
        (1, "kept", upgraded.version - 1, None),
        (2, "live", upgraded.version, versions.REASON),
    ]
    assert versions.is_current(conn, "sales")
    live = digests(database)["sales"].tables
    assert rebuild(database, ["sales"], keep=3)["sales"].tables == live
    with pytest.raises(UsageError, match="other columns"):
        revert(database, "sales", to=1)
    rebuild(database, ["sales"], keep=0)
    assert conn.execute("SELECT count(*) FROM pg_namespace WHERE nspname ~ '_r[0-9]+$'").fetchone() == (0,)


def test_a_warehouse_from_before_there_were_fingerprints_is_recognised_by_its_columns(
    database: Database, conn: psycopg.Connection, log: Log
) -> None:
    conn.execute("UPDATE read_model.revision SET fingerprint = NULL")
    assert catch_up(database)["sales"] == 0
    [(fingerprint,)] = conn.execute("SELECT fingerprint FROM read_model.revision WHERE context = 'sales'").fetchall()
    assert fingerprint == PROJECTIONS["sales"].fingerprint

    fresh = digests(database)
    conn.execute("UPDATE read_model.revision SET fingerprint = NULL")
    conn.execute("DROP SCHEMA masked, regional CASCADE")  # which that warehouse does not have either
    conn.execute("ALTER TABLE sales.fact_order DROP COLUMN is_paid; ALTER TABLE customer.dim_customer DROP COLUMN city")
    conn.execute("ALTER TABLE quality.batch ALTER COLUMN rows TYPE bigint; DROP TABLE quality.fact_check")
    assert versions.others(conn) == {"sales": False, "customer": False, "quality": False}
    rebuild(database, ["fulfillment"])  # takes the others along
    assert {context: found.tables for context, found in digests(database).items()} == {
        context: found.tables for context, found in fresh.items()
    }


def test_another_fold_of_the_same_tables_is_told_apart(
    database: Database, conn: psycopg.Connection, log: Log, as_program: Callable[[Projection], None]
) -> None:
    sales = PROJECTIONS["sales"]

    def without_payments(stream: Stream) -> Rows:
        return {name: rows for name, rows in sales.fold(stream).items() if name != "fact_payment"}

    before = digests(database)["sales"].tables
    as_program(replace(sales, fold=without_payments, version=sales.version + 1))
    catch_up(database)
    assert conn.execute("SELECT count(*) FROM sales.fact_payment").fetchone() == (0,)

    with pytest.raises(UsageError, match="another version"):
        revert(database, "sales", to=1)
    as_program(sales)  # the wrong fold is taken back
    assert status(database)["sales"].made_by == "newer"
    place(log, 100, 1)
    with pytest.raises(OtherVersion, match=r"newer version.*rebuild sales"):
        catch_up(database)
    assert conn.execute("SELECT count(*) FROM sales.fact_order").fetchone() == (10,)
    assert conn.execute("SELECT min(position) > 0 FROM read_model.projection WHERE context <> 'sales'").fetchone() == (
        True,
    )
    assert revert(database, "sales", to=1).position > 0
    assert digests(database)["sales"].tables["fact_payment"].rows == 11
    assert before["fact_payment"].rows == 10


def test_a_process_that_follows_writes_no_rows_into_tables_of_another_program(
    database: Database, conn: psycopg.Connection, log: Log, as_program: Callable[[Projection], None]
) -> None:
    sales = PROJECTIONS["sales"]
    following = Projector(conn, "sales")  # began before the upgrade
    as_program(_with_a_column_more(sales))
    catch_up(database)
    as_program(sales)
    place(log, 100, 1)
    with pytest.raises(OtherVersion, match="newer"):
        following.catch_up()


def test_following_fills_an_earlier_programs_tables_anew(
    database: Database, conn: psycopg.Connection, log: Log, upgraded: Projection
) -> None:
    stop = threading.Event()
    watch = Watch(database, ["sales"], stop, lambda said: stop.set() if "following" in said else None)
    watch.run()
    assert versions.is_current(conn, "sales")
    assert watch.events["sales"] == 10 * len(PLACED)


def test_following_gives_up_what_only_a_newer_program_could_fill(
    database: Database, conn: psycopg.Connection, log: Log, upgraded: Projection
) -> None:
    conn.execute("ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only")
    conn.execute("UPDATE event_store.sales_events SET topic = 'sales.OrderPlaced.v99' WHERE originator_version = 1")
    told: list[str] = []
    watch = Watch(database, ["sales"], threading.Event(), told.append)
    watch.run()
    assert [type(error) for error in watch.stopped.values()] == [NewerVersion]
    assert conn.execute("SELECT count(*) FROM sales.fact_order").fetchone() == (10,), "they stay as they were"


def test_a_stream_that_cannot_be_folded_is_parked_by_a_refilling_too(
    database: Database, conn: psycopg.Connection, log: Log, as_program: Callable[[Projection], None]
) -> None:
    later, stubborn = _with_a_column_more(PROJECTIONS["sales"]), an_id(3 << 110)

    def fold(stream: Stream) -> Rows:
        if stream.stream_id == stubborn:
            raise ValueError("this one not")
        return later.fold(stream)

    as_program(replace(later, fold=fold))
    assert catch_up(database)["sales"] == 10 * len(PLACED)
    assert status(database)["sales"].parked == 1
    assert conn.execute("SELECT count(*) FROM sales.fact_order").fetchone() == (9,)

    as_program(later)
    catch_up(database, retry_parked=True)
    live = digests(database)["sales"].tables
    assert (live["fact_order"].rows, status(database)["sales"].parked) == (10, 0)
    assert rebuild(database, ["sales"])["sales"].tables == live


def test_a_key_that_is_destroyed_takes_its_rows_out_of_an_earlier_programs_tables(
    database: Database, conn: psycopg.Connection, log: Log, as_program: Callable[[Projection], None]
) -> None:
    rebuild(database, ["sales"])
    rebuild_into(database, "before", ["sales"])
    as_program(_with_a_column_more(PROJECTIONS["sales"]))
    streams = [an_id(n << 110) for n in (2, 3)]
    with conn.transaction():
        refolding.ask(conn, "sales", streams)
        prefixes.refold(conn, "sales", streams)
        refolding.refold_live(conn, "sales", model_of("sales", "sales"), streams)
        for model in revisions.kept(conn, "sales"):
            refolding.refold_kept(conn, model, streams)
    for schema in ("sales", "sales_r1", "before_sales"):
        assert conn.execute(f"SELECT count(*) FROM {schema}.fact_payment".encode()).fetchone() == (8,)
    [under] = prefixes.prefixes(conn)
    assert under.tables["sales"]["fact_payment"]["rows"] == 8

    with (
        two_sides(database, conn, (Wanted("before", None), Wanted("r2", None)), (), 1, lambda told: None) as (
            a,
            b,
            tables,
        ),
        one_moment(conn, (a, b), tables),
    ):
        assert all(TableOfTwo(conn, a, b, *one).compare(1).is_equal for one in tables)
        conn.execute("ALTER TABLE before_sales.fact_payment RENAME COLUMN payment_no TO number")
        with pytest.raises(UsageError, match=r"sales\.fact_payment.*before has no column payment_no"):
            TableOfTwo(conn, a, b, *tables[2])
    catch_up(database)
    assert digests(database)["sales"].tables["fact_payment"].rows == 10


@pytest.mark.parametrize("road", [catch_up, rebuild, lambda database: revert(database, "sales")])
def test_a_calendar_of_other_columns_is_made_anew(
    database: Database, conn: psycopg.Connection, log: Log, road: Callable[[Database], object]
) -> None:
    days = "SELECT count(*), max(date), count(holiday_name) FROM shared.dim_date"
    before = conn.execute(days).fetchone()
    rebuild(database, ["sales"])
    conn.execute("ALTER TABLE shared.dim_date DROP COLUMN is_weekend CASCADE")
    conn.execute("CREATE VIEW mart.days AS SELECT date_key, holiday_name FROM shared.dim_date")
    conn.execute(
        "REVOKE SELECT ON shared.dim_date FROM replayhouse_reader; GRANT SELECT (date) ON shared.dim_date TO PUBLIC"
    )
    rights = conn.execute("SELECT relacl::text FROM pg_class WHERE oid = 'shared.dim_date'::regclass").fetchone()
    road(database)
    assert versions.has_declared_calendar(conn)
    assert conn.execute(days).fetchone() == before
    assert conn.execute("SELECT count(*) FROM mart.days").fetchone() == (before or ())[:1]
    assert (
        conn.execute("SELECT relacl::text FROM pg_class WHERE oid = 'shared.dim_date'::regclass").fetchone() == rights
    )
    assert conn.execute("SELECT to_regnamespace('shared_gone')").fetchone() == (None,)
    conn.execute("CREATE VIEW public.days AS SELECT * FROM shared.dim_date; ALTER TABLE shared.dim_date ADD more int")
    with pytest.raises(Conflicting, match=r"shared\.dim_date.*public\.days|public\.days|days"):
        road(database)
