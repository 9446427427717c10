"""Starts the program for tests by forking: `python -m tests.support.fork_server SOCKET`; clients are in `forked.py`.

All that the program imports is imported once, here. A start then takes a hundredth of a second instead of half of one,
and is what it is otherwise: a process in a session of its own, with its own arguments, environment, folder and streams.
The server ends with whoever started it, which it notices by the end of its standard input.
"""

import atexit
import faulthandler
import gc
import importlib
import json
import os
import pkgutil
import random
import selectors
import signal
import socket
import sys
import threading
import time
import traceback
from contextlib import ExitStack
from typing import NamedTuple, NoReturn

import replayhouse
from replayhouse.infra.runtime.data_frames import leave_data_frames_out, let_numpy_in

HEADER_BYTES = 8
FURTHER = ("sqlalchemy.dialects.postgresql", "rich.console", "rich.table")
STREAMS = 3


class Request(NamedTuple):
    """A program to be started: the module that runs it, and what it is given."""

    module: str
    arguments: list[str]
    environment: dict[str, str]
    folder: str


class Accepted(NamedTuple):
    """A request, and the descriptors that are to be the program's standard streams."""

    request: Request
    streams: list[int]


def main() -> NoReturn:
    """Serves until the standard input ends."""
    _import_all()
    with ExitStack() as stack:
        accepted = _serve(stack, sys.argv[1])
    if accepted is not None:  # this is the process of a program, and what belongs to the server is closed
        _become(*accepted)
        _run(accepted.request)
    os._exit(0)


def _run(request: Request) -> NoReturn:
    """Runs a program in its own process, and ends that as the interpreter would, but for taking itself apart."""
    sys.argv = ["replayhouse", *request.arguments]
    code: object = None
    try:
        module = importlib.import_module(request.module)
        sys.modules["__main__"] = module  # what processes that share the work import, as they do of a program
        module.main()
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined] # as at the end of any program: it waits for its threads
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code if isinstance(code, int) else bool(code))


def _import_all() -> None:
    leave_data_frames_out()
    let_numpy_in()  # before pyarrow, which looks for it once
    for module in pkgutil.walk_packages(replayhouse.__path__, "replayhouse."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in FURTHER:
        importlib.import_module(name)
    importlib.import_module("replayhouse.infra.cli.program").command()
    gc.collect()
    gc.freeze()
    threads = os.listdir("/proc/self/task")
    assert len(threads) == 1, "a process with threads cannot be forked safely, and an import has started some"


def _serve(stack: ExitStack, path: str) -> Accepted | None:
    """What a process of a program is to do, if this is one; None where the serving is over."""
    awake, wake = (stack.enter_context(end) for end in socket.socketpair())
    for end in (awake, wake):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    stack.callback(signal.set_wakeup_fd, -1)
    listener = stack.enter_context(socket.socket(socket.AF_UNIX))
    listener.bind(f"{path}.unfinished")
    listener.listen()
    os.rename(f"{path}.unfinished", path)  # who finds it can connect
    selector = stack.enter_context(selectors.DefaultSelector())
    for source in (listener, awake, sys.stdin):
        selector.register(source, selectors.EVENT_READ)
    running: dict[int, socket.socket] = {}
    while True:
        ready = {key.fileobj for key, _ in selector.select()}
        if sys.stdin in ready:
            return None
        if awake in ready:
            awake.recv(4096)
            _tell_ended(running)
        if listener in ready:
            client, _ = listener.accept()
            accepted = _received(client)
            pid = os.fork()
            if pid == 0:
                for other in (client, *running.values()):
                    other.close()
                return accepted
            for stream in accepted.streams:
                os.close(stream)
            running[pid] = client
            client.sendall(b"%d\n" % pid)


def _received(client: socket.socket) -> Accepted:
    header, streams, _, _ = socket.recv_fds(client, HEADER_BYTES, STREAMS)
    message = b""
    while len(message) < int(header):
        message += client.recv(int(header) - len(message))
    return Accepted(Request(*json.loads(message)), streams)


def _tell_ended(running: dict[int, socket.socket]) -> None:
    """Tells each client whose program has ended how that was; one that is gone needs to know no longer."""
    for pid, client in list(running.items()):
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            with running.pop(pid):
                try:
                    client.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
                except OSError:
                    continue


def _become(request: Request, streams: list[int]) -> None:
    """Makes this process what a newly started one is."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    random.seed()
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - the same
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace", closefd=False)  # noqa: SIM115 - the same
    if "PYTHONFAULTHANDLER" in os.environ:
        faulthandler.enable()
    from replayhouse.infra.cli import output

    output._STARTED = time.perf_counter()


if __name__ == "__main__":
    main()
