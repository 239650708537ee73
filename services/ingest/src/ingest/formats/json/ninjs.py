"""ninjs, IPTC's News in JSON, 1.0 to 3.1, and what agencies and Superdesk make of it.

1.x has pattern keys (`body_html`) and objects (`associations`), 2.x arrays (`bodies`), 3.x camelCase. Names are taken
without regard to case, so that one reader understands all of them and their mixtures. Sources:
https://www.iptc.org/std/ninjs/ and the released JSON Schemas.
"""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from ingest.formats import media, times, vocabularies
from ingest.formats.json import document as json_document
from ingest.formats.reading import MAX_ITEMS, Document, Draft, Format, Parsed, RefusedItem, Unreadable
from ingest.formats.text import plain as text

_TELLING = frozenset(
    {
        "versioncreated",
        "firstcreated",
        "contentcreated",
        "pubstatus",
        "associations",
        "renditions",
        "copyrightholder",
        "copyrightnotice",
        "representationtype",
        "headlines",
        "bodies",
        "descriptions",
        "description_text",
        "description_html",
        "description_caption",
        "body_xhtml",
        "ednote",
        "usageterms",
        "embargoeduntil",
        "infosource",
        "infosources",
        "altids",
        "trustindicators",
        "eventdetails",
        "plannedcoverage",
    }
)
_TYPES = frozenset(
    {"text", "audio", "video", "picture", "graphic", "composite", "component", "event", "planning", "photo"}
)
_KINDS = {
    "person": "person",
    "people": "person",
    "organisation": "organisation",
    "organisations": "organisation",
    "organization": "organisation",
    "organizations": "organisation",
    "place": "place",
    "places": "place",
    "subject": "subject",
    "subjects": "subject",
    "event": "event",
    "events": "event",
    "object": "other",
    "objects": "other",
    "genre": "genre",
    "genres": "genre",
    "service": "product",
}
_TIMES = {
    "versioncreated": "version_created",
    "firstcreated": "first_created",
    "embargoed": "embargo_until",
    "embargoeduntil": "embargo_until",
    "expires": "expires_at",
    "expiry": "expires_at",
}
_TAKEN = frozenset(
    {
        *_KINDS,
        *_TIMES,
        "uri",
        "guid",
        "version",
        "pubstatus",
        "urgency",
        "language",
        "headline",
        "headlines",
        "title",
        "bodies",
        "descriptions",
        "byline",
        "by",
        "authors",
        "copyrightnotice",
        "copyrightholder",
        "usageterms",
        "located",
        "slugline",
        "keywords",
        "ednote",
        "evolvedfrom",
        "associations",
        "renditions",
        "standard",
        "$standard",
        "$schema",
        "signal",
        "signals",
    }
)
_STATUSES = {"usable": "usable", "withheld": "withheld", "canceled": "canceled", "cancelled": "canceled"}
SIGNALS = {
    "update": "update",
    "writethru": "update",
    "correction": "correction",
    "corrected": "correction",
    "advisory": "advisory",
    "repeat": "repeat",
    "kill": "kill",
    "killed": "kill",
    "takedown": "takedown",
    "expire": "expire",
}
"""What sources call a signal, without its vocabulary, in lower case."""
_LEADS = ("featuremedia", "main", "mainpic", "lead", "hero", "header", "feature", "featureimage")


def recognise(document: Document) -> int:
    """Sure of an object that says so, or that has a `uri` and one of the fields that only ninjs has."""
    first = _inner(json_document.first_object(document))
    if not first:
        return 0
    for name in ("standard", "$standard"):
        said = first.get(name)
        if isinstance(said, dict) and "ninjs" in str(said.get("name", "")).lower():
            return 95
    names = set(map(str.lower, first))
    telling = not names.isdisjoint(_TELLING)
    if "uri" in names:
        return 85 if telling else 60
    if telling and _text(first.get("type")) in _TYPES and ("guid" in names or _name(first)):
        return 80
    return 0


def read(document: Document) -> Parsed:
    """One draft for each item: the document itself, each of a list, or each of a search answer's items."""
    parsed = json_document.parse(document, strict=False)
    found = list(_members(parsed.value))
    if not found:
        raise Unreadable("not-an-object", "", "an item is a JSON object, a batch a list of them")
    if len(found) > MAX_ITEMS:
        raise Unreadable("too-many-items", "", f"{len(found)} items, {MAX_ITEMS} are permitted")
    items: list[Draft | RefusedItem] = []
    generation = 0
    for pointer, value in found:
        flaw, mended = parsed.tolerable(pointer)
        if flaw:
            items.append(RefusedItem(index=0, code=flaw.code, place=flaw.pointer, reason=flaw.reason))
        elif isinstance(value, dict) and len(value) > json_document.MAX_FIELDS:
            reason = f"{len(value)} members, {json_document.MAX_FIELDS} are permitted"
            items.append(RefusedItem(index=0, code="too-large", place=pointer or "/", reason=reason))
        elif not isinstance(value, dict):
            items.append(RefusedItem(index=0, code="not-an-object", place=pointer, reason="an item is a JSON object"))
        else:
            generation = generation or _generation(value)
            draft = _draft(pointer, value, document)
            draft.repairs += mended
            items.append(draft)
    return Parsed(f"ninjs-{generation or 1}", items, parsed.repairs)


def _inner(value: dict[str, Any]) -> dict[str, Any]:
    for _, member in _members(value):
        return member if isinstance(member, dict) else {}
    return {}


def _members(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """The items with their pointers; AP's and others' search answers wrap them in `data`, `items` and `item`."""
    if isinstance(value, list):
        for index, member in enumerate(value):
            inner = member.get("item") if isinstance(member, dict) and "uri" not in member else None
            if isinstance(inner, dict):
                yield f"{pointer}/{index}/item", inner
            else:
                yield f"{pointer}/{index}", member
    elif isinstance(value, dict):
        if "uri" not in value and "guid" not in value:
            for name in ("data", "items", "_items", "results", "item"):
                if isinstance(inner := value.get(name), (dict, list)):
                    yield from _members(inner, f"{pointer}/{name}")
                    return
        yield pointer, value


def _generation(value: dict[str, Any]) -> int:
    for name in ("standard", "$standard"):
        said = value.get(name)
        if isinstance(said, dict) and str(said.get("version", ""))[:1] in ("1", "2", "3"):
            return int(str(said["version"])[0])
    if any(
        name in value
        for name in (
            "versionCreated",
            "pubStatus",
            "embargoedUntil",
            "copyrightHolder",
            "altIds",
            "firstCreated",
            "usageTerms",
            "eventDetails",
            "plannedCoverage",
        )
    ):
        return 3
    return (
        2 if any(name in value for name in ("headlines", "bodies", "descriptions", "people", "subjects", "by")) else 1
    )


def _draft(pointer: str, value: dict[str, Any], document: Document) -> Draft:
    draft = Draft(place=pointer)
    item, texts, extra = _folded(value)
    draft.hints = item
    fields = draft.fields
    _identity(draft, item)
    _status(draft, item, document)
    _times(draft, item, document)
    _words(draft, item, texts, document)
    fields["subjects"] = _subjects(item)
    if not _AGENCY.isdisjoint(item):
        _agency(fields, item)
    if "authors" in item or "author" in item:
        _people(draft, item)
    references, unresolved = _media(item, texts, document.profile.media_base_url)
    if references:
        fields["media"] = references
    if unresolved:
        extra["media_unresolved"] = unresolved
    if extra:
        fields["extra"] = extra
    return draft


def _identity(draft: Draft, item: dict[str, Any]) -> None:
    fields = draft.fields
    if guid := _name(item) or _text(item.get("id")) or _text(item.get("_id")):
        fields["guid"] = guid
    if version := _text(item.get("version")):
        fields["version"] = version
    if origin := _text(item.get("evolvedfrom")):
        fields["evolved_from"] = origin
    if language := _text(item.get("language")):
        fields["language"] = language


def _name(item: dict[str, Any]) -> str:
    """What the item is called. The address of one answer, as AP's media API gives it, is another each time: the id beside it lasts."""
    said = _text(item.get("uri")) or _text(item.get("guid"))
    if ("?" in said or not said) and isinstance(others := item.get("altids"), dict):
        return _text(others.get("itemid") or others.get("itemId")) or said
    return said


def _status(draft: Draft, item: dict[str, Any], document: Document) -> None:
    fields, profile = draft.fields, document.profile
    said = _text(item.get("pubstatus"))
    if said:
        plain = said.lower().rpartition(":")[2].strip()
        status = profile.statuses.get(said) or _STATUSES.get(plain)
        if status is None:
            draft.repaired("unknown-status", "/pubstatus", said)
            status = "withheld"
        fields["status"] = status
    if _text(item.get("type")) == "planning" and fields.get("status", "usable") == "usable":
        fields["status"] = "withheld"
        draft.repaired("planning-withheld", "/type", "planned coverage is for desks")
    urgency = item.get("urgency", item.get("priority"))
    if urgency is not None:
        number = profile.urgencies.get(str(urgency)) or media.number(urgency)
        if number and 1 <= number <= 9:
            fields["urgency"] = number
        else:
            draft.repaired("urgency-out-of-range", "/urgency", str(urgency))
    for code in _codes(item.get("signal")) + _codes(item.get("signals")):
        signal = profile.signals.get(code) or SIGNALS.get(code.lower().rpartition(":")[2].rpartition("/")[2])
        if signal:
            fields["signal"] = signal
            break


def _codes(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return []
    found = []
    for one in value:
        said = (
            one
            if isinstance(one, str)
            else _text(one.get("code") or one.get("literal") or one.get("uri") or one.get("name"))
            if isinstance(one, dict)
            else ""
        )
        if said:
            found.append(said)
    return found


def _times(draft: Draft, item: dict[str, Any], document: Document) -> None:
    fields = draft.fields
    zone = times.zone(document.profile.time_zone)
    for name, ours in _TIMES.items():
        written = item.get(name)
        if written is None or written == "":
            continue
        moment, code = times.parse(str(written), zone)
        if code:
            draft.repaired(code, f"/{name}", str(written))
        if moment is not None:
            fields[ours] = moment
        elif ours == "embargo_until" and fields.get("status", "usable") == "usable":
            fields["status"] = "withheld"
            draft.repaired("embargo-unreadable", f"/{name}", "withheld, since nobody can say until when")
    if "first_created" not in fields and isinstance(written := item.get("contentcreated"), str):
        moment, _ = times.parse(written, zone)
        if moment is not None:
            fields["first_created"] = moment


_Texts = dict[str, list[tuple[str, bool, str, str]]]
_TEXTS = {
    "headline": "headline",
    "headlines": "headline",
    "description": "description",
    "descriptions": "description",
    "body": "body",
    "bodies": "body",
}


class _Name(NamedTuple):
    """What a field's name tells."""

    low: str
    base: str | None
    """The kind of text that it holds."""
    role: str | None
    """What 1.x writes behind the first underscore or hyphen: `body_html`, `headline-short`; None where there is none."""
    known: bool


def _name_of(name: str) -> _Name:
    low = name.lower()
    prefix = low.partition("_")[0].partition("-")[0]
    exact = low in _TEXTS
    role = None if exact or prefix == low else low[len(prefix) + 1 :]
    return _Name(low, _TEXTS.get(prefix), role, low in _TAKEN or prefix in _TEXTS)


_name_known = lru_cache(2048)(_name_of)


def _folded(value: dict[str, Any]) -> tuple[dict[str, Any], _Texts, dict[str, Any]]:
    """An item by names in lower case; its headlines, descriptions and bodies; and what ninjs has no name for.

    Texts are (role, whether HTML, content type, value), however a version writes them.
    """
    item: dict[str, Any] = {}
    texts: _Texts = {"headline": [], "description": [], "body": []}
    extra: dict[str, Any] = {}
    for name, one in value.items():
        low, base, role, known = _name_known(name) if len(name) < 40 else _name_of(name)
        item[low] = one
        if base is None:
            if not known and one is not None:
                extra[name] = one
        elif isinstance(one, str):
            if one:
                texts[base].append(("main", False, "", one) if role is None else (role, "html" in role, "", one))
        elif role is None:
            texts[base] += _several(one)
    return item, texts, extra


def _several(value: Any) -> Iterator[tuple[str, bool, str, str]]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict) and (said := _text(each.get("value"))):
            kind = _text(each.get("contentType") or each.get("contenttype")).lower()
            role = _text(each.get("role")).lower().rpartition(":")[2].rpartition("/")[2]
            yield role, "html" in kind or "html" in role, kind, said
        elif isinstance(each, str) and each:
            yield "", False, "", each


def _words(draft: Draft, item: dict[str, Any], texts: _Texts, document: Document) -> None:
    fields = draft.fields
    fields["headline"] = _best(texts["headline"], ("main",)) or _said(item, "title")
    fields["body_html"] = _body(texts["body"])
    fields["summary"] = _best(texts["description"], ("summary", "abstract", "text", "html", "xhtml", "caption"))
    fields["byline"] = _said(item, "byline", "by")
    fields["credit"] = _of_role(texts["description"], "creditline") or _said(item, "creditline", "credit", "source")
    fields["copyright"] = _said(item, "copyrightnotice", "copyrightholder")
    fields["usage_terms"] = _said(item, "usageterms")
    fields["located"] = _said(item, "located")
    fields["slugline"] = _said(item, "slugline")
    if note := _said(item, "ednote"):
        # The standard: read by staff at the receiving organisation, not intended to be published.
        fields["editors_note" if document.profile.public_notes else "private_note"] = note
    keywords = item.get("keywords") or item.get("keyword")
    if isinstance(keywords, str):
        keywords = [one.strip() for one in keywords.split(",")]
    if isinstance(keywords, list):
        fields["keywords"] = [
            said
            for one in keywords
            if (said := _text(one.get("name") or one.get("value")) if isinstance(one, dict) else _text(one))
        ]
    link = item.get("link") or item.get("canonical") or item.get("url")
    if isinstance(link, str) and (url := media.absolute(link)):
        fields["link"] = url


def _plain(words: str, is_html: bool = False) -> str:
    """HTML's words where a text is HTML; as sent where it is not."""
    return text.of_html(words) if is_html or ("</" in words and text.is_markup(words)) else words


def _said(item: dict[str, Any], *names: str) -> str:
    """The first of some fields that says anything, as plain text."""
    for name in names:
        value = item.get(name)
        if value:
            said = " ".join(filter(None, map(_text, value))) if isinstance(value, list) else _text(value)
            if said:
                return _plain(said)
    return ""


_CREDITS = ("creditline", "writer", "source", "credit")


def _best(variants: list[tuple[str, bool, str, str]], roles: tuple[str, ...]) -> str:
    best: tuple[int, str, bool] | None = None
    for role, is_html, _, said in variants:
        if role in _CREDITS:
            continue
        rank = roles.index(role) if role in roles else len(roles)
        if best is None or rank < best[0]:
            best = rank, said, is_html
    return _plain(best[1], best[2]) if best else ""


def _of_role(variants: list[tuple[str, bool, str, str]], wanted: str) -> str:
    for role, is_html, _, said in variants:
        if role == wanted:
            return _plain(said, is_html)
    return ""


def _body(variants: list[tuple[str, bool, str, str]]) -> str:
    """The fullest text: HTML before plain text, and both before other markup, whose tags are left out."""
    best: tuple[int, str] = (9, "")
    for role, is_html, kind, said in variants:
        if is_html or ("</" in said and "plain" not in kind and "xml" not in kind and text.is_markup(said)):
            rank = 0 if is_html else 1
        elif "xml" in kind or "nitf" in role or said.startswith("<?xml"):
            rank = 3
        else:
            rank = 2
        if rank < best[0]:
            best = rank, said
    rank, said = best
    if rank < 2:
        return text.body_of_page(said).strip()
    return f"<p>{text.escaped(text.of_html(said))}</p>" if rank == 3 else text.paragraphs(said)


def _subjects(item: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, kind in _KINDS.items():
        several = item.get(name)
        if several is None:
            continue
        for one in several if isinstance(several, list) else [several]:
            if isinstance(one, dict):
                get = one.get
                code = get("code") or get("qcode") or get("literal")
                scheme, uri, said = get("scheme"), get("uri"), get("name")
                if code is None and scheme is None and uri is None and said.__class__ is str and said:
                    found.append({"kind": kind, "name": said})
                    continue
                subject = vocabularies.subject(
                    kind,
                    code=code if code.__class__ is str else _text(code),
                    scheme=scheme if scheme.__class__ is str else _text(scheme),
                    uri=uri if uri.__class__ is str else _text(uri),
                    name=said if said.__class__ is str else _text(said),
                )
                if subject:
                    found.append(subject)
            elif isinstance(one, str) and one:
                found.append({"kind": kind, "name": one})
    return found


_AGENCY = frozenset({"bylines", "photographer", "datelinelocation", "links"})
"""What AP's media API adds to ninjs."""


def _agency(fields: dict[str, Any], item: dict[str, Any]) -> None:
    bylines = item.get("bylines")
    if not fields.get("byline") and isinstance(bylines, list):
        lines = [
            ", ".join(filter(None, (_said(one, "by", "byline"), _said(one, "title"))))
            for one in bylines
            if isinstance(one, dict)
        ]
        fields["byline"] = "; ".join(filter(None, lines))
    maker = item.get("photographer")
    if isinstance(maker, dict) and (name := _text(maker.get("name"))):
        fields["creators"] = [{"name": name, "role": "photographer", "organisation": _text(maker.get("title")) or None}]
    place = item.get("datelinelocation")
    if not fields.get("located") and isinstance(place, dict):
        fields["located"] = _said(place, "city", "countryareaname", "countryname")
    links = item.get("links")
    for one in links if isinstance(links, list) else ():
        if isinstance(one, dict) and one.get("rel") == "canonical" and (url := media.absolute(_text(one.get("href")))):
            fields.setdefault("link", url)


def _people(draft: Draft, item: dict[str, Any]) -> None:
    creators: list[dict[str, str | None]] = []
    several = item.get("authors") or item.get("author")
    for one in several if isinstance(several, list) else [several]:
        if isinstance(one, str) and one:
            creators.append({"name": one})
        elif isinstance(one, dict) and (name := _text(one.get("name") or one.get("byline"))):
            creators.append(
                {
                    "name": name,
                    "uri": _text(one.get("uri") or one.get("code")) or None,
                    "role": _text(one.get("role")) or None,
                    "email": _text(one.get("email")) or None,
                }
            )
    if creators:
        draft.fields["creators"] = creators


def _named(several: Any) -> list[tuple[str, dict[str, Any]]]:
    """Named members: an object's, or those of a list whose members have a `name`."""
    if isinstance(several, dict):
        return [(name, one) for name, one in several.items() if isinstance(one, dict)]
    if isinstance(several, list):
        return [(_text(one.get("name")), one) for one in several if isinstance(one, dict)]
    return []


def _media(item: dict[str, Any], texts: _Texts, base: str | None) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """References to the item's own renditions and to its associations', and hrefs that nobody could fetch."""
    references: list[dict[str, Any]] = []
    unresolved: list[dict[str, str]] = []
    own = _text(item.get("type")).lower()
    if item.get("renditions") and (found := _reference(item, texts, base, unresolved, bare=own not in media.KINDS)):
        references.append(found)
    for name, one in _named(item.get("associations")):
        association, texts_of_it, _ = _folded(one)
        if _STATUSES.get(_text(association.get("pubstatus")).lower(), "usable") != "usable":
            continue
        if _text(association.get("type")).lower() in ("text", "composite", "event", "planning"):
            continue
        found = _reference(association, texts_of_it, base, unresolved, bare=False)
        if found:
            if name.lower().partition("--")[0] in _LEADS and own not in media.KINDS:
                found["role"] = "lead"
            references.append(found)
    return media.with_roles(references), unresolved


_WORDS_ONLY = ("text/", "application/octet", "application/xml", "application/json")


def _reference(
    item: dict[str, Any], texts: _Texts, base: str | None, unresolved: list[dict[str, str]], *, bare: bool
) -> dict[str, Any] | None:
    """What an item or association offers as a picture, video or sound; `bare` where its words are those of a text."""
    offers: list[media.Offer] = []
    sources: list[str] = []
    for name, one in _named(item.get("renditions")) or ([("", item)] if item.get("href") else []):
        get = one.get
        href = get("href")
        if href.__class__ is not str:
            href = _text(href)
        mime = get("mimetype") or get("contentType") or get("contenttype") or get("mimeType")
        if mime.__class__ is not str:
            mime = _text(mime)
        if mime.startswith(_WORDS_ONLY):
            continue
        if url := media.absolute(href, base):
            size = get("sizeInBytes") or get("sizeinbytes") or get("size")
            offers.append(
                media.Offer(
                    url,
                    mime or None,
                    media.number(get("width")),
                    media.number(get("height")),
                    media.number(size) if size is not None else None,
                    name,
                )
            )
        elif href:
            sources.append(href)
    kind = media.kind_of(_text(item.get("type")), *(offer.mime_type for offer in offers))
    about: dict[str, Any] = {
        "credit": _of_role(texts["description"], "creditline") or _said(item, "creditline", "byline", "by", "source"),
        "copyright": _said(item, "copyrightnotice", "copyrightholder"),
        "usage_terms": _said(item, "usageterms"),
    }
    if not bare:
        about["guid"] = _name(item)
        about["headline"] = _best(texts["headline"], ("main",))
        about["caption"] = _best(texts["description"], ("caption", "text", "html", "xhtml"))
        about["alt_text"] = _said(item, "alt_text", "alttext") or _of_role(texts["description"], "alt")
    if not offers and sources:
        unresolved.append(media.unresolved(sources[0], about))
    return media.reference(offers, kind, about)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    return ""


FORMAT = Format(
    names=("ninjs", "ninjs-1", "ninjs-2", "ninjs-3"),
    media_types=("application/ninjs+json", "application/vnd.iptc.ninjs+json", "application/vnd.iptc.g2.ninjs+json"),
    recognise=recognise,
    read=read,
    family="json",
)
