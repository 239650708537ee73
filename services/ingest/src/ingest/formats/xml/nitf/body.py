"""`body` of NITF, also where it stands inside another format: headline, byline, notes, text, pictures."""

from ingest.formats import media
from ingest.formats.fields import AboutMedia, CreatorFields, MediaFields, UpdateFields
from ingest.formats.html import from_xml
from ingest.formats.model import Draft
from ingest.formats.text import plain as text
from ingest.formats.xml.document import Element, child, children, local, words


def body_of(element: Element, base: str | None, draft: Draft) -> UpdateFields:
    """The fields in the body of a `nitf` element, which may be inside another format."""
    body = child(element, "body")
    if body is None:
        return {}
    fields: UpdateFields = {}
    head = child(body, "body.head")
    if head is not None:
        _body_head(fields, head)
    parts: list[str] = []
    pictures: list[MediaFields] = []
    unresolved: list[dict[str, str]] = []
    for content in children(body, "body.content"):
        parts.append(_content(content))
        pictures += _media(content, base, unresolved)
    if not parts:
        parts.append(from_xml.in_paragraph(from_xml.to_html(body, from_xml.NITF, from_xml.NITF_DROPPED)))
        pictures += _media(body, base, unresolved)
    elif head is not None:
        pictures += _media(head, base, unresolved)
    end = child(body, "body.end")
    if end is not None:
        known = (draft.fields.get("editors_note", ""), draft.fields.get("private_note", ""))
        parts += [
            f"<p>{from_xml.to_html(one, from_xml.NITF)}</p>"
            for one in children(end, "tagline")
            if (value := words(one)) and value not in known
        ]
    fields["body_html"] = "".join(parts)
    if not fields.get("headline") and (value := words(child(element, "head", "title"))):
        fields["headline"] = value
    if pictures:
        fields["media"] = media.with_roles(pictures)
    if unresolved:
        fields["extra"] = {**draft.fields.get("extra", {}), "media_unresolved": unresolved}
    if private := fields.pop("private_note", ""):
        fields["private_note"] = "\n".join(filter(None, (draft.fields.get("private_note"), private)))
    return fields


def _content(content: Element) -> str:
    """The text as HTML; one that some have put there as HTML in a CDATA section is that already."""
    value = (content.text or "").strip()
    if not len(content) and text.is_markup(value) and "<" in value:
        return value if from_xml.has_blocks(value.lower()) else text.paragraphs_of_inline(value)
    return from_xml.in_paragraph(from_xml.to_html(content, from_xml.NITF, from_xml.NITF_DROPPED))


def _body_head(fields: UpdateFields, head: Element) -> None:
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
    creators: list[CreatorFields] = [
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
    if rights is not None and (value := words(rights)):
        fields["copyright"] = value
    dateline = child(head, "dateline")
    if dateline is not None:
        place = child(dateline, "location")
        value = _place(place) if place is not None else " ".join((dateline.text or "").split())
        fields["located"] = value if place is not None else text.place_of_dateline(value)
    abstract = child(head, "abstract")
    if abstract is not None and (value := words(abstract)):
        fields["summary"] = value
    _notes(fields, head)


def _byline(element: Element) -> str:
    """The names, then the title that goes with them."""
    title = words(child(element, "byttl"))
    parts = [element.text or ""]
    for one in element:
        parts += ("" if local(one) == "byttl" else words(one), one.tail or "")
    names = " ".join(" ".join(parts).split()).replace(" ,", ",").rstrip(" ,")
    return ", ".join(filter(None, (names, title)))


def _place(element: Element) -> str:
    """A location; city, region and country are separated by commas."""
    parts = [value for one in element if (value := words(one))]
    if len(parts) < 2 or (element.text or "").strip() or any((one.tail or "").strip() for one in element):
        return words(element)
    return ", ".join(parts)


def _notes(fields: UpdateFields, head: Element) -> None:
    public: list[str] = []
    private: list[str] = []
    for one in children(head, "note"):
        if value := words(one):
            (public if (one.get("type") or "").lower() == "pa" and not text.says_private(value) else private).append(
                value
            )
    if public:
        fields["editors_note"] = "\n".join(public)
    if private:
        fields["private_note"] = "\n".join(private)


def _pictures(content: Element, base: str | None, unresolved: list[dict[str, str]]) -> list[MediaFields]:
    """Pictures in the text as `img`, whose address some call `source`."""
    found: list[MediaFields] = []
    for one in content.iter("{*}img"):
        value = one.get("src") or one.get("source") or ""
        size = media.number(one.get("width")), media.number(one.get("height"))
        if url := media.absolute(value, base):
            if made := media.reference(
                [media.Offer(url, None, *size)], "picture", {"alt_text": one.get("alt"), "role": "inline"}
            ):
                found.append(made)
        elif value:
            unresolved.append(media.unresolved(value, {"caption": one.get("alt")}))
    return found


def _media(content: Element, base: str | None, unresolved: list[dict[str, str]]) -> list[MediaFields]:
    """Each `media` element is one medium; its references are renditions of it."""
    found: list[MediaFields] = []
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
            elif value := each.get("source") or each.get("name"):
                sources.append(value)
        metadata = {
            (each.get("name") or "").lower(): each.get("value") or words(each)
            for each in children(one, "media-metadata")
        }
        reference = child(one, "media-reference")
        about: AboutMedia = {
            "caption": " ".join(filter(None, (words(each) for each in children(one, "media-caption")))),
            "credit": words(child(one, "media-producer"))
            or metadata.get("credit")
            or metadata.get("byline")
            or metadata.get("source"),
            "copyright": metadata.get("copyright"),
            "headline": metadata.get("headline") or metadata.get("title"),
            "guid": one.get("id"),
            "alt_text": reference.get("alternate-text") if reference is not None else None,
            "usage_terms": metadata.get("usage-terms") or metadata.get("rights"),
            "instructions": media.terms(metadata.get("special-instructions"), metadata.get("instructions")),
            "creator": metadata.get("byline") or metadata.get("photographer"),
            "digital_source_type": metadata.get("digital-source-type") or metadata.get("digitalsourcetype"),
        }
        kind = media.kind_of((one.get("media-type") or ""), mime)
        if made := media.reference(offers, kind, about):
            found.append(made)
        elif sources:
            unresolved.append(media.unresolved(sources[0], about))
    if not found:
        found = _pictures(content, base, unresolved)
    return found
