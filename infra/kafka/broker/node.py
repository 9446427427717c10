"""A broker of one folder: formatted, started, waited for, stopped.

It outlives the command that started it and is shared by all that follow; a file lock settles who starts it. That it is
alive is told by another lock, which the broker's process inherits and the kernel takes back when it ends, however it
ends: the number of a dead process, which others get, is never mistaken for it.
"""

import base64
import fcntl
import os
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from replayhouse.infra.kafka.broker.configuration import HOST, Ports, free_ports, properties, read_ports, write_ports
from replayhouse.infra.kafka.broker.jars import jars, java, one_at_a_time
from replayhouse.infra.runtime.errors import Unreachable, UsageError

_JAVA_OPTIONS = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.net.preferIPv4Stack=true",
    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
    "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSZ",
)
# The process writes its number down before it becomes Java: no moment at which it runs and nobody knows it.
_WRITE_PID = ("/bin/sh", "-c", 'echo $$ >"$0" && exec "$@"')

_TRIES = 5  # another program may take a port between our look and the broker's
# Java takes seconds to begin anything, and on a busy machine minutes.
_LONGEST_FORMAT_SECONDS = 300.0
_LONGEST_START_SECONDS = 300.0  # after kill -9 all of a log's open segments are read
_LONGEST_STOP_SECONDS = 60.0
_LONGEST_ANSWER_SECONDS = 5.0  # on a busy machine; one that is ready answers within milliseconds
_POLL_SECONDS = 0.02
_LARGE_LOG = 10 * 2**20
_API_VERSIONS = struct.pack(">hhih", 18, 0, 1, -1)  # key, version, correlation id, no client id

_started: list[subprocess.Popen[bytes]] = []
"""Brokers that this process started: asked now and then, so that the system can forget those that ended."""


class Broker:
    """The broker of a folder; making this object starts nothing.

    `protocol` is what its clients speak; `settings` are Kafka's own and add to ours; `formatting` are options of
    Kafka's StorageTool, for a new folder only. Where `ends_with_us`, it ends when the process that started it does,
    even by SIGKILL (Linux only; start it from the main thread).
    """

    def __init__(
        self,
        folder: Path,
        *,
        protocol: str = "PLAINTEXT",
        settings: Mapping[str, str] | None = None,
        formatting: Sequence[str] = (),
        ends_with_us: bool = False,
    ) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "kafka.log"
        self._protocol = protocol
        self._settings = dict(settings or {})
        self._formatting = tuple(formatting)
        self._ends_with_us = ends_with_us

    @property
    def bootstrap(self) -> str:
        """The address for clients, `127.0.0.1:PORT`; that of the last start where it does not run."""
        ports = self._ports()
        if ports is None:
            raise UsageError(f"The broker in {self.folder} was never started.")
        return f"{HOST}:{ports.clients}"

    @property
    def pid(self) -> int | None:
        """The number of its process; None where it does not run."""
        if not self.is_alive():
            return None
        with suppress(OSError, ValueError):
            return int((self.folder / "pid").read_text())
        return None

    def start(self) -> bool:
        """It serves clients when this returns. False if it ran already; it stays as it is then.

        Raises UsageError where this machine cannot run it, Unreachable where it does not start.
        """
        with self._exclusively():
            if self.is_alive() and self._is_ready():
                return False
            program, classes = java(), jars()
            if not (self.data / "meta.properties").exists():
                self._format(program, classes)
            known = self._ports()
            for _ in range(_TRIES):
                if self._launch(program, classes, known or free_ports()):
                    return True
                known = None
            raise Unreachable(f"The broker found its ports taken {_TRIES} times in a row; its log is {self.log}.")

    def stop(self) -> bool:
        """Ends it; what it acknowledged is kept. False if it did not run."""
        with self._exclusively():
            if not self.is_alive():
                return False
            self._signal(signal.SIGTERM)
            self._signal(signal.SIGCONT)  # a stopped process takes no other signal
            if not self._has_ended(_LONGEST_STOP_SECONDS):
                self._signal(signal.SIGKILL)
                if not self._has_ended(_LONGEST_STOP_SECONDS):
                    raise Unreachable(f"The broker does not end (process {self.pid}); its log is {self.log}.")
            return True

    def is_alive(self) -> bool:
        """Whether its process is there; it may be starting still."""
        for process in _started:
            process.poll()
        try:
            handle = os.open(self.folder / "alive", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise UsageError(f"The folder {self.folder} cannot be used: {error.strerror}.") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        else:
            return False
        finally:
            os.close(handle)

    def answers(self) -> bool:
        """Whether it serves requests now, of its clients and of itself: each listener opens at a time of its own."""
        ports = self._ports()
        if ports is None or not self.is_alive():
            return False
        return _answers(ports.internal, tls=False) and _answers(ports.clients, tls=self._protocol.endswith("SSL"))

    def _ports(self) -> Ports | None:
        return read_ports(self.folder / "ports.json")

    @contextmanager
    def _exclusively(self) -> Iterator[None]:
        """One starter or stopper at a time."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            (self.folder / "lock").touch(mode=0o600)
        except OSError as error:
            reason = error.strerror
            raise UsageError(f"The folder {self.folder} cannot be used: {reason}. Set REPLAYHOUSE_HOME.") from error
        with one_at_a_time(self.folder / "lock", _LONGEST_FORMAT_SECONDS + _TRIES * _LONGEST_START_SECONDS):
            yield

    def _format(self, program: str, classes: Path) -> None:
        """A new data folder, made beside its place and moved there when it is complete.

        Each time in a folder of its own: what a killed starter began may be at work in another one still.
        """
        for left in self.folder.glob("making-*"):
            shutil.rmtree(left, ignore_errors=True)
        making = Path(tempfile.mkdtemp(prefix="making-", dir=self.folder))
        file = making / "server.properties"
        file.write_text(properties(free_ports(), making / "data", self._protocol, self._settings))
        options = ("-t", _new_id(), "-c", str(file), *self._formatting)
        try:
            done = subprocess.run(
                [program, *_JAVA_OPTIONS, "-cp", f"{classes}/*", "kafka.tools.StorageTool", "format", *options],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_LONGEST_FORMAT_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Unreachable(f"The broker's folder was not made within {_LONGEST_FORMAT_SECONDS:.0f} s.") from error
        if done.returncode != 0:
            raise _refused(done.stderr.strip() or done.stdout.strip())
        (making / "data").rename(self.data)
        shutil.rmtree(making, ignore_errors=True)

    def _launch(self, program: str, classes: Path, ports: Ports) -> bool:
        """Starts it and waits until it is ready. False if one of the ports is taken."""
        write_ports(self.folder / "ports.json", ports)
        file = self.folder / "server.properties"
        file.write_text(properties(ports, self.data, self._protocol, self._settings))
        (self.folder / "pid").write_text("")
        ending = shutil.which("setpriv") if self._ends_with_us and sys.platform.startswith("linux") else None
        bound = (ending, "--pdeathsig", "TERM") if ending else ()
        command = (program, *_JAVA_OPTIONS, "-cp", f"{classes}/*", "kafka.Kafka", str(file))
        begins = self.log.stat().st_size if self.log.exists() and self.log.stat().st_size < _LARGE_LOG else 0
        alive = os.open(self.folder / "alive", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(alive, fcntl.LOCK_EX)  # at most for a moment: nobody but the broker holds it for longer
            with self.log.open("ab" if begins else "wb") as log:
                process = subprocess.Popen(
                    [*_WRITE_PID, str(self.folder / "pid"), *bound, *command],
                    cwd=self.folder,
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(alive,),
                    start_new_session=True,
                )
        finally:
            os.close(alive)
        _started.append(process)
        if self._is_ready():
            return True
        told = self.log.read_bytes()[begins:].decode(errors="replace")
        if "Address already in use" in told:
            return False
        raise _refused(told)

    def _is_ready(self) -> bool:
        """Waits until it is. False if it ended; raises Unreachable if it does neither."""
        deadline = time.monotonic() + _LONGEST_START_SECONDS
        while not self.answers():
            if not self.is_alive():
                return False
            if time.monotonic() > deadline:
                raise Unreachable(f"The broker is not ready after {_LONGEST_START_SECONDS:.0f} s; see {self.log}.")
            time.sleep(_POLL_SECONDS)
        return True

    def _signal(self, number: int) -> None:
        """Sends it a signal; its process writes its own number down first thing."""
        deadline = time.monotonic() + _LONGEST_ANSWER_SECONDS
        while (pid := self.pid) is None and self.is_alive() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def _has_ended(self, longest: float) -> bool:
        deadline = time.monotonic() + longest
        while self.is_alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(_POLL_SECONDS)
        return True


def _answers(port: int, *, tls: bool) -> bool:
    """Whether a broker answers ApiVersions, for which no password is asked: it does once it is ready, not before."""
    try:
        with ExitStack() as stack:
            connection = socket.create_connection((HOST, port), timeout=_LONGEST_ANSWER_SECONDS)
            stack.enter_context(connection)
            if tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is told nothing
                connection = stack.enter_context(context.wrap_socket(connection))
            connection.sendall(struct.pack(">i", len(_API_VERSIONS)) + _API_VERSIONS)
            answer = stack.enter_context(connection.makefile("rb")).read(10)  # size, correlation id, error code
    except OSError:
        return False
    return len(answer) == 10 and answer[8:] == b"\0\0"


def trial_broker(home: Path) -> Broker:
    """The broker that `replayhouse kafka start` runs for a home folder."""
    return Broker(home / "kafka")


def _new_id() -> str:
    """An id of a cluster: 16 bytes in base64url; one that begins with `-` is taken for an option."""
    while (text := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return text


def _environment() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _refused(told: str) -> UsageError | Unreachable:
    """What a broker that ended at once has said."""
    if "UnsupportedClassVersionError" in told:
        return UsageError("The broker needs Java 17 or newer: set JAVA_HOME to one.")
    lines = [line for line in told.splitlines() if not line.startswith("\tat ")]  # where in its code it was
    end = "\n".join(lines[-5:])
    return Unreachable(f"The broker does not start; it says:\n{end}")
