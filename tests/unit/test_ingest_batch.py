"""What a load tells of itself: opening, the rows it keeps apart, completion; also when it is told twice."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from replayhouse.domain.quality.batch import Batch, batch_of
from replayhouse.domain.quality.events import CheckResult, ContextCount, ExtractFile, FileCount
from replayhouse.domain.quality.row import BadRecord, row_of, row_stream_id
from replayhouse.ingest import batch as use_case
from replayhouse.ingest.batch import Assessed, batch_id_of, evaluation_date, keep_apart, tell_completion, tell_opening
from tests.support.fakes.load_log import MemoryLoadLog, MemoryLog

LOAD, LATER_LOAD = UUID(int=1), UUID(int=2)
NOW = datetime(2026, 3, 1, 12)
LATER = NOW + timedelta(hours=1)
FILES = (ExtractFile("orders", 900, "ab", 7), ExtractFile("sellers", 90, "cd", 2))
COUNTS = (FileCount("orders", 4, 1, 1, 1), FileCount("sellers", 2, 0, 0, 0))
CHECKS = (CheckResult("values_readable", "validity", "HIGH", 9, 1, False),)


def assessed(*reasons: str) -> Assessed:
    return Assessed(FILES, COUNTS, CHECKS, Decimal("97.50"), reasons)


@pytest.fixture
def log() -> MemoryLog:
    return MemoryLog()


def opened(log: MemoryLog, batch_id: UUID = LOAD) -> MemoryLoadLog:
    return log.open_load(batch_id, date(2018, 3, 5))


def batch_in(log: MemoryLog, batch_id: UUID = LOAD) -> Batch:
    return batch_of(log.events("quality", batch_id))


def told(log: MemoryLog) -> list[str]:
    return [type(one.event).__name__ for one in log.recorded]


def bad(line: int = 5, text: str = "x,y", file: str = "orders") -> BadRecord:
    return BadRecord(LOAD, file, line, "values_readable", "y is no status", text)


# --- opening ----------------------------------------------------------------------------------------------------


def test_a_believable_extract_is_opened_assessed_and_accepted(log: MemoryLog) -> None:
    assert tell_opening(opened(log), LOAD, "monday", assessed(), NOW)
    assert told(log) == ["BatchOpened", "BatchAssessed", "BatchAccepted"]
    batch = batch_in(log)
    assert (batch.status, batch.name, batch.rows, batch.quarantined) == ("accepted", "monday", 9, 1)
    assert (batch.score, batch.checks, batch.files) == (Decimal("97.50"), CHECKS, FILES)


def test_an_extract_that_is_not_believable_is_rejected_for_all_its_reasons(log: MemoryLog) -> None:
    assert not tell_opening(opened(log), LOAD, "monday", assessed("orders is missing", "sellers is cut off"), NOW)
    assert told(log) == ["BatchOpened", "BatchAssessed", "BatchRejected"]
    assert batch_in(log).reasons == ("orders is missing", "sellers is cut off")


def test_a_load_that_goes_on_does_not_tell_its_opening_again(log: MemoryLog) -> None:
    tell_opening(opened(log), LOAD, "monday", assessed(), NOW)
    assert tell_opening(opened(log), LOAD, "monday", assessed(), LATER)
    assert len(log.recorded) == 3


def test_a_load_killed_after_its_rejection_is_rejected_still(log: MemoryLog) -> None:
    tell_opening(opened(log), LOAD, "monday", assessed("orders is missing"), NOW)
    assert not tell_opening(opened(log), LOAD, "monday", assessed("orders is missing"), LATER)
    assert len(log.recorded) == 3


def test_what_a_load_tells_of_itself_is_caused_by_no_line(log: MemoryLog) -> None:
    tell_opening(opened(log), LOAD, "monday", assessed(), NOW)
    assert {one.source for one in log.recorded} == {None}
    assert {one.stream_id for one in log.recorded} == {LOAD}


# --- rows kept apart --------------------------------------------------------------------------------------------


def test_a_bad_record_is_kept_apart_with_its_line_and_its_text(log: MemoryLog) -> None:
    keep_apart(opened(log), LOAD, [bad()], NOW)
    (one,) = log.recorded
    assert (one.stream_id, one.source) == (row_stream_id("orders", "x,y"), "orders:5")
    row = row_of([one.event])
    assert (row.status, row.line, row.text, row.rule) == ("quarantined", 5, "x,y", "values_readable")


def test_the_same_text_is_kept_apart_once_under_its_first_line(log: MemoryLog) -> None:
    keep_apart(opened(log), LOAD, [bad(5), bad(9), bad(7, "other")], NOW)
    assert sorted(str(one.source) for one in log.recorded) == ["orders:5", "orders:7"]


def test_the_same_text_in_another_file_is_another_row(log: MemoryLog) -> None:
    keep_apart(opened(log), LOAD, [bad(), bad(file="sellers")], NOW)
    assert len(log.streams) == 2


def test_a_record_that_a_later_load_shows_again_is_no_second_event(log: MemoryLog) -> None:
    keep_apart(opened(log), LOAD, [bad()], NOW)
    keep_apart(opened(log, LATER_LOAD), LATER_LOAD, [bad(20)._replace(batch_id=LATER_LOAD), bad(21, "new")], LATER)
    assert [one.source for one in log.recorded] == ["orders:5", "orders:21"]


def test_rows_are_looked_up_and_appended_some_at_a_time(log: MemoryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(use_case, "ROWS_AT_ONCE", 2)
    keep_apart(opened(log), LOAD, [bad(line, text) for line, text in ((2, "a"), (3, "b"), (4, "a"), (5, "c"))], NOW)
    assert sorted(str(one.source) for one in log.recorded) == ["orders:2", "orders:3", "orders:5"]


def test_a_load_without_bad_records_keeps_nothing_apart(log: MemoryLog) -> None:
    keep_apart(opened(log), LOAD, [], NOW)
    assert log.recorded == []


# --- completion -------------------------------------------------------------------------------------------------


def test_a_completed_load_tells_its_counts_and_counts_its_completion_in(log: MemoryLog) -> None:
    tell_opening(opened(log), LOAD, "monday", assessed(), NOW)
    tell_completion(opened(log), LOAD, COUNTS, {"sales": 20, "quality": 3}, LATER)
    batch = batch_in(log)
    assert (batch.status, batch.completed_at, batch.file_counts) == ("completed", LATER, COUNTS)
    assert batch.appended == (ContextCount("sales", 20), ContextCount("quality", 4))
    assert batch.events == 20


def test_a_load_killed_after_its_completion_tells_nothing_more(log: MemoryLog) -> None:
    """Its events have been counted with the completion by then."""
    tell_opening(opened(log), LOAD, "monday", assessed(), NOW)
    tell_completion(opened(log), LOAD, COUNTS, {"quality": 3}, NOW)
    assert tell_opening(opened(log), LOAD, "monday", assessed(), LATER)
    tell_completion(opened(log), LOAD, COUNTS, {"quality": 4}, LATER)
    assert len(log.recorded) == 4
    assert batch_in(log).completed_at == NOW


# --- identity and dates -----------------------------------------------------------------------------------------


def test_the_same_files_make_the_same_batch_in_whatever_order_they_are_named() -> None:
    assert batch_id_of({"orders": "ab", "sellers": "cd"}, 0) == batch_id_of({"sellers": "cd", "orders": "ab"}, 0)


@pytest.mark.parametrize(
    ("files", "attempt"),
    [({"orders": "ab"}, 0), ({"orders": "ab", "sellers": "ce"}, 0), ({"orders": "ab", "sellers": "cd"}, 1)],
)
def test_other_files_or_another_attempt_make_another_batch(files: dict[str, str], attempt: int) -> None:
    assert batch_id_of(files, attempt) != batch_id_of({"orders": "ab", "sellers": "cd"}, 0)


def test_segments_are_evaluated_as_of_the_date_of_the_latest_order() -> None:
    assert evaluation_date(datetime(2018, 3, 5, 23, 59, 59)) == date(2018, 3, 5)
    assert evaluation_date(None) is None
