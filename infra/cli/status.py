"""`status`: which warehouse this is, how far its read models and relays are, and whether a person is needed."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import megabytes, print_json, say, table

if TYPE_CHECKING:
    from replayhouse.infra.application.clickhouse_status import ClickHouseStatus
    from replayhouse.infra.application.status import Status
    from replayhouse.infra.postgres.place import Place
    from replayhouse.infra.publishing.relays import RelayStatus

Check = Annotated[
    bool, typer.Option("--check", help="Say only what needs a person, and exit with 1 where something does: for cron.")
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        epilog=example("replayhouse status", "replayhouse status --json", "replayhouse status --check || mail -s ...")
    )(status)


def status(check: Check = False, json: Json = False) -> None:
    """Show which warehouse this is, how far each context is, and the loads so far.

    With --check, only what needs a person is told, and the exit code is 1 where anything does: a read model that is
    behind or was made by another version of the program, streams that cannot be folded, a load or retraction that was
    not finished, a relay that is silent or refused, a log that did not hold when it was verified last, a copy elsewhere
    that may show an erased person, a drill that failed, a backup or drill that is older than REPLAYHOUSE_BACKUP_MAX_AGE
    or REPLAYHOUSE_DRILL_MAX_AGE say.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        found = warehouse.status()
        there = None if check else warehouse.clickhouse_status()
    reasons = found.needs if check else []
    if json:
        further = {"check": reasons} if check else {} if there is None else {"clickhouse": there.document()}
        print_json({**found.document(), **further})
    elif not check:
        _show(found, there)
    else:
        for reason in reasons or ["Nothing needs anybody."]:
            say(reason)
    if reasons:
        raise typer.Exit(1)


def _show(found: "Status", there: "ClickHouseStatus | None") -> None:
    from replayhouse.infra.application.status import (
        what_a_copy_shows,
        what_a_drill_found,
        what_is_backed_up,
        what_was_verified,
        who_made,
    )
    from replayhouse.infra.cli.loads import show_batches

    say(_told(found.place))
    say(f"Head of the log: position {found.head.position:,}, chain {found.head.chain.hex()}")
    if found.verified is not None:
        say(what_was_verified(found.verified))
    if found.backup is not None:
        say(what_is_backed_up(found.backup))
    if found.drill is not None:
        say(what_a_drill_found(found.drill))
    say()
    table(
        ("context", "head", "projected", "lag", "revision", "events", "parked"),
        [(context, *found.contexts[context][:-1]) for context in CONTEXTS],
    )
    for context in CONTEXTS:
        if found.contexts[context].made_by != "this":
            say(who_made(context, found.contexts[context].made_by))
    for stream in found.parked:
        say(f"Parked: {stream.context} {stream.stream_id} at {stream.position:,}: {stream.error}")
    for copy in found.stale_copies:
        say(what_a_copy_shows(copy))
    say()
    if there is not None:
        _show_there(there)
        say()
    if found.relays:
        _show_relays(found.relays)
        say()
    if found.sources:
        table(
            ("source", "loads", "last load", "opened (UTC)", "events"),
            [(name, *one) for name, one in found.sources.items()],
        )
        say()
    show_batches(found.batches)


def _show_there(there: "ClickHouseStatus") -> None:
    if there.error is not None:
        say(f"How far ClickHouse is, is not known: {there.error}")
        return
    say(f"ClickHouse: {there.place}")
    table(("context", "shown", "lag"), [(context, *told) for context, told in there.contexts.items()])


def _told(place: "Place") -> str:
    where = f"folder {place.home}" if place.database is None else f"database {place.database}"
    sizes = f"log {megabytes(place.log_bytes)}, read models {megabytes(place.read_model_bytes)}"
    return f"Warehouse: {where}, PostgreSQL {place.server}; {sizes}"


def _show_relays(publishing: "Collection[RelayStatus]") -> None:
    from replayhouse.infra.application.status import silence_of

    table(
        ("relay", "published", "lag", "seconds", "state", "since (UTC)"),
        [(r.name, r.position, r.lag, round(r.lag_seconds), r.state, r.since) for r in publishing],
    )
    for relay in publishing:
        if relay.error is not None:
            say(f"Relay {relay.name}: {relay.error}")
        if relay.is_silent:
            say(silence_of(relay))
