"""One item of NewsML-G2, section by section."""

from ingest.formats import media
from ingest.formats.copy import body
from ingest.formats.fields import AboutMedia, append, strings
from ingest.formats.model import Document
from ingest.formats.text import plain as text
from ingest.formats.xml.document import Element, children, local, words
from ingest.formats.xml.newsml_g2.content_meta import CONTENT_META, RIGHTS_INFO
from ingest.formats.xml.newsml_g2.content_set import read_content
from ingest.formats.xml.newsml_g2.item import Handlers, NewsItem, code_of
from ingest.formats.xml.newsml_g2.item_meta import ITEM_META
from ingest.formats.xml.newsml_g2.package import read_groups

_MAKERS = ("photographer", "illustrator", "creator", None)
"""Roles of who made a picture; None is a creator without one."""
_SUMMARIES = ("summary", "abstract", "teaser", "short", "", "caption", "text")


def read_item(element: Element, place: str, document: Document) -> NewsItem:
    """An item with all that its sections say."""
    item = NewsItem(element, place, document)
    item.fields["guid"] = item.guid
    if version := element.get("version"):
        item.fields["version"] = version
    sections: dict[str, list[Element]] = {}
    for one in element:
        sections.setdefault(local(one), []).append(one)
    for one in sections.get("catalog", ()):
        for scheme in children(one, "scheme"):
            if (alias := scheme.get("alias")) and (uri := scheme.get("uri")):
                item.aliases[alias] = uri
    for one in sections.get("assert", ()):
        if code := code_of(one):
            item.names[code] = item.name_of(one)
    for section, handlers in (("rightsInfo", RIGHTS_INFO), ("itemMeta", ITEM_META), ("contentMeta", CONTENT_META)):
        for one in sections.get(section, ()):
            _properties(item, one, handlers)
    _summarise(item)
    offers: list[media.Offer] = []
    for one in sections.get("contentSet", ()):
        read_content(item, one, offers)
    if item.is_package:
        read_groups(item, element)
    _media(item, offers)
    _complete(item, offers)
    return item


def _properties(item: NewsItem, section: Element, handlers: Handlers) -> None:
    for one in section:
        name = local(one)
        if not name:
            continue
        if (one.get("pubconstraint") or one.get("pubconstrainturi")) and name != "edNote":
            append(item.extra, "not_public", {name: words(one) or code_of(one)})
        elif handler := handlers.get(name):
            handler(item, one)
        elif value := code_of(one) or one.get("value") or words(one):
            append(item.extra, name, value[:2000])


def _summarise(item: NewsItem) -> None:
    headline = item.fields.get("headline") or "\x00"
    # Some send slugline and headline once more as the caption of a text.
    texts = {role: value for role, value in item.captions.items() if not value.endswith(headline)}
    for role in _SUMMARIES:
        if role in texts:
            item.fields["summary"] = texts[role]
            return
    if texts:
        item.fields["summary"] = next(iter(texts.values()))


def _media(item: NewsItem, offers: list[media.Offer]) -> None:
    """What the content set offers is one medium; else the icon, else the pictures that stand in the text."""
    fields, captions = item.fields, item.captions
    references = list(fields.get("media") or ())
    if offers:
        kind = media.kind_of(
            item.nature if item.nature in media.KINDS else None, *(offer.mime_type for offer in offers)
        )
        about: AboutMedia = {
            "copyright": fields.get("copyright"),
            "usage_terms": fields.get("usage_terms"),
            "digital_source_type": fields.get("digital_source_type"),
            "alt_text": captions.get("alttext") or captions.get("alt"),
        }
        if item.is_media:
            makers = (one["name"] for one in item.creators if one.get("role") in ("photographer", None))
            about["guid"] = item.guid
            about["creator"] = next(
                (one["name"] for one in item.creators if one.get("role") in _MAKERS), fields.get("byline")
            )
            about["instructions"] = media.terms(fields.get("private_note"), fields.get("editors_note"))
            about["headline"] = fields.get("headline")
            about["caption"] = captions.get("caption") or fields.get("summary")
            about["credit"] = fields.get("credit") or fields.get("byline") or next(makers, "")
        if found := media.reference(offers, kind, about):
            references.append(found)
    if not references and item.icon and (found := media.reference([item.icon], "picture", {"role": "thumbnail"})):
        references.append(found)
    if references:
        fields["media"] = media.with_roles(references)
    elif pictures := media.in_html(fields.get("body_html") or "", item.profile.media_base_url):
        fields["media"] = media.with_roles(pictures)


def _complete(item: NewsItem, offers: list[media.Offer]) -> None:
    fields, extra = item.fields, item.extra
    fields["headline"] = fields.get("headline") or item.hints.get("title", "")
    fields.setdefault("language", item.language)
    _place(item)
    fields["subjects"] = item.subjects
    if item.creators:
        fields["creators"] = item.creators
    if item.keywords:
        fields["keywords"] = item.keywords
    if item.unresolved and not offers:
        about = {"caption": item.captions.get("caption"), "credit": fields.get("credit")}
        extra["media_unresolved"] = [media.unresolved(one, about) for one in item.unresolved]
    if item.nature:
        extra["itemClass"] = item.nature
    if extra:
        fields["extra"] = {**fields.get("extra", {}), **extra}
    item.draft.hints = {**item.hints, **strings(fields)}


def _place(item: NewsItem) -> None:
    """The dateline is what readers see; where the content was made may be the city that a machine stands in."""
    own = item.fields.get("body_html", "")
    if not item.is_media and (place := body.place_in(own[:6000])):
        item.fields["located"] = place
        return
    if item.profile.located_is_office:
        item.fields["located"] = ""
    if place := text.place_of_dateline(item.hints.get("dateline", "")):
        named = [one.strip() for one in item.fields.get("located", "").split(";")]
        if not any(one and one.casefold() in place.casefold() for one in named):
            item.fields["located"] = place
