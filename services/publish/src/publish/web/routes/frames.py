"""Frames for what updates embed of others: each is a page of ours that may load from one provider and nothing else.

A page of updates may show frames of this site alone. What is loaded in one is told by the update, so that nobody can have us
frame an address of theirs; once an update is out of sight, so are its frames.
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.representation.embeds import Embed
from publish.representation.fragment import embeds_of
from publish.representation.reader_update import ReaderUpdate
from publish.web.response_cache import ReadyAnswer
from publish.web.routes.answers import NOSNIFF, REFERRER, Answers, ReadyResponse
from publish.web.routes.parameters import UPDATE_ID
from shared.http.problem import Problem
from shared.http.query import with_query


class Frames:
    """The route of frames."""

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    def routes(self) -> list[Route]:
        """Where it is."""
        return [Route("/frames/{update_id}/{number:int}", with_query(self.frame))]

    async def frame(self, request: Request) -> Response:
        """`GET /frames/{update_id}/{number}`: what an update embeds, by the number of its card."""
        answers, update_id = self.answers, request.path_params["update_id"]
        update = await self._visible(update_id) if UPDATE_ID.match(update_id) else None
        embeds = embeds_of(update.body_html) if update is not None else []
        number = request.path_params["number"]
        if number >= len(embeds):
            raise Problem(404, "not-found", "the update embeds nothing of this number")
        embed = embeds[number]
        body = answers.renderer.render("frame.html", embed=embed)
        headers = [
            answers.cache_of(f"update:{update_id}"),
            (b"content-security-policy", _policy(embed)),
            NOSNIFF,
            REFERRER,
        ]
        answer = ReadyAnswer(body, "text/html; charset=utf-8", headers, channel=f"update:{update_id}")
        kept = answers.feed_store.get(update_id) is not None
        return ReadyResponse(answers.keep(request, answer) if kept else answer)

    async def _visible(self, update_id: str) -> ReaderUpdate | None:
        """The update, if readers may see it."""
        store = self.answers.feed_store
        entry = store.get(update_id)
        if entry is not None:
            return entry.update
        if store.removed(update_id) is not None:
            return None
        archived = await self.answers.archive.one(update_id)
        return archived.update if archived is not None and not archived.update.is_removal else None


def _policy(embed: Embed) -> bytes:
    loaded = f"media-src {embed.origin}" if embed.is_file else f"frame-src {embed.origin}"
    return (
        f"default-src 'none'; {loaded}; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ).encode()
