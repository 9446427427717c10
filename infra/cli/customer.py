"""`customer`: what a person may ask for."""

import sys
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from replayhouse.infra.cli.options import Json, Reason, example
from replayhouse.infra.cli.output import count, is_meant, print_json, progress, say, seconds_so_far, shown, warn
from replayhouse.infra.runtime.errors import Conflicting, UsageError
from replayhouse.infra.runtime.given_texts import read_reason
from replayhouse.infra.runtime.short_ids import read_id

if TYPE_CHECKING:
    from replayhouse.infra.cli.warehouse import Warehouse
    from replayhouse.infra.privacy.erasure import Erasure
    from replayhouse.infra.runtime.telling import Tell

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; a script must say so.")]

app = typer.Typer(name="customer", help="Erase a person's data.", rich_markup_mode=None)


@app.callback()
def _customer() -> None:
    """Keeps the name of the one command on the line."""


@app.command(
    epilog=example('replayhouse customer erase 7c396fd4830fd04220f754e42b4e5bff --reason "asked for it on 2 March"')
)
def erase(
    key: Annotated[str, typer.Argument(metavar="ID", help="The person's id (customer_unique_id of the source).")],
    reason: Reason,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Destroy the key of a person's data.

    Zip prefix, city, titles and comments of reviews, and quarantined records that name the person, cannot be read any
    more: not in the log, not in its backups, not after any rebuild. The read models follow at once, and materialised
    views that read them; counts and sums stay. It cannot be undone. The reason is recorded in clear text for ever: do
    not name the person in it. Once erased, the person stays so: a later extract is loaded, without these fields.
    """
    from replayhouse.infra.cli.warehouse import open_warehouse

    person, why = read_id(key), read_reason(reason)
    if not (yes or sys.stdin.isatty()):
        raise UsageError("An erasure cannot be undone, and there is nobody here to ask: a script says so with --yes.")
    with open_warehouse() as warehouse:
        if not (yes or _is_meant(warehouse, person)):
            warn("Nothing was erased.")
            raise typer.Exit(1)
        with progress() as tell:
            done = _erase(warehouse, person, why, tell)
    if json:
        print_json(_document(person, done, warehouse.settings.actor, why))
    elif done.is_news:
        say(f"The data of {person} is erased, and {count(done.rows, 'quarantined record')} with it.")
        say(f"The log tells it at position {done.position:,}; the read models show it.")
    else:
        say(f"{person} was erased already, {shown(done.at)} UTC (position {done.position:,}). No event was appended.")
    for view in done.stale:
        warn(
            f"The materialised view {view} could not be refreshed, and may still show what was erased: refresh it "
            "yourself, or drop it."
        )


def _is_meant(warehouse: "Warehouse", person: UUID) -> bool:
    """Whether somebody who was shown how much would be erased says that it is meant; so it is where that is nothing."""
    from replayhouse.infra.privacy.erasure_plan import plan

    with warehouse.database.connect("replayhouse customer erase", autocommit=True) as connection:
        planned = plan(connection, person)
    if not planned.keys:
        return True
    told = ", ".join(f"{count(rows, 'row')} of {name}" for name, rows in planned.tables.items())
    warn(f"This destroys {count(planned.keys, 'key')} for good, with what {count(planned.loads, 'load')} told of it.")
    warn(f"It shows in {told or 'no table yet'}. Counts and sums stay. It cannot be undone.")
    return is_meant(f"Erase the data of {person}?")


def _erase(warehouse: "Warehouse", person: UUID, reason: str, tell: "Tell") -> "Erasure":
    from replayhouse.infra.cli.read_models import catch_up_all
    from replayhouse.infra.loads.batches import Loads
    from replayhouse.infra.postgres.connection import translated
    from replayhouse.infra.postgres.locks import exclusive
    from replayhouse.infra.privacy.erasure import erase as erase_person
    from replayhouse.infra.privacy.erasure import vacuum
    from replayhouse.infra.privacy.erasure_list import ErasedSubjects

    listed = ErasedSubjects(warehouse.settings.home)
    with (
        warehouse.database.connect("replayhouse customer erase", autocommit=True) as connection,
        exclusive(connection, "ingest"),
    ):
        loads = Loads(connection)
        loads.disown()  # nobody is to seal anything for the person with a key that was read before it is destroyed
        tell("erasing", 0, 0)
        done = erase_person(connection, person, reason, warehouse.settings.actor, listed.add)
        if done is None:
            if loads.open_load() is not None:
                loads.refuse_while_under_way()  # it may bring them yet
            raise UsageError(
                f"The log knows no person {person}. A person's id is the customer_unique_id of the customers file."
            )
        if person not in listed.subjects():  # told by another machine, or before there was a list here
            listed.add(person, done.at, done.position)
        catch_up_all(warehouse, tell)
        try:
            with translated():
                vacuum(connection)
        except Conflicting as error:
            warn(f"What is erased is out of reach; the server frees its space later. {error}")
    return done


def _document(person: UUID, done: "Erasure", by: str, reason: str) -> dict[str, Any]:
    return {
        "customer": person,
        "status": "erased" if done.is_news else "already erased",
        "erased_at": done.at,
        "position": done.position,
        **({"by": by, "reason": reason} if done.is_news else {}),
        "quarantined_rows": done.rows,
        "stale_views": done.stale,
        "seconds": seconds_so_far(),
    }
