"""The links that a feed has beside its items: to its hub, to itself, to its older pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

import orjson
from lxml import etree

MAX_TAGS = 400_000
MAX_LINKS = 200
"""More than a feed has beside its items."""

ATOM = "{http://www.w3.org/2005/Atom}link"
OLDER = ("next", "prev-archive")
"""RFC 5005, sections 3 and 4: the next page of a paged feed, the archive before this one."""


@dataclass(frozen=True, slots=True)
class FeedLinks:
    """Absolute URLs."""

    hub: str | None = None
    topic: str | None = None
    older: str | None = None


def feed_links(body: bytes, url: str, headers: Iterable[Mapping[str, str]] = ()) -> FeedLinks:
    """The links of a feed that came from `url`; those of the Link headers win (WebSub, section 4)."""
    found: dict[str, str] = {}
    for link in headers:
        for rel in link.get("rel", "").lower().split():
            found.setdefault(rel, link["url"])
    in_body = _in_json(body) if body.lstrip()[:1] == b"{" else _in_xml(body)
    for rel, target in in_body:
        found.setdefault(rel, urljoin(url, target))
    older = next((found[rel] for rel in OLDER if rel in found), None)
    return FeedLinks(found.get("hub"), found.get("self"), older)


def _in_json(body: bytes) -> list[tuple[str, str]]:
    if body.count(b"{") + body.count(b"[") > MAX_TAGS:
        return []
    try:
        feed = orjson.loads(body)
    except orjson.JSONDecodeError:
        return []
    if not isinstance(feed, dict):
        return []
    named = [("self", feed.get("feed_url")), ("next", feed.get("next_url"))]
    hubs = feed.get("hubs")
    named.extend(
        ("hub", hub.get("url"))
        for hub in (hubs[:MAX_LINKS] if isinstance(hubs, list) else [])
        if isinstance(hub, dict) and str(hub.get("type", "")).lower() == "websub"
    )
    return [(rel, target) for rel, target in named if isinstance(target, str) and target]


def _in_xml(body: bytes) -> list[tuple[str, str]]:
    if body.count(b"<") > MAX_TAGS:
        return []
    parser = etree.XMLParser(recover=True, resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(body, parser)
    except (etree.XMLSyntaxError, ValueError):
        return []
    links: list[tuple[str, str]] = []
    for element in root.iter(ATOM) if root is not None else ():
        # Links of items are not the feed's.
        if any(etree.QName(above).localname in ("entry", "item") for above in element.iterancestors()):
            continue
        target = element.get("href")
        if target:
            links.extend((rel, target) for rel in element.get("rel", "alternate").lower().split()[:MAX_LINKS])
        if len(links) > MAX_LINKS:
            break
    return links
