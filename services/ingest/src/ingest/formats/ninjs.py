"""ninjs, IPTC's News in JSON, 1.0 to 3.1, and what agencies and Superdesk make of it.

1.x has pattern keys (`body_html`) and objects (`associations`), 2.x arrays (`bodies`), 3.x camelCase. Names are taken
without regard to case, so that one reader understands all of them and their mixtures. Sources:
https://www.iptc.org/std/ninjs/ and the released JSON Schemas.
"""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from ingest.formats import json_document, media, text, times, vocabularies
from ingest.formats.reading import MAX_ITEMS, Document, Draft, Format, Parsed, Refused, Unreadable

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
    names = {name.lower() for name in first}
    telling = not names.isdisjoint(_TELLING)
    if "uri" in names:
        return 85 if telling else 60
    if "guid" in names and (telling and first.get("type") in _TYPES):
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
    items: list[Draft | Refused] = []
    generation = 0
    for pointer, value in found:
        flaw, mended = parsed.tolerable(pointer)
        if flaw:
            items.append(Refused(index=0, code=flaw.code, place=flaw.pointer, reason=flaw.reason))
        elif not isinstance(value, dict):
            items.append(Refused(index=0, code="not-an-object", place=pointer, reason="an item is a JSON object"))
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
    item = {name.lower(): one for name, one in value.items()}
    draft.hints = item
    fields = draft.fields
    zone = times.zone(document.profile.time_zone)
    _identity(draft, item)
    _status(draft, item, document)
    _times(draft, item, zone)
    _words(draft, item)
    fields["subjects"] = list(_subjects(item))
    _people(draft, item)
    references, unresolved = _media(item, document.profile.media_base_url)
    if references:
        fields["media"] = references
    extra = {name: one for name, one in value.items() if not _is_taken(name.lower(), one)}
    if unresolved:
        extra["media_unresolved"] = unresolved
    if extra:
        fields["extra"] = extra
    return draft


def _is_taken(name: str, value: Any) -> bool:
    return value is None or name in _TAKEN or name.startswith(("body_", "description_", "headline_"))


def _identity(draft: Draft, item: dict[str, Any]) -> None:
    fields = draft.fields
    for name in ("uri", "guid", "id", "_id"):
        if guid := _text(item.get(name)):
            fields["guid"] = guid
            break
    if version := _text(item.get("version")):
        fields["version"] = version
    if origin := _text(item.get("evolvedfrom")):
        fields["evolved_from"] = origin
    if language := _text(item.get("language")):
        fields["language"] = language


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


def _times(draft: Draft, item: dict[str, Any], zone: tzinfo) -> None:
    fields = draft.fields
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


def _words(draft: Draft, item: dict[str, Any]) -> None:
    fields = draft.fields
    fields["headline"] = _plain(_best(item, "headline", "headlines", ("main",))) or _plain(_as_text(item.get("title")))
    fields["body_html"] = _body(item).strip()
    fields["summary"] = _plain(
        _best(
            item,
            "description",
            "descriptions",
            ("summary", "abstract", "text", "html", "xhtml", "caption"),
            not_as=("creditline", "writer", "source", "credit"),
        )
    )
    fields["byline"] = _plain(_as_text(item.get("byline")) or _as_text(item.get("by")))
    fields["credit"] = _plain(
        _role(item, "description", "descriptions", "creditline")
        or _as_text(item.get("creditline"))
        or _as_text(item.get("credit"))
        or _as_text(item.get("source"))
    )
    fields["copyright"] = _plain(_as_text(item.get("copyrightnotice")) or _as_text(item.get("copyrightholder")))
    fields["usage_terms"] = _plain(_as_text(item.get("usageterms")))
    fields["located"] = _plain(_as_text(item.get("located")))
    fields["slugline"] = _plain(_as_text(item.get("slugline")))
    fields["editors_note"] = _plain(_as_text(item.get("ednote")))
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
    if url := media.absolute(link if isinstance(link, str) else None):
        fields["link"] = url


def _plain(value: tuple[str, bool] | None) -> str:
    """A text field: HTML's words where it is HTML; as sent where it is not."""
    if value is None:
        return ""
    words, is_html = value
    return text.of_html(words) if is_html or (text.is_markup(words) and "</" in words) else words


def _as_text(value: Any) -> tuple[str, bool] | None:
    said = " ".join(filter(None, map(_text, value))) if isinstance(value, list) else _text(value)
    return (said, False) if said else None


def _variants(item: dict[str, Any], prefix: str, plural: str) -> Iterator[tuple[str, str, str]]:
    """(role, content type, value) of a text in all of the ways that the versions of ninjs write one."""
    several = item.get(plural)
    if isinstance(several, dict):
        several = [several]
    if isinstance(several, list):
        for one in several:
            if isinstance(one, dict):
                kind = _text(one.get("contentType") or one.get("contenttype"))
                if said := _text(one.get("value")):
                    yield _text(one.get("role")).lower(), kind.lower(), said
            elif isinstance(one, str) and one:
                yield "", "", one
    if said := _text(item.get(prefix)):
        yield "main", "", said
    for name, one in item.items():
        if name.startswith(prefix) and name[len(prefix) : len(prefix) + 1] in ("_", "-") and (said := _text(one)):
            role = name[len(prefix) + 1 :]
            yield role, "text/html" if "html" in role else "", said


def _best(
    item: dict[str, Any], prefix: str, plural: str, roles: tuple[str, ...], not_as: tuple[str, ...] = ()
) -> tuple[str, bool] | None:
    best: tuple[int, str, bool] | None = None
    for role, kind, said in _variants(item, prefix, plural):
        bare = role.rpartition(":")[2].rpartition("/")[2]
        if bare in not_as:
            continue
        rank = roles.index(bare) if bare in roles else len(roles)
        if best is None or rank < best[0]:
            best = rank, said, "html" in kind or "html" in bare
    return (best[1], best[2]) if best else None


def _role(item: dict[str, Any], prefix: str, plural: str, wanted: str) -> tuple[str, bool] | None:
    for role, kind, said in _variants(item, prefix, plural):
        if role.rpartition(":")[2].rpartition("/")[2] == wanted:
            return said, "html" in kind
    return None


def _body(item: dict[str, Any]) -> str:
    """The fullest text: HTML before plain text, and both before other markup, whose tags are left out."""
    best: tuple[int, str] = (9, "")
    for role, kind, said in _variants(item, "body", "bodies"):
        if "html" in kind or "html" in role:
            rank, made = 0, said
        elif "xml" in kind or "nitf" in role or said.startswith("<?xml"):
            rank, made = 2, ""
        elif text.is_markup(said) and "</" in said and "text/plain" not in kind:
            rank, made = 1, said
        else:
            rank, made = 1, ""
        if rank < best[0]:
            best = (
                rank,
                text.body_of_page(made)
                if made
                else f"<p>{text.of_html(said)}</p>"
                if rank == 2
                else text.paragraphs(said),
            )
    return best[1]


def _subjects(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, kind in _KINDS.items():
        several = item.get(name)
        if several is None:
            continue
        for one in several if isinstance(several, list) else [several]:
            if isinstance(one, str):
                yield {"kind": kind, "name": one}
            if not isinstance(one, dict):
                continue
            found = vocabularies.subject(
                kind,
                code=_text(one.get("code") or one.get("qcode") or one.get("literal")) or None,
                scheme=_text(one.get("scheme")) or None,
                uri=_text(one.get("uri")) or None,
                name=_text(one.get("name")) or None,
            )
            if found:
                yield found


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


def _media(item: dict[str, Any], base: str | None) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """References to the item's own renditions and to its associations', and hrefs that nobody could fetch."""
    references: list[dict[str, Any]] = []
    unresolved: list[dict[str, str]] = []
    own = _text(item.get("type")).lower()
    if item.get("renditions"):
        found = _reference(item, base, unresolved, own=True)
        if found:
            references.append(found)
    several = item.get("associations")
    if isinstance(several, dict):
        named = list(several.items())
    elif isinstance(several, list):
        named = [(_text(one.get("name")) if isinstance(one, dict) else "", one) for one in several]
    else:
        named = []
    for name, one in named:
        if not isinstance(one, dict):
            continue
        association = {key.lower(): each for key, each in one.items()}
        if _STATUSES.get(_text(association.get("pubstatus")).lower(), "usable") != "usable":
            continue
        if _text(association.get("type")).lower() in ("text", "composite", "event", "planning"):
            continue
        found = _reference(association, base, unresolved, own=False)
        if found:
            if name.lower().partition("--")[0] in _LEADS and own not in media.KINDS:
                found["role"] = "lead"
            references.append(found)
    return media.with_roles(references), unresolved


def _reference(
    item: dict[str, Any], base: str | None, unresolved: list[dict[str, str]], *, own: bool
) -> dict[str, Any] | None:
    several = item.get("renditions")
    if isinstance(several, dict):
        named = list(several.items())
    elif isinstance(several, list):
        named = [(_text(one.get("name")) if isinstance(one, dict) else "", one) for one in several]
    else:
        named = []
    if not named and item.get("href"):
        named = [("", item)]
    offers: list[media.Offer] = []
    sources: list[str] = []
    for name, one in named:
        if not isinstance(one, dict):
            continue
        entry = {key.lower(): each for key, each in one.items()}
        href = _text(entry.get("href"))
        mime = _text(entry.get("mimetype") or entry.get("contenttype"))
        if mime.startswith(("text/", "application/octet", "application/xml", "application/json")):
            continue
        if url := media.absolute(href, base):
            offers.append(
                media.Offer(
                    url,
                    mime or None,
                    media.number(entry.get("width")),
                    media.number(entry.get("height")),
                    media.number(entry.get("sizeinbytes") or entry.get("size")),
                    name,
                )
            )
        elif href:
            sources.append(href)
    kind = media.kind_of(_text(item.get("type")), *(offer.mime_type for offer in offers))
    headline = _plain(_best(item, "headline", "headlines", ("main",)))
    about = {
        "guid": _text(item.get("uri") or item.get("guid")) or None,
        "headline": headline or None,
        "caption": _plain(
            _best(
                item,
                "description",
                "descriptions",
                ("caption", "text", "html", "xhtml"),
                not_as=("creditline", "writer", "source", "credit"),
            )
        ),
        "credit": _plain(
            _role(item, "description", "descriptions", "creditline")
            or _as_text(item.get("creditline"))
            or _as_text(item.get("byline"))
            or _as_text(item.get("by"))
            or _as_text(item.get("source"))
        ),
        "copyright": _plain(_as_text(item.get("copyrightnotice")) or _as_text(item.get("copyrightholder"))),
        "usage_terms": _plain(_as_text(item.get("usageterms"))),
        "alt_text": _plain(
            _as_text(item.get("alt_text"))
            or _as_text(item.get("alttext"))
            or _role(item, "description", "descriptions", "alt")
        ),
    }
    if own and _text(item.get("type")).lower() not in media.KINDS:
        about = {name: value for name, value in about.items() if name in ("credit", "copyright", "usage_terms")}
    if not offers and sources:
        unresolved.append(media.unresolved(sources[0], about))
    return media.reference(offers, kind, about)


def _text(value: Any) -> str:
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
)
