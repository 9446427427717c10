"""`project`, `rebuild` and `digest`: the read models, how far they are, and how they are made anew."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.cli.options import Contexts, Json, MetricsPort, Workers, example
from replayhouse.infra.cli.output import print_json, say, seconds_so_far, table, warn
from replayhouse.infra.cli.time_travel import (
    AsOf,
    Into,
    OccurredBefore,
    SourceOption,
    ToPosition,
    rebuild_beside,
    refuse_limits,
)
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.signals import told_to_end
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.domain.contexts import Context
    from replayhouse.infra.application.digest_in import ContextThere, DigestInReport
    from replayhouse.infra.application.rebuild import RebuildReport
    from replayhouse.infra.read_models.digests import ContextDigest
    from replayhouse.infra.read_models.rebuild.workers import Rebuilt

RetryParked = Annotated[
    bool, typer.Option("--retry-parked", help="Try the streams again that could not be folded the last time.")
]
Follow = Annotated[bool, typer.Option("--follow", help="Stay, and follow the log until the command is ended.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; replayhouse revisions shows it.")]
In = Annotated[
    str | None,
    typer.Option(
        "--in",
        metavar="DIR",
        help="Recompute them in the folder of an export or a replay, or in clickhouse; no database is needed.",
    ),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="clickhouse", help="Not in PostgreSQL, but in the ClickHouse that is set."),
]
WithholdPersonal = Annotated[
    bool, typer.Option("--withhold-personal", help="With --to: without the personal fields, now and later.")
]


RowsOption = Annotated[
    Path | None,
    typer.Option("--rows", metavar="DIR", help="Take the rows that replay wrote to this folder, instead of folding."),
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(
        epilog=example(
            "replayhouse project",
            "replayhouse project sales customer",
            "replayhouse project --follow",
            "replayhouse project --to clickhouse",
        )
    )(project)
    app.command(
        epilog=example(
            "replayhouse rebuild",
            "replayhouse rebuild sales --workers 4 --json",
            "replayhouse rebuild --as-of 2026-03-01T12:00-03:00 --into march",
            "replayhouse rebuild --occurred-before 2018-03-31 --into spring",
            "replayhouse rebuild --to clickhouse",
            "replayhouse rebuild --rows rows",
        )
    )(rebuild)
    app.command(
        epilog=example("replayhouse digest", "replayhouse digest sales --json", "replayhouse digest --in reports")
    )(digest)


def project(
    contexts: Contexts = None,
    follow: Follow = False,
    retry_parked: RetryParked = False,
    to: To = None,
    metrics_port: MetricsPort = None,
    json: Json = False,
) -> None:
    """Catch the read models up with the log.

    The streams that new events touched are folded again, and the rows that differ are written. A stream that cannot be
    folded is parked and the others go on; status names it. With --follow the command stays and does so whenever
    something is appended, until it is ended with Ctrl-C or SIGTERM. Any number of them may run: a context is followed
    by one of them, and when that one dies by another. With --to it is the tables in ClickHouse that catch up, in the
    same way, and not those in PostgreSQL; REPLAYHOUSE_CLICKHOUSE_URL names it.
    """
    if follow:
        _follow(contexts, retry_parked, to, metrics_port, json)
        return
    from replayhouse.infra.cli.warehouse import named_warehouse, refuse_metrics_port

    refuse_metrics_port(metrics_port)
    with named_warehouse() as warehouse:
        if to is None:
            report = warehouse.project(contexts, retry_parked=retry_parked)
        else:
            report = warehouse.project_to(to, contexts, retry_parked=retry_parked)
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
        return
    rows = [(context, *told) for context, told in report.contexts.items()]
    table(("context", "events", "projected", "parked"), rows)
    if to is None and any(told.parked for told in report.contexts.values()):
        say("Parked streams could not be folded: replayhouse status says why, project --retry-parked tries again.")


def _follow(
    contexts: "list[Context] | None", retry_parked: bool, to: str | None, metrics_port: int | None, json: bool
) -> None:
    from replayhouse.infra.cli.warehouse import followed_warehouse

    stop = told_to_end()
    with followed_warehouse(metrics_port) as warehouse:
        if to is None:
            report = warehouse.follow(contexts, stop, retry_parked=retry_parked, news=warn)
        else:
            report = warehouse.follow_to(to, contexts, stop, retry_parked=retry_parked, news=warn)
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
    else:
        table(("context", "events"), report.events.items())
    for error in report.stopped.values():
        raise error


def rebuild(
    contexts: Contexts = None,
    workers: Workers = None,
    as_of: AsOf = None,
    to_position: ToPosition = None,
    occurred_before: OccurredBefore = None,
    source: SourceOption = None,
    into: Into = None,
    rows: RowsOption = None,
    reason: Reason = None,
    to: To = None,
    withhold_personal: WithholdPersonal = False,
    json: Json = False,
) -> None:
    """Fold everything again and swap it in; or, with --into, fold it as far as limits go, beside the live tables.

    The next revision is made beside the live one. Readers see the old tables or the new ones, never a mixture. The
    same log gives the same digests, whatever the number of processes; digest prints those of the live tables, to
    compare. It says where the live rows were not what the log makes. Limits may be combined: the position counts
    first, business time last. With --rows nothing is folded but what came since: the rows that replay has written are
    checked, and taken in. With --to it is the tables in ClickHouse that are made anew and swapped in, after what
    stands there was held against what was sent.
    """
    if to is not None:
        others = (as_of, to_position, occurred_before, source, into, rows, reason)
        _rebuild_to(to, contexts, workers, withhold_personal, json, others)
        return
    if withhold_personal:
        raise UsageError("The live tables are never without the personal fields: --withhold-personal goes with --to.")
    if into is not None:
        if rows is not None:
            raise UsageError("The rows of --rows become live ones: leave --into out.")
        rebuild_beside(contexts, into, as_of, to_position, occurred_before, source, workers, json)
        return
    from replayhouse.infra.cli.warehouse import named_warehouse

    refuse_limits(as_of, to_position, occurred_before, source)
    with named_warehouse() as warehouse:
        if rows is not None:
            report = warehouse.rebuild_rows(rows, contexts, workers=workers, reason=reason)
        else:
            report = warehouse.rebuild(contexts, workers=workers, reason=reason)
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
        return
    _show_rebuilt(report, "folded" if rows is None else f"taken from {rows}, and followed to the head of the log,")


def _rebuild_to(
    to: str,
    contexts: "list[Context] | None",
    workers: int | None,
    withhold_personal: bool,
    json: bool,
    others: Sequence[object],
) -> None:
    from replayhouse.infra.cli.warehouse import named_warehouse

    if any(other is not None for other in others):
        raise UsageError("With --to go --workers and --withhold-personal alone: all of the log is shown there.")
    with named_warehouse() as warehouse:
        report = warehouse.rebuild_to(to, contexts, workers=workers, withhold_personal=withhold_personal)
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
        return
    _show_tables(report.contexts)
    say()
    say(f"{count(report.events, 'event')} folded into {to} in {seconds_so_far():.1f} s.")


def _show_rebuilt(report: "RebuildReport", done: str) -> None:
    _show_tables(report.contexts)
    say()
    say(f"{count(report.events, 'event')} {done} in {seconds_so_far():.1f} s; the new revisions are live.")
    differed = [f"{context}.{name}" for context, rebuilt in report.contexts.items() for name in rebuilt.differed or ()]
    if differed:
        say(f"The live rows differed from what the log makes: {count(len(differed), 'table')} ({', '.join(differed)}).")
        say("They were changed by something else than events. What stands now is what the log makes; the rows that")
        say("stood are kept for a while, and replayhouse revisions and audit compare show them.")


def digest(contexts: Contexts = None, place: In = None, json: Json = False) -> None:
    """Print digest and number of rows of each table.

    The digest does not depend on the order of the rows nor on how they came there: the same log gives the same one.
    With --in it is recomputed from files, and held against what their manifest says: exit 1 where a table differs. Or
    by ClickHouse, of what it shows: it is equal to the live one where both have come to the same position.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        if place is not None:
            _show_recomputed(warehouse.digest_in(place, contexts), place, json)
            return
        report = warehouse.digest(contexts)
    if json:
        print_json(report.document())
        return
    _show_tables(report.contexts)


def _show_recomputed(report: "DigestInReport", place: str, json: bool) -> None:
    if json:
        print_json(report.document())
    else:
        _show_tables(report.contexts)
        say()
        chain = "which lies within a commit" if report.chain is None else f"chain {report.chain}"
        say(f"The log is shown up to position {report.position:,}, {chain}")
    if not report.is_equal:
        warn(f"Not what the manifest of {place} says: {', '.join(report.differing)}. Make it anew.")
        raise typer.Exit(1)


def _show_tables(
    contexts: "Mapping[str, ContextDigest] | Mapping[str, ContextThere] | Mapping[str, Rebuilt]",
) -> None:
    table(
        ("table", "revision", "position", "rows", "digest"),
        [
            (f"{context}.{name}", of_context.revision, of_context.position, digest.rows, digest.hex)
            for context, of_context in contexts.items()
            for name, digest in of_context.tables.items()
        ],
    )
