"""The pages: the News Feed, an update's own page, and the feeds of a story, a tag and an author."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from urllib.parse import quote

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from publish.representation.linked_data import blog_posting, live_blog, news_article, script
from publish.representation.pictures import Picture, pictures_of
from publish.representation.position import NEWS, Position
from publish.representation.reader_update import ReaderAuthor, ReaderUpdate
from publish.representation.retraction import WITHDRAWN, WORDS
from publish.representation.site import author_path, story_path, tag_path
from publish.representation.words import DiffPart, language_of, printable, shown_diff, story_name, title_of
from publish.web.archive_client import page_of
from publish.web.feed_store import FeedEntry
from publish.web.omissions import Omitted
from publish.web.response_cache import ReadyAnswer
from publish.web.routes.answers import Answers, ReadyResponse
from publish.web.routes.parameters import UPDATE_ID, before_of
from publish.web.stories import closed_at, stories_of
from shared.http.problem import Problem
from shared.http.query import with_query

LEAD_AMONG = 50
LEADS_TRIED = 3
PINNED_AMONG = 500
DEFAULT_URGENCY = 5
HISTORY_WORDS = {"publish": "Published", "update": "Updated", "correct": "Corrected"}


def lead_of(
    newest: Sequence[FeedEntry],
    pictures: Callable[[FeedEntry], Sequence[Picture]] = lambda entry: pictures_of(entry.update),
    *,
    of_story: bool = False,
) -> FeedEntry | None:
    """The update that opens the page, out of the newest ones, newest first.

    A pinned one before all: an editor said so. What is pinned within a story opens that story's page (`of_story`) and not
    the front page. Then, among the newest fifty, a key event, then one with a picture, then
    the more urgent (IPTC 1 to 9), then the newer: the page opens with what matters, and what is only newer is at the top
    of the feed below it anyway.
    """
    pinned = next((entry for entry in newest if entry.update.pinned and (of_story or not entry.update.story)), None)
    if pinned is not None:
        return pinned

    def weight(entry: FeedEntry) -> tuple[bool, bool, int, Position]:
        update = entry.update
        return (
            update.key_event,
            bool(pictures(entry)) or update.media_pending,
            -(update.urgency or DEFAULT_URGENCY),
            entry.position,
        )

    return max(newest[:LEAD_AMONG], key=weight, default=None)


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """A line of an update's history."""

    at: datetime
    words: str
    reason: str
    diff: list[DiffPart]


def history_of(updates: Sequence[ReaderUpdate]) -> list[HistoryLine]:
    """The history of an update, newest first, without revisions that did not change its words."""
    lines = [
        HistoryLine(
            at=update.updated_at if update.kind != "publish" and update.updated_at else update.first_published_at,
            words=HISTORY_WORDS[update.kind],
            reason=printable(update.change.reason),
            diff=shown_diff(update.change) if update.kind != "publish" else [],
        )
        for update in updates
        if update.kind in HISTORY_WORDS and not update.is_removal
    ]
    return lines[::-1]


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


class Pages:
    """The HTML routes of one replica."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def routes(self) -> list[Route]:
        """Where each page is."""
        return [
            Route("/", with_query(self.news, "before")),
            Route("/stories", with_query(self.stories)),
            Route("/stories/{story}", with_query(self.story, "before")),
            Route("/tags/{code}", with_query(self.tag, "before")),
            Route("/authors/{slug}", with_query(self.author, "before")),
            Route("/updates/{update_id}", with_query(self.update)),
            Route("/updates/{update_id}/{slug}", with_query(self.update)),
        ]

    async def news(self, request: Request) -> Response:
        """`GET /`: the News Feed."""
        site = self.answers.settings
        subject = FeedSubject(
            NEWS,
            "/",
            site.publish_site_name,
            "News Feed",
            f"Live updates from {site.publish_site_name}, as they happen.",
            "/feeds/news",
        )
        return await self._feed(request, subject, known=True)

    async def story(self, request: Request) -> Response:
        """`GET /stories/{story}`."""
        story = request.path_params["story"]
        newest = await self._newest(f"story:{story}")
        label = story_name(story, newest.update.story_label if newest else "")
        return await self._feed(
            request,
            FeedSubject(
                f"story:{story}", story_path(story), label, "Live story", f"Live coverage: {label}.",
                f"/feeds/story/{quote(story, safe='')}",
            ),
            known=newest is not None,
        )  # fmt: skip

    async def tag(self, request: Request) -> Response:
        """`GET /tags/{code}`."""
        code = request.path_params["code"]
        newest = await self._newest(f"tag:{code}")
        label = next((tag.label for tag in newest.update.tags if tag.code == code), code) if newest else code
        return await self._feed(
            request,
            FeedSubject(
                f"tag:{code}", tag_path(code), printable(label), "Topic", f"Live updates about {printable(label)}.",
                f"/feeds/tag/{quote(code, safe=':')}",
            ),
            known=newest is not None,
        )  # fmt: skip

    async def author(self, request: Request) -> Response:
        """`GET /authors/{slug}`."""
        slug = request.path_params["slug"]
        newest = await self._newest(f"author:{slug}")
        found = next((each for each in newest.update.authors if each.slug == slug), None) if newest else None
        name = printable(found.name) if found else slug
        return await self._feed(
            request,
            FeedSubject(
                f"author:{slug}", author_path(slug), name, "Author", f"Live updates by {name}.",
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
            raise Problem(404, "not-found", "nothing has been published under this address")
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
        body = answers.renderer.render(
            "feed.html",
            renderer=answers.renderer,
            title=subject.title,
            heading=subject.title,
            kicker=subject.kicker,
            intro="",
            author=subject.author,
            description=subject.description,
            canonical=url,
            feed=subject.feed,
            api="/v1/updates" if subject.channel == NEWS else f"/v1/updates?channel={quote(subject.channel, safe=':')}",
            channel=subject.channel,
            cursor=cursor,
            before=before,
            lead=lead,
            lead_article=article,
            entries=shown,
            next=following,
            closed_at=over,
            image=self._image(pictures[0]) if pictures else self._default_image(),
            linked_data=script(self._live_blog(subject, url, together, over)),
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
            renderer.site, subject.title, url, updates, [posting for _, posting in postings], closed_at=closed
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

    def _default_image(self) -> dict[str, object] | None:
        """What a page is shared with that has no picture."""
        address = self.answers.renderer.site.share_image
        return {"url": address, "width": 1200, "height": 630, "alt": ""} if address else None

    def _image(self, picture: Picture) -> dict[str, object]:
        return {
            "url": self.answers.renderer.site.url + picture.largest,
            "width": picture.width,
            "height": picture.height,
            "alt": picture.alt,
        }

    async def update(self, request: Request) -> Response:
        """`GET /updates/{update_id}/{slug}`: an update's own page."""
        answers = self.answers
        update_id = request.path_params["update_id"]
        if not UPDATE_ID.match(update_id):
            raise Problem(404, "not-found", "there is no such update")
        cursor = answers.feed_store.cursor
        entry = answers.feed_store.get(update_id)
        removed = answers.feed_store.removed(update_id)
        if removed is not None:
            return self.gone(update_id, removed.removal)
        in_memory = entry is not None
        if entry is None:
            archived = await answers.archive.one(update_id)
            if archived is None:
                raise Problem(404, "not-found", "there is no such update")
            if archived.update.is_removal:
                return self.gone(update_id, archived.update.removal)
            entry = FeedEntry(archived.update)
        if request.scope["path"] != _decoded_path(entry.update):
            return RedirectResponse(entry.update.path, 301, {"Cache-Control": "public, max-age=60"})
        history, complete = await self._history(entry)
        body = answers.renderer.omissions.attempt(entry, "page", lambda: self._own_page(entry, cursor, history))
        kept = in_memory and complete
        answer = answers.page(body, channel=f"update:{update_id}", whole=kept)
        return ReadyResponse(answers.keep(request, answer) if kept else answer)

    def _own_page(self, entry: FeedEntry, cursor: Position, history: Sequence[HistoryLine]) -> bytes:
        renderer, update = self.answers.renderer, entry.update
        pictures = pictures_of(update)
        return renderer.render(
            "own.html",
            update=update,
            article=renderer.article(entry),
            canonical=renderer.site.url + update.path,
            api=f"/v1/updates/{update.update_id}",
            description=printable(update.summary or update.excerpt or update.text[:200]),
            cursor=cursor,
            history=history,
            image=self._image(pictures[0]) if pictures else self._default_image(),
            linked_data=script(news_article(renderer.site, update)),
        )

    async def _history(self, entry: FeedEntry) -> tuple[list[HistoryLine], bool]:
        """The history, and whether the archive has it up to the current revision."""
        if entry.update.revision == 1:
            return [], True
        try:
            archived = await self.answers.archive.revisions(entry.update.update_id)
        except Problem:
            return [], False
        updates = [each.update for each in archived if each.update.revision < entry.update.revision]
        complete = any(each.update.revision == entry.update.revision for each in archived)
        try:
            lines = self.answers.renderer.omissions.attempt(
                entry, "history", lambda: history_of([*updates, entry.update])
            )
        except Omitted:
            return [], False
        return lines, complete

    def gone(self, update_id: str, removal: str | None) -> Response:
        """410 for what is out of sight."""
        words = WORDS.get(removal or "", WITHDRAWN)
        return self.message(410, "Update withdrawn", words, kicker="Live update", channel=f"update:{update_id}")

    def message(self, status: int, heading: str, words: str, *, kicker: str = "Sorry", channel: str = "") -> Response:
        """A page that says one thing."""
        body = self.answers.renderer.render("message.html", heading=heading, words=words, kicker=kicker)
        headers = {name.decode(): value.decode() for name, value in self.answers.security()}
        headers["Vary"] = "Accept"
        if channel:
            headers["Surrogate-Key"] = quote(channel, safe=":")
        headers["Cache-Control"] = "no-store" if status >= 500 else self.answers.cache[1].decode()
        return Response(body, status, headers, "text/html")

    async def stories(self, request: Request) -> Response:
        """`GET /stories`: the stories that are live."""
        answers = self.answers
        body = answers.renderer.render(
            "stories.html",
            canonical=answers.renderer.site.url + "/stories",
            stories=[
                {
                    "id": story.id,
                    "label": printable(story.label),
                    "headline": title_of(story.newest.update),
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


def _decoded_path(update: ReaderUpdate) -> str:
    """The canonical path as the server gives it to us, percent-decoded."""
    return f"/updates/{update.update_id}/{update.slug or 'update'}"
