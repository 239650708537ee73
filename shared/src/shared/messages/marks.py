"""What the contract says about its fields beside their types: said once here, and followed by whoever copies or erases them.

A mark stands in the field's annotation: `headline: Annotated[str, SOURCE_WORDS] = ""`.
"""

from dataclasses import dataclass
from functools import cache
from typing import TypeVar

from shared.messages.base import Message


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that is said of a field."""

    name: str


SOURCE_WORDS = Mark("source-words")
"""The field holds a source's words, or what was made of them. A removal carries none, and a kill erases them."""

AS_SENT = Mark("as-sent")
"""Enrich passes the field on as the source sent it; a text is cut to the length that `limits.LONGEST` allows it."""

M = TypeVar("M", bound=Message)


@cache
def marked(model: type[Message], mark: Mark) -> tuple[str, ...]:
    """The names of a model's fields that have this mark, in their order."""
    return tuple(name for name, field in model.model_fields.items() if mark in field.metadata)


def without_source_words(message: M) -> M:
    """The message with each field that holds a source's words at its default, in its parts as well."""
    fields = type(message).model_fields
    emptied: dict[str, object] = {
        name: fields[name].get_default(call_default_factory=True, validated_data={})
        for name in marked(type(message), SOURCE_WORDS)
    }
    for name in fields.keys() - emptied.keys():
        part = getattr(message, name)
        if isinstance(part, Message):
            emptied[name] = without_source_words(part)
    return message.model_copy(update=emptied)
