"""`db`: the database itself, the embedded one or one of your own."""

import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.cli.options import Json, example
from replayhouse.infra.cli.output import print_json, say
from replayhouse.infra.runtime.errors import UsageError

if TYPE_CHECKING:
    from replayhouse.infra.postgres.connection import Database
    from replayhouse.infra.postgres.embedded import EmbeddedServer
    from replayhouse.infra.runtime.settings import Settings

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
    from replayhouse.infra.postgres.connection import make_database
    from replayhouse.infra.runtime.settings import load_settings

    settings = load_settings()
    if settings.database_url is not None and listen is None:
        database = make_database(settings)
        _give_roles_their_rights(database)
        if json:
            print_json({"running": True, "data": None, "url": database.url_to_show, "listen": None})
        else:
            say(f"There is a warehouse in the database {database.place}.")
        return
    server = _embedded(settings)
    if listen is not None:
        server.listen(listen)
    url = make_database(settings).url
    if json:
        print_json({"running": True, "data": str(server.data), "url": url, "listen": listen})
        return
    say(f"The database is running; its data is in {server.data}.")
    if listen:
        say(f"BI tools reach it on 127.0.0.1:{listen}: replayhouse db url --role reader")


def _give_roles_their_rights(database: "Database") -> None:
    """Somebody may have made the roles since; where nobody has, says what is missing."""
    from replayhouse.infra.cli.output import warn_in_lines
    from replayhouse.infra.postgres.connection import translated
    from replayhouse.infra.postgres.roles import complete

    with database.connect("replayhouse db start", autocommit=True) as connection, translated():
        missing = complete(connection)
        if missing is not None:
            warn_in_lines(missing.recipe)


@app.command(epilog=example("replayhouse db stop"))
def stop(json: Json = False) -> None:
    """Stop the embedded database.

    Connections to it end; nothing that was committed is lost.
    """
    from replayhouse.infra.runtime.settings import load_settings

    was_running = _embedded(load_settings()).stop()
    if json:
        print_json({"running": False, "stopped": was_running})
        return
    say("The database has stopped." if was_running else "The database was not running.")


@app.command(epilog=example("replayhouse db url", 'psql "$(replayhouse db url --role reader)"'))
def url(role: RoleOption = Role.ADMINISTRATOR, json: Json = False) -> None:
    """Print a libpq URL, on one line.

    Any client on this machine can use it at once: the embedded database is started where it does not run. Where
    there is no warehouse, none is made.
    """
    from replayhouse.infra.postgres.session import for_other_programs

    found = for_other_programs(_url_of(role))
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
    from replayhouse.infra.postgres.connection import Database
    from replayhouse.infra.postgres.pg_tools import environment, program
    from replayhouse.infra.runtime.settings import load_settings

    is_own = load_settings().database_url is not None
    url = _url_of(Role.ADMINISTRATOR if is_own else role)
    with Database(url).connect("replayhouse db psql") as connection:
        server = connection.info.server_version // 10_000
    found = environment(url, server)
    found["PGOPTIONS"] += f" -c search_path={','.join((*CONTEXTS, 'shared', 'mart'))}"
    if is_own and role is Role.READER:
        found["PGOPTIONS"] += " -c default_transaction_read_only=on"
    path = str(program("psql", server))
    # All of it in the environment, for on the command line every user of the machine could read the password.
    os.execve(path, [path, *context.args], found)


def _url_of(role: Role) -> str:
    from replayhouse.infra.postgres.connection import open_database
    from replayhouse.infra.runtime.settings import load_settings

    settings = load_settings()
    if role is Role.READER:
        server = _embedded(settings)
        open_database(settings)
        return server.url("reader")
    return open_database(settings).url


def _embedded(settings: "Settings") -> "EmbeddedServer":
    """The embedded server. Raises UsageError where REPLAYHOUSE_DATABASE_URL names another one."""
    from replayhouse.infra.postgres.embedded import EmbeddedServer

    if settings.database_url is not None:
        raise UsageError(
            "REPLAYHOUSE_DATABASE_URL names a database of your own: start it, stop it and make its readers there, "
            "or unset the variable to use the embedded one."
        )
    return EmbeddedServer(settings.home)
