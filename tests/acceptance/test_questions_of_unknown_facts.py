"""What a source does not know is in no answer: without a promise nothing is late or in time, nobody is no seller."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.oracle.expected import expected
from tests.support.answers import faults_of_rows, found_wrong
from tests.support.databases import copied
from tests.support.extracts import write
from tests.support.in_process import Warehouse
from tests.support.messy_extracts import messy_extract
from tests.support.unknown_facts import forgetful, let_be_unknown
from tests.support.web import asking

OF_PROMISES_AND_SELLERS = (22, 23, 25, 27, 28, 30, 35, 48, 53, 56, 59, 63, 65, 69, 89, 99, 100)

OF_AN_UNKNOWN_SELLER = """
    SELECT order_id FROM sales.fact_order_item WHERE seller_id = '00000000-0000-0000-0000-000000000000' LIMIT 1
"""


class Loaded(NamedTuple):
    """A warehouse and the extract that it has loaded."""

    warehouse: Warehouse
    extract: Path


@pytest.fixture(scope="module")
def forgot(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Two years of orders; of a third each nobody knows the promise, the day to ship by and the seller."""
    folder = tmp_path_factory.mktemp("forgot")
    extract = write(folder / "extract", forgetful(messy_extract(1, 900, 26), 5))
    with copied(server) as database, pytest.MonkeyPatch.context() as patch:
        let_be_unknown(patch)
        warehouse = Warehouse(database, folder / "home")
        warehouse.ingest(extract)
        yield Loaded(warehouse, extract)


def test_answers_leave_out_what_nobody_knows_as_the_oracle_does(forgot: Loaded) -> None:
    with (
        forgot.warehouse.database.connect("replayhouse test", autocommit=True) as conn,
        expected(forgot.extract, may_be_unknown=True) as oracle,
    ):
        assert found_wrong(conn, oracle) == []
        assert faults_of_rows(conn) == []


def test_the_share_of_late_deliveries_is_that_of_the_promised(forgot: Loaded) -> None:
    facts = forgot.warehouse.rows("""
        SELECT to_char(placed_at, 'YYYY-MM'), count(*), count(*) FILTER (WHERE is_late),
            round(100.0 * count(*) FILTER (WHERE is_late) / nullif(count(is_late), 0), 2)
        FROM fulfillment.fact_delivery JOIN sales.fact_order USING (order_id, placed_at)
        WHERE sales.fact_order.status = 'delivered' AND delivered_at IS NOT NULL
        GROUP BY 1
    """)
    told = {row[0]: tuple(row[1:4]) for row in forgot.warehouse.json("ask", "22")["rows"] if row[1]}
    assert told == {month: (n, late, None if pct is None else float(pct)) for month, n, late, pct in facts}
    assert any(late and pct != round(100 * late / n, 2) for n, late, pct in told.values())


def test_pages_show_what_is_known(forgot: Loaded, tmp_path: Path) -> None:
    paths = ["/", "/?period=all", *(f"/questions/{number}" for number in OF_PROMISES_AND_SELLERS)]
    with asking(forgot.warehouse.database, tmp_path) as client:
        found = {path: client.get(path).status_code for path in paths}
        assert found == dict.fromkeys(paths, 200)
        late = forgot.warehouse.json("ask", "22")["rows"]
        rows = client.get("/questions/22/rows", params={"key": late[5][0], "column": "late_pct"}).text
        assert "promised" in rows
        shown = re.search(r"Late deliveries</dt><dd>.*?>([\d.]+)", client.get("/?period=all").text, re.DOTALL)
        known = [(share, of) for _, of, _, share, *_ in late if share is not None]
        assert shown is not None
        mean = sum(share * of for share, of in known) / sum(of for _, of in known)
        assert float(shown[1]) == pytest.approx(mean, abs=0.06)
        [(order,)] = forgot.warehouse.rows(OF_AN_UNKNOWN_SELLER)
        leads = set(re.findall(r'href="(/(?:sellers|shipments)/[^"]*)"', client.get(f"/orders/{order}").text))
        assert leads
        assert {path: client.get(path).status_code for path in leads} == dict.fromkeys(leads, 200)
