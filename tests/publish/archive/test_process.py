"""The archive on real Kafka and Postgres."""

import asyncio
import time
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from local.child import free_port
from publish.archive import queries
from publish.archive.process import serve
from publish.archive.standings import Standing, Standings, standings
from publish.representation.position import Position
from publish.settings import Settings
from shared.kafka.cloudevents import headers_for
from shared.kafka.producer import new_producer
from shared.kafka.standalone import new_consumer
from shared.kafka.topics import apply_topics
from shared.messages import EnrichedUpdate, Media, Outcomes, Rendition
from shared.postgres.pool import Pool
from shared.settings import Connections
from shared.streams import ENRICHED, OUTCOMES
from support.broadcasting import metric
from support.revisions import emit, revision, running
from support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(newsroom: Connections) -> Settings:
    """The settings of a process in this newsroom."""
    return Settings(**newsroom.model_dump() | {"health_port": free_port()})


async def archived(pool: Pool, offset: int, epoch: int = 1) -> None:
    """Wait until the archive is there."""
    await eventually(
        lambda: queries.archived_up_to(pool), lambda seen: seen >= (epoch, offset), what="the archive is not there"
    )


async def headlines(pool: Pool, channel: str = "news") -> list[str]:
    """What a page of a channel shows, newest first."""
    return [each.update.headline for each in await queries.page(pool, channel, None, 100)]


async def test_corrections_move_no_position_and_a_kill_is_final(settings: Settings, pool: Pool) -> None:
    """An update stays where it was first visible, whatever comes after; a killed one is gone for ever, with its text."""
    async with running(lambda stop: serve(settings, stop)):
        offsets = await emit(
            settings,
            [
                revision("a", 1, tags=["t1"]),
                revision("b", 1),
                revision("a", 2, tags=["t2"]),
                revision("c", 1),
                revision("c", 2, removal="killed"),
                revision("c", 3),
                revision("b", 1),
            ],
        )
        await archived(pool, offsets[-1])
        assert await headlines(pool) == ["b 1", "a 2"]
        assert await headlines(pool, "tag:t2") == ["a 2"]
        assert await headlines(pool, "tag:t1") == []
        killed = revision("c", 1).update_id
        found = await queries.one(pool, killed)
        assert found is not None
        assert (found.update.removal, found.update.headline, found.position.offset) == ("killed", "", offsets[3])
        assert [each.update.removal for each in await queries.revisions(pool, killed)] == ["killed"]
        replayed = await queries.replay(pool, 1, -1)
        assert [each.cursor.offset for each in replayed] == [offsets[0], offsets[1], offsets[2], offsets[4]]
        told = await queries.replay(pool, 1, offsets[0], channels=["tag:t1"])
        assert [each.cursor.offset for each in told] == [offsets[2]], "who follows a tag hears of what leaves it"
        assert await pool.fetchval(
            "SELECT data IS NOT NULL FROM publish.revisions WHERE update_id = $1 AND revision = 1", killed
        )


async def test_a_takedown_destroys_the_text_also_after_a_kill(settings: Settings, pool: Pool) -> None:
    """Of a taken-down update no revision's text is left in the database, whether it came before or after the order."""
    async with running(lambda stop: serve(settings, stop)):
        offsets = await emit(
            settings,
            [
                revision("a", 1),
                revision("a", 2, removal="killed"),
                revision("a", 4, removal="taken-down"),
                revision("a", 3),
            ],
        )
        await archived(pool, offsets[-1])
        rows = await pool.fetch("SELECT revision, data FROM publish.revisions WHERE removal IS NULL ORDER BY revision")
        assert [(row["revision"], row["data"]) for row in rows] == [(1, None), (3, None)]
        assert b"Words of a" not in await pool.fetchval("SELECT data FROM publish.updates")


async def test_outcomes_tell_the_cursor_of_each_revision(settings: Settings, pool: Pool) -> None:
    """Who asks for an item learns that it is published, and under which cursor, which a repeat does not change."""
    async with running(lambda stop: serve(settings, stop)):
        offsets = await emit(settings, [revision("a", 1), revision("b", 1)])
        counted = metric("slugline_archive_repeats_total")
        repeats = await emit(settings, [revision("a", 1), revision("b", 1), revision("c", 1)])
        await archived(pool, repeats[-1])
        consumer = new_consumer(settings, "test", OUTCOMES)
        await consumer.start()
        await consumer.seek_to_beginning()
        told: dict[str, Any] = {}

        async def look() -> dict[str, Any]:
            for records in (await consumer.getmany(timeout_ms=100)).values():
                for record in records:
                    for outcome in Outcomes.model_validate_json(record.value).outcomes:
                        told[outcome.update_id] = outcome
            return told

        await eventually(look, lambda seen: len(seen) == 3)
        await consumer.stop()
        assert metric("slugline_archive_repeats_total") == counted + 2
        assert told[revision("b").update_id].position == f"1-{offsets[1]}"
        assert told[revision("b").update_id].stage == "published"


@pytest.mark.needs("a controller")
async def test_a_recreated_log_begins_a_new_epoch_from_its_beginning(settings: Settings, pool: Pool) -> None:
    """After the topic was lost and made again, what is in it is archived under a new epoch and nothing moves."""
    async with running(lambda stop: serve(settings, stop)):
        await archived(pool, (await emit(settings, [revision(f"old {n}") for n in range(5)]))[-1])
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_servers)
    await admin.start()
    await admin.delete_topics([settings.topic_prefix + ENRICHED.name])

    async def gone() -> bool:
        return settings.topic_prefix + ENRICHED.name not in await admin.list_topics()

    await eventually(gone)
    await admin.close()
    await apply_topics(settings)
    await eventually(lambda: _emitted(settings))
    async with running(lambda stop: serve(settings, stop)):
        await archived(pool, 6, epoch=2)
    assert await headlines(pool) == [f"new {n} 1" for n in reversed(range(7))] + [
        f"old {n} 1" for n in reversed(range(5))
    ]
    assert (await queries.snapshot(pool, 1)).epoch == 2
    assert await pool.fetchval("SELECT count(*) FROM publish.epochs") == 2


async def _emitted(settings: Settings) -> bool:
    try:
        await emit(settings, [revision(f"new {n}") for n in range(7)])
    except Exception as error:
        raise OSError(str(error)) from error
    return True


async def test_a_database_from_a_backup_is_filled_again_from_the_log(settings: Settings, pool: Pool) -> None:
    """When Postgres is behind the group's committed offset, the archive goes back and leaves no hole."""
    async with running(lambda stop: serve(settings, stop)):
        await archived(pool, (await emit(settings, [revision(f"u{n}") for n in range(10)]))[-1])
    lost = [revision(f"u{n}").update_id for n in range(4, 10)]
    await pool.execute("DELETE FROM publish.updates WHERE update_id = ANY($1)", lost)
    await pool.execute("DELETE FROM publish.revisions WHERE update_id = ANY($1)", lost)
    await pool.execute("UPDATE publish.epochs SET last_offset = 3, last_event_id = $1", f"{revision('u3').update_id}:1")
    async with running(lambda stop: serve(settings, stop)):
        await archived(pool, (await emit(settings, [revision("later")]))[-1])
    assert await headlines(pool) == ["later 1", *(f"u{n} 1" for n in reversed(range(10)))]
    assert await pool.fetchval("SELECT count(*) FROM publish.epochs") == 1


async def test_poison_in_a_batch_is_set_aside_and_the_rest_is_archived(settings: Settings, pool: Pool) -> None:
    """One message that is no update reaches the dead letters once; those before and after it are archived."""
    producer = new_producer(settings, "test")
    await producer.start()
    await emit(settings, [revision("before")])
    headers = headers_for(revision("x"), source="test", event_id="x")
    await producer.send_and_wait(settings.topic_prefix + ENRICHED.name, b'{"update_id": 7}', headers=headers)
    await producer.stop()
    offsets = await emit(settings, [revision("after", story="s\x00t", source="a\x1fb")])
    async with running(lambda stop: serve(settings, stop)):
        await archived(pool, offsets[-1])
        assert await headlines(pool) == ["after 1", "before 1"]
        consumer = new_consumer(settings, "test", ENRICHED.dead_letters)
        await consumer.start()
        end = await eventually(lambda: _end(consumer), lambda end: end > 0)
        await consumer.stop()
        assert end == 1


async def _end(consumer: Any) -> int:
    partitions = consumer.assignment()
    return sum((await consumer.end_offsets(list(partitions))).values())


async def test_a_snapshot_and_the_replay_after_it_meet_without_a_hole(settings: Settings, pool: Pool) -> None:
    """While revisions pour in, a snapshot and what is replayed from its place are together what is there at last."""
    async with running(lambda stop: serve(settings, stop)):
        pouring = asyncio.create_task(emit(settings, [revision(f"u{n % 50}", n // 50 + 1) for n in range(1000)]))
        snapshot = await eventually(lambda: queries.snapshot(pool, 1000), lambda seen: len(seen.updates) > 5)
        last = (await pouring)[-1]
        await archived(pool, last)
        seen = {each.update.update_id: (each.position, each.update.revision) for each in snapshot.updates}
        assert all(each.cursor <= Position(1, snapshot.offset) for each in snapshot.updates)
        for each in await queries.replay(pool, snapshot.epoch, snapshot.offset):
            seen[each.update.update_id] = (each.position, each.update.revision)
        now = {
            each.update.update_id: (each.position, each.update.revision)
            for each in (await queries.snapshot(pool, 1000)).updates
        }
        assert seen == now


async def test_a_snapshot_knows_of_removals_and_when_updates_changed(settings: Settings, pool: Pool) -> None:
    """The updates that changed last, newest change first, whether readers see them or not."""
    before = time.time() - 1
    updates = [
        revision("a"),
        revision("b"),
        revision("b", 2, removal="withdrawn"),
        revision("c", removal="killed"),
        revision("a", 2),
    ]
    async with running(lambda stop: serve(settings, stop)):
        await archived(pool, (await emit(settings, updates))[-1])
        snapshot = await queries.snapshot(pool, 10, 10)
        assert [each.update.headline for each in snapshot.updates] == ["a 2"]
        assert [(each.update_id, each.standing) for each in snapshot.standings] == [
            (revision("a").update_id, Standing(2, None, Position(1, 4), Position(1, 0))),
            (revision("c").update_id, Standing(1, "killed", Position(1, 3), None)),
            (revision("b").update_id, Standing(2, "withdrawn", Position(1, 2), Position(1, 1))),
        ]
        assert all(before < each.changed_by < time.time() + 1 for each in snapshot.standings)
        assert len((await queries.snapshot(pool, 10, 2)).standings) == 2
        some = await standings(pool, [revision("b").update_id, "nobody"])
        assert some.reached == (1, 4)
        assert some.by_id == {revision("b").update_id: snapshot.standings[2].standing}
        assert await standings(pool, ["nobody"]) == Standings(Position(1, 4), {})


def showing(guid: str, number: int, *pictures: str) -> EnrichedUpdate:
    """A revision with pictures."""
    media = tuple(
        Media(id=each, renditions=(Rendition(url=f"/media/{each}/9.jpg", mime_type="image/jpeg", width=9, height=9),))
        for each in pictures
    )
    return revision(guid, number, media=media)


async def test_pictures_are_shown_by_current_revisions(settings: Settings, pool: Pool) -> None:
    """A picture is hidden when its update is removed or shows another one; its paths are remembered."""
    a, b = revision("a").update_id, revision("b").update_id
    async with running(lambda stop: serve(settings, stop)):
        offsets = await emit(settings, [showing("a", 1, "p", "q"), showing("b", 1, "q"), showing("c", 1, "r")])
        await archived(pool, offsets[-1])
        assert [await queries.showing(pool, each) for each in "pqr"] == [[a], sorted([a, b]), [revision("c").update_id]]
        killed = revision("a", 3, removal="killed")
        offsets = await emit(settings, [showing("b", 2, "s"), killed, showing("a", 2, "p"), showing("a", 4, "p")])
        await archived(pool, offsets[-1])
        assert [await queries.showing(pool, each) for each in "pqs"] == [[], [], [b]]
        assert await queries.ever_shown(pool, a) == {"p": ["p/9.jpg"], "q": ["q/9.jpg"]}


async def test_pictures_that_an_older_release_archived_are_found(settings: Settings, pool: Pool) -> None:
    """A release that knows nothing of pictures may archive beside the new tables: the next start adds what is missing."""
    async with running(lambda stop: serve(settings, stop)):
        await archived(pool, (await emit(settings, [showing("a", 1, "p"), showing("b", 1, "q")]))[-1])
    await pool.execute("DELETE FROM publish.pictures WHERE picture = 'p'")
    async with running(lambda stop: serve(settings, stop)):
        await eventually(lambda: queries.showing(pool, "p"), bool, what="the picture is not known")
    assert await queries.showing(pool, "q") == [revision("b").update_id]
