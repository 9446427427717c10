"""Personal fields of many events of one class in clear text, or withheld: without an event in between.

What opens a text is that of `serialization.personal`.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias
from uuid import UUID

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import convert

from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.infra.columns.fields import holder_of
from replayhouse.infra.columns.held import Leaf, Nullable, Records
from replayhouse.infra.columns.values import Array, id_bytes
from replayhouse.infra.event_store.known_keys import KeysOf
from replayhouse.infra.event_store.serialization.personal import (
    CANNOT_OPEN,
    opened_text,
    withheld_fields,
)

_Texts: TypeAlias = Sequence[str | None]
_NOBODY = UNKNOWN_ID.bytes


class Opened(NamedTuple):
    """Events with personal fields in clear text; in the rows that are `broken` are seals that do not open."""

    columns: Records
    broken: list[int]


def opened(columns: Records, rows: Array, streams: Sequence[bytes], keys_of: KeysOf | None) -> Opened:
    """Opens the events in some rows, whose streams are given, 16 bytes each; the others lose their personal fields.

    All keys are looked up at once, and what that raises is raised; None for `keys_of`: the fields are withheld.
    """
    shown = withheld_fields(columns.kind)
    sealed = {name: _texts_of(columns, name, rows) for name in shown}
    broken: list[int] = []
    if keys_of is None:
        clear = {name: [None if text is None else shown[name] for text in texts] for name, texts in sealed.items()}
    else:
        subjects = _subjects_of(columns, rows, streams)
        events = list(zip(*sealed.values(), strict=True))
        found, failed = _clear(events, [name.encode() for name in sealed], streams, subjects, keys_of)
        clear = {name: [texts[place] for texts in found] for place, name in enumerate(sealed)}
        broken = rows[failed].tolist()
    fields = dict(columns.fields)
    for name, texts in clear.items():
        values = np.full(len(columns.kinds), None, object)
        values[rows] = texts
        fields[name] = holder_of(str | None)(values.tolist())
    return Opened(Records(columns.kind, list(fields.items()), len(columns.kinds)), broken)


def _clear(
    events: Sequence[tuple[str | None, ...]],
    marks: Sequence[bytes],
    streams: Sequence[bytes],
    subjects: Sequence[bytes],
    keys_of: KeysOf,
) -> tuple[list[_Texts], list[int]]:
    """The texts of each event, and the numbers of the events of which one does not open."""
    nothing = (None,) * len(marks)
    keys = _keys({subject for subject, texts in zip(subjects, events, strict=True) if texts != nothing}, keys_of)
    clear: list[_Texts] = []
    broken: list[int] = []
    for texts, stream, subject in zip(events, streams, subjects, strict=True):
        key = keys.get(subject)
        found: _Texts = nothing
        if key is not None:
            try:
                cipher = AESGCM(key)
                found = [
                    None if text is None else opened_text(cipher, stream + mark, text)
                    for text, mark in zip(texts, marks, strict=True)
                ]
            except CANNOT_OPEN:
                broken.append(len(clear))
        clear.append(found)
    return clear, broken


def _keys(subjects: set[bytes], keys_of: KeysOf) -> dict[bytes, bytes | None]:
    """By subject its key; None where that was destroyed."""
    found = keys_of([convert(subject, UUID) for subject in subjects]) if subjects else {}
    keys = {subject.bytes: key for subject, key in found.items()}  # hashing and comparing a UUID runs Python
    return {subject: keys[subject] for subject in subjects}


def _subjects_of(columns: Records, rows: Array, streams: Sequence[bytes]) -> Sequence[bytes]:
    """Under whose key each event is sealed: the person that it names, or its stream where it names nobody."""
    if columns.kind.subject is None:
        return streams
    held = columns.fields[columns.kind.subject]
    assert isinstance(held, Leaf), "subjects are ids, and never null"
    named = id_bytes(held.at(rows).values)
    return [stream if subject == _NOBODY else subject for subject, stream in zip(named, streams, strict=True)]


def _texts_of(columns: Records, name: str, rows: Array) -> _Texts:
    held = columns.fields[name]
    assert isinstance(held, Nullable), "personal fields are texts, or null"
    return held.tolist(rows)
