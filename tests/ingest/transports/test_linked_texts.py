"""Texts that a source sends as links are fetched with its key, and the key goes nowhere else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from ingest.formats import ReadRequest, SourceProfile, read
from ingest.intake.linked_texts import as_native, links_of
from ingest.sources import store
from ingest.sources.source import Source
from ingest.transports.http_client import http_client
from ingest.transports.linked_texts.fetcher import LEASE_S, QUEUE, LinkedTexts, with_text
from ingest.transports.linked_texts.key import NoKey, key_for
from local.child import free_port
from shared.http.server.server import http_server
from support.ingest_api import Wire

KEY = "INGEST_MEDIA_KEY_AP"
PROFILE = SourceProfile(extends="ap", media_key_env=KEY).completed()
NITF = (
    b"<nitf><head><docdata><doc-id id-string='x'/></docdata></head><body><body.head><hedline><hl1>Harbour reopens</hl1></hedline>"
    b"<byline>By ANY BODY</byline></body.head><body.content><p>The harbour reopened on Monday after a week.</p></body.content></body></nitf>"
)


def item(url: str, **more: Any) -> dict[str, Any]:
    """An item of AP's media API whose text is linked."""
    return {
        "data": {
            "item": {
                "uri": "https://api.ap.org/content/aa11", "altids": {"itemid": "aa11"}, "version": 1, "type": "text", "pubstatus": "usable",
                "versioncreated": "2026-01-01T10:00:00Z", "headline": "Harbour reopens", "description_summary": "The harbour reopened.",
                "provider": "AP", "renditions": {"nitf": {"href": url, "contenttype": "text/xml"}}, **more,
            }
        }
    }  # fmt: skip


def reading(body: bytes) -> Any:
    """What ingest makes of a document."""
    request = ReadRequest(
        content_type=None, source="ap", received_at=datetime(2026, 1, 1, 11, tzinfo=UTC), original_id="1", sha256="0"
    )
    return read(body, request)


@pytest.mark.unit
def test_the_key_goes_to_the_sources_hosts_alone() -> None:
    """Over https, where it is set; a profile cannot name another secret."""
    assert key_for("https://api.ap.org/x", PROFILE, {KEY: "s"}).headers == {"x-api-key": "s"}
    for url in (
        "https://api.ap.org.evil.example/x",
        "https://evil.example/api.ap.org",
        "http://api.ap.org/x",
        "https://api.ap.org@evil.example/x",
    ):
        with pytest.raises(NoKey):
            key_for(url, PROFILE, {KEY: "s"})
    with pytest.raises(NoKey, match="is not set"):
        key_for("https://api.ap.org/x", PROFILE, {})
    with pytest.raises(ValueError, match="media_key_env"):
        SourceProfile(media_key_env="POSTGRES_DSN")


@pytest.mark.unit
def test_a_version_is_the_same_with_its_text() -> None:
    """Identity, version, headline and summary stay; body and byline come from the file."""
    [update] = reading(orjson.dumps(item("https://api.ap.org/aa11?nitf"))).updates
    assert links_of(update) == ["https://api.ap.org/aa11?nitf"]
    whole = with_text(as_native(update), reading(NITF))
    assert whole is not None
    [again] = reading(orjson.dumps(whole)).updates
    assert (again.guid, again.version, again.version_created) == (update.guid, update.version, update.version_created)
    assert (again.headline, again.summary, again.credit) == (update.headline, update.summary, update.credit)
    assert "reopened on Monday" in again.body_html
    assert links_of(again) == []


@pytest_asyncio.fixture
async def files() -> AsyncIterator[tuple[str, list[dict[str, str]]]]:
    """A server of texts, and what it was asked with."""
    port, other, asked = free_port(), free_port(), list[dict[str, str]]()

    async def answer(request: Request) -> Response:
        asked.append({"host": request.url.netloc, **request.headers})
        if request.url.path == "/away":
            return RedirectResponse(f"http://localhost:{other}/aa11")
        return Response(NITF, media_type="text/xml")

    app = Starlette(routes=[Route("/{path:path}", answer)])
    async with http_server(app, "127.0.0.1", port), http_server(app, "127.0.0.1", other):
        yield f"http://127.0.0.1:{port}", asked


@pytest.mark.integration
async def test_a_linked_text_follows_its_headline(wire: Wire, files: tuple[str, list[dict[str, str]]]) -> None:
    """The version goes out at once, then once more with its text; a redirect to another host goes without the key."""
    url, asked = files
    profile = SourceProfile(extends="ap", media_key_env=KEY, media_key_hosts=("127.0.0.1",))
    source = Source(name="ap", profile=profile)
    await store.save(wire.pool, source)
    for number, path in enumerate(("aa11", "away")):
        document = orjson.dumps(item(f"{url}/{path}", uri=f"urn:{number}", altids={}))
        await wire.intake.take(source, document, content_type="application/json", transport="api")
    assert [each.get("body_html", "") for each in await wire.raw()] == ["", ""]
    async with http_client(allow_private=True) as client:
        texts = LinkedTexts(wire.pool, wire.intake, client, environment={KEY: "secret"}, allow_plain=True)
        for wanted in await QUEUE.claim_fairly(wire.pool, 10, LEASE_S, held={}, share=4):
            await texts.fetch(wanted)
    bodies = [each.get("body_html", "") for each in await wire.raw()]
    assert len([body for body in bodies if "reopened on Monday" in body]) == 2
    assert await wire.pool.fetchval("SELECT count(*) FROM ingest.linked_texts") == 0
    assert [("x-api-key" in each) for each in asked if "localhost" in each["host"]] == [False]
    assert all(each["x-api-key"] == "secret" for each in asked if "localhost" not in each["host"])


@pytest.mark.integration
async def test_what_cannot_be_fetched_says_why_and_waits(wire: Wire) -> None:
    """Without the variable nothing is asked for, and nothing else waits."""
    source = Source(name="ap", profile=SourceProfile(extends="ap", media_key_env=KEY))
    await store.save(wire.pool, source)
    await wire.intake.take(
        source, orjson.dumps(item("https://api.ap.org/aa11")), content_type="application/json", transport="api"
    )
    async with http_client(allow_private=False) as client:
        texts = LinkedTexts(wire.pool, wire.intake, client, environment={})
        [wanted] = await QUEUE.claim_fairly(wire.pool, 10, LEASE_S, held={}, share=4)
        await texts.fetch(wanted)
    row = await wire.pool.fetchrow("SELECT error, due_at > now() AS waits FROM ingest.linked_texts")
    assert (row["error"], row["waits"]) == (f"{KEY} is not set", True)
