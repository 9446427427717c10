"""The log: what happens as lines of JSON on standard error, where REPLAYHOUSE_LOG=json asks for them.

A line is one object with the keys of `Facts` and of `ALWAYS`, and with none besides. While lines are written, nothing
else stands on standard error: what people would be told there, and what libraries and Python have to say, becomes
happenings that name the place in the code, and not its words, which may hold anything.
"""

import logging
import os
import sys
import threading
import warnings
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager, suppress
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, TextIO

from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.telemetry import happenings
from replayhouse.infra.telemetry.happenings import Happening, Level, happened

if TYPE_CHECKING:
    from structlog.typing import WrappedLogger

SETTING = "REPLAYHOUSE_LOG"
ALWAYS = ("time", "level", "event", "process", "trace", "span")
"""The keys beside those of `Facts`: the last two only where a trace is on."""

_to_the_end = ExitStack()
_LEVELS: dict[int, Level] = {logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}


def are_asked_for() -> bool:
    """Whether the environment asks for lines of JSON. Raises UsageError for what it cannot ask for."""
    value = os.environ.get(SETTING, "")
    if value not in ("", "text", "json"):
        raise UsageError(f"The setting {SETTING} makes no sense: it is text or json (got {value!r}).")
    return value == "json"


@contextmanager
def written(stream: TextIO | None = None) -> Iterator[None]:
    """While the block runs, all that happens in this process is a line of `stream`, by default standard error."""
    log = _lines(stream)

    def write(told: Mapping[str, Any]) -> None:
        said = dict(told)
        log.msg(said.pop("event"), **said)

    with ExitStack() as stack:
        happenings.listen(write)
        stack.callback(happenings.stop_listening, write)
        stack.enter_context(_taking_what_libraries_say())
        yield


def write_to_the_end() -> None:
    """The same for a process of a pool, to its end. It may be a fork of one that writes lines already."""
    if not happenings.is_anybody_listening():
        _to_the_end.enter_context(written())


def place_of(frame: FrameType | None) -> str:
    """The function of the program in which a frame is."""
    if frame is None:
        return "unknown"
    return f"{frame.f_globals.get('__name__', '')}.{frame.f_code.co_qualname}".removeprefix("replayhouse.")


class _Lines:
    """Writes whole lines, one at a time, also of several threads; where that cannot be, the work goes on."""

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        self._lock = threading.Lock()  # nobody holds it in a fork: processes with threads are not forked

    def msg(self, line: str) -> None:
        stream = self._stream or sys.stderr
        with self._lock, suppress(OSError, ValueError):
            stream.write(line + "\n")
            stream.flush()


def _lines(stream: TextIO | None) -> "WrappedLogger":
    import structlog

    def who(_log: object, _method: str, said: MutableMapping[str, Any]) -> dict[str, Any]:
        first = {key: said.pop(key) for key in ("time", "level", "event")}
        return {**first, "process": os.getpid(), **said}

    return structlog.wrap_logger(
        _Lines(stream),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            who,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.BoundLogger,
    )


@contextmanager
def _taking_what_libraries_say() -> Iterator[None]:
    """What libraries log from warnings on, Python's warnings, and errors that end a thread or meet nobody."""
    root, handler = logging.getLogger(), OfLibraries(logging.WARNING)
    before = warnings.showwarning, threading.excepthook, sys.excepthook, sys.unraisablehook
    root.addHandler(handler)
    warnings.showwarning = _warned
    threading.excepthook = lambda told: _ended(told.exc_type, told.exc_traceback)
    sys.excepthook = lambda kind, _, trace: _ended(kind, trace)
    sys.unraisablehook = lambda told: _ended(told.exc_type, told.exc_traceback)
    try:
        yield
    finally:
        warnings.showwarning, threading.excepthook, sys.excepthook, sys.unraisablehook = before
        root.removeHandler(handler)


class OfLibraries(logging.Handler):
    """Makes happenings of what is logged: by whom, where and how grave it is."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tells of one record."""
        level = _LEVELS.get(record.levelno, "error" if record.levelno > logging.WARNING else "info")
        place = f"{record.module}.{record.funcName}"
        if record.exc_info and record.exc_info[0] is not None:
            error = record.exc_info[0].__name__
            happened(Happening.LIBRARY_LOGGED, level, logger=record.name, place=place, error=error)
        else:
            happened(Happening.LIBRARY_LOGGED, level, logger=record.name, place=place)


def _warned(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    happened(Happening.LIBRARY_LOGGED, logger="warnings", error=category.__name__)


def _ended(kind: type[BaseException], trace: TracebackType | None) -> None:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = place_of(trace.tb_frame if trace is not None else None)
    happened(Happening.LIBRARY_LOGGED, "error", logger="python", place=place, error=kind.__name__)
