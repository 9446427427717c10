"""The installed program on a terminal."""

import os
import pty
import subprocess

from tests.support.cli import PROGRAM, TIMEOUT_S, Program


def on_a_terminal(program: Program, *arguments: str, **settings: str) -> str:
    """What a command writes to a terminal, with its control sequences; `settings` add to the program's, as COLUMNS."""
    ours, theirs = pty.openpty()
    environment = program.environment | {"TERM": "xterm-256color"} | settings
    process = subprocess.Popen([PROGRAM, *arguments], env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    written = b""
    try:
        while block := os.read(ours, 65_536):
            written += block
    except OSError:  # how Linux tells that nobody has the terminal open any more
        assert written
    finally:
        os.close(ours)
    assert process.wait(TIMEOUT_S) == 0, written.decode()
    return written.decode().replace("\r\n", "\n")
