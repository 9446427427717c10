"""By HTTP, with a name and a password: what the program sends is what a server takes, as far as a stand-in tells."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.application.api.warehouse import Warehouse as Opened
from replayhouse.infra.clickhouse.server import connected
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.clickhouse_settings import ClickHouseSettings, load_clickhouse_settings
from replayhouse.infra.runtime.errors import ReplayhouseError, Unreachable
from replayhouse.infra.runtime.settings import load_settings
from replayhouse.infra.telemetry.metrics import CLICKHOUSE_LAG
from tests.support.clickhouse import Kept
from tests.support.clickhouse_http import PASSWORD, StandIn, standing_in
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import refused

PASSWORD_SETTING = "REPLAYHOUSE_CLICKHOUSE_PASSWORD"


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    with standing_in(tmp_path / "clickhouse") as server:
        yield server


@pytest.fixture
def settings(stand_in: StandIn) -> ClickHouseSettings:
    return load_clickhouse_settings(url=stand_in.url, password=PASSWORD)


def test_what_is_sent_by_http_is_shown(database: Database, tmp_path: Path, stand_in: StandIn) -> None:
    kept = Kept(database, tmp_path)
    kept.url, kept.given = stand_in.url, {PASSWORD_SETTING: PASSWORD}
    kept.warehouse.ingest(write(tmp_path / "first", a_good_extract()))
    kept.project()
    kept.warehouse.json("retract", kept.warehouse.json("batches")[-1]["batch"], "--reason", "a test")
    kept.project()

    assert kept.digests() == kept.live_digests()
    assert any(
        "sales_fact_order_rows_next" in request and "FORMAT TabSeparated" in request for request in stand_in.requests
    )

    kept.given = {PASSWORD_SETTING: "open"}
    refused(kept.run("project", "--to", "clickhouse", "--json"), 3, "does not let ana in")


def test_processes_share_the_filling(
    database: Database, tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound in ("_EVENTS_A_RANGE", "_EVENTS_WORTH_A_PROCESS"):
        monkeypatch.setattr(f"replayhouse.infra.read_models.rebuild.workers.{bound}", 5)
    kept = Kept(database, tmp_path)
    kept.url, kept.given = stand_in.url, {PASSWORD_SETTING: PASSWORD}
    kept.warehouse.ingest(write(tmp_path / "first", a_good_extract()))

    told = kept.json("rebuild", "--to", "clickhouse", "--workers", "2")["contexts"]

    assert kept.digests() == kept.live_digests()
    assert {context: of["events"] for context, of in told.items()} == kept.warehouse.events()


def test_what_a_server_refuses_is_told_in_its_words(settings: ClickHouseSettings) -> None:
    with connected(settings) as server:
        with pytest.raises(ReplayhouseError, match=r"refuses: .*nowhere"):
            server.rows("SELECT * FROM replayhouse.nowhere")
        server.execute("CREATE TABLE replayhouse.numbers (n Int8) ENGINE = MergeTree ORDER BY n")
        with pytest.raises(ReplayhouseError, match="Cannot parse"):
            server.insert_lines("numbers", ["n"], b"many\n")


def test_a_server_that_goes_away_is_told(tmp_path: Path) -> None:
    with standing_in(tmp_path / "clickhouse") as stand_in:
        settings = load_clickhouse_settings(url=stand_in.url, password=PASSWORD)
        with connected(settings) as server:
            stand_in.socket.close()
            stand_in.shutdown()
            with pytest.raises(Unreachable, match="cannot be reached"):
                server.execute("SELECT 1")


def test_how_far_it_is_behind_is_told_by_status_and_to_prometheus(
    database: Database, tmp_path: Path, stand_in: StandIn
) -> None:
    kept = Kept(database, tmp_path)
    kept.url, kept.given = stand_in.url, {PASSWORD_SETTING: PASSWORD}
    settings = load_clickhouse_settings(url=stand_in.url, password=PASSWORD)
    opened = Opened(load_settings(database_url=database.url, home=tmp_path / "home"), clickhouse=settings)

    def lags() -> dict[str, float]:
        return {one.labels[0]: one.value for one in opened.measuring().now().readings if one.metric == CLICKHOUSE_LAG}

    kept.warehouse.ingest(write(tmp_path / "first", a_good_extract()))
    events = kept.warehouse.events()
    made = len(stand_in.requests)
    told = kept.json("status")["clickhouse"]
    assert told["contexts"] == {context: {"position": 0, "lag": events.get(context, 0)} for context in CONTEXTS}
    assert lags() == {context: events.get(context, 0) for context in CONTEXTS}
    assert not any(word in one for one in stand_in.requests[made:] for word in ("CREATE", "INSERT")), "it only looks"

    kept.project()
    assert {of["lag"] for of in kept.json("status")["clickhouse"]["contexts"].values()} == {0}
    assert set(lags().values()) == {0}
    assert "ClickHouse: clickhouse://127.0.0.1:" in kept.run("status").out

    kept.warehouse.json("retract", kept.warehouse.json("batches")[-1]["batch"], "--reason", "a test")
    behind = {context: of["lag"] for context, of in kept.json("status")["clickhouse"]["contexts"].items()}
    assert behind == lags()
    assert sum(behind.values()) > 0
