"""Fixtures of the tests of engines, and which of them are collected."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.clickhouse import SERVER
from tests.support.replaying import Played, played

# The test of ClickHouse's server only where one is named.
collect_ignore = [] if os.environ.get(SERVER) else ["test_clickhouse_server.py"]


@pytest.fixture(scope="module")
def history(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """A sealed log with rewound events and an erased person, and the warehouse that it is of."""
    with played(prepared, tmp_path_factory.mktemp("played")) as found:
        yield found
