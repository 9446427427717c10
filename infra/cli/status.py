"""`status`: which warehouse this is, how far its read models and relays are, and whether a person is needed."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import count, megabytes, print_json, say, shown, table

if TYPE_CHECKING:
    from replayhouse.infra.application.batches import Batch
    from replayhouse.infra.audit.verifications import Verification
    from replayhouse.infra.cli.warehouse import Warehouse
    from replayhouse.infra.event_store.head import Head
    from replayhouse.infra.postgres.place import Place
    from replayhouse.infra.publishing.relays import RelayStatus
    from replayhouse.infra.read_models.status import ContextStatus, ParkedStream

Check = Annotated[
    bool, typer.Option("--check", help="Say only what needs a person, and exit with 1 where something does: for cron.")
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        epilog=example("replayhouse status", "replayhouse status --json", "replayhouse status --check || mail -s ...")
    )(status)


class _Found(NamedTuple):
    """All that `status` tells."""

    place: "Place"
    head: "Head"
    contexts: "dict[str, ContextStatus]"
    parked: "list[ParkedStream]"
    relays: "list[RelayStatus]"
    loads: "list[Batch]"
    verified: "Verification | None"


def status(check: Check = False, json: Json = False) -> None:
    """Show which warehouse this is, how far each context is, and the loads so far.

    With --check, only what needs a person is told, and the exit code is 1 where anything does: a read model that is
    behind or was made by another version of the program, streams that cannot be folded, a load or retraction that was
    not finished, a relay that is silent or refused, a log that did not hold when it was verified last.
    """
    from replayhouse.infra.cli.warehouse import open_warehouse

    with open_warehouse() as warehouse:
        found = _look(warehouse)
    reasons = list(_what_needs_somebody(found)) if check else []
    if json:
        print_json({**_document(found), **({"check": reasons} if check else {})})
    elif not check:
        _show(found)
    else:
        for reason in reasons or ["Nothing needs anybody."]:
            say(reason)
    if reasons:
        raise typer.Exit(1)


def _look(warehouse: "Warehouse") -> _Found:
    from replayhouse.infra.application.batches import all_batches
    from replayhouse.infra.audit import verifications
    from replayhouse.infra.event_store.head import read_head
    from replayhouse.infra.postgres.place import place_of
    from replayhouse.infra.publishing.relays import relays
    from replayhouse.infra.read_models.status import parked_streams
    from replayhouse.infra.read_models.status import status as status_of

    contexts = status_of(warehouse.database)
    with warehouse.database.connect("replayhouse status") as connection:
        return _Found(
            place_of(connection, warehouse.settings),
            read_head(connection),
            contexts,
            parked_streams(connection),
            relays(connection),
            all_batches(connection),
            verifications.latest(connection),
        )


def _document(found: _Found) -> dict[str, Any]:
    document = {
        "position": found.head.position,
        "chain": found.head.chain.hex(),
        "contexts": {context: found.contexts[context]._asdict() for context in CONTEXTS},
        "batches": [row.document("batch", "name", "status", "opened_at", "events") for row in found.loads],
        "warehouse": found.place._asdict(),
    }
    if found.verified is not None:
        document["verified"] = found.verified._asdict()
    if found.relays:  # an installation without Kafka need not know of it
        document["relays"] = {relay.name: relay.document() for relay in found.relays}
    return document


def _what_needs_somebody(found: _Found) -> Iterator[str]:
    for context, told in found.contexts.items():
        if told.made_by != "this":
            yield _who_made(context, told.made_by)
        if told.lag:
            yield f"{context} is {count(told.lag, 'event')} behind the log: replayhouse project."
    for stream in found.parked:
        yield (
            f"The stream {stream.originator_id} of {stream.context} cannot be folded ({stream.error}): replayhouse "
            "project --retry-parked once that is mended."
        )
    for load in found.loads:
        if load.status == "open":
            yield (
                f"The load {load.name} ({load.batch_id}) is open: it is at work, or was killed. Then ingest its files "
                f"again, or replayhouse retract {load.batch_id} --reason TEXT."
            )
        if load.status == "retracting":
            yield (
                f"The load {load.name} ({load.batch_id}) is half taken back: replayhouse retract {load.batch_id} "
                "--reason TEXT finishes it."
            )
    for relay in found.relays:
        if relay.is_silent:
            yield f"Relay {relay.name} has said nothing since {shown(relay.updated_at)} UTC: it was killed, or hangs."
        if relay.state not in ("waiting", "starting") and relay.error is not None:
            yield f"Relay {relay.name} has ended: {relay.error}"
    if found.verified is not None and found.verified.reason is not None:
        yield f"{_what_was_verified(found.verified)} replayhouse audit verify says whether that is so still."


def _show(found: _Found) -> None:
    from replayhouse.infra.cli.loads import show_batches

    say(_told(found.place))
    say(f"Head of the log: position {found.head.position:,}, chain {found.head.chain.hex()}")
    if found.verified is not None:
        say(_what_was_verified(found.verified))
    say()
    table(
        ("context", "head", "projected", "lag", "revision", "events", "parked"),
        [(context, *found.contexts[context][:-1]) for context in CONTEXTS],
    )
    for context in CONTEXTS:
        if found.contexts[context].made_by != "this":
            say(_who_made(context, found.contexts[context].made_by))
    for stream in found.parked:
        say(f"Parked: {stream.context} {stream.originator_id} at {stream.position:,}: {stream.error}")
    say()
    if found.relays:
        _show_relays(found.relays)
        say()
    show_batches(found.loads)


def _what_was_verified(found: "Verification") -> str:
    when = f"verified {shown(found.verified_at)} UTC"
    if found.reason is None:
        return f"The log held up to position {found.position:,} when it was {when}."
    return f"The log did not hold from position {found.position:,} on when it was {when}: {found.reason}."


def _told(place: "Place") -> str:
    where = f"folder {place.home}" if place.database is None else f"database {place.database}"
    sizes = f"log {megabytes(place.log_bytes)}, read models {megabytes(place.read_model_bytes)}"
    return f"Warehouse: {where}, PostgreSQL {place.server}; {sizes}"


def _who_made(context: str, made_by: str) -> str:
    if made_by == "earlier":
        return f"{context} was made by an earlier version of this program: replayhouse project fills its tables anew."
    return f"{context} was made by a newer version of this program, which should be used."


def _show_relays(publishing: "Collection[RelayStatus]") -> None:
    table(
        ("relay", "published", "lag", "seconds", "state", "since (UTC)"),
        [(r.name, r.position, r.lag, round(r.lag_seconds), r.state, r.since) for r in publishing],
    )
    for relay in publishing:
        if relay.error is not None:
            say(f"Relay {relay.name}: {relay.error}")
        if relay.is_silent:
            say(f"Relay {relay.name} has said nothing since {shown(relay.updated_at)} UTC: it was killed, or hangs.")
