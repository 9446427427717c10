"""`rebuild --into PREFIX`: the warehouse as it was, beside the live one; and how its two kinds of times are read."""

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.cli.output import count, print_json, progress, say, seconds_so_far, shown, table
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.given_texts import read_local_time

if TYPE_CHECKING:
    from replayhouse.infra.read_models.snapshots.time_travel import Limits

AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="TIME", help="What we knew then: recorded time, with its offset from UTC."),
]
ToPosition = Annotated[
    int | None, typer.Option("--to-position", metavar="N", min=0, help="What we knew up to this position of the log.")
]
OccurredBefore = Annotated[
    str | None,
    typer.Option(
        "--occurred-before",
        metavar="TIME",
        help="What had happened before then, by what we know: business time, local to Brazil. "
        "Of a date only, up to the end of that day.",
    ),
]
Into = Annotated[
    str | None,
    typer.Option(
        "--into",
        metavar="PREFIX",
        help="Leave the live tables alone, and make the schemas PREFIX_sales, ..., PREFIX_shared, PREFIX_mart instead. "
        "What stood there is replaced.",
    ),
]


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


def limits_of(as_of: str | None, to_position: int | None, occurred_before: str | None, into: str | None) -> "Limits":
    """The limits of a rebuild. Raises UsageError for times that are none, and for limits without `--into`."""
    from replayhouse.infra.read_models.snapshots.time_travel import Limits

    limits = Limits(
        to_position,
        None if as_of is None else read_recorded_time(as_of),
        None if occurred_before is None else read_business_time(occurred_before),
    )
    if limits and into is None:
        raise UsageError(
            "A rebuild with a limit never replaces the live tables: say with --into PREFIX under which schemas its "
            "result is to stand."
        )
    return limits


def rebuild_beside(contexts: tuple[str, ...], prefix: str, limits: "Limits", workers: int | None, json: bool) -> None:
    """Makes the schemas of a prefix, and tells what came of them."""
    from replayhouse.infra.cli.warehouse import open_warehouse
    from replayhouse.infra.read_models.snapshots.time_travel import rebuild_into

    with open_warehouse() as warehouse, progress() as tell:
        tell("folding every stream as far as the limits go", 0, 0)
        found = rebuild_into(warehouse.database, prefix, contexts, limits, workers or warehouse.settings.workers)
    if json:
        documents = {context: rebuilt.as_json() for context, rebuilt in found.items()}
        print_json({"contexts": documents, "seconds": seconds_so_far()})
        return
    table(
        ("table", "rows", "digest"),
        [
            (f"{prefix}_{context}.{name}", digest.rows, digest.hex)
            for context, rebuilt in found.items()
            for name, digest in rebuilt.tables.items()
        ],
    )
    say()
    events = sum(rebuilt.events for rebuilt in found.values())
    position = max(rebuilt.position for rebuilt in found.values())
    say(f"{count(events, 'event')} read in {seconds_so_far():.1f} s; shown is the log up to position {position:,}.")
    if limits.occurred_before is not None:
        say(f"Of that, what had happened {_told(limits.occurred_before)}, local time of Brazil.")
    say(f"replayhouse audit compare {prefix} live tells what differs, revisions drop {prefix} removes it.")


def _told(before: datetime) -> str:
    return f"by the end of {before.date()}" if before.time() == time.max else f"before {shown(before)}"
