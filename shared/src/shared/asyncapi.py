"""The AsyncAPI 3.0 document of what is on Kafka, made of the streams table and the message models.

FastStream can make such a document of an application. It would tell of one process only, and without the partitions, the
CloudEvents headers, the dead letters and the messages that are sent: hence this one, of the table that all processes share.
"""

from collections.abc import Iterator

from pydantic import JsonValue

from shared.messages import Message
from shared.streams import STREAMS, Stream

HEADERS: dict[str, JsonValue] = {
    "type": "object",
    "required": ["ce_specversion", "ce_id", "ce_source", "ce_type"],
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {"type": "string", "description": "Unique within ce_source; a repeat carries the same."},
        "ce_source": {"type": "string"},
        "ce_type": {"type": "string"},
        "ce_time": {"type": "string", "format": "date-time"},
        "traceparent": {"type": "string", "description": "W3C Trace Context."},
    },
}


def asyncapi_document(version: str) -> dict[str, JsonValue]:
    """The document, with the JSON Schema of every message under `components`."""
    streams = [stream for stream in STREAMS if stream.is_public]
    schemas: dict[str, JsonValue] = {}
    messages: dict[str, JsonValue] = {}
    for model in dict.fromkeys(model for stream in streams for model in stream.messages):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= schema.pop("$defs", {})
        schemas[model.__name__] = schema
        messages[model.__name__] = _message(model)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Slugline",
            "version": version,
            "description": "CloudEvents 1.0 on Kafka, binary content mode.",
        },
        "defaultContentType": "application/json",
        "channels": {stream.name: _channel(stream) for stream in streams},
        "operations": dict(operation for stream in streams for operation in _operations(stream)),
        "components": {"messages": messages, "schemas": schemas},
    }


def _message(model: type[Message]) -> JsonValue:
    return {
        "name": model.ce_type,
        "title": model.__name__,
        "summary": (model.__doc__ or "").strip().splitlines()[0],
        "contentType": "application/json",
        "headers": HEADERS,
        "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
    }


def _channel(stream: Stream) -> JsonValue:
    return {
        "address": stream.name,
        "description": stream.purpose,
        "messages": {model.__name__: {"$ref": f"#/components/messages/{model.__name__}"} for model in stream.messages},
        "bindings": {"kafka": {"partitions": stream.partitions, "bindingVersion": "0.5.0"}},
    }


def _operations(stream: Stream) -> Iterator[tuple[str, JsonValue]]:
    channel: JsonValue = {"$ref": f"#/channels/{stream.name.replace('/', '~1')}"}
    for action, services in (("send", stream.senders), ("receive", stream.receivers)):
        for service in services:
            yield f"{service}.{action}.{stream.name}", {"action": action, "channel": channel}
