"""Whether two revisions of a schema can stand in for each other: FULL compatibility, for the schemas that we make.

Readers of either revision must be able to read what was written under the other. Events are written closed, with the
fields of their schema and no others, and read open: whoever reads passes over fields that they do not know. That is
what makes a new optional field harmless both ways; under JSON Schema's own rules no change of an open object would be.
Keywords that this module does not know are refused, not waved through.
"""

from typing import Any, NamedTuple

Schema = dict[str, Any]

WORDS = frozenset({"$schema", "$id", "title", "description", "examples", "deprecated"})
"""What people read: may change at will."""

MEANING = frozenset({"default", "x-unit", "x-personal", "x-subject", "x-survives-rewind"})
"""What a value stands for: nobody would notice the change who goes by the old one."""

_WRITTEN = frozenset({"format", "pattern", "minLength", "contentEncoding"})
_STRUCTURE = frozenset({"type", "enum", "properties", "required", "items"})


class Break(NamedTuple):
    """What one side of a revision could not cope with: the path of the field, empty for the whole, and why."""

    field: str
    why: str


def breaks(old: Schema, new: Schema) -> list[Break]:
    """What forbids `new` as a further revision of `old`; nothing if each can read the other."""
    before, after = resolved(old), resolved(new)
    found = [
        *(Break(at, f"{why}: events recorded before do not fit") for at, why in unread(after, before)),
        *(Break(at, f"{why}: consumers of the published revision cannot read it") for at, why in unread(before, after)),
        *_changed_meanings(before, after),
    ]
    return sorted(set(found))


def resolved(schema: Schema) -> Schema:
    """The schema with its references, which lead into its own `$defs`, replaced by what they lead to."""
    shapes = schema.get("$defs", {})

    def inlined(part: Any) -> Any:
        if isinstance(part, list):
            return [inlined(each) for each in part]
        if not isinstance(part, dict):
            return part
        own = {key: inlined(each) for key, each in part.items() if key not in ("$ref", "$defs")}
        if "$ref" in part:
            return inlined(shapes[part["$ref"].removeprefix("#/$defs/")]) | own
        return own

    whole: Schema = inlined(schema)
    return whole


def unread(reader: Schema, written: Schema, at: str = "") -> list[Break]:
    """Why values that keep `written` need not keep `reader`; nothing if all of them do. Both resolved."""
    found = [
        Break(at, f"the gate does not know what `{keyword}` does")
        for keyword in sorted({*reader, *written} - WORDS - MEANING - _WRITTEN - _STRUCTURE)
    ]
    if surplus := _types(written) - _types(reader):
        return [*found, Break(at, f"it may be {_listed(surplus)} where only {_listed(_types(reader))} is read")]
    found += [
        Break(at, f"`{keyword}` differs")
        for keyword in sorted(_WRITTEN & set(reader))
        if written.get(keyword) != reader[keyword]
    ]
    if "enum" in reader:
        values = reader["enum"]
        others = [one for one in written.get("enum", ["any other value"]) if one not in values]
        found += [Break(at, f"{_listed(others)} is not among {_listed(values)}")] if others else []
    if "items" in reader:
        found += unread(reader["items"], written.get("items", {}), f"{at}[]")
    return found + _unread_fields(reader, written, at)


def _unread_fields(reader: Schema, written: Schema, at: str) -> list[Break]:
    promised = set(written.get("required", ()))
    found = [
        Break(_within(at, name), "a field that is always there on one side may be missing on the other")
        for name in sorted(set(reader.get("required", ())) - promised)
    ]
    theirs = written.get("properties", {})
    for name, part in reader.get("properties", {}).items():
        if name in theirs:
            found += unread(part, theirs[name], _within(at, name))
    return found


def _changed_meanings(old: Schema, new: Schema, at: str = "") -> list[Break]:
    """What no validator sees: another meaning, or a field that is gone although recorded events go on having it."""
    found = [
        Break(at, f"`{keyword}` was {old.get(keyword)!r} and is {new.get(keyword)!r}: nobody would notice")
        for keyword in sorted(MEANING)
        if (keyword in old) != (keyword in new) or old.get(keyword) != new.get(keyword)
    ]
    if "items" in old and "items" in new:
        found += _changed_meanings(old["items"], new["items"], f"{at}[]")
    for name, part in old.get("properties", {}).items():
        if name in new.get("properties", {}):
            found += _changed_meanings(part, new["properties"][name], _within(at, name))
        else:
            found.append(Break(_within(at, name), "the field is gone, and events recorded before go on having it"))
    return found


def _types(schema: Schema) -> set[str]:
    """The types that a value may have; a whole number is a number too. Without a type it may be anything."""
    told = schema.get("type", ["array", "boolean", "integer", "null", "number", "object", "string"])
    types = {told} if isinstance(told, str) else set(told)
    return types | {"integer"} if "number" in types else types


def _within(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def _listed(things: Any) -> str:
    return ", ".join(sorted(map(str, things)))
