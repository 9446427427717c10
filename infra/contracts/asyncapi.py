"""The AsyncAPI 3 document: every topic with its address, key, messages and settings, as one machine-readable page."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import import_module
from inspect import cleandoc
from typing import Any

from sqlalchemy import Table

from replayhouse.domain.contexts import CONTEXTS
from replayhouse.domain.kernel.ids import natural_id
from replayhouse.infra.contracts.headers import NAME as HEADERS
from replayhouse.infra.contracts.revisions import file_of
from replayhouse.infra.contracts.rows import key_schema, row_schema, tables_of
from replayhouse.infra.contracts.schemas import Schema
from replayhouse.infra.publishing.message import LoggedEvent, message_of
from replayhouse.infra.publishing.names import events_topic, positions_topic, source_of, state_topic
from replayhouse.infra.runtime.kafka_settings import KafkaSettings

Document = dict[str, Any]

PREFIX: str = KafkaSettings.model_fields["prefix"].default
PARTITIONS: int = KafkaSettings.model_fields["partitions"].default

SCHEMA_FORMAT = "application/schema+json;version=draft-2020-12"
BINDING = {"bindingVersion": "0.5.0"}

_INFO = {
    "title": "replayhouse",
    "version": "1",
    "description": (
        "Events of a marketplace as they stand in the log of its warehouse: each exactly once, for consumers that read "
        "with isolation level read_committed; in order within a partition, hence within a stream. Messages of aborted "
        "transactions are visible to all others. Addresses begin with the prefix of the warehouse, here its default."
    ),
    "license": {"name": "Apache-2.0"},
}
_POSITION: Schema = {
    "type": "object",
    "properties": {
        "position": {"description": "up to which position of the log the relay has published", "type": "integer"},
        "leaf": {"description": "the leaf of the event there; null before the first", "type": ["string", "null"]},
        "partitions": {"description": "how many partitions the topic had", "type": "integer"},
        "store": {"description": "which log it is: the chain of its first commit", "type": "string"},
    },
    "required": ["position", "leaf", "partitions", "store"],
}


def asyncapi_document(contracts: Mapping[str, Schema]) -> Document:
    """The document over all topics; `contracts` are the schemas of the events by name, and that of the headers.

    Payloads are references to the files beside it.
    """
    events = [name for name in contracts if name != HEADERS]
    messages = {name: _event_message(name, contracts) for name in events}
    messages |= {_row_name(context, table): _row_message(context, table) for context, table in _tables()}
    messages["relay.position"] = _position_message()
    return {
        "asyncapi": "3.0.0",
        "info": _INFO,
        "defaultContentType": "application/json",
        "servers": {"brokers": _server()},
        "channels": _channels(events),
        "operations": _operations(),
        "components": {
            "messages": messages,
            "securitySchemes": {
                "scram512": {"type": "scramSha512", "description": "name and password, the usual way"},
                "scram256": {"type": "scramSha256", "description": "name and password"},
                "plain": {"type": "plain", "description": "name and password, over TLS"},
            },
        },
    }


def description_of(context: str) -> str:
    """What a context's events tell, and what their streams are: what its module says of itself."""
    told = cleandoc(import_module(f"domain.{context}.events").__doc__ or "")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in told.split("\n\n"))


def _server() -> Document:
    return {
        "host": "{bootstrap}",
        "protocol": "kafka",
        "description": "the brokers of REPLAYHOUSE_KAFKA_BOOTSTRAP; with TLS and SASL where the settings say so",
        "variables": {"bootstrap": {"description": "host:port of a broker", "default": "127.0.0.1:9092"}},
    }


def _channels(events: Iterable[str]) -> Document:
    channels: Document = {}
    for context in CONTEXTS:
        channels[f"{context}.events"] = _channel(
            events_topic(PREFIX, context),
            description_of(context),
            [name for name in events if name.startswith(f"{context}.")],
            _topic(PARTITIONS, {"cleanup.policy": ["delete"], "retention.ms": -1}),
        )
    for context in CONTEXTS:
        channels[f"{context}.state"] = _channel(
            state_topic(PREFIX, context),
            f"The newest row of each key of the {context} tables, where the setting `state` names the context.",
            [_row_name(context, table) for of, table in _tables() if of == context],
            _topic(PARTITIONS, {"cleanup.policy": ["compact"]}),
        )
    channels["relay.positions"] = _channel(
        positions_topic(PREFIX),
        "How far each relay is. Written in the transaction of the messages; nobody else's business.",
        ["relay.position"],
        _topic(1, {"cleanup.policy": ["compact"]}),
    )
    return channels


def _channel(address: str, description: str, messages: Iterable[str], binding: Document) -> Document:
    return {
        "address": address,
        "description": description,
        "servers": [{"$ref": "#/servers/brokers"}],
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
        "bindings": {"kafka": binding},
    }


def _topic(partitions: int, configuration: Document) -> Document:
    return {"partitions": partitions, "topicConfiguration": configuration, **BINDING}


def _operations() -> Document:
    """What the warehouse does: it sends. Who consumes receives the same."""
    told = {f"{context}.events": f"Publishes the events of {context}." for context in CONTEXTS}
    told |= {f"{context}.state": f"Publishes the rows of {context} as they are now." for context in CONTEXTS}
    told["relay.positions"] = "Keeps how far each relay is."
    return {
        f"publish.{channel}": {"action": "send", "channel": {"$ref": f"#/channels/{channel}"}, "summary": summary}
        for channel, summary in told.items()
    }


def _event_message(name: str, contracts: Mapping[str, Schema]) -> Document:
    schema = contracts[name]
    return {
        "name": name,
        "title": name,
        "summary": schema["description"].partition("\n\n")[0],
        "contentType": "application/json",
        "headers": _reference(HEADERS),
        "payload": _reference(name),
        "bindings": {"kafka": {"key": _key_schema(), **BINDING}},
        "examples": [{"headers": _headers_of(name, schema), "payload": schema["examples"][0]}],
    }


def _headers_of(name: str, schema: Schema) -> dict[str, str]:
    """What the relay would say of the example."""
    context, example = name.partition(".")[0], schema["examples"][0]
    event = LoggedEvent(
        context=context,
        stream=natural_id("example", name),
        version=1,
        topic=name,
        state=json.dumps(example).encode(),
        position=41027,
        batch_id=natural_id("example", "batch"),
        lines="orders:1042",
        leaf=bytes(range(32)),
        recorded_at=datetime(2026, 3, 2, 10, 20, 30, 405060, UTC),
        personal="sealed" if "x-subject" in schema else None,
    )
    return {header: text.decode() for header, text in message_of(event, source_of(PREFIX, context).encode()).headers}


def _reference(name: str) -> Document:
    return {"schemaFormat": SCHEMA_FORMAT, "schema": {"$ref": f"./{file_of(name)}.json"}}


def _key_schema() -> Schema:
    return {"description": "the id of the stream, in lower case with hyphens", "type": "string", "format": "uuid"}


def _tables() -> list[tuple[str, Table]]:
    return [(context, table) for context in CONTEXTS for table in tables_of(context)]


def _row_name(context: str, table: Table) -> str:
    return f"{context}.{table.name}"


def _row_message(context: str, table: Table) -> Document:
    return {
        "name": _row_name(context, table),
        "title": f"A row of {_row_name(context, table)}",
        "summary": "The row as it is now; no value (a tombstone) once it is gone. Personal columns are withheld.",
        "contentType": "application/json",
        "payload": row_schema(table),
        "bindings": {"kafka": {"key": key_schema(table), **BINDING}},
    }


def _position_message() -> Document:
    key = {"description": "the name of the relay", "type": "string", "examples": ["sales", "sales.state"]}
    return {
        "name": "relay.position",
        "title": "The position of a relay",
        "contentType": "application/json",
        "payload": _POSITION,
        "bindings": {"kafka": {"key": key, **BINDING}},
    }
