"""Keys of a replay: looked up by a role that may read little else, noted before a row is written, shown nowhere."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import psycopg
import pytest

from replayhouse.infra.backup.keys_file import KeysOfFile
from replayhouse.infra.event_store.known_keys import LostKeys
from tests.support.cli import Program
from tests.support.homes import Home
from tests.support.in_process import refused
from tests.support.replaying import A_REVIEWER, Played, digests_of, files_of, holds, played

GRANTS = """
    CREATE ROLE replayer LOGIN;
    GRANT USAGE ON SCHEMA event_store TO replayer;
    GRANT SELECT ON event_store.subject_key, event_store.store, event_store.head TO replayer;
    GRANT SELECT, INSERT, UPDATE ON event_store.copy_elsewhere TO replayer;
"""
KEYS = "SELECT encode(key, 'hex'), encode(key, 'base64'), key FROM event_store.subject_key WHERE key IS NOT NULL"
ALL_KEYS = "SELECT subject_id, key FROM event_store.subject_key"
COPIES = "SELECT kind, place, contexts, is_in_clear, read_at_position FROM event_store.copy_elsewhere ORDER BY made_at"


@pytest.fixture(scope="module")
def history(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    with played(prepared, tmp_path_factory.mktemp("played")) as found:
        with psycopg.connect(found.loaded.url, autocommit=True) as conn:
            conn.execute(GRANTS)
        yield found


@pytest.fixture
def nowhere(tmp_path: Path) -> Program:
    return Program(tmp_path / "no home")


def as_replayer(history: Played) -> str:
    return history.loaded.url.replace("//postgres@", "//replayer@")


def test_a_role_that_reads_keys_and_notes_copies_suffices(history: Played, nowhere: Program, tmp_path: Path) -> None:
    rows = tmp_path / "rows"

    told = nowhere.json("replay", history.sealed, "--out", rows, "--keys", as_replayer(history), "--workers", "2")

    assert digests_of(told) == history.digests()
    noted = history.loaded.rows(COPIES)[-1]
    assert noted == ("replay", str(rows), list(told["contexts"]), True, history.program.json("status")["position"])
    with psycopg.connect(as_replayer(history)) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("SELECT * FROM event_store.customer_events")
    told = nowhere.json("replay", history.sealed, "--out", rows, "--force")
    assert history.loaded.rows(COPIES)[-1][3], "nobody can take the note back without the warehouse"


def test_an_erasure_names_the_rows_until_they_are_made_anew(history: Played, tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    history.program.succeed("replay", history.sealed, "--out", rows, "--keys", history.loaded.url)

    person = str(history.loaded.value(A_REVIEWER))
    told = history.program.succeed("customer", "erase", "--yes", person, "--reason", "asked for it")

    assert str(rows) in told.out + told.err
    assert str(rows) in history.program.run("status", "--check").out
    history.program.succeed("replay", history.sealed, "--out", rows, "--force")  # withheld: the warehouse is at hand
    assert str(rows) not in history.program.run("status", "--check").out
    history.program.succeed("db", "backup", history.folder / "log.backup", "--force")


def test_until_rows_are_replaced_the_note_is_of_those_that_stand_there(history: Played, tmp_path: Path) -> None:
    """A replay that withholds is killed: what is in clear still is."""
    rows, home = tmp_path / "rows", Home(history.program.home)
    history.program.succeed("replay", history.sealed, "--out", rows, "--keys", history.loaded.url)
    position = noted_of(history, rows)[4]

    while True:
        command = home.start("replay", history.sealed, "--out", rows, "--force")
        while command.is_running() and not (rows / "manifest.json.unfinished").exists():
            time.sleep(0.002)
        command.kill()
        if command.result().code:
            break  # else it had ended before
        history.program.succeed("replay", history.sealed, "--out", rows, "--force", "--keys", history.loaded.url)

    assert noted_of(history, rows)[3:] == (True, position)
    history.program.succeed("replay", history.sealed, "--out", rows, "--force")
    assert noted_of(history, rows)[3] is False


def noted_of(history: Played, rows: Path) -> tuple[Any, ...]:
    [found] = [row for row in history.loaded.rows(COPIES) if row[1] == str(rows)]
    return found


def test_no_key_stands_in_a_file_or_a_line(history: Played, nowhere: Program, tmp_path: Path) -> None:
    done = nowhere.run(
        "replay", history.sealed, "--out", tmp_path / "rows", "--keys", as_replayer(history), "--workers", "2", "--json"
    )

    assert done.code == 0, done
    for as_hex, as_base64, key in history.loaded.rows(KEYS)[:40]:
        for text in (as_hex, as_base64):
            assert text not in done.out + done.err
            assert not holds(tmp_path / "rows", text)
            assert not holds(history.sealed, text)
        for folder in (tmp_path / "rows", history.sealed):
            assert not any(bytes(key) in (folder / name).read_bytes() for name in files_of(folder))


def test_a_file_of_keys_is_noted_where_there_is_a_warehouse_and_else_it_is_said(
    history: Played, nowhere: Program, tmp_path: Path
) -> None:
    rows = tmp_path / "rows"
    done = nowhere.succeed("replay", history.sealed, "--out", rows, "--keys", history.keys)
    assert "will not name them" in done.err

    done = history.program.succeed("replay", history.sealed, "--out", rows, "--force", "--keys", history.keys)
    assert "will not name them" not in done.err
    assert history.loaded.rows(COPIES)[-1][:2] == ("replay", str(rows))


def test_keys_that_know_less_than_the_log_are_refused(history: Played, nowhere: Program, tmp_path: Path) -> None:
    history.program.succeed("log", "seal", history.sealed)
    for keys, word in ((history.old_keys, "erased"), (tmp_path / "none", "no file"), (history.sealed, "read")):
        done = nowhere.run("replay", history.sealed, "--out", tmp_path / "rows", "--keys", keys, "--json")
        refused(done, 2, word)
        assert not (tmp_path / "rows" / "manifest.json").exists()


def test_the_keys_of_a_warehouse_that_was_restored_from_before_an_erasure_are_refused(
    history: Played, nowhere: Program, tmp_path: Path
) -> None:
    name = "restored_from_before"
    url = urlsplit(history.loaded.url)._replace(path=f"/{name}").geturl()
    with psycopg.connect(history.loaded.url, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'".encode())
        try:
            restored = Program(tmp_path / "restored", REPLAYHOUSE_DATABASE_URL=url)
            restored.succeed("db", "restore", history.folder / "early.backup")

            done = nowhere.run("replay", history.sealed, "--out", tmp_path / "rows", "--keys", url, "--json")

            refused(done, 2, "erased", "as it is now")
            assert not (tmp_path / "rows").exists()
        finally:
            conn.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_keys_that_cannot_be_reached_end_it_before_anything_is_written(
    history: Played, nowhere: Program, tmp_path: Path
) -> None:
    url = "postgresql://replayer:secret@127.0.0.1:1/warehouse"
    done = nowhere.run("replay", history.sealed, "--out", tmp_path / "rows", "--keys", url, "--json")
    refused(done, 3, "cannot be reached")
    assert "secret" not in done.out + done.err
    assert not (tmp_path / "rows").exists()
    refused(
        nowhere.run("replay", history.sealed, "--out", tmp_path / "rows", "--keys", "postgresql://a@b@c/d", "--json"), 2
    )


def test_keys_of_another_warehouse_are_refused(
    history: Played, empty: Program, nowhere: Program, tmp_path: Path
) -> None:
    url = empty.environment["REPLAYHOUSE_DATABASE_URL"]
    done = nowhere.run("replay", history.sealed, "--out", tmp_path / "rows", "--keys", url, "--json")
    refused(done, 2, "not the warehouse")


def test_a_file_of_keys_has_what_the_table_has(history: Played) -> None:
    history.program.succeed("db", "backup", history.folder / "log.backup", "--force")
    stored = {subject: key and bytes(key) for subject, key in history.loaded.rows(ALL_KEYS)}
    assert None in stored.values()
    absent = UUID(int=1)

    with KeysOfFile(history.keys).opened() as keys_of:
        assert keys_of(stored.keys()) == stored
        assert keys_of([max(stored)]) == {max(stored): stored[max(stored)]}
        with pytest.raises(LostKeys, match=rf"{absent} \(and of 1 more\) is lost"):
            keys_of([*stored, absent, UUID(int=2**128 - 1)])
