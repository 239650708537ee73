"""`contentSet` of NewsML-G2: text inline as XHTML, NITF, TTNITF or plain, pictures as remote renditions."""

import base64
import binascii

from ingest.formats import media
from ingest.formats.fields import UpdateFields, append, fill
from ingest.formats.html import from_xml
from ingest.formats.text import plain as text
from ingest.formats.xml import ttnitf
from ingest.formats.xml.document import XML_LANG, Element, child, local, words
from ingest.formats.xml.newsml_g2.item import NewsItem, remote_offer
from ingest.formats.xml.nitf.body import body_of


def read_content(item: NewsItem, section: Element, offers: list[media.Offer]) -> None:
    """The best text of a `contentSet`, and the renditions that it offers."""
    best = 99
    for one in section:
        name = local(one)
        if name == "remoteContent":
            _remote(item, one, offers)
        elif name in ("inlineXML", "inlineData"):
            rank, found = _inline(item, one) if name == "inlineXML" else _data(item, one)
            if one.get(XML_LANG) and not item.language_fit(one):
                rank += 10
            if rank < best and (found.get("body_html") or found.get("headline")):
                best = rank
                fill(item.fields, found)


def _inline(item: NewsItem, element: Element) -> tuple[int, UpdateFields]:
    """How good the text is, the best being 0, and what it holds."""
    inner = next((one for one in element if local(one)), None)
    if inner is None:
        return 3, {"body_html": text.paragraphs(element.text or "")}
    name = local(inner).lower()
    article = inner if name == "nitf" else inner.find(".//{*}nitf")
    if article is not None:
        return 1, body_of(article, item.profile.media_base_url, item.draft)
    if name == "body" and child(inner, "TEXT") is not None:
        return 1, ttnitf.body_of(inner)
    if name in _DATA:
        append(item.extra, "content", name)
        item.draft.repaired("unreadable-content", "/contentSet/inlineXML", f"{name} is for machines")
        return 9, {}
    return _markup(element, inner, name)


def _markup(element: Element, inner: Element, name: str) -> tuple[int, UpdateFields]:
    """The text of XHTML, and of markup that is nearly NITF or XHTML."""
    if name == "body.content":
        return 1, {"body_html": from_xml.in_paragraph(from_xml.to_html(element, from_xml.NITF, from_xml.NITF_DROPPED))}
    page = inner if name in ("html", "body") else inner.find(".//{http://www.w3.org/1999/xhtml}body")
    if page is not None:
        body = child(page, "body") if name == "html" else page
        return 0, {"body_html": from_xml.page(page if body is None else body)}
    if name in from_xml.XHTML:
        return 0, {"body_html": from_xml.in_paragraph(from_xml.to_html(element, from_xml.XHTML))}
    other = next((one for one in inner.iter("{*}BODY") if child(one, "TEXT") is not None), None)
    if other is not None:
        return 1, ttnitf.body_of(other)
    value = [f"<p>{from_xml.to_html(one, from_xml.XHTML)}</p>" for one in inner.iter("{*}p") if words(one)]
    if not value:
        # Markup that nobody knows: its words are not lost.
        value = [f"<p>{text.escaped(said)}</p>" for one in inner if (said := words(one))]
    return 4, {"body_html": "".join(value)}


_DATA = frozenset({"sports-content", "events", "event", "statistics", "weather-content", "rdf", "datasets"})
"""Figures and calendars for machines, whose words make no text."""


def _data(item: NewsItem, element: Element) -> tuple[int, UpdateFields]:
    value = "".join(map(str, element.itertext()))
    kind = (element.get("contenttype") or "text/plain").lower()
    if "base64" in (element.get("encoding") or "").lower():
        try:
            value = base64.b64decode("".join(value.split()), validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            item.draft.repaired("unreadable-content", "/contentSet/inlineData", "base64 that is no text")
            return 9, {}
    if "html" in kind:
        return 1, {"body_html": text.body_of_page(value).strip()}
    if kind.startswith("text/") or not kind:
        if text.is_markup(value) and "</p>" in value:
            return 2, {"body_html": text.reset(value.strip())}
        return 2, {"body_html": text.paragraphs(value)}
    append(item.extra, "content", kind)
    return 9, {}


def _remote(item: NewsItem, element: Element, offers: list[media.Offer]) -> None:
    href = element.get("href") or ""
    mime = element.get("contenttype")
    url = media.absolute(href, item.profile.media_base_url)
    if url is None:
        if target := element.get("residref"):
            item.refers.append(target)
        elif href:
            item.unresolved.append(href[:1000])
        return
    if mime and mime.startswith(("text/", "application/x", "application/json")):
        append(item.extra, "links", {"rel": "content", "target": url, "title": mime})
        return
    offers.append(remote_offer(element, url, element.get("rendition") or ""))
