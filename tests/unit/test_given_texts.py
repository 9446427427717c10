"""What people give as text is refused where the log could not hold it, before a database is asked for anything."""

from uuid import UUID

import pytest

import replayhouse
from tests.support.databases import NO_DATABASE


@pytest.mark.parametrize(
    ("reason", "words"), [("wrong\0shop", "a NUL character"), ("wrong \udcff shop", "not text in UTF-8")]
)
def test_a_reason_that_cannot_be_recorded_is_refused(reason: str, words: str) -> None:
    warehouse, some = replayhouse.open(database_url=NO_DATABASE.url), UUID(int=1)
    for refused in (
        lambda: warehouse.discard(some, reason),
        lambda: warehouse.release(some, reason=reason),
        lambda: warehouse.erase(some, reason),
        lambda: warehouse.retract(some, reason),
        lambda: warehouse.rebuild(reason=reason),
    ):
        with pytest.raises(replayhouse.UsageError, match=words):
            refused()
