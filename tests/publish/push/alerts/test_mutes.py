"""Mutes: alerts that a desk holds back beforehand."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import pytest_asyncio

from publish.push.alerts.rules import AlertRules
from publish.push.alerts.subscriptions import NewSubscription, Subscriptions
from publish.push.process import serve
from publish.push.settings import PushSettings
from shared.messages import EnrichedUpdate, Passport
from shared.postgres.pool import Pool
from support import push_keys as keys
from support.revisions import emit, revision, running
from support.waiting import eventually

pytestmark = pytest.mark.integration

SUPPRESSED = "SELECT reason FROM publish.alerts WHERE state = 'suppressed' AND update_id = $1"


def fresh(guid: str, number: int = 1, **fields: Any) -> EnrichedUpdate:
    """A revision of just now, urgent enough for an alert."""
    now = datetime.now(UTC)
    return revision(guid, number, passport=Passport(received_at=now, enriched_at=now), **{"urgency": 2} | fields)


@pytest_asyncio.fixture
async def device(pool: Pool, recipients: Any) -> str:
    """A reader's phone, by a push service that takes everything."""
    wanted = NewSubscription.model_validate(
        {
            "subscription": {
                "endpoint": f"{recipients.url}/device",
                "keys": {
                    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
                    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
                },
            }
        }
    )
    await Subscriptions(pool, AlertRules(), allow_private=True).add(wanted)
    return "/device"


async def test_a_muted_story_alerts_nobody_until_it_is_lifted_and_says_why(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any, device: str
) -> None:
    """AlertRules' alerts, what waits for approval and an editor's order stay, each naming the mute; the preview says so; others leave; a lifted or ended mute holds nothing back; the record stays."""
    _, token = await keys.add(pool, "Ann", ["alerts"], ["news"])
    _, stranger = await keys.add(pool, "consumer", ["webhooks"], ["news"])
    url = f"http://127.0.0.1:{settings.health_port}/v1/push"
    async with (
        running(lambda stop: serve(settings, stop)),
        httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client,
    ):

        async def answering() -> int:
            try:
                return (await client.get("/mutes")).status_code
            except httpx.TransportError:
                return 0

        await eventually(answering, lambda status: status == 200)
        await emit(settings, [fresh("top", urgency=1, story="trial")])
        waiting = "SELECT count(*) FROM publish.alerts WHERE state = 'awaiting-approval'"
        await eventually(lambda: pool.fetchval(waiting))
        until = datetime.now(UTC) + timedelta(hours=2)
        wanted = {"channel": "story:trial", "reason": "jury is out", "until": until.isoformat()}
        mute = (await client.post("/mutes", json=wanted)).json()
        assert (mute["channel"], mute["reason"], mute["muted_by"].startswith("Ann (key_")) == (
            "story:trial",
            "jury is out",
            True,
        )
        await emit(settings, [fresh("a", story="trial"), fresh("b", story="other")])
        await eventually(lambda: recipients.at(device))
        reason = await eventually(lambda: pool.fetchval(SUPPRESSED, revision("a").update_id))
        assert reason == (
            f"muted: story:trial until {until:%Y-%m-%d %H:%M} UTC by {mute['muted_by']}: jury is out (mute {mute['id']})"
        )
        top = (await client.get("/alerts", params={"state": "awaiting-approval"})).json()["alerts"][0]
        _, second = await keys.add(pool, "Ben", ["alerts"], ["news"])
        for person in (token, second):
            await client.post(f"/alerts/{top['id']}/approve", headers={"Authorization": f"Bearer {person}"})
        assert "jury is out" in await eventually(lambda: pool.fetchval(SUPPRESSED, revision("top").update_id))
        order = {"update_id": revision("a").update_id, "level": 2}
        assert (await client.post("/alerts/preview", json=order)).json()["decision"] == {
            "state": "suppressed",
            "reason": reason,
        }
        assert (await client.post("/alerts", json=order)).json()["reason"] == reason
        assert len(recipients.at(device)) == 1

        for wrong, field in (
            ({"channel": "trial"}, "/channel"),
            ({"reason": " "}, "/reason"),
            ({"until": "2020-01-01T00:00:00Z"}, "/until"),
            ({"until": "2030-01-01T00:00:00"}, "/until"),
        ):
            refused = await client.post("/mutes", json=wanted | wrong)
            assert (refused.status_code, refused.json()["field"]) == (422, field)
        other = {"Authorization": f"Bearer {stranger}"}
        assert (await client.post("/mutes", json=wanted, headers=other)).status_code == 403

        assert (await client.delete(f"/mutes/{mute['id']}")).json()["lifted_by"] == mute["muted_by"]
        assert (await client.delete(f"/mutes/{mute['id']}")).status_code == 404
        await pool.execute(
            "INSERT INTO publish.mutes (channel, reason, muted_by, until) VALUES ('news', 'over', 'x', now() - interval '1 s')"
        )
        assert (await client.get("/mutes")).json()["mutes"] == []
        assert len((await client.get("/mutes", params={"ended": "true"})).json()["mutes"]) == 2
        await emit(settings, [fresh("c", story="trial")])
        await eventually(lambda: recipients.at(device), lambda got: len(got) == 2)


@pytest.mark.usefixtures("site")
async def test_what_readers_have_had_is_corrected_and_withdrawn_while_its_story_is_muted(
    settings: PushSettings, pool: Pool, recipients: Any, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mute stops no correction and no withdrawal of an alert that went out; what was kept for a digest it does stop."""
    monkeypatch.setattr("publish.push.alerts.sending.digests.INTERVAL_S", 0.2)
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [fresh("a", story="trial")])
        await eventually(lambda: recipients.at(device))
        await pool.execute("UPDATE publish.subscriptions SET quiet_from = '00:00', quiet_to = '23:59:59.999999'")
        await emit(settings, [fresh("k", story="trial", urgency=9, flags={"key_event": True}), fresh("b", tags=["x"])])
        kept = "SELECT count(*) FROM publish.alert_results WHERE result = 'digest'"
        await eventually(lambda: pool.fetchval(kept), lambda count: count == 1)
        await pool.execute(
            "INSERT INTO publish.mutes (channel, reason, muted_by, until) SELECT c, 'jury', 'Ann', now() + interval '1 h' "
            "FROM unnest(ARRAY['story:trial', 'tag:x']) c"
        )
        await emit(settings, [fresh("a", 2, kind="correct", story="trial")])
        await eventually(lambda: recipients.at(device), lambda got: len(got) == 2)
        await emit(settings, [fresh("a", 3, removal="killed", story="trial")])
        await eventually(lambda: recipients.at(device), lambda got: len(got) == 3)
        await pool.execute("UPDATE publish.subscriptions SET quiet_from = NULL")
        held = "SELECT reason FROM publish.alert_results WHERE result = 'suppressed'"
        assert "muted: tag:x" in await eventually(lambda: pool.fetchval(held))
        assert len(recipients.at(device)) == 3
