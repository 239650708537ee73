"""A reader's own subscription."""

from typing import Any

import httpx
import pytest

from publish.push.alerts.reader_routes import PER_MINUTE
from publish.push.process import serve
from publish.push.settings import PushSettings
from shared.postgres.pool import Pool
from support.push import Device, b64, push_is_ready
from support.revisions import running
from support.waiting import eventually


@pytest.mark.integration
async def test_a_reader_subscribes_tests_and_leaves(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any
) -> None:
    """From the site's origin, without a key: subscribe, test, change, unsubscribe; only with the token told to this reader."""
    device = Device.new(f"{recipients.url}/device")
    async with running(lambda stop: serve(settings, stop)):
        base = f"http://127.0.0.1:{settings.health_port}/v1/push"
        async with httpx.AsyncClient() as client:
            await eventually(lambda: push_is_ready(settings))
            answer = await client.get(f"{base}/key")
            assert len(b64(answer.json()["public_key"])) == 65
            assert answer.headers["access-control-allow-origin"] == settings.publish_site_url
            assert (await client.options(f"{base}/subscriptions")).status_code == 204
            wanted = {
                "subscription": device.subscription.model_dump(),
                "channels": ["news"],
                "time_zone": "Europe/Kyiv",
            }
            made = (await client.post(f"{base}/subscriptions", json=wanted)).json()
            own = {"Authorization": f"Bearer {made['token']}"}
            one = f"{base}/subscriptions/{made['id']}"
            assert (await client.post(f"{one}/test", headers=own)).json()["result"] == "sent"
            assert device.read(recipients.at("/device")[0])["kind"] == "test"
            assert (
                await client.patch(
                    one, json={"channels": ["tag:x"], "quiet_from": "22:00", "quiet_to": "07:00"}, headers=own
                )
            ).json()["quiet_from"] == "22:00"
            assert (await client.get(one, headers={"Authorization": "Bearer no"})).status_code == 404
            for change, field in (
                ({"time_zone": "Mars/Base"}, "/time_zone"),
                ({"channels": ["x"]}, "/channels"),
                (
                    {"subscription": wanted["subscription"] | {"keys": {"p256dh": "AAAA", "auth": "AAAA"}}},
                    "/subscription/keys",
                ),  # type: ignore[operator]
                ({"subscription": wanted["subscription"] | {"endpoint": "ftp://x"}}, "/subscription/endpoint"),  # type: ignore[operator]
            ):
                refused = await client.post(f"{base}/subscriptions", json=wanted | change)
                assert (refused.status_code, refused.json()["field"]) == (422, field)
            assert (await client.delete(one, headers=own)).status_code == 204
            assert await pool.fetchval("SELECT count(*) FROM publish.subscriptions") == 0


@pytest.mark.integration
@pytest.mark.usefixtures("pool", "site")
async def test_readers_behind_one_proxy_do_not_share_a_rate(settings: PushSettings) -> None:
    """The rate is of the address that our proxy names last; what a reader writes of itself takes it out of no count."""
    async with running(lambda stop: serve(settings, stop)):
        base = f"http://127.0.0.1:{settings.health_port}"
        async with httpx.AsyncClient(base_url=base) as client:
            await eventually(lambda: push_is_ready(settings))

            async def statuses(path: str, times: int, **fields: str) -> set[int]:
                headers = {name.replace("_", "-"): value for name, value in fields.items()}
                return {(await client.post(path, content=b"x", headers=headers)).status_code for _ in range(times)}

            for path, rate in (("/v1/push/subscriptions", PER_MINUTE), ("/websub", 60)):
                assert 429 not in await statuses(path, rate, X_Forwarded_For="198.51.100.1")
                for written in ("203.0.113.9", "198.51.100.77", "unknown", "::1", "2001:db8::1"):
                    assert await statuses(path, 1, X_Forwarded_For=f"{written}, 198.51.100.1") == {429}
                    assert 429 not in await statuses(path, 1, X_Forwarded_For=f"198.51.100.1, {written}x, 198.51.100.2")
                assert await statuses(path, 1, X_Forwarded_For="198.51.100.1", Forwarded="for=192.0.2.1") == {429}
                assert 429 in await statuses(path, rate + 5, Forwarded="for=192.0.2.1")
            for path, field in (
                ("/v1/push/subscriptions?a=1", "a"),
                ("/v1/push/key?b", "b"),
                ("/v1/push/alerts?state=x&stat=y", "stat"),
                ("/v1/push/endpoints?limit=1", "limit"),
                ("/v1/push/mutes?ended=true&ended=false", "ended"),
                ("/openapi.json?x=1", "x"),
            ):
                method = "POST" if "subscriptions" in path else "GET"
                answer = await client.request(method, path)
                assert (answer.status_code, answer.json().get("field")) == (400, field), path
            assert (await client.get("/v1/push/alerts/", headers={"Host": "evil.example"})).headers[
                "location"
            ] == "/v1/push/alerts"
