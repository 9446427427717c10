"""A data warehouse you can replay: extracts become events, star schemas are folded from them.

    import replayhouse

    with replayhouse.open() as warehouse:
        report = warehouse.ingest("extracts/april")
        print(report.status, report.position)

Settings come from the environment (`REPLAYHOUSE_...`), as those of the command line do, or are given to `open`.
"""

from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

from replayhouse.infra.runtime.errors import (
    Conflict,
    Conflicting,
    InputError,
    NoWarehouse,
    Rejected,
    ReplayhouseError,
    Unreachable,
    UsageError,
    WrongServer,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from replayhouse.infra.application.api.base import ReplayhouseWarning
    from replayhouse.infra.application.api.warehouse import Warehouse
    from replayhouse.infra.application.check_proof import check_proof
    from replayhouse.infra.application.generate import generate
    from replayhouse.infra.application.sources import check_source, list_sources, new_source
    from replayhouse.infra.runtime.telling import Tell, Warn
    from replayhouse.infra.sealed_log.reader import open_sealed_log

__all__ = [
    "Conflict",
    "Conflicting",
    "InputError",
    "NoWarehouse",
    "Rejected",
    "ReplayhouseError",
    "ReplayhouseWarning",
    "Unreachable",
    "UsageError",
    "Warehouse",
    "WrongServer",
    "check_proof",
    "check_source",
    "generate",
    "list_sources",
    "new_source",
    "open",
    "open_sealed_log",
]

_LATER = {
    "ReplayhouseWarning": "application.api.base",
    "Warehouse": "application.api.warehouse",
    "check_proof": "application.check_proof",
    "check_source": "application.sources",
    "generate": "application.generate",
    "list_sources": "application.sources",
    "new_source": "application.sources",
    "open_sealed_log": "sealed_log.reader",
}
"""What is imported when it is first asked for, with the module below infra where it is."""


def open(  # noqa: A001 - used as `replayhouse.open`, as others have it
    *,
    home: str | PathLike[str] | None = None,
    database_url: str | None = None,
    kafka: "Mapping[str, Any] | None" = None,
    clickhouse: "Mapping[str, Any] | None" = None,
    tell: "Tell | None" = None,
    warn: "Warn | None" = None,
    **settings: Any,
) -> "Warehouse":
    """A warehouse by the settings of the environment, where none are given here. Nothing is started before it is used.

    `home` is the folder of an embedded database, which is then the one that is meant, whatever REPLAYHOUSE_DATABASE_URL
    says; `database_url` names a PostgreSQL of one's own; further `settings` are those of docs/operations.md in lower
    case, such as `workers=4`; `kafka` has those of docs/kafka.md, such as `{"bootstrap": "127.0.0.1:9092"}`, and
    `clickhouse` those of docs/clickhouse.md, such as `{"url": "clickhouse://ana@reports:8123/shop"}`.
    `tell(doing, done, of)` is called as the work goes on, `warn(text)` with what a person should know although it goes
    on (by default a ReplayhouseWarning). Raises UsageError for settings that make no sense.
    """
    from replayhouse.infra.application.api.base import warn_in_python
    from replayhouse.infra.application.api.warehouse import Warehouse
    from replayhouse.infra.runtime.settings import load_settings
    from replayhouse.infra.runtime.telling import tell_nobody

    if home is not None:
        settings = {"home": home, "database_url": None, **settings}
    if database_url is not None:
        settings["database_url"] = database_url
    of_kafka = None
    if kafka is not None:
        from replayhouse.infra.runtime.kafka_settings import load_kafka_settings

        of_kafka = load_kafka_settings(**kafka)
    of_clickhouse = None
    if clickhouse is not None:
        from replayhouse.infra.runtime.clickhouse_settings import load_clickhouse_settings

        of_clickhouse = load_clickhouse_settings(**clickhouse)
    return Warehouse(
        load_settings(**settings),
        kafka=of_kafka,
        clickhouse=of_clickhouse,
        tell=tell or tell_nobody,
        warn=warn or warn_in_python,
    )


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"replayhouse.infra.{_LATER[name]}"), name)
