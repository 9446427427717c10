"""Reading sorted files of several segments: whatever lies where, each event comes once, in its order, whole streams."""

from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replayhouse.infra.event_store.commits import Commit
from replayhouse.infra.runtime.manifests import rendered
from replayhouse.infra.sealed_log import merging, segment_files
from replayhouse.infra.sealed_log.layout import EVENTS
from replayhouse.infra.sealed_log.manifest import COMMITS, Segment, empty_manifest, folder_name
from replayhouse.infra.sealed_log.reader import HIGHEST, LOWEST, SealedLog, open_sealed_log
from replayhouse.infra.sealed_log.segment_files import write_commits, write_events

STORE = UUID(int=7)
AT = datetime(2026, 1, 1, tzinfo=UTC)
STREAMS = [UUID(int=number << 120) for number in range(9)]

Row = tuple[bytes, int, int]
"""Stream, version, position."""

logs = st.lists(st.lists(st.sampled_from(STREAMS), min_size=1, max_size=40), min_size=0, max_size=6)
"""For each segment the streams of its events, in the order of their positions."""


@pytest.fixture(autouse=True)
def small_groups() -> Iterator[None]:
    """Row groups of three, of which two are read before something is given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segment_files, "ROWS_A_GROUP", 3)
        patch.setattr(merging, "_GIVEN_AT_ONCE", 500)
        yield


def written(folder: Path, segments: list[list[UUID]], state: bytes = b"{}") -> list[Row]:
    """Writes a log of one context whose hashes nobody looks at; its events by stream and version."""
    manifest, rows, versions = empty_manifest(STORE), [], dict.fromkeys(STREAMS, 0)
    for streams in segments:
        first = manifest.position + 1
        events = []
        for position, stream in enumerate(streams, first):
            versions[stream] += 1
            rows.append((stream.bytes, versions[stream], position))
            events.append((*rows[-1], "sales.OrderPaid.v1", state, None, None))
        last = first + len(streams) - 1
        (folder / (name := folder_name(first, last))).mkdir()
        columns = dict(zip(EVENTS.names, map(list, zip(*events, strict=True)), strict=True))
        chain = sha256(str(last).encode()).digest()
        with (folder / name / "sales.parquet").open("wb") as file:
            sales = write_events(file, [pa.table(columns, EVENTS)])
        with (folder / name / COMMITS).open("wb") as file:
            commits = write_commits(file, [Commit(first, last, None, AT, bytes(32), chain)])
        files = {"sales.parquet": sales, COMMITS: commits}
        manifest = manifest.followed_by(Segment(name, first, last, (AT, AT), manifest.chain, chain.hex(), files))
    (folder / "manifest.json").write_bytes(rendered(manifest))
    return sorted(rows)


def read(log: SealedLog, low: UUID = LOWEST, high: UUID = HIGHEST, position: int | None = None) -> list[list[Row]]:
    """The events of each batch."""
    keys = ("originator_id", "originator_version", "notification_id")
    return [
        list(zip(*(batch[key].to_pylist() for key in keys), strict=True))
        for batch in log.rows("sales", low, high, position)
    ]


@given(logs, st.data())
def test_each_event_comes_once_in_its_order(segments: list[list[UUID]], data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        rows = written(Path(folder), segments)
        log = open_sealed_log(folder)
        low, high = data.draw(st.sampled_from(STREAMS)), data.draw(st.sampled_from([*STREAMS, HIGHEST]))
        position = data.draw(st.integers(0, len(rows)))

        batches = read(log, low, high, position)

        wanted = [row for row in rows if low.bytes <= row[0] <= high.bytes and row[2] <= position]
        assert [row for batch in batches for row in batch] == wanted
        assert all(before[-1][0] < after[0][0] for before, after in pairwise(batches)), "a stream is whole in one batch"
        assert log.events_in("sales", position) == sum(row[2] <= position for row in rows)


@given(logs, st.integers(1, 30))
def test_ranges_hold_every_event_once_and_about_as_many_as_asked_for(segments: list[list[UUID]], size: int) -> None:
    with TemporaryDirectory() as folder:
        rows = written(Path(folder), segments)
        log = open_sealed_log(folder)

        ranges = log.ranges("sales", size)

        assert [row for one in ranges for batch in read(log, *one) for row in batch] == rows
        assert bool(ranges) == bool(rows)
        if rows:
            assert (ranges[0][0], ranges[-1][1]) == (LOWEST, HIGHEST)
            assert all(high.int + 1 == low.int for (_, high), (low, _) in pairwise(ranges))


def test_what_is_held_does_not_grow_with_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 30 segments at most a row group each is held beside what is given."""
    random = Random(3)
    written(tmp_path, [random.choices(STREAMS, k=30) for _ in range(30)], state=b"x" * 1_000)
    largest = 0
    given_before = merging._batch

    def looked_at(parts: list[pa.Table]) -> Iterator[pa.RecordBatch]:
        nonlocal largest
        for batch in given_before(parts):
            largest = max(largest, batch.num_rows)
            yield batch

    monkeypatch.setattr(merging, "_batch", looked_at)
    log = open_sealed_log(tmp_path)
    assert sum(batch.num_rows for batch in log.rows("sales")) == 900
    assert largest <= 300, "a stream of nine has a hundred events, and two may be given at once"


def test_large_events_make_small_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment_files, "ROWS_A_GROUP", 4_096)
    monkeypatch.setattr(segment_files, "BYTES_A_GROUP", 10_000)
    rows = written(tmp_path, [STREAMS * 10], state=b"x" * 1_000)
    log = open_sealed_log(tmp_path)

    [segment] = log.segments
    groups = log._file(segment, "sales").groups
    assert max(group.rows for group in groups) <= 10
    assert [row for batch in read(log) for row in batch] == rows
