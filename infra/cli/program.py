"""The program `replayhouse`: its commands, put together.

Nothing heavy is imported here or at the top of the modules of commands: `--help` and completion must answer at once.
"""

from functools import cache
from typing import Annotated

import typer
from typer.core import TyperGroup
from typer.main import get_command

from replayhouse.infra.cli import (
    audit,
    backups,
    compare,
    consume,
    customer,
    database,
    demo,
    export,
    extracts,
    kafka,
    loads,
    log,
    publish,
    quality,
    questions,
    read_models,
    replay,
    retract,
    revisions,
    serve,
    sources,
    status,
    tokens,
)
from replayhouse.infra.cli.options import example
from replayhouse.infra.cli.output import say, warn_in_lines
from replayhouse.infra.runtime.errors import UsageError

PROGRAM = "replayhouse"

app = typer.Typer(
    name=PROGRAM,
    help="A data warehouse you can replay: extracts become events, star schemas are folded from them.",
    epilog=example(
        "replayhouse demo",
        "replayhouse ingest extracts/2018-03.zip",
        "replayhouse status",
        "replayhouse COMMAND --help",
    ),
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

demo.register(app)
extracts.register(app)
loads.register(app)
retract.register(app)
status.register(app)
read_models.register(app)
replay.register(app)
export.register(app)
publish.register(app)
questions.register(app)
serve.register(app)
compare.register(audit.app)
app.add_typer(revisions.app)
app.add_typer(sources.app)
revisions.register(app)
consume.register(app)
backups.register(database.app)
app.add_typer(audit.app)
app.add_typer(quality.app)
app.add_typer(customer.app)
app.add_typer(database.app)
app.add_typer(kafka.app)
app.add_typer(tokens.app)
app.add_typer(log.app)


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        from importlib.metadata import version

        say(f"{PROGRAM} {version(PROGRAM)}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _program(
    context: typer.Context,
    is_version_wanted: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
    is_debugging: Annotated[
        bool,
        typer.Option(
            "--debug",
            help="Show a traceback with an error, and what ran on columns; may stand anywhere on the line.",
        ),
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        warn_in_lines(context.get_help())
        raise typer.Exit(UsageError.exit_code)


@cache
def command() -> TyperGroup:
    """All commands, put together once a process."""
    whole = get_command(app)
    assert isinstance(whole, TyperGroup)
    return whole
