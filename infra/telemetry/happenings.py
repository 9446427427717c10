"""What happens in the program, as it is told to machines: each thing by its name, and what may be said of it.

This is the one list of both. Whoever does something calls `happened`; where nobody listens that costs nothing. What may
be said is numbers, ids of loads and words of the program's own: never a cell, a name that somebody gave, a path, an id
of a person, or the text of an error, any of which may hold what is personal. `docs/telemetry.md` shows both lists.
"""

from collections.abc import Callable, Mapping
from enum import Enum, StrEnum
from typing import Any, Literal, Self, TypedDict, Unpack
from uuid import UUID

from replayhouse.infra.telemetry import trace_context
from replayhouse.infra.telemetry.trace_context import Value

Level = Literal["info", "warning", "error"]


class Happening(StrEnum):
    """What may happen, by its name; `meaning` says when it has, `level` how much it matters."""

    meaning: str
    level: Level

    def __new__(cls, name: str, meaning: str = "", level: Level = "info") -> Self:
        """Makes a member."""
        happening = str.__new__(cls, name)
        happening._value_ = name
        happening.meaning = meaning
        happening.level = level
        return happening

    COMMAND_BEGUN = "command.begun", "A command was read and begins."
    COMMAND_ENDED = "command.ended", "A command ended with its exit code; an error where that is not 0."
    PERSON_TOLD = "person.told", "Somebody should know something: `place` has it said.", "warning"
    LIBRARY_LOGGED = "library.logged", "A library, or Python, has something to say: `place` of `logger`.", "warning"
    TRACES_LOST = "traces.lost", "Spans of a command did not reach the collector.", "warning"

    LOAD_OPENED = "load.opened", "A load was opened, or goes on where a killed one was."
    LOAD_QUARANTINED = "load.quarantined", "Records of a load were kept apart."
    LOAD_CHUNK_APPENDED = "load.chunk_appended", "A chunk of a load was committed."
    LOAD_COMPLETED = "load.completed", "A load is complete."
    LOAD_REJECTED = "load.rejected", "An extract was not believable: nothing of it became an event.", "warning"
    LOAD_UNCHANGED = "load.unchanged", "The newest load had brought the very same files."

    CONTEXT_CAUGHT_UP = "read_model.caught_up", "The read model of a context is at the head of the log."


class Facts(TypedDict, total=False):
    """What may be said of something that happened. The comment beside a key is what the documentation says of it."""

    load: UUID  # the id of a load: its batch
    context: str  # a bounded context
    goes_on: bool  # whether it was begun before, and goes on
    command: str  # a command, by its words
    exit_code: int  # of a command
    error: str  # the class of an error
    sqlstate: str  # what the database calls an error
    place: str  # the function of the program, or of a library, that had something to say
    logger: str  # the logger of a library
    spans: int  # how many spans
    events: int  # how many events it was
    rows: int  # how many records or rows
    position: int  # a position of the log
    score: float  # the quality score of a load, of 100
    reasons: int  # how many reasons a load was rejected for
    seconds: float  # how long it took


Listener = Callable[[Mapping[str, Any]], None]
"""Takes one thing that happened: its `event` and `level`, and what is said of it, all of which JSON can hold."""

_KEYS = frozenset(Facts.__annotations__)
_SHOWN_DIGITS = 3

_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """From now on it is told of everything that happens in this process."""
    _listeners.append(listener)


def stop_listening(listener: Listener) -> None:
    """It is told of nothing any more."""
    _listeners.remove(listener)


def is_anybody_listening() -> bool:
    """Whether what happens is told to anybody."""
    return bool(_listeners)


def happened(what: Happening, level: Level | None = None, **facts: Unpack[Facts]) -> None:
    """Tells whoever listens that something happened. `level`: where it matters more, or less, than usual."""
    if not _listeners:
        return
    told: dict[str, Any] = {"event": what.value, "level": level or what.level}
    told.update((key, plain(value)) for key, value in facts.items() if key in _KEYS)
    told.update(trace_context.ids())
    for listener in tuple(_listeners):
        listener(told)


def plain(value: object) -> Value:
    """A fact as JSON and OpenTelemetry take it."""
    match value:
        case Enum():
            return str(value.value)
        case float():
            return round(value, _SHOWN_DIGITS)
        case UUID():
            return str(value)
        case str() | int():  # and bool
            return value
    raise TypeError(f"a {type(value).__name__} is no fact")
