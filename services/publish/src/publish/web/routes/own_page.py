"""An update's own page, and pages that say one thing."""

from collections.abc import Sequence
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from publish.representation.linked_data import breadcrumbs, news_article, script
from publish.representation.pictures import pictures_of
from publish.representation.position import Position
from publish.representation.reader_update import ReaderUpdate
from publish.representation.site import story_path
from publish.representation.words import full_text_of, printable, story_name, title_of
from publish.web.families import find_family, shown_beside
from publish.web.feed_store import FeedEntry
from publish.web.omissions import Omitted
from publish.web.page_parts.history import HistoryLine, history_of
from publish.web.page_parts.key_events import neighbours_of
from publish.web.page_parts.story_cards import card_of
from publish.web.page_parts.translations import Family, family_of
from publish.web.routes.answers import Answers, ReadyResponse
from publish.web.routes.parameters import UPDATE_ID
from shared.http.problem import Problem


def own_page(
    answers: Answers, entry: FeedEntry, cursor: Position, history: Sequence[HistoryLine], family: Family
) -> bytes:
    """The page of an update, from what is at hand."""
    renderer, update = answers.renderer, entry.update
    pictures = pictures_of(update)
    store, crumbs = answers.feed_store, list[tuple[str, str]]()
    if update.story:
        record = store.story(update.story)
        name = record.name(update.story_label) if record else story_name(update.story, update.story_label)
        crumbs = [("/stories", renderer.interface.gettext("Stories")), (story_path(update.story), name)]
    return renderer.render(
        "own.html",
        update=update,
        crumbs=crumbs,
        crumbs_data=script(breadcrumbs(renderer.site, [*crumbs, (update.path, title_of(update))])),
        neighbours=neighbours_of(store, entry),
        card=card_of(store, update.story) if update.story else None,
        article=renderer.article(entry),
        family=family,
        family_id=family_of(update),
        translation=family.of(update.update_id),
        canonical=renderer.site.url + update.path,
        api=f"/v1/updates/{update.update_id}",
        description=printable(update.summary or update.excerpt or full_text_of(update)[:200]),
        cursor=cursor,
        history=history,
        image=renderer.share_image(pictures),
        linked_data=script(news_article(renderer.site, update)),
    )


class OwnPage:
    """The page of one update."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

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
        family, known = await self._family(entry.update, in_memory=in_memory)
        body = answers.renderer.omissions.attempt(
            entry, "page", lambda: own_page(answers, entry, cursor, history, family)
        )
        kept = in_memory and complete and known
        answer = answers.page(body, channel=f"update:{update_id}", whole=kept)
        answer.beside = shown_beside(entry.update)
        if entry.update.story:
            answer.beside += (f"story:{entry.update.story}",)
        return ReadyResponse(answers.keep(request, answer) if kept else answer)

    async def _family(self, update: ReaderUpdate, *, in_memory: bool) -> tuple[Family, bool]:
        """The translations of an update, and whether everybody could be asked for them."""
        answers = self.answers
        try:
            return await find_family(answers.feed_store, answers.archive, update, in_memory=in_memory), True
        except Problem:
            return Family(original_withdrawn=False, members=()), False

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
        _ = self.answers.renderer.interface.gettext
        words = {
            "expired": _("This update is no longer available."),
            "superseded": _("This update has been replaced by a newer one."),
        }.get(removal or "", _("This update has been withdrawn."))
        return self.message(410, _("Update withdrawn"), words, kicker=_("Live update"), channel=f"update:{update_id}")

    def message(self, status: int, heading: str, words: str, *, kicker: str = "", channel: str = "") -> Response:
        """A page that says one thing."""
        body = self.answers.renderer.render(
            "message.html",
            heading=heading,
            words=words,
            kicker=kicker or self.answers.renderer.interface.gettext("Sorry"),
        )
        headers = {name.decode(): value.decode() for name, value in self.answers.security()}
        headers["Vary"] = "Accept"
        if channel:
            headers["Surrogate-Key"] = quote(channel, safe=":")
        headers["Cache-Control"] = "no-store" if status >= 500 else self.answers.cache[1].decode()
        return Response(body, status, headers, "text/html")


def _decoded_path(update: ReaderUpdate) -> str:
    """The canonical path as the server gives it to us, percent-decoded."""
    return f"/updates/{update.update_id}/{update.slug or 'update'}"
