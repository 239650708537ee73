"""What a replica answers of its follower: a hang is no outage, an outage no hang, and readers wait for neither."""

import asyncio
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from publish.archive import queries
from publish.web.following import follower as follower_module
from publish.web.following.follower import Follower, NotThisLog
from shared.kafka.cloudevents import headers_for, value_of
from support.revisions import revision
from support.waiting import eventually
from support.web_replica import Replica


@pytest.mark.parametrize("hangs", [True, False])
async def test_a_follower_that_hangs_is_not_live(
    replica: Replica, monkeypatch: pytest.MonkeyPatch, *, hangs: bool
) -> None:
    """Only a new process helps one that awaits what never comes; one that finds its servers away tries again by itself."""
    now = [0.0]
    follower = Follower(
        replica.answers.settings,
        replica.feed_store,
        replica.answers.renderer,
        replica.archive,
        replica.broadcaster,
        clock=lambda: now[0],
    )
    now[0] = 1000.0
    assert follower.why_not_live() is None, "Postgres has not answered yet"
    turns: list[float] = []

    async def follow(stop: asyncio.Event) -> None:
        turns.append(now[0])
        if hangs:
            await stop.wait()
        raise NotThisLog("the archive has not seen a log yet")

    monkeypatch.setattr(follower, "_follow_one_log", follow)
    stop = asyncio.Event()
    running = asyncio.create_task(follower.run(stop))
    await eventually(lambda: turns)
    assert follower.why_not_live() is None
    now[0] += 121
    if hangs:
        assert "hung for 121 s" in (follower.why_not_live() or "")
    else:
        await eventually(lambda: turns[-1] == now[0])
        assert follower.why_not_live() is None
        assert "archive" in (follower.why_not_ready() or "")
    stop.set()
    await running


class Records:
    """A consumer that has a record each time it is asked, once the watch has begun, and then tells the follower to stop."""

    def __init__(self, count: int, begun: asyncio.Event, stop: asyncio.Event) -> None:
        self.left = list(range(count))
        self.begun = begun
        self.stop = stop

    async def getmany(self, partition: TopicPartition, **_: Any) -> dict[TopicPartition, list[Any]]:
        """The next record."""
        async with asyncio.timeout(5):
            await self.begun.wait()
        offset = self.left.pop(0)
        if not self.left:
            self.stop.set()
        update = revision(f"u{offset}")
        value = value_of(update)
        headers = tuple(headers_for(update, source="test", event_id=str(offset)))
        return {partition: [ConsumerRecord(partition.topic, 0, offset, 0, 0, b"", value, None, 0, len(value), headers)]}

    def highwater(self, _: TopicPartition) -> int:
        """The end of the log."""
        return 0


async def test_news_does_not_wait_for_the_watch_of_the_log(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """While Postgres or Kafka leave the question unanswered whether this is still the log, what comes is served."""
    begun, stop, never = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def hangs(_: object) -> int:
        begun.set()
        await never.wait()
        return 1

    monkeypatch.setattr(queries, "current_epoch", hangs)
    monkeypatch.setattr(replica.archive, "connected", lambda: None)
    monkeypatch.setattr(follower_module, "WATCH_INTERVAL_S", 0)
    replica.broadcaster.begin(1, -1)
    follower = Follower(
        replica.answers.settings, replica.feed_store, replica.answers.renderer, replica.archive, replica.broadcaster
    )
    follower._epoch = 1
    records = Records(3, begun, stop)
    await follower._tail(records, 0, stop)  # type: ignore[arg-type]
    assert replica.broadcaster.head == (1, 2)
    assert len(replica.feed_store) == 3


async def test_what_the_watch_finds_ends_the_following(replica: Replica, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new epoch means a new snapshot."""
    begun, stop = asyncio.Event(), asyncio.Event()

    async def another(_: object) -> int:
        begun.set()
        return 2

    monkeypatch.setattr(queries, "current_epoch", another)
    monkeypatch.setattr(replica.archive, "connected", lambda: None)
    monkeypatch.setattr(follower_module, "WATCH_INTERVAL_S", 0)
    replica.broadcaster.begin(1, -1)
    follower = Follower(
        replica.answers.settings, replica.feed_store, replica.answers.renderer, replica.archive, replica.broadcaster
    )
    follower._epoch = 1
    with pytest.raises(NotThisLog, match="new epoch"):
        await follower._tail(Records(10, begun, stop), 0, stop)  # type: ignore[arg-type]
