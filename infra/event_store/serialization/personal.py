"""Personal fields at rest: sealed with AES-GCM under a key of their subject, gone for good when that key is destroyed.

A sealed value is base64 of nonce (12 bytes), ciphertext and tag (16 bytes). Stream and field name are authenticated
with it, so that a sealed value cannot be moved to another stream or field. What a seal does not hide is whether there
is a value, and how many bytes it has.
"""

import os
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any, get_type_hints
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.ids import UNKNOWN_ID
from replayhouse.infra.event_store.serialization.errors import BrokenSeal, MissingKey

KEY_BYTES = 32
NONCE_BYTES = 12


def new_key() -> bytes:
    """A key for one more subject: 32 random bytes (AES-256)."""
    return os.urandom(KEY_BYTES)


def personal_fields(event_type: type[DomainEvent]) -> tuple[str, ...]:
    """The names of the fields that the class marks as personal, in order.

    Raises ValueError where one of them is not `str | None`: only texts are sealed, and each may be erased.
    """
    names = tuple(field.name for field in _fields(event_type) if field.metadata.get("personal"))
    if names:
        hints = get_type_hints(event_type)
        for name in names:
            if hints[name] != str | None:
                raise ValueError(f"{event_type.__name__}.{name} is personal and must be declared `str | None`")
    return names


def withheld_fields(event_type: type[DomainEvent]) -> dict[str, str | None]:
    """The personal fields of the class, each with what is shown of a value to those who have no keys."""
    return {f.name: f.metadata["withheld"] for f in _fields(event_type) if f.metadata.get("personal")}


def _fields(event_type: type[DomainEvent]) -> tuple[Field[Any], ...]:
    return fields(event_type)  # type: ignore[arg-type]  # every event is a dataclass; only their common base is none


def seal(cipher: AESGCM, place: bytes, text: str) -> str:
    """A text as it stands in the log; `place` is its stream's id (16 bytes) with the name of its field after it."""
    nonce = os.urandom(NONCE_BYTES)
    return b2a_base64(nonce + cipher.encrypt(nonce, text.encode(), place), newline=False).decode()


CANNOT_OPEN = (InvalidTag, ValueError)  # ValueError: no base64, too short, no UTF-8, or a key of no possible length
"""What `AESGCM` and `opened_text` raise where a text was changed, or its key is another one."""


def opened_text(cipher: AESGCM, place: bytes, text: str) -> str:
    """A text of `seal` in clear text. Raises CANNOT_OPEN."""
    sealed = a2b_base64(text, strict_mode=True)
    return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place).decode()


class PersonalFields:
    """Seals and reveals the personal fields of one class of events; `topic` is for its errors."""

    def __init__(self, topic: str, event_type: type[DomainEvent]) -> None:
        self._topic = topic
        self._names = tuple(field.name for field in _fields(event_type))
        self._personal = tuple((name, name.encode()) for name in personal_fields(event_type))
        self._withheld = tuple(withheld_fields(event_type).items())
        self._subject = event_type.subject
        if self._subject is not None and self._subject not in self._names:
            raise ValueError(f"{event_type.__name__} has no field {self._subject} to name its subject")

    @property
    def names(self) -> tuple[str, ...]:
        """The fields that are sealed."""
        return tuple(name for name, _ in self._personal)

    @property
    def named_subject(self) -> str | None:
        """The field that names whose key seals them; None where that is the stream's."""
        return self._subject

    def withhold(self, event: DomainEvent) -> DomainEvent:
        """The same event, fresh from decoding as for `reveal`, with what stands for values that may not be seen.

        None stays None: there is no value, or the person's key was destroyed before it was recorded.
        """
        for name, instead in self._withheld:
            if getattr(event, name) is not None:
                object.__setattr__(event, name, instead)
        return event

    def subject_of(self, event: DomainEvent, stream_id: UUID) -> UUID | None:
        """Whose key seals the event; None where no personal field has a value, so that no key is needed."""
        for name, _ in self._personal:
            if getattr(event, name) is not None:
                break
        else:
            return None
        if self._subject is None:
            return stream_id
        subject: UUID = getattr(event, self._subject)
        return stream_id if subject == UNKNOWN_ID else subject

    def sealed(self, event: DomainEvent, stream_id: UUID, keys: Mapping[UUID, bytes | None]) -> dict[str, object]:
        """All fields of an event by name, personal ones sealed, or None where the subject's key was destroyed.

        Raises MissingKey where `keys` lacks the subject: that is not the same as an erased one.
        """
        state = {name: getattr(event, name) for name in self._names}
        subject = self.subject_of(event, stream_id)
        if subject is None:
            return state
        try:
            key = keys[subject]
        except KeyError:
            raise MissingKey(f"{self._topic} of stream {stream_id}: no key of subject {subject} is at hand.") from None
        if key is None:
            state.update((name, None) for name, _ in self._personal)
            return state
        cipher, place = AESGCM(key), stream_id.bytes
        for name, mark in self._personal:
            text = state[name]
            if text is not None:
                state[name] = seal(cipher, place + mark, text)
        return state

    def reveal(self, event: DomainEvent, stream_id: UUID, key: bytes | None) -> DomainEvent:
        """The same event, its personal fields in clear text; None without key. Raises BrokenSeal.

        The event must be fresh from decoding and known to nobody else: it is changed in place, frozen as it is, since
        making another one field by field would cost more than the decoding did.
        """
        change = object.__setattr__
        if key is None:
            for name, _ in self._personal:
                change(event, name, None)
            return event
        try:
            cipher, place = AESGCM(key), stream_id.bytes
            for name, mark in self._personal:
                text = getattr(event, name)
                if text is not None:
                    change(event, name, opened_text(cipher, place + mark, text))
        except CANNOT_OPEN as exc:
            raise BrokenSeal(
                f"{self._topic} of stream {stream_id}: a personal field cannot be opened; "
                "the event was changed in the log, or the key is not its subject's."
            ) from exc
        return event
