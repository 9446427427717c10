"""Quality: loads with their files and checks, and the rows that were kept apart (R39)."""

from datetime import UTC, datetime

from sqlalchemy import MetaData, Table

from replayhouse.domain.quality.batch import batch_of
from replayhouse.domain.quality.events import RowDiscarded, RowQuarantined, RowReleased
from replayhouse.domain.quality.row import row_of
from replayhouse.projections.columns import bigint, flag, integer, numeric, position, recorded, text, uuid
from replayhouse.projections.projection import Projection, Rows, Stream, row_maker
from replayhouse.projections.versions import VERSIONS

_QUALITY = MetaData(schema="quality")

BATCH = Table(
    "batch",
    _QUALITY,
    uuid("batch_id", "the load", key=True),
    text("name", "its name"),
    text(
        "status",
        "open, accepted, rejected, completed or retracted",
        words=("open", "accepted", "rejected", "completed", "retracted"),
    ),
    recorded("opened_at", "when it began"),
    recorded("completed_at", "when all of it stood in the log", null=True),
    integer("rows", "records of all its files, quarantined ones too"),
    integer("quarantined", "records that were kept apart"),
    integer("events", "events that it appended, without those of the quality context"),
    numeric("score", "quality score from 0 to 100; null until it was assessed", 5, null=True),
    position(),
    comment="One row for each load",
)

BATCH_FILE = Table(
    "batch_file",
    _QUALITY,
    uuid("batch_id", "the load", key=True, of="quality.batch.batch_id"),
    text("file", "short name of the file", key=True),
    bigint("bytes", "size of the unpacked file"),
    text("sha256", "SHA-256 of the unpacked file, lower-case hexadecimal"),
    bigint("rows", "records, quarantined ones too"),
    position(),
    comment="The files of each load",
)

FACT_CHECK = Table(
    "fact_check",
    _QUALITY,
    uuid("batch_id", "the load", key=True, of="quality.batch.batch_id"),
    text("rule", "name of the rule", key=True),
    text("dimension", "completeness, accuracy, consistency, timeliness, uniqueness or validity"),
    text("severity", "CRITICAL, HIGH, MEDIUM or LOW"),
    bigint("checked", "records that the rule was held against"),
    bigint("failed", "records that broke it"),
    flag("passed", "whether the share of good records reaches the target of the dimension"),
    position(),
    comment="What each rule found in each load",
)

QUARANTINE = Table(
    "quarantine",
    _QUALITY,
    uuid("row_id", "the record, by its file and text", key=True),
    uuid("batch_id", "the load that kept it apart", to="quality.batch.batch_id"),
    text("file", "short name of the file"),
    integer("line", "physical line on which it starts, the header being 1"),
    text("rule", "name of the rule that it broke"),
    text("reason", "what is wrong with it"),
    text("text", "the record as it stands in the file; null once its key was destroyed", null=True, personal=True),
    text("status", "quarantined, released or discarded", words=("quarantined", "released", "discarded")),
    position(),
    comment="Records that were kept apart",
)


_batch_row = row_maker(BATCH)
_file_row = row_maker(BATCH_FILE)
_check_row = row_maker(FACT_CHECK)
_kept_apart_row = row_maker(QUARANTINE)


def fold(stream: Stream) -> Rows:
    """The rows of a load, once opened, or of a record that was kept apart."""
    events = stream.events
    if not events:
        return {}
    if isinstance(events[0], RowQuarantined | RowReleased | RowDiscarded):
        return _quarantine_rows(stream)
    return _batch_rows(stream)


def _batch_rows(stream: Stream) -> Rows:
    batch = batch_of(stream.events)
    if not batch.is_opened:
        return {}
    batch_id, at = stream.stream_id, stream.position
    row = _batch_row(
        batch_id=batch_id,
        name=batch.name,
        status=batch.status,
        opened_at=_utc(batch.opened_at),
        completed_at=_utc(batch.completed_at) if batch.completed_at else None,
        rows=batch.rows,
        quarantined=batch.quarantined,
        events=batch.events,
        score=batch.score,
        position=at,
    )
    return {
        "batch": [row],
        "batch_file": [
            _file_row(
                batch_id=batch_id, file=file.file, bytes=file.bytes, sha256=file.sha256, rows=file.rows, position=at
            )
            for file in batch.files
        ],
        "fact_check": [
            _check_row(
                batch_id=batch_id,
                rule=check.rule,
                dimension=check.dimension,
                severity=check.severity,
                checked=check.checked,
                failed=check.failed,
                passed=check.passed,
                position=at,
            )
            for check in batch.checks
        ],
    }


def _quarantine_rows(stream: Stream) -> Rows:
    row = row_of(stream.events)
    if not row.was_quarantined:
        return {}
    kept_apart = _kept_apart_row(
        row_id=stream.stream_id,
        batch_id=row.batch_id,
        file=row.file,
        line=row.line,
        rule=row.rule,
        reason=row.reason,
        text=row.text,
        status=row.status,
        position=stream.position,
    )
    return {"quarantine": [kept_apart]}


def _utc(time: datetime) -> datetime:
    """Recorded times are UTC; the events hold them without their zone."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


PROJECTION = Projection(
    "quality",
    (BATCH, BATCH_FILE, FACT_CHECK, QUARANTINE),
    fold,
    unknown_members={},
    has_business_time=False,
    version=VERSIONS["quality"].number,
)
