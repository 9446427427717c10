"""Settings from the environment, prefix `REPLAYHOUSE_`. With nothing set, everything works on this machine alone.

Importing pydantic-settings takes a tenth of a second: commands import this module when they run, not before.
"""

import getpass
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from replayhouse.infra.runtime.errors import UsageError

_Settings = TypeVar("_Settings", bound=BaseSettings)


def _default_home() -> Path:
    return user_data_path("replayhouse", appauthor=False)


def _default_workers() -> int:
    """The processors this process may use; containers and `taskset` give it fewer than the machine has."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, allowed or 1)


def _default_actor() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, as in some containers
        return "unknown"


_SPAN = re.compile(r"([1-9]\d{0,5}) ?(m|min|h|d)")
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


def _read_span(given: object) -> object:
    if isinstance(given, timedelta):
        return given
    found = _SPAN.fullmatch(str(given).strip())
    if found is None:
        raise ValueError("a span of time is a number and a unit, such as 90m, 26h or 8d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


Span = Annotated[timedelta, BeforeValidator(_read_span)]
"""A span of time as people write it."""


class Settings(BaseSettings):
    """What a user may set, each as `REPLAYHOUSE_<NAME>`; an empty value counts as not set."""

    model_config = SettingsConfigDict(env_prefix="REPLAYHOUSE_", env_ignore_empty=True, frozen=True, extra="ignore")

    home: Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())] = Field(
        default_factory=_default_home,
        description="folder with the embedded database, its log and the keys, and `staging` for loads at work",
    )
    database_url: str | None = Field(
        default=None, repr=False, description="libpq URL of a PostgreSQL 16 or newer to use instead of the embedded one"
    )
    actor: str = Field(default_factory=_default_actor, description="who decides, as it is recorded with decisions")
    purpose: str = Field(
        default="", max_length=200, description="what personal fields are read for, as the access log keeps it"
    )
    keep_revisions: int = Field(
        default=2, ge=0, description="earlier revisions of each context that stay after a rebuild or a revert"
    )
    workers: int = Field(default_factory=_default_workers, ge=1, description="processes that share large work")
    segments: Literal["on", "off"] = Field(
        default="off",
        description="whether rebuilds read [segments](sealed-log.md#segments-for-rebuilds) of the log",
    )
    zip_max_bytes: int = Field(default=50 * 2**30, ge=1, description="largest unpacked size of a zip, bytes")
    zip_max_ratio: float = Field(default=20.0, gt=1, description="largest unpacked size over packed size of a zip")
    signing_key: Path | None = Field(default=None, description="file with the Ed25519 key that signs checkpoints")

    backup_recipients: Path | None = Field(
        default=None, description="file of recipients, for whom backups are encrypted in the format of age"
    )
    backup_identity: Path | None = Field(default=None, description="file with the key that decrypts backups")
    backup_max_age: Span | None = Field(
        default=None, description="how old the last backup may be before `status --check` tells of it, such as `26h`"
    )
    drill_max_age: Span | None = Field(
        default=None, description="the same of the last [drill](backups.md#the-drill), such as `8d`"
    )

    @property
    def signing_key_path(self) -> Path:
        """Where the key that signs checkpoints is, or is to be: by default in the home folder."""
        return self.home / "signing_key.pem" if self.signing_key is None else self.signing_key.expanduser().absolute()


def load_settings(**given: Any) -> Settings:
    """The settings in force: those `given`, else those of the environment.

    Raises UsageError that names the one which makes no sense, or which there is not.
    """
    return checked(Settings, "REPLAYHOUSE_", given)


def checked(settings: type[_Settings], prefix: str, given: Mapping[str, Any]) -> _Settings:
    """Settings as they are given, else as the environment has them.

    Raises UsageError that names the variable which makes no sense, or the setting which there is not.
    """
    if unknown := sorted(set(given) - set(settings.model_fields)):
        raise UsageError(f"There is no setting {unknown[0]}: the settings are {', '.join(settings.model_fields)}.")
    try:
        return settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        variable = prefix + "_".join(str(part) for part in first["loc"]).upper()
        why = first["msg"].removeprefix("Value error, ")  # which pydantic puts before words of our own
        raise UsageError(f"The setting {variable} makes no sense: {why} (got {first['input']!r}).") from error
