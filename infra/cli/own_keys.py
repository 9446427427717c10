"""`--key`: what commands that take an id take in its place, the key that a thing has in its source."""

import sys
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from replayhouse.infra.runtime.errors import UsageError

if TYPE_CHECKING:
    from replayhouse.infra.application.api.warehouse import Warehouse

FROM_INPUT = "-"

Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        metavar="KEY",
        help="In place of the id: the key in the source, such as an order's number; - reads it from standard input.",
    ),
]
KeySource = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="With --key: whose key it is, where several have it.")
]
IdKind = Annotated[
    str | None,
    typer.Option(
        "--id-kind", metavar="WORD", help="With --key: the kind in the mapping's id(kind, key), if not the usual one."
    ),
]


class OwnKey(NamedTuple):
    """What was given of a key: itself, its source, and the kind that makes an id of it."""

    key: str | None
    source: str | None = None
    id_kind: str | None = None

    def refuse_without_key(self) -> None:
        """Raises UsageError where what goes with a key is given without one."""
        if self.key is None and (self.source is not None or self.id_kind is not None):
            raise UsageError("--source and --id-kind go with --key: they say whose key it is.")


def id_given(warehouse: "Warehouse", kind: str, given: str | None, own: OwnKey) -> str:
    """The id that a command was given, or that of the thing with the key. Raises UsageError where it is not one."""
    own.refuse_without_key()
    if (given is None) == (own.key is None):
        raise UsageError("Name one thing: by its id, or by --key with the key that it has in its source.")
    if own.key is None:
        assert given is not None  # one of the two is there
        return given
    return str(warehouse.id_of(kind, key_given(own.key), source=own.source, id_kind=own.id_kind))


def key_given(key: str) -> str:
    """The key; of `-` the first line of standard input, so that it stands on no command line."""
    if key != FROM_INPUT:
        return key
    line = sys.stdin.readline() if sys.stdin is not None else ""
    if not line.strip():
        raise UsageError("--key - takes the key from standard input, and no line stands there.")
    return line.removesuffix("\n").removesuffix("\r")
