"""What followers, relays and the server tell machines, on a database and with brokers in memory."""

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from fastapi import FastAPI
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from replayhouse.domain.sales.order import NEW_ORDER, observe
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.publishing.names import events_topic, positions_topic
from replayhouse.infra.publishing.relay import Order
from replayhouse.infra.publishing.threads import run_relays
from replayhouse.infra.read_models.live.projector import Projector, catch_up
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.rebuild.revert import revert
from replayhouse.infra.runtime.errors import Unreachable
from replayhouse.infra.runtime.kafka_settings import KafkaSettings
from replayhouse.infra.telemetry import happenings
from replayhouse.infra.telemetry.otlp import known_of, spans_to
from replayhouse.infra.telemetry.spans import Work, span
from replayhouse.infra.web.tracing import each_by_itself
from tests.support.fakes.brokers import MemoryCluster
from tests.support.read_side import Log, a_header, a_line, an_id
from tests.support.web import asking

PLACED = observe(NEW_ORDER, None, a_header("approved"), [a_line()])
CANARY = "Maria"


@pytest.fixture
def heard() -> Iterator[list[Mapping[str, Any]]]:
    """What happened while the test ran."""
    told: list[Mapping[str, Any]] = []
    happenings.listen(told.append)
    yield told
    happenings.stop_listening(told.append)


@pytest.fixture
def exported() -> Iterator[InMemorySpanExporter]:
    """What is exported while the test runs."""
    exporter = InMemorySpanExporter()
    with spans_to(SimpleSpanProcessor(exporter)):
        yield exporter


def those(heard: list[Mapping[str, Any]], event: str) -> list[dict[str, Any]]:
    """What was said of each happening of a name; seconds, which nobody knows, are left out."""
    left_out = ("event", "level", "seconds", "trace", "span")
    return [{key: one[key] for key in one if key not in left_out} for one in heard if one["event"] == event]


def test_a_follower_tells_of_what_is_new_and_of_nothing_else(
    database: Database, conn: psycopg.Connection, heard: list[Mapping[str, Any]]
) -> None:
    catch_up(database)
    heard.clear()
    position = Log(conn).append("sales", an_id(1), PLACED)
    with database.connect("replayhouse test", autocommit=True) as own:
        projector = Projector(own, "sales")
        assert [projector.keep_up(), projector.keep_up()] == [len(PLACED), 0]
    assert those(heard, "read_model.caught_up") == [
        {"context": "sales", "position": position, "events": len(PLACED)},
    ]


def test_a_rebuild_and_a_revert_tell_which_revision_is_live(
    database: Database,
    conn: psycopg.Connection,
    heard: list[Mapping[str, Any]],
    exported: InMemorySpanExporter,
) -> None:
    position = Log(conn).append("sales", an_id(1), PLACED)
    catch_up(database)
    rebuild(database, ["sales"], workers=1)
    revert(database, "sales")
    told = {"context": "sales", "position": position}
    assert those(heard, "revision.swapped") == [{**told, "revision": 2, "events": len(PLACED)}]
    assert those(heard, "revision.reverted") == [{**told, "revision": 1, "events": 0}]
    found = [span.name for span in exported.get_finished_spans()]
    assert {"rebuild", "rebuild.filling", "rebuild.range", "rebuild.swap", "read_model.catch_up"} <= set(found)


def test_a_stream_that_cannot_be_folded_is_told_without_its_id(
    database: Database, conn: psycopg.Connection, heard: list[Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise KeyError(CANARY)

    monkeypatch.setattr("replayhouse.infra.read_models.windows.refold", failing)
    Log(conn).append("sales", an_id(1), PLACED)
    catch_up(database)
    assert those(heard, "read_model.streams_parked") == [{"context": "sales", "streams": 1}]


def test_a_relay_tells_what_it_has_published(
    database: Database,
    conn: psycopg.Connection,
    heard: list[Mapping[str, Any]],
    exported: InMemorySpanExporter,
) -> None:
    position = Log(conn).append("sales", an_id(1), PLACED)
    kafka, cluster = KafkaSettings(prefix=f"t{uuid4().hex}"), MemoryCluster()
    for name in (events_topic(kafka.prefix, "sales"), positions_topic(kafka.prefix)):
        cluster.make_topic(name, 1)
    with span(Work.COMMAND):
        run_relays(database, cluster, kafka, ["sales"], Order(), threading.Event(), lambda _: None)
    told = {"relay": "sales", "position": position, "events": len(PLACED)}
    assert those(heard, "relay.opened") == [{"relay": "sales", "position": 0}]
    assert those(heard, "relay.published") == [told]
    assert those(heard, "relay.ended") == [told]
    spans = exported.get_finished_spans()
    assert {found.name for found in spans} == {"publish.window", "command"}
    assert len({found.context.trace_id for found in spans if found.context}) == 1


def test_a_request_has_a_trace_of_its_own_and_its_failure_is_told_without_its_address(
    database: Database, tmp_path: Path, heard: list[Mapping[str, Any]], exported: InMemorySpanExporter
) -> None:
    with span(Work.COMMAND), each_by_itself(), asking(database, tmp_path) as client:
        app = client.app
        assert isinstance(app, FastAPI)

        @app.get("/terms/broken/{name}")
        def broken(name: str) -> None:
            raise LookupError(name)

        @app.get("/terms/away/{name}")
        def away(name: str) -> None:
            raise Unreachable(f"{name} is away.")

        assert client.get(f"/terms/broken/{CANARY}?q={CANARY}").status_code == 500
        assert client.get(f"/terms/away/{CANARY}").status_code == 503
        assert client.get(f"/nowhere/{CANARY}").status_code == 404
        for path in ("/healthz", "/readyz", "/metrics", "/static/nothing.css"):
            client.get(path)

    assert those(heard, "request.failed") == [
        {"method": "GET", "route": "/terms/broken/{name}", "status": 500, "error": "LookupError"},
        {"method": "GET", "route": "/terms/away/{name}", "status": 503, "error": "Unreachable"},
    ]
    spans = [known_of(found) for found in exported.get_finished_spans() if found.name != "command"]
    assert [(found.name, found.parent) for found in spans] == [
        ("GET /terms/broken/{name}", None),
        ("GET /terms/away/{name}", None),
        ("GET", None),
    ]
    assert [dict(found.attributes or {})["http.response.status_code"] for found in spans] == [500, 503, 404]
    assert CANARY not in "".join(found.to_json() for found in spans)


def test_where_no_trace_is_on_requests_have_none(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", "true")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    with asking(database, tmp_path) as client:
        app = client.app
        assert isinstance(app, FastAPI)
        assert not app._native_telemetry.enabled()
        assert client.get("/healthz").status_code == 200
