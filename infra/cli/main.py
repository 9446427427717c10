"""The program `replayhouse`: its commands, put together, and what becomes of their errors.

Nothing heavy is imported here or at the top of the modules of commands: `--help` and completion must answer at once.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from functools import cache
from typing import Annotated

import typer
from typer.core import TyperGroup
from typer.main import get_command

from infra.cli import (
    audit,
    backups,
    compare,
    consume,
    customer,
    database,
    demo,
    extracts,
    kafka,
    loads,
    publish,
    quality,
    read_models,
    retract,
    revisions,
)
from infra.cli.options import example
from infra.cli.output import print_json, say, warn
from infra.errors import ReplayhouseError

PROGRAM = "replayhouse"
WRONG_USAGE = 2
INTERRUPTED = 130

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
read_models.register(app)
publish.register(app)
compare.register(audit.app)
app.add_typer(revisions.app)
revisions.register(app)
consume.register(app)
backups.register(database.app)
app.add_typer(audit.app)
app.add_typer(quality.app)
app.add_typer(customer.app)
app.add_typer(database.app)
app.add_typer(kafka.app)


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
        bool, typer.Option("--debug", help="Show a traceback with an error; may stand anywhere on the line.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        warn(context.get_help())
        raise typer.Exit(WRONG_USAGE)


def main() -> None:
    """Runs the command of this process' arguments and exits with its code."""
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough; the interpreter would complain when it flushes again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Runs a command; returns 0 done, 1 the answer is no, 2 wrong usage, 3 a service is away, 4 a conflict.

    Errors are told in plain sentences on standard error, and with `--json` as a document on standard output.
    """
    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    wants_json, is_debugging = "--json" in ours, "--debug" in ours
    words = [word for word in ours if word != "--debug"] + list(arguments[len(ours) :])
    try:
        outcome = command().main(args=words, prog_name=PROGRAM, standalone_mode=False)
        code = outcome if isinstance(outcome, int) else 0
        if code == INTERRUPTED:
            warn("Interrupted.")
        return code
    except Exception as error:
        if is_debugging:
            traceback.print_exc()
        message, code = _told(error)
        warn(message)
        if wants_json:
            print_json({"error": message})
        return code


@cache
def command() -> TyperGroup:
    """All commands, put together once a process."""
    whole = get_command(app)
    assert isinstance(whole, TyperGroup)
    return whole


def _told(error: Exception) -> tuple[str, int]:
    """An error in plain sentences, and the exit code that goes with it."""
    if isinstance(error, ReplayhouseError):
        return str(error), error.exit_code
    if isinstance(error, typer.TyperException):
        message = error.format_message().replace("Value error, ", "").strip().rstrip(".")
        path = context.command_path if (context := getattr(error, "ctx", None)) else PROGRAM
        return f"{message}. See '{path} --help'.", WRONG_USAGE
    if isinstance(error, OSError) and error.strerror:
        place = f" ({error.filename})" if error.filename else ""
        return f"The system refused what this command needs: {error.strerror}{place}.", WRONG_USAGE
    lines = str(error).strip().splitlines()
    gist = f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__
    return f"Something went wrong that nobody expected: {gist}. With --debug the same command shows where.", 1
