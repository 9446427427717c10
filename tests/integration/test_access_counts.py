"""Readings of personal fields are counted by role and kind of thing, each once, however often it is asked."""

import psycopg
import pytest

from replayhouse.infra.privacy.access_counts import AccessCounts

WRITE = """
    INSERT INTO event_store.access (at, who, role, subjects, purpose, resource)
    VALUES (clock_timestamp() - %s * interval '1 second', 'somebody', %s, '{}', '', %s)
"""
OLD, RECENT = 3_600, 0


def write(conn: psycopg.Connection, *entries: tuple[int, str, str]) -> None:
    for entry in entries:
        conn.execute(WRITE, entry)


def test_an_entry_counts_once_whether_it_was_there_is_recent_or_came_between_others(conn: psycopg.Connection) -> None:
    counts, expected = AccessCounts(), 0
    assert counts.now(conn) == {}
    for seconds in (OLD, OLD, RECENT, OLD, RECENT, RECENT, OLD):
        write(conn, (seconds, "owner", "history of the customer 1"))
        expected += 1
        assert [counts.now(conn) for _ in range(3)] == [{("owner", "history"): expected}] * 3
    assert AccessCounts().now(conn) == {("owner", "history"): expected}


def test_what_is_settled_is_not_read_again(conn: psycopg.Connection) -> None:
    counts = AccessCounts()
    write(conn, (OLD, "owner", "the table customer.dim_customer"), (OLD, "steward", "texts of 3 quarantined records"))
    before = counts.now(conn)
    conn.execute("ALTER TABLE event_store.access DISABLE TRIGGER ALL")
    conn.execute("DELETE FROM event_store.access")
    assert counts.now(conn) == before == {("owner", "table"): 1, ("steward", "record"): 1}


@pytest.mark.parametrize(
    ("resource", "kind"),
    [
        ("history of the review 7c396fd4830fd04220f754e42b4e5bff", "history"),
        ("the event at position 17", "event"),
        ("lineage of customer.dim_customer 7c39", "lineage"),
        ("rows behind orders of question 62", "figure"),
        ("what would change in customer.dim_customer", "retraction"),
        ("from live to r1 changed customer.dim_customer", "comparison"),
        ("customer, sales of live, into /tmp/of a table, into it", "export"),
        ("the customer 7c396fd4830fd04220f754e42b4e5bff", "thing"),
        ("Maria da Silva", "other"),
    ],
)
def test_what_was_read_is_of_a_kind_that_is_known(conn: psycopg.Connection, resource: str, kind: str) -> None:
    write(conn, (OLD, "owner", resource), (OLD, "the pope", resource))
    assert AccessCounts().now(conn) == {("owner", kind): 1, ("other", kind): 1}
