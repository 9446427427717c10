"""Tampering by somebody who knows how the hashes are made: what the log shows by itself, and what only an anchor shows.

The simple kinds stand in test_event_store_verify.
"""

from collections.abc import Iterator

import psycopg
import pytest

from replayhouse.infra.audit.verify import Anchor, Broken, Verified
from replayhouse.infra.event_store.merkle import GENESIS, root_of
from tests.support.log_to_tamper import FORGE_LEAVES, LEAVES, STORE, forge, twelve_events, verify

REWRITTEN = "the log was rewritten, here or before: its chain up to here is not the one that the checkpoint signed"

SHIFT = "UPDATE event_store.{}_events SET notification_id = -notification_id + %s WHERE notification_id > %s"
UNSHIFT = "UPDATE event_store.{}_events SET notification_id = -notification_id WHERE notification_id < 0"


@pytest.fixture
def log(conn: psycopg.Connection) -> psycopg.Connection:
    return twelve_events(conn)


def move(log: psycopg.Connection, after: int, by: int) -> None:
    """Gives the events after a position other ones, and their commits other ranges."""
    for statement in (SHIFT, UNSHIFT):
        for context in ("sales", "customer"):
            parameters = [-by, after] if statement is SHIFT else []
            log.execute(statement.format(context).encode(), parameters)
    order_of_rows = "DESC" if by > 0 else "ASC"  # the last position is the key: no two may meet on the way
    lasts = log.execute(
        f"SELECT last_position FROM event_store.commit WHERE first_position > %s ORDER BY 1 {order_of_rows}".encode(),
        [after],
    ).fetchall()
    for (last,) in lasts:
        log.execute(
            "UPDATE event_store.commit SET first_position = first_position + %(by)s,"
            " last_position = last_position + %(by)s WHERE last_position = %(last)s",
            {"by": by, "last": last},
        )


def set_head_back(log: psycopg.Connection) -> None:
    newest = "SELECT last_position, recorded_at, chain FROM event_store.commit ORDER BY 1 DESC LIMIT 1"
    log.execute(f"UPDATE event_store.head SET (position, recorded_at, chain) = ({newest})".encode())


def anchors(log: psycopg.Connection) -> Iterator[Anchor]:
    """What checkpoints would know that were taken after each commit."""
    for last, chain in log.execute("SELECT last_position, chain FROM event_store.commit ORDER BY 1").fetchall():
        yield Anchor(last, chain)


def test_a_log_leads_to_every_checkpoint_that_was_taken_of_it(log: psycopg.Connection) -> None:
    whole = Verified(12, STORE.head(log).chain)
    for anchor in (Anchor(0, GENESIS), *anchors(log)):
        assert verify(log, anchor=anchor) == whole
        assert verify(log, anchor=anchor, is_only_after=True) == whole


def test_a_whole_commit_that_was_removed_is_named(log: psycopg.Connection) -> None:
    log.execute("DELETE FROM event_store.sales_events WHERE notification_id IN (4, 5)")
    log.execute("DELETE FROM event_store.commit WHERE last_position = 5")
    assert verify(log) == Broken(4, "the next commit begins at position 6")
    move(log, after=5, by=-2)
    assert verify(log) == Broken(4, "the commit that begins here does not follow from the one before")


def test_an_event_that_was_inserted_is_named_though_all_after_it_gave_way(log: psycopg.Connection) -> None:
    move(log, after=6, by=1)
    log.execute(
        "INSERT INTO event_store.sales_events"
        " SELECT gen_random_uuid(), 1, topic, state, 7, batch_id, source, leaf FROM event_store.log LIMIT 1"
    )
    assert verify(log) == Broken(7, "the next commit begins at position 8")
    log.execute("UPDATE event_store.commit SET first_position = 7 WHERE first_position = 8")
    assert verify(log) == Broken(7, "the event was changed: its leaf is another one")
    log.execute(FORGE_LEAVES.format("sales").encode())
    assert verify(log) == Broken(7, "the events from here to 13 are not those of their commit")


def test_an_event_that_was_removed_is_named_though_all_after_it_moved_up(log: psycopg.Connection) -> None:
    log.execute("DELETE FROM event_store.sales_events WHERE notification_id = 5")
    log.execute("UPDATE event_store.commit SET last_position = 4 WHERE first_position = 4")
    move(log, after=5, by=-1)
    assert verify(log) == Broken(4, "the events from here to 4 are not those of their commit")


def test_events_that_changed_places_over_commits_are_named(log: psycopg.Connection) -> None:
    for old, new in ((5, 100), (9, 5), (100, 9)):
        log.execute("UPDATE event_store.sales_events SET notification_id = %s WHERE notification_id = %s", [new, old])
    assert verify(log) == Broken(4, "the events from here to 5 are not those of their commit")


def test_commits_that_were_merged_are_named(log: psycopg.Connection) -> None:
    """Their events are untouched, and their common root is right: it is the chain that does not lead there."""
    log.execute("DELETE FROM event_store.commit WHERE last_position = 5")
    root = root_of([leaf for (leaf,) in log.execute(LEAVES, [4, 6])])
    log.execute("UPDATE event_store.commit SET first_position = 4, root = %s WHERE last_position = 6", [root])
    assert verify(log) == Broken(4, "the commit that begins here does not follow from the one before")


def test_a_commit_that_was_split_is_named(log: psycopg.Connection) -> None:
    left, right = (root_of([leaf for (leaf,) in log.execute(LEAVES, bounds)]) for bounds in ([7, 9], [10, 12]))
    log.execute(
        "INSERT INTO event_store.commit SELECT 9, 7, batch_id, recorded_at, %s, chain FROM event_store.commit"
        " WHERE last_position = 12",
        [left],
    )
    log.execute("UPDATE event_store.commit SET first_position = 10, root = %s WHERE last_position = 12", [right])
    assert verify(log) == Broken(7, "the commit that begins here does not follow from the one before")


@pytest.mark.parametrize(("batch", "last"), [("NULL", 12), ("gen_random_uuid()", 5)])
def test_a_commit_of_another_batch_than_its_events_is_named(log: psycopg.Connection, batch: str, last: int) -> None:
    log.execute(f"UPDATE event_store.commit SET batch_id = {batch} WHERE last_position = {last}".encode())
    broken = verify(log)
    assert isinstance(broken, Broken)
    assert "another batch" in broken.why


REWRITINGS = {
    "a state": "UPDATE event_store.sales_events SET state = '{}' WHERE notification_id = 5",
    "a time": "UPDATE event_store.commit SET recorded_at = recorded_at - interval '1 day' WHERE last_position = 5",
}


@pytest.mark.parametrize("change", REWRITINGS.values(), ids=REWRITINGS)
def test_only_a_checkpoint_shows_a_log_that_was_rewritten_as_a_whole(log: psycopg.Connection, change: str) -> None:
    genuine = list(anchors(log))
    log.execute(change.encode())
    forge(log)
    assert verify(log) == Verified(12, STORE.head(log).chain), "whole in itself"
    assert verify(log, anchor=genuine[-1]) == Broken(12, REWRITTEN)
    assert verify(log, anchor=genuine[-1], is_only_after=True) == Broken(12, REWRITTEN)
    later = next(anchor for anchor in genuine if isinstance(verify(log, anchor=anchor), Broken))
    assert verify(log, anchor=later) == Broken(later.position, REWRITTEN), "the earliest checkpoint narrows it down"


@pytest.mark.parametrize("position", [1, 5, 12])
def test_only_a_checkpoint_shows_an_event_that_was_removed_and_all_rewritten(
    log: psycopg.Connection, position: int
) -> None:
    *_, genuine = anchors(log)
    log.execute("DELETE FROM event_store.sales_events WHERE notification_id = %s", [position])
    shorten = "UPDATE event_store.commit SET last_position = last_position - 1 WHERE %s"
    log.execute(f"{shorten} BETWEEN first_position AND last_position".encode(), [position])
    move(log, after=position, by=-1)
    forge(log)
    assert verify(log) == Verified(11, STORE.head(log).chain)
    cut_off = "the log was cut off here; the checkpoint knows it up to 12"
    assert verify(log, anchor=genuine) == Broken(12, cut_off)
    assert verify(log, anchor=genuine, is_only_after=True) == Broken(12, cut_off)


def test_only_a_checkpoint_shows_commits_that_were_merged_and_all_rewritten(log: psycopg.Connection) -> None:
    genuine = list(anchors(log))
    log.execute("DELETE FROM event_store.commit WHERE last_position = 5")
    log.execute("UPDATE event_store.commit SET first_position = 4 WHERE last_position = 6")
    forge(log)
    assert verify(log) == Verified(12, STORE.head(log).chain)
    assert verify(log, anchor=genuine[0]) == verify(log), "up to there nothing was touched"
    for anchor in genuine[1:]:
        assert verify(log, anchor=anchor) == Broken(anchor.position, REWRITTEN)


def test_only_a_checkpoint_shows_a_log_that_was_cut_off_together_with_its_head(log: psycopg.Connection) -> None:
    *_, before, genuine = anchors(log)
    log.execute("DELETE FROM event_store.sales_events WHERE notification_id >= 7")
    log.execute("DELETE FROM event_store.commit WHERE last_position = 12")
    set_head_back(log)
    assert verify(log) == verify(log, anchor=before) == Verified(6, before.chain)
    for is_only_after in (False, True):
        assert verify(log, anchor=genuine, is_only_after=is_only_after) == Broken(
            7, "the log was cut off here; the checkpoint knows it up to 12"
        )


def test_after_a_checkpoint_only_what_came_later_is_recomputed(log: psycopg.Connection) -> None:
    """The quick way trusts what lies before: that is what it says, and what the whole way is for."""
    anchor = list(anchors(log))[1]
    log.execute("UPDATE event_store.sales_events SET state = '{}' WHERE notification_id = 4")
    assert isinstance(verify(log, anchor=anchor, is_only_after=True), Verified)
    assert verify(log, anchor=anchor) == Broken(4, "the event was changed: its leaf is another one")
    log.execute("UPDATE event_store.sales_events SET state = '{}' WHERE notification_id = 8")
    assert verify(log, anchor=anchor, is_only_after=True) == Broken(8, "the event was changed: its leaf is another one")
