"""Lines of JSON have nothing of what stands in files, is typed, or is known of people: all commands, with marked texts.

Whatever is marked with the canary came from outside. It stands in cells, names, paths, reasons, ids and arguments.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.core import TyperGroup

from replayhouse.infra.cli.program import command
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.telemetry.happenings import Facts, Happening
from replayhouse.infra.telemetry.log_lines import ALWAYS
from tests.oracle.expected import FILES
from tests.oracle.lines import HEADERS, a_customer, a_payment, an_id
from tests.support.cli import Done, Loaded, Program, empty_warehouse
from tests.support.extracts import a_good_extract, a_review, adding, changed, write
from tests.support.homes import IN_SMALL_STEPS
from tests.support.in_process import Warehouse
from tests.support.trace_collectors import collecting

CANARY = "Canário"
MARKED = f"{CANARY} da Silva\t123.456.789-00"
CUSTOMER = an_id(905)

ELSEWHERE = {
    "serve": "tests/acceptance/web/test_serve.py",
    "db psql": "it becomes psql",
    "db start": "of an embedded server, which this warehouse has not",
    "db stop": "the same",
    "kafka start": "a broker of its own",
    "kafka stop": "the same",
    "demo": "a warehouse of its own, with made-up data",
}
"""Commands that are not run here, and why."""


def named(group: TyperGroup, before: tuple[str, ...] = ()) -> set[str]:
    """All commands, by their words."""
    found: set[str] = set()
    for name, one in group.commands.items():
        found |= named(one, (*before, name)) if isinstance(one, TyperGroup) else {" ".join((*before, name))}
    return found


def looked_at(err: str, *secrets: str) -> list[dict[str, Any]]:
    """The lines of standard error, each of which is an object with keys of the list, and tells nothing it must not."""
    lines = [json.loads(line) for line in err.splitlines()]
    for line in lines:
        assert set(line) <= {*ALWAYS, *Facts.__annotations__}, line
        assert line["event"] in {one.value for one in Happening}, line
        assert line["level"] in ("info", "warning", "error"), line
    for secret in (CANARY, json.dumps(CANARY).strip('"'), "123.456", CUSTOMER, str(UUID(CUSTOMER)), *secrets):
        assert secret not in err
    return lines


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / f"{CANARY} home")


def a_marked_extract(folder: Path) -> Path:
    """An extract with the canary in cells that are good and in such that are not, under a name that has it."""
    lines = changed(
        a_good_extract(),
        customers=adding(a_customer(106, 905, "01001", MARKED)),
        order_payments=adding(*(a_payment(1, number, f"{MARKED} {number}") for number in range(2, 6))),
        order_reviews=adding(a_review(803, 3, 5, comment=MARKED)),
    )
    made = write(folder, lines)
    orders = made / FILES["orders"]
    orders.write_text("".join(f"{text},{MARKED}\n" for text in (HEADERS["orders"], *lines["orders"])))
    (made / f"{MARKED}.csv").write_text("nothing\n")
    return made


def test_no_line_of_any_command_has_anything_from_outside(warehouse: Warehouse, tmp_path: Path) -> None:
    extract = a_marked_extract(tmp_path / MARKED)
    place = tmp_path / f"{CANARY} of files"
    place.mkdir()
    broken = place / "broken"
    broken.write_text(MARKED)
    unbelievable = write(place / f"{CANARY} again", a_good_extract())
    orders = unbelievable / FILES["orders"]
    orders.write_bytes(orders.read_bytes()[:-60] + MARKED.encode())
    told: set[str] = set()
    ran: set[str] = set()

    def run(*arguments: str | Path) -> Done:
        done = warehouse.run(
            *arguments,
            REPLAYHOUSE_LOG="json",
            REPLAYHOUSE_ACTOR=MARKED,
            REPLAYHOUSE_PURPOSE=MARKED,
            REPLAYHOUSE_KAFKA_BOOTSTRAP=f"127.0.0.1:1,{CANARY}:1",
        )
        lines = looked_at(done.err)
        ends = [line["event"] for line in lines if line["event"].startswith("command.")]
        assert ends == ["command.begun", "command.ended"], (arguments, done)
        assert lines[-1]["exit_code"] == done.code
        told.update(line["event"] for line in lines)
        ran.add(lines[-1]["command"])
        return done

    assert run("ingest", extract, "--name", MARKED).code == 0
    rows = [row["row"] for row in run("quality", "quarantine", "--file", "order_payments", "--json").document]
    assert len(rows) > 2
    arguments: Sequence[str | Path]
    for arguments in (
        ("generate", place / "made", "--orders", "20"),
        ("ingest", place / "made", "--name", "made", "--answers"),
        ("ingest", place / "made"),
        ("ingest", broken, "--json"),
        ("ingest", unbelievable),
        ("ingest", place / "made", "--dry-run"),
        ("retract", CANARY, "--reason", MARKED),
        ("retract", "made", "--reason", MARKED, "--dry-run"),
        ("retract", "made", "--reason", MARKED),
        ("batches",),
        ("status", "--check"),
        ("project",),
        ("project", "--retry-parked"),
        ("project", "--to", CANARY),
        ("rebuild", "--reason", MARKED),
        ("rebuild", "--to-position", "10", "--into", "canario"),
        ("revisions", "list"),
        ("revert", "sales"),
        ("revisions", "drop", "canario"),
        ("revisions", "drop", CANARY),
        ("digest",),
        ("questions", CANARY),
        ("ask", "1"),
        ("ask", "1", "--at", CANARY),
        ("audit", "history", "customer", CUSTOMER),
        ("audit", "history", CANARY, CUSTOMER),
        ("audit", "history", "order", "--key", MARKED, "--source", CANARY),
        ("audit", "lineage", "sales.fact_order", "--key", MARKED),
        ("audit", "lineage", "sales.fact_payment", f"{an_id(1)},1"),
        ("audit", "verify"),
        ("audit", "keygen"),
        ("audit", "checkpoint", place / "checkpoint"),
        ("audit", "verify", "--checkpoint", broken),
        ("audit", "prove", "3", "--out", place / "proof"),
        ("audit", "check-proof", place / "proof"),
        ("audit", "check-proof", broken),
        ("audit", "compare", "10", "live"),
        ("sources", "list"),
        ("sources", "new", place / "mapping", extract),
        ("sources", "check", "olist-spreadsheet", extract),
        ("sources", "check", place / "mapping", extract),
        ("ingest", extract, "--source", place / "mapping"),
        ("sources", "show", CANARY),
        ("quality", "report"),
        ("quality", "quarantine", "--rule", CANARY),
        ("quality", "release", rows[0], "--text", MARKED, "--reason", MARKED),
        ("quality", "release", rows[1], "--text", a_payment(1, 7, "voucher"), "--reason", MARKED),
        ("quality", "discard", rows[2], "--reason", MARKED),
        ("customer", "access", CUSTOMER),
        ("customer", "access", "--key", MARKED),
        ("customer", "erase", CUSTOMER, "--reason", MARKED, "--yes"),
        ("customer", "erase", CANARY, "--reason", MARKED, "--yes"),
        ("log", "seal", place / "sealed"),
        ("log", "verify", place / "sealed"),
        ("replay", place / "sealed", "--out", place / "rows"),
        ("export", place / "export"),
        ("export", place / "export"),
        ("db", "backup", place / "backup"),
        ("db", "restore", place / "backup"),
        ("db", "drill", broken),
        ("db", "url"),
        ("db", "roles"),
        ("db", "grant", "reader", CANARY),
        ("db", "revoke", "reader", CANARY),
        ("token", "create", "reader", "--name", MARKED),
        ("token", "list"),
        ("token", "revoke", "1"),
        ("kafka", "status"),
        ("kafka", "topics"),
        ("publish",),
        ("consume", "sales"),
        ("--debug", CANARY),
        ("audit", CANARY, "--debug"),
        ("status", f"--{CANARY}"),
    ):
        run(*arguments)
    assert named(command()) - ran == set(ELSEWHERE), "each command is run here, or it is said why not"
    elsewhere = {
        "backup.drilled",
        "backup.restored",
        "clickhouse.caught_up",
        "library.logged",
        "read_model.streams_parked",
        "row.released",
        "traces.lost",
        *(one for one in Happening if one.startswith(("relay.", "server.", "request.", "door."))),
    }
    assert {one.value for one in Happening} - told == elsewhere - {"relay.waiting"}


def test_processes_that_share_work_write_whole_lines_too_and_their_spans_are_of_the_trace(
    loaded: Loaded, tmp_path: Path
) -> None:
    program = Program(tmp_path / "home")
    program.succeed("generate", tmp_path / "extract", "--orders", "300", "--seed", "3")
    with empty_warehouse(loaded, tmp_path / "home") as empty, collecting() as collector:
        at_work = Program(
            tmp_path / "home",
            IN_SMALL_STEPS,
            REPLAYHOUSE_DATABASE_URL=empty.environment["REPLAYHOUSE_DATABASE_URL"],
            REPLAYHOUSE_WORKERS="2",
            REPLAYHOUSE_LOG="json",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint,
        )
        done = at_work.succeed("ingest", tmp_path / "extract", "--no-project")
    lines = looked_at(done.err)
    chunks = [line for line in lines if line["event"] == "load.chunk_appended"]
    processes = {line["process"] for line in chunks}
    assert len(processes) == 2
    assert lines[0]["process"] not in processes
    spans = {span.span: span for span in collector.named("load.chunk")}
    assert {line["span"] for line in chunks} == set(spans)
    [appending] = collector.named("load.appending")
    units = {span.span: span for span in collector.named("load.unit")}
    assert {span.parent for span in spans.values()} <= set(units)
    assert {span.parent for span in units.values()} == {appending.span}
    assert {span.trace for span in collector.spans} == {appending.trace}
