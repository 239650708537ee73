"""No public route is forgotten: each has a sink that a takedown asks, or says why not."""

from datetime import UTC, datetime

import pytest
from starlette.routing import Route

from publish.archive.queries import Archived
from publish.settings import Settings
from publish.takedown.sinks.doors import DOORS, EXEMPT
from publish.takedown.sinks.finding import Killed
from publish.takedown.sinks.replicas import replicas_of
from publish.web.application import build
from publish.web.archive_client import ArchiveClient
from publish.web.feed_store import FeedStore
from shared.observability.health import Health
from support.revisions import read, revision

OF_OTHER_RELEASES = {
    "/v1/search", "/search", "/embed/updates/{update_id}", "/embed/stories/{story}", "/embed/stories/{story}.html", "/oembed",
    "/text", "/text/stories/{story}", "/text/updates/{update_id}", "/sitemap.xml", "/sitemap-stories.xml", "/docs",
    "/v1/updates.{form}", "/v1/updates/{update_id}.{form}", "/v1/updates/{update_id}.ninjs", "/v1/stories/{story}", "/v1/tags",
    "/v1/tags/{code}", "/v1/authors", "/v1/authors/{slug}", "/client.js", "/embed.js", "/embed-story.js",
    "/frames/{update_id}/{number:int}", "/v1/{path:path}",
}  # fmt: skip
"""Doors that replicas of an older or a newer release have; an address that answers 404 is clean."""


def routes_of_the_web() -> set[str]:
    """Every route of a replica's application."""
    answers, _ = build(Settings(), FeedStore(10), ArchiveClient(), Health("publish.web"))
    app = answers.response_cache
    while not hasattr(app, "routes"):
        app = getattr(app, "app", None) or getattr(app, "_app")  # noqa: B009 -- the application behind the ready answers
    return {route.path for route in app.routes if isinstance(route, Route)}


def test_every_route_has_a_sink_or_says_why_not() -> None:
    """A new route without a decision fails here: add a `Door` to `publish/takedown/sinks/doors.py`."""
    routes = routes_of_the_web()
    doors = {door.route for door in DOORS}
    assert routes - doors - set(EXEMPT) == set(), "routes that no takedown asks"
    assert (doors | set(EXEMPT)) - routes <= OF_OTHER_RELEASES, "doors to nowhere"


def test_a_door_is_asked_at_every_address_that_readers_knew() -> None:
    """Of each channel its page, its list and its feeds; of the update its old addresses; of streams both views."""
    update = read(revision("a", 2, removal="killed"), 7, position=5)
    channels = frozenset(
        {"news", "source:wire", f"update:{update.update_id}", "tag:medtop:1", "story:fire", "author:ada"}
    )
    killed = Killed(Archived(update, channels), datetime.now(UTC), paths=("/updates/x/old-words",), words="Old words")
    asked = {address for door in DOORS for address in door.addresses(killed)}
    assert {
        "/", "/stories/fire", "/tags/medtop:1", "/authors/ada", "/feeds/story/fire.atom", "/feeds/author/ada.json",
        "/updates/x/old-words", "/v1/search?q=Old+words", f"/v1/updates/{update.update_id}/revisions",
        f"/v1/since?channels=update:{update.update_id}&view=page&cursor=1-4",
        "/v1/updates?limit=100&channel=tag%3Amedtop%3A1",
    } <= asked  # fmt: skip


async def test_each_address_of_a_name_is_a_replica() -> None:
    """A name stands for all its addresses, asked with its own Host; one without any is an error, not an empty list."""
    assert await replicas_of(["http://one:8080", "dns:http://127.0.0.1:8080"]) == [
        ("http://one:8080", {}),
        ("http://127.0.0.1:8080", {"Host": "127.0.0.1:8080"}),
    ]
    with pytest.raises(OSError, match="Name or service"):
        await replicas_of(["dns:http://no-such-host.invalid:8080"])


def test_the_site_is_asked_too_unless_it_is_this_machine() -> None:
    """The site's own address has the shared cache before it."""
    replicas = {"publish_takedown_replicas": "http://web-1:8080,http://web-2:8080/"}
    site = Settings(publish_site_url="https://news.example", **replicas)
    assert site.takedown_urls == ("http://web-1:8080", "http://web-2:8080", "https://news.example")
    assert Settings(**replicas).takedown_urls == ("http://web-1:8080", "http://web-2:8080")
    assert Settings(publish_push_web_urls="http://web:1").takedown_urls == ("http://web:1",)
    for wrong in ({"publish_takedown_replicas": "web:8080"}, {"publish_takedown_key": "short"}):
        with pytest.raises(ValueError, match="takedown"):
            Settings(**wrong)
