"""Reasons and times that people give as text, and how they are read; ids are read in short_ids."""

from datetime import datetime, time

from replayhouse.infra.runtime.errors import UsageError


def read_reason(text: str) -> str:
    """Why somebody decides something, in a word at least. Raises UsageError."""
    if not text.strip():
        raise UsageError("--reason is empty: say why, for those who will ask later.")
    return text.strip()


def read_local_time(text: str) -> datetime:
    """A local time; of a date only, the end of that day (R41). Raises UsageError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        raise UsageError(f"'{text}' is not a date: write 2018-03-31, or 2018-03-31T12:00:00 for a time of that day.")
    return datetime.combine(at, time.max) if len(text) <= len("2018-03-31") else at
