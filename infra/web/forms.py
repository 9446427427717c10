"""Forms that pages send: their fields, read without a library for files, which no page sends."""

from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from replayhouse.infra.runtime.errors import UsageError

_MOST_BYTES, _MOST_FIELDS = 16_384, 50


async def _fields(request: Request) -> dict[str, str]:
    body = b""
    async for some in request.stream():
        body += some
        if len(body) > _MOST_BYTES:
            raise UsageError("The form is larger than any page sends.")
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise UsageError("The form cannot be read.") from error
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise UsageError("The form has a field twice, so that nobody can tell which is meant.")
    return fields


Fields = Annotated[dict[str, str], Depends(_fields)]
"""A parameter of a view: the fields of the form that was sent."""


def place_on_this_site(address: str, otherwise: str) -> str:
    """An address that a form names, where it is one of this site; a form can be made up."""
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address if is_ours else otherwise
