"""Given what happened to a load or to a row kept apart, when folded, then these are its rows."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.quality.events import (
    BatchAccepted,
    BatchAssessed,
    BatchCompleted,
    BatchOpened,
    BatchRetracted,
    CheckResult,
    ContextCount,
    ExtractFile,
    RowQuarantined,
    RowReleased,
)
from replayhouse.projections.projection import Rows, Stream
from replayhouse.projections.quality import fold
from tests.support.read_side import an_id

LOAD = an_id(3)
NOW = datetime(2026, 3, 1, 12, 0, 0, 250_000)
DONE = NOW + timedelta(seconds=3)

OPENED = BatchOpened(
    NOW, NOW, "march", (ExtractFile("orders", 900, "ab" * 32, 12), ExtractFile("sellers", 90, "cd", 3))
)
ASSESSED = BatchAssessed(NOW, (CheckResult("unique", "uniqueness", "HIGH", 12, 1, passed=False),), Decimal("91.67"))


def folded(*events: DomainEvent) -> Rows:
    return fold(Stream(LOAD, 8, events))


def test_a_load_with_its_files_and_checks() -> None:
    completed = BatchCompleted(DONE, DONE, (), (ContextCount("sales", 40), ContextCount("quality", 4)))
    rows = folded(OPENED, ASSESSED, BatchAccepted(NOW, 15, 1), completed)
    now, done = NOW.replace(tzinfo=UTC), DONE.replace(tzinfo=UTC)
    assert rows["batch"] == [(LOAD, "march", "completed", now, done, 15, 1, 40, Decimal("91.67"), 8)]
    assert rows["batch_file"] == [(LOAD, "orders", 900, "ab" * 32, 12, 8), (LOAD, "sellers", 90, "cd", 3, 8)]
    assert rows["fact_check"] == [(LOAD, "unique", "uniqueness", "HIGH", 12, 1, False, 8)]


def test_a_load_that_is_under_way_has_no_score_yet() -> None:
    [row] = folded(OPENED)["batch"]
    assert row[2:9] == ("open", NOW.replace(tzinfo=UTC), None, 15, 0, 0, None)


def test_a_load_that_was_taken_back_stays_in_the_list() -> None:
    [row] = folded(OPENED, BatchRetracted(DONE, "wrong file", "ana", ()))["batch"]
    assert row[2] == "retracted"


def test_a_row_kept_apart_and_let_in_later() -> None:
    kept = RowQuarantined(NOW, LOAD, "orders", 7, "readable", "placed_at is no time", "a;b")
    rows = fold(Stream(an_id(4), 8, [kept, RowReleased(DONE, "ana", "checked", None)]))
    told = ("orders", 7, "readable", "placed_at is no time", "a;b", "released")
    assert rows == {"quarantine": [(an_id(4), LOAD, *told, 8)]}
