"""The warehouse of a command: by the settings in the environment, telling on standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from replayhouse.infra.application.site import Site, errors_in_our_words
from replayhouse.infra.cli.output import progress, warn_in_lines
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.settings import Settings, load_settings

if TYPE_CHECKING:
    from replayhouse.infra.application.api.warehouse import Warehouse as ByMethods


class Warehouse(NamedTuple):
    """The settings in force, and the database that they name."""

    settings: Settings
    database: Database


@contextmanager
def open_warehouse(settings: Settings | None = None, *, makes: bool = False) -> Iterator[Warehouse]:
    """The database is running and its schema up to date while the block runs; the embedded one goes on after it.

    Raises NoWarehouse where there is none, unless this command `makes` one; Unreachable and WrongServer; inside the
    block, what the driver raises becomes ours where it is known.
    """
    settings = settings or load_settings()
    with progress() as tell:
        site = Site(settings, tell, warn_in_lines)
        database = site.make_database() if makes else site.database
    with errors_in_our_words():
        yield Warehouse(settings, database)


@contextmanager
def named_warehouse(*, stays: bool = False) -> "Iterator[ByMethods]":
    """The warehouse that the settings name; how far its work is stands on standard error while the block runs.

    A command that `stays` draws no bar, which would stand there all the while.
    """
    from replayhouse.infra.application.api.warehouse import Warehouse as ByMethods

    with progress(draws=not stays) as tell, ByMethods(load_settings(), tell=tell, warn=warn_in_lines) as warehouse:
        yield warehouse
