"""A first load on columns where memory is short: fewer units are decided together, and the log is the same."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

import pytest

from replayhouse.infra.loads.on_columns import deciding
from replayhouse.infra.loads.on_columns.working import ColumnWorker
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.ingest.ports import Unit
from tests.support.databases import copied
from tests.support.in_process import Warehouse
from tests.support.loads_on_columns import small_steps
from tests.support.recorded_loads import beside, loaded, recorded

ORDERS = 80
STEPS = {"few": 2, "events_a_chunk": 200, "events_a_unit": 300}


@pytest.fixture(scope="module")
def extract(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    with copied(server) as database:
        made = Warehouse(database, folder).run("generate", folder / "extract", "--orders", str(ORDERS), "--seed", "1")
        assert made.code == 0, made
    return folder / "extract"


@pytest.fixture(scope="module")
def one_by_one(
    server: EmbeddedServer, extract: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[object], object]:
    """The log, and what stands beside it, of a load without columns."""
    with small_steps(**STEPS), loaded(server, extract, tmp_path_factory.mktemp("home"), "off") as single:
        return recorded(single), beside(single)


def same_log(server: EmbeddedServer, extract: Path, home: Path, expected: tuple[list[object], object]) -> None:
    with loaded(server, extract, home, "on") as warehouse:
        assert recorded(warehouse) == expected[0]
        assert beside(warehouse) == expected[1]


@pytest.mark.parametrize("most", [1, 0], ids=["a unit alone", "no unit"])
def test_units_that_memory_does_not_hold_together_are_decided_apart(
    most: int, server: EmbeddedServer, extract: Path, tmp_path: Path, one_by_one: tuple[list[object], object]
) -> None:
    run, together = ColumnWorker.run, list[int]()

    def within(worker: ColumnWorker, units: Sequence[Unit]) -> Iterator[tuple[Unit, int]]:
        together.append(len(units))
        if len(units) > most:
            raise MemoryError
        yield from run(worker, units)

    with small_steps(**STEPS), patch.object(ColumnWorker, "run", within):
        same_log(server, extract, tmp_path, one_by_one)
    assert max(together) > 1


def test_what_was_appended_before_memory_was_full_is_not_appended_again(
    server: EmbeddedServer, extract: Path, tmp_path: Path, one_by_one: tuple[list[object], object]
) -> None:
    """Each unit is appended chunk by chunk; memory is full in the middle of one, again and again."""
    append, chunks = ColumnWorker._append, 0

    def until_full(worker: ColumnWorker, *arguments: object) -> Iterator[int]:
        nonlocal chunks
        for events in append(worker, *arguments):  # type: ignore[arg-type]  # whatever it is given
            yield events
            chunks += 1
            if chunks % 3 == 2:
                raise MemoryError

    with small_steps(**STEPS), patch.object(ColumnWorker, "_append", until_full):
        same_log(server, extract, tmp_path, one_by_one)
    assert chunks > 6


def test_persons_of_whom_memory_holds_no_run_go_one_by_one(
    server: EmbeddedServer, extract: Path, tmp_path: Path, one_by_one: tuple[list[object], object]
) -> None:
    with small_steps(**STEPS), patch.object(deciding, "decide_person", side_effect=MemoryError) as decide:
        same_log(server, extract, tmp_path, one_by_one)
    assert decide.called
