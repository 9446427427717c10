"""`publish --verify`: what the topics hold, held against the log."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import typer

from replayhouse.infra.cli.output import print_json, say, seconds_so_far, table
from replayhouse.infra.runtime.telling import count

if TYPE_CHECKING:
    from replayhouse.infra.kafka.comparison import Verified


def verify_published(contexts: Iterable[str] | None, json: bool) -> None:
    """Compares, and tells what came of it; exits with 1 where topics and log differ."""
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        found = warehouse.verify_topics(contexts)
    if json:
        print_json({**found.document(), "seconds": seconds_so_far()})
    else:
        _show(found)
    if found.difference is not None:
        raise typer.Exit(1)


def _show(found: "Verified") -> None:
    table(
        ("context", "whole", "up to", "published", "omitted", "expired"),
        [(name, c.events, c.position, c.published, c.omitted, c.expired) for name, c in found.contexts.items()],
    )
    say()
    if found.difference is not None:
        context, position, why, where = found.difference
        place = "" if where is None else f" ({where})"
        say(f"Topics and log differ, first at position {position:,} of {context}: {why}{place}.")
        return
    events = sum(compared.events for compared in found.contexts.values())
    say(f"The topics hold what the log holds: {count(events, 'event')}, each once, in order, and as it was recorded.")
    if found.chain_position:
        say(
            f"Computed from the messages: the roots of {count(found.commits, 'commit')}, and the chain up to position "
            f"{found.chain_position:,}, {found.chain.hex()}, as in the log."
        )
    if omitted := sum(compared.omitted for compared in found.contexts.values()):
        say(
            f"Of {count(omitted, 'event')} personal fields were omitted: they are compared with the log without these, "
            "and their leaves are those that the messages tell."
        )
    if expired := sum(compared.expired for compared in found.contexts.values()):
        say(f"Retention has removed {count(expired, 'event')}: nothing can be said of these.")
