"""Content items of NewsML 1: the text, its summary, pictures with their captions."""

from dataclasses import dataclass, field

from ingest.formats import media
from ingest.formats.copy import captions as captions_of
from ingest.formats.fields import AboutMedia, UpdateFields, fill
from ingest.formats.html import from_xml
from ingest.formats.model import Draft
from ingest.formats.text import plain as text
from ingest.formats.xml import document as xml_document
from ingest.formats.xml.document import Element, child, children, formal_name, local, words
from ingest.formats.xml.nitf.body import body_of

_RENDITIONS = (
    "thumb", "preview", "quicklook", "highres", "highdef", "lowres", "web", "squared", "view", "high", "medium", "low",
    "original", "hires",
)  # fmt: skip
_TEXT_ROLES = {"main": 0, "body": 0, "": 1, "text": 1, "story": 0}
_NOT_TEXT = ("caption", "contact", "sidebar", "related", "title", "headline", "stylesheet", "tweettext", "logo")
_NAMES = {**from_xml.XHTML, **from_xml.NITF}
SUMMARY_ROLES = ("abstract", "summary", "teaser", "lead")


@dataclass(slots=True)
class _Picture:
    """The renditions of one picture."""

    offers: list[media.Offer] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    """Addresses that nobody could fetch."""


def read_content(draft: Draft, item: Element, base: str | None) -> None:
    """The text that is the item's own, its summary, and its pictures."""
    best = 9
    captions: dict[Element, str] = {}
    pictures: dict[Element, _Picture] = {}
    for content in xml_document.outermost(item, "ContentItem"):
        component = content.getparent()
        if component is None:
            continue
        parent = component.getparent()
        role = formal_name(child(component, "Role")).lower()
        data = child(content, "DataContent")
        if href := content.get("Href"):
            is_rendition = any(role.startswith(name) for name in _RENDITIONS)
            nested = is_rendition and parent is not None and local(parent) == "NewsComponent"
            holder = parent if nested and parent is not None else component
            picture = pictures.setdefault(holder, _Picture())
            if url := media.absolute(href, base):
                picture.offers.append(_offer(content, url, role))
            else:
                picture.sources.append(href)
        elif data is not None and _is_text(content):
            found = _text_of(data, base, draft)
            if role in SUMMARY_ROLES:
                if summary := text.of_html(found.get("body_html", "")):
                    draft.fields["summary"] = summary
                continue
            if role == "caption":
                if parent is not None:
                    captions[parent] = text.of_html(found.get("body_html", ""))
                continue
            rank = _TEXT_ROLES.get(role, 5 if role in _NOT_TEXT else 2)
            if found.get("body_html") and rank < best and rank < 5:
                best = rank
                fill(draft.fields, found)
    _add_pictures(draft, pictures, captions)


def _is_text(content: Element) -> bool:
    kinds = (formal_name(child(content, name)) for name in ("MediaType", "MimeType", "Format"))
    kind = next(filter(None, kinds), "")
    return "css" not in kind.lower() and media.kind_of(kind, default="text") in ("text", "document")


def _add_pictures(draft: Draft, pictures: dict[Element, _Picture], captions: dict[Element, str]) -> None:
    found = list(draft.fields.get("media") or ())
    unresolved: list[dict[str, str]] = []
    alone = not draft.fields.get("body_html")
    for holder, picture in pictures.items():
        beside = holder.getparent()
        if holder not in captions and beside is not None and beside in captions and len(pictures) == 1:
            captions[holder] = captions[beside]
        news_lines = child(holder, "NewsLines")
        lines = {local(one): words(one) for one in news_lines} if news_lines is not None else {}
        own = {
            (one.get("FormalName") or "").lower(): one.get("Value") or one.get("value") or ""
            for item in children(holder, "ContentItem")
            if item.get("Href")
            for one in item.iter("{*}Property")
        }
        about: AboutMedia = {
            "caption": captions.get(holder) or own.get("caption") or lines.get("SubHeadLine") or lines.get("HeadLine"),
            "headline": lines.get("HeadLine"),
            "credit": own.get("credit")
            or lines.get("CreditLine")
            or lines.get("ByLine")
            or lines.get("CopyrightLine")
            or (_credit(draft) if alone else ""),
            "copyright": lines.get("CopyrightLine"),
            "usage_terms": lines.get("RightsLine"),
            "instructions": media.terms(own.get("specialinstructions"), own.get("instructions")),
            "creator": lines.get("ByLine"),
            "guid": holder.get("Duid"),
        }
        kind = media.kind_of(formal_name(child(holder, "Role")).lower(), *(offer.mime_type for offer in picture.offers))
        if reference := media.reference(picture.offers, kind, about):
            found.append(reference)
        elif picture.sources:
            unresolved.append(media.unresolved(picture.sources[0], about))
    if found:
        draft.fields["media"] = media.with_roles(found)
    elif alone and unresolved and (caption := unresolved[0].get("caption", "")):
        # A picture that cannot be had: what it shows is told all the same.
        said, credit, terms = captions_of.parted(caption)
        draft.fields["body_html"] = text.paragraphs(said)
        draft.fields["credit"] = unresolved[0].get("credit") or credit or draft.fields.get("credit", "")
        if terms and terms not in draft.fields.get("usage_terms", ""):
            draft.fields["usage_terms"] = media.terms(draft.fields.get("usage_terms"), terms)
    if alone and pictures:
        for one in draft.fields.get("creators") or ():
            one.setdefault("role", "photographer")
    if unresolved:
        draft.fields["extra"] = {**draft.fields.get("extra", {}), "media_unresolved": unresolved}


def _credit(draft: Draft) -> str:
    """Whose picture an item is that is nothing but one: `Ann Other/AFP`."""
    makers = (one["name"].strip() for one in draft.fields.get("creators") or ())
    return "/".join(filter(None, dict.fromkeys((next(makers, ""), draft.fields.get("credit", "")))))


def _offer(content: Element, url: str, role: str) -> media.Offer:
    properties = {
        (one.get("FormalName") or "").lower().removeprefix("pixel"): one.get("Value")
        for one in content.iter("{*}Property")
    }
    size = words(child(content, "Characteristics", "SizeInBytes"))
    return media.Offer(
        url,
        formal_name(child(content, "MimeType")) or None,
        media.number(properties.get("width")),
        media.number(properties.get("height")),
        media.number(size or None),
        role,
    )


def _text_of(data: Element, base: str | None, draft: Draft) -> UpdateFields:
    """The text of a data content: NITF, XHTML, bare paragraphs, escaped HTML or plain words."""
    inner = next((one for one in data if local(one)), None)
    if inner is None:
        value = data.text or ""
        if text.is_markup(value) and "</" in value:
            value = text.body_of_page(value).strip()
            return {"body_html": value if from_xml.has_blocks(value.lower()) else text.paragraphs_of_inline(value)}
        return {"body_html": text.paragraphs(value)}
    name = local(inner).lower()
    if name == "nitf":
        return body_of(inner, base, draft)
    if name == "body":
        return body_of(data, base, draft)
    if name == "html":
        body = child(inner, "body")
        return {"body_html": from_xml.page(inner if body is None else body)}
    return {"body_html": from_xml.in_paragraph(from_xml.to_html(data, _NAMES, from_xml.NITF_DROPPED))}
