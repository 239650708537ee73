"""The proof of a kill, against the real archive, cache and web."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import AsyncExitStack
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from local.child import free_port
from publish.archive import process as archive
from publish.archive import queries
from publish.cache import process as cache
from publish.settings import Settings
from publish.takedown.proof import keep_proving, prove, watch
from publish.takedown.report import as_text
from publish.takedown.sinks.every import TakedownSinks, open_sinks
from publish.takedown.sinks.finding import Finding, Killed
from publish.takedown.sinks.web import WebAddress
from publish.web import process as web
from shared.messages import Author, Media, Rendition
from shared.postgres.pool import Pool
from shared.postgres.set_aside import listed
from shared.settings import Connections
from support.revisions import NOON, emit, read, revision, running
from support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(newsroom: Connections) -> Settings:
    """The settings of the service in this newsroom."""
    port = free_port()
    own = {"port": port, "publish_site_url": f"http://127.0.0.1:{port}", "publish_cache_days": 36500}
    return Settings(**newsroom.model_dump() | own)


@pytest_asyncio.fixture
async def pool(settings: Settings, pool: Pool) -> AsyncIterator[Any]:
    """Archive, cache and web, running."""
    async with AsyncExitStack() as stack:
        for process in (archive, cache, web):
            own = settings.model_copy(update={"health_port": free_port()})
            await stack.enter_async_context(running(lambda stop, serve=process.serve, own=own: serve(own, stop)))
        yield pool


def picture(settings: Settings, path: str) -> None:
    """Put a rendition into the store."""
    file = Path(settings.media_store.removeprefix("file://")) / path
    file.parent.mkdir(parents=True)
    file.write_bytes(b"picture")


def showing(path: str) -> tuple[Media, ...]:
    """The media of an update that shows a rendition."""
    rendition = Rendition(url=f"/media/{path}", mime_type="image/webp", width=320, height=200)
    return (Media(id=path, credit="Ada", renditions=(rendition,)),)


ALWAYS = {
    "archive",
    "cache",
    "alert records",
    "delivery logs",
    "webhooks",
    "WebSub subscribers",
    "purged caches",
    "notifications",
}
SHOWING = (
    "front page",
    "page",
    "stories",
    "topics",
    "authors",
    "API",
    "ninjs",
    "revisions and diffs",
    "feeds",
    "stream",
    "since",
    "poll",
    "embeds",
    "oEmbed",
    "text pages",
)
DOORS = (*SHOWING, "pictures", "sitemap", "search", "polls")


async def test_a_kill_is_proven_clean_in_every_sink_and_a_dirty_one_is_named(settings: Settings, pool: Pool) -> None:
    """The report lists every store, recipient and door with the time each was clean, and finds text put back."""
    killed = revision("a").update_id
    url = settings.web_urls[0]
    async with open_sinks(settings, pool) as sinks:
        picture(settings, "ab/abc/320.webp")
        picture(settings, "cd/cde/320.webp")
        own, shared = showing("ab/abc/320.webp"), showing("cd/cde/320.webp")
        words = {"story": "s", "tags": ("medtop:1",), "authors": (Author(name="Ada", id="1", slug="ada"),)}
        await emit(settings, [revision("b", 1, media=shared), revision("a", 1, media=own + shared, **words)])
        standing = await eventually(lambda: queries.one(pool, killed))
        assert standing is not None
        expected = {"archive", "cache", *(f"{url} {sink}" for sink in (*SHOWING, "pictures"))}
        await eventually(
            lambda: sinks.look(Killed(standing, NOON)),
            lambda seen: (
                {each.sink for each in seen if each.detail and "does not answer" not in each.detail} == expected
            ),
            within_s=40,
            what="not every sink is seen to show it first",
        )
        assert await prove(pool, sinks, killed, within_s=0) is None
        await emit(settings, [revision("a", 2, removal="killed", story="s")])
        found = await prove(pool, sinks, killed, within_s=20)
        assert found is not None
        assert found.clean, as_text(found)
        assert {each.sink for each in found.sinks} == ALWAYS | {f"{url} {sink}" for sink in DOORS}
        assert all(each.clean_at for each in found.sinks)
        async with httpx.AsyncClient(base_url=url) as client:
            statuses = [(await client.get(f"/media/{path}/320.webp")).status_code for path in ("ab/abc", "cd/cde")]
        assert statuses == [404, 200], "what another visible update shows stays"
        model = sinks._model
        assert model is not None
        await model._redis.delete(f"{model.prefix}state:{killed}")
        text = revision("a", 1)
        await model.rebuild([read(text)])
        found = await prove(pool, sinks, killed, within_s=0)
        assert found is not None
        assert [each.sink for each in found.sinks if each.clean_at is None] == ["cache"]
        assert [each.clean for each in found.looks][-1] is False
        assert "NOT CLEAN" in as_text(found)
        away = settings.model_copy(update={"publish_takedown_replicas": f"http://127.0.0.1:{free_port()}"})
        async with open_sinks(away, pool) as without:
            dead = await without.killed(killed)
            assert dead is not None
            assert all(each.detail for each in await without.look(dead) if each.sink.startswith("http")), (
                "unknown is never clean"
            )


async def test_a_takedown_is_checked_again_by_itself_and_what_came_back_is_told(settings: Settings, pool: Pool) -> None:
    """After an hour and a day every sink is asked once more; one that was clean and shows it again is unclean."""
    killed = revision("a").update_id
    async with open_sinks(settings, pool) as sinks:
        await emit(settings, [revision("a", 1), revision("a", 2, removal="killed")])
        archived = await eventually(lambda: queries.removal_of(pool, killed))
        assert archived is not None
        async with pool.acquire() as connection:
            await watch(connection, archived)
        state = "SELECT full_looks, round(extract(epoch FROM due_at - started_at) / 60) FROM publish.takedown_checks"

        async def looked() -> tuple[object, ...]:
            row = await pool.fetchrow(state)
            return tuple(row or ())

        proving = asyncio.create_task(keep_proving(pool, sinks))
        try:
            await eventually(looked, lambda row: row == (1, 60), within_s=30, what="clean, and due after an hour")
            model = sinks._model
            assert model is not None
            await model._redis.delete(f"{model.prefix}state:{killed}")
            await model.rebuild([read(revision("a", 1))])
            pretend = "UPDATE publish.takedown_checks SET started_at = now() - $1::interval, due_at = now()"
            await pool.execute(pretend, timedelta(hours=1))
            unclean = "SELECT sink FROM publish.takedowns WHERE clean_at IS NULL"
            await eventually(
                lambda: pool.fetchval(unclean), lambda sink: sink == "cache", what="what came back is seen"
            )
            await model.take_out([killed])
            await pool.execute("UPDATE publish.takedown_checks SET due_at = now()")
            await eventually(looked, lambda row: row[0] == 2, what="clean again")
            await pool.execute(pretend, timedelta(days=1))
            await eventually(looked, lambda row: row == (3, None), what="done after a day")
        finally:
            proving.cancel()
            await asyncio.gather(proving, return_exceptions=True)
        looks = await pool.fetch("SELECT clean FROM publish.takedown_looks ORDER BY at")
        seen = [row["clean"] for row in looks]
        # A look may come before the first sinks are clean, and more than one while the text is back.
        assert [clean for clean, _ in groupby(seen)][-3:] == [True, False, True]
        assert seen[-2:] == [True, True]


async def test_a_sink_that_cannot_be_looked_at_hides_no_other_and_no_other_kill(
    settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in one look is what its sink says; a bug in one proof is listed, and the other kill is proven."""
    await emit(
        settings,
        [revision("a", 1), revision("a", 2, removal="killed"), revision("b", 1), revision("b", 2, removal="killed")],
    )
    update_ids = [revision(guid).update_id for guid in ("a", "b")]

    async def archived() -> int:
        return int(await pool.fetchval("SELECT count(*) FROM publish.revisions WHERE removal IS NOT NULL"))

    await eventually(archived, lambda count: count == 2)
    async with pool.acquire() as connection:
        for update_id in update_ids:
            killed = await queries.removal_of(pool, update_id)
            assert killed is not None
            await watch(connection, killed)
    look = TakedownSinks.look

    async def with_a_bug(self: TakedownSinks, killed: Killed, only: Collection[str] | None = None) -> list[Finding]:
        if killed.update_id == update_ids[0]:
            raise TypeError("a bug")
        return await look(self, killed, only)

    async def bad_pictures(self: WebAddress, *_: object) -> str:
        raise KeyError("a bug in a look")

    monkeypatch.setattr(TakedownSinks, "look", with_a_bug)
    monkeypatch.setattr(WebAddress, "pictures", bad_pictures)
    async with open_sinks(settings, pool) as sinks:
        proving = asyncio.create_task(keep_proving(pool, sinks))
        try:
            details = "SELECT count(*) FROM publish.takedowns WHERE update_id = $1 AND {}"
            await eventually(
                lambda: pool.fetchval(details.format("clean_at IS NOT NULL"), update_ids[1]), lambda count: count >= 3
            )
            await eventually(
                lambda: pool.fetchval(details.format("detail LIKE 'cannot be looked at: KeyError%'"), update_ids[1])
            )
            (entry,) = await eventually(lambda: listed(pool, "publish", "takedowns"))
            assert entry.key == update_ids[0]
        finally:
            proving.cancel()
            await asyncio.gather(proving, return_exceptions=True)
