"""The embedded PostgreSQL: real server programs from a wheel, data under the home folder, no TCP unless asked for.

One server per home. It outlives the command that started it and is shared by all that follow; a file lock settles who
starts it. Its Unix socket stands in the data folder, which only its owner (and root) can enter, so the socket needs no
password; over TCP, on the loopback interface only, the reader's role alone is let in, by password.
"""

import fcntl
import hashlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import psycopg
from psycopg import pq, sql

from replayhouse.infra.postgres import askers, reader, session
from replayhouse.infra.postgres.os_account import Account, programs, server_account
from replayhouse.infra.postgres.postmaster import DEFAULT_PORT, Postmaster, postmaster_of, serves
from replayhouse.infra.runtime.errors import Conflicting, Unreachable, UsageError
from replayhouse.infra.runtime.files import writing

Role = Literal["administrator", "reader"]

DATABASE = "replayhouse"
ADMINISTRATOR = "postgres"

_PREPARED = "replayhouse.prepared.2"  # in the data folder: the database exists, and readers only read there
_LISTEN = "listen_port"  # in the home: the port for BI tools, 0 where they are not let in any more
_LONGEST_SOCKET_PATH = 103  # bytes; Linux allows 107, macOS 103
_LONGEST_START_SECONDS = 300.0  # recovery after a crash may have gigabytes of WAL to read
_LONGEST_STOP_SECONDS = 60.0
_LONGEST_HANDOVER_SECONDS = 15.0  # children of a killed server leave its shared memory within seconds
_LONGEST_ANSWER_SECONDS = 10
_SMALL_SHARED_MEMORY = 512 * 2**20  # containers give /dev/shm 64 MB, too little for parallel queries
_LARGE_LOG = 10 * 2**20

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    # Quick for large appends and rebuilds, and durable: fsync and synchronous_commit stay on, as PostgreSQL has them.
    "shared_buffers": "256MB",
    "maintenance_work_mem": "128MB",
    "wal_level": "minimal",  # nothing replicates from here; a table made and filled in one transaction needs no WAL
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "max_parallel_workers": "2",
    "max_parallel_workers_per_gather": "2",
    # A killed client's locks go within a second, even in the middle of a statement.
    "client_connection_check_interval": "1s",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
    # A statement may hold personal values, and so do its parameters, rows that an error shows, and lines of a COPY.
    "log_min_error_statement": "panic",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}
"""Given on the server's command line at each start, so that a newer program brings its own."""

_HBA = """\
# Written by replayhouse. The socket stands in a folder that only the server's owner can enter.
local all all trust
host  replayhouse replayhouse_bi 127.0.0.1/32 scram-sha-256
"""

# What everybody may do in PostgreSQL, in a transaction that writes or in none, and only the owner of a database of its
# own can take away: large objects, locks without end, messages in the write-ahead log.
_READERS_ONLY_READ = """
    DO $$
    DECLARE
        function regprocedure;
    BEGIN
        FOR function IN
            SELECT oid FROM pg_proc
            WHERE pronamespace = 'pg_catalog'::regnamespace
              AND proname ~ '^(lo_.*|loread|lowrite|pg_(try_)?advisory_.*|pg_logical_emit_message)$'
        LOOP
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', function);
        END LOOP;
    END
    $$
"""

_started: list[subprocess.Popen[bytes]] = []
"""Servers that this process started: asked now and then, so that the system can forget those that ended."""


class EmbeddedServer:
    """The server of one home folder; making this object starts nothing.

    It is reached whatever variables of libpq stand in the environment: who reaches for it takes them out of his own.
    Raises Unreachable where the server does not start or stop, UsageError where this machine cannot run it.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.data = home / "postgres"
        self.log = home / "postgres.log"

    def is_made(self) -> bool:
        """Whether there is a data folder; one that is being made has another name until it is whole."""
        try:
            return (self.data / "PG_VERSION").exists()
        except PermissionError:  # there is one, and it belongs to another user
            return True

    def start(self) -> None:
        """The server accepts connections and the database exists when this returns. Does nothing if so already."""
        if self.is_running() and self._is_prepared():
            return
        with self._exclusively():
            if not self.is_running():
                self._start(self._port_to_listen_on())
            elif not self._is_prepared():  # its starter was killed in between
                self._ensure_database()

    def listen(self, port: int) -> None:
        """The same, over TCP on the loopback interface too, at `port` (1 to 65535), from now on; 0: no longer.

        A later start listens there again, where no other program has the port by then. A server that is not yet so is
        started again; Conflicting if others are connected to it, or if another program has the port.
        """
        if not 0 <= port <= 65535:
            raise UsageError(f"A port is a number from 1 to 65535 (0: none), not {port}.")
        with self._exclusively():
            running = self._postmaster() if self.is_running() else None
            is_so = running is not None and (running.port if running.listens else 0) == port
            if not is_so and port:
                _refuse_taken(port)
            if running and not is_so:
                self._refuse_if_in_use()
                self._stop(running)
            if not is_so:
                self._start(port or None)
            with writing(self.home / _LISTEN, replaces=True) as file:
                file.write(str(port).encode())

    def stop(self) -> bool:
        """Ends the server and the connections to it; nothing that was committed is lost. False if it did not run."""
        if not self.home.is_dir():
            return False
        with self._exclusively():
            postmaster = self._postmaster()
            if postmaster is None or not self.is_running():
                return False
            self._stop(postmaster)
            return True

    def is_running(self) -> bool:
        """Whether the server takes connections now (about 2 ms); it does not while it recovers from a crash."""
        for process in _started:
            process.poll()
        postmaster = self._postmaster()
        if postmaster is None or postmaster.status != "ready":
            return False
        return self._asked(postmaster) == pq.Ping.OK

    def url(self, role: Role = "administrator") -> str:
        """One libpq URL of the running server. The reader's holds a password, and is over TCP if the server listens."""
        postmaster = self._postmaster()
        if postmaster is None:
            raise Unreachable(f"The embedded database in {self.data} is not running.")
        if role == "reader":
            with self._exclusively(), self._administer(DATABASE) as conn:
                password = reader.set_right(conn, self.home / "reader_password")
            if postmaster.listens:
                return f"postgresql://{reader.READER}:{password}@127.0.0.1:{postmaster.port}/{DATABASE}"
            return self._socket_url(reader.READER, DATABASE, postmaster.port)
        return self._socket_url(ADMINISTRATOR, DATABASE, postmaster.port)

    def url_for_askers(self) -> str:
        """The URL by which the running server is asked on behalf of others, by a login that may act as their roles."""
        postmaster = self._postmaster()
        if postmaster is None:
            raise Unreachable(f"The embedded database in {self.data} is not running.")
        with self._exclusively(), self._administer(DATABASE) as conn:
            askers.set_right(conn)
        return self._socket_url(askers.LOGIN, DATABASE, postmaster.port)

    def program(self, name: str) -> Path:
        """The path of a client program of the same version: `psql`, `pg_dump`, `pg_restore`."""
        return programs(server_account(self.data)) / name

    def _socket_url(self, user: str, database: str, port: int) -> str:
        session.forget_variables()  # not before: a database of one's own may be reached by what they say
        folder = quote(str(self.socket_folder()), safe="")
        return f"postgresql://{user}@/{database}?host={folder}&port={port}"

    def socket_folder(self) -> Path:
        """The data folder, or a short name under /tmp where its path is too long for a socket."""
        if len(os.fsencode(self.data / ".s.PGSQL.65535")) <= _LONGEST_SOCKET_PATH:
            return self.data
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:16]
        # Refused where it is not ours alone, see _makesocket_folder.
        return Path("/tmp") / f"replayhouse-{os.geteuid()}-{digest}"  # nosec B108

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        """One starter or stopper at a time; the kernel lets go of the lock if we die."""
        try:
            self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.home / "postgres.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            reason = error.strerror
            raise UsageError(f"The folder {self.home} cannot be used: {reason}. Set REPLAYHOUSE_HOME.") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def _asked(self, postmaster: Postmaster) -> pq.Ping:
        url = self._socket_url(ADMINISTRATOR, "postgres", postmaster.port)
        return pq.Ping(pq.PGconn.ping(f"{url}&connect_timeout={_LONGEST_ANSWER_SECONDS}".encode()))

    def _postmaster(self) -> Postmaster | None:
        return postmaster_of(self.data)

    def _start(self, port: int | None) -> None:
        account = server_account(self.data)
        folder = programs(account)
        if not self.is_made():
            self._initialise(account, folder)
        (self.data / "pg_hba.conf").write_text(_HBA)
        self._makesocket_folder(account)
        begun = time.monotonic()
        while not self.is_running() and (self._is_there() or not self._launch(account, folder, port)):
            if time.monotonic() > begun + self._longest_wait():
                what = "is there, but does not answer" if self._is_there() else "does not start"
                raise Unreachable(f"The embedded database {what}; its log ends so:", then=self._end_of_log())
            time.sleep(0.2)
        self._ensure_database()

    def _is_there(self) -> bool:
        """Whether a server of this folder lives, answering or not: a second one is never started beside it."""
        postmaster = self._postmaster()
        return postmaster is not None and serves(postmaster.pid, self.data)

    def _longest_wait(self) -> float:
        """For one that recovers, or is about to end, long; else for what a killed one leaves behind, seconds."""
        postmaster = self._postmaster()
        if postmaster is None or (postmaster.status == "ready" and self._asked(postmaster) != pq.Ping.REJECT):
            return _LONGEST_HANDOVER_SECONDS
        return _LONGEST_START_SECONDS

    def _initialise(self, account: Account, folder: Path) -> None:
        """A new data folder, made beside its place and moved there when it is complete."""
        unfinished = self.data.with_name("postgres.unfinished")
        if unfinished.exists():  # a starter was killed; we hold the lock, so nobody is at work on it
            shutil.rmtree(unfinished)
        unfinished.mkdir(mode=0o700)
        if account.switched:
            os.chown(unfinished, account.uid, account.gid)
        locale = "C.UTF-8" if os.uname().sysname == "Linux" else "C"
        options = ("--username", ADMINISTRATOR, "--encoding", "UTF8", "--locale", locale, "--auth", "trust")
        builtin = ("--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-instructions")
        result = subprocess.run(
            [str(folder / "initdb"), "-D", _seen_by(account, unfinished), *options, *builtin],
            cwd=unfinished,
            env=_environment(),
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if result.returncode != 0:
            raise Unreachable(f"The embedded database could not be made: {result.stderr.decode().strip()}")
        unfinished.rename(self.data)

    def _launch(self, account: Account, folder: Path, port: int | None) -> bool:
        """Starts the server and waits until it takes connections. False if it ended at once: try again."""
        self._forget_dead_postmaster()
        settings = dict(_SETTINGS, port=str(port or DEFAULT_PORT), listen_addresses="127.0.0.1" if port else "")
        sockets = self.socket_folder()
        settings["unix_socket_directories"] = "." if sockets == self.data else str(sockets)
        with suppress(OSError):
            shared = os.statvfs("/dev/shm")  # looked at only  # nosec B108
            if shared.f_frsize * shared.f_blocks < _SMALL_SHARED_MEMORY:
                settings["dynamic_shared_memory_type"] = "mmap"
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        mode = "wb" if self.log.exists() and self.log.stat().st_size > _LARGE_LOG else "ab"
        with self.log.open(mode) as log:
            process = subprocess.Popen(
                [str(folder / "postgres"), "-D", _seen_by(account, self.data), *arguments],
                cwd=self.data,
                env=_environment(),
                user=account.user,
                group=account.group,
                extra_groups=account.extra_groups,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        _started.append(process)
        deadline = time.monotonic() + _LONGEST_START_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                return False
            if self.is_running():
                return True
            time.sleep(0.005)
        raise Unreachable(f"The embedded database still recovers after {_LONGEST_START_SECONDS:.0f} s; see {self.log}.")

    def _forget_dead_postmaster(self) -> None:
        """Removes what a killed server left, `postmaster.pid` and its socket's lock, if its number is another's now.

        PostgreSQL itself removes both when no process has the number, and refuses to start otherwise.
        """
        postmaster = self._postmaster()
        if postmaster is not None and not serves(postmaster.pid, self.data):
            (self.data / "postmaster.pid").unlink(missing_ok=True)
        for lock in self.socket_folder().glob(".s.PGSQL.*.lock"):
            owner = lock.read_text().partition("\n")[0].strip()
            if not (owner.isdigit() and serves(int(owner), self.data)):
                lock.unlink(missing_ok=True)

    def _makesocket_folder(self, account: Account) -> None:
        folder = self.socket_folder()
        if folder == self.data:
            return
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            os.chown(folder, account.uid, account.gid)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or stat.S_IMODE(found.st_mode) & 0o077:
            raise UsageError(f"The folder {folder} is not ours alone: remove it, or shorten REPLAYHOUSE_HOME.")

    def _is_prepared(self) -> bool:
        return (self.data / _PREPARED).exists()

    def _ensure_database(self) -> None:
        with self._administer("postgres") as conn:
            if not conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        with self._administer(DATABASE) as conn:
            conn.execute(_READERS_ONLY_READ)
        (self.data / _PREPARED).touch()

    def _refuse_if_in_use(self) -> None:
        with self._administer("postgres") as conn:
            others = conn.execute(
                "SELECT application_name, pid FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid"
            ).fetchall()
        if others:
            named = ", ".join(f"{name or 'a client'} (connection {pid})" for name, pid in others)
            raise Conflicting(f"To listen, the database must start again, and it is in use by {named}: end that first.")

    def _port_to_listen_on(self) -> int | None:
        """The port that a start before this one was told; None where there is none, or another program has it."""
        try:
            port = int((self.home / _LISTEN).read_text())
            _refuse_taken(port)
        except (OSError, ValueError, Conflicting):
            return None
        return port or None

    @contextmanager
    def _administer(self, database: str) -> Iterator[psycopg.Connection]:
        postmaster = self._postmaster()
        port = postmaster.port if postmaster else DEFAULT_PORT
        try:
            url = self._socket_url(ADMINISTRATOR, database, port)
            encoding = session.SETTINGS["client_encoding"]
            with psycopg.connect(url, autocommit=True, client_encoding=encoding, options=session.options()) as conn:
                session.settle(conn)
                yield conn
        except psycopg.Error as error:
            raise Unreachable(f"The embedded database in {self.data} cannot be prepared: {error}") from error

    def _stop(self, postmaster: Postmaster) -> None:
        with suppress(ProcessLookupError):
            os.kill(postmaster.pid, signal.SIGINT)  # PostgreSQL's fast shutdown
        deadline = time.monotonic() + _LONGEST_STOP_SECONDS
        while (self.data / "postmaster.pid").exists():
            if time.monotonic() > deadline:
                raise Unreachable(f"The embedded database does not end; its log is {self.log}.")
            time.sleep(0.01)
        for process in _started:
            process.poll()

    def _end_of_log(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines()[-5:]


def _seen_by(account: Account, folder: Path) -> str:
    """The data folder's name for the server; as another user it may be unable to search the parents (see account)."""
    return "/proc/self/cwd" if account.switched else str(folder)


def _refuse_taken(port: int) -> None:
    """Looked at before a running server is stopped for it."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            reason = error.strerror
            raise Conflicting(f"The database cannot listen on port {port}: {reason}. Choose another port.") from error


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
