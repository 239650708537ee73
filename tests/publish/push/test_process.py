"""A push process that starts before its servers, and one that loses them."""

import asyncio
from urllib.parse import urlsplit

import httpx
import pytest

from publish.push.process import serve
from publish.push.settings import PushSettings
from shared.postgres.pool import Pool
from support.proxy import proxied
from support.revisions import running
from support.waiting import eventually

pytestmark = pytest.mark.integration


async def _answer(client: httpx.AsyncClient, path: str) -> httpx.Response:
    try:
        return await client.get(path)
    except httpx.TransportError as error:
        raise OSError(str(error)) from error


@pytest.mark.usefixtures("site")
async def test_the_port_answers_at_once_and_says_what_is_waited_for(settings: PushSettings, pool: Pool) -> None:
    """Without Postgres the process is alive, not ready, and tells clients to come back; it is ready by itself once Postgres answers, and says so too when Postgres leaves again."""
    parts = urlsplit(settings.postgres_dsn)
    assert parts.hostname is not None
    assert parts.port is not None
    async with proxied(parts.hostname, parts.port) as proxy:
        await proxy.cut()
        dsn = parts._replace(netloc=f"{parts.username}:{parts.password}@127.0.0.1:{proxy.port}").geturl()
        own = settings.model_copy(update={"postgres_dsn": dsn})
        base = f"http://127.0.0.1:{settings.health_port}"
        async with running(lambda stop: serve(own, stop)), httpx.AsyncClient(base_url=base, timeout=60) as client:
            waiting = await eventually(lambda: _answer(client, "/readyz"), lambda seen: seen.status_code == 503)
            assert waiting.json()["failing"] == {"postgres": "waiting for Postgres"}
            assert (await client.get("/livez")).status_code == 200
            refused = await client.post("/v1/push/subscriptions", json={})
            assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
            assert refused.headers["content-type"] == "application/problem+json"
            await proxy.start()
            await eventually(lambda: _answer(client, "/readyz"), lambda seen: seen.status_code == 200, within_s=40)
            assert (await client.get("/v1/push/key")).status_code == 200
            own_key = {"Authorization": "Bearer x"}
            assert (await client.get("/v1/push/subscriptions/1", headers=own_key)).status_code == 404
            await proxy.cut()
            away = await client.get("/v1/push/subscriptions/1", headers=own_key)
            assert (away.status_code, away.headers["retry-after"]) == (503, "5")
            await proxy.start()
            await eventually(
                lambda: client.get("/v1/push/subscriptions/1", headers=own_key), lambda seen: seen.status_code == 404
            )
            await asyncio.wait_for(pool.fetchval("SELECT 1"), 10)


@pytest.mark.usefixtures("site")
async def test_an_alert_that_nobody_approves_does_not_wait_for_ever(settings: PushSettings, pool: Pool) -> None:
    """Past the time of the rules an alert of the top level is suppressed, with the reason that it was not approved."""
    async with running(lambda stop: serve(settings, stop)):
        await pool.execute(
            "INSERT INTO publish.alerts (id, update_id, revision, kind, level, channels, title, body, path, state, reason, "
            "proposed_by, created_at) SELECT n, n, 1, 'alert', 1, '{news}', 't', 'b', '/', 'awaiting-approval', 'urgency up to 1', "
            "'rules', now() - a * interval '1 minute' FROM unnest(ARRAY['old', 'new'], ARRAY[61, 1]) AS t (n, a)"
        )
        rows = await eventually(
            lambda: pool.fetch("SELECT id, reason FROM publish.alerts WHERE state = 'suppressed'"), lambda rows: rows
        )
    assert [(row["id"], row["reason"]) for row in rows] == [("old", "urgency up to 1; not approved in time")]
