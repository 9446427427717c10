"""A rebuild on columns: what it shows of many streams, how it tells of one that is bad, and how it is turned off."""

from datetime import datetime

import psycopg
import pytest

from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.columns import batch
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.read_models.digests import digests
from replayhouse.infra.read_models.folding import Unfoldable
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.snapshots.limits import Limits
from replayhouse.infra.read_models.snapshots.time_travel import rebuild_into
from replayhouse.infra.runtime import column_folds
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.projections.digest import Digest
from tests.support.read_side import Log, a_header, a_line, a_payment, an_id

ORDERS = 40


def many_orders(conn: psycopg.Connection, *, bad: bool = False) -> None:
    """Orders of one shape; one of them may have a price that no column of the table holds."""
    log = Log(conn)
    for number in range(ORDERS):
        is_bad = bad and number == 17
        line = a_line(
            1, price="9999999999.99" if is_bad else f"{number}.50", freight="9999999999.99" if is_bad else "1.00"
        )
        log.append("sales", an_id(number), observe(NEW_ORDER, an_id(9), a_header("approved"), [line], [a_payment()]))


def made(database: Database, columns: str, limits: Limits, monkeypatch: pytest.MonkeyPatch) -> dict[str, Digest]:
    monkeypatch.setenv(column_folds.VARIABLE, columns)
    return rebuild_into(database, f"with_columns_{columns}", ["sales"], limits, workers=1)["sales"].tables


def test_rows_are_the_same_with_columns_and_without_also_of_earlier_moments(
    database: Database, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_orders(conn)
    for limits in (Limits(), Limits(position=100), Limits(occurred_before=datetime(2018, 1, 8, 12))):
        assert made(database, "on", limits, monkeypatch) == made(database, "off", limits, monkeypatch)


def test_one_bad_stream_among_many_of_its_shape_is_named(database: Database, conn: psycopg.Connection) -> None:
    catch_up(database)
    many_orders(conn, bad=True)
    before = digests(database)

    with pytest.raises(Unfoldable, match=f"{an_id(17)}.*cannot hold 19999999999.98") as error:
        rebuild(database, workers=1)

    assert digests(database) == before
    assert str(error.value).endswith("The live read model stays as it was.")


def test_columns_are_turned_off_by_a_setting_that_must_make_sense(
    database: Database, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    many_orders(conn)
    held: list[str] = []

    def groups(_: batch.Batch) -> tuple[()]:
        held.append("on")
        return ()

    monkeypatch.setattr(batch.Batch, "groups", groups)
    for said in ("off", "on", ""):
        monkeypatch.setenv(column_folds.VARIABLE, said)
        rebuild(database, ["sales"], workers=1)
    assert held == ["on", "on"]

    monkeypatch.setenv(column_folds.VARIABLE, "maybe")
    with pytest.raises(UsageError, match="REPLAYHOUSE_COLUMNS makes no sense: it is on or off"):
        rebuild(database, ["sales"], workers=1)
