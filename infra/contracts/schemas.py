"""JSON Schemas (2020-12) of the states of events, as they stand in the log and go out, made from the event classes.

What the schemas say of a value is how it is written, no more: what may be in it is the domain's matter and may change
without a new version. Kept apart from that, in keywords of our own:

* `x-unit`: of a number or time; a time without it is local to Brazil
* `x-personal`: sealed, hence base64 of a ciphertext, or null
* `x-subject`: the field with the person whose key seals them, or `stream`
* `x-survives-rewind`: whether the event still counts when a later Rewound takes its version back
"""

from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from inspect import cleandoc
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from replayhouse.domain.kernel.events import DomainEvent
from replayhouse.domain.kernel.meaning import UTC, Means
from replayhouse.infra.contracts.examples import example_of
from replayhouse.infra.event_store.serialization.personal import personal_fields
from replayhouse.infra.event_store.serialization.registry import REGISTRY, Registry

Schema = dict[str, Any]
"""A JSON Schema, or a part of one."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"

LOCAL_TIME: Schema = {
    "type": "string",
    "format": "date-time-local",
    "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?$",
}
"""The format is that of the OpenAPI registry: RFC 3339's date-time without its offset."""

SEALED: Schema = {
    "type": "string",
    "contentEncoding": "base64",
    "pattern": "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
    "minLength": 40,
}
"""Nonce (12 bytes), ciphertext and tag (16 bytes): at least 28 bytes, in 40 characters."""

_SCALARS: Mapping[Any, Schema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    UUID: {"type": "string", "format": "uuid"},
    date: {"type": "string", "format": "date"},
    Decimal: {"type": "string", "format": "decimal", "pattern": r"^-?[0-9]+\.[0-9]{2}$"},
}


def current_schemas(registry: Registry = REGISTRY) -> dict[str, Schema]:
    """The schema of every current event type, by its stable name, in the order of the registry."""
    return {topic: _event_schema(topic, event_type) for (_, event_type), topic in registry.topics.items()}


def identifier_of(name: str) -> str:
    """The `$id` of a schema: a name, no address."""
    return f"urn:replayhouse:{name}"


def _event_schema(topic: str, event_type: type[DomainEvent]) -> Schema:
    shapes: dict[str, Schema] = {}
    personal = personal_fields(event_type)
    schema = {
        "$schema": DIALECT,
        "$id": identifier_of(topic),
        "title": topic,
        **_object_schema(event_type, shapes, personal),
        "x-survives-rewind": event_type.survives_rewind,
    }
    if personal:
        schema["x-subject"] = event_type.subject or "stream"
    if shapes:
        schema["$defs"] = shapes
    return schema | {"examples": [example_of(schema, schema)]}


def _object_schema(kind: type[Any], shapes: dict[str, Schema], personal: tuple[str, ...] = ()) -> Schema:
    """Of an event or of what it holds. Optional is a field with a default: events from before it lack it."""
    hints, meanings = get_type_hints(kind), _meanings(kind)
    properties: dict[str, Schema] = {}
    required = []
    for field in fields(kind):
        means = meanings[field.name]
        shape: Schema = {"description": means.text}
        if field.name in personal:
            shape |= _nullable(SEALED) | {"x-personal": True}
        else:
            shape |= _value_schema(hints[field.name], means, shapes)
        if means.unit is not None:
            shape["x-unit"] = means.unit
        if means.example is not None and "$ref" not in shape:
            shape["examples"] = [[means.example] if shape["type"] == "array" else means.example]
        if field.default is MISSING:
            required.append(field.name)
        else:
            shape["default"] = msgspec.to_builtins(field.default)
        properties[field.name] = shape
    paragraphs = cleandoc(kind.__doc__ or "").split("\n\n")
    description = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    return {"description": description, "type": "object", "properties": properties, "required": required}


def _meanings(kind: type[Any]) -> dict[str, Means]:
    hints = get_type_hints(kind, include_extras=True)
    found = {}
    for field in fields(kind):
        means = [one for one in getattr(hints[field.name], "__metadata__", ()) if isinstance(one, Means)]
        if len(means) != 1:
            raise ValueError(f"{kind.__name__}.{field.name} does not say what it means (domain/kernel/meaning.py)")
        found[field.name] = means[0]
    return found


def _value_schema(hint: Any, means: Means, shapes: dict[str, Schema]) -> Schema:
    if hint in _SCALARS:
        return dict(_SCALARS[hint])
    if hint is datetime:
        return {"type": "string", "format": "date-time"} if means.unit == UTC else dict(LOCAL_TIME)
    if get_origin(hint) is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    if get_origin(hint) is tuple and get_args(hint)[1:] == (Ellipsis,):
        return {"type": "array", "items": _value_schema(get_args(hint)[0], means, shapes)}
    if isinstance(hint, UnionType) and NoneType in get_args(hint) and len(get_args(hint)) == 2:
        one = next(one for one in get_args(hint) if one is not NoneType)
        return _nullable(_value_schema(one, means, shapes))
    if is_dataclass(hint) and isinstance(hint, type):
        shapes[hint.__name__] = _object_schema(hint, shapes)
        return {"$ref": f"#/$defs/{hint.__name__}"}
    raise ValueError(f"no schema of {hint}: say in infra/contracts how such a field is written")


def _nullable(schema: Schema) -> Schema:
    if "$ref" in schema:
        raise ValueError("no schema of a shape that may be null: say in infra/contracts how that is written")
    nullable = {**schema, "type": [schema["type"], "null"]}
    if "enum" in schema:
        nullable["enum"] = [*schema["enum"], None]
    return nullable
