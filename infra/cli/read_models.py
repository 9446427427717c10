"""`project`, `rebuild` and `digest`: the read models, how far they are, and how they are made anew."""

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replayhouse.infra.cli.options import Contexts, Json, chosen, example
from replayhouse.infra.cli.output import count, print_json, progress, say, seconds_so_far, table, warn
from replayhouse.infra.cli.time_travel import AsOf, Into, OccurredBefore, ToPosition, limits_of, rebuild_beside
from replayhouse.infra.runtime.signals import told_to_end

if TYPE_CHECKING:
    from replayhouse.infra.cli.warehouse import Warehouse
    from replayhouse.infra.runtime.telling import Tell

RetryParked = Annotated[
    bool, typer.Option("--retry-parked", help="Try the streams again that could not be folded the last time.")
]
Follow = Annotated[bool, typer.Option("--follow", help="Stay, and follow the log until the command is ended.")]
Reason = Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why; replayhouse revisions shows it.")]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, help="Processes to share the work; by default REPLAYHOUSE_WORKERS."),
]


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command(
        epilog=example("replayhouse project", "replayhouse project sales customer", "replayhouse project --follow")
    )(project)
    app.command(
        epilog=example(
            "replayhouse rebuild",
            "replayhouse rebuild sales --workers 4 --json",
            "replayhouse rebuild --as-of 2026-03-01T12:00-03:00 --into march",
            "replayhouse rebuild --occurred-before 2018-03-31 --into spring",
        )
    )(rebuild)
    app.command(epilog=example("replayhouse digest", "replayhouse digest sales --json"))(digest)


def catch_up_all(warehouse: "Warehouse", tell: "Tell") -> None:
    """Brings every context's live read model up to the head of the log, after a command that has appended to it."""
    from replayhouse.infra.application import project
    from replayhouse.infra.application.site import Site

    project.catch_up_all(Site(warehouse.settings, tell, warn))


def project(
    contexts: Contexts = None, follow: Follow = False, retry_parked: RetryParked = False, json: Json = False
) -> None:
    """Catch the read models up with the log.

    The streams that new events touched are folded again, and the rows that differ are written. A stream that cannot be
    folded is parked and the others go on; status names it. With --follow the command stays and does so whenever
    something is appended, until it is ended with Ctrl-C or SIGTERM. Any number of them may run: a context is followed
    by one of them, and when that one dies by another.
    """
    if follow:
        _follow(chosen(contexts), retry_parked, json)
        return
    from replayhouse.infra.cli.warehouse import open_warehouse
    from replayhouse.infra.read_models.live.projector import catch_up
    from replayhouse.infra.read_models.status import status as status_of

    with open_warehouse() as warehouse, progress() as tell:
        doing = "catching up"
        tell(doing, 0, 0)
        events = catch_up(
            warehouse.database,
            chosen(contexts),
            retry_parked=retry_parked,
            workers=warehouse.settings.workers,
            keep=warehouse.settings.keep_revisions,
            tell=partial(tell, doing),
        )
        found = status_of(warehouse.database)
    rows = [(context, done, found[context].projected, found[context].parked) for context, done in events.items()]
    if json:
        told = {context: {"events": done, "projected": at, "parked": parked} for context, done, at, parked in rows}
        print_json({"contexts": told, "seconds": seconds_so_far()})
        return
    table(("context", "events", "projected", "parked"), rows)
    if any(parked for *_, parked in rows):
        say("Parked streams could not be folded: replayhouse status says why, project --retry-parked tries again.")


def _follow(contexts: tuple[str, ...], retry_parked: bool, json: bool) -> None:
    from replayhouse.infra.cli.warehouse import open_warehouse
    from replayhouse.infra.read_models.live.watcher import Watch

    stop = told_to_end()
    with open_warehouse() as warehouse:
        watch = Watch(warehouse.database, contexts, stop, warn)
        watch.run(retry_parked=retry_parked, workers=warehouse.settings.workers)
    if json:
        print_json({"contexts": {c: {"events": done} for c, done in watch.events.items()}, "seconds": seconds_so_far()})
    else:
        table(("context", "events"), watch.events.items())
    for error in watch.stopped.values():
        raise error


def rebuild(
    contexts: Contexts = None,
    workers: Workers = None,
    as_of: AsOf = None,
    to_position: ToPosition = None,
    occurred_before: OccurredBefore = None,
    into: Into = None,
    reason: Reason = None,
    json: Json = False,
) -> None:
    """Fold everything again and swap it in; or, with --into, fold it as far as limits go, beside the live tables.

    The next revision is made beside the live one. Readers see the old tables or the new ones, never a mixture. The
    same log gives the same digests, whatever the number of processes; digest prints those of the live tables, to
    compare. It says where the live rows were not what the log makes. Limits may be combined: the position counts
    first, business time last.
    """
    limits = limits_of(as_of, to_position, occurred_before, into)
    if into is not None:
        rebuild_beside(chosen(contexts), into, limits, workers, json)
        return
    from replayhouse.infra.cli.warehouse import open_warehouse
    from replayhouse.infra.read_models.rebuild.rebuild import rebuild as fold_again

    with open_warehouse() as warehouse, progress() as tell:
        doing = "folding every stream again"
        tell(doing, 0, 0)
        settings = warehouse.settings
        found = fold_again(
            warehouse.database,
            chosen(contexts),
            workers or settings.workers,
            reason=reason,
            keep=settings.keep_revisions,
            tell=partial(tell, doing),
        )
    documents = {context: rebuilt.as_json() for context, rebuilt in found.items()}
    if json:
        print_json({"contexts": documents, "seconds": seconds_so_far()})
        return
    _show_tables(documents)
    say()
    events = sum(rebuilt.events for rebuilt in found.values())
    say(f"{count(events, 'event')} folded in {seconds_so_far():.1f} s; the new revisions are live.")
    differed = [f"{context}.{name}" for context, rebuilt in found.items() for name in rebuilt.differed or ()]
    if differed:
        say(f"The live rows differed from what the log makes: {count(len(differed), 'table')} ({', '.join(differed)}).")
        say("They were changed by something else than events. What stands now is what the log makes; the rows that")
        say("stood are kept for a while, and replayhouse revisions and audit compare show them.")


def digest(contexts: Contexts = None, json: Json = False) -> None:
    """Print digest and number of rows of each table.

    The digest does not depend on the order of the rows nor on how they came there: the same log gives the same one.
    """
    from replayhouse.infra.cli.warehouse import open_warehouse
    from replayhouse.infra.read_models.digests import digests

    with open_warehouse() as warehouse:
        found = digests(warehouse.database, chosen(contexts))
    documents = {context: of_context.as_json() for context, of_context in found.items()}
    if json:
        print_json({"contexts": documents})
        return
    _show_tables(documents)


def _show_tables(documents: Mapping[str, Mapping[str, Any]]) -> None:
    table(
        ("table", "revision", "position", "rows", "digest"),
        [
            (f"{context}.{name}", of_context["revision"], of_context["position"], told["rows"], told["digest"])
            for context, of_context in documents.items()
            for name, told in of_context["tables"].items()
        ],
    )
