"""The reference for consumers, as Markdown: topics, headers, and every event with its fields."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.contracts.asyncapi import PREFIX, description_of
from replayhouse.infra.contracts.headers import NAME as HEADERS
from replayhouse.infra.contracts.schemas import Schema
from replayhouse.infra.publishing.names import events_topic

_WORDS = {
    "uuid": "UUID",
    "date": "date",
    "date-time": "time, UTC",
    "date-time-local": "time, local",
    "decimal": 'text, `"29.90"`',
}
_KINDS = {"string": "text", "integer": "integer", "number": "number", "boolean": "boolean"}

_INTRODUCTION = """# Reference for consumers

Every topic, header, event type and field of what goes out on Kafka. Made by `make contracts`; how to work with it, and
what is promised, is told by the [guide](consuming.md).

## Topics

Names begin with the prefix of the warehouse, `REPLAYHOUSE_KAFKA_PREFIX`; here it is the default.
`contracts/asyncapi.json` is the same for machines.
"""
_HEADERS = """
## Headers

`contracts/headers.json` is their schema. Values are text in UTF-8.
"""
_EVENTS = """
## Events

Every event type and version with its fields. `contracts/<context>/<Event>.v<N>.json` is the same as JSON Schema
(2020-12). *or null* is said where it may be; a field is always there unless the table says that it may be missing. The
guide says [how values are written](consuming.md#messages) and what [*sealed*](consuming.md#personal-data-and-erasure)
means. Numbers like R21 lead to the [rules](rules-and-tests.md) by which facts are derived.
"""


def reference_page(contracts: Mapping[str, Schema]) -> str:
    """The whole page; `contracts` are the schemas of the events by name, and that of the headers."""
    lines = (_INTRODUCTION, *_topics(contracts), _HEADERS, *_headers(contracts[HEADERS]), _EVENTS, *_events(contracts))
    return "".join(f"{line}\n" for line in lines)


def _topics(contracts: Mapping[str, Schema]) -> Iterator[str]:
    yield "| topic | what it tells, and its streams | types |"
    yield "|---|---|---|"
    for context in CONTEXTS:
        types = sum(name.startswith(f"{context}.") for name in contracts)
        description = description_of(context).partition("\n\n")[0]
        yield f"| `{events_topic(PREFIX, context)}` | {_cell(description)} | [{types}](#{context}) |"


def _headers(schema: Schema) -> Iterator[str]:
    yield "| header | what it says | example |"
    yield "|---|---|---|"
    for name, header in schema["properties"].items():
        yield f"| `{name}` | {_cell(header['description'])} | `{header['examples'][0]}` |"


def _events(contracts: Mapping[str, Schema]) -> Iterator[str]:
    events = {name: schema for name, schema in contracts.items() if name != HEADERS}
    kinds = Counter(name.partition(".")[2] for name in events)
    everywhere = {kind for kind, count in kinds.items() if count == len(CONTEXTS)}
    yield "### Every context"
    for kind in sorted(everywhere):
        names = ", ".join(f"`{context}.{kind}`" for context in CONTEXTS)
        yield from _event(kind.partition(".")[0], names, events[f"{CONTEXTS[0]}.{kind}"])
    for context in CONTEXTS:
        yield ""
        yield f"### {context}"
        yield ""
        yield description_of(context)
        for name, schema in events.items():
            if name.startswith(f"{context}.") and name.partition(".")[2] not in everywhere:
                yield from _event(_title(name, events), f"`{name}`", schema)


def _title(name: str, events: Mapping[str, Schema]) -> str:
    """The name without its version, which only an older one has."""
    event, _, version = name.rpartition(".v")
    plain = event.partition(".")[2]
    return f"{plain}, version {version}" if f"{event}.v{int(version) + 1}" in events else plain


def _event(title: str, names: str, schema: Schema) -> Iterator[str]:
    yield ""
    yield f"#### {title}"
    yield ""
    survives = " It survives a rewind." if schema["x-survives-rewind"] else ""
    subject = {"stream": " Sealed under the key of its stream.", None: ""}.get(
        schema.get("x-subject"), f" Sealed under the key of `{schema.get('x-subject')}`."
    )
    yield f"{names}: {schema['description']}{survives}{subject}"
    yield ""
    yield "| field | type | unit | meaning |"
    yield "|---|---|---|---|"
    for path, field, required in _fields(schema, schema, ""):
        optional = "" if required else ", may be missing"
        yield f"| `{path}` | {type_of(field)}{optional} | {_unit(field)} | {_cell(field['description'])} |"


def _fields(schema: Schema, root: Schema, within: str) -> Iterator[tuple[str, Schema, bool]]:
    """Path, schema and whether it is always there, of each field and of those inside it."""
    for name, field in schema["properties"].items():
        path = f"{within}{name}"
        yield path, field, name in schema["required"]
        items = field.get("items", {})
        for part, step in ((field, "."), (items, "[].")):
            if "$ref" in part:
                yield from _fields(root["$defs"][part["$ref"].removeprefix("#/$defs/")], root, f"{path}{step}")


def type_of(field: Schema) -> str:
    """The type of a field in words."""
    if "$ref" in field:
        return "object"
    types: list[Any] = [field["type"]] if isinstance(field["type"], str) else field["type"]
    if types[0] == "array":
        items = field["items"]
        return "list" if "$ref" in items else f"list of {type_of(items)}"
    if field.get("x-personal"):
        one = "sealed text"
    elif "enum" in field:
        one = ", ".join(f"`{value}`" for value in field["enum"] if value is not None)
    else:
        one = _WORDS[field["format"]] if "format" in field else _KINDS[types[0]]
    return f"{one} or null" if "null" in types else one


def _unit(field: Schema) -> str:
    """The unit; that of a time stands with its type."""
    unit: str = field.get("x-unit", "")
    return "" if field.get("format") == "date-time" else unit


def _cell(text: str) -> str:
    return text.replace("\n\n", " ").replace("|", "\\|")
