"""Which change of a contract its readers can bear: those of today what was written before, those of before what is
written today."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from replayhouse.infra.contracts.compatibility import Break, breaks, resolved, unread
from replayhouse.infra.contracts.schemas import Schema, current_schemas

LINE: Schema = {
    "type": "object",
    "description": "a line",
    "properties": {"price": {"type": "string", "format": "decimal", "x-unit": "BRL"}},
    "required": ["price"],
}
ORDER: Schema = {
    "title": "OrderPlaced",
    "description": "an order",
    "type": "object",
    "properties": {
        "id": {"type": "string", "format": "uuid", "description": "the order"},
        "status": {"type": "string", "enum": ["created", "approved"]},
        "note": {"type": ["string", "null"], "default": None},
        "city": {"type": ["string", "null"], "pattern": "^[A-Z]*$", "x-personal": True},
        "count": {"type": "integer"},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
    },
    "required": ["id", "status", "city", "count", "lines"],
    "x-subject": "id",
    "x-survives-rewind": False,
    "$defs": {"Line": LINE},
}

Change = Callable[[Any], Any]


def changed(change: Change) -> Schema:
    schema = copy.deepcopy(ORDER)
    change(schema)
    return schema


def add(name: str, schema: Schema, *, required: bool) -> Change:
    def change(order: Schema) -> None:
        order["properties"][name] = schema
        order["required"] += [name] if required else []

    return change


def remove(name: str) -> Change:
    def change(order: Schema) -> None:
        del order["properties"][name]
        order["required"] = [one for one in order["required"] if one != name]

    return change


def of_field(name: str, **keywords: Any) -> Change:
    return lambda order: order["properties"][name].update(keywords)


def of_line(**keywords: Any) -> Change:
    return lambda order: order["$defs"]["Line"]["properties"]["price"].update(keywords)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda order: None, id="nothing"),
        pytest.param(lambda order: order.update(description="x", title="y", examples=[1]), id="words"),
        pytest.param(of_field("id", description="its id", examples=["x"], deprecated=True), id="words of a field"),
        pytest.param(of_line(description="what it costs"), id="words of a part"),
        pytest.param(add("gift", {"type": "boolean", "default": False}, required=False), id="an optional field"),
        pytest.param(lambda order: order["properties"].update(reversed(order["properties"].items())), id="the order"),
    ],
)
def test_readers_bear_a_change_of(change: Change) -> None:
    assert breaks(ORDER, changed(change)) == []
    assert breaks(changed(change), changed(change)) == []


@pytest.mark.parametrize(
    ("change", "field", "why"),
    [
        pytest.param(add("gift", {"type": "boolean"}, required=True), "gift", "recorded before", id="required field"),
        pytest.param(remove("status"), "status", "gone", id="a field that goes"),
        pytest.param(remove("note"), "note", "gone", id="an optional field that goes"),
        pytest.param(lambda order: order["required"].remove("id"), "id", "may be missing", id="no longer required"),
        pytest.param(
            lambda order: order["required"].append("note"), "note", "may be missing", id="required from now on"
        ),
        pytest.param(of_field("id", type="integer"), "id", "may be integer", id="another type"),
        pytest.param(of_field("count", type="number"), "count", "may be number", id="fractions from now on"),
        pytest.param(of_field("id", type=["string", "null"]), "id", "may be null", id="null from now on"),
        pytest.param(of_field("note", type="string"), "note", "may be null", id="no null from now on"),
        pytest.param(of_field("id", format="uri"), "id", "`format`", id="another format"),
        pytest.param(lambda order: order["properties"]["id"].pop("format"), "id", "`format`", id="no format"),
        pytest.param(of_field("status", format="word"), "status", "`format`", id="a format"),
        pytest.param(of_field("city", pattern="^[a-z]*$"), "city", "`pattern`", id="another pattern"),
        pytest.param(of_field("city", minLength=3), "city", "`minLength`", id="a shortest length"),
        pytest.param(of_field("city", contentEncoding="base64"), "city", "`contentEncoding`", id="an encoding"),
        pytest.param(of_field("status", enum=["created"]), "status", "approved", id="a value that goes"),
        pytest.param(of_field("status", enum=["created", "approved", "x"]), "status", "x is not", id="a value more"),
        pytest.param(lambda order: order["properties"]["status"].pop("enum"), "status", "any other", id="any value"),
        pytest.param(of_field("lines", items={"type": "string"}), "lines[]", "may be", id="another element"),
        pytest.param(of_line(type="number"), "lines[].price", "may be", id="a part's field"),
        pytest.param(of_line(**{"x-unit": "USD"}), "lines[].price", "`x-unit`", id="another unit"),
        pytest.param(of_field("note", default="none"), "note", "`default`", id="another default"),
        pytest.param(of_field("note", **{"x-personal": True}), "note", "`x-personal`", id="personal from now on"),
        pytest.param(lambda order: order.update({"x-subject": "city"}), "", "`x-subject`", id="another subject"),
        pytest.param(
            lambda order: order.update({"x-survives-rewind": True}), "", "`x-survives-rewind`", id="what survives"
        ),
        pytest.param(of_field("id", maxLength=3), "id", "does not know what `maxLength`", id="what nobody knows"),
    ],
)
def test_readers_do_not_bear_a_change_of(change: Change, field: str, why: str) -> None:
    found = breaks(ORDER, changed(change))
    assert field in {one.field for one in found}
    assert why in " ".join(one.why for one in found if one.field == field)
    assert all(one.field.startswith(field) for one in found), "nothing else is at fault"


def test_each_direction_is_told_apart() -> None:
    wider = changed(of_field("id", type=["string", "null"]))
    narrow, wide = resolved(ORDER), resolved(wider)
    assert unread(wide, narrow) == [], "readers of today know a null that was never written"
    assert unread(narrow, wide) == [Break("id", "it may be null where only string is read")]
    assert [one.why.rpartition(": ")[2] for one in breaks(ORDER, wider)] == [
        "consumers of the published revision cannot read it"
    ]
    assert [one.why.rpartition(": ")[2] for one in breaks(wider, ORDER)] == ["events recorded before do not fit"]


def test_every_contract_that_we_make_is_one_that_the_gate_understands() -> None:
    for schema in current_schemas().values():
        assert breaks(schema, schema) == []
        assert "$ref" not in str(resolved(schema))


# --- what the rules promise, with any schemas and any values ------------------------------------------------------

SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": st.sampled_from(["", "A", "b", "created"]),
    "integer": st.integers(-3, 3),
    "number": st.sampled_from([0.5, -1.5]),
    "boolean": st.booleans(),
    "null": st.none(),
}


def _types(draw: st.DrawFn) -> Any:
    types = draw(st.lists(st.sampled_from(sorted(SCALARS)), min_size=1, max_size=2, unique=True))
    return types[0] if len(types) == 1 else types


@st.composite
def scalars(draw: st.DrawFn) -> Schema:
    schema: Schema = {"type": _types(draw)}
    if draw(st.booleans()) and schema["type"] == "string":
        schema |= draw(
            st.sampled_from([{"pattern": "^[A-Z]*$"}, {"minLength": 1}, {"enum": ["A"]}, {"enum": ["A", "b"]}])
        )
    return schema


@st.composite
def objects(draw: st.DrawFn, parts: st.SearchStrategy[Schema]) -> Schema:
    properties = draw(st.dictionaries(st.sampled_from("abc"), parts, max_size=3))
    required = [name for name in properties if draw(st.booleans())]
    return {"type": "object", "properties": properties, "required": required}


def arrays(parts: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    return parts.map(lambda items: {"type": "array", "items": items})


PARTS = st.recursive(scalars(), lambda parts: objects(parts) | arrays(parts), max_leaves=4)


def written_under(schema: Schema) -> st.SearchStrategy[Any]:
    """Any value that is valid, with declared fields only."""
    if schema["type"] == "object":
        fields = {name: written_under(part) for name, part in schema["properties"].items()}
        needed = {name: fields[name] for name in schema["required"]}
        return st.fixed_dictionaries(needed, optional={n: f for n, f in fields.items() if n not in needed})
    if schema["type"] == "array":
        return st.lists(written_under(schema["items"]), max_size=2)
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    return st.one_of([SCALARS[kind] for kind in types]).filter(Draft202012Validator(schema).is_valid)


@settings(deadline=None, max_examples=60)
@given(data=st.data(), reader=objects(PARTS), written=objects(PARTS))
def test_what_the_rules_let_pass_every_reader_can_read(data: st.DataObject, reader: Schema, written: Schema) -> None:
    for one, other in ((reader, written), (written, reader)):
        if not unread(one, other):
            value = data.draw(written_under(other))
            assert Draft202012Validator(one).is_valid(value)
    assert unread(reader, reader) == []


MUTATIONS = st.sampled_from(
    [
        {"type": "string"},
        {"type": ["string", "null"]},
        {"type": "number"},
        {"enum": ["A"]},
        {"minLength": 1},
        {"pattern": "^[A-Z]*$"},
    ]
)


@settings(deadline=None, max_examples=80)
@given(data=st.data(), old=objects(PARTS))
def test_a_revision_that_differs_by_one_field_is_read_both_ways_or_refused(data: st.DataObject, old: Schema) -> None:
    """Closer to what happens than two schemas that have nothing to do with each other."""
    new = copy.deepcopy(old)
    name = data.draw(st.sampled_from("abcd"))
    if name in new["properties"] and data.draw(st.booleans()):
        new["properties"][name] |= data.draw(MUTATIONS)
    else:
        new["properties"].setdefault(name, {"type": "string"})
    if data.draw(st.booleans()):
        new["required"] = sorted({*new["required"], name})
    if not breaks(old, new):
        for reader, written in ((old, new), (new, old)):
            assert Draft202012Validator(reader).is_valid(data.draw(written_under(written)))
