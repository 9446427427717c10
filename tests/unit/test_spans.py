"""Spans: where no trace is on they are nothing; where one is, also those of processes of a pool belong to it."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from replayhouse.infra.cli.main import run
from replayhouse.infra.runtime import column_folds, subprocesses
from replayhouse.infra.runtime.crews import crew
from replayhouse.infra.telemetry import trace_context
from replayhouse.infra.telemetry.happenings import Happening
from replayhouse.infra.telemetry.log_lines import written
from replayhouse.infra.telemetry.otlp import known_of, spans_to
from replayhouse.infra.telemetry.spans import Work, brought, handed, span, traced

LOAD = UUID(int=7)


class Units:
    """A worker of whose tasks each is a span, with one in it."""

    def do(self, task: int) -> int:
        with span(Work.LOAD_UNIT, events=task), span(Work.LOAD_CHUNK, load=LOAD):
            return task * 2

    def close(self) -> None:
        pass


@pytest.fixture
def exported() -> Iterator[InMemorySpanExporter]:
    """What is exported while the test runs."""
    exporter = InMemorySpanExporter()
    with spans_to(SimpleSpanProcessor(exporter)):
        yield exporter


@pytest.fixture
def handing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes of pools are told what a command tells them."""
    monkeypatch.setattr(subprocesses, "_handed_on", [handed])


def named(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {found.name: found for found in exporter.get_finished_spans()}


def id_of(found: ReadableSpan) -> str:
    assert found.context is not None
    return f"{found.context.span_id:016x}"


def above(found: ReadableSpan) -> str | None:
    return None if found.parent is None else f"{found.parent.span_id:016x}"


def test_where_no_trace_is_on_a_span_is_nothing() -> None:
    with span(Work.LOAD_UNIT) as done:
        done.tell(events=1)
    assert trace_context.ids() == {}
    assert handed().parent is None


def test_a_span_has_what_was_said_of_it(exported: InMemorySpanExporter) -> None:
    with span(Work.LOAD_APPENDING, load=LOAD), span(Work.LOAD_UNIT) as done:
        done.tell(events=3)
    found = named(exported)
    assert dict(found["load.unit"].attributes or {}) == {"replayhouse.events": 3}
    assert dict(found["load.appending"].attributes or {}) == {"replayhouse.load": str(LOAD)}
    assert above(found["load.unit"]) == id_of(found["load.appending"])


def test_of_an_error_a_span_has_the_class_and_not_the_words(exported: InMemorySpanExporter) -> None:
    with pytest.raises(LookupError), span(Work.LOAD_UNIT):
        raise LookupError("Maria")
    [found] = exported.get_finished_spans()
    assert dict(found.attributes or {}) == {"error.type": "LookupError"}
    assert "Maria" not in found.to_json()


def test_the_end_of_a_span_is_a_happening_that_names_it(exported: InMemorySpanExporter) -> None:
    stream = io.StringIO()
    with written(stream), span(Work.LOAD_CHUNK, ends=Happening.LOAD_CHUNK_APPENDED, load=LOAD) as done:
        done.tell(events=3)
    [line] = [json.loads(line) for line in stream.getvalue().splitlines()]
    [found] = exported.get_finished_spans()
    assert (line["event"], line["events"], line["span"]) == ("load.chunk_appended", 3, id_of(found))
    assert found.context is not None
    assert line["trace"] == f"{found.context.trace_id:032x}"
    assert line["seconds"] >= 0


def test_what_failed_did_not_happen() -> None:
    stream = io.StringIO()
    with pytest.raises(LookupError), written(stream), span(Work.LOAD_CHUNK, ends=Happening.LOAD_CHUNK_APPENDED):
        raise LookupError
    assert stream.getvalue() == ""


@pytest.mark.parametrize("processes", [1, 2])
def test_spans_of_processes_of_a_pool_belong_to_the_trace(
    processes: int, exported: InMemorySpanExporter, handing_on: None
) -> None:
    with span(Work.LOAD_APPENDING), crew(processes, traced(Units), "One died.") as at_work:
        assert sorted(brought(at_work.do([1, 2, 3]))) == [(1, 2), (2, 4), (3, 6)]
    spans = exported.get_finished_spans()
    [phase] = [found for found in spans if found.name == "load.appending"]
    units = {id_of(found): found for found in spans if found.name == "load.unit"}
    chunks = [found for found in spans if found.name == "load.chunk"]
    assert {above(unit) for unit in units.values()} == {id_of(phase)}
    assert {above(chunk) for chunk in chunks} == set(units)
    assert len(units) == len(chunks) == 3
    assert {found.context.trace_id for found in spans if found.context} == {
        phase.context.trace_id if phase.context else 0
    }
    for chunk in chunks:
        unit = units[above(chunk) or ""]
        assert (unit.start_time or 0) <= (chunk.start_time or 0) <= (chunk.end_time or 0) <= (unit.end_time or 0)
        assert (phase.start_time or 0) <= (unit.start_time or 0)
    assert sorted(dict(unit.attributes or {})["replayhouse.events"] for unit in units.values()) == [1, 2, 3]  # type: ignore[type-var] # numbers, as the line above has them


def test_processes_of_a_pool_bring_no_spans_where_no_trace_is_on(handing_on: None) -> None:
    with crew(2, traced(Units), "One died.") as at_work:
        assert sorted(brought(at_work.do([1, 2]))) == [(1, 2), (2, 4)]


class Noting:
    """A worker that notes how many streams went on columns."""

    def do(self, task: int) -> int:
        column_folds.note("sales", column_folds.Counts(task))
        return task

    def close(self) -> None: ...


@pytest.mark.parametrize("processes", [1, 2])
def test_what_processes_of_a_pool_note_of_columns_is_noted_where_it_is_brought(
    processes: int, handing_on: None
) -> None:
    column_folds.taken()
    with crew(processes, traced(Noting), "One died.") as at_work:
        assert sorted(brought(at_work.do([1, 2]))) == [(1, 1), (2, 2)]
    assert column_folds.taken() == {"sales": column_folds.Counts(3)}


def test_a_trace_goes_on_below_the_span_that_the_environment_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPARENT", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    exporter = InMemorySpanExporter()
    with spans_to(SimpleSpanProcessor(exporter)), span(Work.COMMAND, command="status"):
        pass
    [found] = exporter.get_finished_spans()
    assert found.context is not None
    assert (f"{found.context.trace_id:032x}", above(found)) == ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")


@pytest.mark.parametrize("value", ["", "nonsense", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"])
def test_a_parent_that_makes_no_sense_is_none(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEPARENT", value)
    exporter = InMemorySpanExporter()
    with spans_to(SimpleSpanProcessor(exporter)), span(Work.COMMAND):
        pass
    assert [above(found) for found in exporter.get_finished_spans()] == [None]


def test_what_somebody_else_says_of_a_span_is_not_exported() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    said: dict[str, Any] = {"url.query": "q=Maria", "url.path": "/customers/Maria", "http.route": "/customers/{id}"}
    with provider.get_tracer("another").start_as_current_span("GET /customers/{id}", attributes=said) as at:
        at.record_exception(LookupError("Maria"))
    told = known_of(exporter.get_finished_spans()[0])
    assert dict(told.attributes or {}) == {"http.route": "/customers/{id}"}
    assert "Maria" not in told.to_json()


MAY_FORK = """
from replayhouse.infra.runtime import forks
from replayhouse.infra.telemetry.otlp import sent_to_the_collector
from replayhouse.infra.telemetry.spans import Work, span

with sent_to_the_collector() as sent:
    with span(Work.COMMAND):
        before = forks.may_fork()
    print(before, sent.ended, sent.taken)
"""


def test_a_process_may_be_forked_until_its_first_span_has_ended() -> None:
    """Else all processes that share work would be started anew, which costs more than all spans together."""
    told = subprocess.run(
        [sys.executable, "-c", MAY_FORK],
        env={**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (told.stdout, told.stderr) == ("True 1 0\n", "")


def test_where_the_extra_is_not_installed_that_is_told_and_the_command_goes_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "replayhouse.infra.telemetry.otlp", None)
    assert run(["--version"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("replayhouse ")
    assert shown.err == (
        "OTEL_EXPORTER_OTLP_ENDPOINT names a collector; it takes pip install 'replayhouse[telemetry]'. No trace is "
        "sent.\n"
    )


def test_a_worker_may_be_made_of_what_can_be_sent() -> None:
    assert isinstance(traced(partial(Units))().do(2).found, int)
