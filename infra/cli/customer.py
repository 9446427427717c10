"""`customer`: what a person may ask for: that their data is erased, and who has seen it."""

import sys
from typing import Annotated
from uuid import UUID

import typer

from replayhouse.infra.cli.options import Json, Reason, example
from replayhouse.infra.cli.output import is_meant, print_json, say, seconds_so_far, shown, table, warn
from replayhouse.infra.cli.own_keys import IdKind, Key, KeySource, OwnKey, id_given
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.given_texts import read_reason
from replayhouse.infra.runtime.short_ids import read_id
from replayhouse.infra.runtime.telling import count

Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; a script must say so.")]

Person = Annotated[str | None, typer.Argument(metavar="ID", help="The person's id (customer_unique_id of the source).")]

app = typer.Typer(name="customer", help="Erase a person's data, or see who was shown it.", rich_markup_mode=None)


@app.command(
    epilog=example(
        'replayhouse customer erase 7c396fd4830fd04220f754e42b4e5bff --reason "asked for it on 2 March"',
        'replayhouse customer erase --key ana@example.com --source shop --reason "asked for it on 2 March"',
    )
)
def erase(
    reason: Reason,
    customer: Person = None,
    key: Key = None,
    source: KeySource = None,
    id_kind: IdKind = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Destroy the key of a person's data.

    Zip prefix, city, titles and comments of reviews, and quarantined records that name the person, cannot be read any
    more: not in the log, not in its backups, not after any rebuild. The read models follow at once, and materialised
    views that read them; counts and sums stay. It cannot be undone. The reason is recorded in clear text for ever: do
    not name the person in it. Once erased, the person stays so: a later extract is loaded, without these fields.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    why, own = read_reason(reason), OwnKey(key, source, id_kind)
    if key is None and customer is not None:
        read_id(customer)
    if not (yes or sys.stdin.isatty()):
        raise UsageError("An erasure cannot be undone, and there is nobody here to ask: a script says so with --yes.")
    with named_warehouse() as warehouse:
        person = read_id(id_given(warehouse, "customer", customer, own))
    if not (yes or _is_meant(person)):
        warn("Nothing was erased.")
        raise typer.Exit(1)
    with named_warehouse() as warehouse:
        report = warehouse.erase(person, why)
    done = report.erasure
    if json:
        print_json({**report.document(), "seconds": seconds_so_far()})
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
    for copy in report.copies:
        warn(f"The {copy.named} may show what was erased: {copy.remedy}.")


def _is_meant(person: UUID) -> bool:
    """Whether somebody who was shown how much would be erased says that it is meant; so it is where that is nothing."""
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        planned = warehouse.plan_erasure(person)
    if not planned.keys:
        return True
    told = ", ".join(f"{count(rows, 'row')} of {name}" for name, rows in planned.tables.items())
    warn(f"This destroys {count(planned.keys, 'key')} for good, with what {count(planned.loads, 'load')} told of it.")
    warn(f"It shows in {told or 'no table yet'}. Counts and sums stay. It cannot be undone.")
    return is_meant(f"Erase the data of {person}?")


@app.command(epilog=example("replayhouse customer access 7c396fd4830fd04220f754e42b4e5bff"))
def access(
    customer: Person = None,
    key: Key = None,
    source: KeySource = None,
    id_kind: IdKind = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="At most so many entries.")] = 1_000,
    json: Json = False,
) -> None:
    """List who was shown personal fields of a person in clear, the newest first.

    It tells of what the pages of serve and our commands have shown: of the person, of the person's orders and reviews,
    and of quarantined records that name the person. Who reads the database with SQL stands in no entry.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        found = warehouse.access(id_given(warehouse, "customer", customer, OwnKey(key, source, id_kind)), limit)
    if json:
        print_json(found.document())
        return
    if not found.entries:
        say(f"Nobody was shown personal fields of {found.customer}.")
        return
    table(
        ("at", "who", "role", "purpose", "what"),
        [(entry.at, entry.who, entry.role, entry.purpose, entry.resource) for entry in found.entries],
    )
