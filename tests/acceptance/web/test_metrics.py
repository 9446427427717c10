"""`/metrics`: what Prometheus reads of a warehouse is what `status` says."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest
from anyio import to_thread
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.application.measuring import Measured, Measuring
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.privacy.access_counts import OTHER, RESOURCES
from replayhouse.infra.runtime.identity import Role
from replayhouse.infra.runtime.settings import Settings
from replayhouse.infra.telemetry.metrics import LOG_POSITION, METRICS, Reading
from replayhouse.infra.web import warehouses
from replayhouse.infra.web.api import routers as api_routers
from replayhouse.infra.web.pages import routers as page_routers
from replayhouse.projections.questions import questions
from tests.support.homes import wait_until
from tests.support.in_process import Warehouse
from tests.support.web import asking

LONGEST_S = 60.0
RELAY = """
    INSERT INTO publishing.relay (name, position, state, since, updated_at, session)
    VALUES (%s, 0, 'following', now(), now() - interval '1 hour', gen_random_uuid()) RETURNING name
"""
BEHIND = """
    UPDATE read_model.projection SET position = 0, moved_at = moved_at - interval '1 hour'
    WHERE context = 'sales' RETURNING extract(epoch FROM moved_at)::float8
"""
KNOWN = {
    "context": set(CONTEXTS),
    "role": {*Role, OTHER},
    "resource": {*RESOURCES.values(), OTHER},
    "question": {str(one.number) for one in questions()},
    "source": {"kept", "computed"},
    "http_request_method": {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "_OTHER"},
}

OLDEST = """
    SELECT extract(epoch FROM clock_timestamp() - recorded_at)::float8 FROM event_store.commit
    WHERE last_position >= (SELECT min(notification_id) FROM event_store.sales_events) ORDER BY last_position LIMIT 1
"""
ROUTES = {"", "/static", "/metrics", "/healthz", "/readyz", "/api/openapi.json"} | {
    route.path for router in (*api_routers(), *page_routers()) for route in router.routes if isinstance(route, APIRoute)
}


def read(client: TestClient) -> dict[tuple[str, ...], float]:
    """What is told, by the name and the values of the labels, in the order of their names."""
    return {series(one): one.value for one in samples(client)}


def series(one: Sample) -> tuple[str, ...]:
    """Its name, and the values of its labels in the order of their names."""
    return one.name, *(value for _, value in sorted(one.labels.items()))


def samples(client: TestClient) -> list[Sample]:
    answer = client.get("/metrics")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return [one for family in text_string_to_metric_families(answer.text) for one in family.samples]


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
    told = {line.split("{")[0].split()[0] for line in lines if not line.startswith("#")}
    assert {re.sub(r"(?<=_seconds)_(bucket|count|sum)$", "", name) for name in told} == set(typed)
    assert set(typed) <= {metric.name for metric in METRICS}


def test_a_read_model_that_is_behind_is_told_with_the_age_of_what_it_lacks(
    own: Warehouse, own_client: TestClient
) -> None:
    before = time.time()
    found = read(own_client)
    assert before - 1 <= found["replayhouse_projection_progress_timestamp_seconds", "sales"] <= time.time() + 1
    [(moved_at,)] = own.rows(BEHIND)
    found, status = read(own_client), own.json("status")["contexts"]["sales"]
    assert found["replayhouse_projection_lag_events", "sales"] == status["lag"] == status["events"] > 0
    assert found["replayhouse_projection_progress_timestamp_seconds", "sales"] == moved_at
    [(age,)] = own.rows(OLDEST)
    assert 0 < found["replayhouse_projection_lag_seconds", "sales"] <= age


def somebody(own: Warehouse) -> str:
    [(person,)] = own.rows("SELECT customer_id FROM sales.fact_order ORDER BY order_id LIMIT 1")
    return str(person)


def test_answers_are_counted_and_what_is_computed_is_timed(own_client: TestClient) -> None:
    def counted() -> tuple[float, ...]:
        found = read(own_client)
        names = [("answers_total", "kept"), ("answers_total", "computed"), ("question_duration_seconds_count", "34")]
        return tuple(found.get((f"replayhouse_{name}", label), 0) for name, label in names)

    kept, computed, timed = counted()
    assert own_client.get("/api/questions/34?min_reviews=7").status_code == 200
    assert counted() == (kept, computed + 1, timed + 1)
    assert own_client.get("/api/questions/34?min_reviews=7").status_code == 200
    assert counted() == (kept + 1, computed + 1, timed + 1)


def test_who_was_shown_what_is_counted_by_role_and_kind(own: Warehouse, own_client: TestClient) -> None:
    person = somebody(own)
    assert not any(name == "replayhouse_personal_data_reads_total" for name, *_ in read(own_client))
    assert own_client.get(f"/customers/{person}").status_code == 200
    assert own_client.get(f"/api/lineage/customer.dim_customer/{person}").status_code == 200
    own.json("audit", "history", "customer", str(person))
    told = {tuple(labels): value for (name, *labels), value in read(own_client).items() if name.endswith("reads_total")}
    assert told == {("thing", "owner"): 1, ("lineage", "owner"): 1, ("history", "owner"): 1}


def test_requests_are_timed_by_the_template_of_their_route(own: Warehouse, own_client: TestClient) -> None:
    [(order,)] = own.rows("SELECT order_id FROM sales.fact_order ORDER BY 1 LIMIT 1")
    asked = {
        f"/orders/{order}": ("GET", "200", "/orders/{key}"),
        "/api/questions/22": ("GET", "200", "/api/questions/{number}"),
        "/api/questions/2200": ("GET", "404", "/api/questions/{number}"),
        f"/there/is/no/such/{order}": ("GET", "404", ""),
        "/static/app.css": ("GET", "200", "/static"),
        "/healthz": ("GET", "200", "/healthz"),
    }
    name = "http_server_request_duration_seconds_count"
    before = read(own_client)
    for path, (_, status, _) in asked.items():
        assert own_client.get(path).status_code == int(status)
    own_client.request("MAKEITUP", "/questions")
    after = read(own_client)
    counted = {key[1:]: value - before.get(key, 0) for key, value in after.items() if key[0] == name}
    missing = [label for label in asked.values() if not counted.get((label[0], label[1], label[2]))]
    assert missing == [], str(sorted(counted))
    assert any(method == "_OTHER" for method, *_ in counted)


def test_labels_are_known_beforehand_whatever_is_asked(own: Warehouse, own_client: TestClient) -> None:
    """So there are so many series, and no more, whoever asks for what."""
    person = somebody(own)
    of_others = read(own_client).keys()  # this process may have served other sites before
    for path in (f"/customers/{person}", f"/x{person}", "/questions/22?by=2018-01-01", "/questions/999", "/log/5"):
        own_client.get(path)
    own_client.request("FREESTYLE", "/")
    for one in samples(own_client):
        if series(one) in of_others:
            continue
        for label, value in one.labels.items():
            if label in ("version", "python", "le"):
                continue
            if label == "http_response_status_code":
                assert re.fullmatch("[1-5][0-9][0-9]", value)
            elif label == "http_route":
                assert value in ROUTES
            else:
                assert value in KNOWN[label], one


def test_a_server_whose_threads_all_wait_is_scraped_all_the_same(
    own: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who holds the one warehouse is at work, and as many wait for it as there are threads."""
    monkeypatch.setattr(warehouses, "PATIENCE_SECONDS", 10 * LONGEST_S)
    with asking(own.database, tmp_path / "home", most=1) as client, ThreadPoolExecutor(50) as pool:
        portal = client.portal
        assert portal is not None
        with client.app.state.warehouses.lend():  # type: ignore[attr-defined] # it is FastAPI's
            waiting = [pool.submit(client.get, "/api/questions/22") for _ in range(portal.call(threads)[1])]
            wait_until(lambda: len(set(portal.call(threads))) == 1)
            assert pool.submit(read, client).result(LONGEST_S)["replayhouse_database_up",] == 1
            assert not any(one.done() for one in waiting)
        assert {one.result().status_code for one in waiting} == {200}


def threads() -> tuple[float, int]:
    """How many of the threads for requests are taken, and how many there are; asked in the server's loop."""
    limiter = to_thread.current_default_thread_limiter()
    return limiter.borrowed_tokens, int(limiter.total_tokens)


def test_while_the_database_is_away_that_is_what_is_told(tmp_path: Path) -> None:
    with asking(Database(f"postgresql://postgres@/replayhouse?host={tmp_path}"), tmp_path / "home") as client:
        found = {name: value for (name, *_), value in read(client).items() if name.startswith("replayhouse_")}
    del found["replayhouse_build_info"]
    assert {name: value for name, value in found.items() if "question" not in name and "answers" not in name} == {
        "replayhouse_database_up": 0
    }


def test_a_relay_is_told_of_by_its_name_and_nothing_else_that_stands_there(
    own: Warehouse, own_client: TestClient
) -> None:
    [(events,)] = own.rows("SELECT count(*) FROM event_store.sales_events")
    for name in ("sales", "sales.state", "of somebody", "sales.7c39"):
        own.rows(RELAY, name)
    found = read(own_client)
    lags = {key[1]: value for key, value in found.items() if key[0] == "replayhouse_relay_lag_events"}
    assert lags == {"sales": events, "sales.state": events}
    assert found["replayhouse_relay_is_silent", "sales"] == 1
    assert found["replayhouse_relay_lag_seconds", "sales"] > 0


def test_who_asks_while_it_is_measured_shares_what_is_measured_next(
    own: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many ask, one connection at a time is at work for them."""
    begun, may_end = Event(), Event()
    measured, looks = list[int](), list[float]()

    def measure(_: Measuring) -> Measured:
        measured.append(len(measured))
        begun.set()
        assert may_end.wait(LONGEST_S)
        return Measured(is_there=True, readings=[Reading(LOG_POSITION, (), len(measured))])

    def look_at_a_clock() -> float:
        looks.append(time.monotonic())
        return looks[-1]

    monkeypatch.setattr(Measuring, "_measured", measure)
    monkeypatch.setattr("replayhouse.infra.application.measuring.time", SimpleNamespace(monotonic=look_at_a_clock))
    measuring = Measuring(Settings(home=tmp_path, database_url=own.database.url))
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(measuring.now)
        assert begun.wait(LONGEST_S)
        others = [pool.submit(measuring.now) for _ in range(8)]
        wait_until(lambda: len(looks) == 2 + 8)
        may_end.set()
        assert first.result().readings[0].value == 1
        assert {one.result().readings[0].value for one in others} == {2}
