"""`db`: the database itself, the embedded one or one of your own."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, say, table

app = typer.Typer(name="db", help="Start, stop and reach the database.", rich_markup_mode=None)


class Role(StrEnum):
    """Who connects."""

    ADMINISTRATOR = "administrator"
    READER = "reader"


Listen = Annotated[
    int | None,
    typer.Option(
        "--listen",
        metavar="PORT",
        min=0,
        max=65535,
        help="Serve BI tools over TCP too, on this machine's loopback interface, with the reader's password, from now "
        "on; 0: no longer.",
    ),
]
RoleOption = Annotated[
    Role, typer.Option("--role", help="'reader' is for BI tools: it reads all but the keys, and changes nothing.")
]


@app.command(epilog=example("replayhouse db start", "replayhouse db start --listen 5439"))
def start(listen: Listen = None, json: Json = False) -> None:
    """Start the database, and make the warehouse where there is none.

    The embedded database goes on running after this command; started already, it stays as it is. In a database of
    your own the schema is made or brought up to date.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        started = warehouse.start(listen)
    if json:
        print_json(started.document())
        return
    if started.data is None:
        say(f"There is a warehouse in the database {started.place}.")
        return
    say(f"The database is running; its data is in {started.data}.")
    if listen:
        say(f"BI tools reach it on 127.0.0.1:{listen}: replayhouse db url --role reader")


@app.command(epilog=example("replayhouse db stop"))
def stop(json: Json = False) -> None:
    """Stop the embedded database.

    Connections to it end; nothing that was committed is lost.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        stopped = warehouse.stop()
    if json:
        print_json(stopped.document())
        return
    say("The database has stopped." if stopped.was_running else "The database was not running.")


@app.command(epilog=example("replayhouse db url", 'psql "$(replayhouse db url --role reader)"'))
def url(role: RoleOption = Role.ADMINISTRATOR, json: Json = False) -> None:
    """Print a libpq URL, on one line.

    Any client on this machine can use it at once: the embedded database is started where it does not run. Where
    there is no warehouse, none is made.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        found = warehouse.url(role)
    if json:
        print_json({"url": found})
        return
    say(found)


RoleToGive = Annotated[
    str, typer.Argument(metavar="ROLE", help="analyst, marketing, auditor, steward, reader, writer or owner.")
]
User = Annotated[str, typer.Argument(metavar="USER", help="A user of the database.")]
States = Annotated[
    list[str] | None,
    typer.Option("--state", metavar="STATE", help="Of marketing: a state whose rows they see from now on; repeatable."),
]


@app.command(
    epilog=example("replayhouse db grant analyst alice", "replayhouse db grant marketing bob --state SP --state RJ")
)
def grant(role: RoleToGive, user: User, states: States = None, json: Json = False) -> None:
    """Give a user of the database a role of the warehouse.

    Analysts read the schema masked, where personal fields are masked; marketing the schema regional, the same with the
    rows of their own states alone; auditors the log; stewards the quarantine.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        given = warehouse.grant(role, user, states=states or ())
    if json:
        print_json(given.document())
        return
    sees = f", and sees {', '.join(given.states)}" if given.states else ""
    say(f"{user} has the role {role}{sees}." if given.is_new else f"{user} had the role {role} already{sees}.")


@app.command(epilog=example("replayhouse db revoke analyst alice"))
def revoke(role: RoleToGive, user: User, json: Json = False) -> None:
    """Take a role of the warehouse from a user.

    What the user was granted by hand, or by another role, stays.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        taken = warehouse.revoke(role, user)
    if json:
        print_json(taken.document())
        return
    say(f"{user} has the role {role} no longer." if taken.is_new else f"{user} did not have the role {role}.")


@app.command(epilog=example("replayhouse db roles", "replayhouse db roles --json"))
def roles(json: Json = False) -> None:
    """List the roles of the warehouse: what each may do, and who has it."""
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        found = warehouse.roles()
    if json:
        print_json(found.document())
        return
    rows = [
        (role.role, role.may if role.is_there else "is not there: see replayhouse db start", _users(role.users))
        for role in found.roles
    ]
    table(("role", "may", "who has it"), rows)


def _users(users: dict[str, list[str]]) -> str:
    """Each user, those of marketing with their states."""
    return ", ".join(f"{user} ({' '.join(states)})" if states else user for user, states in users.items()) or "-"


@app.command(
    epilog=example("replayhouse db psql", "replayhouse db psql -c 'SELECT count(*) FROM sales.fact_order'"),
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    options_metavar="[OPTIONS OF PSQL]...",
)
def psql(context: typer.Context, role: RoleOption = Role.READER) -> None:
    """Open psql on the warehouse, to read, with the schemas of the star schema on its path.

    It comes with the program, and reads unless --role says otherwise: as the reader, or in a database of your own as
    whom its URL names, in sessions that begin read-only. Options that are not ours are psql's; so is all that stands
    after two hyphens.
    """
    from replayhouse.infra.cli.warehouse import named_warehouse

    with named_warehouse() as warehouse:
        found = warehouse.psql(role)
    # All of it in the environment, for on the command line every user of the machine could read the password.
    os.execve(found.program, [str(found.program), *context.args], found.environment)
