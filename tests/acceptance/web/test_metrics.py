"""`/metrics`: what Prometheus reads of a warehouse is what `status` says."""

import re

from fastapi.testclient import TestClient

from replayhouse.infra.web.metrics import Gauge, rendered
from tests.support.in_process import Warehouse

SAMPLE = re.compile(
    r'(replayhouse_[a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\[\\n"])*",?)+\})? (-?\d+(?:\.\d+)?(?:e[+-]\d+)?)'
)


def test_metrics_say_what_status_says(client: TestClient, loaded: Warehouse) -> None:
    answer = client.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    found: dict[tuple[str, str | None], float] = {}
    for line in answer.text.splitlines():
        if not line.startswith("# "):
            told = SAMPLE.fullmatch(line)
            assert told is not None, line
            found[told[1], told[2]] = float(told[3])

    status = loaded.json("status")
    assert found["replayhouse_log_position_events", None] == status["position"]
    for context, told_of in status["contexts"].items():
        assert found["replayhouse_projection_lag_events", f'{{context="{context}"}}'] == told_of["lag"]
        assert found["replayhouse_parked_streams", f'{{context="{context}"}}'] == told_of["parked"]
    [score] = [load["score"] for load in loaded.json("batches")][-1:]
    assert found["replayhouse_load_quality_score_ratio", None] == score / 100
    assert found["replayhouse_open_loads", None] == 0


def test_every_metric_is_described_once_before_its_samples(client: TestClient) -> None:
    lines = client.get("/metrics").text.splitlines()
    typed = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert len(typed) == len(set(typed))
    assert {line.split("{")[0].split()[0] for line in lines if not line.startswith("#")} == set(typed)


def test_what_stands_in_a_label_stays_in_it() -> None:
    gauge = Gauge("relay_lag_events", "Events not published yet.", [({"relay": 'a"b\\c\nd'}, 1)])
    assert rendered(iter([gauge])).splitlines()[-1] == r'replayhouse_relay_lag_events{relay="a\"b\\c\nd"} 1.0'
