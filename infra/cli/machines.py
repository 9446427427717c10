"""What machines are told of a command, by log lines, a trace and metrics, where the environment asks for them."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from replayhouse.infra.cli.output import warn
from replayhouse.infra.runtime.errors import ReplayhouseError
from replayhouse.infra.telemetry import collector, log_lines
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.infra.telemetry.spans import Done, Work, handed, span

_SQLSTATE_LETTERS = 5
_METRICS_DIR = "REPLAYHOUSE_METRICS_DIR"


@contextmanager
def told_of(words: Sequence[str]) -> Iterator[Done]:
    """While the block runs a command, machines are told of it; whoever runs it says how it ended.

    Raises UsageError where a setting makes no sense.
    """
    begun = time.perf_counter()
    with _told_by_lines_and_spans(words) as done:
        yield done
        if os.environ.get(_METRICS_DIR):
            _leave_for_prometheus(words, done, time.perf_counter() - begun)


@contextmanager
def _told_by_lines_and_spans(words: Sequence[str]) -> Iterator[Done]:
    with ExitStack() as stack:
        writes, sends = log_lines.are_asked_for(), collector.is_named()
        if not (writes or sends):
            yield Done({})
            return
        if writes:
            stack.enter_context(log_lines.written())
        if sends:
            stack.enter_context(collector.told_of_spans(warn))
        _hand_on()
        command = _named(words)
        with span(Work.COMMAND, ends=Happening.COMMAND_ENDED, command=command) as done:
            happened(Happening.COMMAND_BEGUN, command=command)
            yield done


def _leave_for_prometheus(words: Sequence[str], done: Done, seconds: float) -> None:
    """Files that node_exporter reads. What goes wrong is told, and changes nothing about how the command ended."""
    from replayhouse.infra.cli.program import PROGRAM

    command = _named(words)
    if command == PROGRAM or "--help" in words:
        return
    try:
        from replayhouse.infra.application.api.warehouse import Warehouse  # an interrupt may have cut their imports off
        from replayhouse.infra.application.tell_prometheus import write_last_run
        from replayhouse.infra.runtime.metrics_settings import load_metrics_settings
        from replayhouse.infra.runtime.settings import load_settings

        folder = load_metrics_settings().dir
        assert folder is not None  # it is set
        write_last_run(folder, command, done.facts["exit_code"], seconds)
        Warehouse(load_settings()).write_metrics(folder)
    except ReplayhouseError as error:
        warn(f"Prometheus is told nothing of this command. {error}")
    except Exception as error:  # the command is done, and ends as it would have
        why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        warn(f"Prometheus is told nothing of this command: the files in {os.environ[_METRICS_DIR]} failed with {why}.")


def ended_by(done: Done, error: BaseException) -> None:
    """Notes the class of the error that ended a command, and what the database calls it; never its words."""
    done.tell(error=type(error).__name__)
    cause: BaseException | None = error
    while cause is not None:
        state = getattr(cause, "sqlstate", None)
        if isinstance(state, str) and len(state) == _SQLSTATE_LETTERS:
            done.tell(sqlstate=state)
            return
        cause = cause.__cause__


def _hand_on() -> None:
    from replayhouse.infra.runtime.subprocesses import hand_on

    hand_on(handed)


def _named(words: Sequence[str]) -> str:
    """The command that a line names, by its words: what else stands on the line may be anything."""
    from typer.core import TyperCommand, TyperGroup

    from replayhouse.infra.cli.program import PROGRAM, command

    found: TyperCommand | TyperGroup = command()
    named: list[str] = []
    for word in words:
        if not isinstance(found, TyperGroup) or word not in found.commands:
            break
        below = found.commands[word]
        assert isinstance(below, TyperCommand | TyperGroup)
        found = below
        named.append(word)
    return " ".join(named) or PROGRAM
