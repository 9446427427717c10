"""The history of one thing: every event of its streams."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from replayhouse.infra.application.access import asking, noted
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.history import HistoricEvent, history_of, subjects_of
from replayhouse.infra.audit.kinds import PERSONAL, HistoryKind
from replayhouse.infra.audit.named_streams import stream_named
from replayhouse.infra.loads.names import load_named
from replayhouse.infra.runtime.errors import Unknown, UsageError
from replayhouse.infra.runtime.short_ids import IdStart, read_id_start


@dataclass(frozen=True)
class History:
    """What `audit history` answers: every event of one thing, stream by stream; only reviews may have several.

    `key` is the id in full; of a stream that is called otherwise, its events know the id (`stream`).
    """

    kind: HistoryKind
    key: UUID
    events: list[HistoricEvent]

    def document(self) -> list[dict[str, Any]]:
        """As JSON shows it: the events."""
        return [event.document() for event in self.events]


def history(site: Site, kind: str, key: str) -> History:
    """Every event of the thing whose id, or the first digits of it, is `key`; of a load its name, too.

    What is shown in clear is noted in the access log first; to those who may not see it, it stays sealed. Raises
    UsageError where there is none, or several may be meant; LostKeys where personal fields can be neither shown
    nor said to be erased.
    """
    of = kind_named(kind)
    if of is not HistoryKind.BATCH:
        _read_start(of, key)  # what is no id is told before anything is opened
    with site.as_reader.connect("replayhouse audit") as connection, ExitStack() as stack:
        wanted = key_of(connection, of, key)
        subjects = {wanted, *subjects_of(connection, of, wanted)}
        reveals = of in PERSONAL and noted(
            site, "audit history", f"history of the {of} {wanted}", subjects, is_record=of is HistoryKind.ROW
        )
        reading = with_keys(site, connection, stack) if reveals and may_be_told(site) else connection
        return History(of, wanted, history_of(reading, of, wanted, reveals=reveals))


def may_be_told(site: Site) -> bool:
    """Whether whoever asks is told anything in clear: of others the keys are not even asked for."""
    return asking(site).by.sees_records


def with_keys(site: Site, conn: psycopg.Connection, stack: ExitStack) -> psycopg.Connection:
    """The program's own connection, which reads keys: for folding, which must see what is sealed afterwards.

    For owners it is the one that they have.
    """
    if site.is_for_owner:
        return conn
    return stack.enter_context(site.as_program.connect("replayhouse audit", autocommit=True))


def key_of(conn: psycopg.Connection, kind: HistoryKind, key: str) -> UUID:
    """The id of the one thing that is meant: by its id, or the first digits of it; of a load by its name, too."""
    if kind is HistoryKind.BATCH:
        return load_named(conn, key)
    return stream_named(conn, kind, _read_start(kind, key))


def _read_start(kind: HistoryKind, key: str) -> IdStart:
    try:
        return read_id_start(key)
    except UsageError as error:
        if kind is HistoryKind.ROW:
            raise
        raise UsageError(f"{error} What its source calls it goes with --key.") from error


def kind_named(text: str) -> HistoryKind:
    """The kind of a name. Raises Unknown."""
    try:
        return HistoryKind(text)
    except ValueError:
        raise Unknown(f"There are no histories of '{text}': it is one of {', '.join(HistoryKind)}.") from None
