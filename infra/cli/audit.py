"""`audit`: what the log says of one thing, and whether anyone has tampered with it."""

from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.audit.kinds import HistoryKind
from replayhouse.infra.cli import lineage, proof
from replayhouse.infra.cli.event_report import say_event
from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, say
from replayhouse.infra.cli.own_keys import IdKind, Key, KeySource, OwnKey, id_given
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.audit.history import HistoricEvent

app = typer.Typer(
    name="audit", help="Histories, what rows are made of, and whether the log is whole.", rich_markup_mode=None
)

KindArgument = Annotated[HistoryKind, typer.Argument(metavar="KIND", help="What the id is of.")]
IdArgument = Annotated[
    str | None, typer.Argument(metavar="ID", help="The id in the source, or its first digits; of a load its name, too.")
]


@app.command(
    epilog=example(
        "replayhouse audit history order e481f51cbdc54678b7cc49136f2d6af7",
        "replayhouse audit history customer 7c396fd4830fd04220f754e42b4e5bff --json",
        "replayhouse audit history order --key '#1001'",
    )
)
def history(
    kind: KindArgument,
    thing: IdArgument = None,
    key: Key = None,
    source: KeySource = None,
    id_kind: IdKind = None,
    json: Json = False,
) -> None:
    """Show every event of one thing.

    Each is told with when it happened, when we learnt it, and the lines of the extract that it came from. Events
    that a retracted load brought are shown as well, and marked as rewound. A review's id may stand at several
    orders: all are shown.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        found = warehouse.history(kind, id_given(warehouse, kind, thing, OwnKey(key, source, id_kind)))
    if json:
        print_json(found.document())
        return
    for stream in dict.fromkeys(event.stream for event in found.events):
        _show_stream(kind, found.key, [event for event in found.events if event.stream == stream])


def _show_stream(kind: str, key: object, events: "list[HistoricEvent]") -> None:
    stream = "" if events[0].stream == key else f", stream {events[0].stream}"
    say(f"{kind} {key}{stream}: {count(len(events), 'event')} in {events[0].context}")
    for event in events:
        say()
        say_event(event)
    say()


lineage.register(app)
proof.register(app)
