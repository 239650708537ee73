"""What a replica answers of its follower: a hang is no outage, and an outage no hang."""

import asyncio

import pytest

from publish.web.following.follower import Follower, NotThisLog
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
