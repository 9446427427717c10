"""The headers of every event's message, as a schema: the attributes of CloudEvents, all of them text in UTF-8.

infra/publishing/message.py writes them; a test holds what it writes against this.
"""

import json
import re

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.infra.contracts.schemas import DIALECT, Schema, identifier_of

NAME = "headers"

_CONTEXTS = "|".join(CONTEXTS)
_NAMED = re.compile(r"/\(([a-z_|]+)\)\$")
_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_NUMBER = "[1-9][0-9]*"
_STREAM = "3f6d9a52-8c1e-5b7f-9a57-2f1d5f6c7b80"


def _text(description: str, example: str, **rest: object) -> Schema:
    return {"description": description, "type": "string", **rest, "examples": [example]}


_HEADERS: dict[str, Schema] = {
    "ce_specversion": _text("the version of CloudEvents", "1.0", enum=["1.0"]),
    "ce_id": _text(
        "stream and version with a dot between them; unique within the source: tells a message that was received twice",
        f"{_STREAM}.1",
        pattern=f"^{_UUID}\\.{_NUMBER}$",
    ),
    "ce_source": _text(
        "the warehouse, by its prefix, and the context",
        "/replayhouse/sales",
        pattern=f"^/[a-z0-9][a-z0-9-]{{0,39}}/({_CONTEXTS})$",
    ),
    "ce_type": _text(
        "the type of the event and its version: tells the contract of the value",
        "sales.OrderPlaced.v1",
        pattern=f"^({_CONTEXTS})\\.[A-Z][A-Za-z0-9]*\\.v{_NUMBER}$",
    ),
    "ce_subject": _text("the stream, which is the key too: what it happened to", _STREAM, format="uuid"),
    "ce_position": _text(
        "place in the log over all contexts, from 1: the later event has the higher one; within a topic there are gaps",
        "41027",
        pattern=f"^{_NUMBER}$",
    ),
    "ce_streamversion": _text("place in its stream, from 1, without gaps", "1", pattern=f"^{_NUMBER}$"),
    "ce_recordedtime": _text(
        "when the warehouse learnt of it, UTC", "2026-03-02T10:20:30.405060Z", format="date-time", pattern="Z$"
    ),
    "ce_leaf": _text(
        "SHA-256 of the event in the hash chain of the log, hexadecimal: what an auditor holds it against",
        "5e" * 32,
        pattern="^[0-9a-f]{64}$",
    ),
    "content-type": _text("how the value is written", "application/json", enum=["application/json"]),
    "ce_time": _text(
        "when it happened; absent of timeless events. Business times, which the source tells as local time of Brazil "
        "without zone, have -03:00 whatever the season: without the offset it is the source's time. Times of ours "
        "(quality, Rewound) are UTC",
        "2017-10-02T10:56:33-03:00",
        format="date-time",
    ),
    "ce_batch": _text("the load that brought it; absent where none did", _STREAM, format="uuid"),
    "ce_lines": _text(
        "files and lines of the extract that caused it, a file's header being line 1; absent where none did",
        "orders:1042 order_items:2210-2212 customers:77",
    ),
    "ce_personal": _text(
        "what became of its personal fields: sealed, or omitted (null); absent where none has a value",
        "sealed",
        enum=["sealed", "omitted"],
    ),
}

_OPTIONAL = ("ce_time", "ce_batch", "ce_lines", "ce_personal")


def headers_schema() -> Schema:
    """The headers by name, as an object; those that are always there are required."""
    return {
        "$schema": DIALECT,
        "$id": identifier_of(NAME),
        "title": "Headers of an event",
        "description": "Attributes of CloudEvents 1.0 in binary mode, and its extensions; each value is text in UTF-8.",
        "type": "object",
        "properties": _HEADERS,
        "required": [name for name in _HEADERS if name not in _OPTIONAL],
        "examples": [{name: header["examples"][0] for name, header in _HEADERS.items()}],
    }


def as_read_by(published: Schema, headers: Schema) -> Schema:
    """The headers as readers of a published revision meet them: on the topics of the contexts that there were then.

    A new context has a topic of its own, which nobody reads without knowing it. A context that is gone is no such case:
    then the headers come back as they are.
    """
    found = _NAMED.search(json.dumps(published))
    if found is None or not set(found[1].split("|")) <= set(CONTEXTS):
        return headers
    read: Schema = json.loads(json.dumps(headers).replace(_CONTEXTS, found[1]))
    return read
