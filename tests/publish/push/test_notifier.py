"""From the log to the channels of push: once, each channel for itself, and nothing is waited for before a kill is purged."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from local.child import free_port
from publish.archive import process as archive
from publish.archive import queries
from publish.push.alerts.decisions import AlertDecisions
from publish.push.delivery.notice import Notice
from publish.push.process import serve
from publish.push.settings import PushSettings
from publish.push.webhooks.endpoints import Endpoints, NewEndpoint
from publish.representation.position import Position
from shared.postgres.pool import Connection, Pool
from shared.postgres.set_aside import listed
from shared.streams import ENRICHED
from support import push_keys as keys
from support.processes import Processes
from support.push import Device, fresh, subscribe
from support.revisions import emit, revision, running
from support.topics import everything_in
from support.waiting import eventually

pytestmark = pytest.mark.integration


async def test_a_channel_that_fails_on_one_revision_fails_on_it_alone(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alerts cannot be decided of one update: its purge leaves, the next one's alert too; once mended, its own follows."""
    decide, bug = AlertDecisions.queue, [True]

    async def with_a_bug(self: AlertDecisions, connection: Connection, notices: Sequence[Notice]) -> None:
        if bug and any(notice.update.update_id == revision("bad").update_id for notice in notices):
            # The transaction of the others must survive it.
            await connection.execute("SELECT 1 / 0")
        await decide(self, connection, notices)

    monkeypatch.setattr(AlertDecisions, "queue", with_a_bug)
    monkeypatch.setattr("publish.push.notifier.RETRY_INTERVAL_S", 0.1)
    await subscribe(pool, Device.new(f"{recipients.url}/reader"))
    own = settings.model_copy(update={"publish_push_purge_urls": f"{recipients.url}/purge"})
    async with running(lambda stop: serve(own, stop)):
        await emit(settings, [fresh("bad", 1, urgency=2), fresh("good", 1, urgency=2)])
        await eventually(lambda: recipients.at("/reader"), what="the other's alert")
        purged = " ".join(got.headers["surrogate-key"] for got in recipients.at("/purge"))
        assert f"update:{revision('bad').update_id}" in purged
        (entry,) = await listed(pool, "publish", "notices")
        assert entry.key == f"alerts {revision('bad').update_id} 1"
        assert "division by zero" in entry.reason
        bug.clear()
        await pool.execute("UPDATE publish.set_aside SET next_at = now()")
        await eventually(lambda: recipients.at("/reader"), lambda got: len(got) == 2, what="its own alert")
        await eventually(lambda: listed(pool, "publish", "notices"), lambda entries: not entries)


async def test_a_kill_is_purged_while_the_site_hangs(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any
) -> None:
    """With a WebSub subscriber whose feed cannot be read, a site that answers nothing, and a webhook that hangs."""
    port = free_port()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    server = await asyncio.start_server(silent, "127.0.0.1", port)
    hanging = f"http://127.0.0.1:{port}"
    own = settings.model_copy(
        update={
            "publish_push_purge_urls": f"{recipients.url}/purge",
            "publish_push_web_urls": f"{hanging}",
            "publish_push_readable_s": 12.0,
            "publish_push_timeout_s": 30.0,
        }
    )
    await pool.execute(
        "INSERT INTO publish.endpoints (id, kind, url, topic, channels, lease_until) SELECT 'ws_' || n, 'websub', "
        "$1 || '/ws' || n, $2, '{news}', now() + interval '1 day' FROM generate_series(1, 50) n",
        recipients.url, f"{settings.publish_site_url}/feeds/news.atom",
    )  # fmt: skip
    await pool.execute(
        "INSERT INTO publish.endpoints (id, kind, url, channels) VALUES ('hook', 'webhook', $1, '{news}')", hanging
    )
    await pool.execute(
        "INSERT INTO publish.deliveries (endpoint_id, message_id, type, order_key, body) "
        "SELECT id, 'm', 'websub', 'feed', $1 FROM publish.endpoints",
        str(Position(1, 0)),
    )
    async with server, running(lambda stop: serve(own, stop)):
        await emit(settings, [fresh("a", 1), fresh("a", 2, removal="killed")])
        key = f"update:{revision('a').update_id}"

        def purged() -> list[Any]:
            return [got for got in recipients.at("/purge") if key in got.headers["surrogate-key"]]

        await eventually(purged, within_s=6, what="the kill's purge")
    attempts = "SELECT max(attempts) FROM publish.deliveries WHERE endpoint_id LIKE 'ws_%' AND leased_until IS NULL"
    assert await pool.fetchval(attempts) in (0, None)


@pytest.mark.usefixtures("site")
async def test_a_repeat_is_pushed_to_nobody_however_old(
    settings: PushSettings, pool: Pool, recipients: Any, key: keys.Key
) -> None:
    """What was pushed is forgotten after a while, and what was archived before there was a push process never was: a record
    that repeats it is no news, and alerts nobody."""
    device = Device.new(f"{recipients.url}/device")
    await subscribe(pool, device, break_through=0)
    await Endpoints(pool, allow_private=True).add(NewEndpoint(url=f"{recipients.url}/hook"), key)
    first, second = fresh("a", 1, urgency=2), fresh("a", 2, urgency=2, kind="correct")
    async with running(lambda stop: serve(settings, stop)):
        await emit(settings, [first, second])
        await eventually(lambda: recipients.at("/hook"), lambda got: len(got) == 2)
        await eventually(lambda: recipients.at("/device"))
        await pool.execute("DELETE FROM publish.pushed")
        recipients.got.clear()
        await emit(settings, [first, second, fresh("b", 1, urgency=2)])
        await eventually(lambda: (recipients.at("/hook"), recipients.at("/device")), all)
    assert [orjson.loads(each.body)["data"]["headline"] for each in recipients.at("/hook")] == ["b 1"]
    assert [device.read(each)["title"] for each in recipients.at("/device")] == ["b 1"]


async def test_the_archive_is_past_nothing_of_a_log_that_it_does_not_know_yet(pool: Pool) -> None:
    """It is far ahead in the log that was lost: what stands at those offsets now is waited for, not given up."""
    await pool.execute(
        "INSERT INTO publish.epochs (epoch, cluster_id, reason, first_offset, last_offset) VALUES (1, 'c', 'the first log', 0, 2)"
    )
    await pool.execute(
        "INSERT INTO publish.revisions (update_id, revision, epoch, log_offset, kind, channels) "
        "VALUES ('old-0', 1, 1, 0, 'publish', '{news}'), ('old-2', 1, 1, 2, 'publish', '{news}')"
    )
    # The archive has set aside what is at 1.
    assert await queries.is_past(pool, {("aside", 1): 1})
    assert await queries.is_past(pool, {("old-0", 1): 0, ("aside", 1): 1, ("old-2", 1): 2})
    assert not await queries.is_past(pool, {("aside", 1): 1, ("later", 1): 3})
    assert not await queries.is_past(pool, {("new", 1): 0})
    assert not await queries.is_past(pool, {("aside", 1): 1, ("new", 2): 2})


async def test_who_is_killed_while_it_waits_for_the_archive_has_not_died_of_what_it_waits_with(
    settings: PushSettings, pool: Pool, processes: Processes
) -> None:
    """Three processes in a row are killed before the archive has a revision: it is queued all the same, and no dead letter."""
    await emit(settings, [fresh("waits", 1)])
    push = processes.start(settings, "publish", "push")
    owners: set[str] = set()
    for _ in range(3):
        owner = await eventually(
            lambda: pool.fetchval("SELECT owner FROM publish.crash_notes WHERE stage = 'publish.push'"),
            lambda owner: owner is not None and owner not in owners,
            within_s=30, what="its partition is not taken",
        )  # fmt: skip
        owners.add(owner)
        push.child.kill()
        push.child.start()
    async with running(lambda stop: archive.serve(settings, stop)):
        pushed = "SELECT revision FROM publish.pushed"
        await eventually(lambda: pool.fetchval(pushed), within_s=30, what="nothing is pushed")
    assert await everything_in(settings, ENRICHED.dead_letters) == []
