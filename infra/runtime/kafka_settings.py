"""Settings of Kafka from the environment, prefix `REPLAYHOUSE_KAFKA_`. Nothing of it is read by other commands."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.settings import checked

LARGEST_MESSAGE_BYTES = 1_000_000
"""Of one message with its headers: a little less than what a broker takes by default (1,048,588)."""


class KafkaSettings(BaseSettings):
    """What a user may set, each as `REPLAYHOUSE_KAFKA_<NAME>`; an empty value counts as not set."""

    model_config = SettingsConfigDict(
        env_prefix="REPLAYHOUSE_KAFKA_", env_ignore_empty=True, frozen=True, extra="ignore"
    )

    bootstrap: str | None = Field(
        default=None, description="brokers as host:port, separated by commas, to use instead of the one of kafka start"
    )
    prefix: str = Field(
        default="replayhouse",
        pattern=r"^[a-z0-9][a-z0-9-]{0,39}$",
        description="first part of the names of topics, groups and transactional ids; one for each warehouse",
    )
    partitions: int = Field(default=6, ge=1, le=1_000, description="of each topic of events, fixed when it is made")
    replication: int = Field(
        default=-1, ge=-1, le=10, description="replicas of each partition; -1 leaves it to the brokers"
    )
    retention_hours: int | None = Field(
        default=None, ge=1, description="how long events stay on their topics; not set: for ever"
    )
    personal: Literal["sealed", "omitted"] = Field(
        default="sealed", description="personal fields leave as ciphertext, or not at all (as null)"
    )
    transaction_seconds: int = Field(
        default=60,
        ge=1,
        le=900,
        description="how long a transaction may take; of a relay that stands still for longer the brokers undo it",
    )
    state: str = Field(
        default="", description="contexts, separated by commas, whose rows are published on a compacted topic too"
    )
    security: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT", description="how brokers are spoken to"
    )
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = Field(
        default="SCRAM-SHA-512", description="how name and password are proven, with SASL"
    )
    username: str | None = Field(default=None, description="with SASL")
    password: str | None = Field(default=None, repr=False, description="with SASL")
    ca: Annotated[Path, AfterValidator(lambda path: path.expanduser().absolute())] | None = Field(
        default=None, description="file with the certificates that sign those of the brokers (PEM), with SSL"
    )

    @property
    def with_state(self) -> tuple[str, ...]:
        """The contexts of the setting `state`, in the usual order. Raises UsageError that names what is none."""
        named = {name.strip() for name in self.state.split(",")} - {""}
        if unknown := sorted(named - set(CONTEXTS)):
            raise UsageError(f"REPLAYHOUSE_KAFKA_STATE names '{unknown[0]}': the contexts are {', '.join(CONTEXTS)}.")
        return tuple(context for context in CONTEXTS if context in named)


def load_kafka_settings(**given: Any) -> KafkaSettings:
    """The settings in force: those `given`, else those of the environment.

    Raises UsageError that names the one which makes no sense, or which there is not.
    """
    return checked(KafkaSettings, "REPLAYHOUSE_KAFKA_", given)
