"""`status` says which warehouse it is, and `status --check` whether anything in it needs a person."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from replayhouse.infra.postgres.connection import Database
from replayhouse.infra.postgres.embedded import EmbeddedServer
from tests.support.databases import copied
from tests.support.extracts import a_good_extract, write
from tests.support.in_process import Warehouse

SILENT = """
    INSERT INTO publishing.relay (name, position, state, since, updated_at, session)
    VALUES ('sales', 0, 'publishing', now(), now() - interval '1 hour', gen_random_uuid())
"""
REFUSED = """
    INSERT INTO publishing.relay (name, position, state, error, since, updated_at, session)
    VALUES ('customer', 0, 'refused', 'the topic was made anew', now(), now(), gen_random_uuid())
"""
WAITING = """
    INSERT INTO publishing.relay (name, position, state, error, since, updated_at, session)
    VALUES ('quality', 0, 'waiting', 'the brokers are away', now(), now(), gen_random_uuid())
"""
PARKED = """
    INSERT INTO read_model.parked (context, revision, originator_id, folded_to, position, error)
    SELECT 'sales', 1, gen_random_uuid(), 0, 7, 'it makes no sense'
"""
FAILED_DRILL = """
    INSERT INTO event_store.restore_drill (file, seconds_to_answers, failure)
    VALUES ('monday.backup', 2.5, NULL), ('monday.backup', NULL, 'monday.backup is not whole')
"""
TROUBLES = [
    ("UPDATE event_store.batch SET status = 'open'", "is open: it is at work, or was killed"),
    ("UPDATE event_store.batch SET status = 'retracting'", "is half taken back"),
    ("UPDATE read_model.projection SET position = 0 WHERE context = 'customer'", "events behind the log"),
    (SILENT, "Relay sales has said nothing"),
    (REFUSED, "Relay customer has ended: the topic was made anew"),
    (PARKED, "cannot be folded (it makes no sense)"),
    (FAILED_DRILL, "with monday.backup, failed: monday.backup is not whole"),
]


@pytest.fixture(scope="module")
def loaded(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    folder = tmp_path_factory.mktemp("loaded")
    with copied(server) as database:
        warehouse = Warehouse(database, folder / "home")
        warehouse.ingest(write(folder / "first", a_good_extract()))
        yield warehouse


def test_it_says_which_warehouse_it_is_without_a_password(loaded: Warehouse) -> None:
    told = loaded.json("status")["warehouse"]
    assert (told["home"], told["database"]) == (None, loaded.database.place)
    assert min(told["read_model_bytes"], told["log_bytes"]) > 0
    url = loaded.database.url.replace("//postgres@", "//postgres:sesame@")
    done = Warehouse(Database(url), Path("/nowhere")).run("status")
    assert f"Warehouse: database {loaded.database.place}, PostgreSQL {told['server']}; log " in done.out
    assert "sesame" not in done.out


def test_where_nothing_needs_anybody_the_check_is_content(loaded: Warehouse) -> None:
    done = loaded.run("status", "--check")
    assert (done.code, done.out) == (0, "Nothing needs anybody.\n")
    assert loaded.json("status", "--check")["check"] == []


@pytest.mark.parametrize(("trouble", "told"), TROUBLES)
def test_what_needs_somebody_is_named_and_exit_1(
    server: EmbeddedServer, loaded: Warehouse, tmp_path: Path, trouble: str, told: str
) -> None:
    with copied(server, loaded.database) as database:
        with database.connect(autocommit=True) as conn:
            conn.execute(trouble.encode())
            conn.execute(WAITING)
        done = Warehouse(database, tmp_path).run("status", "--check")
        assert (done.code, done.out.count("\n")) == (1, 1)
        assert told in done.out


def test_what_the_last_verification_found_is_told_until_a_whole_one_finds_otherwise(
    loaded: Warehouse, server: EmbeddedServer, tmp_path: Path
) -> None:
    with copied(server, loaded.database) as database:
        warehouse = Warehouse(database, tmp_path / "home")
        assert "verified" not in warehouse.json("status")
        position = warehouse.json("audit", "verify")["position"]
        told = warehouse.json("status", "--check")
        assert (told["verified"]["position"], told["verified"]["reason"], told["check"]) == (position, None, [])
        assert f"The log held up to position {position:,} when it was verified " in warehouse.run("status").out

        with database.connect(autocommit=True) as conn:
            conn.execute("ALTER TABLE event_store.sales_events DISABLE TRIGGER append_only")
            (first,) = conn.execute("SELECT min(notification_id) FROM event_store.sales_events").fetchone() or (0,)
            (state,) = conn.execute(
                "SELECT state FROM event_store.sales_events WHERE notification_id = %s", [first]
            ).fetchone() or (b"",)
            change = "UPDATE event_store.sales_events SET state = %s WHERE notification_id = %s"
            conn.execute(change, [b"{}", first])
            assert warehouse.run("audit", "verify").code == 1
            done = warehouse.run("status", "--check")
            assert (done.code, f"The log did not hold from position {first:,} on when it was verified" in done.out) == (
                1,
                True,
            )
            conn.execute(change, [state, first])
            conn.execute("ALTER TABLE event_store.sales_events ENABLE ALWAYS TRIGGER append_only")
        assert warehouse.run("audit", "verify").code == 0
        assert warehouse.run("status", "--check").code == 0


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE event_store.verification",
        "ALTER TABLE event_store.verification DROP COLUMN reason",
        "DROP TABLE event_store.verification; CREATE VIEW event_store.verification AS SELECT now() AS verified_at,"
        " 0::bigint AS position, NULL::text AS reason, true AS one_row",
    ],
)
def test_what_a_verification_found_is_told_though_nobody_can_note_it(
    change: str, loaded: Warehouse, server: EmbeddedServer, tmp_path: Path
) -> None:
    with copied(server, loaded.database) as database:
        warehouse = Warehouse(database, tmp_path / "home")
        with database.connect(autocommit=True) as conn:
            conn.execute(change.encode())
            assert warehouse.json("audit", "verify")["valid"] is True
            conn.execute("UPDATE event_store.head SET position = position + 1")
        done = warehouse.run("audit", "verify")
        assert (done.code, "does not hold" in done.out) == (1, True)


def test_a_time_that_nobody_has_written_is_told_plainly(
    loaded: Warehouse, server: EmbeddedServer, tmp_path: Path
) -> None:
    with copied(server, loaded.database) as database:
        warehouse = Warehouse(database, tmp_path / "home")
        with database.connect(autocommit=True) as conn:
            conn.execute("UPDATE event_store.batch SET opened_at = 'infinity'")
        for command in ("status", "batches"):
            done = warehouse.run(command)
            assert (done.code, "has not written and cannot read" in done.err) == (1, True)


def test_a_log_that_is_no_stores_any_more_is_not_backed_up(
    loaded: Warehouse, server: EmbeddedServer, tmp_path: Path
) -> None:
    with copied(server, loaded.database) as database:
        with database.connect(autocommit=True) as conn:
            conn.execute("SET session_replication_role = replica")
            conn.execute("DELETE FROM event_store.store")
        done = Warehouse(database, tmp_path / "home").run("db", "backup", tmp_path / "log")
        assert (done.code, "Which store this is cannot be said" in done.err) == (1, True)
        assert not (tmp_path / "log").exists()


BACKED_UP = "INSERT INTO event_store.backup VALUES (true, now() - interval '25 hours', 12, 1000, true)"
DRILLED = """
    INSERT INTO event_store.restore_drill (drilled_at, file, position, seconds_to_answers)
    VALUES (now() - interval '9 days', 'monday.backup', 12, 2.5)
"""


def test_how_old_backup_and_drill_are_is_a_matter_of_the_operators_goal(
    loaded: Warehouse, server: EmbeddedServer, tmp_path: Path
) -> None:
    def told(warehouse: Warehouse, **goals: str) -> list[str]:
        done = warehouse.run("status", "--check", "--json", **goals)
        assert done.code == (1 if done.document["check"] else 0), done
        return list(done.document["check"])

    with copied(server, loaded.database) as database:
        warehouse = Warehouse(database, tmp_path / "home")
        both = {"REPLAYHOUSE_BACKUP_MAX_AGE": "24h", "REPLAYHOUSE_DRILL_MAX_AGE": "8d"}
        assert told(warehouse) == []
        assert told(warehouse, **both) == [
            "There was no backup of this database yet, and one is due every 24 h: replayhouse db backup FILE.",
            "There was no drill of this database yet, and one is due every 8 d: replayhouse db drill FILE.",
        ]
        with database.connect(autocommit=True) as conn:
            conn.execute(BACKED_UP.encode())
            conn.execute(DRILLED.encode())
        assert told(warehouse) == []
        of_backup, of_drill = told(warehouse, **both)
        assert of_backup.startswith("The last backup is 25 h old (")
        assert of_drill.startswith("The last drill is 9 d old (")
        assert told(warehouse, REPLAYHOUSE_BACKUP_MAX_AGE="26h", REPLAYHOUSE_DRILL_MAX_AGE="10d") == []
        shown = warehouse.run("status").out
        assert "encrypted, up to position 12." in shown
        assert "with monday.backup, had answers after 2.5 s." in shown


@pytest.mark.parametrize("given", ["soon", "26", "0h", "-1h", "1.5h", "26h later", "PT26H"])
def test_a_goal_that_is_none_is_told(loaded: Warehouse, given: str) -> None:
    done = loaded.run("status", "--check", REPLAYHOUSE_BACKUP_MAX_AGE=given)
    words = "The setting REPLAYHOUSE_BACKUP_MAX_AGE makes no sense: a span of time is"
    assert (done.code, done.err.startswith(words), "26h" in done.err) == (2, True, True)


def test_a_backup_is_noted_and_where_it_cannot_be_that_is_told(
    loaded: Warehouse, server: EmbeddedServer, tmp_path: Path
) -> None:
    with copied(server, loaded.database) as database:
        warehouse = Warehouse(database, tmp_path / "home")
        assert "backup" not in warehouse.json("status")
        made = warehouse.json("db", "backup", tmp_path / "first")
        noted = warehouse.json("status")["backup"]
        assert (noted["position"], noted["bytes"]) == (made["position"], made["bytes"] + made["keys_bytes"])
        assert noted["is_encrypted"] is False

        with database.connect(autocommit=True) as conn:
            conn.execute("ALTER TABLE event_store.backup RENAME TO elsewhere")
        done = warehouse.run("db", "backup", tmp_path / "second")
        assert (done.code, "The database has no note of this backup" in done.err) == (0, True), done
        assert (tmp_path / "second").exists()
