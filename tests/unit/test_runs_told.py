"""What is told of use cases that need more than a database: made of their documents, as those are printed."""

from contextlib import nullcontext
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from replayhouse.infra.application import runs_told
from replayhouse.infra.application.runs_told import JOBS, Done
from replayhouse.infra.openlineage.datasets import store_of
from replayhouse.infra.openlineage.runs import Run, events_of
from replayhouse.infra.read_models.checkpoints import Projected
from replayhouse.infra.runtime.clickhouse_settings import ClickHouseSettings
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from tests.support.collectors import validate

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
KAFKA = KafkaSettings(bootstrap="kafka.example:9092,other:9092", prefix="shop")
FOLDED = {"contexts": {"sales": {"tables": {"fact_payment": {"rows": 3, "digest": "ab" * 32}}}}}


def told(
    use_case: str, document: Any, clickhouse: str = "clickhouse://me@db.example:8123/reports", **given: Any
) -> list[Any]:
    """The last events of the runs that are told of a use case."""
    job = JOBS[use_case]
    database = SimpleNamespace(connect=lambda name: nullcontext())
    site: Any = SimpleNamespace(
        kafka=KAFKA, clickhouse=ClickHouseSettings(url=clickhouse), settings=None, database=database
    )
    run = Run(job.name, job.does, NOON, NOON)
    runs = job.runs(Done(site, store_of(None, "replayhouse"), run, given, document))
    ends = [events_of(one, {})[1] for one in runs]
    for end in ends:
        validate(end)
    return ends


def test_topics_are_told_with_what_was_published_on_each() -> None:
    relays = {
        "sales": {"events": 5, "position": 9},
        "sales.state": {"events": 2, "position": 9},
        "customer": {"events": 0, "position": 9},
    }
    [end] = told("publish", {"contexts": relays})
    assert [(one["namespace"], one["name"]) for one in end["outputs"]] == [
        ("kafka://kafka.example:9092", "shop.sales.events.v1"),
        ("kafka://kafka.example:9092", "shop.sales.state.v1"),
    ]
    assert [one["outputFacets"]["outputStatistics"]["rowCount"] for one in end["outputs"]] == [5, 2]
    assert told("publish", {"contexts": {"customer": {"events": 0, "position": 9}}}) == []


def test_tables_from_topics_stand_under_the_prefix() -> None:
    [end] = told("rebuild_from_topics", FOLDED, prefix="copy")
    assert [one["name"] for one in end["inputs"]] == ["shop.sales.events.v1"]
    assert [one["name"] for one in end["outputs"]] == ["copy_sales.fact_payment"]


def test_rows_of_a_folder_become_tables() -> None:
    [end] = told("rebuild_rows", FOLDED, folder="/data/mallory/rows")
    assert [(one["namespace"], one["name"]) for one in end["inputs"]] == [("file", "rows")]
    assert [one["name"] for one in end["outputs"]] == ["sales.fact_payment"]


def test_following_is_told_as_one_run_of_the_contexts_that_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs_told, "projected", lambda connection, context: Projected(revision=1, position=9))
    [end] = told("follow", {"contexts": {"sales": {"events": 4}, "marketplace": {"events": 0}}})
    assert end["job"]["name"] == "project"
    assert {one["facets"]["version"]["datasetVersion"] for one in end["outputs"]} == {"9"}
    assert {one["name"].partition(".")[0] for one in end["outputs"]} == {"sales"}
    assert told("follow", {"contexts": {"sales": {"events": 0}}}) == []


@pytest.mark.parametrize(
    ("url", "namespace", "name"),
    [
        ("clickhouse://me@db.example:8123/reports", "clickhouse://db.example:8123", "reports.sales_fact_payment"),
        ("clickhouses://me@[::1]/reports", "clickhouses://[::1]:8443", "reports.sales_fact_payment"),
        ("chdb:///data/mallory/here", "file", "here/sales_fact_payment"),
    ],
)
def test_tables_in_clickhouse_are_named_by_its_address(url: str, namespace: str, name: str) -> None:
    [rebuilt] = told("rebuild_to", FOLDED, clickhouse=url)
    assert [(one["namespace"], one["name"]) for one in rebuilt["outputs"]] == [(namespace, name)]

    moved = {"sales": {"events": 4, "projected": 9}, "customer": {"events": 0, "projected": 9}}
    [caught_up] = told("project_to", {"contexts": moved}, clickhouse=url)
    assert (namespace, name) in [(one["namespace"], one["name"]) for one in caught_up["outputs"]]
    assert "mallory" not in str([rebuilt, caught_up])
    assert "me@" not in str([rebuilt, caught_up])
    assert told("project_to", {"contexts": {"customer": {"events": 0, "projected": 9}}}, clickhouse=url) == []
