"""Stories and updates on pages of others: a frame, a fragment without scripts, oEmbed, and the scripts behind `embed.js`.

Who may embed is a setting. Frames follow it by `frame-ancestors`, the component by CORS on its module: a browser runs it on no
other site.
"""

from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.representation.reader_json import dump
from publish.representation.site import story_path
from publish.representation.words import title_of
from publish.web.archive_client import page_of
from publish.web.feed_store import FeedEntry
from publish.web.response_cache import Header, ReadyAnswer
from publish.web.routes.answers import NOSNIFF, REFERRER, Answers, ReadyResponse
from publish.web.routes.assets import Asset, Assets
from publish.web.routes.parameters import UPDATE_ID
from shared.http.problem import Problem
from shared.http.query import with_query

ENTRIES = 10
WIDTH, HEIGHT = 600, 800
SMALLEST = 200
KEPT_S = 3600
SCRIPT_FRESH_S = 300
"""Seconds for which a browser keeps a script whose address others have written into their pages."""
OPEN_SCRIPTS = ("client.js", "embed.js")
COMPONENT = "embed-story.js"


@dataclass(frozen=True, slots=True)
class _Embedded:
    """What is embedded: a story, or one update."""

    kind: str
    name: str
    title: str
    page: str
    entries: list[FeedEntry]
    whole: bool

    @property
    def channel(self) -> str:
        """Its channel."""
        return f"{self.kind}:{self.name}"

    @property
    def frame(self) -> str:
        """The path of its frame."""
        return f"/embed/{'stories' if self.kind == 'story' else 'updates'}/{quote(self.name, safe='')}"


class Embeds:
    """The routes of one replica by which pages of others embed."""

    def __init__(self, answers: Answers, assets: Assets) -> None:
        self.answers = answers
        self._assets = assets
        self._component = assets.in_words(COMPONENT, answers.renderer.interface.words_of((COMPONENT,)))

    def routes(self) -> list[Route]:
        """Where each is."""
        return [
            *(Route(f"/{name}", with_query(self.script)) for name in OPEN_SCRIPTS),
            Route(f"/{COMPONENT}", with_query(self.component)),
            Route("/embed/stories/{story}.html", with_query(self.fragment)),
            Route("/embed/stories/{story}", with_query(self.frame)),
            Route("/embed/updates/{update_id}", with_query(self.frame)),
            Route("/oembed", with_query(self.oembed, "url", "format", "maxwidth", "maxheight", "dnt")),
        ]

    @property
    def _origins(self) -> tuple[str, ...]:
        return self.answers.settings.embed_origins

    def _is_allowed(self) -> None:
        if not self._origins:
            raise Problem(403, "no-embedding", "this site does not let others embed it")

    async def script(self, request: Request) -> Response:
        """`GET /client.js`, `/embed.js`: for any page."""
        return self._script(request, request.scope["path"][1:], {"Access-Control-Allow-Origin": "*"})

    async def component(self, request: Request) -> Response:
        """`GET /embed-story.js`: for pages that may embed."""
        origin = request.headers.get("origin", "")
        headers = {"Vary": "Origin"}
        if "*" in self._origins:
            headers["Access-Control-Allow-Origin"] = "*"
        elif origin in (*self._origins, self.answers.renderer.site.url):
            headers["Access-Control-Allow-Origin"] = origin
        return self._answer_script(request, self._component, headers)

    def _script(self, request: Request, name: str, headers: dict[str, str]) -> Response:
        return self._answer_script(request, self._assets.files[name], headers)

    def _answer_script(self, request: Request, asset: Asset, headers: dict[str, str]) -> Response:
        headers |= {
            "Cache-Control": f"public, max-age={SCRIPT_FRESH_S}, must-revalidate",
            "ETag": f'"{asset.digest}"',
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Vary": ", ".join(filter(None, (headers.get("Vary"), "Accept-Encoding"))),
        }
        if asset.digest in request.headers.get("if-none-match", ""):
            return Response(None, 304, headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(asset.zipped, 200, headers, asset.content_type)
        return Response(asset.body, 200, headers, asset.content_type)

    async def frame(self, request: Request) -> Response:
        """`GET /embed/stories/{story}`, `/embed/updates/{update_id}`: a page to be framed."""
        self._is_allowed()
        embedded = await self._embedded(request.path_params)
        body = self.answers.renderer.render("embed.html", **self._values(embedded))
        return self._answer(request, embedded, body, self._security())

    async def fragment(self, request: Request) -> Response:
        """`GET /embed/stories/{story}.html`: a list to be put into a page on its server."""
        self._is_allowed()
        embedded = await self._embedded(request.path_params)
        body = self.answers.renderer.render("embed_list.html", **self._values(embedded))
        return self._answer(request, embedded, body, [])

    def _values(self, embedded: _Embedded) -> dict[str, object]:
        return {
            "title": embedded.title,
            "page": embedded.page,
            "url": self.answers.renderer.site.url,
            "kind": embedded.kind,
            "name": embedded.name,
            "limit": ENTRIES,
            "entries": embedded.entries,
        }

    def _answer(self, request: Request, embedded: _Embedded, body: bytes, security: list[Header]) -> Response:
        answers = self.answers
        # What shows one update, and what is shown where nobody of ours looks, is never served stale.
        cache = answers.cache_of("update:")
        answer = ReadyAnswer(
            body,
            "text/html; charset=utf-8",
            [cache, NOSNIFF, REFERRER, *security],
            channel=embedded.channel,
            whole=embedded.whole,
        )
        return ReadyResponse(answers.keep(request, answer))

    def _security(self) -> list[Header]:
        ancestors = "*" if "*" in self._origins else " ".join(("'self'", *self._origins))
        policy = (
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
            f"form-action 'none'; frame-ancestors {ancestors}"
        )
        return [(b"content-security-policy", policy.encode())]

    async def _embedded(self, names: dict[str, str]) -> _Embedded:
        answers = self.answers
        url = answers.renderer.site.url
        if (update_id := names.get("update_id")) is not None:
            entry, whole = await self._update(update_id)
            update = entry.update
            return _Embedded("update", update_id, title_of(update), url + update.path, [entry], whole)
        story = names["story"]
        if "\x00" in story:
            raise Problem(404, "not-found", "there is no such story")
        page = await page_of(answers.feed_store, answers.archive, f"story:{story}", None, ENTRIES)
        if not page.entries:
            raise Problem(404, "not-found", "there is no such story")
        newest = page.entries[0]
        title = (await self.answers.story_record(story, newest)).name(newest.update.story_label)
        return _Embedded("story", story, title, url + story_path(story), page.entries, page.whole)

    async def _update(self, update_id: str) -> tuple[FeedEntry, bool]:
        feed_store = self.answers.feed_store
        entry = feed_store.get(update_id) if UPDATE_ID.match(update_id) else None
        if entry is not None:
            return entry, True
        if not UPDATE_ID.match(update_id):
            raise Problem(404, "not-found", "there is no such update")
        if feed_store.removed(update_id) is not None:
            raise Problem(410, "gone", "this update is out of sight")
        archived = await self.answers.archive.one(update_id)
        if archived is None:
            raise Problem(404, "not-found", "there is no such update")
        if archived.update.is_removal:
            raise Problem(410, "gone", "this update is out of sight")
        return FeedEntry(archived.update), False

    async def oembed(self, request: Request) -> Response:
        """`GET /oembed?url=…`: how a page is embedded (oembed.com, section 2)."""
        self._is_allowed()
        form = request.query_params.get("format", "json")
        if form != "json":
            raise Problem(501, "bad-format", "format: json alone is spoken", field="format")
        width = _size(request, "maxwidth", WIDTH)
        height = _size(request, "maxheight", HEIGHT)
        try:
            embedded = await self._embedded(self._names(request.query_params.get("url", "")))
        except Problem as problem:
            if problem.status == 410:
                raise Problem(404, "not-found", "this update is out of sight") from problem
            raise
        site, settings = self.answers.renderer.site, self.answers.settings
        html = (
            f'<iframe src="{site.url}{embedded.frame}" width="{width}" height="{height}" loading="lazy" '
            'title="Live updates" style="border:0;max-width:100%"></iframe>'
        )
        value = {
            "type": "rich",
            "version": "1.0",
            "title": embedded.title,
            "provider_name": settings.publish_site_name,
            "provider_url": site.url + "/",
            "html": html,
            "width": width,
            "height": height,
            "cache_age": KEPT_S,
        }
        answer = self.answers.json(dump(value), channel=embedded.channel, whole=False)
        return ReadyResponse(answer)

    def _names(self, address: str) -> dict[str, str]:
        """What an address of this site is the page of."""
        if not address:
            raise Problem(400, "bad-url", "url: the address of a page is needed", field="url")
        site = self.answers.renderer.site.url
        if address.startswith(site + "/"):
            kind, _, rest = urlsplit(address[len(site) :]).path[1:].partition("/")
            if kind == "stories" and rest and "/" not in rest:
                return {"story": unquote(rest)}
            if kind == "updates" and rest:
                return {"update_id": rest.partition("/")[0]}
        raise Problem(404, "not-found", "url: no page of this site that can be embedded", field="url")


def _size(request: Request, name: str, default: int) -> int:
    given = request.query_params.get(name)
    if given is None:
        return default
    if not (given.isascii() and given.isdigit() and 0 < len(given) < 6 and int(given) > 0):
        raise Problem(400, f"bad-{name}", f"{name}: a number of pixels is needed", field=name)
    return max(min(default, int(given)), SMALLEST)
