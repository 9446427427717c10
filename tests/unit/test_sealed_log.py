"""What somebody may do to a sealed log, and what is said of it; the golden one is read for ever."""

import json
from collections.abc import Callable
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.audit.checkpoint import read_checkpoint
from replayhouse.infra.event_store import breaks
from replayhouse.infra.event_store.breaks import Anchor, Broken
from replayhouse.infra.runtime.errors import InputError
from replayhouse.infra.sealed_log.places import place_of
from replayhouse.infra.sealed_log.reader import HIGHEST, LOWEST, open_sealed_log, read_manifest
from replayhouse.infra.sealed_log.verifying import verify_sealed_log
from tests.support import sealed_logs
from tests.support.sealed_logs import CHECKPOINT, GOLDEN, Row, change, forge, manifest_of, put_manifest, rows_of

EVENTS = {"sales": 704, "fulfillment": 586, "customer": 466, "marketplace": 145, "quality": 12}


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    return sealed_logs.copied(tmp_path / "sealed")


def signed() -> Anchor:
    checkpoint = read_checkpoint(CHECKPOINT)
    return Anchor(checkpoint.position, checkpoint.chain)


def verify(folder: Path, known: Anchor | None = None, workers: int = 1) -> Broken | None:
    place = place_of(folder)
    return verify_sealed_log(place, read_manifest(place), known, workers=workers)


def each(column: str, value: Callable[[Row], Any], when: Callable[[Row], bool]) -> Callable[[list[Row]], list[Row]]:
    return lambda rows: [row | {column: value(row)} if when(row) else row for row in rows]


def at(position: int) -> Callable[[Row], bool]:
    return lambda row: row["notification_id"] == position


def a_position(folder: Path, segment: int, name: str = "sales.parquet") -> int:
    """Of an event in the middle of a file."""
    rows = rows_of(folder, segment, name)
    position: int = rows[len(rows) // 2]["notification_id"]
    return position


def test_the_golden_log_is_read_and_holds_for_ever() -> None:
    log = open_sealed_log(GOLDEN)

    assert {context: log.events_in(context) for context in CONTEXTS} == EVENTS
    assert {context: sum(batch.num_rows for batch in log.rows(context)) for context in CONTEXTS} == EVENTS
    assert verify(GOLDEN, signed()) is None


def test_ranges_hold_every_stream_once() -> None:
    log = open_sealed_log(GOLDEN)
    for size in (1, 100, 10_000):
        ranges = log.ranges("sales", size)
        assert (ranges[0][0], ranges[-1][1]) == (LOWEST, HIGHEST)
        assert all(before.int + 1 == after.int for (_, before), (after, _) in pairwise(ranges))
        held = [sum(batch.num_rows for batch in log.rows("sales", *one)) for one in ranges]
        assert sum(held) == EVENTS["sales"]
        assert 0 not in held
    streams = sorted(
        {UUID(bytes=stream) for batch in log.rows("sales") for stream in batch["originator_id"].to_pylist()}
    )
    for stream in Random(1).sample(streams, 5):
        [only] = log.rows("sales", stream, stream, columns=["topic"])
        versions = only["originator_version"].to_pylist()
        assert versions == list(range(1, len(versions) + 1))


def test_processes_share_the_verification(sealed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("replayhouse.infra.sealed_log.verifying._EVENTS_WORTH_A_PROCESS", 500)
    assert verify(sealed, signed(), workers=2) is None

    change(sealed, 2, "sales.parquet", each("state", lambda _: b"{}", at(a_position(sealed, 2))))

    broken = verify(sealed, workers=2)
    assert broken is not None
    assert broken.why.endswith("are not those of their commit")


# --- by who does not know the format --------------------------------------------------------------------------------


@pytest.mark.parametrize("is_noted", [False, True])
def test_any_byte_of_any_file_that_is_changed_is_found(sealed: Path, is_noted: bool) -> None:
    """Also by who puts the right SHA-256 into the manifest; of a footer that was made up, Arrow itself may end."""
    random = Random(seed := Random().randrange(2**32))
    before = (sealed / "manifest.json").read_bytes()
    for path in sorted(sealed.glob("*/*.parquet")):
        data = path.read_bytes()
        footer = 8 + int.from_bytes(data[-8:-4], "little")
        place = random.randrange(len(data) - (footer if is_noted else 0))
        changed = data[:place] + bytes([data[place] ^ random.randint(1, 255)]) + data[place + 1 :]
        path.write_bytes(changed)
        if is_noted:
            note(path, changed)
        broken = verify(sealed)
        first, last = map(int, path.parent.name.split("-"))
        if broken is None:  # a byte that says nothing of the events, such as who has written the file
            assert (is_noted, events_of(sealed)) == (True, events_of(GOLDEN)), (seed, path)
        else:
            assert first <= broken.position <= last, (seed, path, place)
        path.write_bytes(data)
        (sealed / "manifest.json").write_bytes(before)
    assert verify(sealed) is None


def note(path: Path, data: bytes) -> None:
    manifest = manifest_of(path.parents[1])
    for segment in manifest["segments"]:
        if segment["folder"] == path.parent.name:
            segment["files"][path.name]["sha256"] = sha256(data).hexdigest()
    put_manifest(path.parents[1], manifest)


def events_of(folder: Path) -> dict[str, list[Row]]:
    log = open_sealed_log(folder)
    return {context: [row for batch in log.rows(context) for row in batch.to_pylist()] for context in CONTEXTS}


@pytest.mark.parametrize("how", ["missing", "shorter", "empty", "a folder"])
def test_files_that_are_not_as_the_manifest_says_are_told(sealed: Path, how: str) -> None:
    path = sealed / manifest_of(sealed)["segments"][1]["folder"] / "sales.parquet"
    data = path.read_bytes()
    path.unlink()
    if how == "a folder":
        path.mkdir()
    elif how != "missing":
        path.write_bytes(data[:1000] if how == "shorter" else b"")

    with pytest.raises(InputError, match=r"sales\.parquet (is missing|was changed)"):
        open_sealed_log(sealed)
    broken = verify(sealed)
    assert broken is not None
    assert (broken.position, "sales.parquet" in broken.why) == (656, True)


def test_a_manifest_without_its_files_is_told(sealed: Path) -> None:
    (alone := sealed.parent / "alone").mkdir()
    (sealed / "manifest.json").rename(alone / "manifest.json")

    broken = verify(alone)
    assert broken is not None
    assert (broken.position, broken.why.endswith(".parquet is missing")) == (1, True)
    with pytest.raises(InputError, match="is missing, and the manifest names it"):
        open_sealed_log(alone)
    with pytest.raises(InputError, match="There is no sealed log in"):
        open_sealed_log(sealed)


def damaged(manifest: dict[str, Any], how: str) -> object:
    segments = manifest["segments"]
    match how:
        case "not JSON":
            return "{"
        case "no document":
            return [manifest]
        case "newer":
            return manifest | {"format": "replayhouse sealed log 2"}
        case "something else":
            return manifest | {"format": "replayhouse rows 1"}
        case "a field more":
            return manifest | {"keys": []}
        case "a segment missing":
            return manifest | {"segments": [segments[0], *segments[2:]]}
        case "a segment doubled":
            return manifest | {"segments": [segments[0], segments[0], *segments[1:]]}
        case "cut off":
            return manifest | {"segments": segments[:-1]}
        case "elsewhere":
            return manifest | {"segments": [segments[0] | {"folder": "../elsewhere"}, *segments[1:]]}
        case "another file":
            files = segments[0]["files"]
            return manifest | {
                "segments": [segments[0] | {"files": {**files, "../keys": files["sales.parquet"]}}, *segments[1:]]
            }
    raise AssertionError(how)


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("not JSON", "is not the manifest of a sealed log, or was cut off or changed"),
        ("no document", "is not the manifest of a sealed log, or was cut off or changed"),
        ("newer", "it was sealed by a newer program"),
        ("something else", "its format is 'replayhouse rows 1'"),
        ("a field more", "was cut off or changed"),
        ("a segment missing", "a segment is missing: after position 655 comes 000000001299-000000001912"),
        ("a segment doubled", "a segment is doubled: after position 655 comes 000000000001-000000000655"),
        ("cut off", "it says that the log ends at 1913, and its segments end at 1912"),
        ("elsewhere", "the folder '../elsewhere' is none of the positions 1 to 655"),
        ("another file", "the files of 000000000001-000000000655 are not those of a segment"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(sealed: Path, how: str, why: str) -> None:
    document = damaged(manifest_of(sealed), how)
    (sealed / "manifest.json").write_text(document if isinstance(document, str) else json.dumps(document))

    with pytest.raises(InputError, match=why.replace(".", r"\.")):
        open_sealed_log(sealed)
    with pytest.raises(InputError, match=r"manifest\.json"):
        verify(sealed)


# --- by who knows the format, and keeps the manifest right ----------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("state", lambda row: row["state"] + b" "),
        ("topic", lambda row: row["topic"].replace("v1", "v2")),
        ("source", lambda _: "orders:1"),
        ("source", lambda _: None),
        ("batch_id", lambda _: bytes(16)),
        ("batch_id", lambda _: None),
    ],
)
def test_a_changed_event_is_found(sealed: Path, column: str, value: Callable[[Row], Any]) -> None:
    position = a_position(sealed, 1)
    change(sealed, 1, "sales.parquet", each(column, value, at(position)))

    broken = verify(sealed)
    assert broken is not None
    assert 656 <= broken.position <= position
    assert broken.why.startswith("the events from here to ")


def test_events_that_were_moved_doubled_or_removed_are_found(sealed: Path) -> None:
    def doubled(rows: list[Row]) -> list[Row]:
        return [*rows[:-1], rows[-1] | {"notification_id": rows[0]["notification_id"]}]

    change(sealed, 1, "sales.parquet", doubled)
    assert verify(sealed) is not None

    change(sealed, 1, "sales.parquet", lambda rows: [*rows[:-1], rows[-1] | {"notification_id": 5}])
    broken = verify(sealed)
    assert broken is not None
    assert "has the position 5, which is of another segment" in broken.why


def test_rows_that_are_not_in_their_order_are_found(sealed: Path) -> None:
    change(sealed, 1, "sales.parquet", lambda rows: rows[::-1])

    broken = verify(sealed)
    assert broken is not None
    assert "are not in the order of their streams" in broken.why


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("recorded_at", lambda row: row["recorded_at"].replace(year=2001), breaks.NOT_FOLLOWING),
        ("root", lambda _: bytes(32), "the events from here to"),
        ("chain", lambda _: bytes(32), breaks.NOT_FOLLOWING),
        ("batch_id", lambda _: bytes(16), breaks.ANOTHER_BATCH),
        ("first_position", lambda row: row["first_position"] + 1, "the next commit begins at position"),
        ("last_position", lambda row: row["last_position"] - 1, "the events from here to"),
    ],
)
def test_a_changed_commit_is_found(sealed: Path, column: str, value: Callable[[Row], Any], why: str) -> None:
    last = rows_of(sealed, 1, "commits.parquet")[-2]["last_position"]
    change(sealed, 1, "commits.parquet", each(column, value, lambda row: row["last_position"] == last))

    broken = verify(sealed)
    assert broken is not None
    assert broken.why.startswith(why)


def test_times_of_the_manifest_are_those_of_its_commits(sealed: Path) -> None:
    manifest = manifest_of(sealed)
    manifest["segments"][0]["recorded"][0] = "2001-01-01T00:00:00Z"
    put_manifest(sealed, manifest)

    assert verify(sealed) == Broken(1, "the manifest has other recorded times than the commits from here on")


def test_only_a_checkpoint_finds_a_log_that_was_rewritten_as_a_whole(sealed: Path) -> None:
    change(sealed, 1, "sales.parquet", each("state", lambda row: row["state"] + b" ", at(a_position(sealed, 1))))
    forge(sealed)

    assert verify(sealed) is None
    assert verify(sealed, signed()) == Broken(1913, breaks.REWRITTEN)


def test_only_a_checkpoint_finds_a_log_that_was_cut_off(sealed: Path) -> None:
    manifest = manifest_of(sealed)
    last = manifest["segments"].pop()
    put_manifest(sealed, manifest | {"position": last["first"] - 1, "chain": last["chain_before"]})

    assert verify(sealed) is None
    assert verify(sealed, signed()) == Broken(1913, breaks.cut_off(1913))


def test_versions_that_are_missing_are_found_though_all_hashes_hold(sealed: Path) -> None:
    first: list[int] = []

    def later(rows: list[Row]) -> list[Row]:
        ends = [number for number, row in enumerate(rows[1:]) if row["originator_version"] == 1]
        first.append(rows[ends[0]]["notification_id"])
        return each("originator_version", lambda row: row["originator_version"] + 1, at(first[0]))(rows)

    change(sealed, 0, "sales.parquet", later)
    forge(sealed)

    broken = verify(sealed)
    assert broken is not None
    assert (broken.position <= first[0], broken.why) == (True, breaks.VERSIONS_ARE_MISSING)
