"""Manifests: the file that says what a folder holds. It is put in place last, and what it does not name does not count.

Each kind has a format, which ends in the number of its version; they are written and read alike.
"""

import re
from typing import NamedTuple, TypeVar

import msgspec

from replayhouse.infra.runtime.errors import InputError

MANIFEST = "manifest.json"

_SHOWN = 60
_REFUSED = (msgspec.ValidationError, msgspec.DecodeError, KeyError, TypeError, UnicodeError, RecursionError)

Model = TypeVar("Model")


class Kind(NamedTuple):
    """What a manifest is of, in words; its format; how a newer one came to be, and what helps where it is damaged."""

    of: str
    format: str
    newer: str
    remedy: str


def rendered(manifest: object) -> bytes:
    """The bytes of the file: JSON in UTF-8, indented by two blanks, a line feed at the end."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decoded(data: bytes, where: object, kind: Kind, model: type[Model]) -> Model:
    """The manifest in the bytes of a file, found at `where`. Raises InputError: none of its kind, newer, or damaged."""
    try:
        told = msgspec.json.decode(data)
        found = str(told["format"])
        if found != kind.format:
            raise InputError(_another_format(found, where, kind))
        return msgspec.convert(told, model)
    except _REFUSED as error:
        why = f" ({error})" if isinstance(error, msgspec.ValidationError) else ""
        raise InputError(
            f"{where} is not the manifest of {kind.of}, or was cut off or changed{why}. {kind.remedy}"
        ) from error


def _another_format(found: str, where: object, kind: Kind) -> str:
    of_the_kind = rf"{re.escape(kind.format.rpartition(' ')[0])} \d+"
    if re.fullmatch(of_the_kind, found):
        return (
            f"{where} is of the format '{found}', and this program reads '{kind.format}': {kind.newer}. Update this "
            "one."
        )
    return f"{where} is not the manifest of {kind.of}: its format is {found[:_SHOWN]!r}."


def format_of(data: bytes) -> str | None:
    """What a manifest says that it is; None where it says nothing of the sort."""
    try:
        found = msgspec.json.decode(data)["format"]
    except _REFUSED:
        return None
    return found if isinstance(found, str) else None
