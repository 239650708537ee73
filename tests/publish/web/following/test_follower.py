"""A web replica on real Kafka and Postgres, beside a real archive."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from local.child import free_port
from publish.archive import process as archive
from publish.archive import queries
from publish.settings import Settings
from publish.web import process as web
from shared.kafka.producer import new_producer
from shared.kafka.topics import apply_topics
from shared.messages import Change, Passport, update_id_for
from shared.postgres.pool import Pool
from shared.settings import Connections
from shared.streams import ENRICHED
from support.revisions import NOON, emit, revision, running
from support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(newsroom: Connections) -> Settings:
    """The settings of both processes in this newsroom."""
    given = {"health_port": free_port(), "port": free_port(), "publish_stream_drain_s": 0.1, "publish_web_updates": 100}
    return Settings(**newsroom.model_dump() | given)


@contextlib.asynccontextmanager
async def replica(settings: Settings, *, ready: bool = True) -> AsyncIterator[httpx.AsyncClient]:
    """A web replica in this process, and a client of it."""
    async with (
        running(lambda stop: web.serve(settings, stop)),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}", timeout=5) as client,
    ):

        async def look() -> int:
            try:
                return (await client.get("/readyz")).status_code
            except httpx.TransportError:
                return 0

        if ready:
            await eventually(look, lambda status: status == 200, what="the replica is not ready")
        else:
            await eventually(look, lambda status: status == 503, what="the replica does not say that it waits")
        yield client


async def headlines(client: httpx.AsyncClient, **parameters: Any) -> list[str]:
    """What the API shows."""
    answer = await client.get("/v1/updates", params={"limit": 100, **parameters})
    return [each["headline"] for each in answer.json().get("updates", [])]


async def test_snapshot_and_tail_meet_without_a_hole(settings: Settings) -> None:
    """What was published before the replica started, while it started and after is there once, in order of position, and a
    correction's reason stands though late enrichment followed it."""
    async with running(lambda stop: archive.serve(settings, stop)):
        await emit(settings, [revision(f"u{n}") for n in range(30)])
        told = {"updated_at": NOON, "kind": "correct", "change": Change(reason="The hour was wrong.")}
        later = {"updated_at": NOON, "kind": "enrich", "change": Change(fields=("tags",))}
        await emit(settings, [revision("u29", 2, **told), revision("u29", 3, **later)])
        async with replica(settings) as client:
            assert "The hour was wrong." in (await client.get("/?before=1-99")).text
            await emit(settings, [revision(f"u{n}") for n in range(30, 40)] + [revision("u3", 2), revision("u5", 1)])
            expected = [f"u{n} { {3: 2, 29: 3}.get(n, 1) }" for n in range(39, -1, -1)]
            await eventually(lambda: headlines(client), lambda seen: seen == expected)


async def test_an_update_is_the_same_from_memory_and_from_the_archive(settings: Settings, pool: Pool) -> None:
    """Who asks a replica that saw the update pass, one that took it from the archive, or again later, is told the same."""
    passport = Passport(
        received_at=NOON, enriched_at=NOON + timedelta(seconds=1), published_at=NOON + timedelta(seconds=2)
    )
    asked = f"/v1/updates/{update_id_for('wire', 'a')}"
    async with running(lambda stop: archive.serve(settings, stop)):
        async with replica(settings) as client:
            await emit(settings, [revision("a", passport=passport)])
            await eventually(lambda: headlines(client), lambda seen: seen == ["a 1"])
            from_memory = (await client.get(asked)).json()
            await emit(settings, [revision("a", passport=passport), revision("b")])
            await eventually(lambda: headlines(client), lambda seen: seen == ["b 1", "a 1"])
            after_a_repeat = (await client.get(asked)).json()
        await eventually(lambda: queries.archived_up_to(pool), lambda seen: seen == (1, 2))
        async with replica(settings) as client:
            from_the_archive = (await client.get(asked)).json()
    assert from_memory["passport"]["published_at"] == "2026-01-01T12:00:02Z"
    assert from_memory == after_a_repeat == from_the_archive


async def test_a_poison_record_lets_the_next_ones_pass(settings: Settings) -> None:
    """A record that is no update is passed over, and what follows it reaches readers."""
    async with running(lambda stop: archive.serve(settings, stop)), replica(settings) as client:
        producer = new_producer(settings, "test")
        await producer.start()
        for value in (b"\x00not json", b'{"update_id": "short"}', b"[" * 5000):
            await producer.send_and_wait(settings.topic_prefix + ENRICHED.name, value, key=b"x")
        await producer.stop()
        await emit(settings, [revision("after")])
        assert await eventually(lambda: headlines(client)) == ["after 1"]


@pytest.mark.needs("a controller")
async def test_a_new_log_is_a_new_epoch_and_nothing_is_lost(settings: Settings, pool: Pool) -> None:
    """When the topic is recreated, the replica takes the archive's new epoch: old updates stay, new ones stand above them."""
    async with running(lambda stop: archive.serve(settings, stop)), replica(settings) as client:
        await emit(settings, [revision(f"old{n}") for n in range(3)])
        await eventually(lambda: headlines(client), lambda seen: len(seen) == 3)
        await eventually(
            lambda: queries.archived_up_to(pool), lambda seen: seen == (1, 2), what="the archive is behind"
        )
        admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers)
        await admin.start()
        await admin.delete_topics([settings.topic_prefix + ENRICHED.name])

        async def gone() -> bool:
            return settings.topic_prefix + ENRICHED.name not in await admin.list_topics()

        await eventually(gone)
        await eventually(lambda: apply_topics(settings), what="the topic was not made again")
        await admin.close()
        await emit(settings, [revision("new")])
        expected = ["new 1", "old2 1", "old1 1", "old0 1"]
        await eventually(lambda: headlines(client), lambda seen: seen == expected, within_s=60)
        page = (await client.get("/v1/updates")).json()
        assert page["updates"][0]["position"].startswith("2-")
        assert page["updates"][-1]["position"] == "1-0"


async def test_a_late_revision_of_an_old_update_is_never_put_on_top(settings: Settings) -> None:
    """An update that memory has let go keeps its place when it is corrected: it is found there and on its own page."""
    async with running(lambda stop: archive.serve(settings, stop)), replica(settings) as client:
        await emit(settings, [*(revision(f"u{n}") for n in range(120)), revision("u2", 2), revision("last")])
        await eventually(lambda: headlines(client), lambda seen: seen[0] == "last 1")
        first = (await client.get("/v1/updates", params={"limit": 100})).json()
        assert first["updates"][1]["headline"] == "u119 1"

        async def older() -> list[str]:
            return await headlines(client, before=first["next"])

        assert (await eventually(older, lambda seen: "u2 2" in seen))[-3:] == ["u2 2", "u1 1", "u0 1"]


async def test_a_withdrawn_update_of_before_the_snapshot_returns_to_its_place(settings: Settings, pool: Pool) -> None:
    """A replica that never saw an update asks the archive where it stood."""
    async with running(lambda stop: archive.serve(settings, stop)):
        await emit(settings, [revision("a"), revision("b"), revision("a", 2, removal="withdrawn"), revision("c")])
        await eventually(lambda: queries.archived_up_to(pool), lambda seen: seen == (1, 3))
        async with replica(settings) as client:
            assert await headlines(client) == ["c 1", "b 1"]
            await emit(settings, [revision("a", 3), revision("d")])
            expected = ["d 1", "c 1", "b 1", "a 3"]
            await eventually(lambda: headlines(client), lambda seen: seen == expected)


async def test_a_replica_waits_for_the_archive_and_says_so(settings: Settings) -> None:
    """Before the archive has seen a log, the port answers, /readyz says what is waited for, and the wait ends by itself."""
    async with replica(settings, ready=False) as client:

        async def why() -> str:
            return str((await client.get("/readyz")).json()["failing"].get("log", ""))

        await eventually(why, lambda seen: "archive" in seen)
        assert (await client.get("/livez")).status_code == 200
        async with running(lambda stop: archive.serve(settings, stop)):
            await emit(settings, [revision("a")])
            assert await eventually(lambda: headlines(client)) == ["a 1"]
            await eventually(why, lambda seen: seen == "")


async def test_the_page_s_cursor_continues_in_the_stream(settings: Settings) -> None:
    """The cursor that the page prints, given to the stream, brings the next revision and none twice."""
    async with running(lambda stop: archive.serve(settings, stop)), replica(settings) as client:
        await emit(settings, [revision("a"), revision("b")])
        await eventually(lambda: headlines(client), lambda seen: seen == ["b 1", "a 1"])
        page = (await client.get("/")).text
        cursor = page.split('data-cursor="')[1].split('"')[0]
        await emit(settings, [revision("c"), revision("a", 2)])

        async def followed() -> list[Any]:
            answer = (await client.get("/v1/since", params={"cursor": cursor, "view": "page"})).json()
            return [(each["event"], each["data"]["headline"]) for each in answer["events"]]

        assert await eventually(followed, lambda seen: len(seen) == 2) == [("publish", "c 1"), ("update", "a 2")]


@pytest.mark.parametrize("removal", ["killed", "taken-down", "withdrawn"])
async def test_a_repeat_after_a_restart_shows_nothing(settings: Settings, pool: Pool, removal: str) -> None:
    """A replica that starts after a removal knows of it: what went before the removal, emitted again, is nowhere."""
    secret, gone = revision("secret", tags=["t"]), revision("secret", 2, removal=removal)
    asked = f"/v1/updates/{secret.update_id}"
    async with running(lambda stop: archive.serve(settings, stop)):
        await emit(settings, [secret, revision("b"), gone])
        await eventually(lambda: queries.archived_up_to(pool), lambda seen: seen == (1, 2))
        async with replica(settings) as client:
            start = (await client.get("/v1/updates")).json()["cursor"]
            await emit(settings, [secret, secret, revision("c"), gone])
            await eventually(lambda: headlines(client), lambda seen: seen[0] == "c 1")
            assert (await client.get(asked)).status_code == 410
            assert (await client.get(f"/updates/{secret.update_id}/words")).status_code == 410
            for path in ("/", "/v1/updates", "/v1/updates?channel=tag:t", "/feeds/news.rss", "/feeds/tag/t.atom"):
                assert "secret" not in (await client.get(path)).text, path
            told = (await client.get("/v1/since", params={"cursor": start})).json()["events"]
            assert [(each["id"], each["data"]["headline"]) for each in told] == [("1-5", "c 1")]
            if removal == "withdrawn":
                await emit(settings, [revision("secret", 3)])
                assert await eventually(lambda: headlines(client), lambda seen: "secret 3" in seen) == [
                    "c 1",
                    "b 1",
                    "secret 3",
                ]


async def test_a_repeat_of_what_memory_does_not_hold_shows_no_old_words(settings: Settings, pool: Pool) -> None:
    """An update that is older than all in memory keeps its newest words, on its page and in the stream."""
    old = revision("old")
    async with running(lambda stop: archive.serve(settings, stop)):
        await emit(
            settings, [*(revision("old", number) for number in range(1, 6)), *(revision(f"u{n}") for n in range(120))]
        )
        await eventually(lambda: queries.archived_up_to(pool), lambda seen: seen == (1, 124))
        async with replica(settings) as client:
            start = (await client.get("/v1/updates")).json()["cursor"]
            await emit(settings, [old, revision("old", 4), revision("last")])
            await eventually(lambda: headlines(client), lambda seen: seen[0] == "last 1")
            assert (await client.get(f"/v1/updates/{old.update_id}")).json()["headline"] == "old 5"
            told = (await client.get("/v1/since", params={"cursor": start})).json()["events"]
            assert [each["data"]["headline"] for each in told] == ["last 1"]
