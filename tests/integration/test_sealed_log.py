"""Sealing a log and reading it back: what is read is what the database holds, whatever the segments are."""

import pickle
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from random import Random
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg import sql

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.event_store.store import EventStore
from replayhouse.infra.runtime.errors import InputError
from replayhouse.infra.sealed_log import sealing
from replayhouse.infra.sealed_log.columns import Bucket, portions
from replayhouse.infra.sealed_log.reader import HIGHEST, LOWEST, SealedLog, open_sealed_log
from replayhouse.infra.sealed_log.sealing import seal
from tests.support.recorded_events import PAID, order, registered

STORE = EventStore()
COLUMNS = "originator_id, originator_version, notification_id, topic, state, batch_id, source"
ROWS = sql.SQL(
    f"SELECT {COLUMNS} FROM event_store.{{}} WHERE notification_id <= %s ORDER BY originator_id, originator_version"
)

Row = tuple[object, ...]


@pytest.fixture
def log(conn: psycopg.Connection) -> psycopg.Connection:
    """Streams of sales that go on in later commits, and persons: 77 events in 11 commits."""
    random, streams = Random(7), [uuid4() for _ in range(12)]
    versions = dict.fromkeys(streams, 0)
    for number in range(11):
        chosen = random.sample(streams, 5)
        for stream in chosen:
            versions[stream] += 1
        sales = [order(stream, versions[stream], PAID, f"orders:{number}" if number % 2 else None) for stream in chosen]
        batch = uuid4() if number % 3 else None
        STORE.append(conn, [registered(uuid4()), *sales, registered(uuid4())], batch)
    return conn


@pytest.fixture
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "EVENTS_A_SEGMENT", 20)


def recorded(conn: psycopg.Connection, context: str, position: int = 2**62) -> list[Row]:
    return conn.execute(ROWS.format(sql.Identifier(f"{context}_events")), [position]).fetchall()


def read(log: SealedLog, context: str, low: UUID = LOWEST, high: UUID = HIGHEST) -> list[Row]:
    def known(value: object) -> object:
        return UUID(bytes=value) if isinstance(value, bytes) and len(value) == 16 else value

    return [
        tuple(known(value) for value in row)
        for batch in log.rows(context, low, high)
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)
    ]


@pytest.mark.usefixtures("small_segments")
def test_what_is_read_is_what_was_recorded(log: psycopg.Connection, tmp_path: Path) -> None:
    sealed = seal(log, f"{tmp_path}/sealed")

    opened = open_sealed_log(tmp_path / "sealed")
    assert (sealed.events, opened.position, len(opened.segments)) == (77, 77, 6)
    assert opened.chain == STORE.head(log).chain
    for context in CONTEXTS:
        assert read(opened, context) == recorded(log, context)
        assert opened.events_in(context) == len(recorded(log, context))


@pytest.mark.usefixtures("small_segments")
def test_a_log_is_read_as_it_was_at_any_position(log: psycopg.Connection, tmp_path: Path) -> None:
    seal(log, f"{tmp_path}/sealed")
    whole = open_sealed_log(tmp_path / "sealed")

    for position in range(78):
        then = pickle.loads(pickle.dumps(whole.up_to(position)))
        assert read(then, "sales") == recorded(log, "sales", position)
        assert then.events_in("sales") == len(recorded(log, "sales", position))
        chain = log.execute("SELECT chain FROM event_store.commit WHERE last_position = %s", [position]).fetchone()
        assert then.chain == (bytes(32) if position == 0 else None if chain is None else chain[0])
    with pytest.raises(InputError, match="is known up to position 77, and 78 is asked for"):
        whole.up_to(78)


@pytest.mark.usefixtures("small_segments")
def test_a_recorded_time_is_a_position(log: psycopg.Connection, tmp_path: Path) -> None:
    seal(log, f"{tmp_path}/sealed")
    opened = open_sealed_log(tmp_path / "sealed")

    for last, at in log.execute("SELECT last_position, recorded_at FROM event_store.commit").fetchall():
        assert opened.position_at(at) == last
        assert opened.position_at(at - timedelta(microseconds=1)) < last


@pytest.mark.usefixtures("small_segments")
def test_what_came_since_is_sealed_by_the_same_command(log: psycopg.Connection, tmp_path: Path) -> None:
    seal(log, f"{tmp_path}/sealed")
    before = (tmp_path / "sealed/manifest.json").stat().st_mtime_ns
    assert seal(log, f"{tmp_path}/sealed").events == 0
    assert (tmp_path / "sealed/manifest.json").stat().st_mtime_ns == before

    STORE.append(log, [order(uuid4(), 1)], None)

    assert seal(log, f"{tmp_path}/sealed").events == 1
    assert read(open_sealed_log(tmp_path / "sealed"), "sales") == recorded(log, "sales")


def test_a_sealed_log_is_read_without_the_driver_of_the_database(log: psycopg.Connection, tmp_path: Path) -> None:
    seal(log, f"{tmp_path}/sealed")
    script = f"""
import sys

class Refused:
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] in ("psycopg", "psycopg_binary", "psycopg_c", "numpy", "pandas", "fsspec"):
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Refused())
import replayhouse

log = replayhouse.open_sealed_log({str(tmp_path / "sealed")!r})
print(sum(batch.num_rows for batch in log.rows("sales")))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("55\n", "")


@pytest.mark.parametrize(
    ("limit", "value", "segments"),
    [
        ("EVENTS_A_SEGMENT", 3, 11),
        ("EVENTS_A_SEGMENT", 14, 6),
        ("BYTES_A_SEGMENT", 1, 11),
        ("BYTES_A_SEGMENT", 10**6, 1),
    ],
)
def test_segments_are_cut_where_commits_end(
    limit: str, value: int, segments: int, log: psycopg.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a commit alone is larger than a segment is to be."""
    monkeypatch.setattr(sealing, limit, value)
    seal(log, f"{tmp_path}/sealed")

    opened = open_sealed_log(tmp_path / "sealed")
    ends = {last for (last,) in log.execute("SELECT last_position FROM event_store.commit").fetchall()}
    assert len(opened.segments) == segments
    assert {segment.last for segment in opened.segments} <= ends
    assert read(opened, "sales") == recorded(log, "sales")


def test_buckets_are_asked_for_together_while_they_are_small() -> None:
    spread = [Bucket(1, 1000, 9 * 2**20), Bucket(1001, 2000, 6 * 2**20), Bucket(2001, 2500, 30 * 2**20)]
    assert list(portions(spread)) == [(1, 2000), (2001, 2500)]
    assert list(portions([])) == []
