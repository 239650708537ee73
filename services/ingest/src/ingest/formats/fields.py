"""What readers of formats fill in: the fields of `RawUpdate` and of its parts as plain values, before they are validated."""

from datetime import datetime
from typing import Literal, Required, TypedDict, cast

from pydantic import JsonValue

TextField = Literal[
    "headline", "body_html", "summary", "byline", "credit", "copyright", "usage_terms", "located", "slugline",
    "editors_note", "private_note", "correction_reason",
]  # fmt: skip
TimeField = Literal["version_created", "first_created", "embargo_until", "expires_at"]
AboutField = Literal[
    "guid",
    "headline",
    "caption",
    "credit",
    "copyright",
    "usage_terms",
    "alt_text",
    "role",
    "instructions",
    "creator",
    "digital_source_type",
    "terms_url",
    "licensor_url",
]


class SubjectFields(TypedDict, total=False):
    """A subject."""

    kind: Required[str]
    code: str | None
    name: str | None
    scheme: str | None


class CreatorFields(TypedDict, total=False):
    """A creator."""

    name: Required[str]
    uri: str | None
    role: str | None
    email: str | None
    organisation: str | None


class AboutMedia(TypedDict, total=False):
    """What a source says of a picture, video or sound, beside its renditions."""

    guid: str | None
    headline: str | None
    caption: str | None
    credit: str | None
    copyright: str | None
    usage_terms: str | None
    instructions: str | None
    creator: str | None
    digital_source_type: str | None
    terms_url: str | None
    licensor_url: str | None
    alt_text: str | None
    role: str


class MediaFields(AboutMedia, total=False):
    """A media reference."""

    url: Required[str]
    kind: Required[str]
    mime_type: str | None
    width: int | None
    height: int | None
    size_bytes: int | None
    renditions: tuple[str, ...]


class UpdateFields(TypedDict, total=False):
    """An update."""

    guid: str | None
    version: str | None
    version_created: datetime | None
    status: str
    signal: str
    urgency: int | None
    language: str | None
    headline: str
    headline_from_text: bool
    body_html: str
    summary: str
    byline: str
    creators: list[CreatorFields]
    credit: str
    copyright: str
    usage_terms: str
    located: str
    subjects: list[SubjectFields]
    keywords: list[str]
    media: list[MediaFields]
    blocks: list[dict[str, JsonValue]]
    first_created: datetime | None
    embargo_until: datetime | None
    expires_at: datetime | None
    editors_note: str
    private_note: str
    correction_reason: str
    evolved_from: str | None
    translation_of: str | None
    replaces: list[str]
    story: str | None
    slugline: str
    link: str | None
    digital_source_type: str
    extra: dict[str, object]


def append(extra: dict[str, object], name: str, value: object) -> None:
    """Add a value to a list in `extra`."""
    known = extra.get(name)
    if isinstance(known, list):
        known.append(value)
    else:
        extra[name] = [value] if known is None else [known, value]


def strings(values: UpdateFields) -> dict[str, str]:
    """The fields that are text."""
    return {name: value for name, value in values.items() if isinstance(value, str)}


def fill(fields: UpdateFields, found: UpdateFields) -> None:
    """Take over what a text holds: its body, and other fields where nothing is known of them."""
    new = {name: value for name, value in found.items() if name == "body_html" or not fields.get(name)}
    fields.update(cast("UpdateFields", new))
