"""What tests ask of JSON schemas beyond validity."""

from typing import Any

from replayhouse.infra.contracts.schemas import Schema


def undeclared(schema: Schema, value: Any) -> list[str]:
    """Fields of a value that its schema, resolved, does not have, however deep."""
    if isinstance(value, list):
        return [name for each in value for name in undeclared(schema["items"], each)]
    if not isinstance(value, dict):
        return []
    known = schema["properties"]
    inner = [f"{name}.{each}" for name in value if name in known for each in undeclared(known[name], value[name])]
    return [*(name for name in value if name not in known), *inner]
