"""The ways in which it is known who asks. Each is given a request, and answers with somebody, or raises why not."""

import hmac
import ipaddress
from typing import Protocol

from starlette.requests import Request

from replayhouse.infra.runtime.errors import Forbidden, UsageError
from replayhouse.infra.runtime.identity import Identity, Role
from replayhouse.infra.runtime.web_settings import WebSettings

SHORTEST_SECRET = 16
_LONGEST_NAME = 200


class Way(Protocol):
    """Finds out who asks."""

    def who(self, request: Request) -> Identity:
        """Who asks. Raises Unidentified where that is not known, Forbidden where somebody known has no role."""
        ...


class Loopback:
    """Whoever reaches the server is the one who started it: it listens on loopback only."""

    def __init__(self, name: str) -> None:
        self._owner = Identity(name, Role.OWNER, "loopback")

    def who(self, request: Request) -> Identity:
        """The owner."""
        return self._owner


class Proxy:
    """A proxy says who asks, in headers; it is known by the network that it connects from, and by a secret.

    What anybody else writes in those headers is not believed.
    """

    def __init__(self, settings: WebSettings) -> None:
        """Raises UsageError where the settings do not say enough to tell a proxy from somebody else."""
        if settings.proxy_secret is None or len(settings.proxy_secret) < SHORTEST_SECRET:
            raise UsageError(
                f"--auth proxy needs a secret of {SHORTEST_SECRET} signs or more that only the proxy and this server "
                f"know: set REPLAYHOUSE_WEB_PROXY_SECRET, and let the proxy send it as {settings.proxy_secret_header}."
            )
        if not settings.roles:
            raise UsageError(
                "--auth proxy needs the roles of groups, or nobody would be let in: set REPLAYHOUSE_WEB_PROXY_ROLES, "
                "such as 'warehouse-admins=owner,bi=analyst'."
            )
        self._settings = settings
        self._networks, self._roles, self._secret = settings.networks, settings.roles, settings.proxy_secret.encode()

    def who(self, request: Request) -> Identity:
        """Who the proxy says it is."""
        if not self._is_from_the_proxy(request):
            raise Forbidden("This server is asked through its proxy only.")
        name = _only(request, self._settings.proxy_user_header)
        if not name or len(name) > _LONGEST_NAME or not name.isprintable():
            raise Forbidden(
                f"The proxy does not say who asks: {self._settings.proxy_user_header} must have one name, "
                f"{_LONGEST_NAME} signs at most."
            )
        groups = {group.strip() for group in _only(request, self._settings.proxy_groups_header).split(",")}
        role = next((role for group, role in self._roles.items() if group in groups), None)
        if role is None:
            raise Forbidden(f"{name} is in no group that has a role here. Who runs this server gives roles to groups.")
        return Identity(name, role, "proxy")

    def _is_from_the_proxy(self, request: Request) -> bool:
        peer = _address(request.client.host if request.client else "")
        secret = _only(request, self._settings.proxy_secret_header)
        is_known = hmac.compare_digest(secret.encode("latin-1"), self._secret)
        return is_known and peer is not None and any(peer in network for network in self._networks)


def _only(request: Request, header: str) -> str:
    """The value of a header that stands there once; nothing where it is missing, or somebody has added another."""
    values = request.headers.getlist(header)
    return values[0].strip() if len(values) == 1 else ""


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The address of a peer; one of IPv4 also where a socket of IPv6 tells it."""
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, ipaddress.IPv6Address) else found
