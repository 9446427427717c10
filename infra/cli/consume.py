"""`consume`: what a downstream consumer sees of the topics, and the star schema folded from them alone."""

import json as json_text
from collections.abc import Iterable
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.cli.options import Contexts, Json, example
from replayhouse.infra.cli.output import print_json, print_json_list, say, seconds_so_far, table
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.signals import told_to_end
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.kafka.message_view import Seen

FromBeginning = Annotated[
    bool, typer.Option("--from-beginning", help="Show all events that the topic has, the oldest first.")
]
Follow = Annotated[
    bool, typer.Option("--follow", help="Stay, and show what comes from now on, until the command is ended.")
]
Limit = Annotated[
    int | None, typer.Option("--limit", metavar="N", min=1, help="Show that many events at most, then end.")
]
Rebuild = Annotated[
    bool, typer.Option("--rebuild", help="Fold the star schema from the topics alone, into the schemas of --into.")
]
Into = Annotated[
    str | None,
    typer.Option("--into", metavar="PREFIX", help="With --rebuild: make the schemas PREFIX_sales, ..."),
]
Keys = Annotated[
    Path | None,
    typer.Option("--keys", metavar="FILE", help="With --rebuild: the keys of personal fields, written by db backup."),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        epilog=example(
            "replayhouse consume sales",
            "replayhouse consume sales --from-beginning --limit 100 --json",
            "replayhouse consume customer --follow",
            "replayhouse consume --rebuild --into mirror",
            "replayhouse consume --rebuild --into mirror --keys log.keys",
        )
    )(consume)


def consume(
    contexts: Contexts = None,
    from_beginning: FromBeginning = False,
    follow: Follow = False,
    limit: Limit = None,
    rebuild: Rebuild = False,
    into: Into = None,
    keys: Keys = None,
    json: Json = False,
) -> None:
    """Show the events of a context as those see them who consume its topic, or fold the star schema from all topics.

    Without options the newest ten, or as many as --limit says; with --from-beginning all; with --follow what comes from
    now on, after all there is if --from-beginning is given too. Only what was committed is shown, by position. What is
    sealed in an event, because it is personal, is shown as `sealed`. With --json a list; with --follow one document a
    line.

    With --rebuild the topics are read from the beginning, and folded into schemas of this database as rebuild --into
    does from the log, of which nothing is needed: it may be the log of somebody else. The digests are those of the live
    tables that the publisher has. Without --keys personal fields are withheld.
    """
    if rebuild:
        if from_beginning or follow or limit is not None:
            raise UsageError("--rebuild reads all that there is: leave --from-beginning, --follow and --limit out.")
        if into is None:
            raise UsageError("Say with --into PREFIX under which schemas the result of --rebuild is to stand.")
        _rebuild(contexts, into, keys, json)
        return
    if into is not None or keys is not None:
        raise UsageError("--into and --keys belong to --rebuild: say that too.")
    wanted = chosen(contexts)
    if len(wanted) != 1:
        raise UsageError("Say which context to show, as in 'replayhouse consume sales': one at a time.")
    _look(wanted[0], from_beginning, follow, limit, json)


def _look(context: str, from_beginning: bool, follow: bool, limit: int | None, json: bool) -> None:
    from replayhouse.infra.cli.warehouse import named_warehouse

    told = cache(told_to_end)  # until events are waited for, a signal interrupts as it does elsewhere
    with (
        named_warehouse() as warehouse,
        closing(
            warehouse.consume(
                context,
                from_beginning=from_beginning,
                follow=follow,
                limit=limit,
                is_ended=lambda: told().is_set(),
            )
        ) as events,
    ):
        if json and not follow:
            print_json_list(event.document() for event in events)
            return
        for event in events:
            if json:
                print_json(event.document(), at_once=follow)
            else:
                say(_line(event), at_once=follow)


def _rebuild(contexts: Iterable[str] | None, prefix: str, keys: Path | None, json: bool) -> None:
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        found = warehouse.rebuild_from_topics(prefix, contexts, keys=keys)
    if json:
        print_json({**found.document(), "seconds": seconds_so_far()})
        return
    table(
        ("table", "position", "rows", "digest"),
        [
            (f"{prefix}_{context}.{name}", rebuilt.position, digest.rows, digest.hex)
            for context, rebuilt in found.contexts.items()
            for name, digest in rebuilt.tables.items()
        ],
    )
    say()
    events = sum(rebuilt.events for rebuilt in found.contexts.values())
    say(f"{count(events, 'event')} of the topics folded in {seconds_so_far():.1f} s.")
    if found.are_omitted:
        say("They were published without personal fields, so these are withheld, and no keys could open them.")
    if found.withheld:
        say("Withheld are personal fields, so the digests of these tables are not those of the publisher's:")
        say(f"  {', '.join(found.withheld)}")


def _line(event: "Seen") -> str:
    facts = "(no JSON)" if event.facts is None else json_text.dumps(event.facts, ensure_ascii=False)
    position = "-" if event.position is None else f"{event.position:,}"
    told = (f"{position:>9}", event.time or "-", event.type or "-", event.stream or "-", facts)
    return "  ".join(told)
