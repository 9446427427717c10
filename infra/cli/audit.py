"""`audit`: what the log says of one thing, and whether anyone has tampered with it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from infra.cli.options import HistoryKind, Json, example, read_id
from infra.cli.output import count, legible, print_json, progress, say, seconds_so_far, shown

if TYPE_CHECKING:
    from infra.cli.history import HistoricEvent

app = typer.Typer(name="audit", help="Histories, and whether the log is whole.", rich_markup_mode=None)

COMMITS = "SELECT count(*) FROM event_store.commit"

KindArgument = Annotated[HistoryKind, typer.Argument(metavar="KIND", help="What the id is of.")]
IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The id in the source, with or without hyphens.")]


@app.command(
    epilog=example(
        "replayhouse audit history order e481f51cbdc54678b7cc49136f2d6af7",
        "replayhouse audit history customer 7c396fd4830fd04220f754e42b4e5bff --json",
    )
)
def history(kind: KindArgument, key: IdArgument, json: Json = False) -> None:
    """Show every event of one thing.

    Each is told with when it happened, when we learnt it, and the lines of the extract that it came from. Events
    that a retracted load brought are shown as well, and marked as rewound. A review's id may stand at several
    orders: all are shown.
    """
    from infra.cli.history import history_of
    from infra.cli.warehouse import open_warehouse

    wanted = read_id(key)
    with open_warehouse() as warehouse, warehouse.database.connect("replayhouse audit") as connection:
        events = history_of(connection, kind, wanted)
    if json:
        print_json([event.document() for event in events])
        return
    for stream in dict.fromkeys(event.stream for event in events):
        _show_stream(kind, wanted, [event for event in events if event.stream == stream])


@app.command(epilog=example("replayhouse audit verify", "replayhouse audit verify --json"))
def verify(json: Json = False) -> None:
    """Recompute the hash chain of the whole log.

    Where it does not hold, the exit code is 1, and the first such position is named.
    """
    from infra.cli.warehouse import open_warehouse
    from infra.postgres.verify import Broken
    from infra.postgres.verify import verify as recompute

    with (
        open_warehouse() as warehouse,
        warehouse.database.connect("replayhouse audit verify", autocommit=True) as connection,
        progress() as tell,
    ):
        result = recompute(connection, lambda done, of: tell("verifying", done, of))
        row = connection.execute(COMMITS).fetchone()
    if isinstance(result, Broken):
        if json:
            print_json({"valid": False, "position": result.position, "reason": result.why, "seconds": seconds_so_far()})
        else:
            say(f"The log does not hold from position {result.position:,} on: {result.why}.")
        raise typer.Exit(1)
    events, commits = result.position, int(row[0]) if row else 0
    if json:
        document = {"valid": True, "position": events, "chain": result.chain.hex(), "events": events}
        print_json({**document, "commits": commits, "seconds": seconds_so_far()})
        return
    say(f"The log holds: {count(events, 'event')} in {count(commits, 'commit')}, each as it was recorded.")
    say(f"Head of the chain: position {events:,}, {result.chain.hex()}")


def _show_stream(kind: str, key: object, events: "list[HistoricEvent]") -> None:
    stream = "" if events[0].stream == key else f", stream {events[0].stream}"
    say(f"{kind} {key}{stream}: {count(len(events), 'event')} in {events[0].context}")
    for event in events:
        say()
        happened = shown(event.occurred_at) if event.occurred_at else "timeless"
        mark = "  REWOUND" if event.is_rewound else ""
        say(f"{event.version:>4}  {event.name}{mark}")
        says: list[tuple[str, str]] = [
            ("happened", happened),
            ("recorded", f"{shown(event.recorded_at)} UTC, position {event.position:,}"),
        ]
        if event.batch_id is not None:
            says.append(("load", f"{legible(event.batch_name or '')} ({event.batch_id})"))
        if event.source is not None:
            says.append(("from", event.source))
        _say_pairs([*says, *_lines_of(event.facts)])
    say()


def _say_pairs(pairs: Iterable[tuple[str, str]]) -> None:
    told = list(pairs)
    width = max(len(name) for name, _ in told)
    for name, value in told:
        say(f"      {name:<{width}}  {value}")


def _lines_of(facts: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Facts by name, one a line; lists of records one record a line, the name before the first."""
    for name, value in facts.items():
        if isinstance(value, list | tuple):
            for place, entry in enumerate(value or [None]):
                yield name if place == 0 else "", _entry(entry)
        else:
            yield name, _entry(value)


def _entry(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_entry(inner)}" for name, inner in value.items())
    return shown(value)
