"""Reading the lines of a loaded file again: the right ones, and only while the file is as it was loaded."""

import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from replayhouse.infra.staging import lines
from replayhouse.infra.staging.files import SOURCE_FILES
from replayhouse.infra.staging.lines import CHANGED, FOUND, lines_at_hand

LONG = 40_000
"""So many lines, that the file has several blocks."""


def an_extract(folder: Path, text: bytes) -> str:
    """Writes a file of orders, and gives its SHA-256."""
    (folder / SOURCE_FILES["orders"].name).write_bytes(text)
    return sha256(text).hexdigest()


def numbered() -> bytes:
    """Lines that say where they stand; the second record goes on over a line end."""
    told = ["order_id,said", '2,"two\nlines"', *(f"{number},x" for number in range(4, LONG + 1))]
    return "\r\n".join(told).encode()


@pytest.fixture(params=["looked at anew", "known from before"], autouse=True)
def is_known(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files just written are looked at anew each time; so that they are not, they pass for settled."""
    if request.param == "known from before":
        monkeypatch.setattr(lines, "_SETTLED_NS", -(10**18))


@pytest.mark.parametrize("is_packed", [False, True])
def test_each_line_is_the_one_that_stands_there_however_often_one_looks(tmp_path: Path, *, is_packed: bool) -> None:
    hashed, place = an_extract(tmp_path, numbered()), tmp_path
    if is_packed:
        place = tmp_path / "extract.zip"
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(tmp_path / SOURCE_FILES["orders"].name)
    for _ in range(2):
        found = lines_at_hand(place, "orders", hashed, {2, 3, 4, 9_999, LONG, LONG + 1})
        assert (found.status, found.header) == (FOUND, ("order_id", "said"))
        assert found.records == {2: '2,"two\nlines"', 4: "4,x", 9_999: "9999,x", LONG: f"{LONG},x"}


def test_a_file_that_was_looked_at_and_is_written_to_counts_no_longer(tmp_path: Path) -> None:
    hashed = an_extract(tmp_path, numbered())
    assert lines_at_hand(tmp_path, "orders", hashed, {4}).status == FOUND
    an_extract(tmp_path, numbered().replace(b"4,x", b"4,yy", 1))
    assert lines_at_hand(tmp_path, "orders", hashed, {4}).status == CHANGED
