"""Tables and rows that another version of the program has made are recognised on every road, and filled anew."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest
from sqlalchemy import MetaData

from domain.sales.order import NEW_ORDER, observe
from infra.errors import UsageError
from infra.postgres.connection import Database
from infra.postgres.read_models import loading, revisions, versions
from infra.postgres.read_models.digests import digests
from infra.postgres.read_models.live import catch_up
from infra.postgres.read_models.rebuild import rebuild
from infra.postgres.read_models.reverting import revert
from infra.postgres.read_models.status import status
from infra.postgres.read_models.versions import OtherVersion, standing_shapes
from projections.columns import flag
from projections.fingerprint import shapes_of
from projections.projection import Projection, Rows, Stream
from projections.warehouse import PROJECTIONS
from tests.read_side import Log, a_header, a_line, a_payment, an_id

PLACED = observe(NEW_ORDER, None, a_header("delivered"), [a_line()], [a_payment()])


def _with_a_column_more(sales: Projection) -> Projection:
    """Sales as a later version of the program may declare it: each payment says whether it came in installments."""
    payments = sales.tables[2].to_metadata(MetaData())
    columns = [column.copy() for column in payments.columns]
    columns.insert(-1, flag("is_in_installments", "whether it came in installments"))
    later = type(payments)(payments.name, MetaData(schema="sales"), *columns, comment=payments.comment)

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
        loading.model_of.cache_clear()

    yield put
    loading.model_of.cache_clear()


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
        (1, "kept", 1, None),
        (2, "live", 2, versions.REASON),
    ]
    assert versions.is_current(conn, "sales")
    live = digests(database)["sales"].tables
    assert rebuild(database, ["sales"], keep=3)["sales"].tables == live
    with pytest.raises(UsageError, match="other columns"):
        revert(database, "sales", to=1)
    rebuild(database, ["sales"], keep=0)
    assert conn.execute("SELECT count(*) FROM pg_namespace WHERE nspname ~ '_r[0-9]+$'").fetchone() == (0,)
