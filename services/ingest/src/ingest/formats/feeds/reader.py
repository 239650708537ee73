"""RSS 0.9 to 2.0, RDF (RSS 1.0), Atom 0.3 and 1.0 and CDF, by feedparser, which has met more broken feeds than anybody.

feedparser is given bytes that are decoded and freed of their document type, so that it opens and fetches nothing; its
own sanitising is off, since enrich does that, and it would lose content. Sources: RSS 2.0 specification, RFC 4287, RFC 6721
(deleted entries), Media RSS 1.5.1.
"""

import io
import re

import feedparser

from ingest.formats import media, times
from ingest.formats.copy.endings.footers import take_footers
from ingest.formats.feeds.entry import (
    Entry,
    extra_of,
    identify_from_text,
    plain,
    set_identity,
    set_people,
    set_times,
    set_words,
    several,
    shared_ids,
    shared_links,
    subjects_of,
)
from ingest.formats.feeds.excess import shortened, tree_of
from ingest.formats.feeds.media_rss import media_apart, media_of, take_media_words
from ingest.formats.model import Document, Draft, Format, Parsed, RefusedItem, Unreadable, refuse_many
from ingest.formats.xml import document as xml_document
from ingest.formats.xml.document import Element
from shared.messages import Repair

_ROOTS = {
    "rss": "rss", "feed": "atom", "RDF": "rdf", "rdf": "rdf", "channel": "rss", "CHANNEL": "rss", "Channel": "rss",
    "redirect": "",
}  # fmt: skip
_NO_CHARACTER = re.compile(r"&#(?:\d{8,}|[xX]0*[1-9a-fA-F][0-9a-fA-F]{6,});?")
"""References to characters that Unicode does not have, which feedparser trips over."""


def recognise(document: Document) -> int:
    """Sure of a root element that only feeds have."""
    name, _ = xml_document.root_name(document)
    if name in ("rss", "feed"):
        return 90
    if name in ("RDF", "rdf"):
        return 85
    if name.lower() == "channel":
        return 70
    head = document.head
    return (
        55
        if name
        and any(
            f"<{root}" in head for root in ("rss ", "rss>", "feed ", "rdf:RDF", "item>", "item ", "entry>", "entry ")
        )
        else 0
    )


def read(document: Document) -> Parsed:
    """One draft for each entry, in the order of the feed."""
    source = media_apart(xml_document.prepared(document))
    root = tree_of(source)
    repairs: list[Repair] = []
    result = _parsed(shortened(root, source, repairs), document)
    entries: list[Entry] = result.entries
    feed: Entry = result.feed
    refuse_many(len(entries), "", "entries")
    version = result.get("version") or ""
    name, _ = xml_document.root_name(document)
    if not entries and not version and name not in _ROOTS:
        raise Unreadable("not-a-feed", "/", f"the root element {name[:60]!r} is no feed's")
    kind = (
        "atom" if version.startswith("atom") else "rdf" if version in ("rss10", "rss090") else _ROOTS.get(name) or "rss"
    )
    if result.get("bozo") and not isinstance(
        problem := result.get("bozo_exception"), feedparser.NonXMLContentType | feedparser.CharacterEncodingOverride
    ):
        repairs.append(Repair(code="malformed-xml", detail=str(problem)[:200]))
    elements = _elements(root, source, len(entries))
    unclear, unsure = shared_links(entries), shared_ids(entries)
    base = _base_of(feed, document)
    zone = times.zone(document.profile.time_zone)
    grouped = "media:group" in source
    # The declared type of the feed's own text is not regarded.
    rights = plain({}, dict.get(feed, "rights"))
    items: list[Draft | RefusedItem] = []
    for index, entry in enumerate(entries):
        draft = Draft(place=f"/{'entry' if kind == 'atom' else 'item'}[{index + 1}]", hints=entry)
        set_identity(draft, entry, unclear | unsure if unsure else unclear, base)
        set_times(draft, entry, zone)
        set_words(draft, entry, feed, rights, base)
        if elements:
            take_media_words(draft.fields, elements[index])
        take_footers(draft)
        set_people(draft, entry)
        draft.fields["subjects"] = list(subjects_of(entry))
        near = draft.fields.get("link") or base
        references = media_of(entry, elements[index] if elements else None, grouped, near)
        if not references or not any(one["kind"] in ("picture", "graphic") for one in references):
            references += media.in_html(draft.fields["body_html"], near)
        draft.fields["media"] = media.with_roles(references)
        if extra := extra_of(entry):
            draft.fields["extra"] = extra
        items.append(identify_from_text(draft))
    items += _deleted(root)
    return Parsed(kind, items, repairs)


def _base_of(feed: Entry, document: Document) -> str | None:
    """What relative links are meant against: the channel's page, else the feed's own address."""
    own = next((one.get("href") for one in several(feed, "links") if one.get("rel") == "self"), None)
    found = (dict.get(feed, "link"), own, document.request.address, document.profile.media_base_url)
    return next((url for one in found if isinstance(one, str) and (url := media.absolute(one))), None)


def _parsed(source: str, document: Document) -> feedparser.FeedParserDict:
    """feedparser's answer, without its own opening, fetching, sanitising."""
    headers = {"content-type": "application/xml; charset=utf-8"}
    if document.profile.media_base_url:
        headers["content-location"] = document.profile.media_base_url
    try:
        return feedparser.parse(
            io.BytesIO(_NO_CHARACTER.sub("", source).encode("utf-8", "replace")),
            response_headers=headers,
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except (ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError, OverflowError) as error:
        raise Unreadable("malformed-feed", "", f"{type(error).__name__}: {error}"[:200]) from None


def _elements(root: Element | None, source: str, count: int) -> list[Element]:
    """The entries' elements where the feed is XML and uses Media RSS; as many as there are entries, or none."""
    if root is None or "search.yahoo.com/mrss" not in source:
        return []
    found = list(root.iter("{*}item", "{*}entry"))
    return found if len(found) == count else []


def _deleted(root: Element | None) -> list[Draft]:
    """RFC 6721: an entry that its publisher deleted from the feed is withheld until it comes again."""
    drafts: list[Draft] = []
    if root is None:
        return drafts
    for index, one in enumerate(root.iter("{http://purl.org/atompub/tombstones/1.0}deleted-entry")):
        draft = Draft(place=f"/deleted-entry[{index + 1}]")
        draft.fields = {"guid": one.get("ref"), "status": "withheld"}
        moment, _ = times.parse(one.get("when") or "")
        if moment is not None:
            draft.fields["version_created"] = moment
        if comment := xml_document.words(xml_document.child(one, "comment")):
            draft.fields["private_note"] = comment
        drafts.append(draft)
    return drafts


FORMAT = Format(
    names=("feed", "rss", "atom", "rdf"),
    media_types=(
        "application/rss+xml",
        "application/atom+xml",
        "application/rdf+xml",
        "text/rss+xml",
        "application/x-rss+xml",
    ),
    recognise=recognise,
    read=read,
    family="xml",
)
