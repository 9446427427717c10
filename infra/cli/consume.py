"""`consume`: what a downstream consumer sees of the topics, and the star schema folded from them alone."""

import json as json_text
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from replayhouse.infra.application.contexts import chosen
from replayhouse.infra.cli.options import Contexts, Json, example
from replayhouse.infra.cli.output import count, print_json, print_json_list, progress, say, seconds_so_far, table
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.signals import told_to_end

if TYPE_CHECKING:
    from replayhouse.infra.kafka.reader import Received, Topics

SHOWN = 10
"""How many events are shown where nobody says it: those that came last."""

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
    wanted = chosen(contexts)
    if rebuild:
        if from_beginning or follow or limit is not None:
            raise UsageError("--rebuild reads all that there is: leave --from-beginning, --follow and --limit out.")
        if into is None:
            raise UsageError("Say with --into PREFIX under which schemas the result of --rebuild is to stand.")
        _rebuild(wanted, into, keys, json)
        return
    if into is not None or keys is not None:
        raise UsageError("--into and --keys belong to --rebuild: say that too.")
    if len(wanted) != 1:
        raise UsageError("Say which context to show, as in 'replayhouse consume sales': one at a time.")
    _look(wanted[0], from_beginning, follow, limit, json)


def _look(context: str, from_beginning: bool, follow: bool, limit: int | None, json: bool) -> None:
    from replayhouse.infra.kafka.clients import bootstrap_of
    from replayhouse.infra.kafka.reader import reading
    from replayhouse.infra.runtime.kafka_settings import load_kafka_settings
    from replayhouse.infra.runtime.settings import load_settings

    kafka = load_kafka_settings()
    with reading(kafka, bootstrap_of(load_settings(), kafka), [context]) as topics:
        events = _events(topics, from_beginning, follow, limit)
        if json and not follow:
            print_json_list(map(_document, events))
            return
        for message in events:
            if json:
                print_json(_document(message), at_once=follow)
            else:
                say(_line(message), at_once=follow)


def _events(topics: "Topics", from_beginning: bool, follow: bool, limit: int | None) -> Iterator["Received"]:
    """The events to show, in the order to show them in, no more than the limit."""
    if not from_beginning and not follow:
        yield from topics.last(limit or SHOWN)
        return
    left = limit
    if from_beginning:
        for message in islice(topics.by_position(), limit):
            left = None if left is None else left - 1
            yield message
    if follow and left != 0:
        for message in islice(_newer(topics, told_to_end().is_set), left):
            yield message


def _newer(topics: "Topics", is_stopped: Callable[[], bool]) -> Iterator["Received"]:
    for some in topics.newer(is_stopped):
        yield from some


def _rebuild(contexts: tuple[str, ...], prefix: str, keys: Path | None, json: bool) -> None:
    from replayhouse.infra.application.rebuild_from_topics import rebuild_from_topics
    from replayhouse.infra.cli.warehouse import open_warehouse
    from replayhouse.infra.kafka.clients import bootstrap_of
    from replayhouse.infra.runtime.kafka_settings import load_kafka_settings

    kafka = load_kafka_settings()
    with open_warehouse() as warehouse, progress() as tell:
        settings = warehouse.settings
        bootstrap = bootstrap_of(settings, kafka)
        found = rebuild_from_topics(
            warehouse.database, kafka, bootstrap, prefix, contexts, keys, settings.workers, tell
        )
    if json:
        documents = {context: rebuilt.as_json() for context, rebuilt in found.contexts.items()}
        print_json({"contexts": documents, "withheld": found.withheld, "seconds": seconds_so_far()})
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


def _document(message: "Received") -> dict[str, Any]:
    from replayhouse.infra.kafka.message_view import seen

    return seen(message)._asdict()


def _line(message: "Received") -> str:
    from replayhouse.infra.kafka.message_view import seen

    event = seen(message)
    facts = "(no JSON)" if event.facts is None else json_text.dumps(event.facts, ensure_ascii=False)
    position = "-" if event.position is None else f"{event.position:,}"
    told = (f"{position:>9}", event.time or "-", event.type or "-", event.stream or "-", facts)
    return "  ".join(told)
