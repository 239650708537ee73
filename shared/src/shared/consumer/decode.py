"""One record as a stage receives it: decoded, or with the reason why it cannot be. A bad payload is data, not an exception."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from shared.failures import Invalid, Permanent
from shared.messages import Message, Outcome

E = TypeVar("E", bound=Message)

VERSION_ID = re.compile(r"([a-z2-7]{26}):([0-9a-f]{32})(?::.*)?")
"""The `ce_id` of a version on `updates.raw`: the update's id and the version's fingerprint."""


@dataclass(frozen=True, slots=True)
class Incoming(Generic[E]):
    """A record and the event it carries."""

    record: "ConsumerRecord[bytes, bytes]"
    event: E

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


def decode(
    record: "ConsumerRecord[bytes, bytes]", types: Mapping[str, type[Message]]
) -> Incoming[Any] | Rejection | None:
    """The event of a record by its `ce_type`; None for a type that this stage has no use for.

    A record without a type is taken for the first of `types`, so that a hand-made message works.
    """
    kind = header_of(record, "ce_type")
    model = types.get(kind) if kind else next(iter(types.values()))
    if model is None:
        if kind.startswith("slugline."):
            return None
        return Rejection(record, Invalid(f"unknown message type {kind[:100]!r}", field="ce_type"))
    try:
        return Incoming(record, model.model_validate_json(record.value or b""))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in first["loc"])
        return Rejection(record, Invalid(f"{model.__name__}: {first['msg']}", field=pointer))
    except (ValueError, RecursionError) as error:
        return Rejection(record, Invalid(f"{model.__name__}: {error}"))


def version_of(record: "ConsumerRecord[bytes, bytes]") -> tuple[str, str] | None:
    """The update's id and the version's fingerprint as a record's `ce_id` tells them; None where it names no version."""
    named = VERSION_ID.fullmatch(header_of(record, "ce_id"))
    return (named[1], named[2]) if named is not None else None


def dead_outcome(rejection: Rejection, at: datetime) -> Outcome | None:
    """What the sender of a version is told of it, from its key and `ce_id` alone; None where they do not name a version."""
    record = rejection.record
    named = version_of(record)
    if named is None or record.key != named[0].encode():
        return None
    failure = rejection.failure
    reason = f"{failure.field}: {failure.reason}" if failure.field else failure.reason
    return Outcome(update_id=named[0], fingerprint=named[1], stage="dead", at=at, reason=reason[:500])
