"""Decodes a record, whose CloudEvents type says what message it carries. A bad payload is data, not an exception."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog
from aiokafka import ConsumerRecord
from prometheus_client import Counter
from pydantic import ValidationError

from shared.failures import Invalid, Permanent
from shared.messages import Message
from shared.messages.unknown_values import UnknownValues

M = TypeVar("M", bound=Message)
log = structlog.get_logger(__name__)

UNKNOWN_VALUES = Counter(
    "slugline_consumer_unknown_values", "Values of enumerations that only a newer release knows", ["topic"]
)

UPDATE_ID = re.compile(r"([a-z2-7]{26})(?::|$)")
VERSION_ID = re.compile(r"([a-z2-7]{26}):([0-9a-f]{32})(?::.*)?")
"""The `ce_id` of a version on `updates.raw`: the update's id and the version's fingerprint."""


@dataclass(frozen=True, slots=True)
class Incoming(Generic[M]):
    """A record and the message that it carries."""

    record: "ConsumerRecord[bytes, bytes]"
    event: M

    def header(self, name: str) -> str:
        """The first header of that name, empty where there is none; bytes that are not UTF-8 are replaced."""
        return header_of(self.record, name)


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that goes to the dead letters, and why."""

    record: "ConsumerRecord[bytes, bytes]"
    failure: Invalid | Permanent


def header_of(record: "ConsumerRecord[bytes, bytes]", name: str) -> str:
    """The first header of that name, empty where there is none; bytes that are not UTF-8 are replaced."""
    for key, value in record.headers:
        if key == name:
            return bytes(value or b"").decode("utf-8", "replace")
    return ""


def update_id_of(record: "ConsumerRecord[bytes, bytes]") -> str:
    """The id of the update that a record is about, by its `ce_id` or its key; empty where neither names one."""
    key = (record.key or b"").decode("utf-8", "replace")
    found = UPDATE_ID.match(header_of(record, "ce_id")) or UPDATE_ID.match(key)
    return found[1] if found is not None else ""


def decode(record: "ConsumerRecord[bytes, bytes]", types: Mapping[str, type[M]]) -> Incoming[M] | Rejection | None:
    """The message of a record by its `ce_type`; None for a type that this stage has no use for.

    A record without a type is taken for the first of `types`, so that a hand-made message works.
    """
    kind = header_of(record, "ce_type")
    model = types.get(kind) if kind else next(iter(types.values()))
    if model is None:
        if kind.startswith("slugline."):
            return None
        return Rejection(record, Invalid(f"unknown message type {kind[:100]!r}", field="ce_type"))
    try:
        unknown = UnknownValues()
        event = model.model_validate_json(record.value or b"", context=unknown)
        for each in unknown:
            UNKNOWN_VALUES.labels(record.topic).inc()
            log.warning(
                "a value of a newer release, read as the field's default",
                value=each,
                topic=record.topic,
                offset=record.offset,
            )
        return Incoming(record, event)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in first["loc"])
        return Rejection(record, Invalid(f"{model.__name__}: {first['msg']}", field=pointer))
    except (ValueError, RecursionError) as error:
        return Rejection(record, Invalid(f"{model.__name__}: {error}"))


def version_of(record: "ConsumerRecord[bytes, bytes]") -> tuple[str, str] | None:
    """The update's id and the version's fingerprint, by a record's `ce_id`; None where it names no version."""
    named = VERSION_ID.fullmatch(header_of(record, "ce_id"))
    return (named[1], named[2]) if named is not None else None
