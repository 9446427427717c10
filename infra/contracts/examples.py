"""Examples of events: made up, the same each time, and valid; from the examples that fields bring, else by type."""

from binascii import b2a_base64
from typing import Any

from replayhouse.domain.kernel.ids import natural_id

_BY_FORMAT = {
    "date": "2018-03-31",
    "date-time": "2026-03-02T10:20:30.405060Z",
    "date-time-local": "2017-10-02T10:56:33",
    "decimal": "29.90",
}
_BY_TYPE: dict[str, Any] = {"integer": 1, "number": 1.5, "boolean": True}

SEALED_EXAMPLE = b2a_base64(bytes(range(33)), newline=False).decode()
"""What five bytes of a text may look like: it opens under no key."""


def example_of(schema: dict[str, Any], root: dict[str, Any], name: str = "") -> Any:
    """A value that keeps `schema`, whose references lead into `root`; `name` is that of its field."""
    if "$ref" in schema:
        return example_of(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], root, name)
    if "examples" in schema:
        return schema["examples"][0]
    if "default" in schema:
        return schema["default"]
    kind = schema["type"] if isinstance(schema["type"], str) else schema["type"][0]
    if kind == "object":
        return {field: example_of(part, root, field) for field, part in schema["properties"].items()}
    if kind == "array":
        return [example_of(schema["items"], root, name)]
    if kind != "string":
        return _BY_TYPE[kind]
    if schema.get("x-personal"):
        return SEALED_EXAMPLE
    if schema.get("format") == "uuid":
        return str(natural_id("example", name))
    if "enum" in schema:
        return schema["enum"][0]
    return _BY_FORMAT[schema["format"]]
