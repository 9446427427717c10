"""What the installed program tells machines: lines of JSON on standard error, and a trace to a collector."""

import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from replayhouse.infra.telemetry.happenings import Facts, Happening
from replayhouse.infra.telemetry.log_lines import ALWAYS
from replayhouse.infra.telemetry.otlp import FAREWELL_SECONDS
from tests.support.cli import PROGRAM, Done, Loaded, Program
from tests.support.trace_collectors import collecting

A_COMMAND_MAY_TAKE = 60.0
"""Seconds: less than the exporter would wait for a collector that hangs, again and again."""


def lines_of(done: Done) -> list[dict[str, Any]]:
    """Standard error, of which every line is an object with keys of the list."""
    lines = [json.loads(line) for line in done.err.splitlines()]
    for line in lines:
        assert set(line) <= {*ALWAYS, *Facts.__annotations__}, line
        assert line["event"] in {one.value for one in Happening}
    return lines


def test_a_load_is_told_as_lines_and_as_a_trace_that_belong_together(empty: Program, loaded: Loaded) -> None:
    with collecting() as collector:
        settings = {**empty.environment, "REPLAYHOUSE_LOG": "json", "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}
        program = Program(empty.home, (str(PROGRAM),))
        program.environment = settings
        done = program.succeed("ingest", loaded.extract)
    lines = lines_of(done)
    told = [line["event"] for line in lines]
    assert told[0] == "command.begun"
    assert told[-1] == "command.ended"
    assert {"load.opened", "load.chunk_appended", "load.completed", "read_model.caught_up"} <= set(told)

    [command] = collector.named("command")
    assert {line["trace"] for line in lines} == {command.trace} == {span.trace for span in collector.spans}
    assert command.attributes == {"replayhouse.command": "ingest", "replayhouse.exit_code": 0}
    assert collector.services == {"replayhouse"}
    [appending] = collector.named("load.appending")
    assert {unit.parent for unit in collector.named("load.unit")} == {appending.span}
    chunks = {span.span: span for span in collector.named("load.chunk")}
    appended = [line for line in lines if line["event"] == "load.chunk_appended"]
    assert [chunks[line["span"]].attributes["replayhouse.events"] for line in appended] == [
        line["events"] for line in appended
    ]
    contexts = [span.attributes["replayhouse.context"] for span in collector.named("read_model.catch_up_context")]
    assert contexts == [line["context"] for line in lines if line["event"] == "read_model.caught_up"]


def test_a_command_that_fails_says_with_which_code_and_class(empty: Program) -> None:
    with collecting() as collector:
        empty.environment |= {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{collector.endpoint}/v1/traces"}
        done = empty.run("ingest", "/nowhere/Maria")
    assert done.code == 2
    [command] = collector.spans
    assert command.is_error
    assert command.attributes["error.type"] == "InputError"
    assert b"Maria" not in b"".join(collector.texts)


@pytest.mark.parametrize("answer", [None, 400, 503])
def test_a_collector_that_hangs_or_refuses_changes_nothing_but_a_sentence(answer: int | None, empty: Program) -> None:
    untold = empty.run("status")
    with collecting(answer) as collector:
        empty.environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint}
        begun = time.monotonic()
        done = empty.run("status")
        assert time.monotonic() - begun < FAREWELL_SECONDS + A_COMMAND_MAY_TAKE
    assert (done.code, done.out) == (untold.code, untold.out)
    assert done.err == "The collector that OTEL_EXPORTER_OTLP_ENDPOINT names has not taken 1 span of this command.\n"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, ""),
        ({"OTEL_SDK_DISABLED": "true"}, ""),
        ({"OTEL_TRACES_EXPORTER": "none"}, ""),
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "OTEL_TRACES_EXPORTER names 'zipkin'"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL names 'grpc'"),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "soon", "OTEL_BSP_MAX_QUEUE_SIZE": "-1"}, "The collector that"),
        ({"OTEL_ATTRIBUTE_COUNT_LIMIT": "-3"}, "OpenTelemetry's exporter refuses what its variables say (ValueError)"),
    ],
)
def test_variables_that_ask_for_nothing_or_for_nonsense(variables: dict[str, str], words: str, empty: Program) -> None:
    empty.environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", **variables}
    done = empty.run("generate", empty.home / "made", "--orders", "5")
    assert done.code == 0
    told = [line for line in done.err.splitlines() if not line.endswith(" ...")]
    assert len(told) == bool(words)
    assert "".join(told).startswith(words)


def test_a_variable_that_is_read_while_opentelemetry_is_imported_changes_no_exit_code(empty: Program) -> None:
    nonsense = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "many"}
    done = Program(empty.home, (str(PROGRAM),), **nonsense).run("questions", "--json")
    assert done.code == 0
    assert done.document
    assert done.err == "OpenTelemetry's exporter refuses what its variables say (ValueError). No trace is sent.\n"


def test_of_the_machine_and_of_who_is_at_it_no_trace_says_anything(empty: Program) -> None:
    with collecting() as collector:
        said = {
            "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "process,os,host",
            "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=harbour,service.name=nightly",
        }
        empty.environment |= {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, **said}
        assert empty.run("generate", empty.home / "made", "--orders", "5").code == 0
    assert collector.services == {"nightly"}
    [text] = collector.texts
    assert b"harbour" in text
    assert not [word for word in (b"process.", b"os.", b"host.", sys.prefix.encode()) if word in text]


def test_people_are_told_as_ever_beside_a_trace(loaded: Loaded, tmp_path: Path) -> None:
    with collecting() as collector:
        program = Program(loaded.program.home, OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint)
        told, untold = program.run("status"), loaded.program.run("status")
    assert told == untold
    assert [span.name for span in collector.spans] == ["command"]
