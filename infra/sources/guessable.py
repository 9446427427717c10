"""Which ids of a mapping could be guessed: hashes of personal columns, however they are called on the way there.

An id that is made of an address is found by hashing addresses, whatever was erased. What a name stands for is told by
names alone: one that is given to something personal anywhere in a query counts as personal all over it.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from replayhouse.infra.sources.names import plain_name

Node = dict[str, Any]

HASHES = frozenset(
    {"hash", "id", "md5", "md5_number", "md5_number_lower", "md5_number_upper", "sha1", "sha256", "sha512"}
)
"""Functions whose results tell of what they are made to whoever guesses it."""


KEYED = "person_id"
"""What this makes of something personal tells nothing of it to whoever does not have the secret."""


def guessable(nodes: Collection[Node], personal: Mapping[str, str]) -> str | None:
    """What is wrong with the first hash of something personal, as the rest of a sentence; None where there is none.

    `nodes` are all of the parsed query; `personal` are columns by their plain names.
    """
    if not personal:
        return None
    tainted = set(personal)
    while found := {name for node in nodes for name in _names_of(node, tainted)} - tainted:
        tainted |= found
    for node in nodes:
        function = str(node.get("function_name") or "").lower()
        if function not in HASHES:
            continue
        for part in _within(node["arguments"]):
            if (name := _personal_in(part, tainted)) is not None:
                told = (
                    f"the personal column {personal[name]!r}" if name in personal else f"{name!r}, which is personal,"
                )
                what = "an id" if function == "id" else f"{function}()"
                return f"makes {what} of {told} that could be guessed: write person_id(...) for {function}"
    return None


def _names_of(node: Node, tainted: Collection[str]) -> Iterator[str]:
    """Names that this part of a query gives to something personal."""

    def is_personal(part: Any) -> bool:
        return any(_personal_in(one, tainted) is not None for one in _within(part))

    if "class" in node and node.get("alias") and is_personal(node):
        yield plain_name(node["alias"])
    for names in (node.get("aliases"), node.get("column_name_alias")):
        if names and is_personal(node):
            yield from map(plain_name, names)
    if node.get("type") == "SET_OPERATION_NODE":
        lists = [list(_selected(child)) for child in node["children"]]
        for items in zip_longest(*lists):  # what stands at one place has the name of the first
            if any(item is not None and is_personal(item) for item in items):
                yield from (name for item in items if item is not None for name in _name(item))


def _selected(node: Node) -> Iterator[Node]:
    """What a SELECT, or the first of several, gives."""
    yield from node.get("select_list", ())
    for child in node["children"] if node["type"] == "SET_OPERATION_NODE" else ():
        yield from _selected(child)


def _name(item: Node) -> Iterator[str]:
    if item.get("alias"):
        yield plain_name(item["alias"])
    elif item.get("type") == "COLUMN_REF":
        yield plain_name(item["column_names"][-1])


def _personal_in(part: Node, tainted: Collection[str]) -> str | None:
    """The name by which this is a personal column, or a field of one; DuckDB calls what has no name by its text."""
    if part.get("type") != "COLUMN_REF":
        return None
    for name in map(plain_name, part["column_names"]):
        if name in tainted:
            return name
        if "(" in name and (within := next((one for one in tainted if one in name), None)) is not None:
            return within
    return None


def _within(value: Any) -> Iterator[Node]:
    """All parts of a query that are within one, but for what an id of a person is made of."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting += found
        elif isinstance(found, dict) and str(found.get("function_name") or "").lower() != KEYED:
            yield found
            waiting += found.values()
