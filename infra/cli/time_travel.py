"""`rebuild --into PREFIX`: the warehouse as it was, beside the live one."""

from datetime import datetime, time
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.cli.output import print_json, say, seconds_so_far, shown, table
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.domain.contexts import Context
    from replayhouse.infra.application.rebuild_into import RebuildIntoReport

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
SourceOption = Annotated[
    str | None,
    typer.Option(
        "--source", metavar="NAME", help="Of what the loads of this source brought alone; olist is the nine files'."
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


def refuse_limits(as_of: str | None, to_position: int | None, occurred_before: str | None, source: str | None) -> None:
    """Raises UsageError for times that are none, and for limits: there are none without `--into`."""
    from replayhouse.infra.application.rebuild_into import limits_of

    if limits_of(as_of, to_position, occurred_before) or source is not None:
        raise UsageError(
            "A rebuild with a limit never replaces the live tables: say with --into PREFIX under which schemas its "
            "result is to stand."
        )


def rebuild_beside(
    contexts: "list[Context] | None",
    prefix: str,
    as_of: str | None,
    to_position: int | None,
    occurred_before: str | None,
    source: str | None,
    workers: int | None,
    json: bool,
) -> None:
    """Makes the schemas of a prefix, and tells what came of them."""
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        report = warehouse.rebuild_into(
            prefix,
            contexts,
            as_of=as_of,
            to_position=to_position,
            occurred_before=occurred_before,
            source=source,
            workers=workers,
        )
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
        return
    _show(report)


def _show(report: "RebuildIntoReport") -> None:
    table(
        ("table", "rows", "digest"),
        [
            (f"{report.prefix}_{context}.{name}", digest.rows, digest.hex)
            for context, rebuilt in report.contexts.items()
            for name, digest in rebuilt.tables.items()
        ],
    )
    say()
    events, position, before = report.events, report.position, report.limits.occurred_before
    say(f"{count(events, 'event')} shown, in {seconds_so_far():.1f} s; that is the log up to position {position:,}.")
    if report.limits.source is not None:
        say(f"Of that, what the loads of {report.limits.source} brought.")
    if before is not None:
        say(f"Of that, what had happened {_told(before)}, local time of Brazil.")
    say(
        f"replayhouse audit compare {report.prefix} live tells what differs, revisions drop {report.prefix} removes it."
    )


def _told(before: datetime) -> str:
    return f"by the end of {before.date()}" if before.time() == time.max else f"before {shown(before)}"
