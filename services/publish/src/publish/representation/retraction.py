"""What is told of an update that readers had and may not have any more: that it is gone, and never a word of it.

Readers of feeds keep what they fetched; an entry that only vanishes stays with them. So each form says it in its own way: Atom by
a tombstone (RFC 6721), RSS 2.0 and JSON Feed by a notice under the entry's id, ninjs by `pubStatus: canceled`.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime

import orjson
from lxml import etree
from lxml.builder import ElementMaker  # type: ignore[import-not-found]

from publish.representation.position import Position
from publish.representation.reader_update import ReaderUpdate
from publish.representation.site import Site
from shared.messages import Removal

TOMBSTONES = "http://purl.org/atompub/tombstones/1.0"
ATOM = "http://www.w3.org/2005/Atom"
RETRACTED = "retracted"
"""The category, tag and member by which programs know a notice."""

WORDS = {
    "expired": "This update is no longer available.",
    "superseded": "This update has been replaced by a newer one.",
}
WITHDRAWN = "This update has been withdrawn."
TITLE = "Update withdrawn"

Said = Callable[[str], str]
"""Says words in the language of the site."""


@dataclass(frozen=True, slots=True)
class Retraction:
    """An update that was visible and is not any more. `at` is when it was taken out of sight, `channels` where readers had it."""

    update_id: str
    revision: int
    removal: Removal
    position: Position
    at: datetime
    first_published_at: datetime
    channels: frozenset[str]

    @property
    def id(self) -> str:
        """The id of its entry in every feed."""
        return f"urn:slugline:update:{self.update_id}"

    @property
    def path(self) -> str:
        """Its page, which says that it is gone; without the words that its address had."""
        return f"/updates/{self.update_id}"

    @property
    def words(self) -> str:
        """What readers are told."""
        return WORDS.get(self.removal, WITHDRAWN)


def retraction_of(update: ReaderUpdate, channels: Iterable[str]) -> Retraction | None:
    """The retraction of a removal; None where readers never saw the update, which leaves no trace then."""
    if update.removal is None or update.position is None:
        return None
    passport = update.passport
    return Retraction(
        update_id=update.update_id,
        revision=update.revision,
        removal=update.removal,
        position=update.position,
        at=passport.enriched_at or passport.received_at,
        first_published_at=update.first_published_at,
        channels=frozenset(channels),
    )


def atom_tombstone(site: Site, gone: Retraction, said: Said = str) -> etree._Element:
    """`at:deleted-entry` (RFC 6721, section 3)."""
    make = ElementMaker(namespace=TOMBSTONES, nsmap={"at": TOMBSTONES})
    element: etree._Element = make("deleted-entry", make.comment(said(gone.words)), ref=gone.id, when=site.iso(gone.at))
    return element


def rss_notice(site: Site, gone: Retraction, said: Said = str) -> etree._Element:
    """The item that takes the place of the one with the same `guid`."""
    make, atom = ElementMaker(), ElementMaker(namespace=ATOM, nsmap={"atom": ATOM})
    item: etree._Element = make.item(
        make.title(said(TITLE)),
        make.link(site.url + gone.path),
        make.guid(gone.id, isPermaLink="false"),
        make.pubDate(format_datetime(gone.first_published_at)),
        make.description(said(gone.words)),
        make.category(RETRACTED, domain="urn:slugline:status"),
        atom.updated(site.iso(gone.at)),
    )
    return item


def json_notice(site: Site, gone: Retraction, said: Said = str) -> dict[str, object]:
    """The item that takes the place of the one with the same `id`; `_slugline` is an extension (JSON Feed 1.1)."""
    return {
        "id": gone.id,
        "url": site.url + gone.path,
        "title": said(TITLE),
        "content_text": said(gone.words),
        "date_published": site.iso(gone.first_published_at),
        "date_modified": site.iso(gone.at),
        "tags": [RETRACTED],
        "_slugline": {"about": site.url + "/docs#retractions", RETRACTED: gone.removal, "revision": gone.revision},
    }


def canceled_ninjs(site: Site, gone: Retraction) -> dict[str, object]:
    """The item as canceled (ninjs 3.1, `pubStatus`)."""
    return {
        "uri": gone.id,
        "standard": {"name": "ninjs", "version": "3.1"},
        "type": "text",
        "representationType": "partial",
        "version": str(gone.revision),
        "firstCreated": site.iso(gone.first_published_at),
        "versionCreated": site.iso(gone.at),
        "pubStatus": "canceled",
        "altIds": [{"role": "page", "value": site.url + gone.path}],
    }


_TOMBSTONE = re.compile(rb"<at:deleted-entry\b.*?</at:deleted-entry>", re.DOTALL)
_ITEM = re.compile(rb"<item>.*?</item>", re.DOTALL)
_RSS_MARK = b'<category domain="urn:slugline:status">retracted</category>'


def without_notices(body: bytes) -> bytes:
    """A feed in any of the forms without its notices: what it still shows."""
    if body.lstrip()[:1] == b"{":
        try:
            feed = orjson.loads(body)
        except ValueError:
            return body
        if isinstance(feed, dict) and isinstance(items := feed.get("items"), list):
            feed["items"] = [
                item
                for item in items
                if not (
                    isinstance(item, dict) and (RETRACTED in _extension(item) or item.get("pubStatus") == "canceled")
                )
            ]
            return orjson.dumps(feed)
        return body
    body = _TOMBSTONE.sub(b"", body)
    return _ITEM.sub(lambda match: b"" if _RSS_MARK in match[0] else match[0], body)


def _extension(item: dict[str, object]) -> dict[str, object]:
    found = item.get("_slugline")
    return found if isinstance(found, dict) else {}
