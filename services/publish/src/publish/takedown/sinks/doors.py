"""The public doors of a web replica: for each route, the addresses at which a killed update could come out.

A route of the application that is in neither table fails a test: whoever adds a route decides how a takedown asks it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, quote_plus

from publish.representation.site import author_path, story_path, tag_path
from publish.takedown.sinks.finding import Killed

Expected = Literal["gone", "without-it", "no-words"]
"""`gone`: 404 or 410. `without-it`: an answer that does not name the update, or 404 where nothing is left of its list.
`no-words`: JSON events (or their stream) in which the update has a removal at most."""

FORMS = ("rss", "atom", "json")
API_FORMS = ("json", "ninjs", "jsonfeed")
NEWEST = 100
"""Of a list of the API: as many as one answer holds."""


@dataclass(frozen=True, slots=True)
class Door:
    """One route, and how a takedown asks it."""

    route: str
    """As the application has it."""
    sink: str
    """What the report calls it; several routes may share a name."""
    addresses: Callable[[Killed], Iterable[str]]
    expected: Expected = "without-it"
    may_be_closed: bool = False
    """Where the settings close it to everybody, it answers 403."""
    needle: str = "{update_id}"
    """What an answer must not say; of a door that repeats the question, as a list does its channel, more than the id."""


def _channels(killed: Killed, kind: str) -> list[str]:
    prefix = f"{kind}:"
    return sorted(each.removeprefix(prefix) for each in killed.archived.channels if each.startswith(prefix))


def _pages(kind: str, path: Callable[[str], str]) -> Callable[[Killed], list[str]]:
    return lambda killed: [path(name) for name in _channels(killed, kind)]


def _channel_feeds(killed: Killed) -> list[str]:
    return [
        f"/feeds/{kind}/{quote(name, safe=':')}.{form}"
        for kind in ("tag", "story", "author")
        for name in _channels(killed, kind)
        for form in FORMS
    ]


def _lists(killed: Killed) -> list[str]:
    channels = sorted(killed.archived.channels - {"news"})
    return [
        f"/v1/updates?limit={NEWEST}",
        *(f"/v1/updates?limit={NEWEST}&channel={quote_plus(channel)}" for channel in channels),
    ]


def before(killed: Killed) -> str:
    """The cursor of a reader who saw all but the update's first publication."""
    return f"{killed.archived.position.epoch}-{max(killed.archived.position.offset - 1, 0)}"


def _behind(path: str, *more: str) -> Callable[[Killed], list[str]]:
    return lambda killed: [
        f"{path}?channels=update:{killed.update_id}&view={view}&cursor={before(killed)}" + "".join(more)
        for view in ("json", "page")
    ]


def _of_update(path: str) -> Callable[[Killed], list[str]]:
    return lambda killed: [path.format(update_id=killed.update_id)]


def _own_pages(killed: Killed) -> list[str]:
    return list(dict.fromkeys([killed.update.path, *killed.paths]))


def _search(path: str) -> Callable[[Killed], list[str]]:
    return lambda killed: [f"{path}?q={quote_plus(killed.words or killed.update_id)}"]


def _in_forms(path: str) -> Callable[[Killed], list[str]]:
    return lambda killed: [path.format(update_id=killed.update_id, form=form) for form in API_FORMS]


def _under(path: str, kind: str) -> Callable[[Killed], list[str]]:
    return lambda killed: [path.format(quote(name, safe=":")) for name in _channels(killed, kind)]


def _oembed(killed: Killed) -> list[str]:
    paths = _own_pages(killed)
    return [f"/oembed?format=json&url={quote(f'{{site}}{path}', safe='{}')}" for path in paths]


DOORS: tuple[Door, ...] = (
    Door("/", "front page", lambda _: ["/"]),
    Door("/updates/{update_id}", "page", _of_update("/updates/{update_id}"), "gone"),
    Door("/updates/{update_id}/{slug}", "page", _own_pages, "gone"),
    Door("/stories", "stories", lambda _: ["/stories"]),
    Door("/stories/{story}", "stories", _pages("story", story_path)),
    Door("/tags/{code}", "topics", _pages("tag", tag_path)),
    Door("/authors/{slug}", "authors", _pages("author", author_path)),
    Door("/v1/updates", "API", _lists, needle='"update_id":"{update_id}"'),
    Door("/v1/updates/{update_id}", "API", _of_update("/v1/updates/{update_id}"), "gone"),
    Door("/v1/updates/{update_id}.ninjs", "ninjs", _of_update("/v1/updates/{update_id}.ninjs"), "gone"),
    Door(
        "/v1/updates/{update_id}/revisions", "revisions and diffs", _of_update("/v1/updates/{update_id}/revisions"),
        "gone",
    ),
    Door("/v1/updates/{update_id}/translations", "API", _of_update("/v1/updates/{update_id}/translations"), "gone"),
    Door("/v1/stories", "API", lambda _: ["/v1/stories"]),
    Door("/feeds/news.{form}", "feeds", lambda _: [f"/feeds/news.{form}" for form in FORMS]),
    Door("/feeds/{kind}/{name}.{form}", "feeds", _channel_feeds),
    Door("/sitemap-news.xml", "sitemap", lambda _: ["/sitemap-news.xml"]),
    Door("/v1/stream", "stream", _behind("/v1/stream"), "no-words"),
    Door("/v1/since", "since", _behind("/v1/since"), "no-words"),
    Door("/v1/poll", "poll", _behind("/v1/poll", "&timeout=0"), "no-words"),
    Door("/v1/updates.{form}", "API", _in_forms(f"/v1/updates.{{form}}?limit={NEWEST}")),
    Door("/v1/updates/{update_id}.{form}", "API", _in_forms("/v1/updates/{update_id}.{form}"), "gone"),
    Door("/v1/stories/{story}", "API", _under("/v1/stories/{}", "story")),
    Door("/v1/tags", "API", lambda _: ["/v1/tags"]),
    Door("/v1/tags/{code}", "API", _under("/v1/tags/{}", "tag")),
    Door("/v1/authors", "API", lambda _: ["/v1/authors"]),
    Door("/v1/authors/{slug}", "API", _under("/v1/authors/{}", "author")),
    Door("/v1/search", "search", _search("/v1/search"), needle="/updates/{update_id}"),
    Door("/search", "search", _search("/search"), needle="/updates/{update_id}"),
    Door("/text", "text pages", lambda _: ["/text"]),
    Door("/text/stories/{story}", "text pages", _under("/text/stories/{}", "story")),
    Door("/text/updates/{update_id}", "text pages", _of_update("/text/updates/{update_id}"), "gone"),
    Door("/sitemap.xml", "sitemap", lambda _: ["/sitemap.xml"]),
    Door("/sitemap-stories.xml", "sitemap", lambda _: ["/sitemap-stories.xml"]),
    Door("/embed/updates/{update_id}", "embeds", _of_update("/embed/updates/{update_id}"), "gone", may_be_closed=True),
    Door("/embed/stories/{story}", "embeds", _under("/embed/stories/{}", "story"), may_be_closed=True),
    Door("/embed/stories/{story}.html", "embeds", _under("/embed/stories/{}.html", "story"), may_be_closed=True),
    Door("/frames/{update_id}/{number:int}", "embeds", _of_update("/frames/{update_id}/0"), "gone"),
    Door("/polls/{update_id}/{poll}", "polls", _of_update("/polls/{update_id}/poll"), "gone"),
    Door("/v1/polls/{update_id}/{poll}", "polls", _of_update("/v1/polls/{update_id}/poll"), "gone"),
    Door("/oembed", "oEmbed", _oembed, "gone", may_be_closed=True),
)  # fmt: skip
"""`{site}` in an address is the site's own, percent-encoded."""

PICTURES = "/media/{path:path}"
"""Looked at by rendition: see `web.pictures`."""

EXEMPT: Mapping[str, str] = {
    PICTURES: "each rendition of the update is asked for",
    "/livez": "says nothing of updates",
    "/readyz": "says nothing of updates",
    "/metrics": "counts; no label holds words",
    "/robots.txt": "the same whatever is published",
    "/static/{name}": "files of the program",
    "/sw.js": "a file of the program",
    "/client.js": "a file of the program",
    "/embed.js": "a file of the program",
    "/embed-story.js": "a file of the program",
    "/docs": "describes the API",
    "/rsl.xml": "terms for machines, the same whatever is published",
    "/.well-known/tdmrep.json": "terms for machines, the same whatever is published",
    "/openapi.json": "describes the API",
    "/v1/{path:path}": "answers OPTIONS alone",
}
"""Routes that a takedown does not ask, and why."""
