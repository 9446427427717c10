"""What a source does not know is in no answer: without a promise nothing is late or in time, nobody is no seller."""

from pathlib import Path

import pytest

from replayhouse.infra.postgres.connection import Database
from tests.oracle.expected import expected
from tests.support.answers import faults_of_rows, found_wrong
from tests.support.extracts import write
from tests.support.in_process import Warehouse
from tests.support.messy_extracts import messy_extract
from tests.support.unknown_facts import forgetful


@pytest.mark.usefixtures("may_not_know")
def test_answers_leave_out_what_nobody_knows_as_the_oracle_does(database: Database, tmp_path: Path) -> None:
    extract = write(tmp_path / "extract", forgetful(messy_extract(1, 900, 26), 5))
    Warehouse(database, tmp_path / "home").ingest(extract)
    with (
        database.connect("replayhouse test", autocommit=True) as conn,
        expected(extract, may_be_unknown=True) as oracle,
    ):
        assert found_wrong(conn, oracle) == []
        assert faults_of_rows(conn) == []
