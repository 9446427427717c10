"""Places of keys for tests of Spark: what executors come upon when they look keys up.

Executors import this module by PYTHONPATH, and the program from the file that was sent to them.
"""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import replayhouse
from replayhouse.infra.event_store.known_keys import KeysOf
from replayhouse.infra.replaying.keys import KeysFrom
from replayhouse.infra.runtime.errors import Unreachable

ROOT = Path(__file__).parents[2]

_LOOK_SECONDS = 0.02


class Begun(NamedTuple):
    """A task that has begun: the process that does it, in which folder, and where that has the program from."""

    pid: int
    folder: str
    program: str


@dataclass(frozen=True)
class Waiting:
    """Keys that are not to be had before the gate is `open`; meanwhile each task notes that it has begun."""

    place: Path
    keys: KeysFrom

    @contextmanager
    def opened(self) -> Iterator[KeysOf]:
        """Notes, waits, and opens the keys."""
        self._note(json.dumps(Begun(os.getpid(), os.getcwd(), str(replayhouse.__file__))))
        while not (self.place / "open").exists():
            time.sleep(_LOOK_SECONDS)
        with self.keys.opened() as keys_of:
            yield keys_of

    def begun(self) -> list[Begun]:
        """The tasks that have begun until now."""
        return [Begun(*json.loads(path.read_text("utf-8"))) for path in self.place.glob("begun-*")]

    def open(self) -> None:
        """Whoever waits goes on."""
        (self.place / "open").touch()

    def _note(self, text: str) -> None:
        unfinished = self.place / f"unfinished-{os.getpid()}"
        unfinished.write_text(text, "utf-8")
        unfinished.rename(self.place / f"begun-{os.getpid()}-{time.monotonic_ns()}")


@dataclass(frozen=True)
class AwayAtFirst:
    """Keys that cannot be reached the first time that somebody asks."""

    place: Path
    keys: KeysFrom

    @contextmanager
    def opened(self) -> Iterator[KeysOf]:
        """Raises Unreachable once."""
        try:
            (self.place / "asked").touch(exist_ok=False)
        except FileExistsError:
            with self.keys.opened() as keys_of:
                yield keys_of
        else:
            raise Unreachable("The keys are away.")
