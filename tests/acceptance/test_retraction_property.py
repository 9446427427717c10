"""Any sequence of loads and retractions gives the rows of loading only the extracts that survive (position and quality
apart): live, rebuilt, and as a plan foretells them.

With REPLAYHOUSE_RETRACTION_EXAMPLES=N more sequences are tried than in the suite.
"""

import csv
import gc
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from psycopg import sql

import replayhouse.ingest.load
from replayhouse.infra.loads.load_log import PostgresLoadLog
from replayhouse.infra.loads.retraction_preview import RetractionPlan
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.read_models.copy_text import line_writer
from replayhouse.infra.read_models.digests import digests
from replayhouse.ingest.decision import Known
from replayhouse.ingest.ports import Chunk
from replayhouse.ingest.retract import Retraction
from replayhouse.ingest.synthetic import generate
from replayhouse.projections.digest import Digest, digest_of
from replayhouse.projections.projection import Row
from replayhouse.projections.warehouse import PROJECTIONS
from tests.oracle.expected import FILES
from tests.support.in_process import Warehouse

EXAMPLES = int(os.environ.get("REPLAYHOUSE_RETRACTION_EXAMPLES", "2"))
ORDERS = 40
JANUARY = datetime(2018, 1, 31, 23, 59, 59)

Tables = dict[str, Digest]

_numbers = count(1)


# --- extracts -------------------------------------------------------------------------------------------------------


def edited(folder: Path, file: str, change: Callable[[int, list[str]], list[str]]) -> None:
    """Changes the records of a file; a change is given the number of a record and its cells."""
    path = folder / FILES[file]
    with path.open(newline="", encoding="utf-8") as source:
        header, *records = list(csv.reader(source))
    with path.open("w", newline="", encoding="utf-8") as target:
        csv.writer(target, lineterminator="\n").writerows([header, *map(change, range(len(records)), records)])


def every(step: int, column: int, value: Callable[[str], str]) -> Callable[[int, list[str]], list[str]]:
    """A change of one cell of every so many records."""
    return lambda number, cells: (
        [*cells[:column], value(cells[column]), *cells[column + 1 :]] if number % step == 0 else cells
    )


def make_extracts(folder: Path) -> dict[str, Path]:
    """Extracts of one market that contradict each other, and one of another market, with bad records in some."""
    made = {name: folder / name for name in ("january", "whole", "corrected", "dirty", "elsewhere")}
    generate(made["january"], ORDERS, 3, JANUARY, 1)
    for name in ("whole", "corrected"):
        generate(made[name], ORDERS, 3, None, 1)
    generate(made["dirty"], ORDERS, 3, JANUARY, 1)
    generate(made["elsewhere"], ORDERS // 2, 4, None, 1)
    corrected = made["corrected"]
    edited(corrected, "orders", every(3, 2, lambda _: "canceled"))
    edited(corrected, "order_items", every(2, 5, lambda price: f"{float(price) + 1:.2f}"))
    edited(corrected, "order_payments", every(4, 4, lambda amount: f"{float(amount) + 2:.2f}"))
    edited(corrected, "order_reviews", every(2, 2, lambda score: str(6 - int(score))))
    edited(corrected, "customers", every(2, 3, lambda city: f"nova {city}"))
    edited(corrected, "sellers", every(2, 1, lambda _: "01001"))
    edited(corrected, "geolocation", every(2, 1, lambda latitude: f"{float(latitude) + 0.01:.4f}"))
    edited(corrected, "products", every(2, 1, lambda _: "livros"))
    dirty = made["dirty"]
    edited(dirty, "orders", every(5, 2, lambda _: "teleported"))
    edited(dirty, "order_items", every(7, 5, lambda _: "free"))
    edited(dirty, "customers", every(6, 1, lambda person: person[::-1]))
    (dirty / FILES["geolocation"]).unlink()
    return made


# --- warehouses -----------------------------------------------------------------------------------------------------


@dataclass
class Warehouses:
    """Makes warehouses, each a copy of the empty one or of another; keeps those that only ever loaded."""

    server: EmbeddedServer
    folder: Path
    extracts: dict[str, Path]
    _kept: dict[tuple[str, ...], str] = field(default_factory=lambda: {(): "replayhouse"})
    _found: dict[tuple[str, ...], Tables] = field(default_factory=dict, repr=False)

    def of(self, name: str) -> Warehouse:
        return Warehouse(Database(self.server.url().replace("/replayhouse?", f"/{name}?")), self.folder / "home")

    def copy(self, template: str = "replayhouse") -> str:
        """A new database; its name."""
        name = f"property_{next(_numbers)}"
        with self._connected() as conn:
            query = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy")
            conn.execute(query.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    @contextmanager
    def fresh(self) -> Iterator[Warehouse]:
        name = self.copy()
        yield self.of(name)
        with self._connected() as conn:
            conn.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def after(self, survivors: tuple[str, ...]) -> Tables:
        """The tables of a warehouse that has loaded these extracts, and nothing else ever."""
        name = self._after(survivors)
        if survivors not in self._found:
            self._found[survivors] = tables_of(self.of(name))
        return self._found[survivors]

    def _after(self, survivors: tuple[str, ...]) -> str:
        if survivors not in self._kept:
            name = self.copy(self._after(survivors[:-1]))
            self.of(name).json("ingest", self.extracts[survivors[-1]])
            self._kept[survivors] = name
        return self._kept[survivors]

    def _connected(self) -> psycopg.Connection:
        return psycopg.connect(self.server.url().replace("/replayhouse?", "/postgres?"), autocommit=True)


@pytest.fixture(scope="module")
def warehouses(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Warehouses:
    folder = tmp_path_factory.mktemp("retractions")
    return Warehouses(server, folder, make_extracts(folder))


CALENDAR = "SELECT count(*)::int FROM shared.dim_date"


def tables_of(warehouse: Warehouse, *, with_quality: bool = False) -> Tables:
    """Rows and digest of each live table; of the calendar, the number of days."""
    found = digests(warehouse.database)
    tables = {
        f"{context}.{table}": digest
        for context, of_context in found.items()
        for table, digest in of_context.tables.items()
        if with_quality or context != "quality"
    }
    return {**tables, "shared.dim_date": Digest(int(str(warehouse.rows(CALENDAR)[0][0])))}


def differences(found: Tables, wanted: Tables) -> dict[str, str]:
    """The tables that differ, with the number of rows of each side."""
    return {
        name: f"{found[name].rows} rows instead of {wanted[name].rows}"
        for name in wanted
        if found[name] != wanted[name]
    }


# --- steps ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Load:
    """An extract is loaded."""

    name: str


@dataclass(frozen=True)
class Lose:
    """A load is killed after so many chunks, and taken back; one that has fewer is done."""

    name: str
    after_chunks: int


@dataclass(frozen=True)
class TakeBack:
    """So many of the newest loads are taken back, as far as there are any."""

    loads: int


NAMES = ("january", "corrected", "whole", "dirty", "elsewhere")
STEPS = st.one_of(
    st.integers(1, 3).map(TakeBack),
    st.sampled_from(NAMES).map(Load),
    st.builds(Lose, st.sampled_from(NAMES), st.integers(0, 4)),
)


@dataclass
class Story:
    """A warehouse and the loads of it that survive so far, with their names."""

    warehouse: Warehouse
    extracts: dict[str, Path]
    loads: list[tuple[str, str]] = field(default_factory=list)

    @property
    def survivors(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.loads)

    def play(self, step: Load | Lose | TakeBack) -> None:
        if isinstance(step, Load):
            self._load(step.name)
        elif isinstance(step, Lose):
            self._lose(step)
        elif self.loads:
            self._take_back([batch for _, batch in self.loads[-step.loads :]])
            del self.loads[-step.loads :]

    def _load(self, name: str) -> None:
        told = self.warehouse.json("ingest", self.extracts[name])
        if told["status"] == "completed":
            self.loads.append((name, told["batch"]))

    def _lose(self, step: Lose) -> None:
        before = self.warehouse.json("batches")
        with killed_after(step.after_chunks):
            done = self.warehouse.run("ingest", self.extracts[step.name])
        gc.collect()  # what the load had opened goes with it
        *_, newest = self.warehouse.json("batches")
        if done.code != 0:
            assert newest["status"] == "open", done
            self._take_back([newest["batch"]])
        elif len(self.warehouse.json("batches")) > len(before):
            self.loads.append((step.name, newest["batch"]))

    def _take_back(self, batches: list[str]) -> None:
        """With the plan of it, which must come true."""
        self.warehouse.json("project")
        foretold = planned(self.warehouse, batches)
        self.warehouse.json("retract", batches[0], "--reason", "why not", *["--cascade"] * (len(batches) > 1))
        assert differences(tables_of(self.warehouse, with_quality=True), foretold) == {}


@contextmanager
def killed_after(chunks: int) -> Iterator[None]:
    """Loads end in an error after so many small chunks; those that have fewer end well."""
    append, left = PostgresLoadLog.append, iter(range(chunks))

    def dying(log: PostgresLoadLog, chunk: Chunk, known: Known) -> int:
        if next(left, None) is None:
            raise RuntimeError("killed")
        return append(log, chunk, known)

    with patch.object(PostgresLoadLog, "append", dying), patch.object(replayhouse.ingest.load, "EVENTS_A_CHUNK", 100):
        yield


def planned(warehouse: Warehouse, batches: Iterable[str]) -> Tables:
    """The tables as they would be by the plan: those of now, with the rows that would change exchanged."""
    tables = tables_of(warehouse, with_quality=True)
    now = datetime.now(UTC)
    newest_first = [Retraction(UUID(batch), "why not", "ana", now) for batch in reversed(list(batches))]
    with warehouse.database.connect("replayhouse test", autocommit=True) as conn:
        for change in RetractionPlan(conn, newest_first).changes():
            tables[change.table] += digest_of_row(change.table, change.after)
            tables[change.table] -= digest_of_row(change.table, change.before)
    return tables


WRITERS = {
    f"{context}.{table.name}": line_writer(table)
    for context, projection in PROJECTIONS.items()
    for table in projection.tables
}


def digest_of_row(table: str, row: Row | None) -> Digest:
    if row is None:
        return Digest()
    return digest_of(WRITERS[table].lines([row])) if table in WRITERS else Digest(1)


# --- the property ---------------------------------------------------------------------------------------------------


@pytest.mark.timeout(300 + 120 * EXAMPLES)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(second=st.sampled_from(NAMES[1:]), steps=st.lists(STEPS, min_size=2, max_size=4))
def test_loads_and_retractions_give_the_rows_of_the_extracts_that_survive(
    warehouses: Warehouses, second: str, steps: list[Load | Lose | TakeBack]
) -> None:
    with warehouses.fresh() as warehouse:
        story = Story(warehouse, warehouses.extracts)
        for step in (Load(NAMES[0]), Load(second), *steps):
            story.play(step)
            differing = differences(tables_of(warehouse), warehouses.after(story.survivors))
            assert differing == {}, (step, story.survivors)
        live = tables_of(warehouse, with_quality=True)
        warehouse.json("rebuild")
        assert differences(tables_of(warehouse, with_quality=True), live) == {}
