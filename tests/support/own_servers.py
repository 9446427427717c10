"""PostgreSQL servers that are not the embedded one: of an earlier version, with settings of their own, or a standby."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import IO
from unittest.mock import patch
from urllib.parse import quote

from psycopg import pq

from replayhouse.infra.postgres import os_account
from replayhouse.infra.postgres.connection import Database
from tests.support.folders import quick_folder

VERSION_16 = os_account.packaged_programs().parent.with_name("pginstall") / "bin"
"""The wheel brings PostgreSQL 16 too."""

LONGEST_START_S = 120.0


class OwnServer:
    """A server of a folder of its own."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.data = folder / "data"
        self._log = folder / "log"
        self._account = os_account.server_account(self.data)
        if not os_account._may_run(programs / "postgres", self._account):
            folder.chmod(0o755)
            with patch.object(os_account, "_SHARED_PROGRAMS", folder):
                programs = os_account._shared_copy(programs, self._account)
        self._programs = programs
        self._process: Popen[bytes] | None = None

    def make(self) -> None:
        """Makes the data folder."""
        self.data.mkdir(mode=0o700)
        self._hand_over()
        options = ("--username", "postgres", "--auth", "trust", "--no-sync", "--encoding", "UTF8", "--locale", "C")
        with self._log.open("ab") as told, self._run("initdb", options, told) as process:
            assert process.wait() == 0, self._log.read_text()

    def start(self, **settings: str) -> None:
        """It takes connections when this returns."""
        self._hand_over()
        given = {"listen_addresses": "", "unix_socket_directories": ".", "fsync": "off", **settings}
        with self._log.open("ab") as told:
            options = [part for name, value in given.items() for part in ("-c", f"{name}={value}")]
            self._process = self._run("postgres", options, told)
        deadline = time.monotonic() + LONGEST_START_S
        while pq.PGconn.ping(self.database("postgres").url.encode()) != pq.Ping.OK:
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, self._log.read_text()
            time.sleep(0.02)

    def stop(self) -> None:
        """Ends it, if it runs."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None

    def database(self, name: str) -> Database:
        return Database(f"postgresql://postgres@/{name}?host={quote(str(self.data), safe='')}")

    def _hand_over(self) -> None:
        if self._account.switched:
            for path in (self.data, *self.data.rglob("*")):
                os.chown(path, self._account.uid, self._account.gid)

    def _run(self, program: str, arguments: Sequence[str], told: IO[bytes]) -> Popen[bytes]:
        return Popen(
            [str(self._programs / program), "-D", "/proc/self/cwd" if self._account.switched else ".", *arguments],
            cwd=self.data,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            user=self._account.user,
            group=self._account.group,
            extra_groups=self._account.extra_groups,
            stdin=DEVNULL,
            stdout=told,
            stderr=told,
        )


@contextmanager
def an_own_server(programs: Path | None = None) -> Iterator[OwnServer]:
    """A server that is neither made nor started; it is gone afterwards."""
    with quick_folder() as folder:
        server = OwnServer(folder, programs or os_account.packaged_programs())
        try:
            yield server
        finally:
            server.stop()
