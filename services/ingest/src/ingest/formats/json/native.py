"""Slugline's own JSON: one update, a list of them, or `{"updates": [...]}`.

Its fields are those of a raw update under their own names. Names in camelCase and the field's usual synonyms are
understood, values that only have the wrong type are put right and recorded; members that are not known are kept in
`extra`. JSON itself is taken strictly: whoever writes this format writes it for us.
"""

from typing import cast

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue

from ingest.formats import media, times
from ingest.formats.fields import UpdateFields
from ingest.formats.json import document as json_document
from ingest.formats.model import Document, Draft, Format, Parsed, RefusedItem, Unreadable, refuse_many
from ingest.formats.text import plain as text
from shared.messages import Block, Creator, Flags, MediaReference, RawUpdate, Signal, Status, Subject


class NativeUpdate(BaseModel):
    """One version of an update. Only `guid` and something to show, or a `status` other than usable, are needed."""

    model_config = ConfigDict(extra="allow", title="Slugline update")

    guid: str = Field(min_length=1, max_length=1000)
    """What you call this update, the same in all of its versions."""
    version: str | None = Field(default=None, max_length=200)
    version_created: AwareDatetime | None = None
    status: Status = "usable"
    """`withheld` takes the update out of sight until a usable version comes, `canceled` kills it for ever; `held` waits for a desk."""
    signal: Signal | None = None
    urgency: int | None = Field(default=None, ge=1, le=9)
    language: str | None = None
    """BCP 47."""
    headline: str = ""
    body_html: str = ""
    """HTML; it is sanitised before a reader sees it."""
    body_text: str = ""
    """Plain text, taken where there is no `body_html`; a blank line parts paragraphs."""
    summary: str = ""
    byline: str = ""
    creators: tuple[Creator, ...] = ()
    credit: str = ""
    copyright: str = ""
    usage_terms: str = ""
    located: str = ""
    """The dateline's place."""
    subjects: tuple[Subject, ...] = ()
    keywords: tuple[str, ...] = ()
    media: tuple[MediaReference, ...] = ()
    blocks: tuple[Block, ...] = ()
    """Fact boxes, quotes, questions, scores and polls, which follow the text; all in plain text."""
    first_created: AwareDatetime | None = None
    embargo_until: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    editors_note: str = ""
    private_note: str = ""
    """A note that no reader sees."""
    correction_reason: str = ""
    evolved_from: str | None = None
    translation_of: str | None = None
    """The `guid` of your update of which this one is the same in another language."""
    replaces: tuple[str, ...] = ()
    story: str | None = None
    slugline: str = ""
    link: str | None = None
    digital_source_type: str = ""
    """A name or URI of IPTC's vocabulary: `trainedAlgorithmicMedia` is a text that was made with AI."""
    flags: Flags = Flags()
    extra: dict[str, JsonValue] = Field(default_factory=dict)


class NativeBatch(BaseModel):
    """Several updates at once; each has a result of its own."""

    updates: list[NativeUpdate]


def json_schema() -> dict[str, object]:
    """The JSON Schema (2020-12) of the format: an update, a list of updates, or a batch."""
    from pydantic.json_schema import models_json_schema  # noqa: PLC0415

    _, schema = models_json_schema(
        [(NativeUpdate, "validation"), (NativeBatch, "validation")], ref_template="#/$defs/{model}"
    )
    one = {"$ref": "#/$defs/NativeUpdate"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Slugline native JSON",
        "anyOf": [one, {"type": "array", "items": one}, {"$ref": "#/$defs/NativeBatch"}],
        "$defs": schema["$defs"],
    }


_SYNONYMS = {
    "id": "guid", "uri": "guid", "title": "headline", "body": "body_html", "bodyhtml": "body_html",
    "bodytext": "body_text", "content_html": "body_html", "content_text": "body_text", "description": "summary",
    "abstract": "summary", "pub_status": "status", "pubstatus": "status", "versioncreated": "version_created",
    "firstcreated": "first_created", "embargoed": "embargo_until", "embargo": "embargo_until",
    "expires": "expires_at", "ednote": "editors_note", "ed_note": "editors_note", "editor_note": "editors_note",
    "url": "link", "lang": "language", "dateline": "located", "location": "located", "priority": "urgency",
    "pictures": "media", "images": "media", "tags": "keywords", "authors": "creators", "story_id": "story",
}  # fmt: skip
_Fields = dict[str, object]
"""Members by our names; values as sent, but for times."""

_FIELDS = frozenset(NativeUpdate.model_fields)
_TEXTS = frozenset(name for name, one in NativeUpdate.model_fields.items() if one.annotation in (str, str | None))
_TIMES = ("version_created", "first_created", "embargo_until", "expires_at")
_LISTS = ("creators", "subjects", "keywords", "media", "blocks", "replaces")
_ENVELOPE = frozenset({"update_id", "source", "received_at", "original", "repairs", "profile", "hold", "may"})
"""Fields of a raw update that the sender does not decide: those of a recorded update are passed over."""


def recognise(document: Document) -> int:
    """Sure of a batch, and of an object with a `guid` and a field that has our name for it."""
    first = json_document.first_object(document)
    if isinstance(first.get("updates"), list):
        return 80
    if "guid" not in first:
        return 0
    return (
        70 if not first.keys().isdisjoint(("headline", "body_html", "body_text", "status", "body", "summary")) else 30
    )


def read(document: Document) -> Parsed:
    """One draft or one refusal for each update."""
    parsed = json_document.parse(document, strict=True)
    items: list[Draft | RefusedItem] = []
    for pointer, value in _members(parsed.value):
        if flaw := parsed.flaw_in(pointer):
            items.append(RefusedItem(code=flaw.code, place=flaw.pointer, reason=flaw.reason))
        else:
            checked = json_document.object_of(pointer, value, "an update")
            items.append(checked if isinstance(checked, RefusedItem) else _draft(pointer, checked, document))
    return Parsed("native", items, parsed.repairs)


def _members(value: JsonValue) -> list[tuple[str, JsonValue]]:
    if isinstance(value, dict):
        batch = value.get("updates")
        if not isinstance(batch, list):
            return [("", value)]
        prefix, members = "/updates", batch
    elif isinstance(value, list):
        prefix, members = "", value
    else:
        raise Unreadable("not-an-object", "", "an update is a JSON object, a batch a list of them")
    refuse_many(len(members), prefix)
    return [(f"{prefix}/{index}", member) for index, member in enumerate(members)]


def _draft(pointer: str, value: dict[str, JsonValue], document: Document) -> Draft | RefusedItem:
    draft = Draft(place=pointer)
    fields, names = _named(value)
    draft.hints = value
    zone = times.zone(document.profile.time_zone)
    for name in _TIMES:
        if (written := fields.get(name)) is None:
            fields.pop(name, None)
            continue
        place = f"{pointer}/{names.get(name, name)}"
        if not isinstance(written, str) or not written:
            return RefusedItem(code="not-a-time", place=place, reason="a time is text in RFC 3339")
        moment, code = times.parse(written, zone, latest=name == "embargo_until")
        if moment is None:
            return RefusedItem(code="not-a-time", place=place, reason=f"{written[:60]!r} is no time in RFC 3339")
        fields[name] = moment
        if code:
            draft.repaired(code, f"/{names.get(name, name)}", written)
    _put_right(draft, fields, names)
    body_text = fields.pop("body_text", "")
    if not isinstance(body_text, str):
        place = f"{pointer}/{names.get('body_text', 'body_text')}"
        return RefusedItem(code="invalid-field", place=place, reason="a body is text")
    if body_text and not fields.get("body_html"):
        fields["body_html"] = text.paragraphs(body_text)
    _take_pictures(draft, fields, document)
    # Its values are whatever was sent: they are validated with the update.
    draft.fields = cast("UpdateFields", fields)
    return _unfetchable(draft, fields, names) or _refusal(draft, fields, names) or draft


def _named(value: dict[str, JsonValue]) -> tuple[_Fields, dict[str, str]]:
    """The members by our names, and how the document calls each."""
    fields: _Fields = {}
    names: dict[str, str] = {}
    extra: dict[str, JsonValue] = {}
    for name, one in value.items():
        ours = name if name in _FIELDS else _ours(name)
        if ours in _FIELDS and (ours not in fields or name == ours):
            if name == "body" and isinstance(one, str) and "<" not in one:
                ours = "body_text"
            fields[ours] = one
            names[ours] = name
        elif name not in _ENVELOPE:
            extra[name] = one
    kept = fields.get("extra")
    if extra:
        fields["extra"] = {**(kept if isinstance(kept, dict) else {}), **extra}
    return fields, names


def _ours(name: str) -> str:
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return snake if snake in _FIELDS else _SYNONYMS.get(snake, _SYNONYMS.get(name.lower(), name))


_DIGITS = frozenset("123456789")
"""What an urgency may be; `²` is a digit too, and no number."""


def _put_right(draft: Draft, fields: _Fields, names: dict[str, str]) -> None:
    """Correct values whose meaning is clear although their type is not the schema's."""
    for name in [*fields]:
        value = fields[name]
        place = f"/{names.get(name, name)}"
        if value is None:
            del fields[name]
        elif name in _TEXTS and isinstance(value, (int, float)) and not isinstance(value, bool):
            fields[name] = str(value)
            draft.repaired("number-for-text", place)
        elif name == "urgency" and isinstance(value, str) and value.strip() in _DIGITS:
            fields[name] = int(value)
            draft.repaired("text-for-number", place)
        elif name in _LISTS:
            fields[name] = _listed(draft, name, value, place)
        elif name in ("status", "signal") and isinstance(value, str):
            plain = value.strip().lower().removeprefix("stat:").removeprefix("sig:")
            fields[name] = {"cancelled": "canceled", "killed": "canceled"}.get(plain, plain)


def _listed(draft: Draft, name: str, value: object, place: str) -> object:
    if not isinstance(value, list):
        draft.repaired("single-for-list", place)
        value = [value]
    if name in ("creators", "subjects"):
        return [{"name": one} if isinstance(one, str) else one for one in value]
    if name == "media":
        return [{"url": one} if isinstance(one, str) else one for one in value]
    return value


def _take_pictures(draft: Draft, fields: _Fields, document: Document) -> None:
    """The pictures in the text join those beside it; one that is in both is as it is said beside it, and stands in the text unless
    its role is said there."""
    body, beside = fields.get("body_html"), fields.get("media", [])
    if not isinstance(body, str) or "<img" not in body.lower() or not isinstance(beside, list):
        return
    standing = media.in_html(body, document.profile.media_base_url)
    urls = {one["url"] for one in standing}
    said = [{"role": "inline", **one} if isinstance(one, dict) and one.get("url") in urls else one for one in beside]
    known = {one.get("url") for one in beside if isinstance(one, dict)}
    found = [one for one in standing if one["url"] not in known]
    if standing:
        fields["media"] = [*said, *found]
    if found:
        draft.repaired("pictures-in-text", "/body_html", f"{len(found)} that are not among its media")


def _unfetchable(draft: Draft, fields: _Fields, names: dict[str, str]) -> RefusedItem | None:
    """The refusal of a picture that cannot be fetched; what is no object at all is refused by the model."""
    several = fields.get("media")
    for index, one in enumerate(several if isinstance(several, list) else ()):
        url = one.get("url") if isinstance(one, dict) else None
        if isinstance(url, str) and media.absolute(url) is None:
            place = f"{draft.place}/{names.get('media', 'media')}/{index}/url"
            return RefusedItem(code="invalid-field", place=place, reason="an absolute http(s) URL is needed")
    return None


_SIGNALS_ALONE = ("kill", "takedown", "expire", "pin", "unpin")
"""Signals that need nothing to show."""
_SHOWN = ("headline", "body_html", "summary", "media", "blocks")


def _refusal(draft: Draft, fields: _Fields, names: dict[str, str]) -> RefusedItem | None:
    """Why an update without identity or without anything to show is refused."""
    guid = fields.get("guid")
    place = f"{draft.place}/{names.get('guid', 'guid')}"
    if guid is None:
        reason = "guid is needed: the same in all versions of an update"
        return RefusedItem(code="missing-field", place=place, reason=reason)
    if not isinstance(guid, str) or not guid.strip() or len(guid) > 1000:
        return RefusedItem(code="invalid-field", place=place, reason="guid is a text of 1 to 1000 characters")
    gone = fields.get("status") in ("canceled", "withheld") or fields.get("signal") in _SIGNALS_ALONE
    if not gone and not any(fields.get(name) for name in _SHOWN):
        reason = "a usable update needs a headline, a body, a summary, media or blocks"
        return RefusedItem(code="empty", place=f"{draft.place}/headline", reason=reason)
    return None


FORMAT = Format(
    names=("native", "slugline"),
    media_types=("application/vnd.slugline.update+json",),
    recognise=recognise,
    read=read,
    family="json",
)
assert _FIELDS - {"body_text"} <= set(RawUpdate.model_fields)  # noqa: S101
