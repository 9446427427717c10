"""What API documents are made of: JSON as the command line writes it, and models that describe it."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from starlette.responses import Response


class Fault(BaseModel):
    """What is wrong, in the words of the command line."""

    error: str


FAULTS: dict[int | str, dict[str, Any]] = {
    400: {"model": Fault, "description": "What was asked makes no sense"},
    404: {"model": Fault, "description": "There is no such thing"},
    409: {"model": Fault, "description": "Another command is at work on the same thing, or the answer is no"},
    503: {"model": Fault, "description": "The database does not answer"},
    504: {"model": Fault, "description": "It took too long"},
}
"""The errors that every address may answer with, for its description."""

NO_STORE = {"cache-control": "no-store"}
"""For answers with personal values: nobody between us and who asked keeps them."""


class Json(Response):
    """A document as JSON: numbers with decimals as numbers, recorded times in UTC."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """The bytes of a document."""
        return json.dumps(content, default=_as_json, ensure_ascii=False, allow_nan=False).encode()


def _as_json(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat()
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"a {type(value).__name__} has no JSON form")
