"""The publish monitor: late is what was not seen by its deadline, red are two of the last ten, and memory is bounded."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from publish.push.monitor import reports
from publish.push.monitor.monitor import PublishMonitor, sinks_of
from publish.push.monitor.reports import NOBODY, Standing
from publish.push.monitor.routes import MISSED, publish_members, sink_members
from publish.push.monitor.watches import KINDS, MOST_OPEN, REMEMBERED, Publish, Sink, Watches
from publish.push.settings import PushSettings
from publish.representation.position import Position

URL = "http://web"


def publish(number: int, at: float = 100.0) -> Publish:
    """The revision at that place of the log."""
    return Publish(f"{number:a>26}", 1, Position(1, number), at, f"headline {number}")


@dataclass
class Readiness:
    """What each place answers."""

    page: Position | None = None
    cache: Position | None = None
    web_urls: tuple[str, ...] = (URL,)
    asked: list[Position] = field(default_factory=list)

    async def web_reached(self, url: str, place: Position) -> Position | None:
        """Of the page."""
        assert url == URL
        self.asked.append(place)
        return self.page

    async def cache_reached(self) -> Position | None:
        """Of the cache."""
        return self.cache


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def monitor_of(readiness: Readiness, clock: Clock, **settings: Any) -> PublishMonitor:
    """A monitor of one page, the cache, webhooks and alerts."""
    own = PushSettings(publish_push_web_urls=URL, **settings)
    return PublishMonitor(None, readiness, Watches(sinks_of(own)), clock=clock)  # type: ignore[arg-type]


async def test_a_publish_is_seen_where_it_is_and_late_where_it_is_not() -> None:
    """Page and cache each for itself; one question for all that are watched."""
    readiness, clock = Readiness(page=Position(1, 2)), Clock()
    monitor = monitor_of(readiness, clock)
    page, cache = monitor.watches.sinks["page 1"], monitor.watches.sinks["cache"]
    monitor.watches.watch([publish(1), publish(2), publish(3)])
    clock.now = 100.5
    await monitor.look()
    assert readiness.asked == [Position(1, 3)]
    assert [(each.publish.place.offset, each.late) for each in page.last] == [(1, False), (2, False)]
    assert len(page.open) == 1
    assert len(cache.open) == 3
    clock.now = 102.5
    await monitor.look()
    assert [each.late for each in page.last] == [False, False, True]
    assert (page.red, cache.red) == (False, True)
    assert sink_members(cache)["missed"] == MISSED["cache"]
    assert sink_members(page)["late"] == "1 of the last 3"
    (members,) = [
        publish_members(each, seen, monitor.watches.sinks, clock())
        for each, seen in monitor.watches.newest(publish(3).update_id)
    ]
    sinks: Any = members["sinks"]
    assert sinks["page 1"] == {"state": "late", "after_s": 2.5}
    assert sinks["alerts"]["state"] == "waiting"


async def test_a_sink_that_is_red_is_well_again_once_publishes_come_out() -> None:
    """After nine that were in time, at most one of the last ten was late."""
    clock, readiness = Clock(), Readiness()
    monitor = monitor_of(readiness, clock)
    page = monitor.watches.sinks["page 1"]
    monitor.watches.watch([publish(1), publish(2)])
    clock.now = 103.0
    await monitor.look()
    assert page.red
    readiness.page = readiness.cache = Position(1, 99)
    for number in range(3, 12):
        monitor.watches.watch([publish(number, at=clock.now)])
        await monitor.look()
    assert (page.late, page.red) == (1, False)


@pytest.mark.parametrize(
    ("standing", "after_s", "came"),
    [
        (Standing(out=True, concerns=True, at=101.0), 3.0, [False]),
        (Standing(out=True, concerns=True, at=109.0), 9.0, [True]),
        (Standing(out=False, concerns=True), 3.0, []),
        (Standing(out=False, concerns=True), 6.0, [True]),
        (NOBODY, 6.0, []),
    ],
    ids=["in time", "too late", "on its way", "not yet", "concerns nobody"],
)
async def test_webhooks_are_late_only_where_somebody_waits(
    standing: Standing, after_s: float, came: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an update that no endpoint follows nothing is told, so nothing is late."""
    clock = Clock()
    monitor = monitor_of(Readiness(), clock)
    watched = publish(1)

    async def deliveries(*_: object) -> dict[tuple[str, int], Standing]:
        return {watched.key: standing}

    async def alerts(*_: object) -> dict[tuple[str, int], Standing]:
        return {}

    monkeypatch.setattr(reports, "deliveries", deliveries)

    async def decided(*_: object) -> frozenset[tuple[str, int]]:
        return frozenset([watched.key])

    monkeypatch.setattr(reports, "alerts", alerts)
    monkeypatch.setattr(reports, "decided", decided)
    monitor.watches.watch([watched])
    clock.now += after_s
    await monitor.look_at_told()
    sink = monitor.watches.sinks["webhooks"]
    assert [each.late for each in sink.last] == came
    assert bool(sink.open) == (not came and standing is not NOBODY)
    assert not monitor.watches.sinks["alerts"].open


def test_a_flood_is_watched_in_part_and_a_repeat_not_at_all() -> None:
    """Whatever is published, memory stays as it is."""
    sink = Sink("cache", "cache", 2.0)
    watches = Watches([sink])
    watches.watch([publish(number) for number in range(MOST_OPEN + 7)])
    assert (len(sink.open), sink.unwatched) == (MOST_OPEN, 7)
    assert len(watches.newest()) == REMEMBERED
    watches.watch([publish(MOST_OPEN + 6)])
    assert sink.unwatched == 7
    assert not watches.idle


def test_every_kind_of_sink_says_what_is_missed() -> None:
    """An alert that says nothing helps nobody; without a cache or a CDN there is none to watch."""
    assert set(MISSED) == set(KINDS)
    settings = PushSettings(publish_push_web_urls="http://a,http://b", publish_push_check_cache=False, publish_push_purge_urls="http://cdn")  # fmt: skip
    assert [each.name for each in sinks_of(settings)] == ["page 1", "page 2", "CDN", "webhooks", "alerts"]
