"""Settings of what Prometheus is told, from the environment, prefix `REPLAYHOUSE_METRICS_`."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from replayhouse.infra.runtime.settings import checked

PREFIX = "REPLAYHOUSE_METRICS_"


class MetricsSettings(BaseSettings):
    """What a user may set, each as `REPLAYHOUSE_METRICS_<NAME>`; an empty value counts as not set."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="ignore")

    port: int | None = Field(
        default=None, ge=0, le=65_535, description="port of loopback where a command that stays answers Prometheus"
    )
    dir: Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())] | None = Field(
        default=None, description="folder where every command that ends leaves files for node_exporter"
    )


def load_metrics_settings(**given: Any) -> MetricsSettings:
    """The settings in force: those `given`, else those of the environment.

    Raises UsageError that names the one which makes no sense, or which there is not.
    """
    return checked(MetricsSettings, PREFIX, given)
