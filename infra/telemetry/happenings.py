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

    RETRACTION_BEGUN = "retraction.begun", "A load is being taken back, or that goes on."
    RETRACTION_ENDED = "retraction.ended", "A load was taken back."
    ROW_RELEASED = "row.released", "A record that was kept apart was let in."
    ROW_DISCARDED = "row.discarded", "A record that was kept apart was given up."
    ERASURE_DONE = "erasure.done", "The keys of a person's data were destroyed; of whom, only the log says."

    CONTEXT_CAUGHT_UP = "read_model.caught_up", "The read model of a context is at the head of the log."
    STREAMS_PARKED = "read_model.streams_parked", "Streams could not be folded, and keep their rows.", "warning"
    REVISION_SWAPPED = "revision.swapped", "A rebuilt read model took the place of the live one."
    REVISION_REVERTED = "revision.reverted", "An earlier revision of a read model is live again."
    MARTS_MADE = "marts.made", "The marts show what the read models do."
    MOMENT_MADE = "moment.made", "Read models of a moment stand beside the live ones."
    ANSWERS_MADE = "answers.made", "All questions were answered, and the answers kept."
    CLICKHOUSE_CAUGHT_UP = (
        "clickhouse.caught_up",
        "The read model of a context in ClickHouse shows what was new.",
    )

    VERIFICATION_ENDED = (
        "verification.ended",
        "A log was verified; an error if it does not hold, at `position`.",
    )
    CHECKPOINT_SIGNED = "checkpoint.signed", "The head of the chain was signed."
    BACKUP_MADE = "backup.made", "A backup was written."
    BACKUP_RESTORED = "backup.restored", "A backup was restored."
    BACKUP_DRILLED = "backup.drilled", "A backup came back as it was made, in a throw-away warehouse."
    LOG_SEALED = "log.sealed", "The log was sealed into segments."
    EXPORT_MADE = "export.made", "An export was written, or stands as it was."
    REPLAY_DONE = "replay.done", "A sealed log was folded into files."

    RELAY_OPENED = "relay.opened", "A relay publishes from `position` on."
    RELAY_PUBLISHED = "relay.published", "A relay has published a window of events."
    RELAY_FENCED = "relay.fenced", "Another relay has taken over, and this one ends.", "warning"
    RELAY_WAITING = "relay.waiting", "A service is away; the relay waits for it.", "warning"
    RELAY_ENDED = "relay.ended", "A relay is done, or was told to end."

    SERVER_LISTENING = "server.listening", "The server can be asked."
    REQUEST_FAILED = "request.failed", "A request was answered with a status of 500 or more.", "error"
    DOOR_KEPT = "door.kept", "Somebody logged in or out, or was refused; who, only standard error for people says."


class Facts(TypedDict, total=False):
    """What may be said of something that happened. The comment beside a key is what the documentation says of it."""

    load: UUID  # the id of a load: its batch
    context: str  # a bounded context
    goes_on: bool  # whether it was begun before, and goes on
    command: str  # a command, by its words
    exit_code: int  # of a command
    address: str  # that a server listens on
    method: str  # of a request
    route: str  # of a request, with names in the place of what stands in its path
    status: int  # with which a request was answered
    door: str  # what came of it: logged in, refused
    holds: bool  # whether what was verified is as it was recorded
    relay: str  # a relay: its context, or `sales.state`
    revision: int  # a revision of a read model
    error: str  # the class of an error
    sqlstate: str  # what the database calls an error
    place: str  # the function of the program, or of a library, that had something to say
    logger: str  # the logger of a library
    spans: int  # how many spans
    events: int  # how many events it was
    rows: int  # how many records or rows
    streams: int  # how many streams
    bytes: int  # how many bytes
    made: int  # how many answers were made now
    kept: int  # how many answers were there
    failed: int  # how many questions could not be answered
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
    told: dict[str, Any] = {"event": what.value, "level": level or _level(what, facts)}
    told.update((key, plain(value)) for key, value in facts.items() if key in _KEYS)
    told.update(trace_context.ids())
    for listener in tuple(_listeners):
        listener(told)


def _level(what: Happening, facts: Facts) -> Level:
    return "error" if facts.get("exit_code", 0) != 0 or not facts.get("holds", True) else what.level


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
