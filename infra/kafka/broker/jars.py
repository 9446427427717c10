"""The broker's jars: fetched once by Maven, kept in the user's cache in a folder named after the pom they come from.

Where Maven fetches them from is Maven's own configuration.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from replayhouse.infra.runtime.errors import Conflicting, Unreachable, UsageError

_POM = Path(__file__).with_name("pom.xml")
_LONGEST_FETCH_SECONDS = 600.0
_POLL_SECONDS = 0.1
_ERROR = re.compile(r"\[ERROR\] +(.+)")  # not always at the beginning of a line: Maven resets colours there
_OTHER_WAYS = (
    "Install it (on Debian: apt-get install openjdk-17-jre-headless maven), run the broker of docker-compose.yml, or "
    "point REPLAYHOUSE_KAFKA_BOOTSTRAP at a cluster of your own."
)


def java() -> str:
    """The path of `java`, by JAVA_HOME or PATH. Raises UsageError where there is none."""
    home = os.environ.get("JAVA_HOME")
    if home and (program := Path(home, "bin", "java")).is_file():
        return str(program)
    return _program("java", "Java 17 or newer")


def jars() -> Path:
    """The folder with the broker's jars, fetched (43 MB) where they are not there yet.

    Raises UsageError where Maven is missing, Unreachable where it cannot fetch them.
    """
    digest = hashlib.sha256(_POM.read_bytes()).hexdigest()[:16]
    cache = user_cache_path("replayhouse", appauthor=False)
    folder = cache / f"kafka-{digest}"
    if folder.exists():
        return folder
    maven = _program("mvn", "Maven, which fetches the broker,")
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with one_at_a_time(cache / "kafka.lock", _LONGEST_FETCH_SECONDS):
            if not folder.exists():
                _fetch(maven, folder)
    except OSError as error:
        raise UsageError(f"The folder {cache} cannot be used: {error.strerror}. Set XDG_CACHE_HOME.") from error
    return folder


def _fetch(maven: str, folder: Path) -> None:
    """Beside its place first, and moved there when it is complete."""
    for left in folder.parent.glob("unfinished-*"):  # by who was killed; we hold the lock
        shutil.rmtree(left, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder.parent))
    options = ["--quiet", "--batch-mode", "--strict-checksums", f"--file={_POM}"]
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={unfinished}"]
    try:
        done = subprocess.run(
            [maven, *options, *goal],
            cwd=unfinished,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_LONGEST_FETCH_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            told = _ERROR.search(done.stdout) or _ERROR.search(done.stderr)
            reason = told[1] if told else f"it exits with {done.returncode}"
            raise Unreachable(f"Maven could not fetch the broker: {reason.strip()}")
        unfinished.rename(folder)
    except subprocess.TimeoutExpired as error:
        raise Unreachable(f"Maven did not fetch the broker within {_LONGEST_FETCH_SECONDS:.0f} s.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _program(name: str, what: str) -> str:
    if found := shutil.which(name):
        return found
    raise UsageError(f"{what} is needed for the broker, and there is no program '{name}' on the PATH. {_OTHER_WAYS}")


@contextmanager
def one_at_a_time(lock: Path, longest: float) -> Iterator[None]:
    """Nobody else holds the lock file while the block runs; the kernel lets go of it if we die.

    Raises Conflicting if another one has it for `longest` seconds.
    """
    handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + longest
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Conflicting(f"Another command is at work on the broker ({lock}); try again later.") from None
                time.sleep(_POLL_SECONDS)
        yield
    finally:
        os.close(handle)
