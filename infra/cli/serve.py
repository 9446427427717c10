"""`serve`: the warehouse in the browser, and by HTTP."""

import ipaddress
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from replayhouse.infra.cli.options import example
from replayhouse.infra.cli.output import say, warn_in_lines
from replayhouse.infra.runtime.errors import UsageError

if TYPE_CHECKING:
    from replayhouse.infra.runtime.web_settings import WebSettings
    from replayhouse.infra.web.auth.ways import Way
    from replayhouse.infra.web.warehouses import Warehouses


class Auth(StrEnum):
    """How it is known who asks."""

    NONE = "none"
    PROXY = "proxy"
    TOKEN = "token"  # nosec B105 - the name of a way


Host = Annotated[str, typer.Option("--host", metavar="H", help="Address to listen on.")]
Port = Annotated[int, typer.Option("--port", metavar="P", min=0, max=65_535, help="Port; 0 takes any that is free.")]
HowAuth = Annotated[
    Auth,
    typer.Option(
        "--auth",
        help="none: whoever is on this machine, which loopback sees to. proxy: a proxy in front says who asks. "
        "token: who has one of replayhouse token create.",
    ),
]
Allowed = Annotated[
    list[str] | None,
    typer.Option("--allowed-host", metavar="NAME", help="A name under which the server may be asked; may be repeated."),
]


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command(
        epilog=example(
            "replayhouse serve",
            "replayhouse serve --port 9000",
            "replayhouse serve --auth token",
            "replayhouse serve --auth proxy --host 0.0.0.0 --allowed-host warehouse.example.com",
        )
    )(serve)


def serve(host: Host = "127.0.0.1", port: Port = 8080, auth: HowAuth = Auth.NONE, allowed: Allowed = None) -> None:
    """Serve the dashboard, the audit explorer and the read API until the command is ended.

    It prints its address once it answers. Ctrl-C or SIGTERM ends it, after what is being answered.
    """
    from replayhouse.infra.runtime.settings import load_settings
    from replayhouse.infra.runtime.web_settings import load_web_settings
    from replayhouse.infra.web.server import serve as serve_warehouse

    if auth is Auth.NONE and not _is_loopback(host):
        raise UsageError(
            f"--auth {auth} lets in whoever reaches the server, so it listens on loopback only: 127.0.0.1, ::1 or "
            f"localhost, not {host}."
        )
    settings, web = load_settings(), load_web_settings()
    hosts, way = _names(host, (*(allowed or ()), *web.hosts)), _way(auth, web)
    if auth is Auth.TOKEN and not _is_loopback(host):
        warn_in_lines(f"Tokens go to {host} as they are: let nobody reach it but a proxy that ends TLS.")

    def listening(address: str) -> None:
        say(f"Serving {address} Ctrl-C ends it.", at_once=True)

    serve_warehouse(settings, host, port, warn_in_lines, listening, hosts=hosts, way=way, database_url=web.database_url)


def _way(auth: Auth, web: "WebSettings") -> "Callable[[Warehouses], Way] | None":
    """What makes that which finds out who asks; None where nobody is asked. Raises UsageError for missing settings."""
    from replayhouse.infra.web.auth.tokens import Tokens
    from replayhouse.infra.web.auth.ways import Proxy

    if auth is Auth.NONE:
        return None
    if auth is Auth.TOKEN:
        return lambda warehouses: Tokens(warehouses, web.session_hours)
    found = Proxy(web)
    return lambda _: found


def _names(host: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Under which names the server may be asked: those of loopback, its address, and those that are allowed."""
    from replayhouse.infra.web.app import LOOPBACK_NAMES

    if not (_is_loopback(host) or allowed):
        raise UsageError(
            f"Say under which name the server on {host} is asked: --allowed-host warehouse.example.com, or the setting "
            "REPLAYHOUSE_WEB_ALLOWED_HOSTS. A request under any other name is refused."
        )
    return (*LOOPBACK_NAMES, *(name.casefold() for name in allowed))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
