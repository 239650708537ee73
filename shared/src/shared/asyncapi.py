"""The AsyncAPI 3.0 document of what is on Kafka, made from the topic table and the message models."""

from typing import Any

from shared.messages import (
    DeadLetter,
    EnrichedUpdate,
    MediaWanted,
    Message,
    Order,
    Outcomes,
    RawUpdate,
    Refresh,
    Release,
)
from shared.streams import ENRICHED, MEDIA, OUTCOMES, RAW, TOPICS, dead

CARRIES: dict[str, tuple[type[Message], ...]] = {
    RAW: (RawUpdate, Order, Release, Refresh),
    ENRICHED: (EnrichedUpdate,),
    MEDIA: (MediaWanted,),
    OUTCOMES: (Outcomes,),
    dead(RAW): (DeadLetter,),
    dead(ENRICHED): (DeadLetter,),
    dead(MEDIA): (DeadLetter,),
}
"""The messages of each topic that others may read; `push.batches` is publish's own."""

SENT_BY: dict[str, tuple[str, ...]] = {
    RAW: ("ingest", "enrich"),
    ENRICHED: ("enrich",),
    MEDIA: ("enrich",),
    OUTCOMES: ("enrich", "publish"),
    dead(RAW): ("enrich",),
    dead(ENRICHED): ("publish",),
    dead(MEDIA): ("enrich",),
}
RECEIVED_BY: dict[str, tuple[str, ...]] = {
    RAW: ("enrich",),
    ENRICHED: ("publish",),
    MEDIA: ("enrich",),
    OUTCOMES: ("ingest",),
}

HEADERS: dict[str, Any] = {
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


def asyncapi_document(version: str) -> dict[str, Any]:
    """The document, with the JSON Schema of every message under `components`."""
    purposes = {topic.name: topic for topic in TOPICS}
    schemas: dict[str, Any] = {}
    messages: dict[str, Any] = {}
    for model in dict.fromkeys(model for models in CARRIES.values() for model in models):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[model.__name__] = schema
        messages[model.__name__] = {
            "name": model.ce_type,
            "title": model.__name__,
            "summary": (model.__doc__ or "").strip().splitlines()[0],
            "contentType": "application/json",
            "headers": HEADERS,
            "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
        }
    channels = {
        name: {
            "address": name,
            "description": purposes[name].purpose,
            "messages": {model.__name__: {"$ref": f"#/components/messages/{model.__name__}"} for model in models},
            "bindings": {"kafka": {"partitions": purposes[name].partitions, "bindingVersion": "0.5.0"}},
        }
        for name, models in CARRIES.items()
    }
    operations = {
        f"{service}.{action}.{name}": {"action": action, "channel": {"$ref": f"#/channels/{name.replace('/', '~1')}"}}
        for action, table in (("send", SENT_BY), ("receive", RECEIVED_BY))
        for name, services in table.items()
        for service in services
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Slugline",
            "version": version,
            "description": "CloudEvents 1.0 on Kafka, binary content mode.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": schemas},
    }
