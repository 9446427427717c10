"""What commands tell a collector of OpenLineage, and that nothing of it disturbs them."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import UUID

import pytest

import replayhouse
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.runtime.errors import Conflicting
from tests.oracle.lines import a_customer
from tests.support.collectors import Collector, collecting, validate
from tests.support.extracts import a_good_extract, a_later_extract, a_review, write
from tests.support.in_process import Warehouse

CANARIES = ("Zanzibarópolis", "kolibri-titel", "kanarienvogel", "98765", "mallory")
"""Words of cells, a reason and a folder that nobody outside may read."""


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def told(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Collector:
    """A collector that the environment names."""
    monkeypatch.setenv("OPENLINEAGE_URL", collector.url)
    return collector


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    return write(tmp_path / "mallory" / "2017", a_good_extract())


def named(datasets: list[Any]) -> dict[str, Any]:
    """Datasets by their names without the database's."""
    return {one["name"].partition(".")[2] if one["namespace"] != "file" else one["name"]: one for one in datasets}


def jobs_in(file: Path) -> list[str]:
    return [json.loads(line)["job"]["name"] for line in file.read_text().splitlines()]


# --- what is told ---------------------------------------------------------------------------------------------------


def test_a_load_is_told_with_what_it_read_and_wrote(warehouse: Warehouse, told: Collector, extract: Path) -> None:
    document = warehouse.ingest(extract)

    assert told.runs == [
        ("ingest", "START"),
        ("ingest", "COMPLETE"),
        ("project", "START"),
        ("project", "COMPLETE"),
    ]
    load, shown = told.ended("ingest"), told.ended("project")
    assert load["run"]["runId"] == document["batch"]
    assert shown["run"]["facets"]["parent"]["run"]["runId"] == document["batch"]
    read, wrote = named(load["inputs"]), named(load["outputs"])
    assert read["2017/olist_orders_dataset.csv"]["inputFacets"]["inputStatistics"]["rowCount"] == 5
    assert set(wrote) == {"event_store.log"}
    log = wrote["event_store.log"]
    assert log["facets"]["version"]["datasetVersion"] == f"{document['position']}:{document['chain']}"
    assert log["outputFacets"]["outputStatistics"]["rowCount"] == sum(document["events"].values())
    tables = named(shown["outputs"])
    assert {"sales.fact_order", "customer.dim_customer", "quality.batch"} <= set(tables)
    fields = {field["name"]: field for field in tables["sales.fact_order"]["facets"]["schema"]["fields"]}
    assert fields["total"] == {"name": "total", "type": "numeric(12,2)", "description": "price and freight, BRL"}


def test_what_the_rules_found_is_told_of_the_extract(warehouse: Warehouse, told: Collector, extract: Path) -> None:
    document = warehouse.ingest(extract)
    checks = warehouse.json("quality", "report", document["batch"])["checks"]

    [whole] = [one for one in told.ended("ingest")["inputs"] if one["name"] == "2017"]
    assertions = whole["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert {one["name"]: one["success"] for one in assertions} == {one["rule"]: one["passed"] for one in checks}
    assert any(one["severity"] == "error" for one in assertions)


def test_every_event_of_a_session_is_as_the_specification_has_it_and_none_shows_a_cell(
    warehouse: Warehouse, told: Collector, extract: Path, tmp_path: Path
) -> None:
    hidden = tmp_path / "mallory"
    later = a_later_extract()
    later["customers"].append(a_customer(190, 990, "98765", "Zanzibarópolis"))
    later["order_reviews"].append(a_review(890, 1, 4, title="kolibri-titel", comment="kanarienvogel"))
    first = warehouse.ingest(extract)
    warehouse.ingest(write(hidden / "2018", later))
    warehouse.json("project")
    warehouse.json("rebuild", "--reason", "kanarienvogel")
    warehouse.json("rebuild", "sales", "--to-position", "9", "--into", "spring")
    warehouse.json("revert", "sales")
    warehouse.json("export", hidden / "reports")
    warehouse.json("export", hidden / "reports")
    warehouse.json("log", "seal", hidden / "sealed")
    warehouse.json("replay", hidden / "sealed", "--out", hidden / "rows")
    warehouse.json("rebuild", "marketplace", "--rows", hidden / "rows")
    warehouse.json("retract", "2018", "--reason", "kanarienvogel")
    assert warehouse.run("retract", "kanarienvogel", "--reason", "kanarienvogel").code == 2
    assert warehouse.run("ingest", hidden / "kanarienvogel").code == 2

    for event in told.events:
        validate(event)
    ends = [run for run in told.runs if run[1] != "START"]
    assert ends == [
        ("ingest", "COMPLETE"),
        ("project", "COMPLETE"),
        ("ingest", "COMPLETE"),
        ("project", "COMPLETE"),
        ("rebuild", "COMPLETE"),
        ("rebuild_into", "COMPLETE"),
        ("revert", "COMPLETE"),
        ("export", "COMPLETE"),
        ("replay", "COMPLETE"),
        ("rebuild", "COMPLETE"),
        ("retract", "COMPLETE"),
        ("project", "COMPLETE"),
        ("retract", "FAIL"),
        ("ingest", "FAIL"),
    ]
    assert len(told.runs) == 2 * len(ends)
    assert len({event["run"]["runId"] for event in told.events}) == len(ends)
    assert first["batch"] in {event["run"]["runId"] for event in told.events}
    text = json.dumps(told.events, ensure_ascii=False)
    assert [word for word in CANARIES if word in text] == []


def test_a_rebuilt_table_is_told_with_rows_and_digest(warehouse: Warehouse, told: Collector, extract: Path) -> None:
    warehouse.ingest(extract)
    document = warehouse.json("rebuild", "sales")

    tables = named(told.ended("rebuild")["outputs"])
    shown = document["contexts"]["sales"]["tables"]
    assert {name: one["facets"]["version"]["datasetVersion"] for name, one in tables.items()} == {
        f"sales.{name}": table["digest"] for name, table in shown.items()
    }
    assert tables["sales.fact_order"]["outputFacets"]["outputStatistics"]["rowCount"] == 5


def test_a_rejected_load_has_failed_and_says_so_in_a_sentence(
    warehouse: Warehouse, told: Collector, tmp_path: Path
) -> None:
    lines = a_good_extract()
    del lines["orders"]
    assert warehouse.run("ingest", write(tmp_path / "2017", lines)).code == 1

    run = told.ended("ingest")
    validate(run)
    assert run["eventType"] == "FAIL"
    assert run["run"]["facets"]["errorMessage"]["message"].startswith("The load was rejected")


@pytest.mark.parametrize(
    ("ends", "code", "outcome", "message"),
    [
        (KeyboardInterrupt(), 130, "ABORT", "It was interrupted."),
        (RuntimeError("kanarienvogel"), 1, "FAIL", "The program failed, by a fault of its own. (RuntimeError)"),
        (Conflicting("kanarienvogel"), 4, "FAIL", "Another command is at work on the same thing. (Conflicting)"),
    ],
)
def test_how_a_run_ended_is_told_by_its_kind_alone(
    warehouse: Warehouse, told: Collector, ends: BaseException, code: int, outcome: str, message: str
) -> None:
    with patch("replayhouse.infra.application.rebuild.fold_again", side_effect=ends):
        assert warehouse.run("rebuild").code == code

    [_, end] = told.events
    validate(end)
    assert (end["eventType"], end["run"]["facets"]["errorMessage"]["message"]) == (outcome, message)


def test_what_moves_nothing_is_not_told(warehouse: Warehouse, told: Collector, extract: Path, tmp_path: Path) -> None:
    warehouse.ingest(extract)
    told.events.clear()

    warehouse.json("ingest", extract)
    warehouse.json("ingest", write(tmp_path / "2018", a_later_extract()), "--dry-run")
    warehouse.json("project")
    warehouse.json("retract", "2017", "--dry-run")
    warehouse.json("status")
    assert told.runs == []


def test_an_erasure_is_told_to_nobody(warehouse: Warehouse, told: Collector, extract: Path) -> None:
    warehouse.ingest(extract)
    told.events.clear()
    [(person,)] = warehouse.rows("SELECT customer_id FROM customer.dim_customer WHERE alias_count = 2")

    warehouse.json("customer", "erase", str(person), "--reason", "they asked for it", "--yes")
    assert told.runs == []


def test_whoever_calls_from_python_is_told_of_as_well(
    warehouse: Warehouse, told: Collector, extract: Path, tmp_path: Path
) -> None:
    with replayhouse.open(home=tmp_path / "home", database_url=warehouse.database.url) as opened:
        batch = opened.ingest(extract).batch_id
    assert UUID(told.ended("ingest")["run"]["runId"]) == batch


def test_the_run_of_a_scheduler_is_named_as_the_parent(
    warehouse: Warehouse, told: Collector, extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent, root = "0190c3a1-0000-7000-8000-000000000001", "0190c3a1-0000-7000-8000-000000000002"
    monkeypatch.setenv("OPENLINEAGE_PARENT_ID", f"shop/nightly.load/{parent}")
    monkeypatch.setenv("OPENLINEAGE_ROOT_PARENT_ID", f"shop/nightly/{root}")
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "marketplace")
    warehouse.ingest(extract)

    run = told.ended("ingest")
    validate(run)
    facet = run["run"]["facets"]["parent"]
    assert (facet["run"]["runId"], facet["job"]) == (parent, {"namespace": "shop", "name": "nightly.load"})
    assert facet["root"]["run"]["runId"] == root
    assert run["job"]["namespace"] == "marketplace"


# --- where it goes, and where it does not ---------------------------------------------------------------------------


def test_nothing_is_sent_where_nobody_has_asked_or_it_is_switched_off(
    warehouse: Warehouse, collector: Collector, extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse.ingest(extract)
    monkeypatch.setenv("OPENLINEAGE_URL", collector.url)
    monkeypatch.setenv("OPENLINEAGE_DISABLED", "true")
    warehouse.json("rebuild")
    assert collector.events == []


def test_a_transport_of_the_environment_or_of_a_file_is_used(
    warehouse: Warehouse, extract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, first, second = tmp_path / "openlineage.yml", tmp_path / "first", tmp_path / "second"
    settings.write_text(f"transport: {{type: file, log_file_path: '{first}', append: true}}\n")
    with monkeypatch.context() as named_by_file:
        named_by_file.setenv("OPENLINEAGE_CONFIG", str(settings))
        warehouse.ingest(extract)
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "file")
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__LOG_FILE_PATH", str(second))
    monkeypatch.setenv("OPENLINEAGE__TRANSPORT__APPEND", "true")
    warehouse.json("rebuild")

    assert [json.loads(line)["job"]["name"] for line in first.read_text().splitlines()] == [
        *["ingest"] * 2,
        *["project"] * 2,
    ]
    assert [json.loads(line)["eventType"] for line in second.read_text().splitlines()] == ["START", "COMPLETE"]


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"OPENLINEAGE__TRANSPORT__TYPE": "console"}, "name no place but the console"),
        ({"OPENLINEAGE_CONFIG": "/nowhere/openlineage.yml"}, "name no place but the console"),
        ({"OPENLINEAGE__TRANSPORT__TYPE": "pigeon"}, "refused"),
    ],
)
def test_settings_that_lead_nowhere_are_told_and_standard_output_stays_the_commands_own(
    warehouse: Warehouse, extract: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], words: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    done = warehouse.run("ingest", extract, "--json")
    assert done.code == 0
    assert done.document["status"] == "completed"
    assert words in done.err
    assert done.err.count("OpenLineage was not told") == 1


def test_a_refusal_is_told_with_its_status_and_changes_nothing(
    warehouse: Warehouse, told: Collector, extract: Path
) -> None:
    told.status = 401
    done = warehouse.run("ingest", extract, "--json")
    assert (done.code, done.document["status"]) == (0, "completed")
    assert "it was refused (HTTPError 401)" in done.err


def test_a_collector_that_hangs_holds_nobody_up(
    warehouse: Warehouse, extract: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # it takes connections, and never answers
        monkeypatch.setenv("OPENLINEAGE_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        done = warehouse.run("ingest", extract, "--json")
    assert (done.code, done.document["status"]) == (0, "completed")
    assert "did not take it within 2 seconds" in done.err


def test_a_client_that_is_not_installed_is_told_in_a_sentence(
    warehouse: Warehouse, told: Collector, extract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lacking").mkdir()
    (tmp_path / "lacking" / "openlineage.py").write_text("")  # stands before the package, and has nothing in it
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "lacking"))
    done = warehouse.run("ingest", extract, "--json")
    assert (done.code, done.document["status"]) == (0, "completed")
    assert "pip install 'replayhouse[lineage]'" in done.err
    assert told.events == []
