"""NITF, the News Industry Text Format, 2.0 to 3.6, with and without a namespace: https://iptc.org/std/NITF/

A DTD that a document names is never fetched. Notes that NITF defines as not for publication (`ed-msg`, `note` of type
`npa`) become the private note.
"""

from datetime import tzinfo
from typing import Any

from ingest.formats import media, times, vocabularies
from ingest.formats.reading import MAX_ITEMS, Document, Draft, Format, Parsed, Unreadable
from ingest.formats.text import plain as text
from ingest.formats.xml import document as xml_document
from ingest.formats.xml import markup
from ingest.formats.xml.document import child, children, local, words

_STATUSES = {
    "usable": "usable",
    "embargoed": "usable",
    "withheld": "withheld",
    "canceled": "canceled",
    "cancelled": "canceled",
    "killed": "canceled",
}
_CONTENT_KINDS = {
    "person": "person",
    "org": "organisation",
    "location": "place",
    "event": "event",
    "object.title": "other",
    "function": "other",
    "virtloc": "other",
    "money": "other",
    "classifier": "subject",
}


def recognise(document: Document) -> int:
    """Sure of a `nitf` root element."""
    name, _ = xml_document.root_name(document)
    return 95 if name.lower() == "nitf" else 60 if name and "<nitf" in document.head else 0


def read(document: Document) -> Parsed:
    """One draft for each `nitf` element: the root, or those in some wrapping of the sender's."""
    root = xml_document.parse(document)
    found = list(xml_document.outermost(root, "nitf", "NITF"))
    if len(found) > MAX_ITEMS:
        raise Unreadable("too-many-items", "/", f"{len(found)} items, {MAX_ITEMS} are permitted")
    if not found:
        raise Unreadable("not-nitf", "/", f"there is no nitf element in {local(root)[:60]!r}")
    return Parsed("nitf", [_draft(one, index, document) for index, one in enumerate(found)])


def _draft(element: Any, index: int, document: Document) -> Draft:
    draft = Draft(place=f"/nitf[{index + 1}]" if index else "/nitf")
    fields = draft.fields
    head = child(element, "head")
    hints: dict[str, Any] = {}
    if head is not None:
        for one in children(head, "meta"):
            hints[f"meta:{one.get('name', '')}"] = one.get("content", "")
        hints["title"] = words(child(head, "title"))
    docdata = child(head, "docdata") if head is not None else None
    if head is not None:
        _revision(draft, head)
    _identity(draft, docdata, hints)
    _management(draft, element, docdata, document)
    subjects = _subjects(head, docdata)
    fields.update(body_of(element, document.profile.media_base_url, draft))
    fields["subjects"] = [*subjects, *fields.get("subjects", ())]
    fields["headline"] = fields.get("headline") or hints.get("title", "")
    _language(fields, element)
    _pubdata(fields, head)
    hints.update({name: value for name, value in fields.items() if isinstance(value, str)})
    draft.hints = hints
    extra = {name: value for name, value in hints.items() if name.startswith("meta:") and value}
    if extra or fields.get("extra"):
        fields["extra"] = {**fields.get("extra", {}), **extra}
    if not fields.get("guid"):
        _identity_from_text(draft)
    return draft


def _revision(draft: Draft, head: Any) -> None:
    """What an editor said that he changed, which is for editors."""
    said = [note for one in head.iter("{*}revision-history") if (note := (one.get("comment") or "").strip())]
    if said:
        draft.fields["private_note"] = "\n".join(said)


def _identity(draft: Draft, docdata: Any, hints: dict[str, Any]) -> None:
    fields = draft.fields
    if docdata is None:
        return
    key = child(docdata, "du-key")
    if key is not None:
        hints["du-key"] = key.get("key", "")
        if version := key.get("version"):
            fields["version"] = version
    identity = child(docdata, "doc-id")
    if identity is not None:
        hints["doc-id"] = identity.get("id-string", "")
        if identity.get("regsrc"):
            hints["regsrc"] = identity.get("regsrc")
    document, story = hints.get("doc-id") or "", hints.get("du-key") or ""
    # A document id that only adds to the story's key is the id of one version: `d9cde75b_47` of `d9cde75b`.
    guid = story if story and document.startswith(story) else document or story
    if guid:
        fields["guid"] = guid.strip()


def _identity_from_text(draft: Draft) -> None:
    fields = draft.fields
    said = (
        fields.get("headline"),
        fields.get("slugline"),
        fields.get("first_created") or fields.get("version_created"),
        fields.get("body_html") if not fields.get("headline") else "",
    )
    if any(said):
        fields["guid"] = text.identity(*(str(one or "") for one in said))
        draft.repaired("identity-from-text")


def _management(draft: Draft, element: Any, docdata: Any, document: Document) -> None:
    if docdata is None:
        return
    fields = draft.fields
    said = (docdata.get("management-status") or element.get("management-status") or "").strip()
    status = document.profile.statuses.get(said) or _STATUSES.get(said.lower()) or ("withheld" if said else "usable")
    if said and said.lower() not in _STATUSES and said not in document.profile.statuses:
        draft.repaired("unknown-status", "/head/docdata/@management-status", said)
    fields["status"] = status
    _dates(draft, docdata, said.lower() == "embargoed", times.zone(document.profile.time_zone))
    if refers := docdata.get("management-doc-idref"):
        if status == "canceled":
            fields["guid"] = refers
        elif refers != fields.get("guid"):
            fields["replaces"] = (refers,)
    _urgency(draft, docdata, document)
    correction = child(docdata, "correction")
    if correction is not None:
        fields["signal"] = "correction"
        fields["correction_reason"] = correction.get("info") or words(correction)
        corrected = correction.get("id-string")
        if corrected and corrected != fields.get("guid"):
            fields["replaces"] = (*fields.get("replaces", ()), corrected)
    private = [said for one in children(docdata, "ed-msg") if (said := one.get("info") or words(one))]
    if private:
        fields["private_note"] = "\n".join(filter(None, (fields.get("private_note"), *private)))
    _rights(fields, docdata)


def _dates(draft: Draft, docdata: Any, embargoed: bool, zone: tzinfo) -> None:
    """When it was issued, may be released, and expires; an embargo that nobody can read keeps the item from readers."""
    fields = draft.fields
    issue = _time(draft, child(docdata, "date.issue"), zone)
    release = _time(draft, child(docdata, "date.release"), zone)
    expire = _time(draft, child(docdata, "date.expire"), zone)
    if issue is not None:
        fields["version_created"] = issue
    if expire is not None:
        fields["expires_at"] = expire
    if release is not None and (embargoed or issue is None or release > issue):
        fields["embargo_until"] = release
    elif embargoed:
        fields["status"] = "withheld"
        draft.repaired("embargo-unreadable", "/head/docdata/date.release", "withheld, since nobody can say until when")


def _urgency(draft: Draft, docdata: Any, document: Document) -> None:
    one = child(docdata, "urgency")
    if one is None and (holder := docdata.getparent()) is not None:
        one = child(holder, "urgency")
    said = one.get("ed-urg") if one is not None else None
    if said:
        number = document.profile.urgencies.get(said) or media.number(said)
        if number and 1 <= number <= 9:
            draft.fields["urgency"] = number
        else:
            draft.repaired("urgency-out-of-range", "/head/docdata/urgency/@ed-urg", said)


def _rights(fields: dict[str, Any], docdata: Any) -> None:
    one = child(docdata, "doc.copyright")
    if one is not None:
        fields["copyright"] = " ".join(
            filter(None, ("©" if one.get("holder") else "", one.get("year"), one.get("holder")))
        )
    one = child(docdata, "doc.rights")
    if one is not None:
        fields["usage_terms"] = words(one) or " ".join(filter(None, (one.get("type"), one.get("limitations"))))
    one = child(docdata, "series")
    if one is not None and (name := one.get("series.name")):
        fields["story"] = name
    one = child(docdata, "fixture")
    extra = {"fixture": one.get("fix-id")} if one is not None and one.get("fix-id") else {}
    scope = [said for each in children(docdata, "doc-scope") if (said := each.get("scope"))]
    if scope:
        extra["scope"] = scope
    if extra:
        fields["extra"] = extra


def _time(draft: Draft, element: Any, zone: Any) -> Any:
    if element is None:
        return None
    written = element.get("norm") or words(element)
    if not written:
        return None
    moment, code = times.parse(written, zone)
    if code:
        draft.repaired(code, f"/head/docdata/{local(element)}", written)
    return moment


def _subjects(head: Any, docdata: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any] | None] = []
    if head is not None:
        for topic in children(head, "tobject"):
            for one in children(topic, "tobject.subject"):
                number = one.get("tobject.subject.refnum") or ""
                names = [one.get(f"tobject.subject.{name}") for name in ("detail", "matter", "type")]
                code = f"subj:{number}" if number.isdigit() else number or one.get("tobject.subject.code")
                found.append(vocabularies.subject("subject", code=code, name=next(filter(None, names), None)))
            for one in children(topic, "tobject.property"):
                found.append(vocabularies.subject("genre", name=one.get("tobject.property.type")))  # noqa: PERF401
    if docdata is not None:
        for content in children(docdata, "identified-content"):
            found += [_identified(one) for one in content]
        for place in children(docdata, "evloc"):
            names = [place.get("city"), place.get("state-prov"), place.get("iso-cc")]
            found.append(vocabularies.subject("place", name=words(place) or ", ".join(filter(None, names)) or None))
    return [one for one in found if one]


def _identified(one: Any) -> dict[str, Any] | None:
    name = local(one)
    kind = _CONTENT_KINDS.get(name)
    if kind is None:
        return None
    if name == "classifier":
        kind = {"person": "person", "organization": "organisation", "location": "place"}.get(
            (one.get("type") or "").lower(), kind
        )
    return vocabularies.subject(
        kind,
        code=one.get("idsrc") and one.get("value") and f"{one.get('idsrc')}:{one.get('value')}",
        name=words(one) or one.get("value") or None,
    )


def _language(fields: dict[str, Any], element: Any) -> None:
    body = child(element, "body")
    for one in (body, element):
        if one is not None and (
            said := one.get("{http://www.w3.org/XML/1998/namespace}lang") or one.get("lang") or one.get("baselang")
        ):
            fields["language"] = said
            return


def _pubdata(fields: dict[str, Any], head: Any) -> None:
    if head is None:
        return
    docdata = child(head, "docdata")
    if docdata is not None:
        keys = [
            said
            for keyed in children(docdata, "key-list")
            for one in children(keyed, "keyword")
            if (said := one.get("key") or words(one))
        ]
        if keys:
            fields["keywords"] = keys
        key = child(docdata, "du-key")
        if key is not None and key.get("key"):
            fields["slugline"] = key.get("key")
    publication = child(head, "pubdata")
    if publication is None and docdata is not None:
        publication = child(docdata, "pubdata")
    if publication is None:
        return
    if written := publication.get("date.publication"):
        moment, _ = times.parse(written)
        if moment is not None:
            fields.setdefault("first_created", moment)
            fields.setdefault("version_created", moment)
    if url := media.absolute(publication.get("ex-ref")):
        fields["link"] = url


def body_of(element: Any, base: str | None, draft: Draft) -> dict[str, Any]:
    """The fields that a `nitf` element's body tells, also where it stands inside another format."""
    body = child(element, "body")
    if body is None:
        return {}
    fields: dict[str, Any] = {}
    head = child(body, "body.head")
    if head is not None:
        _body_head(fields, head)
    parts: list[str] = []
    pictures: list[dict[str, Any]] = []
    unresolved: list[dict[str, str]] = []
    for content in children(body, "body.content"):
        parts.append(_content(content))
        pictures += _media(content, base, unresolved)
    if not parts:
        parts.append(markup.in_paragraph(markup.to_html(body, markup.NITF, markup.NITF_DROPPED)))
        pictures += _media(body, base, unresolved)
    elif head is not None:
        pictures += _media(head, base, unresolved)
    end = child(body, "body.end")
    if end is not None:
        known = (draft.fields.get("editors_note", ""), draft.fields.get("private_note", ""))
        parts += [
            f"<p>{markup.to_html(one, markup.NITF)}</p>"
            for one in children(end, "tagline")
            if (said := words(one)) and said not in known
        ]
    fields["body_html"] = "".join(parts)
    if not fields.get("headline") and (said := words(child(element, "head", "title"))):
        fields["headline"] = said
    if pictures:
        fields["media"] = media.with_roles(pictures)
    if unresolved:
        fields["extra"] = {**draft.fields.get("extra", {}), "media_unresolved": unresolved}
    if private := fields.pop("private_note", ""):
        fields["private_note"] = "\n".join(filter(None, (draft.fields.get("private_note"), private)))
    return fields


def _content(content: Any) -> str:
    """The text as HTML; one that some have put there as HTML in a CDATA section is that already."""
    said = (content.text or "").strip()
    if not len(content) and text.is_markup(said) and "<" in said:
        return said if markup.has_blocks(said.lower()) else text.paragraphs_of_inline(said)
    return markup.in_paragraph(markup.to_html(content, markup.NITF, markup.NITF_DROPPED))


def _body_head(fields: dict[str, Any], head: Any) -> None:
    headline = child(head, "hedline")
    if headline is None:
        headline = child(head, "headline")
    if headline is not None:
        main = [words(one) for one in children(headline, "hl1")]
        fields["headline"] = " ".join(filter(None, main)) or words(headline)
        second = " ".join(filter(None, (words(one) for one in children(headline, "hl2"))))
        if second and main:
            fields["summary"] = second
    bylines = [_byline(one) for one in children(head, "byline")]
    if any(bylines):
        fields["byline"] = "; ".join(filter(None, bylines))
    creators = [
        {"name": name, "role": words(child(byline, "byttl")) or None}
        for byline in children(head, "byline")
        for one in children(byline, "person")
        if (name := words(one))
    ]
    if creators:
        fields["creators"] = creators
    distributor = child(head, "distributor")
    if distributor is not None:
        fields["credit"] = words(distributor)
    rights = child(head, "rights")
    if rights is not None and (said := words(rights)):
        fields["copyright"] = said
    dateline = child(head, "dateline")
    if dateline is not None:
        place = child(dateline, "location")
        said = _place(place) if place is not None else " ".join((dateline.text or "").split())
        fields["located"] = said if place is not None else text.place_of_dateline(said)
    abstract = child(head, "abstract")
    if abstract is not None and (said := words(abstract)):
        fields["summary"] = said
    _notes(fields, head)


def _byline(element: Any) -> str:
    """The names, then the title that goes with them."""
    title = words(child(element, "byttl"))
    parts = [element.text or ""]
    for one in element:
        parts += ("" if local(one) == "byttl" else words(one), one.tail or "")
    names = " ".join(" ".join(parts).split()).replace(" ,", ",").rstrip(" ,")
    return ", ".join(filter(None, (names, title)))


def _place(element: Any) -> str:
    """A location's words; city, region and country are told apart by commas."""
    parts = [said for one in element if (said := words(one))]
    if len(parts) < 2 or (element.text or "").strip() or any((one.tail or "").strip() for one in element):
        return words(element)
    return ", ".join(parts)


def _notes(fields: dict[str, Any], head: Any) -> None:
    public: list[str] = []
    private: list[str] = []
    for one in children(head, "note"):
        if said := words(one):
            (private if (one.get("type") or "").lower() == "npa" else public).append(said)
    if public:
        fields["editors_note"] = "\n".join(public)
    if private:
        fields["private_note"] = "\n".join(private)


def _pictures(content: Any, base: str | None, unresolved: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Pictures in the text as `img`, whose address some call `source`."""
    found: list[dict[str, Any]] = []
    for one in content.iter("{*}img"):
        said = one.get("src") or one.get("source") or ""
        size = media.number(one.get("width")), media.number(one.get("height"))
        if url := media.absolute(said, base):
            if made := media.reference(
                [media.Offer(url, None, *size)], "picture", {"alt_text": one.get("alt"), "role": "inline"}
            ):
                found.append(made)
        elif said:
            unresolved.append(media.unresolved(said, {"caption": one.get("alt")}))
    return found


def _media(content: Any, base: str | None, unresolved: list[dict[str, str]]) -> list[dict[str, Any]]:
    """Each `media` element is one medium; its references are renditions of it."""
    found: list[dict[str, Any]] = []
    for one in content.iter("{*}media"):
        offers: list[media.Offer] = []
        sources: list[str] = []
        mime = None
        for each in children(one, "media-reference"):
            mime = each.get("mime-type") or mime
            url = media.absolute(each.get("source"), base)
            if url:
                offers.append(
                    media.Offer(
                        url,
                        each.get("mime-type"),
                        media.number(each.get("width")),
                        media.number(each.get("height")),
                        None,
                        each.get("name") or each.get("id") or "",
                    )
                )
            elif said := each.get("source") or each.get("name"):
                sources.append(said)
        told = {
            (each.get("name") or "").lower(): each.get("value") or words(each)
            for each in children(one, "media-metadata")
        }
        reference = child(one, "media-reference")
        about = {
            "caption": " ".join(filter(None, (words(each) for each in children(one, "media-caption")))),
            "credit": words(child(one, "media-producer"))
            or told.get("credit")
            or told.get("byline")
            or told.get("source"),
            "copyright": told.get("copyright"),
            "headline": told.get("headline") or told.get("title"),
            "guid": one.get("id"),
            "alt_text": reference.get("alternate-text") if reference is not None else None,
            "usage_terms": told.get("usage-terms") or told.get("rights"),
        }
        kind = media.kind_of((one.get("media-type") or ""), mime)
        if made := media.reference(offers, kind, about):
            found.append(made)
        elif sources:
            unresolved.append(media.unresolved(sources[0], about))
    if not found:
        found = _pictures(content, base, unresolved)
    return found


FORMAT = Format(
    names=("nitf",),
    media_types=("application/nitf+xml", "text/vnd.iptc.nitf"),
    recognise=recognise,
    read=read,
    family="xml",
)
