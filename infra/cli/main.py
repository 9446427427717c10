"""Where the program starts, and what becomes of its errors.

Nothing is imported at the top that takes time: a command may be interrupted from its first moment on.
"""

import atexit
import errno
import os
import signal
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from replayhouse.infra.telemetry.spans import Done

INTERRUPTED = 130

_MEMORY_IS_FULL = (
    "The memory is full: make room, or have fewer processes share the work (REPLAYHOUSE_WORKERS), and run the same "
    "command again."
)

_interrupts: list[int] = []
"""The signals by which this process was interrupted."""


def main() -> None:
    """Runs the command of this process' arguments and exits with its code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # a shell's background job ignores it
        signal.signal(signal.SIGINT, _interrupt)
    try:
        from replayhouse.infra.cli import streams
        from replayhouse.infra.runtime import interrupts
        from replayhouse.infra.runtime.data_frames import leave_data_frames_out

        streams.prepare()  # before anything else is opened
        leave_data_frames_out()
        interrupts.listen()
        code = run(sys.argv[1:])
        if code != INTERRUPTED:
            _wind_up()
    except KeyboardInterrupt:
        code = INTERRUPTED
    # The interpreter is not taken apart: that took a quarter of the time of a small command. In the middle of its work
    # it would also tell of it, and so would DuckDB's binding.
    os._exit(code)


def _wind_up() -> None:
    """What the interpreter does at the end of a program before it takes itself apart."""
    import threading

    threading._shutdown()  # type: ignore[attr-defined] # waits for threads that are no daemons
    atexit._run_exitfuncs()


def _interrupt(number: int, _frame: object) -> None:
    _interrupts.append(number)
    raise KeyboardInterrupt


def run(arguments: Sequence[str]) -> int:
    """Runs a command; returns 0 done, 1 the answer is no, 2 wrong usage, 3 a service is away, 4 a conflict.

    Errors are told in plain sentences on standard error, and with `--json` as a document on standard output. What is
    said on standard output is written when this returns.
    """
    from replayhouse.infra.cli import machines
    from replayhouse.infra.runtime import column_folds
    from replayhouse.infra.runtime.errors import UsageError

    ours = arguments[: arguments.index("--")] if "--" in arguments else arguments
    wants_json, is_debugging = "--json" in ours, "--debug" in ours
    words = [word for word in ours if word != "--debug"] + list(arguments[len(ours) :])
    column_folds.taken()  # what an earlier command of this process has noted
    try:
        with machines.told_of(words) as done:
            code = _run(words, done, wants_json=wants_json, is_debugging=is_debugging)
            if is_debugging:
                _show_columns()
            code = _flushed(code, done)
            done.tell(exit_code=code)
        return code
    except UsageError as error:  # of a setting: what goes wrong in the command is told inside
        return _flushed(_told(error, None, wants_json=wants_json), None)


def _run(words: Sequence[str], done: "Done", *, wants_json: bool, is_debugging: bool) -> int:
    from replayhouse.infra.cli.streams import READER_IS_GONE, OutputLost, ReaderIsGone

    try:
        from replayhouse.infra.cli.program import PROGRAM, command

        outcome = command().main(args=words, prog_name=PROGRAM, standalone_mode=False)
        code = outcome if isinstance(outcome, int) else 0
        if code == INTERRUPTED:
            _say_interrupted()
        return code
    except ReaderIsGone:
        return READER_IS_GONE
    except OutputLost as error:
        return _told(error, done, wants_json=False)
    except KeyboardInterrupt:
        _say_interrupted()
        return INTERRUPTED
    except Exception as error:
        if _interrupts:  # some libraries answer an interrupt with an error of their own
            _say_interrupted()
            return INTERRUPTED
        if is_debugging:
            _show_traceback()
        return _told(error, done, wants_json=wants_json)


def _flushed(code: int, done: "Done | None") -> int:
    """The exit code, once all that was said is written: another one where that could not be."""
    from replayhouse.infra.cli import streams

    try:
        streams.flush()
    except streams.ReaderIsGone:
        pass
    except streams.OutputLost as error:
        return _told(error, done, wants_json=False)
    return code


def _say_interrupted() -> None:
    from replayhouse.infra.cli.output import warn

    warn("Interrupted.")


def _show_traceback() -> None:
    import traceback

    from replayhouse.infra.cli.output import warn

    warn(*traceback.format_exc().splitlines())


def _show_columns() -> None:
    """Of each context, and of a load, what ran on columns and what one by one, and why."""
    from replayhouse.infra.cli.output import warn
    from replayhouse.infra.runtime import column_folds

    for what, counts in column_folds.taken().items():
        alone = counts.few + counts.odd + counts.beyond
        why = f"few {counts.few:,}, odd {counts.odd:,}, beyond {counts.beyond:,}"
        warn(f"On columns: {what} {counts.streams:,} in runs {counts.runs:,}; one by one {alone:,} ({why})")
        if counts.error:
            warn(f"  the first beyond: {counts.error}")


def _told(error: Exception, done: "Done | None", *, wants_json: bool) -> int:
    """Tells of an error, and returns the exit code that goes with it."""
    from replayhouse.infra.cli import machines
    from replayhouse.infra.cli.output import print_json, warn
    from replayhouse.infra.cli.streams import are_for_machines

    message, then, code = _in_words(error)
    if done is not None:
        machines.ended_by(done, error)
    if not are_for_machines():  # which are told how the command ended
        warn(message, *then)
    if wants_json:
        print_json({"error": "\n".join((message, *then))})
    return code


def _in_words(error: Exception) -> tuple[str, Sequence[str], int]:
    """An error in plain sentences, the lines that follow it, and its exit code."""
    import typer

    from replayhouse.infra.cli.program import PROGRAM
    from replayhouse.infra.runtime.errors import ReplayhouseError, UsageError

    if isinstance(error, ReplayhouseError):
        return str(error), error.then, error.exit_code
    if isinstance(error, typer.TyperException):
        message = " ".join(error.format_message().replace("Value error, ", "").split()).rstrip(".")
        path = context.command_path if (context := getattr(error, "ctx", None)) else PROGRAM
        if getattr(error, "option_name", None) == "--json":
            message = "--json stands after the command, where that has an answer in JSON"
        if getattr(error, "option_name", None) == "--rows":
            message = "--rows takes KEY and COLUMN, as in --rows 2017-11 late: the first cell of a row, and a column"
            path = f"{PROGRAM} ask"
        ending = "" if message.endswith("?") else "."
        return f"{message}{ending} See '{path} --help'.", (), UsageError.exit_code
    if isinstance(error, MemoryError):
        return _MEMORY_IS_FULL, (), UsageError.exit_code
    if isinstance(error, OSError) and error.strerror:
        place = f" ({error.filename})" if error.filename else ""
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return f"The disk is full{place}: make room, and run the same command again.", (), UsageError.exit_code
        return f"The system refused what this command needs: {error.strerror}{place}.", (), UsageError.exit_code
    lines = str(error).strip().splitlines()
    gist = f"{type(error).__name__}: {lines[0].rstrip('.')}" if lines else type(error).__name__
    return f"Something went wrong that nobody expected: {gist}. With --debug the same command shows where.", (), 1
