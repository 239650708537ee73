"""Each reader is sent an alert once, whatever a provider answers and whatever crashes."""

from typing import Any

import pytest
from starlette.responses import Response

from publish.push.process import serve
from publish.push.settings import PushSettings
from shared.postgres.pool import Pool
from shared.settings import Connections
from support.processes import Processes, processes
from support.push import Device, fresh, subscribe
from support.revisions import emit, running
from support.waiting import eventually

__all__ = ["processes"]


@pytest.mark.integration
async def test_each_answer_of_a_push_service_has_its_effect(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any
) -> None:
    """410 ends a subscription, 429 is tried again after its pause, 503 without one soon and then less and less often, 400 is a failure with its reason; each is counted."""
    recipients.behave["/gone"] = lambda got, n: 410
    recipients.behave["/busy"] = lambda got, n: Response(None, 429, {"Retry-After": "1"}) if n == 1 else 201
    recipients.behave["/refuses"] = lambda got, n: Response(b"bad token", 400)
    recipients.behave["/down"] = lambda got, n: 503
    for name in ("gone", "busy", "refuses", "well", "down"):
        await subscribe(pool, Device.new(f"{recipients.url}/{name}"))
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [fresh("a", 1, urgency=2)])
        await eventually(lambda: recipients.at("/busy"), lambda got: len(got) == 2)

        async def results() -> dict[str, int]:
            rows = await pool.fetch("SELECT result, count(*) AS n FROM publish.alert_results GROUP BY result")
            return {row["result"]: row["n"] for row in rows}

        await eventually(results, lambda seen: seen == {"gone": 1, "failed": 1, "sent": 2, "later": 1})
        assert await pool.fetchval("SELECT count(*) FROM publish.subscriptions") == 4
        pause = "SELECT extract(epoch FROM retry_at - at)::float8 FROM publish.alert_results WHERE result = 'later' AND attempts = $1"
        assert await pool.fetchval(pause, 1) == pytest.approx(5, rel=0.21)
        await pool.execute("UPDATE publish.alert_results SET retry_at = now() WHERE result = 'later'")
        assert await eventually(lambda: pool.fetchval(pause, 2)) == pytest.approx(10, rel=0.21)
        await eventually(lambda: pool.fetchval("SELECT state FROM publish.alerts"), lambda state: state == "sent")


@pytest.mark.integration
async def test_a_crash_in_the_middle_of_a_fan_out_loses_nobody_and_repeats_next_to_nothing(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any, processes: Processes
) -> None:
    """kill -9 of the process: every reader gets the alert, and no more than were under way get it twice."""
    readers = 2000
    device = Device.new("")
    await pool.execute(
        "INSERT INTO publish.subscriptions (service, target, target_hash, p256dh, auth, token_sha256, channels, per_hour, "
        "per_day) SELECT 'web', $1 || n, sha256(n::text::bytea), $2, $3, '', '{news}', 9, 9 FROM generate_series(1, $4) n",
        f"{recipients.url}/r/", device.public, device.auth, readers,
    )  # fmt: skip
    given = settings.model_dump(
        include={name for name in PushSettings.model_fields if name.startswith("publish_push_")}
    )
    env = {name.upper(): str(value) for name, value in given.items() if value is not None}
    connections = Connections(**settings.model_dump())
    process = processes.start(connections, "publish", "push", **env)
    await process.ready()
    await emit(settings, [fresh("a", 1, urgency=2)])
    await eventually(lambda: len(recipients.got), lambda count: count > readers / 4)
    process.child.kill()
    assert len(recipients.got) < readers
    await processes.start(connections, "publish", "push", **env).ready()
    await eventually(
        lambda: pool.fetchval("SELECT state FROM publish.alerts"), lambda state: state == "sent", within_s=60
    )
    assert len({got.path for got in recipients.got}) == readers
    assert len(recipients.got) - readers <= 8
    assert device.read(recipients.got[0])["title"] == "a 1"
