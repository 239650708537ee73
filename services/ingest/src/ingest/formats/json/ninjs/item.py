"""One item of ninjs."""

from pydantic import JsonValue

from ingest.formats import media, times, vocabularies
from ingest.formats.fields import CreatorFields, SubjectFields, UpdateFields
from ingest.formats.json.document import text_of
from ingest.formats.json.ninjs.media import media_of, named_members
from ingest.formats.json.ninjs.properties import SUBJECTS, TIMES, NinjsItem, first_text, folded, name_of
from ingest.formats.json.ninjs.texts import Texts, best_of, blocks_of, body_of, of_role
from ingest.formats.json.shapes import body_by_shape
from ingest.formats.model import Document, Draft


def read_item(pointer: str, value: NinjsItem, document: Document) -> Draft:
    """The draft of one item."""
    draft = Draft(place=pointer)
    item, texts, unknown = folded(value)
    extra: dict[str, object] = {**unknown}
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
    _other_body(draft, item, unknown, document)
    references, unresolved = media_of(item, texts, document.profile.media_base_url)
    references = references or media.in_html(fields.get("body_html", ""), document.profile.media_base_url)
    if references:
        fields["media"] = references
    if unresolved:
        extra["media_unresolved"] = unresolved
    if extra:
        fields["extra"] = {**extra, **fields.get("extra", {})}
    return draft


def _identity(draft: Draft, item: NinjsItem) -> None:
    fields = draft.fields
    if guid := name_of(item) or text_of(item.get("id")) or text_of(item.get("_id")):
        fields["guid"] = guid
    if version := text_of(item.get("version")):
        fields["version"] = version
    if origin := text_of(item.get("evolvedfrom")):
        fields["evolved_from"] = origin
    if language := text_of(item.get("language")):
        fields["language"] = language


def _status(draft: Draft, item: NinjsItem, document: Document) -> None:
    fields, profile = draft.fields, document.profile
    value = text_of(item.get("pubstatus"))
    if value:
        plain = value.lower().rpartition(":")[2].strip()
        status = profile.statuses.get(value) or vocabularies.STATUSES.get(plain)
        if status is None:
            draft.repaired("unknown-status", "/pubstatus", value)
            status = "withheld"
        fields["status"] = status
    if text_of(item.get("type")) == "planning" and fields.get("status", "usable") == "usable":
        fields["status"] = "withheld"
        draft.repaired("planning-withheld", "/type", "planned coverage is for desks")
    urgency = item.get("urgency", item.get("priority"))
    if urgency is not None:
        if number := profile.urgency(urgency):
            fields["urgency"] = number
        else:
            draft.repaired("urgency-out-of-range", "/urgency", str(urgency))
    for code in _codes(item.get("signal")) + _codes(item.get("signals")):
        signal = profile.signals.get(code) or vocabularies.SIGNALS.get(
            code.lower().rpartition(":")[2].rpartition("/")[2]
        )
        if signal:
            fields["signal"] = signal
            break


def _codes(value: JsonValue) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        value = [value]
    if not isinstance(value, list):
        return []
    found: list[str] = []
    for one in value:
        content = (
            one
            if isinstance(one, str)
            else text_of(one.get("code") or one.get("literal") or one.get("uri") or one.get("name"))
            if isinstance(one, dict)
            else ""
        )
        if content:
            found.append(content)
    return found


def _times(draft: Draft, item: NinjsItem, document: Document) -> None:
    fields = draft.fields
    zone = times.zone(document.profile.time_zone)
    for name, ours in TIMES.items():
        written = item.get(name)
        if written is None or written == "":
            continue
        if moment := draft.time(str(written), zone, f"/{name}", latest=ours == "embargo_until"):
            fields[ours] = moment
        elif ours == "embargo_until" and fields.get("status", "usable") == "usable":
            fields["status"] = "withheld"
            draft.repaired("embargo-unreadable", f"/{name}", "withheld, since nobody can say until when")
    if "first_created" not in fields and isinstance(written := item.get("contentcreated"), str):
        moment, _ = times.parse(written, zone)
        if moment is not None:
            fields["first_created"] = moment


def _words(draft: Draft, item: NinjsItem, texts: Texts, document: Document) -> None:
    fields = draft.fields
    fields["headline"] = best_of(texts["headline"], ("main",)) or first_text(item, "title")
    fields["body_html"] = body_of(texts["body"])
    blocks, unreadable = blocks_of(texts["body"])
    if blocks:
        fields["blocks"] = blocks
    for reason in unreadable:
        draft.repaired("unreadable-block", "/bodies", reason)
    fields["summary"] = best_of(texts["description"], ("summary", "abstract", "text", "html", "xhtml", "caption"))
    fields["byline"] = first_text(item, "byline", "by")
    fields["credit"] = of_role(texts["description"], "creditline") or _credit(item)
    fields["copyright"] = first_text(item, "copyrightnotice", "copyrightholder")
    fields["usage_terms"] = first_text(item, "usageterms")
    fields["located"] = first_text(item, "located")
    fields["digital_source_type"] = first_text(item, "digitalsourcetype", "digital_source_type")
    fields["slugline"] = first_text(item, "slugline")
    if note := first_text(item, "ednote"):
        # The standard: read by staff at the receiving organisation, not intended to be published.
        fields["editors_note" if document.profile.public_notes else "private_note"] = note
    keywords = item.get("keywords") or item.get("keyword")
    if isinstance(keywords, str):
        keywords = [one.strip() for one in keywords.split(",")]
    if isinstance(keywords, list):
        fields["keywords"] = [
            value
            for one in keywords
            if (value := text_of(one.get("name") or one.get("value")) if isinstance(one, dict) else text_of(one))
        ]
    link = item.get("link") or item.get("canonical") or item.get("url")
    if isinstance(link, str) and (url := media.absolute(link)):
        fields["link"] = url


def _credit(item: NinjsItem) -> str:
    """Whom to credit: the credit line, else who provided it."""
    if said := first_text(item, "creditline", "credit", "source"):
        return said
    for name in ("provider", "infosource", "infosources"):
        value = item.get(name)
        for one in value if isinstance(value, list) else [value]:
            if words := text_of(one.get("name") or one.get("literal")) if isinstance(one, dict) else text_of(one):
                return words
    return ""


def _other_body(draft: Draft, item: NinjsItem, unknown: NinjsItem, document: Document) -> None:
    """The text of an item that has none under ninjs's names: under another, or only as a file to be fetched, which is told."""
    fields = draft.fields
    if fields.get("body_html") or text_of(item.get("type")).lower() not in ("", "text", "composite"):
        return
    others = {name: one for name, one in unknown.items() if name not in ("provider", "altids", "infosource")}
    name, html = body_by_shape(others) if others and not document.profile.body_from else ("", "")
    if html:
        fields["body_html"] = html
        unknown.pop(name, None)
        draft.repaired("body-by-shape", f"/{name}", "the longest text of the item")
        return
    links = [
        {"target": href, "type": kind}
        for _, one in named_members(item.get("renditions"))
        if (href := text_of(one.get("href")))
        and (kind := text_of(one.get("mimetype") or one.get("contenttype"))).startswith(("text/", "application/xml"))
    ]
    if links:
        fields["extra"] = {**fields.get("extra", {}), "text_renditions": links[:20]}
        draft.repaired("text-not-included", "/renditions", "its text is only linked, and has not been fetched")


def _subjects(item: NinjsItem) -> list[SubjectFields]:
    found: list[SubjectFields] = []
    for name, kind in SUBJECTS.items():
        several = item.get(name)
        if several is None:
            continue
        for one in several if isinstance(several, list) else [several]:
            if isinstance(one, dict):
                get = one.get
                code = get("code") or get("qcode") or get("literal")
                scheme, uri, value = get("scheme"), get("uri"), get("name")
                if code is None and scheme is None and uri is None and isinstance(value, str) and value:
                    found.append({"kind": kind, "name": value})
                    continue
                subject = vocabularies.subject(
                    kind,
                    code=code if isinstance(code, str) else text_of(code),
                    scheme=scheme if isinstance(scheme, str) else text_of(scheme),
                    uri=uri if isinstance(uri, str) else text_of(uri),
                    name=value if isinstance(value, str) else text_of(value),
                )
                if subject:
                    found.append(subject)
            elif isinstance(one, str) and one:
                found.append({"kind": kind, "name": one})
    return found


_AGENCY = frozenset({"bylines", "photographer", "datelinelocation", "links"})
"""What AP's media API adds to ninjs."""


def _agency(fields: UpdateFields, item: NinjsItem) -> None:
    bylines = item.get("bylines")
    if not fields.get("byline") and isinstance(bylines, list):
        lines = [
            ", ".join(filter(None, (first_text(one, "by", "byline"), first_text(one, "title"))))
            for one in bylines
            if isinstance(one, dict)
        ]
        fields["byline"] = "; ".join(filter(None, lines))
    maker = item.get("photographer")
    if isinstance(maker, dict) and (name := text_of(maker.get("name"))):
        fields["creators"] = [
            {"name": name, "role": "photographer", "organisation": text_of(maker.get("title")) or None}
        ]
    place = item.get("datelinelocation")
    if not fields.get("located") and isinstance(place, dict):
        fields["located"] = first_text(place, "city", "countryareaname", "countryname")
    links = item.get("links")
    for one in links if isinstance(links, list) else ():
        if (
            isinstance(one, dict)
            and one.get("rel") == "canonical"
            and (url := media.absolute(text_of(one.get("href"))))
        ):
            fields.setdefault("link", url)


def _people(draft: Draft, item: NinjsItem) -> None:
    creators: list[CreatorFields] = []
    several = item.get("authors") or item.get("author")
    for one in several if isinstance(several, list) else [several]:
        if isinstance(one, str) and one:
            creators.append({"name": one})
        elif isinstance(one, dict) and (name := text_of(one.get("name") or one.get("byline"))):
            creators.append(
                {
                    "name": name,
                    "uri": text_of(one.get("uri") or one.get("code")) or None,
                    "role": text_of(one.get("role")) or None,
                    "email": text_of(one.get("email")) or None,
                }
            )
    if creators:
        draft.fields["creators"] = creators
