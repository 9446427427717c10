"""Any event that a class of the domain allows, drawn by hypothesis: what the log and its contracts must take."""

from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

import pytest
from hypothesis import strategies as st

from replayhouse.infra.event_store.serialization.registry import REGISTRY

PRIMITIVES: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(),
    bool: st.booleans(),
    NoneType: st.none(),
    UUID: st.uuids(),
    date: st.dates(),
    datetime: st.datetimes().map(lambda time: time.replace(fold=0)),  # the second of two equal hours is a zone's matter
    Decimal: st.integers(-(10**12), 10**12).map(lambda cents: Decimal(cents).scaleb(-2)),
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Anything that a field of that type may hold: amounts in cents, times without zone."""
    if hint in PRIMITIVES:
        return PRIMITIVES[hint]
    if is_dataclass(hint):
        hints = get_type_hints(hint)
        return st.builds(cast(type[Any], hint), **{field.name: values_of(hints[field.name]) for field in fields(hint)})
    if get_origin(hint) is Literal:
        return st.sampled_from(get_args(hint))
    if get_origin(hint) in (Union, UnionType):
        return st.one_of([values_of(each) for each in get_args(hint)])
    if get_origin(hint) is tuple and get_args(hint)[1:] == (Ellipsis,):
        return st.lists(values_of(get_args(hint)[0]), max_size=4).map(tuple)
    raise AssertionError(f"no values for {hint}: say here what such a field may hold")


every_event_class = pytest.mark.parametrize(
    ("context", "event_type"), [pytest.param(*key, id=topic) for key, topic in REGISTRY.topics.items()]
)
