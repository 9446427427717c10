"""`serve`: the warehouse in the browser, and by HTTP."""

import ipaddress
from enum import StrEnum
from typing import Annotated

import typer

from replayhouse.infra.cli.options import example
from replayhouse.infra.cli.output import say, warn_in_lines
from replayhouse.infra.runtime.errors import UsageError


class Auth(StrEnum):
    """How it is known who asks."""

    NONE = "none"


Host = Annotated[str, typer.Option("--host", metavar="H", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", metavar="P", min=0, max=65_535, help="Port; 0 takes any that is free.")]
HowAuth = Annotated[Auth, typer.Option("--auth", help="none: whoever is on this machine, which loopback sees to.")]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(epilog=example("replayhouse serve", "replayhouse serve --port 9000"))(serve)


def serve(host: Host = "127.0.0.1", port: Port = 8080, auth: HowAuth = Auth.NONE) -> None:
    """Serve the dashboard, the audit explorer and the read API until the command is ended.

    It prints its address once it answers. Ctrl-C or SIGTERM ends it, after what is being answered.
    """
    from replayhouse.infra.runtime.settings import load_settings
    from replayhouse.infra.web.server import serve as serve_warehouse

    if not _is_loopback(host):
        raise UsageError(
            f"--auth {auth} lets in whoever reaches the server, so it listens on loopback only: 127.0.0.1, ::1 or "
            f"localhost, not {host}."
        )

    def listening(address: str) -> None:
        say(f"Serving {address} Ctrl-C ends it.", at_once=True)

    serve_warehouse(load_settings(), host, port, warn_in_lines, listening)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
