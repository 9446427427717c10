"""Personal fields of many events, sealed each under the key of its own subject."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.infra.columns.values import Array, Texts
from replayhouse.infra.event_store.serialization.personal import PersonalFields, seal

_NOBODY = str(UNKNOWN_ID).encode()


def subjects_of(personal: PersonalFields, event: DomainEvent, stream_ids: Array) -> Array | None:
    """Whose keys seal the events, by id; None where no personal field has a value: so it is of all of them, or none."""
    if all(getattr(event, name) is None for name in personal.names):
        return None
    if personal.named_subject is None:
        return stream_ids
    named: Any = getattr(event, personal.named_subject)
    if type(named) is UUID:
        return stream_ids if named == UNKNOWN_ID else np.full(len(stream_ids), str(named).encode(), "S36")
    return np.where(named.values == _NOBODY, stream_ids, named.values)


class Sealer:
    """Seals under the keys of subjects, none of which is destroyed."""

    def __init__(self, keys: Mapping[UUID, bytes]) -> None:
        self._keys = {str(subject).encode(): key for subject, key in keys.items()}
        self._ciphers: dict[bytes, AESGCM] = {}

    def sealed(
        self, personal: PersonalFields, event: DomainEvent, subjects: Array, stream_ids: Array
    ) -> dict[str, Texts]:
        """The personal fields that have values, as they stand in the log; `stream_ids` are rows of 16 bytes."""
        ciphers = [self._cipher(subject) for subject in subjects.tolist()]
        places = [place.tobytes() for place in stream_ids]
        sealed = {}
        for name in personal.names:
            text: Any = getattr(event, name)
            if text is not None:
                texts = text.tolist() if issubclass(type(text), Texts) else [text] * len(ciphers)
                mark = name.encode()
                rows = zip(ciphers, places, texts, strict=True)
                sealed[name] = Texts(np.array([seal(c, place + mark, t) for c, place, t in rows], object))
        return sealed

    def _cipher(self, subject: bytes) -> AESGCM:
        cipher = self._ciphers.get(subject)
        if cipher is None:
            cipher = self._ciphers[subject] = AESGCM(self._keys[subject])
        return cipher
