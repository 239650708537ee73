"""What is kept for a reader comes in a digest."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from publish.push.process import serve
from publish.push.settings import PushSettings
from shared.postgres.pool import Pool
from support.push import Device, fresh, subscribe
from support.revisions import emit, revision, running
from support.waiting import eventually


@pytest.mark.integration
async def test_the_budget_keeps_for_the_digest_and_drops_nothing(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Past the hour's cap and in quiet hours alerts are kept with the reason, and come in one digest, without what was killed."""
    monkeypatch.setattr("publish.push.alerts.sending.digests.INTERVAL_S", 0.2)
    now = datetime.now(UTC)
    capped, asleep = Device.new(f"{recipients.url}/capped"), Device.new(f"{recipients.url}/asleep")
    await subscribe(pool, capped, per_hour=1)
    quiet = {
        "quiet_from": (now - timedelta(hours=1)).time().replace(microsecond=0),
        "quiet_to": (now + timedelta(hours=1)).time().replace(microsecond=0),
    }
    await subscribe(pool, asleep, **quiet)
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [fresh("a", 1, urgency=2)])
        await eventually(lambda: recipients.at("/capped"))
        await emit(settings, [fresh("b", 1, urgency=2), fresh("c", 1, urgency=2)])

        async def kept() -> list[tuple[str, int]]:
            rows = await pool.fetch(
                "SELECT reason, count(*) AS n FROM publish.alert_results WHERE result = 'digest' GROUP BY reason ORDER BY reason"
            )
            return [(row["reason"], row["n"]) for row in rows]

        await eventually(kept, lambda seen: seen == [("cap of 1 an hour", 2), ("quiet hours", 3)])
        await emit(settings, [fresh("c", 2, removal="killed")])
        await eventually(
            lambda: pool.fetchval("SELECT visible FROM publish.updates WHERE update_id = $1", revision("c").update_id),
            lambda seen: seen is False,
        )
        assert (len(recipients.at("/capped")), recipients.at("/asleep")) == (1, [])
        await pool.execute("UPDATE publish.subscriptions SET quiet_from = NULL")
        digest = asleep.read((await eventually(lambda: recipients.at("/asleep")))[0])
        assert digest["kind"] == "digest"
        assert set(digest["updates"]) == {revision("a").update_id, revision("b").update_id}
        assert "c 1" not in digest["body"]
