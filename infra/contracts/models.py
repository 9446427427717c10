"""The typed models of the consumer kit, as Python source: one class for each event type and version."""

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from replayhouse.infra.contracts.schemas import Schema

WIDTH = 120

_HEAD = '''"""The events by type and version, as the contracts have them. Made by `make contracts`."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from replayhouse_consumer.event import Event, Sealed


class Part(BaseModel):
    """Something that an event has one or several of."""

    model_config = ConfigDict(frozen=True, extra="ignore")
'''

_BY_FORMAT = {
    "uuid": "UUID",
    "date": "date",
    "date-time": "datetime",
    "date-time-local": "datetime",
    "decimal": "Decimal",
}
_BY_TYPE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}

Classes = dict[str, tuple[str, Schema]]
"""Of each part's name: the name of its class, and its schema."""


def source_of_models(contracts: Mapping[str, Schema]) -> str:
    """The module `events.py`: parts, events in the order of `contracts`, and the events by their type.

    An event of several contexts (Rewound) has one class for all, and one below it for each of them.
    """
    everywhere = {kind for kind, count in Counter(name.partition(".")[2] for name in contracts).items() if count > 1}
    blocks, parts = [_HEAD], _Parts()
    classes: dict[str, str] = {}
    bodies: dict[str, list[str]] = {}
    for name, schema in contracts.items():
        context, _, kind = name.partition(".")
        class_name = kind.replace(".v", "V")
        parts_of_event = parts.classes_of(class_name, schema)
        blocks += parts.new
        parent = "Event"
        body = [*_class_variables(name, context, schema), *_fields_of(schema, parts_of_event)]
        if kind in everywhere:
            common = list(_fields_of(schema, parts_of_event))
            if kind not in bodies:
                blocks.append(_class(class_name, "Event", schema["description"], common))
                bodies[kind] = common
            if bodies[kind] != common:
                raise ValueError(f"{kind} has another shape in {context} than elsewhere: it needs another name there")
            parent, class_name = class_name, context.capitalize() + class_name
            body = list(_class_variables(name, context, schema))
        classes[name] = class_name
        blocks.append(_class(class_name, parent, schema["description"], body))
    table = "".join(f'    "{name}": {class_name},\n' for name, class_name in classes.items())
    blocks.append(f'EVENTS: dict[str, type[Event]] = {{\n{table}}}\n"""The class of each event type and version."""\n')
    return "\n\n".join(blocks)


class _Parts:
    """The classes of what events consist of: one for each shape, whatever events have it."""

    def __init__(self) -> None:
        self._known: dict[str, Schema] = {}
        self.new: list[str] = []

    def classes_of(self, event: str, schema: Schema) -> dict[str, str]:
        """The class of each part of an event; what had to be written for that is `new`.

        A part that looks otherwise than in an event before it (an older version, usually) is named after its event.
        """
        self.new = []
        names: dict[str, str] = {}
        for part, shape in _innermost_first(schema):
            name = part if self._known.get(part, shape) == shape else event + part
            if name not in self._known:
                self._known[name] = shape
                self.new.append(_class(name, "Part", shape["description"], list(_fields_of(shape, names))))
            names[part] = name
        return names


def _innermost_first(schema: Schema) -> list[tuple[str, Schema]]:
    shapes: Mapping[str, Schema] = schema.get("$defs", {})
    found: dict[str, Schema] = {}

    def visit(name: str) -> None:
        for inner in shapes:
            if inner != name and f'"#/$defs/{inner}"' in json.dumps(shapes[name]):
                visit(inner)
        found.setdefault(name, shapes[name])

    for name in shapes:
        visit(name)
    return list(found.items())


def _class(name: str, parent: str, description: str, body: list[str]) -> str:
    lines = [f"class {name}({parent}):", *_docstring(description), "", *body]
    return "\n".join(lines).rstrip() + "\n"


def _docstring(text: str) -> Iterator[str]:
    """In one line where it fits; else the first sentence stands by itself as far as that is possible."""
    text = text.replace("\\", "\\\\")
    if "\n" not in text and len(text) <= WIDTH - 10:
        yield f'    """{text}"""'
        return
    lines = []
    for paragraph in text.split("\n\n"):
        lines += [*textwrap.wrap(paragraph, WIDTH - 10), ""]
    yield f'    """{lines[0]}'
    yield from (f"    {line}".rstrip() for line in lines[1:-1])
    yield '    """'


def _class_variables(name: str, context: str, schema: Schema) -> Iterator[str]:
    yield f'    type: ClassVar[str] = "{name}"'
    yield f'    context: ClassVar[str] = "{context}"'
    yield f"    survives_rewind: ClassVar[bool] = {schema['x-survives-rewind']}"
    yield ""


def _fields_of(schema: Schema, parts: Mapping[str, str]) -> Iterator[str]:
    """Each field with what it means below it, where editors look for it."""
    for name, field in schema["properties"].items():
        default = "" if name in schema["required"] else f" = {field['default']!r}"
        yield f"    {name}: {_annotation(field, parts)}{default}"
        yield from _docstring(meaning_of(field))


def meaning_of(field: Schema) -> str:
    """What a field means, with its unit."""
    unit = f" ({field['x-unit']})" if "x-unit" in field else ""
    return f"{field['description']}{unit}"


def _annotation(field: Schema, parts: Mapping[str, str]) -> str:
    if "$ref" in field:
        return parts[field["$ref"].removeprefix("#/$defs/")]
    types: list[str] = [field["type"]] if isinstance(field["type"], str) else field["type"]
    one = _scalar(field, types[0], parts)
    return f"{one} | None" if "null" in types else one


def _scalar(field: Schema, kind: str, parts: Mapping[str, str]) -> str:
    if kind == "array":
        return f"tuple[{_annotation(field['items'], parts)}, ...]"
    if field.get("x-personal"):
        return "Sealed"
    if "enum" in field:
        values: list[Any] = [one for one in field["enum"] if one is not None]
        return f"Literal[{', '.join(json.dumps(one) for one in values)}]"
    return _BY_FORMAT[field["format"]] if "format" in field else _BY_TYPE[kind]
