"""What the program tells Prometheus, looked at by Prometheus' own tool, whatever the database does."""

import http.client
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from replayhouse.ingest.synthetic import generate
from tests.support.folders import quick_folder
from tests.support.homes import FORKED, Command, Home, wait_until
from tests.support.prepared import furnish
from tests.support.prometheus import promtool
from tests.support.served import served

LONGEST_S = 60.0


@pytest.fixture
def home(prepared: Path) -> Iterator[Home]:
    """A home with a load."""
    with quick_folder() as folder:
        furnish(folder / "home", prepared)
        home = Home(folder / "home", FORKED)
        generate(folder / "extract", 60, 5, None, 1)
        home.warehouse().json("ingest", folder / "extract")
        yield home
        home.halt()


def scraped(address: str) -> str:
    with urlopen(f"{address}metrics", timeout=LONGEST_S) as answer:
        assert answer.status == 200
        return str(answer.read().decode())


def values(text: str, name: str) -> list[float]:
    return [one.value for family in text_string_to_metric_families(text) for one in family.samples if one.name == name]


def test_promtool_has_nothing_to_complain_of_while_the_database_is_there_or_away(home: Home) -> None:
    begun = time.time()
    home.succeed("audit", "verify")
    home.succeed("db", "backup", home.path.parent / "log.backup")
    home.succeed(
        "audit", "history", "customer", str(home.warehouse().rows("SELECT customer_id FROM sales.fact_order")[0][0])
    )
    with served(home) as (_, address):
        for path in ("questions/22", "api/questions/22", "healthz"):
            with urlopen(f"{address}{path}", timeout=LONGEST_S) as answer:
                assert answer.status == 200
        there = scraped(address)
        promtool("check", "metrics", given=there)
        assert values(there, "replayhouse_database_up") == [1]
        assert values(there, "replayhouse_log_verification_success") == [1]
        assert begun <= values(there, "replayhouse_last_backup_timestamp_seconds")[0] <= time.time()
        assert values(there, "replayhouse_personal_data_reads_total") == [1]
        assert sum(values(there, "replayhouse_question_duration_seconds_count")) >= 1

        home.succeed("db", "stop")
        away = scraped(address)
        promtool("check", "metrics", given=away)
        assert values(away, "replayhouse_database_up") == [0]
        assert values(away, "replayhouse_log_position_events") == []
        assert not home.server.is_running(), "whoever scrapes starts no database"

        home.succeed("db", "start")
        wait_until(lambda: values(scraped(address), "replayhouse_database_up") == [1])
        assert values(scraped(address), "replayhouse_events_appended_total") == values(
            there, "replayhouse_events_appended_total"
        )


@contextmanager
def following(home: Home, *arguments: str, **settings: str) -> Iterator[tuple[Command, str]]:
    """A command that stays, and where it answers Prometheus."""
    command = home.start(*arguments, **settings)

    def told() -> list[str]:
        return re.findall(r"^Metrics for Prometheus: (\S+)metrics$", command.told(), re.M)

    try:
        wait_until(lambda: bool(told()) or not command.is_running())
        assert told(), command.told()
        yield command, told()[0]
        command.kill(signal.SIGTERM)
        assert command.result().code == 0
    finally:
        command.kill()


def test_a_follower_tells_how_the_warehouse_is_also_while_its_database_is_away(home: Home) -> None:
    with following(home, "project", "--follow", REPLAYHOUSE_METRICS_PORT="0") as (_, address):
        wait_until(lambda: values(scraped(address), "replayhouse_database_up") == [1])
        text = scraped(address)
        promtool("check", "metrics", given=text)
        assert values(text, "replayhouse_projection_lag_events") == [0] * 5
        position = values(text, "replayhouse_log_position_events")

        generate(home.path.parent / "more", 70, 5, None, 1)
        home.succeed("ingest", home.path.parent / "more", "--no-project")
        wait_until(lambda: values(scraped(address), "replayhouse_log_position_events") > position)
        wait_until(lambda: values(scraped(address), "replayhouse_projection_lag_events") == [0] * 5)

        home.succeed("db", "stop")
        assert values(scraped(address), "replayhouse_database_up") == [0]
        home.succeed("db", "start")
        wait_until(lambda: values(scraped(address), "replayhouse_database_up") == [1])


def test_a_relay_that_waits_for_its_broker_tells_how_the_warehouse_is(home: Home) -> None:
    nobody = {"REPLAYHOUSE_KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    with following(home, "publish", "sales", "--follow", "--metrics-port", "0", **nobody) as (_, address):
        wait_until(lambda: values(scraped(address), "replayhouse_relay_is_silent") == [0])
        text = scraped(address)
        promtool("check", "metrics", given=text)
        assert values(text, "replayhouse_relay_lag_events") == [values(text, "replayhouse_events_appended_total")[0]]
        [age] = values(text, "replayhouse_relay_lag_seconds")
        assert age > 0


def test_a_small_server_gives_nothing_else_and_is_not_asked_under_foreign_names(home: Home) -> None:
    with following(home, "project", "--follow", "--metrics-port", "0") as (_, address):
        host = address.removeprefix("http://").rstrip("/")
        for path, name, status in (
            ("/metrics", host, 200),
            ("/metrics?x=1", host, 200),
            ("/", host, 404),
            ("/metrics", "warehouse.example.com", 421),
            ("/metrics", f"attacker.example.com:{host.partition(':')[2]}", 421),
        ):
            asked = http.client.HTTPConnection(host, timeout=LONGEST_S)
            asked.request("GET", path, headers={"host": name})
            assert asked.getresponse().status == status, (path, name)
            asked.close()
        again = home.run("project", "--follow", "--metrics-port", host.partition(":")[2])
    assert (again.code, "is not to be had: Address already in use" in again.err) == (2, True), again.err


def test_a_port_belongs_to_commands_that_stay(home: Home) -> None:
    for words in (("project",), ("publish",), ("publish", "--verify")):
        done = home.run(*words, "--metrics-port", "0")
        assert (done.code, "goes with --follow" in done.err) == (2, True)


def test_commands_that_end_leave_files_for_node_exporter(home: Home, tmp_path: Path) -> None:
    folder = {"REPLAYHOUSE_METRICS_DIR": str(tmp_path)}
    begun = time.time()
    home.succeed("audit", "verify", **folder)
    assert home.run("ask", "2200", **folder).code == 2
    assert home.run("ingest", "--help", **folder).code == 0
    assert home.run("no-such-command", **folder).code == 2
    home.succeed("db", "stop", **folder)

    files = {path.name: path for path in tmp_path.iterdir()}
    commands = {"audit verify": 0, "ask": 2, "db stop": 0}
    names = {command: f"replayhouse_command_{command.replace(' ', '_')}.prom" for command in commands}
    assert files.keys() == {"replayhouse_warehouse.prom", *names.values()}
    assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o644}
    for path in files.values():
        promtool("check", "metrics", given=path.read_text("utf-8"))
    for command, code in commands.items():
        text = files[names[command]].read_text("utf-8")
        assert values(text, "replayhouse_command_last_exit_code") == [code]
        assert begun <= values(text, "replayhouse_command_last_end_timestamp_seconds")[0] <= time.time()
        assert values(text, "replayhouse_command_last_duration_seconds")[0] > 0
        assert f'command="{command}"' in text
    assert values(files["replayhouse_warehouse.prom"].read_text("utf-8"), "replayhouse_database_up") == [0]
    assert not home.server.is_running(), "what is told of the warehouse starts no database"

    home.succeed("status", **folder)
    assert values((tmp_path / "replayhouse_warehouse.prom").read_text("utf-8"), "replayhouse_database_up") == [1]


def test_what_cannot_be_left_is_told_and_changes_no_exit_code(home: Home, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "taken/replayhouse_command_status.prom").mkdir(parents=True)
    for folder in ("nowhere", "file", "taken"):
        done = home.run("status", REPLAYHOUSE_METRICS_DIR=str(tmp_path / folder))
        assert (done.code, "Prometheus is told nothing of this command." in done.err) == (0, True), done.err
        assert "Traceback" not in done.err
    assert home.run("ask", "2200", REPLAYHOUSE_METRICS_DIR=str(tmp_path / "nowhere")).code == 2


def test_where_there_is_no_warehouse_only_the_command_is_told_of(tmp_path: Path) -> None:
    home = Home(tmp_path / "none", FORKED)
    assert home.run("status", REPLAYHOUSE_METRICS_DIR=str(tmp_path)).code == 2
    assert [path.name for path in tmp_path.glob("*.prom")] == ["replayhouse_command_status.prom"]


def test_commands_that_end_at_once_do_not_lose_each_others_files(home: Home, tmp_path: Path) -> None:
    running = [home.start("status", REPLAYHOUSE_METRICS_DIR=str(tmp_path)) for _ in range(4)]
    for command in running:
        done = command.result()
        assert (done.code, done.err) == (0, "")
    assert {path.name for path in tmp_path.iterdir()} == {
        "replayhouse_warehouse.prom",
        "replayhouse_command_status.prom",
    }


def test_a_clickhouse_that_is_away_is_told_and_holds_up_nothing(home: Home) -> None:
    nobody = {"REPLAYHOUSE_CLICKHOUSE_URL": "clickhouse://ana@127.0.0.1:1/replayhouse"}
    told = home.succeed("status", "--json", **nobody).result().document["clickhouse"]
    assert (told["place"], "cannot be reached" in told["error"]) == ("clickhouse://127.0.0.1:1/replayhouse", True)
    assert "cannot be reached" in home.succeed("status", **nobody).result().out
    with served(home, **nobody) as (_, address):
        text = scraped(address)
        promtool("check", "metrics", given=text)
        assert values(text, "replayhouse_clickhouse_up") == [0]
        assert values(text, "replayhouse_database_up") == [1]
    assert "clickhouse" not in home.succeed("status", "--json").result().document
