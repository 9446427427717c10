"""A command that stands for the installed program in a shell: it has `fork_server.py` start it, and ends as it ends.

It is run without site-packages and imports as little as it can, for it is started again and again.
"""

import array
import json
import os
import signal
import sys
from _socket import AF_UNIX, SCM_RIGHTS, SOCK_STREAM, SOL_SOCKET, socket

SERVER = "FORK_SERVER"
"""The environment's name for where the server listens."""


def main() -> None:
    """Starts the program with what this process was given, and exits as it does."""
    environment = dict(os.environ)
    connection = socket(AF_UNIX, SOCK_STREAM)
    connection.connect(environment.pop(SERVER))
    message = json.dumps(("replayhouse.infra.cli.main", sys.argv[1:], environment, os.getcwd())).encode()
    streams = array.array("i", (0, 1, 2))
    connection.sendmsg([b"%08d" % len(message)], [(SOL_SOCKET, SCM_RIGHTS, streams)])
    connection.sendall(message)
    told = b""
    while told.count(b"\n") < 2:
        received = connection.recv(64)
        if not received:
            sys.exit("the server of forked programs has died")
        told += received
    code = int(told.splitlines()[1])
    if code < 0:
        os.kill(os.getpid(), -code)
        signal.pause()
    sys.exit(code)


if __name__ == "__main__":
    main()
