"""How a server reads on behalf of those who ask it: by a login that acts as the role of each."""

from dataclasses import replace

from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.proofs import store_id
from replayhouse.infra.postgres import askers
from replayhouse.infra.postgres.connection import Database, database_of, translated
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.postgres.roles import READER, complete
from replayhouse.infra.runtime.errors import UsageError, WrongServer

SETTING = "REPLAYHOUSE_WEB_DATABASE_URL"
"""What names the login of a server."""

_NAME = "replayhouse serve"


def login_for_askers(site: Site, url: str | None) -> Database:
    """The database as it is reached on behalf of others than owners: by a URL, or else as the settings say.

    The embedded server is given a login of its own for it. Raises WrongServer with what an administrator has to do
    where roles are missing, or the login may not act as them; UsageError where the URL is that of something else.
    """
    own = site.as_program
    with own.connect(_NAME, autocommit=True) as conn, translated():
        if (lacking := complete(conn)) is not None:
            gist, *lines = lacking.recipe.splitlines()
            raise WrongServer(f"Who asks sees what their role may, and roles are missing. {gist}", then=lines)
        store = store_id(conn)
        login = _login(site, url, own)
        with login.connect(_NAME, autocommit=True) as theirs:
            user, roles = theirs.info.user, askers.missing(theirs)
        if roles and not askers.let(conn, roles, user):
            raise WrongServer(
                f"The database user {user} may not act as the roles of those who ask, so that nobody would be shown "
                "anything. An administrator lets it:",
                then=[askers.recipe(roles, user)],
            )
    with replace(login, role=READER).connect(_NAME, autocommit=True) as theirs, translated():
        if store_id(theirs) != store:
            raise UsageError(f"{SETTING} names the database {login.place}, which has another log than {own.place}.")
    return login


def _login(site: Site, url: str | None, own: Database) -> Database:
    if url is not None:
        return database_of(url, SETTING)
    if site.settings.database_url is not None:
        return own
    return Database(EmbeddedServer(site.settings.home).url_for_askers())
