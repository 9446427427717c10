"""A home whose database is made and empty, to be copied: making one takes seconds of work, copying it a tenth of one.

It is made once a session, by whichever process of pytest-xdist comes first; the others wait for it. How a database is
made is for tests that begin without one.
"""

import fcntl
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from replayhouse.infra.postgres.connection import make_database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.read_models.preparing import prepare
from replayhouse.infra.runtime.settings import Settings

MEMORY = Path("/dev/shm")
ENOUGH_MEMORY = 4 * 2**30

# No machine crashes in a test: what a killed process has written is there, whether it is on disk or not.
UNSYNCED = "ALTER SYSTEM SET fsync = off"


def unsynced(conn: psycopg.Connection) -> None:
    """Makes a server quick, at the price of what a crash of the machine would cost."""
    conn.execute(UNSYNCED)
    conn.execute("SELECT pg_reload_conf()")


def has_memory() -> bool:
    """Whether there is plenty of memory for files."""
    return MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ENOUGH_MEMORY


@contextmanager
def quick_folder() -> Iterator[Path]:
    """A folder with a short path (sockets), in memory where there is plenty of it; it is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="replayhouse-", dir=MEMORY if has_memory() else None) as folder:
        yield Path(folder)


@contextmanager
def shared_folder(parent: Path, name: str, make: Callable[[Path], None]) -> Iterator[Path]:
    """A folder that all processes of a session share: made by the first who asks, removed by the last to leave."""
    folder, users, lock = (parent / f"{name}{suffix}" for suffix in ("", ".users", ".lock"))
    with _locked(lock):
        count = _number(users)
        if count == 0:
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
        users.write_text(str(count + 1))
    try:
        yield folder
    finally:
        with _locked(lock):
            users.write_text(str(_number(users) - 1))
            if _number(users) == 0:
                shutil.rmtree(folder)


def _number(path: Path) -> int:
    return int(path.read_text()) if path.exists() else 0


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def make_prepared(home: Path) -> None:
    """Makes such a home."""
    server = EmbeddedServer(home)
    try:
        database = make_database(Settings(home=home, database_url=None))
        with database.connect(autocommit=True) as conn:
            unsynced(conn)
            prepare(conn)
    finally:
        server.stop()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Path]:
    """The home of this session, whose server does not run."""
    own = tmp_path_factory.getbasetemp()
    with shared_folder(own if worker_id == "master" else own.parent, "prepared", make_prepared) as home:
        yield home


@pytest.fixture(scope="session")
def until_the_end() -> Iterator[ExitStack]:
    """What is put there is closed after the last test, however long that takes; later pytest-xdist kills us."""
    with ExitStack() as stack:
        yield stack


def furnish(home: Path, prepared: Path) -> None:
    """Gives a new home its database."""
    home.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", str(prepared / "postgres"), str(home / "postgres")], check=True)
