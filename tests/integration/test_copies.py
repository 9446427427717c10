"""Copies of read models outside of the database: noted where they are, and named once a person in them was erased."""

import errno
import json
import os
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from replayhouse.domain.customer.events import CustomerAnonymized
from replayhouse.infra.privacy import copies
from replayhouse.infra.privacy.copies import Copy, of_folder
from replayhouse.infra.runtime.manifests import MANIFEST
from tests.support.read_side import Log

CONTEXTS = ("sales", "customer")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / MANIFEST).write_text(json.dumps({}))
    return tmp_path


def erased(conn: psycopg.Connection) -> int:
    """An erasure that the log tells; its position."""
    return Log(conn).append("customer", UUID(int=7), [CustomerAnonymized(datetime(2026, 1, 1), "asked for it", "ana")])


def test_a_copy_in_clear_is_named_once_somebody_was_erased_since(conn: psycopg.Connection, folder: Path) -> None:
    copy = of_folder("export", folder, CONTEXTS, is_in_clear=True, read_at_position=0)
    copies.note(conn, copy)
    assert copies.of_before_an_erasure(conn) == []

    position = erased(conn)

    assert [found.place for found in copies.of_before_an_erasure(conn)] == [str(folder)]
    copies.note(conn, copy._replace(read_at_position=position))  # made anew
    assert copies.of_before_an_erasure(conn) == []


def test_a_copy_that_withholds_personal_fields_or_is_gone_is_not_named(conn: psycopg.Connection, folder: Path) -> None:
    copies.note(conn, of_folder("replay", folder, CONTEXTS, is_in_clear=False, read_at_position=0))
    copies.note(conn, of_folder("export", folder / "gone", CONTEXTS, is_in_clear=True, read_at_position=0))
    erased(conn)

    assert copies.of_before_an_erasure(conn) == []


def test_a_folder_that_may_not_be_looked_into_is_named(
    conn: psycopg.Connection, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies.note(conn, of_folder("export", folder, CONTEXTS, is_in_clear=True, read_at_position=0))
    erased(conn)

    def refused(_path: str) -> list[str]:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(os, "listdir", refused)

    assert [found.place for found in copies.of_before_an_erasure(conn)] == [str(folder)]


def test_what_stands_on_another_machine_is_named_until_its_note_is_taken_away(conn: psycopg.Connection) -> None:
    copy = Copy("clickhouse", "", "clickhouse://reports:8123/warehouse", CONTEXTS, True, 0)
    copies.note(conn, copy)
    erased(conn)
    assert [found.place for found in copies.of_before_an_erasure(conn)] == ["clickhouse://reports:8123/warehouse"]

    copies.forget(conn, copy)

    assert copies.of_before_an_erasure(conn) == []
