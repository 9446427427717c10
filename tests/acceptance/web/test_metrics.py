"""`/metrics`: what Prometheus reads of a warehouse is what `status` says."""

from pathlib import Path

from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.telemetry.metrics import METRICS
from tests.support.in_process import Warehouse
from tests.support.web import asking


def read(client: TestClient) -> dict[tuple[str, ...], float]:
    """What is told, by the name and the values of the labels."""
    answer = client.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    families = text_string_to_metric_families(answer.text)
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_metrics_say_what_status_says(client: TestClient, loaded: Warehouse) -> None:
    found = read(client)
    status = loaded.json("status")
    assert found["replayhouse_log_position_events",] == status["position"]
    for context, told in status["contexts"].items():
        assert found["replayhouse_events_appended_total", context] == told["events"]
        assert found["replayhouse_projection_lag_events", context] == told["lag"]
        assert found["replayhouse_projection_lag_seconds", context] == 0
        assert found["replayhouse_parked_streams", context] == told["parked"]
    [score] = [load["score"] for load in loaded.json("batches")][-1:]
    assert found["replayhouse_load_quality_score_ratio",] == round(score / 100, 6)
    assert found["replayhouse_open_loads",] == 0
    assert found["replayhouse_log_verification_success",] == 1
    assert found["replayhouse_database_up",] == 1


def test_every_metric_is_described_once_before_its_samples_and_stands_in_the_list(client: TestClient) -> None:
    lines = client.get("/metrics").text.splitlines()
    typed = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert len(typed) == len(set(typed))
    assert {line.split("{")[0].split()[0] for line in lines if not line.startswith("#")} == set(typed)
    assert set(typed) <= {metric.name for metric in METRICS}


def test_while_the_database_is_away_that_is_what_is_told(tmp_path: Path) -> None:
    with asking(Database(f"postgresql://postgres@/replayhouse?host={tmp_path}"), tmp_path / "home") as client:
        found = read(client)
    del found["replayhouse_build_info", *sorted(found, key=len)[-1][1:]]
    assert found == {("replayhouse_database_up",): 0}
