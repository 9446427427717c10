"""`replayhouse serve` as a process, and where it serves."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.homes import Command, Home, wait_until


def serving_at(command: Command) -> str:
    """The address that a server prints."""

    def printed() -> str:
        return command.printed().partition("http://")[2].partition(" ")[0]

    wait_until(lambda: bool(printed()) or not command.is_running())
    assert printed(), command.told()
    return f"http://{printed()}"


@contextmanager
def served(home: Home, *arguments: str, **settings: str) -> Iterator[tuple[Command, str]]:
    """The command on that home, and where it serves; at the end it is told to end, and has complained of nothing."""
    command = home.start("serve", "--port", "0", *arguments, **settings)
    try:
        yield command, serving_at(command)
        command.kill(signal.SIGTERM)
        done = command.result()
    finally:
        command.kill()
    assert (done.code, done.err) == (0, "")
