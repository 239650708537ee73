"""Alerts from the log or by an editor's order, up to a browser."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from py_vapid import Vapid02

from publish.push.process import serve
from publish.push.settings import PushSettings
from shared.messages import Passport
from shared.postgres.pool import Pool
from support import push_keys as keys
from support.push import Device, fresh, push_is_ready, subscribe
from support.revisions import emit, revision, running
from support.waiting import eventually


@pytest.mark.integration
async def test_an_alert_is_replaced_by_a_correction_and_withdrawn_by_a_kill(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any
) -> None:
    """A reader gets the alert, its correction under the same topic, and the withdrawal; who did not have it gets neither."""
    device, other = Device.new(f"{recipients.url}/device"), Device.new(f"{recipients.url}/other")
    await subscribe(pool, device)
    await subscribe(pool, other, channels=("tag:sport",))
    async with running(lambda stop: serve(settings, stop)):
        update = fresh("a", 1, urgency=2, summary="What is known.")
        await emit(settings, [update, fresh("b", 1, urgency=5)])
        got = (await eventually(lambda: recipients.at("/device")))[0]
        assert device.read(got) | {"timestamp": 0, "alert_id": ""} == {
            "kind": "alert", "alert_id": "", "update_id": update.update_id, "revision": 1, "tag": update.update_id,
            "url": settings.publish_site_url + update.path, "level": 2, "timestamp": 0, "title": "a 1",
            "body": "What is known.",
        }  # fmt: skip
        assert (got.headers["topic"], got.headers["urgency"], got.headers["ttl"]) == (
            update.update_id,
            "normal",
            "14400",
        )
        assert Vapid02.verify(got.headers["authorization"])
        await emit(settings, [fresh("a", 2, urgency=2, kind="correct"), fresh("a", 3, urgency=2, kind="enrich")])
        second = (await eventually(lambda: recipients.at("/device"), lambda got: len(got) == 2))[1]
        assert (device.read(second)["kind"], device.read(second)["title"]) == ("replace", "a 2")
        await emit(settings, [fresh("a", 4, removal="killed")])
        third = (await eventually(lambda: recipients.at("/device"), lambda got: len(got) == 3))[2]
        assert device.read(third)["kind"] == "withdraw"
        assert "title" not in device.read(third)
        assert {each.headers["topic"] for each in recipients.at("/device")} == {update.update_id}
    assert recipients.at("/other") == []


@pytest.mark.integration
async def test_what_is_not_an_alert_now_has_its_reason(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any
) -> None:
    """One alert for a story unless the level rises; what is old is none; each suppressed one says why."""
    device = Device.new(f"{recipients.url}/device")
    await subscribe(pool, device, break_through=0)
    old = datetime.now(UTC) - timedelta(hours=2)
    async with running(lambda stop: serve(settings, stop)):
        await emit(
            settings,
            [
                fresh("a", 1, urgency=2, story="s"),
                fresh("b", 1, urgency=2, story="s"),
                revision("c", 1, urgency=2, passport=Passport(received_at=old, enriched_at=old)),
                fresh("d", 1, flags={"key_event": True}, story="s2"),
                fresh("e", 1, urgency=2, story="s2"),
            ],
        )
        await eventually(lambda: recipients.at("/device"), lambda got: len(got) == 3)
        rows = await pool.fetch("SELECT update_id, reason FROM publish.alerts WHERE state = 'suppressed'")
        reasons = {row["update_id"]: row["reason"] for row in rows}
        assert reasons.keys() == {revision("b").update_id, revision("c").update_id}
        assert "its story was alerted already" in reasons[revision("b").update_id]
        assert "too old" in reasons[revision("c").update_id]


@pytest.mark.integration
async def test_the_top_level_needs_two_people_and_an_order_can_be_previewed(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any
) -> None:
    """A top alert leaves only with the yes of two people to the words that leave; the preview says who would get it and sends nothing."""
    device = Device.new(f"{recipients.url}/device")
    await subscribe(pool, device)
    tokens = [(await keys.add(pool, name, ["alerts"], ["news"]))[1] for name in ("Ann", "Ben")]
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [fresh("a", 1, urgency=1)])
        base = f"http://127.0.0.1:{settings.health_port}/v1/push/alerts"
        async with httpx.AsyncClient() as client:
            ann, ben = ({"Authorization": f"Bearer {token}"} for token in tokens)

            await eventually(lambda: push_is_ready(settings))

            async def waiting() -> Any:
                return (await client.get(base, params={"state": "awaiting-approval"}, headers=ann)).json()["alerts"]

            alert = (await eventually(waiting))[0]
            assert recipients.at("/device") == []
            wanted = {"update_id": revision("a").update_id, "level": 2, "title": "In our words"}
            preview = (await client.post(f"{base}/preview", json=wanted, headers=ann)).json()
            assert (preview["audience"], preview["now"], preview["message"]["title"]) == (1, 1, "In our words")
            assert preview["headers"]["Topic"] == wanted["update_id"]
            assert (await client.post(f"{base}/{alert['id']}/approve", headers=ann)).json()[
                "state"
            ] == "awaiting-approval"
            assert (await client.post(f"{base}/{alert['id']}/approve", headers=ann)).json()[
                "state"
            ] == "awaiting-approval"
            await emit(settings, [fresh("a", 2, urgency=1, kind="correct", headline="Corrected")])
            corrected = (await eventually(waiting, lambda seen: seen[0]["title"] == "Corrected"))[0]
            assert corrected["approved_by"] == [], "nobody has approved these words"
            assert (await client.post(f"{base}/{alert['id']}/approve", headers=ben)).json()["approved_by"] != []
            assert recipients.at("/device") == []
            assert (await client.post(f"{base}/{alert['id']}/approve", headers=ann)).status_code == 200
            got = (await eventually(lambda: recipients.at("/device")))[0]
            assert (device.read(got)["level"], device.read(got)["title"]) == (1, "Corrected")
            assert got.headers["urgency"] == "high"
            assert (await client.post(f"{base}/{alert['id']}/approve", headers=ben)).status_code == 409
            for order in ("approve", "reject"):
                missing = await client.post(f"{base}/nothing/{order}", headers=ben)
                assert (missing.status_code, missing.json()["code"]) == (404, "no-such-alert")
            assert (await client.post(base, json=wanted)).status_code == 401
            assert (await client.post(base, json=wanted | {"level": 9}, headers=ann)).json()["field"] == "/level"


@pytest.mark.integration
async def test_an_editors_wording_stays_until_the_updates_own_changes(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any
) -> None:
    """A revision that changes neither headline nor summary corrects nothing of an ordered alert; one that does takes its place."""
    device = Device.new(f"{recipients.url}/device")
    await subscribe(pool, device)
    _, token = await keys.add(pool, "Ann", ["alerts"], ["news"])
    same = {"urgency": 5, "headline": "Bridge shut", "summary": "For a day."}
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [fresh("a", 1, **same)])
        await eventually(lambda: pool.fetchval("SELECT count(*) FROM publish.pushed"))
        await eventually(lambda: push_is_ready(settings))
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
            order = {"update_id": revision("a").update_id, "level": 2, "title": "In our words"}
            url = f"http://127.0.0.1:{settings.health_port}/v1/push/alerts"
            assert (await client.post(url, json=order)).status_code == 202
        await eventually(lambda: recipients.at("/device"))
        await emit(settings, [fresh("a", 2, text="More.", **same), fresh("a", 3, **same | {"headline": "Bridge open"})])
        got = await eventually(lambda: recipients.at("/device"), lambda got: len(got) == 2)
    assert [(device.read(each)["kind"], device.read(each)["title"]) for each in got] == [
        ("alert", "In our words"),
        ("replace", "Bridge open"),
    ]
