"""Every metric that the program gives, by its name: there is one list, and docs/metrics.md shows it.

Names follow Prometheus' conventions, those of requests over HTTP OpenTelemetry's: the unit is in the name, counters end
in `_total`. No id, name of a person or path is a label; what a label may be is known beforehand.
"""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """How a metric goes: up and down, up only, or as a distribution."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


class Metric(NamedTuple):
    """A metric: its whole name, its kind, the names of its labels, and what it says.

    `buckets` are the upper bounds of a histogram's, but for the last one, which has none.
    """

    name: str
    kind: Kind
    labels: tuple[str, ...]
    meaning: str
    buckets: tuple[float, ...] = ()


class Reading(NamedTuple):
    """A value of a gauge or a counter, with the values of its labels in the order of their names."""

    metric: Metric
    labels: tuple[str, ...]
    value: float


def _gauge(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(f"replayhouse_{name}", Kind.GAUGE, labels, meaning)


def _counter(name: str, meaning: str, *labels: str) -> Metric:
    return Metric(f"replayhouse_{name}", Kind.COUNTER, labels, meaning)


BUILD_INFO = _gauge("build_info", "1, with the version of the program and of Python.", "version", "python")
DATABASE_UP = _gauge(
    "database_up", "1 if the database told all that is asked of it; 0, and what it knows is left out, if not."
)
LOG_POSITION = _gauge("log_position_events", "Events in the log.")
EVENTS_APPENDED = _counter("events_appended_total", "Events of a context in the log.", "context")
PROJECTION_LAG = _gauge(
    "projection_lag_events", "Events of a context that its read model does not show yet.", "context"
)
PROJECTION_LAG_SECONDS = _gauge(
    "projection_lag_seconds",
    "Age of the oldest event that it does not show yet; 0 if it shows all.",
    "context",
)
PROJECTION_PROGRESS = _gauge(
    "projection_progress_timestamp_seconds", "When it last came further, or had nothing to do.", "context"
)
PARKED_STREAMS = _gauge("parked_streams", "Streams of a context that could not be folded.", "context")
LAST_LOAD = _gauge("last_load_timestamp_seconds", "When the newest load was completed that was not taken back.")
LOAD_QUALITY = _gauge("load_quality_score_ratio", "Score of that load, from 0 to 1.")
OPEN_LOADS = _gauge("open_loads", "Loads and retractions that are at work, or were not finished.")
LOG_VERIFIED = _gauge("log_verification_timestamp_seconds", "When the log was verified last.")
LOG_HELD = _gauge("log_verification_success", "1 if the log held then, else 0.")
RELAY_LAG = _gauge("relay_lag_events", "Events that a relay has not published yet.", "relay")
RELAY_LAG_SECONDS = _gauge("relay_lag_seconds", "Age of the oldest event that a relay has not published yet.", "relay")
RELAY_IS_SILENT = _gauge("relay_is_silent", "1 if a relay that is at work has long said nothing, else 0.", "relay")
CLICKHOUSE_UP = _gauge("clickhouse_up", "1 if the ClickHouse that is set up answers, else 0.")
CLICKHOUSE_LAG = _gauge("clickhouse_lag_events", "Events of a context that ClickHouse does not show yet.", "context")
STALE_COPIES = _gauge(
    "stale_copies", "Copies outside of the database in clear that may show a person who was erased since."
)
LAST_BACKUP = _gauge("last_backup_timestamp_seconds", "When the newest backup of this database was made.")
LAST_DRILL = _gauge("last_restore_drill_timestamp_seconds", "When a backup was last restored for trial.")
DRILL_SUCCEEDED = _gauge("last_restore_drill_success", "1 if that gave the warehouse of the backup, else 0.")
PERSONAL_READS = _counter(
    "personal_data_reads_total", "Readings of personal fields in clear that the access log has.", "role", "resource"
)
COMMAND_END = _gauge("command_last_end_timestamp_seconds", "When a command ended last.", "command")
COMMAND_EXIT_CODE = _gauge("command_last_exit_code", "With which exit code it did; 0: all was done.", "command")
COMMAND_SECONDS = _gauge("command_last_duration_seconds", "How long it took.", "command")
ANSWERS = _counter("answers_total", "Answers that this process found kept, or computed.", "source")
QUESTION_SECONDS = Metric(
    "replayhouse_question_duration_seconds",
    Kind.HISTOGRAM,
    ("question",),
    "Seconds that this process took to compute an answer.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)
REQUEST_SECONDS = Metric(
    "http_server_request_duration_seconds",
    Kind.HISTOGRAM,
    ("http_request_method", "http_route", "http_response_status_code"),
    "Seconds from a request to the end of its answer.",
    (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0),
)

METRICS: tuple[Metric, ...] = (
    BUILD_INFO,
    DATABASE_UP,
    LOG_POSITION,
    EVENTS_APPENDED,
    PROJECTION_LAG,
    PROJECTION_LAG_SECONDS,
    PROJECTION_PROGRESS,
    PARKED_STREAMS,
    LAST_LOAD,
    LOAD_QUALITY,
    OPEN_LOADS,
    LOG_VERIFIED,
    LOG_HELD,
    RELAY_LAG,
    RELAY_LAG_SECONDS,
    RELAY_IS_SILENT,
    CLICKHOUSE_UP,
    CLICKHOUSE_LAG,
    STALE_COPIES,
    LAST_BACKUP,
    LAST_DRILL,
    DRILL_SUCCEEDED,
    PERSONAL_READS,
    COMMAND_END,
    COMMAND_EXIT_CODE,
    COMMAND_SECONDS,
    ANSWERS,
    QUESTION_SECONDS,
    REQUEST_SECONDS,
)
"""All of them, in the order in which they are told."""
