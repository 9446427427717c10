"""Dead letters: messages that could not be handled, told on a topic of their own without anybody's personal fields."""

import json
from collections.abc import Mapping
from typing import Any, get_args

from kafka import KafkaProducer
from kafka.errors import MessageSizeTooLargeError, RecordListTooLargeError
from pydantic import BaseModel
from pydantic_core import from_json

from replayhouse_consumer.event import Event, Sealed
from replayhouse_consumer.message import Message
from replayhouse_consumer.telling import legible

SEND_SECONDS = 30.0
LONGEST_REASON = 500


class DeadLetters:
    """Sends to the topic; `client` holds the settings with which the brokers are reached. Connects when first used."""

    def __init__(self, topic: str, group: str, known: Mapping[str, type[Event]], client: Mapping[str, Any]) -> None:
        self.topic = topic
        self._group = group
        self._known = known
        self._client = client
        self._producer: Any = None

    def send(self, message: Message, reason: str) -> None:
        """Returns once the brokers have it: at least once, keyed by ce_id. Raises what kafka-python raises."""
        if self._producer is None:
            self._producer = KafkaProducer(
                acks="all", enable_idempotence=True, allow_auto_create_topics=False, **self._client
            )
        key, value, headers = letter(message, reason, self._group, self._known)
        try:
            self._send(key, value, headers)
        except (MessageSizeTooLargeError, RecordListTooLargeError):  # a message may be as large as brokers take
            self._send(key, None, headers)

    def _send(self, key: bytes, value: bytes | None, headers: list[tuple[str, bytes]]) -> None:
        self._producer.send(self.topic, key=key, value=value, headers=headers).get(timeout=SEND_SECONDS)

    def close(self) -> None:
        """Ends the connection, if there is one."""
        if self._producer is not None:
            self._producer.close(timeout=SEND_SECONDS)


def letter(
    message: Message, reason: str, group: str, known: Mapping[str, type[Event]]
) -> tuple[bytes, bytes | None, list[tuple[str, bytes]]]:
    """Key, value and headers of a dead letter: where the message came from and why it is here.

    The value has the fields that the class of the event declares, but for the personal ones; without class, or where it
    is no JSON object, there is none.
    """
    event_type = known.get(message.type or "")
    value = _parsed(message.value) if event_type is not None else None
    place = f"{message.partition.topic}.{message.partition.number}.{message.offset}"
    told = {
        "reason": _without(reason, _sealed_values(event_type, value)),
        "group": group,
        "topic": message.partition.topic,
        "partition": str(message.partition.number),
        "offset": str(message.offset),
        **{name: text for name, text in (("ce_id", message.id), ("ce_type", message.type)) if text is not None},
    }
    kept = None if event_type is None or value is None else json.dumps(without_personal(event_type, value))
    return (
        (message.id or place).encode(),
        None if kept is None else kept.encode(),
        [(name, text.encode()) for name, text in told.items()],
    )


def without_personal(shape: type[BaseModel], value: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that a model declares, but for the sealed ones, also in the models within it.

    A field that the model does not know may be personal: it goes too.
    """
    return {
        name: _within(field.annotation, value[name])
        for name, field in shape.model_fields.items()
        if name in value and not _is_sealed(field.annotation)
    }


def _within(annotation: Any, value: Any) -> Any:
    shape = _shape_of(annotation)
    if isinstance(value, list):
        return [_within(annotation, item) for item in value]
    if isinstance(value, dict):
        return None if shape is None else without_personal(shape, value)
    return value if shape is None else None


def _shape_of(annotation: Any) -> type[BaseModel] | None:
    """The model in an annotation, such as `Line`, `Line | None` or `tuple[Line, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((shape for inner in get_args(annotation) if (shape := _shape_of(inner)) is not None), None)


def _is_sealed(annotation: Any) -> bool:
    return annotation is Sealed or any(map(_is_sealed, get_args(annotation)))


def _parsed(value: bytes | None) -> dict[str, Any] | None:
    """The object in a value; None where there is none, or one that no JSON could tell again, as `NaN` is."""
    try:
        parsed = from_json(value or b"", allow_inf_nan=False)
        json.dumps(parsed, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, dict) else None


def _sealed_values(event_type: type[Event] | None, value: Mapping[str, Any] | None) -> list[str]:
    if event_type is None or value is None:
        return []
    return [
        text
        for name, field in event_type.model_fields.items()
        if _is_sealed(field.annotation) and isinstance(text := value.get(name), str) and text
    ]


def _without(reason: str, personal: list[str]) -> str:
    for text in personal:
        reason = reason.replace(text, "[sealed]")
    return legible(reason)[:LONGEST_REASON]
