"""Sitemaps: what search engines should know of, and for Google News the updates of the last two days."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import islice

from lxml import etree
from lxml.builder import ElementMaker  # type: ignore[import-not-found]
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.representation.position import NEWS
from publish.representation.site import story_path
from publish.representation.words import language_of, modified_at, title_of
from publish.web.feed_store import FeedEntry
from publish.web.response_cache import ReadyAnswer
from publish.web.routes.answers import NOSNIFF, Answers, ReadyResponse
from publish.web.stories import stories_of
from shared.http.problem import Problem
from shared.http.query import with_query

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"
NEWS_SITEMAP = "http://www.google.com/schemas/sitemap-news/0.9"
ENTRIES = 1000
AGE = timedelta(days=2)
FRESH_S = 60.0
MOST_STORIES = 10_000
"""Of the 50,000 addresses that one sitemap may have."""


def sitemap(answers: Answers, at: datetime) -> bytes:
    """The updates of the last two days for Google News, at most a thousand."""
    make = ElementMaker(namespace=SITEMAP, nsmap={None: SITEMAP, "news": NEWS_SITEMAP})
    news = ElementMaker(namespace=NEWS_SITEMAP)
    root = make.urlset()

    def url_of(entry: FeedEntry) -> etree._Element:
        update = entry.update
        element: etree._Element = make.url(
            make.loc(answers.renderer.site.url + update.path),
            make.lastmod(answers.renderer.site.iso(modified_at(update))),
            news.news(
                news.publication(
                    news.name(answers.settings.publish_site_name),
                    news.language((language_of(update) or answers.settings.publish_language).lower()),
                ),
                news.publication_date(answers.renderer.site.iso(update.first_published_at)),
                news.title(title_of(update)),
            ),
        )
        return element

    newest = islice(answers.feed_store.newest(), ENTRIES)
    recent = [entry for entry in newest if at - entry.update.first_published_at <= AGE]
    for _, url in answers.renderer.omissions.those(recent, "sitemap", url_of):
        root.append(url)
    return _serialised(root)


def stories_sitemap(answers: Answers, stories: Iterable[tuple[str, datetime]]) -> bytes:
    """The pages of stories, each with the time of its newest update."""
    make = ElementMaker(namespace=SITEMAP, nsmap={None: SITEMAP})
    site = answers.renderer.site
    root = make.urlset(
        *(make.url(make.loc(site.url + story_path(story)), make.lastmod(site.iso(at))) for story, at in stories)
    )
    return _serialised(root)


def _serialised(root: etree._Element) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))


class Sitemaps:
    """The routes for search engines of one replica."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def routes(self) -> list[Route]:
        """Where each is."""
        return [
            Route("/sitemap.xml", with_query(self.index)),
            Route("/sitemap-news.xml", with_query(self.news)),
            Route("/sitemap-stories.xml", with_query(self.stories)),
        ]

    def _answer(self, request: Request, body: bytes, *, whole: bool = True) -> Response:
        answer = ReadyAnswer(
            body,
            "application/xml; charset=utf-8",
            [self.answers.cache, NOSNIFF],
            channel=NEWS,
            whole=whole,
            fresh_s=FRESH_S,
        )
        return ReadyResponse(self.answers.keep(request, answer))

    async def index(self, request: Request) -> Response:
        """`GET /sitemap.xml`: the sitemaps."""
        make = ElementMaker(namespace=SITEMAP, nsmap={None: SITEMAP})
        url = self.answers.renderer.site.url
        names = ("sitemap-news.xml", "sitemap-stories.xml")
        return self._answer(
            request, _serialised(make.sitemapindex(*(make.sitemap(make.loc(f"{url}/{name}")) for name in names)))
        )

    async def news(self, request: Request) -> Response:
        """`GET /sitemap-news.xml`."""
        return self._answer(request, sitemap(self.answers, datetime.now(UTC)))

    async def stories(self, request: Request) -> Response:
        """`GET /sitemap-stories.xml`: the stories in memory, and those of the archive where memory is not all there is."""
        answers = self.answers
        known = {story.id: modified_at(story.newest.update) for story in stories_of(answers.feed_store)}
        whole = answers.feed_store.complete
        if not whole:
            try:
                older = await answers.archive.stories(MOST_STORIES)
            except Problem:
                older = []
            known |= {story: at for story, at in older if story not in known}
        return self._answer(request, stories_sitemap(answers, list(known.items())[:MOST_STORIES]))
