"""What machines are told of a command, by log lines and a trace, where the environment asks for either."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from replayhouse.infra.cli.output import warn
from replayhouse.infra.telemetry import collector, log_lines
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.infra.telemetry.spans import Done, Work, handed, span

_SQLSTATE_LETTERS = 5


@contextmanager
def told_of(words: Sequence[str]) -> Iterator[Done]:
    """While the block runs a command, machines are told of it; whoever runs it says how it ended.

    Raises UsageError where a setting makes no sense.
    """
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
            done.level = "error" if done.facts.get("exit_code") else "info"


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
