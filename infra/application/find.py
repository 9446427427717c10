"""Finding what a few characters may mean: an id, how one begins, the key that a source calls a thing by, a line of a
file, a position, a load, a question.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import psycopg

from replayhouse.infra.application.id_of import found_by_key
from replayhouse.infra.application.list_questions import list_questions
from replayhouse.infra.application.site import Site
from replayhouse.infra.audit.kinds import STREAMS, HistoryKind
from replayhouse.infra.audit.lineage.cited_record import newest_load_with, record_at
from replayhouse.infra.audit.named_streams import newest_position, people_behind, streams_from
from replayhouse.infra.event_store.head import read_head
from replayhouse.infra.loads.names import load_named, loads_from
from replayhouse.infra.runtime.errors import Unknown, UsageError
from replayhouse.infra.runtime.short_ids import id_start
from replayhouse.infra.staging.files import FILES, SHORT_NAMES

POSITION, QUESTION = "position", "question"
"""What may be found beside the kinds of things."""

SHOWN = 10
"""So many of a kind are told."""

_BY_ID = (HistoryKind.ORDER, HistoryKind.CUSTOMER, HistoryKind.REVIEW, HistoryKind.PRODUCT, HistoryKind.SELLER)
_BY_KEY = (HistoryKind.ORDER, HistoryKind.PRODUCT, HistoryKind.SELLER)
_LINE = re.compile(r"(?:(?P<load>.+)/)?(?P<file>[a-z_]+)(?:\.csv)?:(?P<line>[0-9]{1,9})", re.IGNORECASE)
_POSITION = re.compile(r"[0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3}){1,5}")


class Hit(NamedTuple):
    """Something that was found: `key` is its id, its number or its position, `says` what it is."""

    kind: str
    key: str
    says: str


@dataclass(frozen=True)
class Found:
    """What a text may mean; where it means nothing, `why` says so if there is more to say."""

    text: str
    hits: list[Hit]
    why: str | None = None


def find(site: Site, text: str) -> Found:
    """Everything that a text may mean, what is certain first. It changes nothing, and looks things up by their keys."""
    wanted = text.strip()
    if not wanted:
        return Found(wanted, [])
    with site.as_reader.connect("replayhouse find", autocommit=True) as conn:
        try:
            hits = _line(conn, wanted)
            if hits is None:
                hits = [*_position(conn, wanted), *_loads(conn, wanted), *_own_keys(conn, wanted)]
                is_name = any(hit.says == wanted for hit in hits)
                hits += [] if is_name else _questions(site, wanted)
                hits += [] if hits and wanted.isdecimal() else _ids(conn, wanted)
        except UsageError as error:
            return Found(wanted, [], str(error))
    return Found(wanted, list({(hit.kind, hit.key): hit for hit in reversed(hits)}.values())[::-1])


def _line(conn: psycopg.Connection, text: str) -> list[Hit] | None:
    """What stands at a line of a file; None of what names none."""
    named = _LINE.fullmatch(text)
    if named is None:
        return None
    name = named["file"].lower()
    file = SHORT_NAMES.get(f"{name}.csv", name)
    if file not in FILES:
        raise Unknown(f"There is no file {name} in an extract: there are {', '.join(FILES)}.")
    load = load_named(conn, named["load"]) if named["load"] else newest_load_with(conn, file)
    line = int(named["line"])
    record = record_at(conn, load, file, line)
    hits = []
    if record.thing is not None:
        kind, key = record.thing
        start = id_start(key)
        if start is not None and start.is_whole and streams_from(conn, kind, start, 1):
            hits.append(Hit(kind, start.first.hex, f"its record stands at {file}:{line}"))
    if record.stream is not None:
        hits += _newest_of(conn, *record.stream, f"what {file}:{line} tells of was learnt here")
    hits += _newest_of(conn, "quality", record.row, f"the record at {file}:{line} was kept apart")
    if not hits:
        raise Unknown(f"{file}:{line} is known, but the log has nothing that its record is about.")
    return hits


def _newest_of(conn: psycopg.Connection, context: str, stream: UUID, says: str) -> list[Hit]:
    position = newest_position(conn, context, stream)
    return [] if position is None else [Hit(POSITION, str(position), says)]


def _position(conn: psycopg.Connection, text: str) -> list[Hit]:
    if not _POSITION.fullmatch(text):
        return []
    position = int(text.replace(",", ""))
    is_there = 1 <= position <= read_head(conn).position
    return [Hit(POSITION, str(position), "an event of the log")] if is_there else []


def _loads(conn: psycopg.Connection, text: str) -> list[Hit]:
    return [Hit(HistoryKind.BATCH, load.id.hex, load.name) for load in loads_from(conn, text)[:SHOWN]]


def _questions(site: Site, text: str) -> list[Hit]:
    found = list_questions(site, text)
    return [Hit(QUESTION, str(one.question.number), one.question.title) for one in found]


def _own_keys(conn: psycopg.Connection, text: str) -> list[Hit]:
    """Things that a source calls so; people are not looked for, whose keys would stand in the address of the page."""
    return [
        Hit(kind, key.hex, f"its key in {source}")
        for kind in _BY_KEY
        for source, key in found_by_key(conn, kind, text).items()
    ]


def _ids(conn: psycopg.Connection, text: str) -> list[Hit]:
    """Things whose id begins so; of an order its shipment has the same id, and is found from there."""
    start = id_start(text)
    if start is None:
        return []
    hits = [Hit(kind, key.hex, "its id begins so") for kind in _BY_ID for key in streams_from(conn, kind, start, SHOWN)]
    people = people_behind(conn, start, SHOWN)
    hits += [Hit(HistoryKind.CUSTOMER, person.hex, "an alias of theirs begins so") for person in people]
    for row in streams_from(conn, HistoryKind.ROW, start, SHOWN):
        hits += _newest_of(conn, STREAMS[HistoryKind.ROW].context, row, "a record of this id was kept apart")
    return hits
