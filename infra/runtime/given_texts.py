"""Reasons and times that people give as text, and how they are read; ids are read in short_ids."""

from datetime import UTC, datetime, time

from replayhouse.infra.runtime.errors import UsageError


def read_reason(text: str) -> str:
    """Why somebody decides something, in a word at least. Raises UsageError."""
    if not text.strip():
        raise UsageError("--reason is empty: say why, for those who will ask later.")
    return recordable(text).strip()


def recordable(reason: str) -> str:
    """The reason, if it is text that can be recorded: in UTF-8, and without NUL. Raises UsageError."""
    try:
        reason.encode()
    except UnicodeEncodeError as error:
        raise UsageError("The reason given with --reason is not text in UTF-8.") from error
    if "\0" in reason:
        raise UsageError("The reason given with --reason holds a NUL character, which no text in the database can.")
    return reason


def read_local_time(text: str) -> datetime:
    """A local time; of a date only, the end of that day (R41). Raises UsageError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        raise UsageError(f"'{text}' is not a date: write 2018-03-31, or 2018-03-31T12:00:00 for a time of that day.")
    return datetime.combine(at, time.max) if len(text) <= len("2018-03-31") else at


def read_recorded_time(text: str) -> datetime:
    """A recorded time, which is written with an offset; in UTC. Raises UsageError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None:
        raise UsageError(f"'{text}' is not a time: write 2026-03-01T12:00-03:00, or 2026-03-01T15:00Z.")
    if at.tzinfo is None:
        raise UsageError(
            f"'{text}' has no offset: recorded time is the same everywhere, so say from where it is told, as in "
            f"{at:%Y-%m-%dT%H:%M}-03:00 (Brasilia) or {at:%Y-%m-%dT%H:%M}Z (UTC)."
        )
    try:
        return at.astimezone(UTC)
    except OverflowError:  # the first and the last hours of all, told from another place
        raise UsageError(f"'{text}' lies outside the years 1 to 9999 in UTC.") from None


def read_business_time(text: str) -> datetime:
    """A business time, which has no offset; of a date only, the end of that day (R41). Raises UsageError."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is not None and at.tzinfo is not None:
        raise UsageError(
            f"'{text}' has an offset, and business time has none: it is local to Brazil, as in the extracts. Write "
            f"{at:%Y-%m-%dT%H:%M}, or use --as-of for the time when something was recorded."
        )
    return read_local_time(text)
