"""A ClickHouse server, by HTTP: the one that REPLAYHOUSE_TEST_CLICKHOUSE_URL names, in a database of the test's own.

`REPLAYHOUSE_TEST_CLICKHOUSE_PASSWORD` is the user's. Without the first this file is not collected (`conftest.py`).
"""

import os
from pathlib import Path

from replayhouse.infra.clickhouse.server import connected, quoted
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.clickhouse_settings import load_clickhouse_settings
from tests.support.clickhouse import SERVER, Kept
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import refused

OURS = "replayhouse_test"


def test_a_server_shows_what_postgresql_shows(database: Database, tmp_path: Path) -> None:
    kept = Kept(database, tmp_path)
    kept.url = f"{os.environ[SERVER].rstrip('/')}/{OURS}"
    password = {"REPLAYHOUSE_CLICKHOUSE_PASSWORD": os.environ.get(f"{SERVER.removesuffix('URL')}PASSWORD", "")}
    kept.given = password
    settings = load_clickhouse_settings(url=kept.url, password=password["REPLAYHOUSE_CLICKHOUSE_PASSWORD"])
    with connected(settings) as server:
        server.execute(f"DROP DATABASE {quoted(OURS)} SYNC")
    try:
        kept.warehouse.ingest(write(tmp_path / "first", a_good_extract()))
        kept.project()
        assert kept.digests() == kept.live_digests()
        kept.warehouse.json("retract", kept.warehouse.json("batches")[-1]["batch"], "--reason", "a test")
        kept.project()
        assert kept.digests() == kept.live_digests()
        kept.json("rebuild", "--to", "clickhouse", "--workers", "2")
        assert kept.digests() == kept.live_digests()
        wrong = kept.run("project", "--to", "clickhouse", "--json", REPLAYHOUSE_CLICKHOUSE_PASSWORD="wrong")
        refused(wrong, 3, "does not let")
    finally:
        with connected(settings) as server:
            server.execute(f"DROP DATABASE {quoted(OURS)} SYNC")
