"""The database of a command, opened by the settings, with the driver's errors in our own words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from psycopg import errors

from replayhouse.infra.cli.output import progress, warn_in_lines
from replayhouse.infra.postgres.connection import Database, make_database, open_database, translated
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime.errors import WrongServer
from replayhouse.infra.runtime.settings import Settings, load_settings

if TYPE_CHECKING:
    from replayhouse.infra.application.api.warehouse import Warehouse as ByMethods

_LACKING = (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName, errors.WrongObjectType)


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
    with _told_what_takes_long(settings, makes=makes):
        database = make_database(settings, warn_in_lines) if makes else open_database(settings)
    try:
        with translated():
            yield Warehouse(settings, database)
    except _LACKING as error:
        told = str(error).splitlines()[0]
        raise WrongServer(
            f"The tables of the warehouse are not as its migrations made them: {told}. replayhouse audit verify says "
            "what is the matter with those of the log, replayhouse rebuild makes read models anew; or restore a backup."
        ) from error


@contextmanager
def _told_what_takes_long(settings: Settings, *, makes: bool) -> Iterator[None]:
    """Says so where the embedded database has to be made, or started, before anything else can be done."""
    server = EmbeddedServer(settings.home)
    doing = ""
    if settings.database_url is None and server.is_made():
        doing = "" if server.is_running() else "starting the database"
    elif settings.database_url is None and makes:
        doing = f"making a warehouse in {settings.home}"
    if not doing:
        yield
        return
    with progress() as tell:
        tell(doing, 0, 0)
        yield


@contextmanager
def named_warehouse() -> "Iterator[ByMethods]":
    """The warehouse that the settings name; how far its work is stands on standard error while the block runs."""
    from replayhouse.infra.application.api.warehouse import Warehouse as ByMethods

    with progress() as tell, ByMethods(load_settings(), tell=tell, warn=warn_in_lines) as warehouse:
        yield warehouse
