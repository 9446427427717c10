"""Segments for rebuilds: what is read of them is what the log has, or they are not read, and that is told."""

import errno
import json
import os
import re
import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import psycopg
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from replayhouse.infra.read_models.digests import digests
from replayhouse.infra.read_models.live.projector import catch_up
from replayhouse.infra.read_models.rebuild.range_loader import Loader
from replayhouse.infra.read_models.rebuild.rebuild import rebuild
from replayhouse.infra.read_models.rebuild.workers import Rebuilt
from replayhouse.infra.read_models.snapshots.limits import Limits
from replayhouse.infra.read_models.snapshots.time_travel import rebuild_into
from replayhouse.infra.sealed_log import own_segments, sealing
from replayhouse.infra.sealed_log.own_segments import OwnSegments
from replayhouse.infra.sealed_log.places import LocalFolder
from replayhouse.infra.sealed_log.segment_files import write_events
from replayhouse.infra.sealed_log.targets import local
from replayhouse.projections.digest import Digest
from tests.support.databases import copied
from tests.support.histories import Histories, Steps, folded, fresh_database, histories
from tests.support.recorded_events import order, registered

STORE = EventStore()
ERASE = "UPDATE event_store.subject_key SET key = NULL WHERE subject_id = ANY(%s)"


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_segments, "EVENTS_WORTH_SEALING", 1)
    monkeypatch.setattr(own_segments, "_SMALL", 10)
    monkeypatch.setattr(sealing, "EVENTS_A_SEGMENT", 20)


class Kept:
    """The segments of a database in a home, and what was told of them."""

    def __init__(self, database: Database, home: Path) -> None:
        self.database, self.folder = database, home / "segments"
        self.told: list[str] = []
        self.segments = OwnSegments(home, self.told.append)

    def read(self) -> set[int] | None:
        """The positions of the events that are read of them; None where the log is to be read."""
        with self.segments.up_to_date(self.database) as log:
            if log is None:
                return None
            found = [batch["notification_id"].to_pylist() for context in CONTEXTS for batch in log.rows(context)]
            return {position for some in found for position in some}

    def file(self, name: str = "sales.parquet") -> Path:
        """A file of the first segment."""
        return sorted(self.folder.glob(f"*/{name}"))[0]

    def manifest(self, **changed: object) -> None:
        """Says something else in the manifest."""
        path = self.folder / "manifest.json"
        path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changed), encoding="utf-8")


def tables(rebuilt: Mapping[str, Rebuilt]) -> dict[str, dict[str, Digest]]:
    return {context: of.tables for context, of in rebuilt.items()}


def append(conn: psycopg.Connection, commits: int) -> None:
    """So many commits of three events."""
    for _ in range(commits):
        STORE.append(conn, [registered(uuid4()), order(uuid4(), 1), registered(uuid4())], None)


@pytest.fixture
def kept(database: Database, conn: psycopg.Connection, tmp_path: Path) -> Kept:
    append(conn, 11)
    return Kept(database, tmp_path / "home")


ALL = set(range(1, 34))


# Not made smaller: each attempt takes seconds.
@settings(max_examples=4, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(
    streams=histories(),
    steps=st.lists(st.integers(1, 3), max_size=3),
    share=st.floats(0, 1),
    before=st.datetimes(datetime(2016, 1, 1), datetime(2018, 12, 31)),
    is_erased=st.booleans(),
)
def test_what_is_rebuilt_from_segments_is_what_the_log_makes(
    server: EmbeddedServer,
    streams: Histories,
    steps: Sequence[int],
    share: float,
    before: datetime,
    is_erased: bool,
) -> None:
    with (
        TemporaryDirectory() as home,
        fresh_database(server) as database,
        database.connect(autocommit=True) as conn,
    ):
        kept, appending = Kept(database, Path(home)), Steps(conn, streams)
        for most in (*steps, 99):
            appending.append(most)
            head = STORE.head(conn).position
            assert (kept.read() or set()) == set(range(1, head + 1))
        if is_erased:
            erased = conn.execute("SELECT subject_id FROM event_store.subject_key ORDER BY 1 LIMIT 1").fetchall()
            conn.execute(ERASE, [[subject for (subject,) in erased]])
        earlier = Limits(round(share * head), occurred_before=before)
        made = partial(rebuild_into, database, contexts=CONTEXTS, workers=1)
        whole = tables(made("sealed", segments=kept.segments))
        assert whole == (tables(made("unsealed")) if is_erased else folded(streams))
        assert tables(made("sealed", limits=earlier, segments=kept.segments)) == tables(
            made("unsealed", limits=earlier)
        )
        assert kept.told == []


def test_a_rebuild_reads_no_events_of_the_log_and_shows_the_same(
    kept: Kept, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    catch_up(kept.database)
    live = digests(kept.database)

    def refuse(*_: object) -> None:
        raise AssertionError("events are read of the log")

    with monkeypatch.context() as patch:
        patch.setattr("replayhouse.infra.read_models.rebuild.range_loader.events_of", refuse)
        patch.setattr("replayhouse.infra.read_models.rebuild.range_loader.columns_of", refuse)
        rebuilt = rebuild(kept.database, workers=1, segments=kept.segments)
    again = digests(kept.database)
    assert {c: of.tables for c, of in rebuilt.items()} == {c: of.tables for c, of in live.items()}
    assert {c: of.tables for c, of in again.items()} == {c: of.tables for c, of in live.items()}


def test_what_comes_while_they_are_folded_is_followed(
    kept: Kept, conn: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = Loader.load

    def loading(*arguments: object) -> object:
        append(conn, 1)
        return load(*arguments)  # type: ignore[arg-type]  # as they came

    monkeypatch.setattr(Loader, "load", loading)
    rebuilt = rebuild(kept.database, ["sales"], workers=1, segments=kept.segments)["sales"]
    monkeypatch.setattr(Loader, "load", load)
    assert rebuilt.tables == rebuild(kept.database, ["sales"], workers=1)["sales"].tables
    assert rebuilt.events == 12


@pytest.mark.parametrize("commits", [1, 2])
def test_their_number_stays_small_however_often_something_comes(
    kept: Kept, conn: psycopg.Connection, commits: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_segments, "_SMALL", 500)
    monkeypatch.setattr(sealing, "EVENTS_A_SEGMENT", 1_000)
    for _ in range(25):
        append(conn, commits)
        head = STORE.head(conn).position
        assert kept.read() == set(range(1, head + 1))
        assert len([name for name in os.listdir(kept.folder) if name[0].isdigit()]) <= head.bit_length()


def test_a_small_log_has_none(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_segments, "EVENTS_WORTH_SEALING", 34)
    assert kept.read() is None
    assert not kept.folder.exists()
    assert kept.told == []


def test_they_are_their_owners_alone(kept: Kept) -> None:
    kept.read()
    for path in (kept.folder, *kept.folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def cut_off(kept: Kept) -> None:
    file = kept.file()
    file.write_bytes(file.read_bytes()[:-9])


def change(kept: Kept) -> None:
    file = kept.file()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def garble(kept: Kept) -> None:
    (kept.folder / "manifest.json").write_bytes(b'{"format": ')


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (lambda kept: kept.file().unlink(), r"the file .*/sales.parquet is missing"),
        (cut_off, r"the file .*/sales.parquet was changed"),
        (change, r"the file .*/sales.parquet was changed"),
        (lambda kept: kept.file("commits.parquet").unlink(), r"the file .*/commits.parquet is missing"),
        (lambda kept: shutil.rmtree(kept.file().parent), r"the file .* is missing"),
        (garble, r"manifest.json"),
        (lambda kept: kept.manifest(position=12), r"manifest.json was changed"),
        (lambda kept: kept.manifest(format="replayhouse sealed log 2"), r"newer program"),
        (lambda kept: kept.manifest(store=str(uuid4())), r"they are of another store"),
    ],
)
def test_what_is_damaged_is_told_the_log_is_read_and_the_next_rebuild_makes_others(
    kept: Kept, damage: Callable[[Kept], None], why: str
) -> None:
    kept.read()
    damage(kept)
    rebuilt = rebuild(kept.database, ["sales"], workers=1, segments=kept.segments)
    assert rebuilt["sales"].events == 11
    [told] = kept.told
    assert told.startswith(f"The segments in {kept.folder} are not used, and the log itself is read: ")
    assert re.search(why, told)
    assert kept.read() == ALL
    assert len(kept.told) == 1


def test_a_log_that_was_restored_from_an_earlier_backup_is_read_itself(
    kept: Kept, conn: psycopg.Connection, server: EmbeddedServer
) -> None:
    conn.close()
    with copied(server, kept.database) as restored, restored.connect(autocommit=True) as again:
        with kept.database.connect(autocommit=True) as ahead:
            append(ahead, 1)
        for why in ("they go on to position 36, and the log ends at 33", "at position 36 they have another chain"):
            kept.read()
            saved = kept.folder.with_name("saved")
            shutil.copytree(kept.folder, saved)
            behind = Kept(restored, kept.folder.parent)
            assert behind.read() is None
            assert why in behind.told[0]
            assert behind.read() == set(range(1, STORE.head(again).position + 1))
            shutil.rmtree(kept.folder)
            saved.rename(kept.folder)
            append(again, 1)


def test_what_killed_commands_have_left_is_removed(kept: Kept) -> None:
    kept.read()
    left = kept.folder / "000000000034-000000000050-0123456789ab.unfinished"
    left.mkdir()
    (left / "sales.parquet").write_bytes(b"PAR1")
    assert kept.read() == ALL
    assert not left.exists()
    (kept.folder / "manifest.json").unlink()
    assert kept.read() == ALL
    assert kept.told == []


@pytest.mark.parametrize("attempt", range(4))
def test_a_full_disk_is_told_and_what_was_sealed_stays(
    kept: Kept, conn: psycopg.Connection, attempt: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.read()
    append(conn, 1 + 5 * attempt)
    calls: list[int] = []

    def full(*arguments: object) -> object:
        calls.append(1)
        if len(calls) > attempt:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write_events(*arguments)  # type: ignore[arg-type]  # as they came

    with monkeypatch.context() as patch:
        patch.setattr(sealing, "write_events", full)
        found = kept.read()
    if found is None:
        [told] = kept.told
        assert told.endswith("the log itself is read: No space left on device.")
        assert not list(kept.folder.glob("*.unfinished"))
    assert kept.read() == set(range(1, STORE.head(conn).position + 1))


def as_file(path: Path) -> None:
    path.write_bytes(b"")


def as_link(path: Path) -> None:
    path.symlink_to(path.parent)


@pytest.mark.parametrize(("make", "why"), [(as_file, "Not a directory"), (as_link, "it is a link")])
def test_a_home_that_has_no_place_for_them_is_told(kept: Kept, make: Callable[[Path], None], why: str) -> None:
    kept.folder.parent.mkdir()
    make(kept.folder)
    assert kept.read() is None
    assert why in kept.told[0]


def test_who_finds_another_at_work_reads_the_log(kept: Kept) -> None:
    kept.read()
    with local(LocalFolder(kept.folder)):
        assert kept.read() is None
    assert kept.told[0].endswith("the log itself is read: another command is at work on them.")
    assert kept.read() == ALL


def test_verification_names_what_is_damaged_and_removes_it(kept: Kept) -> None:
    kept.segments.verify(kept.database)
    kept.read()
    kept.segments.verify(kept.database)
    assert kept.told == []
    change(kept)
    kept.segments.verify(kept.database)
    assert "do not hold, and are removed: the file" in kept.told[0]
    assert kept.read() == ALL
