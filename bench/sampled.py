"""A command of the program, in this process, with its stack looked at every few milliseconds: where the time goes.

    python -m bench.sampled RESULT.json ingest PATH --json

Each look counts for the innermost frame of the program's own code, by the rules below; the domain's frames count for
who called them, and time in the driver counts as the database's. With REPLAYHOUSE_WORKERS=1 this process does it all.
"""

import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

ROOT = Path(__file__).parents[1]
INTERVAL_SECONDS = 0.005
DRIVER = ("/psycopg/", "/psycopg_binary/", "/psycopg_pool/")

READING = "reading events from the log"
DATABASE = "sending COPY, waiting for PostgreSQL"
REST = "the rest"

RULES = (
    ("infra/staging/", "", "reading and comparing the extract"),
    ("infra/staging/work.py", "", "planning, bringing rows together"),
    ("infra/event_store/serialization/", "", "encoding or decoding events"),
    ("infra/read_models/stream_source.py", "", READING),
    ("infra/read_models/stream_reader.py", "", "encoding or decoding events"),
    ("infra/read_models/copy_text.py", "", "writing COPY lines"),
    ("infra/event_store/event_encoding.py", "copy", DATABASE),
    ("infra/event_store/event_encoding.py", "", "hashing"),
    ("infra/event_store/merkle.py", "", "hashing"),
    ("projections/digest.py", "", "hashing"),
    ("projections/", "", "folding"),
    ("ingest/", "", "deciding"),
)
"""Path, name of the function (any if empty), and what that is; the first one that fits."""


class Sampler:
    """Looks at the main thread from a thread of its own."""

    def __init__(self) -> None:
        self.looks: Counter[str] = Counter()
        self._main = threading.main_thread().ident
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """From now on."""
        self._thread.start()

    def stop(self) -> None:
        """Until now."""
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(INTERVAL_SECONDS):
            frame = sys._current_frames().get(self._main or 0)
            if frame is not None:
                self.looks[_doing(frame)] += 1


def _doing(frame: FrameType) -> str:
    is_in_driver = False
    for path, function in _outwards(frame):
        if any(driver in path for driver in DRIVER):
            is_in_driver = True
        elif path.startswith(f"{ROOT}/") and "/site-packages/" not in path:
            within = path.removeprefix(f"{ROOT}/")
            if not within.startswith("domain/"):
                doing = _named(within, function)
                return DATABASE if is_in_driver and doing != READING else doing
    return REST


def _outwards(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_code.co_name
        frame = frame.f_back


def _named(path: str, function: str) -> str:
    for start, name, doing in RULES:
        if path.startswith(start) and name in ("", function):
            return doing
    return REST


def main() -> int:
    from replayhouse.infra.cli.main import run

    result, *arguments = sys.argv[1:]
    sampler = Sampler()
    begun = time.perf_counter()
    sampler.start()
    code = run(arguments)
    sampler.stop()
    seconds = time.perf_counter() - begun
    looks = sum(sampler.looks.values()) or 1
    shares = {doing: count / looks * seconds for doing, count in sampler.looks.most_common()}
    Path(result).write_text(json.dumps(shares))
    return code


if __name__ == "__main__":
    sys.exit(main())
