"""Settings of ClickHouse from the environment, prefix `REPLAYHOUSE_CLICKHOUSE_`. Nothing of it is read by others."""

from pathlib import Path
from typing import Annotated, Any, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.settings import checked

_PREFIX = "REPLAYHOUSE_CLICKHOUSE_"
_PORTS = {"clickhouse": 8123, "clickhouses": 8443}
_DATABASE = "replayhouse"
_FORMS = "clickhouse://user@host:8123/database, clickhouses://... with TLS, or chdb:///folder for trying out"

File = Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())]


class Address(NamedTuple):
    """Where ClickHouse is. Without a `host` it is chDB, the engine without a server, in a `folder` of this machine."""

    host: str
    port: int
    user: str
    database: str
    is_secure: bool = False
    folder: str = ""

    @property
    def place(self) -> str:
        """The database among all others, in one line without user and password."""
        if self.folder:
            return f"chdb://{self.folder}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"clickhouse{'s' if self.is_secure else ''}://{host}:{self.port}/{self.database}"


class ClickHouseSettings(BaseSettings):
    """What a user may set, each as `REPLAYHOUSE_CLICKHOUSE_<NAME>`; an empty value counts as not set."""

    model_config = SettingsConfigDict(env_prefix=_PREFIX, env_ignore_empty=True, frozen=True, extra="ignore")

    url: str | None = Field(default=None, repr=False, description=_FORMS)
    password: str | None = Field(default=None, repr=False, description="of the user")
    password_file: File | None = Field(default=None, description="file whose first line is the password")
    ca: File | None = Field(default=None, description="file with the certificates that sign the server's (PEM)")

    @property
    def address(self) -> Address:
        """The setting `url`, taken apart. Raises UsageError where there is none, or it makes no sense."""
        if self.url is None:
            raise UsageError(f"Which ClickHouse? Name it in {_PREFIX}URL: {_FORMS}.")
        try:
            return _address(self.url)
        except ValueError as error:
            # Neither the value nor what the parser says of it is shown, for it may hold a password.
            raise UsageError(f"The setting {_PREFIX}URL makes no sense. It is {_FORMS}.") from error

    @property
    def secret(self) -> str:
        """The password, empty where there is none. Raises UsageError where the file cannot be read."""
        if self.password_file is None:
            return self.password or ""
        try:
            lines = self.password_file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(
                f"The file of {_PREFIX}PASSWORD_FILE, {self.password_file}, cannot be read: "
                f"{getattr(error, 'strerror', None) or 'it is no text'}."
            ) from error
        return lines[0] if lines else ""


def load_clickhouse_settings(**given: Any) -> ClickHouseSettings:
    """The settings in force: those `given`, else those of the environment.

    Raises UsageError that names the one which makes no sense, or which there is not.
    """
    return checked(ClickHouseSettings, _PREFIX, given)


def _address(url: str) -> Address:
    """Raises ValueError, and UsageError for a password in the URL."""
    parts = urlsplit(url)
    if parts.query or parts.fragment:
        raise ValueError("there are no further parameters")
    if parts.scheme == "chdb":
        folder = unquote(parts.path)
        if parts.netloc or not folder.startswith("/") or "?" in folder:
            raise ValueError("no folder")
        return Address("", 0, "", _DATABASE, folder=str(Path(folder).resolve()))
    if parts.password is not None:
        raise UsageError(
            f"A password stands in {_PREFIX}URL, which is shown where the copy is named: give it by "
            f"{_PREFIX}PASSWORD or {_PREFIX}PASSWORD_FILE."
        )
    if not parts.hostname or parts.path.count("/") > 1:
        raise ValueError("no host, or no database")
    port = parts.port or _PORTS[parts.scheme] if parts.scheme in _PORTS else None
    if port is None:
        raise ValueError("no such scheme")
    database = unquote(parts.path.lstrip("/")) or _DATABASE
    return Address(parts.hostname, port, unquote(parts.username or "default"), database, parts.scheme == "clickhouses")
