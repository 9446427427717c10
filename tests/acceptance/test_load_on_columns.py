"""A first load on columns leaves the log that one leaves which decides family by family: event by event, in order."""

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from replayhouse.infra.loads import workers
from replayhouse.infra.loads.on_columns import deciding
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.oracle.lines import a_customer, a_payment, an_item, an_order
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, a_review, write
from tests.support.in_process import Warehouse
from tests.support.loads_on_columns import shapes_noted, small_steps
from tests.support.recorded_loads import beside, loaded, recorded
from tests.support.the_sample import SAMPLE


@pytest.fixture(params=[2, 8], ids=["small shapes, too", "as usual"])
def in_small_steps(request: pytest.FixtureRequest) -> Iterator[None]:
    """Columns whatever the size, with chunks and units of a few families."""
    with small_steps(request.param):
        yield


def the_same(server: EmbeddedServer, extract: Path, folder: Path) -> None:
    """Both ways leave the same, and some persons were decided on columns, or AssertionError."""
    with shapes_noted() as made, loaded(server, extract, folder / "many", "on") as many:
        assert made
        with loaded(server, extract, folder / "single", "off") as single:
            assert recorded(many) == recorded(single)
            assert beside(many) == beside(single)


@pytest.mark.usefixtures("in_small_steps")
@pytest.mark.parametrize("seed", [1, 2])
def test_generated_extracts_with_their_dirt(server: EmbeddedServer, tmp_path: Path, seed: int) -> None:
    with copied(server) as database:
        generator = Warehouse(database, tmp_path / "generator")
        assert generator.run("generate", tmp_path / "extract", "--orders", "250", "--seed", str(seed)).code == 0
    the_same(server, tmp_path / "extract", tmp_path)


def test_the_sample_or_an_extract_of_its_size(server: EmbeddedServer, tmp_path: Path) -> None:
    extract = SAMPLE
    if not SAMPLE.is_dir():
        extract = tmp_path / "extract"
        with copied(server) as database:
            generator = Warehouse(database, tmp_path / "generator")
            assert generator.run("generate", extract, "--orders", "4100", "--seed", "3").code == 0
    the_same(server, extract, tmp_path)


@pytest.mark.usefixtures("in_small_steps")
def test_a_person_that_makes_no_sense_on_columns_goes_alone(server: EmbeddedServer, tmp_path: Path) -> None:
    """Whatever goes wrong in a run: what all of them would have been told one by one is told."""
    extract = write(tmp_path / "extract", a_good_extract())
    with (
        patch.object(deciding, "decide_person", side_effect=ZeroDivisionError),
        loaded(server, extract, tmp_path / "many", "on") as many,
        loaded(server, extract, tmp_path / "single", "off") as single,
    ):
        assert recorded(many) == recorded(single)


@pytest.mark.usefixtures("in_small_steps")
def test_of_a_bucket_beyond_what_memory_is_to_hold_nobody_is_decided_on_columns(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    extract = write(tmp_path / "extract", a_good_extract())
    with (
        patch.object(workers, "EVENTS_AT_ONCE", 8),
        patch.object(deciding, "_decide", side_effect=AssertionError) as decide,
        loaded(server, extract, tmp_path / "many", "on") as many,
    ):
        assert not decide.called
        with loaded(server, extract, tmp_path / "single", "off") as single:
            assert recorded(many) == recorded(single)


def test_long_texts_are_parted_into_more_units(server: EmbeddedServer, tmp_path: Path) -> None:
    """They are read, and held, unit by unit."""
    numbers = range(1, 53)
    lines = {
        "customers": [a_customer(100 + number, 900 + number) for number in numbers],
        "orders": [an_order(number, delivered="2017-03-09 10:00:00") for number in numbers],
        "order_items": [an_item(number) for number in numbers],
        "order_payments": [a_payment(number, 1, "10.00") for number in numbers],
        "order_reviews": [a_review(800 + number, number, comment="bom " * 25_000) for number in numbers],
    }
    for columns in ("on", "off"):
        extract = write(tmp_path / columns, a_good_extract() | lines)
        with loaded(server, extract, tmp_path / f"home {columns}", columns) as warehouse:
            units = "SELECT count(DISTINCT unit) > 1 FROM event_store.batch_progress WHERE unit < 256"
            assert warehouse.rows(units) == [(True,)]
