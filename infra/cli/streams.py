"""The standard streams of the program: the one way to a terminal, which nothing from outside takes unseen.

Whatever is written is text in which every character is printable, but for the ends of lines. Letters that the encoding
of a stream lacks are escaped. Standard output that cannot be written, because its disk is full or it was closed, ends
the command with plain words; whoever reads it may leave when he has seen enough. Standard error is a courtesy: where
it cannot be written the command goes on. Where it is for machines, no text for people stands there.
"""

import inspect
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from typing import TextIO

from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.telemetry import happenings
from replayhouse.infra.telemetry.happenings import Happening, happened
from replayhouse.infra.telemetry.log_lines import place_of

READER_IS_GONE = 141
"""What a shell says of a program whose reader closed the pipe: 128 and the number of SIGPIPE."""

_PASSING_ON = (__name__, "replayhouse.infra.cli.output")

_FLAGS = (os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)  # who writes to a closed standard output is told so


class OutputLost(UsageError):  # noqa: N818 - the name says what is the matter
    """Standard output cannot be written."""


class ReaderIsGone(Exception):  # noqa: N818 - it is no error: the reader has seen enough
    """Whoever read standard output has closed it."""


def legible(text: str) -> str:
    """A text on one line: what would move a terminal's cursor, change its colours or hide letters is written out."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def prepare() -> None:
    """Three streams that escape what their encodings lack. One that was closed gets its number back, before a file or
    a connection takes it and is written to.
    """
    for number, flags in enumerate(_FLAGS):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, flags), True)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        assert isinstance(stream, TextIOWrapper)  # as the interpreter makes them
        stream.reconfigure(errors="backslashreplace")
    logging.lastResort = _OfLibraries(logging.WARNING)


class _OfLibraries(logging.Handler):
    """Takes what libraries log and nobody else takes: a line of each, without a traceback."""

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage().strip().partition("\n")[0]
        error = record.exc_info[0] if record.exc_info else None
        complain(legible(f"{said} ({error.__name__})" if error else said))


def is_unicode(stream: TextIO) -> bool:
    """Whether a stream takes every letter."""
    return (stream.encoding or "").lower().replace("-", "") == "utf8"


def is_terminal() -> bool:
    """Whether somebody looks at standard output as it comes."""
    return sys.stdout.isatty()


def write(text: str, *, at_once: bool = False) -> None:
    """Text for standard output. Raises OutputLost, and ReaderIsGone."""
    with _watched():
        sys.stdout.write(text)
        if at_once:
            sys.stdout.flush()


def write_exactly(data: bytes) -> None:
    """UTF-8 for standard output, whatever its encoding is. Raises OutputLost, and ReaderIsGone."""
    with _watched():
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
        else:
            sys.stdout.write(data.decode())


def flush() -> None:
    """Writes what is still held back of standard output. Raises OutputLost, and ReaderIsGone."""
    write("", at_once=True)


def are_for_machines() -> bool:
    """Whether standard error has lines of JSON: a place that has something to tell people is named there."""
    return happenings.is_anybody_listening()


def complain(text: str, stream: TextIO | None = None) -> None:
    """Legible lines for standard error, or what stands for it."""
    if are_for_machines():
        happened(Happening.PERSON_TOLD, place=_who_complains())
        return
    stream = stream or sys.stderr
    with suppress(OSError):
        stream.write(text + "\n")
        stream.flush()


def _who_complains() -> str:
    """The function that has said it, past those that only pass it on."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals.get("__name__") in _PASSING_ON:
        frame = frame.f_back
    return place_of(frame)


@contextmanager
def _watched() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        _let_go()
        raise ReaderIsGone from None
    except OSError as error:
        _let_go()
        raise OutputLost(
            f"Standard output cannot be written: {error.strerror}. What the command did until then is done."
        ) from error


def _let_go() -> None:
    """From now on what is written to standard output is dropped, also what the interpreter still holds of it."""
    with suppress(OSError, ValueError):
        number = sys.stdout.fileno()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, number)
        os.close(null)
