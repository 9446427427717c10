"""A later load on columns leaves the log that one leaves which decides family by family, whatever came before it:
loads, their retraction, people erased. Killed and resumed, either way, it comes to the same.

With REPLAYHOUSE_LATER_LOADS=N more sequences are tried than in the suite.
"""

import csv
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest

from replayhouse.infra.application import large_loads
from replayhouse.infra.loads import workers
from replayhouse.infra.loads.load_log import PostgresLoadLog
from replayhouse.infra.loads.on_columns.deciding import ShapeDecided
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.runtime import column_folds
from replayhouse.ingest.synthetic import generate
from tests.oracle.expected import FILES
from tests.support.databases import copied
from tests.support.in_process import Warehouse
from tests.support.loads_on_columns import shapes_noted, small_steps
from tests.support.recorded_loads import beside, recorded
from tests.support.the_sample import SAMPLE

MOMENTS = (datetime(2017, 10, 31), datetime(2018, 3, 31), None)
"""Three extracts in a row of one market: about a third and two thirds of the orders are placed by then."""

SEEDS = int(os.environ.get("REPLAYHOUSE_LATER_LOADS", "2"))

KNOWN_PERSON = "SELECT customer_id FROM event_store.alias_reference ORDER BY 1 OFFSET %s LIMIT 1"
ERASE_NOBODY_KNOWN = "INSERT INTO event_store.subject_key (subject_id, key) VALUES (%s, NULL) RETURNING 1"


class Killed(KeyboardInterrupt):
    """The process ends here."""


@contextmanager
def killed_after(chunks: int) -> Iterator[None]:
    """A process that ends when it has appended so many chunks, whichever way."""
    appended = 0
    append, append_encoded = PostgresLoadLog.append, PostgresLoadLog.append_encoded

    def counted(function: object) -> object:
        def appending(*arguments: object) -> object:
            nonlocal appended
            done = function(*arguments)  # type: ignore[operator]  # one of the two
            appended += 1
            if appended == chunks:
                raise Killed
            return done

        return appending

    with (
        patch.object(PostgresLoadLog, "append", counted(append)),
        patch.object(PostgresLoadLog, "append_encoded", counted(append_encoded)),
    ):
        yield


def load(warehouse: Warehouse, extract: Path, columns: str, chunks: int | None = None) -> bool:
    """Loads an extract by one process; True if that died after so many chunks, where a number is given."""
    settings = {"REPLAYHOUSE_COLUMNS": columns, "REPLAYHOUSE_WORKERS": "1"}
    with killed_after(chunks) if chunks is not None else nullcontext():
        done = warehouse.run("ingest", extract, "--no-project", **settings)
    assert done.code in (0, 130), done
    return done.code == 130


@contextmanager
def the_same_either_way(
    server: EmbeddedServer, before: Database, extract: Path, folder: Path, chunks: int | None = None, then: str = "on"
) -> Iterator[Warehouse]:
    """Loads an extract into two copies of a warehouse, and gives the one loaded on columns; AssertionError where they
    differ. Both die after so many chunks, if there are more; that one goes on as `then` says.
    """
    with copied(server, before) as one, copied(server, before) as other:
        many, single = Warehouse(one, folder / "many"), Warehouse(other, folder / "single")
        was_killed = load(many, extract, "on", chunks)
        assert load(single, extract, "off", chunks) == was_killed
        if was_killed:
            assert (recorded(many), beside(many)) == (recorded(single), beside(single))
            load(many, extract, then)
            load(single, extract, "off")
        assert recorded(many) == recorded(single)
        assert beside(many) == beside(single)
        yield many


def changed(folder: Path, random: Random) -> None:
    """Corrects some prices, and moves some people."""
    for file, column, value in (("order_items", 5, "12.34"), ("customers", 3, "mudado")):
        path = folder / FILES[file]
        with path.open(newline="", encoding="utf-8") as source:
            header, *records = list(csv.reader(source))
        for record in random.sample(records, len(records) // 10):
            record[column] = value
        with path.open("w", newline="", encoding="utf-8") as target:
            csv.writer(target, lineterminator="\n").writerows([header, *records])


def customers_of(extract: Path) -> list[str]:
    """Persons of an extract, in order, whether they are good or not."""
    with (extract / FILES["customers"]).open(newline="", encoding="utf-8") as source:
        return sorted({row["customer_unique_id"] for row in csv.DictReader(source)})


@pytest.mark.parametrize("seed", range(1, 1 + SEEDS))
def test_extracts_in_a_row_with_retractions_erasures_and_kills_between(
    server: EmbeddedServer, tmp_path: Path, seed: int
) -> None:
    random = Random(seed)
    extracts = [tmp_path / f"extract-{number}" for number in range(len(MOMENTS))]
    for extract, until in zip(extracts, MOMENTS, strict=True):
        generate(extract, 120, seed, until)
    changed(extracts[1], random)
    with small_steps(few=1), copied(server) as empty, shapes_noted() as made:
        load_in_a_row(server, empty, extracts, tmp_path, random, made)


def load_in_a_row(
    server: EmbeddedServer,
    before: Database,
    extracts: list[Path],
    folder: Path,
    random: Random,
    made: list[ShapeDecided],
) -> None:
    """Loads the extracts one after another, each both ways; something is done between two of them."""
    extract, *later = extracts
    made.clear()
    chunks, then = random.choice([None, 1, 4]), random.choice(["on", "off"])
    with the_same_either_way(server, before, extract, folder, chunks, then) as warehouse:
        assert made
        if later:
            if random.random() < 0.5:
                assert warehouse.run("retract", extract.name, "--reason", "a mistake").code == 0
            else:
                [(person,)] = warehouse.rows(KNOWN_PERSON, random.randrange(20))
                assert warehouse.run("customer", "erase", str(person), "--reason", "asked for", "--yes").code == 0
                warehouse.rows(ERASE_NOBODY_KNOWN, random.choice(customers_of(later[-1])))
            load_in_a_row(server, warehouse.database, later, folder, random, made)


ORDER_OF = {"orders": 0, "order_items": 0, "order_payments": 0, "order_reviews": 1}
"""By file the column with the id of the order."""


def half(extract: Path, folder: Path, number: int) -> Path:
    """An extract of every other order of another one, from a number on, and what belongs to them; of all else."""
    folder.mkdir()
    tables = {}
    for file, name in FILES.items():
        with (extract / name).open(newline="", encoding="utf-8-sig") as source:
            tables[file] = list(csv.reader(source))
    some = tables["orders"][1 + number :: 2]
    orders, aliases = {order[0] for order in some}, {order[1] for order in some}
    for file, (header, *records) in tables.items():
        if file in ORDER_OF:
            records = [record for record in records if record[ORDER_OF[file]] in orders]
        if file == "customers":
            records = [record for record in records if record[0] in aliases]
        with (folder / FILES[file]).open("w", newline="", encoding="utf-8") as target:
            csv.writer(target, lineterminator="\n").writerows([header, *records])
    return folder


def test_the_sample_or_an_extract_of_its_size_in_two_halves(server: EmbeddedServer, tmp_path: Path) -> None:
    extract = SAMPLE
    if not SAMPLE.is_dir():
        extract = tmp_path / "extract"
        generate(extract, 4_100, 3)
    with copied(server) as database, patch.object(large_loads, "LARGE_FROM_BYTES", 0):
        load(Warehouse(database, tmp_path / "home"), half(extract, tmp_path / "even", 0), "on")
        with (
            shapes_noted() as made,
            patch.object(workers, "NEW_PERSONS", 1),
            patch.object(workers, "SHARE_OF_NEW", 0),
            the_same_either_way(server, database, half(extract, tmp_path / "odd", 1), tmp_path),
        ):
            assert made, column_folds.taken()


@pytest.mark.parametrize(("name", "value"), [("NEW_PERSONS", 10_000), ("SHARE_OF_NEW", 1.1)])
def test_where_few_persons_are_new_nobody_is_decided_on_columns(
    server: EmbeddedServer, tmp_path: Path, name: str, value: float
) -> None:
    extracts = [tmp_path / "first", tmp_path / "second"]
    for extract, until in zip(extracts, MOMENTS[1:], strict=True):
        generate(extract, 60, 1, until)
    with small_steps(few=1), patch.object(workers, name, value), copied(server) as empty:
        warehouse = Warehouse(empty, tmp_path)
        with shapes_noted() as made:
            load(warehouse, extracts[0], "on")
            assert made
        with shapes_noted() as made:
            load(warehouse, extracts[1], "on")
            assert not made
