"""Feeds out: RSS 2.0, Atom (RFC 4287), JSON Feed 1.1.

An entry has one id for ever; a correction moves its `updated`, a kill puts a notice in its place. What a source says is text to a feed
reader, whatever it looks like; only the body is HTML, and that is sanitised.
"""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from urllib.parse import quote

from lxml import etree
from lxml.builder import ElementMaker  # type: ignore[import-not-found]
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.representation.origin import source_type_uri, text_label
from publish.representation.pictures import Picture, figure_elsewhere, laid_out, pictures_of
from publish.representation.position import NEWS, channels_of
from publish.representation.reader_json import dump
from publish.representation.reader_update import ReaderUpdate
from publish.representation.retraction import TOMBSTONES, Retraction, atom_tombstone, json_notice, rss_notice
from publish.representation.site import author_path, story_path, tag_path
from publish.representation.words import (
    byline_of,
    full_text_of,
    headline_of,
    language_of,
    modified_at,
    printable,
    story_name,
    title_of,
)
from publish.web.archive_client import MOST_CHARACTERS, page_of
from publish.web.feed_store import FeedEntry, FeedStore, characters_of
from publish.web.response_cache import ReadyAnswer
from publish.web.routes.answers import EXPOSED, NOSNIFF, OPEN, Answers, ReadyResponse
from publish.web.routes.parameters import NOW
from shared.http.problem import Problem
from shared.http.query import with_query

ENTRIES = 50
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
DC = "http://purl.org/dc/elements/1.1/"
MEDIA = "http://search.yahoo.com/mrss/"
RSS_PREFIXES = {"atom": ATOM, "content": CONTENT, "dc": DC, "media": MEDIA}
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"

TYPES = {
    "rss": "application/rss+xml; charset=utf-8",
    "atom": "application/atom+xml; charset=utf-8",
    "json": "application/feed+json; charset=utf-8",
}
KINDS = {"story": story_path, "tag": tag_path, "author": author_path}


def id_of(update: ReaderUpdate) -> str:
    """The id of an entry: the update's, for ever."""
    return f"urn:slugline:update:{update.update_id}"


def _summary(update: ReaderUpdate) -> str:
    return printable(update.summary or update.excerpt or full_text_of(update)[:300])


def _whole(entries: Sequence[FeedEntry], room: int) -> set[str]:
    """The ids of the updates for whose words there is room, the newest first."""
    found = set[str]()
    for entry in entries:
        size = characters_of(entry.update)
        if size <= room:
            room -= size
            found.add(entry.update.update_id)
    return found


class Feed:
    """One feed, to be written in any of the formats."""

    def __init__(
        self,
        answers: Answers,
        *,
        title: str,
        page: str,
        address: str,
        hub: str,
        entries: Sequence[FeedEntry],
        name: str,
        retractions: Sequence[Retraction] = (),
        following: str = "",
        about: str = "",
        most_characters: int = sys.maxsize,
    ) -> None:
        """Of updates whose words are past `most_characters` in all, it has the excerpt. `following` is the address of the next page of entries; `retractions` are told beside the entries."""
        self.url = answers.renderer.site.url
        self.renderer = answers.renderer
        self.title = title
        self.page = self.url + page
        self.address = self.url + address
        self.hub = hub
        self.entries = entries
        self.publisher = name
        self.said = _ = answers.renderer.interface.gettext
        self.about = about or _("Live coverage: %(name)s.") % {"name": title}
        self.language = answers.settings.publish_language
        self.retractions = retractions
        self.following = following
        self._whole = _whole(entries, most_characters)
        changes = [modified_at(entry.update) for entry in entries] + [each.at for each in retractions]
        self.updated = max(changes, default=NEVER)

    def _html(self, update: ReaderUpdate) -> str:
        layout = laid_out(update)
        figures = "".join(map(self._figure, filter(None, (layout.lead, *layout.others))))
        note = f"<p><em>{escape(printable(update.editors_note))}</em></p>" if update.editors_note else ""
        words = text_label(update, self.said)
        label = f"<p><em>{escape(words)}</em></p>" if words else ""
        body: str
        if update.update_id in self._whole:
            # As text: markup would escape the others, which are HTML as well.
            body = str(self.renderer.body(update, 2, self._figure)) + self.renderer.blocks(update)
        else:
            onward = f'<a href="{escape(self.url + update.path)}">{escape(self.said("Continue reading"))}</a>'
            body = f"<p>{escape(_summary(update))} {onward}</p>"
        return label + figures + body + note

    def _figure(self, picture: Picture) -> str:
        return figure_elsewhere(self.url, picture, self.said)

    def rss(self) -> bytes:
        """RSS 2.0 with the atom, content, dc and media modules."""
        make = ElementMaker(nsmap=RSS_PREFIXES)
        atom = ElementMaker(namespace=ATOM)
        channel = make.channel(
            make.title(self.title),
            make.link(self.page),
            make.description(self.about),
            make.language(self.language),
            make.lastBuildDate(format_datetime(self.updated)),
            make.generator("Slugline"),
            make.ttl("1"),
            atom.link(href=self.address, rel="self", type="application/rss+xml"),
            *([atom.link(href=self.hub, rel="hub")] if self.hub else []),
        )
        for _, item in self.renderer.omissions.those(self.entries, "rss", self._rss_item):
            channel.append(item)
        for gone in self.retractions:
            channel.append(rss_notice(self.renderer.site, gone, self.said))
        return _serialised(make.rss(channel, version="2.0"))

    def _rss_item(self, entry: FeedEntry) -> etree._Element:
        make, atom = ElementMaker(nsmap=RSS_PREFIXES), ElementMaker(namespace=ATOM)
        update = entry.update
        headline = headline_of(update)
        item: etree._Element = make.item(
            *([make.title(headline)] if headline else []),
            make.link(self.url + update.path),
            make.guid(id_of(update), isPermaLink="false"),
            make.pubDate(format_datetime(update.first_published_at)),
            make.description(escape(_summary(update), quote=False)),
            ElementMaker(namespace=CONTENT).encoded(self._html(update)),
            atom.updated(self.renderer.site.iso(modified_at(update))),
        )
        byline = byline_of(update)
        if byline:
            item.append(ElementMaker(namespace=DC).creator(byline))
        for tag in update.tags:
            item.append(
                make.category(printable(tag.label or tag.code), domain=printable(tag.uri or "urn:slugline:tag"))
            )
        for picture in pictures_of(update)[:1]:
            item.append(self._media(picture))
        return item

    def _media(self, picture: Picture) -> etree._Element:
        media = ElementMaker(namespace=MEDIA)
        element: etree._Element = media.content(
            url=self.url + picture.largest, medium="image", width=str(picture.width), height=str(picture.height)
        )
        if picture.caption:
            element.append(media.description(picture.caption, type="plain"))
        if picture.credit:
            element.append(media.credit(picture.credit))
        return element

    def atom(self) -> bytes:
        """Atom."""
        make = ElementMaker(namespace=ATOM, nsmap={None: ATOM, "at": TOMBSTONES})
        feed = make.feed(
            make.id(self.address),
            make.title(self.title),
            make.subtitle(self.about),
            make.updated(self.renderer.site.iso(self.updated)),
            make.link(href=self.address, rel="self", type="application/atom+xml"),
            make.link(href=self.page, rel="alternate", type="text/html"),
            *([make.link(href=self.hub, rel="hub")] if self.hub else []),
            make.author(make.name(self.publisher), make.uri(self.url + "/")),
            make.generator("Slugline"),
        )
        feed.set(XML_LANG, self.language)
        for _, element in self.renderer.omissions.those(self.entries, "atom", self._atom_entry):
            feed.append(element)
        for gone in self.retractions:
            feed.append(atom_tombstone(self.renderer.site, gone, self.said))
        return _serialised(feed)

    def _atom_entry(self, entry: FeedEntry) -> etree._Element:
        make = ElementMaker(namespace=ATOM, nsmap={None: ATOM})
        update = entry.update
        element: etree._Element = make.entry(
            make.id(id_of(update)),
            make.title(title_of(update), type="text"),
            make.link(href=self.url + update.path, rel="alternate", type="text/html"),
            make.published(self.renderer.site.iso(update.first_published_at)),
            make.updated(self.renderer.site.iso(modified_at(update))),
            make.summary(_summary(update), type="text"),
            make.content(self._html(update), type="html"),
        )
        if language_of(update):
            element.set(XML_LANG, language_of(update))
        for author in update.authors:
            person = make.author(make.name(printable(author.name) or "unknown"))
            if author.slug:
                person.append(make.uri(self.url + author_path(author.slug)))
            element.append(person)
        if not update.authors and byline_of(update):
            element.append(make.author(make.name(byline_of(update))))
        for tag in update.tags:
            element.append(make.category(term=printable(tag.code), label=printable(tag.label or tag.code)))
        if update.copyright:
            element.append(make.rights(printable(update.copyright)))
        return element

    def json(self, **extensions: object) -> bytes:
        """JSON Feed 1.1, with extensions whose names begin with an underscore."""
        return dump(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "title": self.title,
                "description": self.about,
                "home_page_url": self.page,
                "feed_url": self.address,
                "language": self.language,
                "authors": [{"name": self.publisher, "url": self.url + "/"}],
                **({"next_url": self.following} if self.following else {}),
                **({"hubs": [{"type": "WebSub", "url": self.hub}]} if self.hub else {}),
                **extensions,
                "items": [
                    *(item for _, item in self.renderer.omissions.those(self.entries, "json-feed", self._json_item)),
                    *(json_notice(self.renderer.site, gone, self.said) for gone in self.retractions),
                ],
            }
        )

    def _json_item(self, entry: FeedEntry) -> dict[str, object]:
        update = entry.update
        item: dict[str, object] = {
            "id": id_of(update),
            "url": self.url + update.path,
            **({"title": headline} if (headline := headline_of(update)) else {}),
            "content_html": self._html(update) or f"<p>{escape(title_of(update))}</p>",
            "summary": _summary(update),
            "date_published": self.renderer.site.iso(update.first_published_at),
            "date_modified": self.renderer.site.iso(modified_at(update)),
            "tags": list(dict.fromkeys(printable(tag.label or tag.code) for tag in update.tags)),
        }
        if update.authors:
            item["authors"] = [
                {"name": printable(each.name), **({"url": self.url + author_path(each.slug)} if each.slug else {})}
                for each in update.authors
            ]
        elif byline_of(update):
            item["authors"] = [{"name": byline_of(update)}]
        if language_of(update):
            item["language"] = language_of(update)
        if update.link:
            item["external_url"] = printable(update.link)
        if update.digital_source_type:
            item["_digital_source_type"] = source_type_uri(update.digital_source_type)
        for picture in pictures_of(update)[:1]:
            item["image"] = self.url + picture.largest
        return item


def _serialised(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))


class Feeds:
    """The feed routes of one replica."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def routes(self) -> list[Route]:
        """Where each feed is."""
        return [
            Route("/feeds/news.{form}", with_query(self.news, NOW)),
            Route("/feeds/{kind}/{name}.{form}", with_query(self.channel, NOW)),
        ]

    async def news(self, request: Request) -> Response:
        """`GET /feeds/news.rss`, `.atom`, `.json`."""
        return await self._feed(request, NEWS, self.answers.settings.publish_site_name, "/", "/feeds/news")

    async def channel(self, request: Request) -> Response:
        """`GET /feeds/tag/CODE.rss` and the like."""
        kind, name = request.path_params["kind"], request.path_params["name"]
        if kind not in KINDS or "\x00" in name:
            raise Problem(404, "not-found", "there is no such feed")
        return await self._feed(
            request, f"{kind}:{name}", name, KINDS[kind](name), f"/feeds/{kind}/{quote(name, safe=':')}"
        )

    async def _feed(self, request: Request, channel: str, title: str, page_path: str, address: str) -> Response:
        answers = self.answers
        form = request.path_params["form"]
        if form not in TYPES:
            raise Problem(404, "not-found", "feeds end in .rss, .atom or .json")
        page = await page_of(answers.feed_store, answers.archive, channel, None, ENTRIES)
        if not page.entries and channel != NEWS:
            raise Problem(404, "not-found", "nothing has been published in this feed")
        hub = answers.settings.publish_websub_hub
        feed = Feed(
            answers,
            title=_title(channel, title, page.entries, answers.feed_store),
            about=self._about(channel),
            page=page_path,
            address=f"{address}.{form}",
            hub=hub,
            entries=page.entries,
            name=answers.settings.publish_site_name,
            retractions=answers.retractions(channel),
            most_characters=MOST_CHARACTERS,
        )
        body = {"rss": feed.rss, "atom": feed.atom, "json": feed.json}[form]()
        links = ", ".join([*([f'<{hub}>; rel="hub"'] if hub else []), f'<{feed.address}>; rel="self"']).encode()
        answer = ReadyAnswer(
            body,
            TYPES[form],
            [answers.cache, NOSNIFF, OPEN, EXPOSED, (b"link", links)],
            channel=channel,
            whole=page.whole,
        )
        return ReadyResponse(answers.keep(request, answer))

    def _about(self, channel: str) -> str:
        kind, _, name = channel.partition(":")
        record = self.answers.feed_store.story(name) if kind == "story" else None
        return printable(record.standfirst) if record else ""


def _title(channel: str, name: str, entries: Sequence[FeedEntry], feed_store: FeedStore) -> str:
    """The label of a channel as its newest update has it."""
    kind = channel.partition(":")[0]
    for entry in entries[:1]:
        update = entry.update
        if channel not in channels_of(update):
            continue
        if kind == "story":
            record = feed_store.story(name)
            return record.name(update.story_label) if record else story_name(name, update.story_label)
        if kind == "tag":
            return printable(next(tag.label for tag in update.tags if tag.code == name) or name)
        if kind == "author":
            return printable(next(author.name for author in update.authors if author.slug == name))
    return printable(name)
