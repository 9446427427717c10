"""Events of OpenLineage as documents: names, ids, parents, and whether anybody has asked for them."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from replayhouse.infra.openlineage import datasets, facets
from replayhouse.infra.openlineage.asked import is_asked_for
from replayhouse.infra.openlineage.datasets import Store, store_of
from replayhouse.infra.openlineage.runs import Run, events_of, new_run_id
from replayhouse.projections.warehouse import PROJECTIONS
from tests.support.collectors import validate

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
RUN = Run("rebuild", "Folds.", NOON, NOON + timedelta(seconds=3))
PARENT = "0190c3a1-0000-7000-8000-000000000001"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"OPENLINEAGE_NAMESPACE": "shop"}, False),
        ({"OPENLINEAGE_URL": ""}, False),
        ({"OPENLINEAGE_URL": "http://collector"}, True),
        ({"OPENLINEAGE_CONFIG": "openlineage.yml"}, True),
        ({"OPENLINEAGE__TRANSPORT__TYPE": "http"}, True),
        ({"OPENLINEAGE__TRANSPORT": '{"type": "http"}'}, True),
        ({"OPENLINEAGE_URL": "http://collector", "OPENLINEAGE_DISABLED": "True "}, False),
        ({"OPENLINEAGE_URL": "http://collector", "OPENLINEAGE_DISABLED": "false"}, True),
    ],
)
def test_who_is_asked(environment: dict[str, str], expected: bool) -> None:
    assert is_asked_for(environment) is expected


@pytest.mark.parametrize(
    ("url", "namespace", "before"),
    [
        (None, "shop", ""),
        ("postgresql://me:secret@db.example:6543/house", "postgres://db.example:6543", "house."),
        ("postgresql://me@[::1]/house", "postgres://[::1]:5432", "house."),
        ("host=/var/run/postgresql dbname=house", "postgres://localhost:5432", "house."),
        ("postgresql://a,b:5433/house", "postgres://a:5432", "house."),
        ("postgresql://me@db.example", "postgres://db.example:5432", "me."),
    ],
)
def test_tables_are_named_by_their_server_and_never_by_who_connects(
    url: str | None, namespace: str, before: str
) -> None:
    store = store_of(url, "shop")
    assert (store.namespace, store.before) == (namespace, before)
    assert "secret" not in str(store)


def test_run_ids_are_of_version_7_and_in_the_order_of_time() -> None:
    first, second = new_run_id(), new_run_id()
    assert (first.version, first.variant) == (7, UUID(int=0x2 << 62).variant)
    assert first != second
    assert abs((first.int >> 80) - datetime.now(UTC).timestamp() * 1_000) < 60_000


def test_a_run_begins_and_ends_with_one_id_and_is_valid() -> None:
    start, end = events_of(RUN, {})
    for event in (start, end):
        validate(event)
    assert (start["eventType"], end["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == end["run"]["runId"] == str(RUN.run_id)
    assert (start["eventTime"], end["eventTime"]) == ("2026-03-02T12:00:00+00:00", "2026-03-02T12:00:03+00:00")
    assert (end["job"]["namespace"], end["job"]["name"]) == ("replayhouse", "rebuild")


@pytest.mark.parametrize(
    ("environment", "namespace", "job"),
    [
        ({"OPENLINEAGE_PARENT_ID": f"shop/a/b/{PARENT}"}, "shop", "a/b"),
        ({"OPENLINEAGE_PARENT_ID": f"http%3A%2F%2Fshop/load/{PARENT}"}, "http://shop", "load"),
        (
            {
                "OPENLINEAGE_PARENT_JOB_NAMESPACE": "shop",
                "OPENLINEAGE_PARENT_JOB_NAME": "load",
                "OPENLINEAGE_PARENT_RUN_ID": PARENT,
            },
            "shop",
            "load",
        ),
        ({"DAGSTER_RUN_ID": PARENT}, "dagster", "run"),
        ({"DAGSTER_RUN_ID": PARENT, "DAGSTER_RUN_JOB_NAME": "nightly"}, "dagster", "nightly"),
    ],
)
def test_a_parent_is_named(environment: dict[str, str], namespace: str, job: str) -> None:
    for event in events_of(RUN, environment):
        validate(event)
        parent = event["run"]["facets"]["parent"]
        assert (parent["run"]["runId"], parent["job"]) == (PARENT, {"namespace": namespace, "name": job})


@pytest.mark.parametrize("text", ["", "nothing", "shop/load/no-uuid", f"/load/{PARENT}", PARENT])
def test_what_names_no_parent_is_left_out(text: str) -> None:
    for event in events_of(RUN, {"OPENLINEAGE_PARENT_ID": text}):
        assert event["run"]["facets"] == {}


@pytest.mark.parametrize("path", ["/data/mallory/2018", "/data/mallory/2018/", "2018", "s3://bucket/mallory/2018"])
def test_of_a_path_the_last_part_is_told(path: str) -> None:
    assert datasets.extract(path)["name"] == "2018"


def test_every_table_is_told_with_its_columns_and_what_they_follow_from() -> None:
    store = Store("shop", "", facets.data_source("PostgreSQL, embedded"))
    fields = {name for name, _, _ in datasets.event_fields()}
    tables = [datasets.table(store, context, name) for context, name in datasets.tables_of(PROJECTIONS)]
    _, end = events_of(Run("rebuild", "Folds.", NOON, NOON, outputs=tables), {})
    validate(end)
    for one in tables:
        columns = [field["name"] for field in one["facets"]["schema"]["fields"]]
        lineage = one["facets"]["columnLineage"]["fields"]
        assert sorted(lineage) == sorted(columns)
        assert {told["field"] for of in lineage.values() for told in of["inputFields"]} <= fields


def test_nothing_of_it_is_imported_where_nobody_asks() -> None:
    code = (
        "import sys\n"
        "from replayhouse.infra.application.api.warehouse import Warehouse\n"
        "from replayhouse.infra.runtime.errors import ReplayhouseError\n"
        "from replayhouse.infra.runtime.settings import load_settings\n"
        "try: Warehouse(load_settings()).ingest('/nowhere/extract')\n"
        "except ReplayhouseError: pass\n"
        "print(*sorted(name for name in sys.modules if 'openlineage' in name or name.endswith('run_events')))"
    )
    ours = {name: value for name, value in os.environ.items() if not name.startswith("OPENLINEAGE_")}
    done = subprocess.run([sys.executable, "-c", code], env=ours, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["replayhouse.infra.openlineage", "replayhouse.infra.openlineage.asked"]


def test_facets_are_those_of_the_client() -> None:
    from openlineage.client import facet_v2 as client

    ours = {
        client.schema_dataset.SchemaDatasetFacet: facets.schema([]),
        client.documentation_dataset.DocumentationDatasetFacet: facets.dataset_documentation(""),
        client.dataset_version_dataset.DatasetVersionDatasetFacet: facets.dataset_version(""),
        client.datasource_dataset.DatasourceDatasetFacet: facets.data_source(""),
        client.column_lineage_dataset.ColumnLineageDatasetFacet: facets.column_lineage({}),
        client.input_statistics_input_dataset.InputStatisticsInputDatasetFacet: facets.input_statistics(0),
        client.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet: facets.output_statistics(0),
        client.data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet: facets.assertions([]),
        client.job_type_job.JobTypeJobFacet: facets.job_type(),
        client.documentation_job.DocumentationJobFacet: facets.job_documentation(""),
        client.error_message_run.ErrorMessageRunFacet: facets.error_message(""),
        client.parent_run.ParentRunFacet: facets.parent_run("", "", ""),
    }
    for kind, facet in ours.items():
        [told] = facet.values()
        assert told["_schemaURL"] == kind._get_schema()  # type: ignore[attr-defined] # all of them have it
