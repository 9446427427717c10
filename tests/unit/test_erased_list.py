"""The list of erased people outside of the database: only ever added to, whole after any kill."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from replayhouse.infra.privacy.erasure_list import ErasedSubjects
from replayhouse.infra.runtime.errors import InputError

ANA, BIA = UUID(int=901), UUID(int=902)
AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)


def test_who_was_added_is_listed_once_in_order(tmp_path: Path) -> None:
    listed = ErasedSubjects(tmp_path / "home")
    assert listed.subjects() == []
    for person, position in ((BIA, 7), (ANA, 8), (BIA, 9)):
        listed.add(person, AT, position)
    assert listed.subjects() == [BIA, ANA]
    assert listed.path.read_text().splitlines()[:2] == [
        "subject_id,erased_at,position",
        f"{BIA},2026-03-02T10:30:00+00:00,7",
    ]
    assert listed.path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("left", [b"", b"subject_id,era", b"subject_id,erased_at,position\n" + str(BIA).encode()])
def test_a_line_that_was_not_finished_counts_for_nothing(tmp_path: Path, left: bytes) -> None:
    listed = ErasedSubjects(tmp_path)
    listed.path.write_bytes(left)
    assert listed.subjects() == []
    listed.add(ANA, AT, 8)
    assert listed.subjects() == [ANA]
    assert len(listed.path.read_text().splitlines()) == 2


def test_a_line_that_names_nobody_is_named(tmp_path: Path) -> None:
    listed = ErasedSubjects(tmp_path)
    listed.path.write_text("subject_id,erased_at,position\nana,2026-03-02,7\n")
    with pytest.raises(InputError, match=r"erased_subjects.csv, line 2, does not begin with the id"):
        listed.subjects()
