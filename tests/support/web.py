"""The site, asked within the process of the test: a client for its pages and its API."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

from fastapi.testclient import TestClient

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.runtime.telling import unheard
from replayhouse.infra.web.app import create_app
from replayhouse.infra.web.auth.ways import Way
from replayhouse.infra.web.warehouses import MOST, Warehouses

ORDERS, SEED = 400, 11
UNTIL = (datetime(2018, 3, 31, 23, 59, 59), datetime(2018, 6, 30, 23, 59, 59), None)
"""The days of the extracts that are loaded one after the other: March, June, and the whole."""


@contextmanager
def asking(
    database: Database,
    home: Path,
    way: Callable[[Warehouses], Way] | None = None,
    login: Database | None = None,
    most: int = MOST,
) -> Iterator[TestClient]:
    """A client of the site on a database. What the server does not expect is answered as its users see it.

    `way` makes what finds out who asks; without it, it is the owner. `login` is how the database is reached on behalf
    of others. So many requests as `most` says are at work at once.
    """
    settings = Settings(home=home, database_url=database.url, workers=1)
    warehouses = Warehouses(settings, unheard, most, login)
    app = create_app(warehouses, way=None if way is None else way(warehouses))
    with closing(app.state.jobs), TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client
