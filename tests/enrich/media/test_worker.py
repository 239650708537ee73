"""enrich media on real Kafka and Postgres: from `media.wanted` to the store, the index and a refresh."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import obstore
import pytest
import pytest_asyncio
from aiokafka import TopicPartition

from enrich.media.operations import references, remove, retry_refused, set_rights
from enrich.media.process import media
from enrich.media.queue import claim, want
from enrich.media.store import URL_PREFIX, open_store
from enrich.media.worker import MediaWorker
from enrich.picture_index.lookup import MediaLookup, media_for
from enrich.settings import Settings
from enrich.text.process import serve_text
from local.child import free_port
from shared.audit.author import of_command
from shared.kafka.producer import Producer, acknowledged, new_producer
from shared.kafka.standalone import new_consumer
from shared.messages import EnrichedUpdate, MediaReference, MediaWanted, RawUpdate, Refresh, update_id_for
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, connect
from shared.postgres.set_aside import listed
from shared.streams import ENRICHED, MEDIA, RAW

pytestmark = [pytest.mark.integration]

DEADLINE_S = 40.0


@dataclass
class MediaStage:
    """Sends what enrich media handles, and reads what it made."""

    settings: Settings
    pool: Pool
    producer: Producer
    guids: dict[str, str] = field(default_factory=dict)
    """By update id, of what was sent."""

    async def want(self, guid: str, *references: MediaReference, source: str = "agency") -> str:
        """Send what an update refers to; its id."""
        update_id = update_id_for(source, guid)
        self.guids[update_id] = guid
        event = MediaWanted(update_id=update_id, source=source, media=references, requested_at=datetime.now(UTC))
        await acknowledged([await self.producer.send(MEDIA, event, key=update_id, event_id=f"{guid}:{time.time()}")])
        return update_id

    async def queue(self, guid: str, *references: MediaReference) -> None:
        """Put what an update refers to into the queue, where no process consumes."""
        update_id = update_id_for("agency", guid)
        event = MediaWanted(update_id=update_id, source="agency", media=references, requested_at=datetime.now(UTC))
        await want(self.pool, [(event, "")])

    async def lookup(self, update_id: str, *references: MediaReference) -> MediaLookup:
        """What enrich text would find."""
        return (await media_for(self.pool, {update_id: references}))[update_id]

    async def until_finished(self, update_id: str, *references: MediaReference) -> MediaLookup:
        """The answer once nothing is pending."""
        found = MediaLookup()

        async def is_finished() -> bool:
            nonlocal found
            found = await self.lookup(update_id, *references)
            return not found.pending

        await eventually(is_finished, lambda: f"{found} {self.settings.topic_prefix}")
        return found

    async def refreshes(self, update_id: str, at_least: int = 1) -> list[Refresh]:
        """The refreshes of an update on updates.raw, once there are enough."""
        found: list[Refresh] = []
        consumer = new_consumer(self.settings, "test")
        await consumer.start()
        try:
            topic = self.settings.topic_prefix + RAW.name
            partitions = [TopicPartition(topic, each) for each in range(12)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)

            async def enough() -> bool:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        if dict(record.headers)["ce_type"] != Refresh.ce_type.encode():
                            continue
                        refresh = Refresh.model_validate_json(record.value)
                        if refresh.update_id == update_id:
                            # Where the versions of its update are.
                            assert update_id_for(record.key.decode(), self.guids[update_id]) == update_id
                            found.append(refresh)
                return len(found) >= at_least

            await eventually(enough, lambda: f"{len(found)} refreshes")
        finally:
            await consumer.stop()
        return found


async def eventually(condition: Callable[[], Awaitable[bool]], state: Callable[[], str]) -> None:
    """Poll until the condition holds; the deadline tells the last state."""
    deadline = time.monotonic() + DEADLINE_S
    while not await condition():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S} s: {state()}"
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[MediaStage]:
    """The stage without its process."""
    pool = await connect(settings, schema="enrich", max_size=3)
    await migrate(pool, "enrich")
    kafka_producer = new_producer(settings, "test")
    await kafka_producer.start()
    yield MediaStage(settings, pool, Producer(kafka_producer, source="/test", topic_prefix=settings.topic_prefix))
    await kafka_producer.stop()
    await pool.close()


@contextlib.asynccontextmanager
async def media_process(settings: Settings) -> AsyncIterator[None]:
    """The process `enrich media`, in this one."""
    stop = asyncio.Event()
    running = asyncio.create_task(media(settings.model_copy(update={"health_port": free_port()}), stop))
    try:
        yield
    finally:
        stop.set()
        await running


@pytest_asyncio.fixture
async def room(media_settings: Callable[..., Settings]) -> AsyncIterator[MediaStage]:
    """The stage with its process."""
    async with opened(media_settings()) as stage, media_process(stage.settings):
        yield stage


async def test_picture_becomes_renditions_in_the_store_and_a_refresh(
    room: MediaStage, picture_host: Any, answer: Any, jpeg: Any, xmp: Any
) -> None:
    """A wanted picture is fetched, rendered, stored and indexed, and its update is announced."""
    picture_host.routes["/a.jpg"] = answer(
        body=jpeg(2000, 1500, xmp=xmp(caption="Embedded caption", credit="A. Gency"))
    )
    reference = MediaReference(url=picture_host.url("/a.jpg"), caption="The wire's caption")
    update_id = await room.want("one", reference)
    found = await room.until_finished(update_id, reference)
    assert not found.withheld
    (picture,) = found.media
    assert (picture.caption, picture.credit) == ("The wire's caption", "A. Gency")
    assert (picture.width, picture.height) == (2000, 1500)
    assert picture.placeholder is not None
    assert {each.width for each in picture.renditions} == {320, 640, 960, 1280, 1600}
    store = open_store(room.settings)
    for rendition in picture.renditions:
        stored = await obstore.get_async(store, rendition.url.removeprefix(URL_PREFIX))
        assert len(bytes(await stored.bytes_async())) == rendition.size_bytes
    (refresh,) = await room.refreshes(update_id)
    assert refresh.cause == "media"


async def test_picture_without_credit_is_withheld_until_the_wire_gives_one(
    room: MediaStage, picture_host: Any, answer: Any, jpeg: Any
) -> None:
    """No credit, no publication; a credit in a later version shows the picture, and nothing is fetched again."""
    picture_host.routes["/a.jpg"] = answer(body=jpeg())
    bare = MediaReference(url=picture_host.url("/a.jpg"), guid="p1")
    update_id = await room.want("one", bare)
    found = await room.until_finished(update_id, bare)
    assert not found.media
    assert found.withheld == (f"{bare.url}: no credit",)
    (row,) = await references(room.pool, states=["withheld"], source="", limit=5)
    assert row.reason == "no credit"

    credited = bare.model_copy(update={"credit": "A. Gency"})
    at_once = await room.lookup(update_id, credited)
    assert at_once.media[0].credit == "A. Gency"
    assert at_once.pending == (credited,), "the new credit is not looked up yet"
    await room.want("one", credited)
    await room.until_finished(update_id, credited)
    assert not await references(room.pool, states=["withheld"], source="", limit=5)
    assert len(picture_host.asked) == 1


async def test_forbidding_terms_withhold_and_a_contract_allows(
    room: MediaStage, picture_host: Any, answer: Any, jpeg: Any, xmp: Any
) -> None:
    """A forbidding usage term in the picture itself withholds it; what was agreed with the source overrides a phrase."""
    picture_host.routes["/a.jpg"] = answer(body=jpeg(xmp=xmp(credit="A", usage_terms="NOT FOR ONLINE use in Austria")))
    reference = MediaReference(url=picture_host.url("/a.jpg"))
    update_id = await room.want("one", reference)
    found = await room.until_finished(update_id, reference)
    assert not found.media
    assert "NOT FOR ONLINE" in found.withheld[0]
    await set_rights(
        room.pool,
        "agency",
        forbid=(),
        allow=("not for online use in Austria",),
        credit=None,
        clear=False,
        by=of_command(),
    )
    assert (await room.lookup(update_id, reference)).media


async def test_what_cannot_be_a_picture_ends_with_a_reason_and_a_refresh(
    room: MediaStage, picture_host: Any, answer: Any, jpeg: Any
) -> None:
    """A picture that will never come ends the wait of its update, and ops can read why."""
    reasons = {
        "/missing.jpg": "HTTP 404",
        "/page.jpg": "a document of markup",
        "/vector.jpg": "SVG",
        "/torn.jpg": "damaged jpeg",
        "/empty.jpg": "empty",
    }
    picture_host.routes |= {
        "/page.jpg": answer(body=b"<!doctype html><p>Please log in", headers={"Content-Type": "image/jpeg"}),
        "/vector.jpg": answer(body=b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'),
        "/torn.jpg": answer(body=jpeg()[:5000]),
        "/empty.jpg": answer(body=b""),
    }
    references = {path: MediaReference(url=picture_host.url(path), credit="A") for path in reasons}
    updates = {path: await room.want(path, reference) for path, reference in references.items()}
    for path, reason in reasons.items():
        found = await room.until_finished(updates[path], references[path])
        assert not found.media
        assert reason in found.withheld[0]
        assert len(await room.refreshes(updates[path])) == 1


async def test_passing_failure_is_tried_again_and_a_lasting_one_is_given_up(
    media_settings: Callable[..., Settings], picture_host: Any, answer: Any, jpeg: Any
) -> None:
    """5xx and a broken transfer are of the moment: tried again with a pause, and given up after so many attempts."""
    ok = answer(body=jpeg())
    answers = iter(
        [
            answer(503),
            answer(429, headers={"Retry-After": "1"}),
            answer(body=b"\xff\xd8\xff", length=False, headers={"Content-Length": "9999"}),
        ]
    )
    picture_host.routes |= {"/later.jpg": lambda _: next(answers, ok), "/never.jpg": answer(500)}
    async with opened(media_settings(enrich_media_attempts=4)) as room, media_process(room.settings):
        later = MediaReference(url=picture_host.url("/later.jpg"), credit="A")
        never = MediaReference(url=picture_host.url("/never.jpg"), credit="A")
        one, two = await room.want("one", later), await room.want("two", never)
        assert (await room.until_finished(one, later)).media
        found = await room.until_finished(two, never)
        assert "given up after 4 attempts: HTTP 500" in found.withheld[0]
        picture_host.routes["/never.jpg"] = ok
        assert await retry_refused(room.pool, source="agency", update_id="") == 1
        assert (await room.until_finished(two, never)).media


async def test_slow_host_holds_no_other(
    media_settings: Callable[..., Settings], picture_host: Any, answer: Any, jpeg: Any
) -> None:
    """A host that drips gets its own few connections; another host's picture is ready while it is waited for."""
    picture_host.routes |= {
        "/slow.jpg": answer(body=jpeg(), piece=8, pause_s=1.0),
        "/quick.jpg": answer(body=jpeg(seed=2)),
    }
    async with opened(media_settings(enrich_media_fetches=8, enrich_media_fetches_per_host=2)) as room:
        slow = [MediaReference(url=picture_host.url(f"/slow.jpg?{each}"), credit="A") for each in range(20)]
        quick = MediaReference(url=picture_host.url("/quick.jpg", "localhost"), credit="A")
        for at, reference in enumerate(slow):
            await room.want(f"slow{at}", reference)
        update_id = await room.want("quick", quick)
        async with media_process(room.settings):
            assert (await room.until_finished(update_id, quick)).media
            assert not (await room.lookup(update_id_for("agency", "slow0"), slow[0])).media
            assert picture_host.most_at_once <= 3


async def test_hosts_that_failed_last_time_have_their_own_share(media_settings: Callable[..., Settings]) -> None:
    """Six hosts that hang are due before one that answers: it is claimed all the same, and half of the room is left of them."""
    async with opened(media_settings(enrich_media_fetches=8, enrich_media_fetches_per_host=2)) as room:
        hanging = [f"hanging{number}.example" for number in range(6)]
        for host in hanging:
            references = [MediaReference(url=f"http://{host}/{number}.jpg", credit="A") for number in range(4)]
            await room.queue(f"at {host}", *references)
        await room.queue("quick", MediaReference(url="http://quick.example/1.jpg", credit="A"))
        worker = MediaWorker(
            room.settings,
            pool=room.pool,
            store=None,
            fetcher=None,
            renderers=None,
            producer=room.producer,  # type: ignore[arg-type]
        )
        worker._failing = dict.fromkeys(hanging)
        tasks = await worker._claim(8)
        assert [task.host for task in tasks].count("quick.example") == 1
        assert len(tasks) == 1 + 4


async def test_a_reference_that_cannot_be_read_takes_no_other_with_it(media_settings: Callable[..., Settings]) -> None:
    """It is listed with the reason, and not claimed again before its pause is over."""
    async with opened(media_settings()) as room:
        for name in ("bad", "good"):
            await room.queue(name, MediaReference(url=f"http://{name}.example/1.jpg", credit="A"))
        bad = update_id_for("agency", "bad")
        await room.pool.execute("UPDATE enrich.media_references SET wanted = '{\"kind\": 7}' WHERE update_id = $1", bad)
        tasks = await claim(room.pool, running={}, per_host=4, free=8, lease_s=60.0)
        assert [task.host for task in tasks] == ["good.example"]
        (entry,) = await listed(room.pool, "enrich", "pictures")
        assert entry.key.startswith(f"{bad}/")


async def test_two_agencies_copies_of_one_picture_are_one(
    room: MediaStage, picture_host: Any, answer: Any, jpeg: Any, photo: Any
) -> None:
    """Another size and compression of a picture has the same identity; within one update it is shown once, the larger."""
    picture_host.routes |= {
        "/small.jpg": answer(body=bytes(photo(1600, 1200, 7).thumbnail_image(700).jpegsave_buffer(Q=60))),
        "/large.png": answer(body=bytes(photo(1600, 1200, 7).pngsave_buffer(compression=1))),
        "/other.jpg": answer(body=jpeg(700, 525, seed=8)),
    }
    small, large, other = (
        MediaReference(url=picture_host.url(path), credit="A") for path in ("/small.jpg", "/large.png", "/other.jpg")
    )
    one = await room.want("one", small)
    first = (await room.until_finished(one, small)).media[0]
    two = await room.want("two", large, other, source="rival")
    found = await room.until_finished(two, large, other)
    assert [each.id == first.id for each in found.media] == [True, False]
    assert found.media[0].width == 1600, "each shows its own pixels"
    three = await room.want("three", small, large)
    both = await room.until_finished(three, small, large)
    assert [(each.id, each.width) for each in both.media] == [(first.id, 1600)]


async def test_url_that_comes_with_every_version_is_fetched_once(
    room: MediaStage, picture_host: Any, answer: Any, jpeg: Any
) -> None:
    """Ten updates at once with one lead picture cost its host one request."""
    picture_host.routes["/lead.jpg"] = answer(body=jpeg())
    reference = MediaReference(url=picture_host.url("/lead.jpg"), credit="A")
    updates = [await room.want(f"u{each}", reference) for each in range(10)]
    found = [await room.until_finished(each, reference) for each in updates]
    assert len({each.media[0].id for each in found}) == 1
    assert len(picture_host.asked) == 1


async def test_pictures_of_one_update_are_announced_together(
    room: MediaStage, picture_host: Any, answer: Any, jpeg: Any
) -> None:
    """A gallery that settles within moments asks for few new revisions, not one for each picture."""
    references = []
    for each in range(6):
        picture_host.routes[f"/{each}.jpg"] = answer(body=jpeg(400, 300, seed=20 + each))
        references.append(MediaReference(url=picture_host.url(f"/{each}.jpg"), credit="A"))
    update_id = await room.want("gallery", *references)
    assert len((await room.until_finished(update_id, *references)).media) == 6

    async def all_announced() -> bool:
        return not await room.pool.fetchval("SELECT count(*) FROM enrich.media_references WHERE retry_at IS NOT NULL")

    await eventually(all_announced, lambda: "not all announced")
    assert len(await room.refreshes(update_id)) <= 3


async def test_old_picture_stays_until_the_new_one_is_there(
    room: MediaStage, picture_host: Any, answer: Any, jpeg: Any
) -> None:
    """A new URL for the same picture of the source replaces the old one when it is ready, with its words, and not before."""
    gate = asyncio.Event()

    async def held(_: Any) -> Any:
        await gate.wait()
        return answer(body=jpeg(seed=31))

    picture_host.routes |= {"/v1.jpg": answer(body=jpeg(seed=30)), "/v2.jpg": held}
    old = MediaReference(url=picture_host.url("/v1.jpg"), guid="p", credit="A", caption="Before")
    new = MediaReference(url=picture_host.url("/v2.jpg"), guid="p", credit="A", caption="After")
    update_id = await room.want("one", old)
    before = (await room.until_finished(update_id, old)).media[0]
    await room.want("one", new)
    between = await room.lookup(update_id, new)
    assert [(each.id, each.caption) for each in between.media] == [(before.id, "Before")]
    assert between.pending == (new,)
    gate.set()
    after = (await room.until_finished(update_id, new)).media[0]
    assert after.id != before.id
    assert after.caption == "After"


async def test_smaller_rendition_of_the_source_stands_in(
    media_settings: Callable[..., Settings], picture_host: Any, answer: Any, jpeg: Any
) -> None:
    """Where the largest rendition is refused, the source's next one is taken."""
    picture_host.routes |= {"/huge.jpg": answer(body=jpeg(1200, 900)), "/fair.jpg": answer(body=jpeg(600, 450))}
    reference = MediaReference(
        url=picture_host.url("/huge.jpg"), credit="A", renditions=(picture_host.url("/fair.jpg"),)
    )
    async with opened(media_settings(enrich_media_max_pixels=500_000)) as room, media_process(room.settings):
        update_id = await room.want("one", reference)
        assert (await room.until_finished(update_id, reference)).media[0].width == 600


async def test_removed_picture_leaves_the_store_and_does_not_come_back(
    room: MediaStage, picture_host: Any, answer: Any, photo: Any
) -> None:
    """A removal takes every copy out of the store, announces the updates that showed it, and holds for later copies."""
    picture = photo(900, 600, 40)
    picture_host.routes |= {
        "/a.jpg": answer(body=bytes(picture.jpegsave_buffer(Q=90))),
        "/copy.webp": answer(body=bytes(picture.webpsave_buffer(Q=70))),
    }
    reference = MediaReference(url=picture_host.url("/a.jpg"), credit="A")
    update_id = await room.want("one", reference)
    shown = (await room.until_finished(update_id, reference)).media[0]
    await room.refreshes(update_id)
    store = open_store(room.settings)
    result = await remove(
        room.pool, store, room.producer, picture=shown.id, by=of_command("mandatory kill"), now=datetime.now(UTC)
    )
    assert result.files == len(shown.renditions)
    assert result.updates == [update_id]
    assert not (await room.lookup(update_id, reference)).media
    assert len(await room.refreshes(update_id, at_least=2)) == 2
    with pytest.raises(FileNotFoundError):
        await obstore.get_async(store, shown.renditions[0].url.removeprefix(URL_PREFIX))
    copy = MediaReference(url=picture_host.url("/copy.webp"), credit="B")
    other = await room.want("two", copy, source="rival")
    assert "removed" in (await room.until_finished(other, copy)).withheld[0]


async def test_killed_process_loses_no_picture(
    media_settings: Callable[..., Settings], picture_host: Any, answer: Any, jpeg: Any
) -> None:
    """kill -9 in the middle of a fetch: the next process takes the picture up after the lease, and it ends as one."""
    reached, gate = asyncio.Event(), asyncio.Event()

    async def held(_: Any) -> Any:
        reached.set()
        await gate.wait()
        return answer(body=jpeg())

    picture_host.routes["/a.jpg"] = held
    settings = media_settings(enrich_media_fetch_s=60.0)
    async with opened(settings) as room:
        reference = MediaReference(url=picture_host.url("/a.jpg"), credit="A")
        update_id = await room.want("one", reference)
        names = {name.upper(): value for name, value in settings.model_dump().items() if name in _PASSED_ON}
        environment = {
            **os.environ,
            **{name: str(value) for name, value in names.items()},
            "HEALTH_PORT": str(free_port()),
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "enrich", "media", env=environment, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            await asyncio.wait_for(reached.wait(), DEADLINE_S)
        finally:
            process.send_signal(signal.SIGKILL)
            await process.wait()
        gate.set()
        async with media_process(settings):
            assert (await room.until_finished(update_id, reference)).media
            assert len(await room.refreshes(update_id)) == 1


_PASSED_ON = (
    "kafka_servers", "postgres_dsn", "topic_prefix", "media_store", "bind_host", "enrich_media_allow_private",
    "enrich_media_lease_s", "enrich_media_fetch_s",
)  # fmt: skip


async def test_stopped_process_gives_its_pictures_back(
    media_settings: Callable[..., Settings], picture_host: Any, answer: Any, jpeg: Any
) -> None:
    """An orderly stop leaves nothing to wait a lease for, and costs the picture no attempt."""
    reached = asyncio.Event()

    async def held(_: Any) -> Any:
        reached.set()
        await asyncio.Event().wait()

    picture_host.routes["/a.jpg"] = held
    async with opened(media_settings(enrich_media_lease_s=600.0, enrich_media_fetch_s=60.0)) as room:
        reference = MediaReference(url=picture_host.url("/a.jpg"), credit="A")
        update_id = await room.want("one", reference)
        async with media_process(room.settings):
            await asyncio.wait_for(reached.wait(), DEADLINE_S)
        assert await room.pool.fetchval("SELECT attempts FROM enrich.media_references") == 0
        picture_host.routes["/a.jpg"] = answer(body=jpeg())
        async with media_process(room.settings):
            assert (await room.until_finished(update_id, reference)).media


async def test_text_goes_first_and_the_picture_follows_in_place(
    media_settings: Callable[..., Settings], picture_host: Any, answer: Any, jpeg: Any
) -> None:
    """The update is published while its picture is still on its way; the picture comes as a further revision `enrich`."""
    gate = asyncio.Event()

    async def held(_: Any) -> Any:
        await gate.wait()
        return answer(body=jpeg(700, 500))

    picture_host.routes["/a.jpg"] = held
    settings = media_settings(enrich_media_fetch_s=60.0)
    async with opened(settings) as room, media_process(settings), enrich_text(settings):
        raw = RawUpdate(
            update_id=update_id_for("agency", "one"), source="agency", guid="one", received_at=datetime.now(UTC),
            headline="Storks are back", body_html="<p>On every roof.</p>",
            media=(MediaReference(url=picture_host.url("/a.jpg"), caption="A stork", credit="A. Gency"),),
        )  # fmt: skip
        await acknowledged([await room.producer.send(RAW, raw, key=raw.source, event_id="one:1")])
        consumer = new_consumer(settings, "test")
        await consumer.start()
        revisions: list[EnrichedUpdate] = []
        try:
            partition = TopicPartition(settings.topic_prefix + ENRICHED.name, 0)
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)

            async def come(count: int) -> bool:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    revisions.extend(EnrichedUpdate.model_validate_json(record.value) for record in records)
                return len(revisions) >= count

            await eventually(lambda: come(1), lambda: "no text")
            assert (revisions[0].kind, revisions[0].media, revisions[0].media_pending) == ("publish", (), True)
            gate.set()
            await eventually(lambda: come(2), lambda: "no picture")
            assert (revisions[1].kind, revisions[1].media_pending) == ("enrich", False)
            assert [(each.caption, each.credit) for each in revisions[1].media] == [("A stork", "A. Gency")]
            assert revisions[1].updated_at == revisions[0].updated_at, "a picture does not make it news"
        finally:
            await consumer.stop()


@contextlib.asynccontextmanager
async def enrich_text(settings: Settings) -> AsyncIterator[None]:
    """The process `enrich text`, in this one."""
    stop = asyncio.Event()
    running = asyncio.create_task(
        serve_text(settings.model_copy(update={"health_port": free_port()}), stop, lambda *_: [])
    )
    try:
        yield
    finally:
        stop.set()
        await running


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A local S3 server with a bucket, spoken to as any other: by the environment."""
    server_module = pytest.importorskip("moto.server")
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address,
        "AWS_ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(name, value)
    boto3 = pytest.importorskip("boto3")
    boto3.client("s3", endpoint_url=address).create_bucket(Bucket="newsroom")
    yield address
    server.stop()


async def test_store_on_s3(
    media_settings: Callable[..., Settings], s3: str, picture_host: Any, answer: Any, jpeg: Any
) -> None:
    """On S3 the renditions lie under the prefix of MEDIA_STORE, with their type and as immutable; a removal deletes them."""
    import boto3  # noqa: PLC0415 -- only where the server is

    picture_host.routes["/a.jpg"] = answer(body=jpeg(700, 500))
    async with opened(media_settings(media_store="s3://newsroom/pictures")) as room, media_process(room.settings):
        reference = MediaReference(url=picture_host.url("/a.jpg"), credit="A")
        update_id = await room.want("one", reference)
        picture = (await room.until_finished(update_id, reference)).media[0]
        client = boto3.client("s3", endpoint_url=s3)
        for rendition in picture.renditions:
            key = "pictures/" + rendition.url.removeprefix(URL_PREFIX)
            stored = await asyncio.to_thread(client.get_object, Bucket="newsroom", Key=key)
            assert stored["ContentType"] == rendition.mime_type
            assert "immutable" in stored["CacheControl"]
            assert stored["ContentLength"] == rendition.size_bytes
        await remove(
            room.pool,
            open_store(room.settings),
            room.producer,
            picture=picture.id,
            by=of_command("test"),
            now=datetime.now(UTC),
        )
        assert "Contents" not in await asyncio.to_thread(client.list_objects_v2, Bucket="newsroom")


async def test_store_away_costs_no_attempt(
    media_settings: Callable[..., Settings], picture_host: Any, answer: Any, jpeg: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the object store is away the worker is not ready, and the picture keeps all its attempts."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}")
        for name, value in {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ALLOW_HTTP": "true"}.items():
            monkeypatch.setenv(name, value)
        picture_host.routes["/a.jpg"] = answer(body=jpeg(400, 300))
        async with opened(media_settings(media_store="s3://newsroom")) as room, media_process(room.settings):
            reference = MediaReference(url=picture_host.url("/a.jpg"), credit="A")
            update_id = await room.want("one", reference)

            async def put_off() -> bool:
                reason = await room.pool.fetchval("SELECT reason FROM enrich.media_references")
                return "object store" in (reason or "")

            await eventually(put_off, lambda: "not put off")
            assert await room.pool.fetchval("SELECT attempts FROM enrich.media_references") == 0
            assert (await room.lookup(update_id, reference)).pending


async def test_no_private_address_is_fetched_unless_permitted(
    media_settings: Callable[..., Settings], picture_host: Any, answer: Any, jpeg: Any
) -> None:
    """By default a wire cannot make us ask our own machine for anything."""
    picture_host.routes["/a.jpg"] = answer(body=jpeg())
    settings = media_settings(enrich_media_allow_private=False, enrich_media_ports=(80, picture_host.port))
    async with opened(settings) as room, media_process(settings):
        reference = MediaReference(url=picture_host.url("/a.jpg"), credit="A")
        update_id = await room.want("one", reference)
        found = await room.until_finished(update_id, reference)
        assert "forbidden address" in found.withheld[0]
        assert not picture_host.asked
