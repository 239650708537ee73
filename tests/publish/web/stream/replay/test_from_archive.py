"""What streams are given from the archive."""

import pytest

from publish.archive import epochs, queries
from publish.archive.store import revision_of, write_batch
from publish.representation.position import Position
from publish.settings import Settings
from publish.web.archive_client import ArchiveClient, replay_from
from publish.web.feed_store import FeedStore
from publish.web.following.follower import stream_event
from publish.web.renderer import Renderer
from publish.web.routes.assets import Assets
from publish.web.stream.limits import StreamLimits
from shared.kafka.cloudevents import value_of
from shared.postgres.pool import Pool, Queryable
from shared.settings import Connections
from support.broadcasting import connect, let_write, started
from support.revisions import read, revision

pytestmark = pytest.mark.integration

UPDATES = [revision(f"u{n}") for n in range(30)]


@pytest.fixture
def settings(newsroom: Connections) -> Settings:
    """The settings of a process in this newsroom."""
    return Settings(**newsroom.model_dump())


async def archive(pool: Pool, first: int, end: int) -> None:
    """Archive updates as `publish archive` does, in one transaction."""
    async with pool.acquire() as connection, connection.transaction():
        await write_batch(
            connection, [revision_of(Position(1, n), UPDATES[n], value_of(UPDATES[n])) for n in range(first, end)]
        )
        await connection.execute("UPDATE publish.epochs SET last_offset = $1", end - 1)


@pytest.fixture
async def archived(pool: Pool) -> None:
    """The first ten updates are archived."""
    await pool.execute(
        "INSERT INTO publish.epochs (epoch, cluster_id, reason, first_offset, last_offset) VALUES (1, '', '', 0, -1)"
    )
    await archive(pool, 0, 10)


@pytest.mark.usefixtures("archived")
async def test_a_batch_that_is_archived_meanwhile_is_told_once(
    settings: Settings, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the archive has, and up to which place, are of one moment: no reader is told twice, and no id goes backwards."""
    real = queries.archived_up_to

    async def archived_up_to(source: Queryable) -> Position:
        reached = await real(source)
        if reached.offset == 9:
            await archive(pool, 10, 20)
        return reached

    monkeypatch.setattr(queries, "archived_up_to", archived_up_to)
    client, renderer = ArchiveClient(), Renderer(settings, Assets())
    client.pool = pool
    with started(StreamLimits(), begin=(1, 9)) as broadcaster:
        broadcaster._archive.replay = replay_from(client, renderer)
        feed_store = FeedStore(100)
        broadcaster.publish(
            [
                stream_event(renderer, applied)
                for n in range(10, 25)
                if (applied := feed_store.apply(read(UPDATES[n], n))) is not None
            ]
        )
        await let_write(broadcaster)
        reader = connect(broadcaster, "", "1-4")
        await reader.until(lambda each: each.parser.last_event_id == "1-24")
        assert reader.ids == [f"1-{n}" for n in range(5, 25)]


@pytest.mark.usefixtures("archived")
async def test_a_revision_that_cannot_be_read_takes_no_other_with_it(settings: Settings, pool: Pool) -> None:
    """Readers are given what is around it."""
    await pool.execute("UPDATE publish.revisions SET data = 'x' WHERE log_offset = 6")
    client = ArchiveClient()
    client.pool = pool
    replay = replay_from(client, Renderer(settings, Assets()))
    found = await replay(Position(1, 4), ("news",), 2)
    assert found is not None
    assert ([each.offset for each in found.events], found.through) == ([5], (1, 6))
    found = await replay(Position(1, 4), ("news",), 9)
    assert found is not None
    assert ([each.offset for each in found.events], found.through) == ([5, 7, 8, 9], (1, 9))
    assert (await epochs.newest(pool)) is not None
    assert await replay(Position(2, 4), ("news",), 9) is None


@pytest.mark.usefixtures("archived")
async def test_a_quiet_channel_is_replayed_from_however_far_back(settings: Settings, pool: Pool) -> None:
    """Its own places in the log are read, and no others; the answer says how far it reaches."""
    client = ArchiveClient()
    client.pool = pool
    replay = replay_from(client, Renderer(settings, Assets()))
    channel = f"update:{UPDATES[8].update_id}"
    for channels, limit, count, through in (
        ((channel,), 9, 1, 9),
        (("news",), 9, 5, 9),
        (("source:wire",), 9, 5, 9),
        (("source:wire",), 2, 2, 6),
        (("source:wire", channel, "tag:none"), 9, 5, 9),
        (("tag:none", "story:none"), 9, 0, 9),
    ):
        found = await replay(Position(1, 4), channels, limit)
        assert found is not None
        assert (len(found.events), found.through) == (count, (1, through)), channels
    everything = await replay(Position(1, -1), ("news",), 99)
    assert everything is not None
    assert len(everything.events) == 10
