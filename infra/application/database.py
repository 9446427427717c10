"""The database itself: starting it, stopping it, and how other programs reach it."""

from typing import NamedTuple, get_args

from replayhouse.infra.application.site import Site
from replayhouse.infra.postgres import roles
from replayhouse.infra.postgres.connection import Database, make_database, open_database
from replayhouse.infra.postgres.embedded import EmbeddedServer, Role
from replayhouse.infra.postgres.session import for_other_programs
from replayhouse.infra.runtime.errors import UsageError
from replayhouse.infra.runtime.settings import Settings


class Started(NamedTuple):
    """What `start` answers: where the data of the embedded database is, and the port at which it listens from now on.

    Both are None of a database of one's own, and `listen` where nothing was said of it. `place` is the database without
    user and password; the URL of one's own is without passwords.
    """

    data: str | None
    url: str
    listen: int | None
    place: str

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {"running": True, "data": self.data, "url": self.url, "listen": self.listen}


class Stopped(NamedTuple):
    """What `stop` answers: whether the database was running."""

    was_running: bool

    def document(self) -> dict[str, object]:
        """As JSON shows it."""
        return {"running": False, "stopped": self.was_running}


def start(site: Site, listen: int | None) -> Started:
    """Starts the database, makes the warehouse where there is none, or brings its schema up to date.

    `listen`: the embedded database serves the reader over TCP too, at that port of the loopback interface; 0: no more.
    """
    settings = site.settings
    if settings.database_url is not None and listen is None:
        database = make_database(settings)
        _give_roles_their_rights(site, database)
        return Started(None, database.url_to_show, None, database.place)
    server = _embedded(settings)
    site.forget_database()  # another port is another URL
    if listen is not None:
        server.listen(listen)
    database = make_database(settings)
    return Started(str(server.data), database.url, listen, database.place)


def stop(site: Site) -> Stopped:
    """Stops the embedded database. Connections to it end; nothing that was committed is lost."""
    server = _embedded(site.settings)
    site.forget_database()
    return Stopped(server.stop())


def url(site: Site, role: str) -> str:
    """A libpq URL that any client on this machine can use at once, as the administrator or as the reader."""
    return for_other_programs(url_of(site.settings, role))


def url_of(settings: Settings, role: str) -> str:
    """The same for our own programs, whose environment is without variables of libpq.

    The embedded database is started where it does not run. Raises UsageError for what is no role, and where a reader is
    asked for of a database of one's own.
    """
    if role not in get_args(Role):
        raise UsageError(f"There is no role '{role}': name {' or '.join(get_args(Role))}.")
    if role == "reader":
        server = _embedded(settings)
        open_database(settings)
        return server.url("reader")
    return open_database(settings).url


def _give_roles_their_rights(site: Site, database: Database) -> None:
    """Somebody may have made the roles since; where nobody has, says what is missing."""
    with database.connect("replayhouse db start", autocommit=True) as connection:
        missing = roles.complete(connection)
        if missing is not None:
            site.warn(missing.recipe)


def _embedded(settings: Settings) -> EmbeddedServer:
    """The embedded server. Raises UsageError where REPLAYHOUSE_DATABASE_URL names another one."""
    if settings.database_url is not None:
        raise UsageError(
            "REPLAYHOUSE_DATABASE_URL names a database of your own: start it, stop it and make its readers there, "
            "or unset the variable to use the embedded one."
        )
    return EmbeddedServer(settings.home)
