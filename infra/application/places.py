"""Where read models are kept beside PostgreSQL."""

from replayhouse.infra.runtime.errors import UsageError

CLICKHOUSE = "clickhouse"
"""The word for it; REPLAYHOUSE_CLICKHOUSE_URL says where that is."""


def refuse_other_places(to: str) -> None:
    """Raises UsageError for a place where no read models are kept."""
    if to != CLICKHOUSE:
        raise UsageError(f"Read models are kept in PostgreSQL and, with --to {CLICKHOUSE}, there; not in '{to}'.")
