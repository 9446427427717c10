"""`db`: the database itself, the embedded one or one of your own."""

import os
from enum import StrEnum
from typing import Annotated

import typer

from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, say

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
