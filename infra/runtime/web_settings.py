"""Settings of `serve` from the environment, prefix `REPLAYHOUSE_WEB_`. Nothing of it is read by other commands."""

import ipaddress
from typing import Any

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.identity import Role
from replayhouse.infra.runtime.settings import checked

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PREFIX = "REPLAYHOUSE_WEB_"
_HEADER = r"^[A-Za-z0-9-]{1,80}$"


class WebSettings(BaseSettings):
    """What a user may set, each as `REPLAYHOUSE_WEB_<NAME>`; an empty value counts as not set."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="ignore")

    allowed_hosts: str = Field(
        default="", description="names, separated by commas, under which the server may be asked, beside --allowed-host"
    )
    proxy_user_header: str = Field(
        default="X-Forwarded-User", pattern=_HEADER, description="header in which the proxy names who asks"
    )
    proxy_groups_header: str = Field(
        default="X-Forwarded-Groups", pattern=_HEADER, description="header with the groups of who asks, by commas"
    )
    proxy_roles: str = Field(
        default="", description="role of each group, group=role by commas; the first group that somebody is in counts"
    )
    proxy_networks: str = Field(
        default="127.0.0.1/32,::1/128", description="networks, by commas, from which the proxy connects"
    )
    proxy_secret_header: str = Field(
        default="X-Replayhouse-Secret", pattern=_HEADER, description="header in which the proxy proves itself"
    )
    proxy_secret: str | None = Field(
        default=None, repr=False, description="what stands in that header, 16 signs or more; --auth proxy needs it"
    )
    database_url: str | None = Field(
        default=None,
        repr=False,
        description="URL of the database as the server reaches it on behalf of others than owners; by default, as the "
        "program's own user",
    )
    session_hours: int = Field(
        default=8, ge=1, le=168, description="so long somebody who logged in with a token stays logged in"
    )

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names of hosts."""
        return _parts(self.allowed_hosts)

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks of the proxy. Raises UsageError that names what is none."""
        try:
            return tuple(map(ipaddress.ip_network, _parts(self.proxy_networks)))
        except ValueError as error:
            raise UsageError(f"The setting {_PREFIX}PROXY_NETWORKS makes no sense: {error}.") from None

    @property
    def roles(self) -> dict[str, Role]:
        """The roles by group, in the order in which they count. Raises UsageError that names what makes no sense."""
        found: dict[str, Role] = {}
        for part in _parts(self.proxy_roles):
            group, equals, role = part.rpartition("=")
            if not (equals and group.strip() and role.strip() in list(Role)):
                raise UsageError(
                    f"The setting {_PREFIX}PROXY_ROLES makes no sense: '{part}' is no group=role; "
                    f"the roles are {', '.join(Role)}."
                )
            found.setdefault(group.strip(), Role(role.strip()))
        return found


def load_web_settings(**given: Any) -> WebSettings:
    """The settings in force: those `given`, else those of the environment.

    Raises UsageError that names the one which makes no sense, or which there is not.
    """
    return checked(WebSettings, _PREFIX, given)


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
