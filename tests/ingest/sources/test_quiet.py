"""Who is woken when a source goes quiet, and what they are told."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.sources import store
from ingest.sources.quiet import QuietPeriod, QuietSourceMonitor, SourceActivity, assess
from ingest.sources.source import Source
from shared.postgres.set_aside import listed
from support.ingest_api import Wire

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def activity(**fields: Any) -> SourceActivity:
    """A source that was added a day ago and may be silent for ten minutes."""
    known = {"name": "north", "title": "North Wire", "silence_after_s": 600, "created_at": NOW - timedelta(days=1)}
    return SourceActivity(**known | fields)


def test_the_alarm_tells_what_readers_miss_and_why() -> None:
    """A silent line, a line that brings nothing new and a failing poll are told apart; readers come first."""
    ago = NOW - timedelta(minutes=20)
    silent = assess(activity(last_heard_at=ago, last_accepted_at=ago), NOW)
    assert silent.alarm
    assert silent.meaning.startswith("readers have been given nothing new from North Wire since 2026-01-01 11:40 UTC")
    assert "line down" in silent.meaning
    assert "desk at work" in assess(activity(last_heard_at=NOW, last_accepted_at=ago), NOW).meaning
    assert (
        "500" in assess(activity(last_heard_at=NOW, last_accepted_at=ago, error="the server answered 500"), NOW).meaning
    )


def test_no_alarm_where_none_is_due() -> None:
    """New copy, a recent resumption and a source without a threshold raise none."""
    assert not assess(activity(last_accepted_at=NOW - timedelta(minutes=9)), NOW).alarm
    assert not assess(activity(resumed_at=NOW - timedelta(minutes=9)), NOW).alarm
    assert not assess(activity(silence_after_s=None), NOW).alarm


@pytest.mark.integration
async def test_a_silence_is_told_once_and_ends_with_new_copy(wire: Wire) -> None:
    """The alarm begins once however often one looks, and is over when copy comes."""
    await store.save(wire.pool, Source(name="north", silence_after_s=60))
    monitor = QuietSourceMonitor()
    later = datetime.now(UTC) + timedelta(minutes=5)
    assert [each.source for each in await monitor.check(wire.pool, later)] == ["north"]
    assert await monitor.check(wire.pool, later) == []
    await wire.registry.load(wire.pool)
    await wire.push({"guid": "a", "headline": "x"})
    await wire.intake.statistics.flush(wire.pool)
    assert await monitor.check(wire.pool) == []
    assert monitor._silent == set()


@pytest.mark.integration
async def test_a_source_that_cannot_be_assessed_hides_no_other(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is set aside and listed; the alarm of the other is raised."""

    def with_a_bug(source: SourceActivity, now: datetime) -> QuietPeriod:
        if source.name == "bad":
            raise OverflowError("a bug")
        return assess(source, now)

    monkeypatch.setattr("ingest.sources.quiet.assess", with_a_bug)
    for name in ("bad", "good"):
        await store.save(wire.pool, Source(name=name, kind="api", silence_after_s=1))
    await wire.pool.execute("UPDATE ingest.sources SET created_at = now() - interval '1 hour'")
    found = await QuietSourceMonitor().check(wire.pool)
    assert "good" in [quiet.source for quiet in found]
    (entry,) = await listed(wire.pool, "ingest")
    assert (entry.loop, entry.key) == ("quiet sources", "bad")
