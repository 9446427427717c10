"""How PostgreSQL's own psql is called on the warehouse."""

from pathlib import Path
from typing import NamedTuple

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.application.database import url_of
from replayhouse.infra.application.site import Site
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.pg_tools import environment, program
from replayhouse.projections.sights import SIGHTS


class Psql(NamedTuple):
    """The program, and the environment to call it with: in that are place and password, and the schemas on its path."""

    program: Path
    environment: dict[str, str]


def psql(site: Site, role: str) -> Psql:
    """The psql that came with this program, or of a newer server the one that is installed, for one of the roles.

    In a database of one's own both roles are whom its URL names; the sessions of a reader begin read-only there.
    """
    is_own = site.settings.database_url is not None
    url = url_of(site.settings, "administrator" if is_own else role)
    with Database(url).connect("replayhouse db psql") as connection:
        server = connection.info.server_version // 10_000
    found = environment(url, server)
    # Who has no right on a schema of the path finds a name in the next: an analyst those in `masked`.
    seen_by_roles = (sight.schema for sight in SIGHTS)
    found["PGOPTIONS"] += f" -c search_path={','.join((*CONTEXTS, 'shared', 'mart', *seen_by_roles))}"
    if is_own and role == "reader":
        found["PGOPTIONS"] += " -c default_transaction_read_only=on"
    return Psql(program("psql", server), found)
