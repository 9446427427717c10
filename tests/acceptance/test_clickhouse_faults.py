"""What of ClickHouse goes wrong before it answers: told plainly, with the exit code of its kind, nothing half done."""

from pathlib import Path

import pytest

import replayhouse
from replayhouse.infra.postgres.connection import Database
from tests.support.in_process import Warehouse, refused

NOBODY = "clickhouse://127.0.0.1:1/reports"
AWAY = ("cannot be reached", "Connection refused", NOBODY)


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


@pytest.mark.parametrize("command", [("project", "--to"), ("rebuild", "--to"), ("digest", "--in")])
def test_a_server_that_is_away_is_exit_code_3_and_none_that_is_named_2(
    command: tuple[str, ...], warehouse: Warehouse
) -> None:
    refused(warehouse.run(*command, "clickhouse", "--json", REPLAYHOUSE_CLICKHOUSE_URL=NOBODY), 3, *AWAY)
    refused(warehouse.run(*command, "clickhouse", "--json"), 2, "REPLAYHOUSE_CLICKHOUSE_URL")
    nonsense = warehouse.run(*command, "clickhouse", "--json", REPLAYHOUSE_CLICKHOUSE_URL="reports")
    refused(nonsense, 2, "makes no sense", "clickhouse://user@host:8123/database")
    assert warehouse.rows("SELECT count(*)::int FROM event_store.copy_elsewhere") == [(0,)]


def test_read_models_are_kept_nowhere_else(warehouse: Warehouse) -> None:
    refused(warehouse.run("project", "--to", "snowflake", "--json"), 2, "not in 'snowflake'")
    refused(warehouse.run("project", "--to", "snowflake", "--follow", "--json"), 2, "not in 'snowflake'")
    refused(warehouse.run("rebuild", "--to", "snowflake", "--json"), 2, "not in 'snowflake'")


def test_what_does_not_go_together_is_refused(warehouse: Warehouse) -> None:
    for others in (("--into", "march"), ("--to-position", "3"), ("--reason", "why")):
        refused(warehouse.run("rebuild", "--to", "clickhouse", *others, "--json"), 2, "--withhold-personal alone")
    refused(warehouse.run("rebuild", "--withhold-personal", "--json"), 2, "goes with --to")


def test_settings_are_given_from_python_too(database: Database) -> None:
    with (
        replayhouse.open(database_url=database.url, clickhouse={"url": NOBODY}) as warehouse,
        pytest.raises(replayhouse.Unreachable, match="Connection refused"),
    ):
        warehouse.project_to("clickhouse")
    with pytest.raises(replayhouse.UsageError, match="no setting address"):
        replayhouse.open(database_url=database.url, clickhouse={"address": NOBODY})
