"""A warehouse with three loads, made once for each process of tests, and the site on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.ingest.synthetic import generate
from tests.support.corrected import Corrected
from tests.support.corrected import corrected as correcting
from tests.support.databases import copied
from tests.support.in_process import Warehouse
from tests.support.web import ORDERS, SEED, UNTIL, asking

# The pages of the three loads are read by other tests, and so are people: the access log of a copy begins empty.
_NOTHING_READ = """
    ALTER TABLE event_store.access DISABLE TRIGGER append_only;
    TRUNCATE event_store.access;
    ALTER TABLE event_store.access ENABLE ALWAYS TRIGGER append_only
"""


@pytest.fixture(scope="session")
def loaded(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    """Three loads; the answers of record were made at the end of each. Nobody changes it: see `own`."""
    folder = tmp_path_factory.mktemp("web")
    with copied(server) as database:
        warehouse = Warehouse(database, folder / "home")
        for until in UNTIL:
            extract = folder / (f"{until:%Y-%m}" if until else "whole")
            generate(extract, ORDERS, SEED, until, 1)
            told = warehouse.json("ingest", extract, "--answers")
            assert told["status"] == "completed", told
        warehouse.json("audit", "verify")
        yield warehouse


@pytest.fixture(scope="session")
def client(loaded: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The site on the three loads. Tests that change anything take `own_client`."""
    with asking(loaded.database, tmp_path_factory.mktemp("home")) as made:
        yield made


@pytest.fixture(scope="session")
def corrected(
    server: EmbeddedServer, loaded: Warehouse, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Corrected]:
    """The site after a fourth load, which corrects a price. Nobody changes it."""
    with correcting(server, loaded, tmp_path_factory.mktemp("corrected"), ORDERS, SEED) as made:
        yield made


@pytest.fixture
def own(server: EmbeddedServer, loaded: Warehouse, tmp_path: Path) -> Iterator[Warehouse]:
    """A copy of the three loads, for the test alone; nobody has read anything of it."""
    with copied(server, Database(loaded.database.url)) as database:
        with database.connect(autocommit=True) as conn:
            conn.execute(_NOTHING_READ)
        yield Warehouse(database, tmp_path / "home")


@pytest.fixture
def own_client(own: Warehouse, tmp_path: Path) -> Iterator[TestClient]:
    """The site on that copy."""
    with asking(own.database, tmp_path / "home") as made:
        yield made
