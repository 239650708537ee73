"""CloudEvents 1.0 in Kafka's binary content mode: attributes in `ce_*` headers, JSON data in the value.

Source: CloudEvents Kafka protocol binding 1.0.2, section 3.2.
"""

from datetime import UTC, datetime

from shared.messages import Message

REPUBLISHED = "slugline_republished"
"""The header of a revision that was made because an operator asked for it: pages and stores take it, nobody is told of it."""


def headers_for(
    message: Message, *, source: str, event_id: str, time: datetime | None = None, traceparent: str = ""
) -> list[tuple[str, bytes]]:
    """The headers that a message travels with. `event_id` is unique within `source`; a repeat carries the same."""
    moment = time or datetime.now(UTC)
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event_id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", message.ce_type.encode()),
        ("ce_time", moment.isoformat().encode()),
        ("content-type", b"application/json"),
    ]
    if traceparent:
        headers.append(("traceparent", traceparent.encode()))
    return headers


def value_of(message: Message) -> bytes:
    """The JSON value of a message, without what is at its default: about half the bytes."""
    return message.model_dump_json(exclude_defaults=True).encode()
