"""Fixtures of the tests of engines."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.replaying import Played, played


@pytest.fixture(scope="module")
def history(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """A sealed log with rewound events and an erased person, and the warehouse that it is of."""
    with played(prepared, tmp_path_factory.mktemp("played")) as found:
        yield found
