"""A log that a newer program has written to, as the commands of an older one answer it."""

from pathlib import Path

import pytest

from replayhouse.infra.postgres.connection import Database
from tests.oracle.lines import an_id, an_order
from tests.support.extracts import a_good_extract, adding, changed, write
from tests.support.in_process import Warehouse, refused

NEWER = """
    ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only;
    UPDATE event_store.sales_events SET topic = 'sales.OrderPlaced.v3'
    WHERE topic = 'sales.OrderPlaced.v2' AND originator_id = '{}'
"""
TOO_OLD = "the program is older than the log, update it"


@pytest.fixture
def warehouse(database: Database, tmp_path: Path) -> Warehouse:
    return Warehouse(database, tmp_path / "home")


def test_commands_that_meet_an_event_of_a_newer_program_say_so(warehouse: Warehouse, tmp_path: Path) -> None:
    warehouse.json("ingest", write(tmp_path / "one", a_good_extract()), "--no-project")
    with warehouse.database.connect(autocommit=True) as connection:
        connection.execute(NEWER.format(an_id(1)).encode())

    for command in (("project",), ("rebuild",), ("audit", "history", "order", an_id(1))):
        refused(warehouse.run(*command, "--json"), 2, "sales.OrderPlaced.v3", TOO_OLD)
    contexts = warehouse.json("status")["contexts"]
    assert (contexts["sales"]["projected"], contexts["sales"]["parked"]) == (0, 0)
    assert all(contexts[name]["lag"] == 0 for name in contexts if name != "sales"), "the others have gone on"

    more = changed(a_good_extract(), orders=adding(an_order(6, "created", placed="2017-05-04 10:00:00")))
    done = warehouse.run("ingest", write(tmp_path / "two", more), "--json")
    assert (done.code, done.document["status"]) == (0, "completed"), "the load has nothing to do with that order"
    assert TOO_OLD in done.err
