"""The Python API as a whole: it is complete, quick to import, says whose settings count, and serves threads."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup

import replayhouse
from replayhouse.infra.cli.program import command
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, write

METHODS = {
    "ask": "ask",
    "audit check-proof": "check_proof",
    "audit checkpoint": "checkpoint",
    "audit compare": "compare",
    "audit history": "history",
    "audit keygen": "keygen",
    "audit lineage": "lineage",
    "audit prove": "prove",
    "audit verify": "verify",
    "batches": "batches",
    "consume": "consume",
    "customer access": "access",
    "customer erase": "erase",
    "db backup": "backup",
    "db drill": "drill",
    "db grant": "grant",
    "db psql": "psql",
    "db restore": "restore",
    "db revoke": "revoke",
    "db roles": "roles",
    "db start": "start",
    "db stop": "stop",
    "db url": "url",
    "demo": "demo",
    "digest": "digest",
    "export": "export",
    "generate": "generate",
    "ingest": "ingest",
    "kafka start": "start_broker",
    "kafka status": "broker_status",
    "kafka stop": "stop_broker",
    "kafka topics": "topics",
    "log seal": "seal_log",
    "log verify": "verify_sealed",
    "project": "project",
    "publish": "publish",
    "quality discard": "discard",
    "quality quarantine": "quarantine",
    "quality release": "release",
    "quality report": "quality_report",
    "questions": "questions",
    "rebuild": "rebuild",
    "replay": "replay",
    "retract": "retract",
    "revert": "revert",
    "revisions drop": "drop",
    "revisions list": "revisions",
    "sources check": "check_source",
    "sources list": "list_sources",
    "sources new": "new_source",
    "sources show": "load_mapping",
    "status": "status",
    "token create": "create_token",
    "token list": "tokens",
    "token revoke": "revoke_token",
}
"""What a caller from Python uses in the place of each command; functions of the package need no warehouse."""

DOCS = Path(__file__).parents[2] / "docs"

HEAVY = {"confluent_kafka", "cryptography", "duckdb", "eventsourcing", "kafka", "psycopg", "pyarrow", "sqlalchemy"}


def commands(group: TyperGroup, before: str = "") -> Iterator[str]:
    for name, found in group.commands.items():
        if isinstance(found, TyperGroup):
            yield from commands(found, f"{before}{name} ")
        else:
            yield f"{before}{name}"


def test_each_command_has_a_method() -> None:
    assert set(commands(command())) == {*METHODS, "serve"}, "serve stays: what it serves is an application of its own"
    offered = {*dir(replayhouse.Warehouse), *replayhouse.__all__}
    assert [method for method in METHODS.values() if method not in offered] == []


def test_the_page_of_the_command_line_names_each_command() -> None:
    page = (DOCS / "command-line.md").read_text(encoding="utf-8")
    alone = {name for name in METHODS if " " not in name}  # a word that may stand there for something else
    assert [name for name in alone if not re.search(rf"replayhouse {name}\b", page)] == []
    assert [name for name in METHODS.keys() - alone if not re.search(rf"[` ]{name}\b", page)] == []


def test_the_page_on_python_names_each_method_that_is_not_called_as_its_command() -> None:
    page = (DOCS / "python.md").read_text(encoding="utf-8")
    others = [method for name, method in METHODS.items() if method != name.split()[-1]]
    assert others
    assert [method for method in others if not re.search(rf"`(replayhouse\.)?{method}`", page)] == []


def test_each_method_says_what_it_does() -> None:
    public = [name for name in dir(replayhouse.Warehouse) if not name.startswith("_")]
    assert [name for name in public if not getattr(replayhouse.Warehouse, name).__doc__] == []


def test_importing_it_imports_nothing_heavy() -> None:
    code = "import replayhouse, sys; print(*sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & HEAVY == set()


def test_what_is_given_counts_for_more_than_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLAYHOUSE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none")
    monkeypatch.setenv("REPLAYHOUSE_HOME", str(tmp_path / "of the environment"))
    monkeypatch.setenv("REPLAYHOUSE_WORKERS", "7")

    named, given = replayhouse.open(), replayhouse.open(home=tmp_path / "given", workers=3)

    assert named.settings.database_url == "postgresql://nobody@127.0.0.1:1/none"
    assert (named.settings.home, named.settings.workers) == (tmp_path / "of the environment", 7)
    assert given.settings.database_url is None, "the home is the one that is meant"
    assert (given.settings.home, given.settings.workers) == (tmp_path / "given", 3)
    both = replayhouse.open(home=tmp_path / "given", database_url="postgresql://somebody@127.0.0.1:1/there")
    assert both.settings.database_url == "postgresql://somebody@127.0.0.1:1/there"


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"worker": 3}, "There is no setting worker"), ({"workers": 0}, "REPLAYHOUSE_WORKERS makes no sense")],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(replayhouse.UsageError, match=words):
        replayhouse.open(**settings)


@pytest.mark.parametrize(("contexts", "words"), [([], "is empty"), (["sale"], "There is no context 'sale'")])
def test_contexts_that_are_none_are_refused(contexts: list[str], words: str, tmp_path: Path) -> None:
    with replayhouse.open(home=tmp_path / "home") as warehouse, pytest.raises(replayhouse.UsageError, match=words):
        warehouse.rebuild(contexts)


def test_where_there_is_no_warehouse_none_is_made_by_asking(tmp_path: Path) -> None:
    with (
        replayhouse.open(home=tmp_path / "home") as warehouse,
        pytest.raises(replayhouse.NoWarehouse, match="There is no warehouse in the folder"),
    ):
        warehouse.status()
    assert not (tmp_path / "home").exists()


def test_two_threads_work_with_a_warehouse_each(server: EmbeddedServer, tmp_path: Path) -> None:
    extract = write(tmp_path / "extract", a_good_extract())
    told: dict[int, list[str]] = {1: [], 2: []}
    done: dict[int, tuple[str, dict[str, object]]] = {}

    def work(number: int, url: str) -> None:
        with replayhouse.open(
            home=tmp_path / str(number), database_url=url, tell=lambda doing, *_: told[number].append(doing)
        ) as warehouse:
            done[number] = (warehouse.ingest(extract).status, warehouse.digest().document())

    with copied(server) as first, copied(server) as second:
        threads = [threading.Thread(target=work, args=given) for given in ((1, first.url), (2, second.url))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [status for status, _ in done.values()] == ["completed", "completed"]
    assert told[1] == told[2] != []
    first_digests, second_digests = (digests["contexts"] for _, digests in done.values())
    assert isinstance(first_digests, dict)
    assert isinstance(second_digests, dict)
    for context in ("sales", "fulfillment", "customer", "marketplace"):
        assert first_digests[context]["tables"] == second_digests[context]["tables"]
