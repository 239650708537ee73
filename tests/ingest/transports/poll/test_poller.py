"""Feeds that are polled, each by one replica at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ingest.sources import store
from ingest.sources.source import Source
from ingest.transports.http_client import http_client
from ingest.transports.poll.poller import Poller, request_recovery
from local.child import free_port
from shared.http.server.server import http_server
from shared.postgres.pool import Pool
from support.ingest_api import Wire
from support.waiting import eventually

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def feed(*guids: str, next_url: str = "", when: datetime = NOW) -> bytes:
    """A JSON Feed with these items."""
    items = [
        {"id": guid, "title": f"Headline {guid}", "content_text": "Text.", "date_published": when.isoformat()}
        for guid in guids
    ]
    extra = {"next_url": next_url} if next_url else {}
    return orjson.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "Feed", "items": items, **extra})


@dataclass
class FeedServer:
    """A server whose answers a test decides, and that remembers what it was asked."""

    url: str
    answer: Callable[[Request], Response] = lambda _: Response(status_code=404)
    asked: list[dict[str, str]] = field(default_factory=list)

    def serve(self, body: bytes, etag: str = '"1"') -> None:
        """Serve a feed with conditions."""

        def answer(request: Request) -> Response:
            if request.headers.get("if-none-match") == etag:
                return Response(status_code=304)
            return Response(body, media_type="application/feed+json", headers={"ETag": etag})

        self.answer = answer


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FeedServer]:
    """A feed's server on a port of its own."""
    port = free_port()
    served = FeedServer(f"http://127.0.0.1:{port}/feed")

    async def anything(request: Request) -> Response:
        served.asked.append(dict(request.headers))
        return served.answer(request)

    async with http_server(Starlette(routes=[Route("/{path:path}", anything)]), "127.0.0.1", port):
        yield served


@pytest_asyncio.fixture
async def poller(wire: Wire, server: FeedServer) -> AsyncIterator[Poller]:
    """A poller with one source."""
    await store.save(wire.pool, Source(name="feed", kind="poll", url=server.url))
    async with http_client(allow_private=True) as fetcher:
        yield Poller(wire.settings, wire.pool, wire.intake, fetcher, "one")


async def once(poller: Poller, pool: Pool) -> dict[str, Any]:
    """Let the source be due, poll it, and see what was written down."""
    await pool.execute("UPDATE ingest.cursors SET next_at = now()")
    [cursor] = await poller.lease()
    await poller.poll_and_release(cursor)
    return dict(await pool.fetchrow("SELECT * FROM ingest.cursors WHERE source = 'feed'"))


@pytest.mark.integration
async def test_a_feed_is_read_once_and_then_asked_with_conditions(
    wire: Wire, server: FeedServer, poller: Poller
) -> None:
    """Items become messages; the next request carries the ETag, a 304 brings nothing, a changed feed only its new item."""
    server.serve(feed("b", "a"))
    first = await once(poller, wire.pool)
    assert (first["status"], first["etag"], first["lease_owner"]) == (200, '"1"', None)
    assert sorted(item["guid"] for item in await wire.raw()) == ["a", "b"]
    assert (await once(poller, wire.pool))["status"] == 304
    assert server.asked[-1]["if-none-match"] == '"1"'
    server.serve(feed("c", "b", "a"), '"2"')
    await once(poller, wire.pool)
    assert sorted(item["guid"] for item in await wire.raw()) == ["a", "b", "c"]


@pytest.mark.integration
async def test_the_same_file_again_is_not_even_kept(wire: Wire, server: FeedServer, poller: Poller) -> None:
    """A server without conditions that sends the same bytes brings no second original and no event."""
    server.answer = lambda _: Response(feed("a"), media_type="application/feed+json")
    await once(poller, wire.pool)
    await once(poller, wire.pool)
    assert await wire.pool.fetchval("SELECT count(*) FROM ingest.originals") == 1
    assert len(await wire.raw()) == 1


@pytest.mark.integration
async def test_two_replicas_never_have_one_source_in_hand(wire: Wire, server: FeedServer, poller: Poller) -> None:
    """A leased source is nobody else's, until the lease has run out because its holder died."""
    async with http_client(allow_private=True) as fetcher:
        other = Poller(wire.settings, wire.pool, wire.intake, fetcher, "two")
        taken = await asyncio.gather(poller.lease(), other.lease())
        assert sum(len(each) for each in taken) == 1
        await wire.pool.execute("UPDATE ingest.cursors SET lease_until = now() - interval '1 second'")
        assert [cursor.source for cursor in await other.lease()] == ["feed"]


@pytest.mark.integration
async def test_a_source_that_takes_the_poller_down_rests_and_the_others_do_not(
    wire: Wire, server: FeedServer, poller: Poller
) -> None:
    """Two processes that ended while they read it are enough: it is asked again only after a while, and says why."""
    server.serve(feed("a"))
    await store.save(wire.pool, Source(name="other", kind="poll", url=server.url))
    for _ in range(2):
        await wire.pool.execute("UPDATE ingest.cursors SET next_at = now()")
        await poller.lease()
        await wire.pool.execute("UPDATE ingest.cursors SET reading = true WHERE source = 'feed'")
        await wire.pool.execute("UPDATE ingest.cursors SET lease_until = now() - interval '1 second'")
    for cursor in await poller.lease():
        await poller.poll_and_release(cursor)
    rows = {
        row["source"]: row for row in await wire.pool.fetch("SELECT *, next_at - now() AS rest FROM ingest.cursors")
    }
    assert (rows["other"]["error"], rows["other"]["deaths"]) == ("", 0)
    assert "2 processes ended" in rows["feed"]["error"]
    assert rows["feed"]["rest"] > timedelta(minutes=4)
    assert len(server.asked) == 1
    await store.remove(wire.pool, "other")
    row = await once(poller, wire.pool)
    assert (row["error"], row["deaths"], row["reading"]) == ("", 0, False)


@pytest.mark.integration
async def test_a_poller_that_is_told_to_end_has_not_died_of_what_it_read(
    wire: Wire, server: FeedServer, poller: Poller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its source is given back at once, without a mark."""
    server.serve(feed("a"))
    reading = asyncio.Event()

    async def take(*_: Any, **__: Any) -> None:
        reading.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(wire.intake, "take", take)
    [cursor] = await poller.lease()
    task = asyncio.create_task(poller.poll_and_release(cursor))
    await asyncio.wait_for(reading.wait(), 10)
    assert await wire.pool.fetchval("SELECT reading FROM ingest.cursors")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    row = await wire.pool.fetchrow("SELECT reading, lease_owner, deaths FROM ingest.cursors")
    assert tuple(row) == (False, None, 0)


@pytest.mark.integration
async def test_kafka_away_leaves_the_cursor_where_it_was(wire: Wire, server: FeedServer, poller: Poller) -> None:
    """What Kafka has not acknowledged is asked for again without conditions, and then taken."""
    server.serve(feed("a"))
    producer, wire.intake.producer = wire.intake.producer, None
    failed = await once(poller, wire.pool)
    assert (failed["etag"], failed["failures"]) == (None, 1)
    wire.intake.producer = producer
    await once(poller, wire.pool)
    assert "if-none-match" not in server.asked[-1]
    assert len(await wire.raw()) == 1


@pytest.mark.integration
async def test_a_feed_that_is_gone_pauses_its_source(wire: Wire, server: FeedServer, poller: Poller) -> None:
    """410 ends the polling and says why; it is not asked again."""
    server.answer = lambda _: Response(status_code=410)
    await once(poller, wire.pool)
    source = await store.one_source(wire.pool, "feed")
    assert source is not None
    assert source.paused
    assert "410" in source.paused_because
    await wire.pool.execute("UPDATE ingest.cursors SET next_at = now()")
    assert await poller.lease() == []


@pytest.mark.integration
async def test_a_server_that_asks_for_patience_is_given_it(wire: Wire, server: FeedServer, poller: Poller) -> None:
    """Retry-After of a 503 decides when the next poll comes."""
    server.answer = lambda _: Response(status_code=503, headers={"Retry-After": "3600"})
    row = await once(poller, wire.pool)
    assert row["next_at"] - row["polled_at"] >= timedelta(seconds=3599)
    assert (row["status"], row["failures"]) == (503, 1)


@pytest.mark.integration
async def test_recovery_walks_back_through_older_pages(wire: Wire, server: FeedServer, poller: Poller) -> None:
    """After an outage the pages before are read until they are older than asked for, and no further; the oldest is taken first."""
    now = datetime.now(UTC)
    pages = {
        "/feed": feed("d", next_url="/2", when=now),
        "/2": feed("c", next_url="/3", when=now - timedelta(hours=1)),
        "/3": feed("b", next_url="/4", when=now - timedelta(hours=9)),
        "/4": feed("a", when=now - timedelta(hours=20)),
    }
    server.answer = lambda request: Response(pages[request.url.path], media_type="application/feed+json")
    await once(poller, wire.pool)
    assert [item["guid"] for item in await wire.raw()] == ["d"]
    assert await request_recovery(wire.pool, "feed", 3)
    row = await once(poller, wire.pool)
    assert [item["guid"] for item in await wire.raw()] == ["d", "b", "c"]
    assert row["recover_since"] is None


@pytest.mark.integration
async def test_a_recovery_that_is_interrupted_begins_again(wire: Wire, server: FeedServer, poller: Poller) -> None:
    """While an older page cannot be had the recovery is still to be done; the next poll makes up for it."""
    now = datetime.now(UTC)
    pages = {"/feed": feed("b", next_url="/2", when=now), "/2": feed("a", when=now - timedelta(hours=1))}
    broken = {"/2"}

    def answer(request: Request) -> Response:
        if request.url.path in broken:
            return Response(status_code=502)
        return Response(pages[request.url.path], media_type="application/feed+json")

    server.answer = answer
    await once(poller, wire.pool)
    assert await request_recovery(wire.pool, "feed", 3)
    row = await once(poller, wire.pool)
    assert row["recover_since"] is not None
    assert "/2: the server answered 502" in row["error"]
    broken.clear()
    row = await once(poller, wire.pool)
    assert row["recover_since"] is None
    assert sorted(item["guid"] for item in await wire.raw()) == ["a", "b"]


@pytest.mark.integration
async def test_a_feed_that_cannot_be_read_fails_without_being_kept_twice(
    wire: Wire, server: FeedServer, poller: Poller
) -> None:
    """An answer that is no feed is kept as an original, told of in the cursor, and the poller lives on."""
    server.answer = lambda _: Response(b"<html><p>Moved, sorry.", media_type="text/html")
    row = await once(poller, wire.pool)
    assert row["failures"] == 1
    assert row["error"]
    await once(poller, wire.pool)
    assert await wire.pool.fetchval("SELECT count(*) FROM ingest.originals") == 1


@pytest.mark.integration
async def test_feeds_that_hang_hold_up_none_that_answer(wire: Wire, server: FeedServer, poller: Poller) -> None:
    """More of them than are polled at once are due before one that answers: once they have failed, they have their own share."""
    silent = await asyncio.start_server(lambda reader, _: reader.read(), "127.0.0.1", port := free_port())
    hanging = [f"hanging{number}" for number in range(wire.settings.ingest_poll_concurrency + 5)]
    for name in hanging:
        await store.save(wire.pool, Source(name=name, kind="poll", url=f"http://127.0.0.1:{port}/{name}"))
    await wire.pool.execute(
        "INSERT INTO ingest.cursors (source, failures, next_at) SELECT name, 1, now() - interval '1 hour' FROM ingest.sources "
        "WHERE name LIKE 'hanging%'"
    )
    server.serve(feed("a"))
    async with silent:
        running = asyncio.create_task(poller.run())
        try:
            await eventually(wire.raw, within_s=10, what="the feed that answers")
            polled = "SELECT count(*) FROM ingest.cursors WHERE lease_until > now() AND source LIKE 'hanging%'"
            assert 0 < await wire.pool.fetchval(polled) <= wire.settings.ingest_poll_concurrency / 2
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


@pytest.mark.integration
async def test_a_source_whose_row_cannot_be_read_rests_and_says_why(
    wire: Wire, server: FeedServer, poller: Poller
) -> None:
    """A profile of another release: the others are polled, and `sources list` has the reason."""
    server.serve(feed("a"))
    await store.save(wire.pool, Source(name="bad", kind="poll", url=server.url))
    await wire.pool.execute("UPDATE ingest.sources SET profile = '{\"format\": 7}' WHERE name = 'bad'")
    running = asyncio.create_task(poller.run())
    try:
        await eventually(wire.raw, what="the other source")
        reason = await eventually(
            lambda: wire.pool.fetchval("SELECT error FROM ingest.cursors WHERE source = 'bad' AND failures = 1"),
            what="why",
        )
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    assert "profile" in reason
    row = await wire.pool.fetchrow(
        "SELECT lease_owner, next_at > now() + interval '1 minute' AS rests FROM ingest.cursors WHERE source = 'bad'"
    )
    assert dict(row) == {"lease_owner": None, "rests": True}
