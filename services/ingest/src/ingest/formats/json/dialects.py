"""JSON of houses that follow no standard: dpa digitalwires, Superdesk's own items, and whoever puts an article into members of its own names.

What houses call things is data (`dialect_names.py`). One that nobody knows is read by the usual names, and its body by
its shape; a document that has no body under any name is refused with the names that it has, so that a profile can point
at the right one (`body_from`, `headline_from`, ...).
"""

import re

from pydantic import JsonValue

from ingest.formats import media, times, vocabularies
from ingest.formats.copy.endings.footers import take_footers
from ingest.formats.fields import AboutMedia, CreatorFields, MediaFields, SubjectFields, UpdateFields
from ingest.formats.json import document as json_document
from ingest.formats.json import systems
from ingest.formats.json.dialect_names import BODIES, NAMES, STATES, WRAPPERS
from ingest.formats.json.document import text_of
from ingest.formats.json.shapes import body_by_shape, html_of, member
from ingest.formats.model import Document, Draft, Format, Parsed, RefusedItem, Unreadable, refuse_many
from ingest.formats.text import plain as text

Item = dict[str, JsonValue]

_STANDARD = frozenset({"standard", "$standard", "uri", "updates", "home_page_url", "feed_url"})
"""Members of standards that are read elsewhere."""


def recognise(document: Document) -> int:
    """A last resort: an object with an id, words and no standard's names."""
    whole = json_document.first_object(document)
    if not whole:
        return 0
    first = _first(whole)
    if systems.is_known(first):
        return 93
    if not _STANDARD.isdisjoint((*whole, *first)):
        return 0
    names = {name.lower() for name in first}
    if "article_html" in names and ({"urn", "pubstatus", "entry_id"} & names):
        return 92
    if "_current_version" in names or ("anpa_category" in names and "headline" in names):
        return 75
    has = sum(not names.isdisjoint(NAMES[one]) for one in ("guid", "headline", "link"))
    words = not names.isdisjoint(BODIES) or not names.isdisjoint(NAMES["headline"])
    return 20 if has and words else 0


def read(document: Document) -> Parsed:
    """One draft for each object that is an article."""
    parsed = json_document.parse(document, strict=False)
    found = _members(parsed.value)
    if not found:
        raise Unreadable("not-an-object", "", "an article is a JSON object, a batch a list of them")
    refuse_many(len(found), "")
    items: list[Draft | RefusedItem] = []
    for pointer, value in found:
        item = json_document.item_of(parsed, pointer, value)
        if isinstance(item, RefusedItem):
            items.append(item)
            continue
        article = systems.as_article(item.value)
        made = draft_of(pointer, article, document)
        if isinstance(made, Draft):
            if article is not item.value:
                take_footers(made)
            made.repairs += item.repairs
        items.append(made)
    return Parsed("json", items, parsed.repairs)


def _first(value: Item) -> Item:
    for _ in range(3):
        inner = next(
            (value[name] for name in WRAPPERS if isinstance(value.get(name), (dict, list)) and not _is_article(value)),
            None,
        )
        if isinstance(inner, list):
            inner = next((one for one in inner if isinstance(one, dict)), None)
        if not isinstance(inner, dict):
            break
        value = inner
    return value


def _is_article(value: Item) -> bool:
    names = {name.lower() for name in value}
    return not names.isdisjoint(NAMES["headline"]) and not names.isdisjoint((*NAMES["guid"], *NAMES["link"], *BODIES))


def _members(value: JsonValue, pointer: str = "", depth: int = 0) -> list[tuple[str, JsonValue]]:
    if isinstance(value, list):
        return [(f"{pointer}/{index}", one) for index, one in enumerate(value)]
    if not isinstance(value, dict):
        return []
    if not _is_article(value) and depth < 3:
        for name in WRAPPERS:
            if isinstance(inner := value.get(name), (dict, list)):
                return _members(inner, f"{pointer}/{name}", depth + 1)
    return [(pointer, value)]


def draft_of(pointer: str, value: Item, document: Document, time_zone: str = "") -> Draft | RefusedItem:
    """The draft of an article's members under their usual names; `time_zone` is that of times without an offset where the profile says none."""
    draft = Draft(place=pointer, hints=value)
    item = {name.lower(): one for name, one in value.items()}
    fields = draft.fields
    base = document.profile.media_base_url or document.request.address
    for name in (
        "guid",
        "version",
        "headline",
        "summary",
        "byline",
        "copyright",
        "usage_terms",
        "located",
        "slugline",
        "digital_source_type",
    ):
        if said := _words(item, NAMES[name]):
            fields[name] = said
    fields["located"] = text.place_of_dateline(fields.get("located", ""))
    if (language := _words(item, NAMES["language"])) and len(language) < 36:
        fields["language"] = language
    fields["credit"] = _words(item, NAMES["credit"])
    if url := media.absolute(_words(item, NAMES["link"]), base):
        fields["link"] = url
        fields.setdefault("guid", url)
    _status(draft, item, document)
    _times(draft, item, document.profile.time_zone if document.profile.time_zone != "UTC" else time_zone or "UTC")
    used = _body(draft, item, document)
    _notes(fields, item, public=document.profile.public_notes)
    fields["keywords"] = [one.strip() for one in _texts(_value(item, NAMES["keywords"])) if one.strip()][:1000]
    fields["subjects"] = [
        *_subjects(item, "subjects", "subject"),
        *_subjects(item, "people", "person"),
        *_subjects(item, "places", "place"),
    ]
    if creators := _creators(_value(item, NAMES["creators"])):
        fields["creators"] = creators
        if not fields.get("byline"):
            fields["byline"] = ", ".join(one["name"] for one in creators if not one.get("role"))
    if references := _media(item, base):
        fields["media"] = media.with_roles(references)
    known = {used, *(name for names in NAMES.values() for name in names)}
    if extra := {
        name: one for name, one in value.items() if name.lower() not in known and one not in (None, "", [], {})
    }:
        fields["extra"] = dict(extra)
    if (
        not fields.get("body_html")
        and not fields.get("summary")
        and not fields.get("media")
        and fields.get("status", "usable") == "usable"
        and not document.profile.body_from
    ):
        if not fields.get("headline"):
            return RefusedItem(
                code="no-body", place=pointer or "/", reason=f"no member has a text: {', '.join(value)[:300]}"
            )
        draft.repaired("no-body", "/", f"no member has a text: {', '.join(value)[:160]}")
    return draft


def _value(item: Item, names: tuple[str, ...]) -> JsonValue:
    return next((item[name] for name in names if item.get(name) not in (None, "", [], {})), None)


def _words(item: Item, names: tuple[str, ...]) -> str:
    """The first of some members that says anything, as plain text."""
    for name in names:
        value = item.get(name)
        if isinstance(value, dict):
            value = member(
                value,
                ("main", "name", "value", "text", "default", "rendered", "basic", "title", "city", "html", "href"),
            )
        elif isinstance(value, list):
            value = next(
                (
                    member(one, ("value", "name", "by", "text", "title")) if isinstance(one, dict) else one
                    for one in value
                ),
                None,
            )
        words = text_of(value)
        if words.strip():
            return text.of_html(words) if "<" in words or "&" in words else text.one_line(words)
    return ""


def _texts(value: JsonValue) -> list[str]:
    if isinstance(value, str):
        return value.split(",")
    several = value if isinstance(value, list) else []
    return [
        said
        for one in several
        if (said := text_of(member(one, ("name", "value", "keyword", "title")) if isinstance(one, dict) else one))
    ]


def _status(draft: Draft, item: Item, document: Document) -> None:
    value = _words(item, NAMES["status"])
    if value:
        bare = value.lower().rpartition(":")[2].strip()
        status = document.profile.statuses.get(value) or STATES.get(bare)
        if status is None:
            draft.repaired("unknown-status", "/status", value)
            status = "withheld"
        draft.fields["status"] = status
    urgency = _value(item, NAMES["urgency"])
    if urgency is not None and (number := document.profile.urgency(text_of(urgency))):
        draft.fields["urgency"] = number
    signals = item.get("signals") or item.get("signal")
    for one in signals if isinstance(signals, list) else [signals]:
        code = (
            text_of(member(one, ("qcode", "code", "name")) if isinstance(one, dict) else one).lower().rpartition(":")[2]
        )
        if signal := vocabularies.SIGNALS.get(code):
            draft.fields["signal"] = signal
            break


def _times(draft: Draft, item: Item, time_zone: str) -> None:
    zone = times.zone(time_zone)
    for name in ("version_created", "first_created", "expires_at"):
        written = text_of(_value(item, NAMES[name]))
        if written and (moment := draft.time(written, zone, f"/{name}")):
            draft.fields[name] = moment
    embargo = _value(item, NAMES["embargo_until"])
    if embargo in (None, False):
        return
    moment = draft.time(text_of(embargo), zone, "/embargoed", latest=True) if text_of(embargo) else None
    if moment is not None:
        draft.fields["embargo_until"] = moment
    elif draft.fields.get("status", "usable") == "usable":
        draft.fields["status"] = "withheld"
        draft.repaired("embargo-unreadable", "/embargoed", "withheld, since nobody can say until when")


def _body(draft: Draft, item: Item, document: Document) -> str:
    """Set the text; returns the member that it was found in."""
    for name in BODIES:
        if (value := item.get(name)) not in (None, "", [], {}) and (html := html_of(value)):
            draft.fields["body_html"] = _CUT.sub("", html) if "chars]" in html[-_TAIL:] else html
            return name
    if document.profile.body_from:
        return ""
    name, html = body_by_shape(
        {name: one for name, one in item.items() if not any(name in names for names in NAMES.values())}
    )
    if html:
        draft.fields["body_html"] = html
        draft.repaired("body-by-shape", f"/{name}", "the longest text of the item")
    return name


_CUT = re.compile(r"(?<!\s)\s?\[\+\d{1,7} chars\](?=(?:</p>)?\s*$)")
"""What an interface that sells the rest writes where it cuts a text off: `Ships of up… [+1234 chars]`."""
_TAIL = 40


def _notes(fields: UpdateFields, item: Item, *, public: bool) -> None:
    private: list[str] = []
    shown: list[str] = []
    for name in NAMES["note"]:
        value = item.get(name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                said = {part: text.of_html(text_of(words)) for part, words in one.items() if isinstance(words, str)}
                wanted = one.get("is_publishable") is True
                words = said.get("ednote") or said.get("text") or said.get("value") or ""
                (shown if wanted and public else private).append(words)
                shown += [said[part] for part in ("public_html",) if public and said.get(part)]
                private += [
                    words
                    for part, words in said.items()
                    if part.endswith("_html") and not (public and part == "public_html")
                ]
            elif isinstance(one, str):
                (shown if public else private).append(text.of_html(one))
    if notes := list(dict.fromkeys(filter(None, private))):
        fields["private_note"] = "\n".join(notes)
    if notes := list(dict.fromkeys(filter(None, shown))):
        fields["editors_note"] = "\n".join(notes)


def _subjects(item: Item, group: str, kind: str) -> list[SubjectFields]:
    found: list[SubjectFields] = []
    for name in NAMES[group]:
        value = item.get(name)
        for one in (value if isinstance(value, list) else [value])[:500]:
            if isinstance(one, dict):
                code = text_of(member(one, ("qcode", "code", "literal", "id")))
                kinds = text_of(one.get("type")).lower()
                own = next(
                    (ours for word, ours in _KINDS if word in kinds), "genre" if name in ("genre", "genres") else kind
                )
                made = vocabularies.subject(
                    own,
                    code=code or None,
                    scheme=text_of(one.get("scheme")) or None,
                    uri=text_of(one.get("uri")) or None,
                    name=text_of(member(one, ("name", "label", "title"))) or None,
                )
            else:
                made = vocabularies.subject("genre" if name in ("genre", "genres") else kind, name=text_of(one) or None)
            if made:
                found.append(made)
    return found


_KINDS = (
    ("person", "person"),
    ("organi", "organisation"),
    ("geo", "place"),
    ("place", "place"),
    ("poi", "place"),
    ("event", "event"),
    ("genre", "genre"),
    ("product", "product"),
    ("service", "product"),
)


def _creators(value: JsonValue) -> list[CreatorFields]:
    creators: list[CreatorFields] = []
    for one in (value if isinstance(value, list) else [value])[:100]:
        if isinstance(one, str) and one.strip():
            creators.append({"name": one.strip()})
        elif isinstance(one, dict):
            name = text_of(
                member(one, ("name", "display_name", "displayname", "byline", "full_name", "fullname", "sub_label"))
            )
            if not name:
                name = " ".join(filter(None, (text_of(one.get("first_name")), text_of(one.get("last_name")))))
            if name:
                creators.append(
                    {
                        "name": name,
                        "uri": text_of(member(one, ("uri", "url", "code"))) or None,
                        "role": text_of(one.get("role")) or None,
                    }
                )
    return creators


def _media(item: Item, base: str | None) -> list[MediaFields]:
    found: list[MediaFields] = []
    for name in NAMES["media"]:
        value = item.get(name)
        if isinstance(value, dict) and not ({"url", "href", "src", "renditions"} & value.keys()):
            value = list(value.values())
        several = (value if isinstance(value, list) else [value])[:200]
        found += [made for one in several if (made := _reference(one, base))]
    return found


def _reference(one: JsonValue, base: str | None) -> MediaFields | None:
    if isinstance(one, str):
        url = media.absolute(one, base) if one.startswith(("http", "/")) else None
        return media.reference([media.Offer(url)], media.kind_of(media.by_extension(url)), {}) if url else None
    if not isinstance(one, dict) or text_of(one.get("type")).lower() in (
        "text",
        "composite",
        "article",
        "story",
        "link",
    ):
        return None
    several = one.get("renditions") or one.get("variants") or one.get("sizes")
    parts = list(several.values()) if isinstance(several, dict) else several if isinstance(several, list) else [one]
    offers: list[media.Offer] = []
    for part in parts[:100]:
        if isinstance(part, dict) and (
            url := media.absolute(text_of(member(part, ("url", "href", "src", "source_url"))), base)
        ):
            mime = text_of(member(part, ("mimetype", "mime_type", "contenttype", "content_type"))) or None
            if mime and mime.startswith(("text/", "application/json", "application/xml")):
                continue
            offers.append(
                media.Offer(
                    url,
                    mime,
                    media.number(part.get("width")),
                    media.number(part.get("height")),
                    media.number(part.get("size")),
                    text_of(part.get("name")),
                )
            )
    about: AboutMedia = {
        "guid": text_of(member(one, ("urn", "guid", "uri", "id"))) or None,
        "headline": text_of(member(one, ("headline", "title"))),
        "caption": text.of_html(
            text_of(member(one, ("caption", "description_text", "description", "body_text", "legend")))
        ),
        "credit": text_of(member(one, ("creditline", "credit", "byline", "photographer", "source"))),
        "copyright": text_of(member(one, ("copyrightnotice", "copyright", "copyrightholder"))),
        "usage_terms": text_of(member(one, ("usageterms", "usage_terms", "restrictions"))),
        "instructions": media.terms(
            text_of(member(one, ("special_instructions", "specialinstructions", "instructions"))),
            text_of(member(one, ("ednote", "editornote", "editor_note"))),
        ),
        "creator": text_of(member(one, ("photographer", "creator", "byline"))),
        "digital_source_type": text_of(member(one, ("digitalsourcetype", "digital_source_type"))),
        "alt_text": text_of(member(one, ("alt_text", "alttext", "alt", "alternativetext"))),
    }
    if one.get("is_featureimage") is True or one.get("is_lead") is True:
        about["role"] = "lead"
    return media.reference(
        offers, media.kind_of(text_of(one.get("type")), *(offer.mime_type for offer in offers)), about
    )


FORMAT = Format(
    names=("json", "digitalwires", "superdesk"), media_types=(), recognise=recognise, read=read, family="json"
)
