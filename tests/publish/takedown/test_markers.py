"""Marker words in every field that holds a source's words: after a takedown no door says one, and no store keeps one."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from local.child import free_port
from publish.archive import process as archive
from publish.cache import process as cache
from publish.push import process as push
from publish.push.settings import PushSettings
from publish.push.webhooks.endpoints import Endpoints, NewEndpoint
from publish.takedown.proof import prove
from publish.takedown.report import as_text
from publish.takedown.sinks.doors import DOORS
from publish.takedown.sinks.every import open_sinks
from publish.web import process as web
from shared.http.server.server import http_server
from shared.messages import (
    SOURCE_WORDS,
    Author,
    EnrichedUpdate,
    FactBox,
    Media,
    Passport,
    Poll,
    PollOption,
    QuestionAnswer,
    Quote,
    Rendition,
    Score,
    Side,
    marked,
)
from shared.postgres.pool import Pool
from shared.settings import Connections
from support import push_keys as keys
from support.revisions import emit, revision, running
from support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(150)]

MARKER = "zqx"
"""Every planted word begins with it."""


def now() -> Passport:
    """Received and enriched now: an endpoint gets nothing of what is older than itself."""
    return Passport(received_at=datetime.now(UTC), enriched_at=datetime.now(UTC))


def planted(guid: str, number: int) -> EnrichedUpdate:
    """A revision with a marker in each field that is marked as a source's words, of whatever type it is."""
    words: dict[str, Any] = {}
    for name in marked(EnrichedUpdate, SOURCE_WORDS):
        annotation = EnrichedUpdate.model_fields[name].annotation
        if annotation in (str, str | None):
            words[name] = f"{MARKER}{name.replace('_', '')}{number}"
    for name in ("tags", "repairs"):
        words.pop(name, None)
    slug = f"{MARKER}slug{number}"
    words |= {
        "link": f"https://wire.example/{MARKER}link{number}",
        "body_html": f"<p>{MARKER}body{number}</p>",
        "slug": slug,
        "authors": (Author(name=f"{MARKER}author{number}", bio=f"{MARKER}bio{number}"),),
        "media": (
            Media(
                id="ab/abc", caption=f"{MARKER}caption{number}", credit=f"{MARKER}mediacredit{number}",
                alt_text=f"{MARKER}alt{number}", copyright=f"{MARKER}mediacopyright{number}",
                renditions=(Rendition(url="/media/ab/abc/320.webp", mime_type="image/webp", width=320, height=200),),
            ),
        ),
        "blocks": (
            FactBox(kind="fact-box", title=f"{MARKER}facts{number}", facts=(f"{MARKER}fact{number}",)),
            Quote(kind="quote", text=f"{MARKER}quote{number}", speaker=f"{MARKER}speaker{number}", role=f"{MARKER}role{number}"),
            QuestionAnswer(kind="question-answer", question=f"{MARKER}question{number}", answer=f"{MARKER}answer{number}"),
            Score(kind="score", title=f"{MARKER}match{number}", sides=(Side(name=f"{MARKER}side{number}", score="2"),)),
            Poll(kind="poll",
                id="poll", question=f"{MARKER}poll{number}",
                options=(PollOption(id="a", label=f"{MARKER}first{number}"), PollOption(id="b", label=f"{MARKER}second{number}")),
            ),
        ),
        "change": {"reason": "", "diff": (("+", f"{MARKER}diff{number}"),), "fields": ("text",)},
    }  # fmt: skip
    update, passport = revision(guid, number, **words), now()
    return update.model_copy(
        update={
            "path": f"/updates/{update.update_id}/{slug}", "urgency": 1, "story": "fire", "first_published_at": passport.received_at,
            "updated_at": passport.received_at if number > 1 else None, "passport": passport,
        }
    )  # fmt: skip


@pytest.fixture
def settings(newsroom: Connections) -> PushSettings:
    """The settings of all processes of publish."""
    port = free_port()
    return PushSettings(
        **newsroom.model_dump()
        | {
            "port": port,
            "publish_site_url": f"http://127.0.0.1:{port}",
            "publish_push_allow_private": True,
            "publish_push_port": free_port(),
            "publish_push_schedule_s": "0.1,0.1,0.1",
        }
    )


@asynccontextmanager
async def endpoint(answers: dict[str, int]) -> AsyncIterator[str]:
    """A webhook endpoint that says back what it was sent, with the status that is set for removals and for words."""

    async def take(request: Request) -> Response:
        body = await request.body()
        return Response(body, answers["words" if MARKER.encode() in body else "removal"])

    port = free_port()
    async with http_server(Starlette(routes=[Route("/hook", take, methods=["POST"])]), "127.0.0.1", port):
        yield f"http://127.0.0.1:{port}/hook"


async def words_in_postgres(pool: Pool, schema: str) -> list[str]:
    """The markers in any column of any table."""
    tables = await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = $1", schema)
    found = []
    for row in tables:
        for line in await pool.fetch(f'SELECT t::text AS line FROM {schema}."{row["tablename"]}" t'):
            text = re.sub(
                r"\\x([0-9a-f]+)", lambda match: bytes.fromhex(match[1]).decode("utf-8", "replace"), line["line"]
            )
            found += [f"{row['tablename']}: {word}" for word in re.findall(rf"{MARKER}\w+", text)]
    return found


async def words_in_redis(settings: Connections) -> list[str]:
    """The markers in any key or value of this newsroom."""
    async with Redis.from_url(settings.redis_url) as redis:
        found = []
        async for key in redis.scan_iter(match=f"slugline:{settings.topic_prefix}*"):
            kind = await redis.type(key)
            value = (
                await redis.get(key) if kind == b"string"
                else await redis.hgetall(key) if kind == b"hash" else await redis.zrange(key, 0, -1)
            )  # fmt: skip
            found += re.findall(rf"{MARKER}\w+", f"{key!r} {value!r}")
        return found


async def words_at_doors(settings: PushSettings, sinks: Any, update_id: str, unseen: str) -> dict[str, list[str]]:
    """The markers, or the id of what nobody ever saw, at any door of the site."""
    killed = await sinks.killed(update_id)
    addresses = {address for door in DOORS if door.route != "/v1/stream" for address in door.addresses(killed)}
    addresses |= {f"/updates/{update_id}/{MARKER}slug{number}" for number in (1, 2)}
    addresses |= {"/v1/since?cursor=1-0&view=page", "/v1/poll?cursor=1-0&timeout=0", "/robots.txt", "/stories/fire"}
    found = {}
    async with httpx.AsyncClient(base_url=settings.publish_site_url) as client:
        for address in sorted(addresses):
            answer = await client.get(address, follow_redirects=False)
            said = f"{answer.headers} {answer.text}".replace(address, "")
            if words := re.findall(rf"{MARKER}\w+|{unseen}", said):
                found[address] = words
        stream = await sinks._outbound.stream(
            f"{settings.publish_site_url}/v1/stream?cursor=1-0", for_s=1.0, most_bytes=10**6
        )
        assert update_id.encode() in stream, "the removal is told"
        if words := re.findall(rf"{MARKER}\w+|{unseen}", stream.decode()):
            found["/v1/stream"] = words
        statuses = [(await client.get(path.format(unseen))).status_code for path in ("/updates/{}", "/v1/updates/{}")]
        assert statuses == [404, 404], "what nobody ever saw is not said to be gone"
    return found


async def proven(pool: Pool, update_id: str) -> tuple[int, list[str]]:
    """How often all was clean, and what is not."""
    rows = await pool.fetch(
        "SELECT sink, detail FROM publish.takedowns WHERE clean_at IS NULL AND update_id = $1", update_id
    )
    looks = await pool.fetchval("SELECT full_looks FROM publish.takedown_checks WHERE update_id = $1", update_id)
    return int(looks or 0), [f"{row['sink']}: {row['detail']}" for row in rows]


async def test_no_marker_word_survives_a_takedown(settings: PushSettings, pool: Pool) -> None:
    """Pages, API, feeds, stream, poll, Redis and Postgres; and of an update that was killed unseen, not even its id at any door."""
    update_id, unseen = revision("a").update_id, revision("never seen").update_id
    answers = {"words": 400, "removal": 204}
    async with AsyncExitStack() as stack:
        hook = await stack.enter_async_context(endpoint(answers))
        _, token = await keys.add(pool, "partner", ["webhooks"], ["news"])
        key = await keys.find(pool, token)
        assert key is not None
        await Endpoints(pool, allow_private=True).add(NewEndpoint(url=hook, channels=("news",)), key)
        for process, port in (
            (archive, free_port()),
            (cache, free_port()),
            (web, settings.port),
            (push, settings.publish_push_port),
        ):
            own = settings.model_copy(update={"health_port": port})
            await stack.enter_async_context(running(lambda stop, serve=process.serve, own=own: serve(own, stop)))
        sinks = await stack.enter_async_context(open_sinks(settings, pool))
        unseen_kill = revision("never seen", 1, removal="killed")
        await emit(settings, [planted("a", 1), unseen_kill, planted("a", 2), revision("b", passport=now())])
        await eventually(
            lambda: pool.fetchval("SELECT count(*) FROM publish.deliveries WHERE state = 'failed' AND log <> '{}'"),
            lambda count: count == 2,
            within_s=40,
            what="the endpoint answered nothing",
        )
        await eventually(lambda: pool.fetchval("SELECT title FROM publish.alerts WHERE update_id = $1", update_id))
        assert await words_in_postgres(pool, "publish"), "nothing was planted in Postgres"
        assert await words_in_redis(settings), "nothing was planted in Redis"
        await emit(settings, [revision("a", 3, removal="taken-down", story="fire", passport=now())])
        await eventually(
            lambda: proven(pool, update_id), lambda seen: seen == (1, []), within_s=40, what="not proven by itself"
        )
        found = await prove(pool, sinks, update_id, within_s=5)
        assert found is not None
        assert found.clean, as_text(found)
        assert await words_at_doors(settings, sinks, update_id, unseen) == {}
        assert await words_in_postgres(pool, "publish") == []
        assert await words_in_redis(settings) == []
        async with Redis.from_url(settings.redis_url) as redis:
            assert not [key async for key in redis.scan_iter(match=f"*{unseen}*")], (
                "a tombstone of what nobody ever saw"
            )
        told = await pool.fetch(
            "SELECT update_id FROM publish.deliveries UNION SELECT update_id FROM publish.takedowns"
        )
        assert unseen not in {row["update_id"] for row in told}
        of_unseen = await prove(pool, sinks, unseen, within_s=5)
        assert of_unseen is not None
        assert not of_unseen.was_public
        assert of_unseen.clean, as_text(of_unseen)
        answers["removal"] = 500
        await asyncio.gather(_unacknowledged(settings, pool, sinks, hook))


async def _unacknowledged(settings: PushSettings, pool: Pool, sinks: Any, hook: str) -> None:
    """An endpoint that was given words and does not take the removal is named; the address, which may be secret, is not."""
    killed = revision("b").update_id
    await emit(settings, [revision("b", 2, removal="killed", passport=now())])
    await eventually(
        lambda: pool.fetchval("SELECT state FROM publish.deliveries WHERE update_id = $1 AND attempts > 3", killed)
    )
    found = await prove(pool, sinks, killed, within_s=3)
    assert found is not None
    (unclean,) = [each for each in found.sinks if each.clean_at is None]
    assert unclean.sink == "webhooks"
    assert "127.0.0.1" in unclean.detail
    assert "answered 500" in unclean.detail
    assert hook not in orjson.dumps(unclean.detail).decode()
