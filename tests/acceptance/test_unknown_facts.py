"""Sources that do not know a promise, a day to ship by or a seller: nothing is made up, and nothing counts as late."""

from pathlib import Path
from unittest.mock import patch

import pytest

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.application import large_loads
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.oracle.expected import DEPENDS_ON_EARLIER_LOADS, expected
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, a_later_extract, write
from tests.support.in_process import Warehouse
from tests.support.messy_extracts import messy_extract
from tests.support.unknown_facts import forgetful

pytestmark = pytest.mark.usefixtures("may_not_know")

UNKNOWN = """
    SELECT (SELECT count(*) FROM sales.fact_order WHERE promised_by IS NULL),
        (SELECT count(*) FROM sales.fact_order_item WHERE ship_by IS NULL),
        (SELECT count(*) FROM sales.fact_order_item WHERE seller_id = '00000000-0000-0000-0000-000000000000'),
        (SELECT count(*) FROM fulfillment.fact_delivery WHERE promised_by IS NULL AND delivered_at IS NOT NULL),
        (SELECT count(*) FROM fulfillment.fact_delivery
         WHERE promised_by IS NULL AND num_nonnulls(days_late, is_late, is_past_estimate) > 0),
        (SELECT count(*) FROM quality.quarantine WHERE rule = 'required_cells_filled')
"""


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


def test_what_nobody_knows_is_null_live_and_rebuilt_and_as_the_oracle_has_it(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    extract = write(tmp_path / "extract", forgetful(messy_extract(11, 150, 8), 1))
    warehouse.ingest(extract)

    [(promises, days, sellers, delivered, said, kept_out)] = warehouse.rows(UNKNOWN)
    assert min(promises, days, sellers, delivered) > 10
    assert (said, kept_out) == (0, 0)
    with expected(extract, may_be_unknown=True) as oracle:
        assert warehouse.differs_from(oracle) == ""
    assert warehouse.rebuilt_digests() == warehouse.digests(CONTEXTS)


@pytest.mark.parametrize("before", [True, False], ids=["learnt", "forgotten"])
def test_what_becomes_known_and_what_is_taken_back_is_corrected(
    warehouse: Warehouse, tmp_path: Path, before: bool
) -> None:
    known, unknown = a_later_extract(), forgetful(a_later_extract(), 3)
    first, last = (unknown, known) if before else (known, unknown)
    warehouse.ingest(write(tmp_path / "early", forgetful(a_good_extract(), 2)))
    warehouse.ingest(write(tmp_path / "first", first))
    corrected = warehouse.ingest(write(tmp_path / "last", last))["events"]
    assert corrected["sales"] > 0
    extract = write(tmp_path / "again", {**last, "categories": [*last["categories"], "moveis,home"]})
    again = warehouse.ingest(extract)["events"]
    assert {context: events for context, events in again.items() if events and context != "quality"} == {
        "marketplace": 1
    }
    with expected(extract, may_be_unknown=True) as oracle:
        assert warehouse.differs_from(oracle, *DEPENDS_ON_EARLIER_LOADS) == ""
    assert warehouse.rebuilt_digests() == warehouse.digests(CONTEXTS)


def test_a_first_load_on_columns_decides_the_same(server: EmbeddedServer, tmp_path: Path) -> None:
    extract = write(tmp_path / "extract", forgetful(messy_extract(12, 200, 6), 4))
    made = []
    for columns in ("on", "off"):
        with copied(server) as database, patch.object(large_loads, "LARGE_FROM_BYTES", 0):
            warehouse = Warehouse(database, tmp_path / columns)
            settings = {"REPLAYHOUSE_COLUMNS": columns, "REPLAYHOUSE_WORKERS": "1"}
            done = warehouse.run("ingest", extract, **settings)
            assert done.code == 0, done
            made.append((warehouse.events(), warehouse.digests()))
    assert made[0] == made[1]
