"""One command as a child process: its words as they come, its output within bounds, and never left behind.

Who is interrupted while a command is at work passes that on to it as SIGTERM, and waits until it is gone: the warehouse
is then free for the next one, and what was half done goes on when the same command is run again.
"""

import os
import queue
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, NamedTuple

LARGEST_OUTPUT = 16 * 2**20
"""Bytes of standard output; the largest document is some kilobytes."""

LONGEST_LINE = 2_000
"""Bytes that are passed on as one line."""

MOST_LINES = 1_000
"""So many lines of a command are passed on; its last ones are kept beside."""

_LAST_LINES = 20
_REST_S = 5.0
_READ_AT_ONCE = 65_536


class TooMuch(Exception):  # noqa: N818 - the name says what is the matter
    """The command has printed more than any of its documents is long."""


class Done(NamedTuple):
    """What became of a command."""

    code: int
    """As a shell has it of a process that ended by itself; negative, the signal that ended it."""
    out: bytes
    last_lines: Sequence[str]
    """Of standard error."""


class Child:
    """A running command. `run` is all there is to call."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], grace_s: float) -> None:
        self._grace_s = grace_s
        self._said: queue.Queue[str | None] = queue.Queue(maxsize=MOST_LINES)
        self._out = bytearray()
        self._is_too_much = False
        # A session of its own: what a terminal sends to all of its processes reaches the command once, through us.
        self._process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._readers = [
            threading.Thread(target=self._keep_output, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._pass_lines_on, args=(self._process.stderr,), daemon=True),
        ]

    def run(self, tell: Callable[[str], None]) -> Done:
        """Waits for the end of the command; `tell` is given each line of its standard error, in this thread.

        Raises TooMuch; and whatever interrupts the waiting, once the command has ended.
        """
        last: deque[str] = deque(maxlen=_LAST_LINES)
        count = 0
        try:
            for thread in (*self._readers, threading.Thread(target=self._wait, daemon=True)):
                thread.start()
            while (line := self._said.get()) is not None:
                count += 1
                last.append(line)
                if count <= MOST_LINES:
                    tell(line)
            if self._is_too_much:
                raise TooMuch
        except BaseException:
            self._end()
            raise
        if count > MOST_LINES:
            tell(f"{count - MOST_LINES:,} more lines are left out.")
        return Done(self._process.returncode, bytes(self._out), list(last))

    def _wait(self) -> None:
        """What the command has started, and what outlives it, may hold its output open: that is not waited for."""
        self._process.wait()
        for reader in self._readers:
            reader.join(_REST_S)
        self._said.put(None)

    def _end(self) -> None:
        """Asks the command to end, and waits; after the grace, or when interrupted again, it is killed.

        So is what is left of its processes; a database that it has started is none of them.
        """
        threading.Thread(target=self._listen_no_more, daemon=True).start()
        try:
            self._process.terminate()
            self._process.wait(self._grace_s)
        except subprocess.TimeoutExpired:
            pass
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _listen_no_more(self) -> None:
        while True:
            self._said.get()

    def _keep_output(self, stream: IO[bytes]) -> None:
        while piece := os.read(stream.fileno(), _READ_AT_ONCE):
            if len(self._out) + len(piece) > LARGEST_OUTPUT:
                self._is_too_much = True
                self._said.put(None)
                return
            self._out += piece

    def _pass_lines_on(self, stream: IO[bytes]) -> None:
        """A line that never ends is passed on in pieces."""
        while line := stream.readline(LONGEST_LINE):
            if text := line.decode("utf-8", "replace").strip():
                self._said.put(text)
