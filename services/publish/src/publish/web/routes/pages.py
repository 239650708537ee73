"""The pages: the News Feed, an update's own page, and the feeds of a story, a tag and an author."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from urllib.parse import quote

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.representation.linked_data import blog_posting, breadcrumbs, live_blog, script
from publish.representation.position import NEWS
from publish.representation.reader_update import ReaderAuthor
from publish.representation.site import author_path, story_path, tag_path
from publish.representation.story_record import StoryRecord
from publish.representation.words import language_of, printable, story_name, title_of
from publish.web.archive_client import page_of
from publish.web.feed_store import FeedEntry
from publish.web.omissions import Omitted
from publish.web.page_parts.filters import labels_of
from publish.web.page_parts.key_events import key_events_of
from publish.web.page_parts.lead import lead_of
from publish.web.page_parts.story_cards import cards_of
from publish.web.response_cache import ReadyAnswer
from publish.web.routes.answers import Answers, ReadyResponse
from publish.web.routes.own_page import OwnPage
from publish.web.routes.parameters import before_of
from publish.web.stories import LiveStory, closed_at, stories_of
from shared.http.problem import Problem
from shared.http.query import with_query

LEADS_TRIED = 3
PINNED_AMONG = 500


@dataclass(frozen=True, slots=True)
class FeedSubject:
    """What the page of a channel is about."""

    channel: str
    path: str
    title: str
    kicker: str
    description: str
    feed: str
    author: ReaderAuthor | None = None
    story: StoryRecord | None = None

    def crumbs(self, stories: str) -> list[tuple[str, str]]:
        """The way to the page from the front page: paths and names; of the front page none. `stories` names their page."""
        if self.channel == NEWS:
            return []
        return [("/stories", stories), (self.path, self.title)] if self.story else [(self.path, self.title)]


class Pages:
    """The HTML routes of one replica."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers
        self.own_page = OwnPage(answers)

    def routes(self) -> list[Route]:
        """Where each page is."""
        return [
            Route("/", with_query(self.news, "before")),
            Route("/stories", with_query(self.stories)),
            Route("/stories/{story}", with_query(self.story, "before")),
            Route("/tags/{code}", with_query(self.tag, "before")),
            Route("/authors/{slug}", with_query(self.author, "before")),
            Route("/updates/{update_id}", with_query(self.own_page.update)),
            Route("/updates/{update_id}/{slug}", with_query(self.own_page.update)),
        ]

    async def news(self, request: Request) -> Response:
        """`GET /`: the News Feed."""
        site, _ = self.answers.settings, self.answers.renderer.interface.gettext
        subject = FeedSubject(
            NEWS,
            "/",
            site.publish_site_name,
            _("News Feed"),
            _("Live updates from %(site)s, as they happen.") % {"site": site.publish_site_name},
            "/feeds/news",
        )
        return await self._feed(request, subject, known=True)

    async def story(self, request: Request) -> Response:
        """`GET /stories/{story}`."""
        story, _ = request.path_params["story"], self.answers.renderer.interface.gettext
        newest = await self._newest(f"story:{story}")
        if newest is None:
            raise _nothing_here()
        record = await self.answers.story_record(story, newest)
        name = record.name(newest.update.story_label)
        return await self._feed(
            request,
            FeedSubject(
                f"story:{story}", story_path(story), name, _("Live story"),
                printable(record.standfirst) or _("Live coverage: %(name)s.") % {"name": name}, f"/feeds/story/{quote(story, safe='')}",
                story=record,
            ),
            known=True,
        )  # fmt: skip

    async def tag(self, request: Request) -> Response:
        """`GET /tags/{code}`."""
        code, _ = request.path_params["code"], self.answers.renderer.interface.gettext
        newest = await self._newest(f"tag:{code}")
        label = next((tag.label for tag in newest.update.tags if tag.code == code), code) if newest else code
        return await self._feed(
            request,
            FeedSubject(
                f"tag:{code}", tag_path(code), printable(label), _("Topic"), _("Live updates about %(name)s.") % {"name": printable(label)},
                f"/feeds/tag/{quote(code, safe=':')}",
            ),
            known=newest is not None,
        )  # fmt: skip

    async def author(self, request: Request) -> Response:
        """`GET /authors/{slug}`."""
        slug, _ = request.path_params["slug"], self.answers.renderer.interface.gettext
        newest = await self._newest(f"author:{slug}")
        found = next((each for each in newest.update.authors if each.slug == slug), None) if newest else None
        name = printable(found.name) if found else slug
        return await self._feed(
            request,
            FeedSubject(
                f"author:{slug}", author_path(slug), name, _("Author"), _("Live updates by %(name)s.") % {"name": name},
                f"/feeds/author/{quote(slug, safe='')}", found,
            ),
            known=newest is not None,
        )  # fmt: skip

    async def _newest(self, channel: str) -> FeedEntry | None:
        if "\x00" in channel:
            return None
        newest = next(self.answers.feed_store.newest(channel), None)
        if newest is None and not self.answers.feed_store.complete:
            page = await page_of(self.answers.feed_store, self.answers.archive, channel, None, 1)
            newest = page.entries[0] if page.entries else None
        return newest

    async def _feed(self, request: Request, subject: FeedSubject, *, known: bool) -> Response:
        if not known:
            raise _nothing_here()
        answers = self.answers
        before = before_of(request)
        size = answers.settings.publish_web_page_size
        cursor = answers.feed_store.cursor
        newest = list(islice(answers.feed_store.newest(subject.channel), PINNED_AMONG))
        has_lead = before is None and subject.channel.partition(":")[0] in (NEWS, "story")
        of_story = subject.channel != NEWS
        lead, article = self._lead(newest, of_story=of_story) if has_lead else (None, None)
        page = await page_of(answers.feed_store, answers.archive, subject.channel, before, size + 1)
        rest = [entry for entry in page.entries if lead is None or entry.update.update_id != lead.update.update_id]
        shown = rest[:size]
        following = shown[-1].position if shown and (page.more or len(rest) > size) else None
        over = closed_at(newest or page.entries) if subject.channel.startswith("story:") else None
        url = answers.renderer.site.url + subject.path
        together = [*([lead] if lead else []), *shown]
        pictures = [picture for entry in together[:5] for picture in answers.renderer.pictures(entry)[:1]]
        has_parts = before is None
        answers.renderer.make_items(shown)
        crumbs = subject.crumbs(answers.renderer.interface.gettext("Stories"))
        body = answers.renderer.render(
            "feed.html",
            renderer=answers.renderer,
            subject=subject,
            crumbs=crumbs[:-1],
            title=subject.title,
            description=subject.description,
            canonical=url,
            api="/v1/updates" if subject.channel == NEWS else f"/v1/updates?channel={quote(subject.channel, safe=':')}",
            cursor=cursor,
            before=before,
            lead=lead,
            lead_article=article,
            cards=cards_of(answers.feed_store) if has_parts and subject.channel == NEWS else [],
            key_events=key_events_of(newest) if has_parts and subject.story else [],
            entries=shown,
            labels=labels_of(entry.update for entry in together),
            next=following,
            closed_at=over,
            image=answers.renderer.share_image(pictures),
            linked_data=script(self._live_blog(subject, url, together, over)),
            crumbs_data=script(breadcrumbs(answers.renderer.site, crumbs)) if crumbs else None,
        )
        answer = answers.page(body, channel=subject.channel, whole=page.whole)
        return ReadyResponse(answers.keep(request, answer))

    def _live_blog(
        self, subject: FeedSubject, url: str, entries: Sequence[FeedEntry], closed: datetime | None
    ) -> dict[str, object]:
        renderer = self.answers.renderer
        postings = renderer.omissions.those(
            entries, "linked-data", lambda each: blog_posting(renderer.site, each.update)
        )
        updates = [entry.update for entry in entries]
        return live_blog(
            renderer.site,
            subject.title,
            url,
            updates,
            [posting for _, posting in postings],
            about=subject.description,
            began_at=subject.story.started_at if subject.story else None,
            closed_at=closed,
        )

    def _lead(self, newest: Sequence[FeedEntry], *, of_story: bool) -> tuple[FeedEntry | None, Markup | None]:
        """The update that opens the page and its article: of those that can be shown."""
        renderer, left_out = self.answers.renderer, set[str]()
        for _ in range(LEADS_TRIED):
            able = [entry for entry in newest if entry.update.update_id not in left_out] if left_out else newest
            lead = lead_of(able, renderer.pictures, of_story=of_story)
            if lead is None:
                break
            try:
                return lead, renderer.article(lead, link=True)
            except Omitted:
                left_out.add(lead.update.update_id)
        return None, None

    async def stories(self, request: Request) -> Response:
        """`GET /stories`: the stories that are live."""
        answers = self.answers
        body = answers.renderer.render(
            "stories.html",
            canonical=answers.renderer.site.url + "/stories",
            cursor=answers.feed_store.cursor,
            stories=[
                {
                    "id": story.id,
                    "label": self._name_of(story),
                    "standfirst": printable(self._standfirst_of(story.id)),
                    "headline": title_of(story.newest.update),
                    "newest_id": story.newest.update.update_id,
                    "language": language_of(story.newest.update),
                    "count": story.count,
                    "newest_at": story.newest.update.first_published_at,
                    "closed": story.closed,
                }
                for story in stories_of(answers.feed_store)
            ],
        )
        answer: ReadyAnswer = answers.page(body, channel=NEWS)
        return ReadyResponse(answers.keep(request, answer))

    def _name_of(self, story: LiveStory) -> str:
        record = self.answers.feed_store.story(story.id)
        return record.name(story.label) if record else story_name(story.id, story.label)

    def _standfirst_of(self, story: str) -> str:
        record = self.answers.feed_store.story(story)
        return record.standfirst if record else ""


def _nothing_here() -> Problem:
    return Problem(404, "not-found", "nothing has been published under this address")
