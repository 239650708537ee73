"""No statement that push sends reads a large table from end to end, whatever Postgres believes of its size.

As `tests/publish/archive/test_plans.py`: what push does is done on tables that have grown since their statistics were taken, and
each statement that was sent meanwhile is explained.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from publish.archive import queries
from publish.archive.store import revision_of, write_batch
from publish.push.alerts import mutes
from publish.push.alerts.alert import audience, newest, with_results
from publish.push.alerts.decisions import AlertDecisions
from publish.push.alerts.rules import AlertRules
from publish.push.alerts.sending.batch import PushBatch
from publish.push.alerts.sending.digests import Digests
from publish.push.alerts.sending.release import AlertRelease
from publish.push.alerts.sending.sender import AlertSender
from publish.push.alerts.subscriptions import Subscriptions
from publish.push.delivery.attempts import Attempts, RetryPolicy
from publish.push.delivery.notice import Notice
from publish.push.delivery.outbound import Answer
from publish.push.delivery.queue import QUEUE
from publish.push.delivery.worker import GIVE_BACK, TRY_ALONE
from publish.push.monitor import reports
from publish.push.monitor.monitor import publish_of
from publish.push.notifier import ANYBODY, Notifier, queue_takedowns
from publish.push.process import forget_old
from publish.push.purge.surrogate_keys import queue_purges
from publish.push.settings import PushSettings
from publish.push.webhooks.endpoints import Endpoints, NewEndpoint
from publish.push.webhooks.queueing import queue_webhooks
from publish.push.websub.feeds import queue_feeds
from publish.representation.position import Position
from publish.takedown.proof import check
from publish.takedown.sinks.every import TakedownSinks
from shared.kafka.cloudevents import value_of
from shared.messages import EnrichedUpdate
from shared.postgres.pool import Pool
from shared.postgres.session import BY_INDEX
from support import push_keys as keys
from support.plans import Recorder, Sent, scanned
from support.push import Device, fresh, subscribe

pytestmark = pytest.mark.integration

ROWS = 10_000
LARGE = (
    "deliveries",
    "pushed",
    "alerts",
    "alert_results",
    "subscriptions",
    "takedowns",
    "takedown_checks",
    "takedown_looks",
)
FILL = """
INSERT INTO publish.pushed (update_id, revision, epoch, log_offset, readable, pushed_at)
SELECT 'u' || n, 1, 1, n, true, now() - n * interval '1 minute' FROM generate_series($1::int, $2::int) n;
INSERT INTO publish.deliveries (endpoint_id, message_id, type, update_id, revision, order_key, state, ended_at, created_at, next_attempt_at)
SELECT 'old', 'm' || n, 'update.publish', 'u' || n, 1, 'u' || n, 'delivered', t, t, t FROM generate_series($1::int, $2::int) n,
  LATERAL (SELECT now() - n * interval '1 minute' AS t) ages;
INSERT INTO publish.alerts (id, update_id, revision, kind, level, story, channels, title, body, path, state, reason, proposed_by,
  created_at, released_at, ended_at, batches)
SELECT 'a' || n, 'u' || n, 1, 'alert', 3, 's' || n, '{news}', 't', 'b', '/', 'sent', '', 'rules', t, t, t, 1
FROM generate_series($1::int, $2::int) n, LATERAL (SELECT now() - n * interval '1 minute' AS t) ages;
INSERT INTO publish.subscriptions (service, target, target_hash, token_sha256, channels, per_hour, per_day)
SELECT 'web', 'https://push.example/' || n, decode(md5('t' || n), 'hex'), '', ARRAY['tag:t' || n % 1000], 5, 20
FROM generate_series($1::int, $2::int) n;
INSERT INTO publish.alert_results (alert_id, subscription_id, result, at)
SELECT 'a' || n, n, 'sent', now() - n * interval '1 minute' FROM generate_series($1::int, $2::int) n;
INSERT INTO publish.takedowns (update_id, sink, removal, revision, clean_at, checked_at)
SELECT 'u' || n, 'page', 'killed', 1, now(), now() FROM generate_series($1::int, $2::int) n;
INSERT INTO publish.takedown_checks (update_id, due_at) SELECT 'u' || n, NULL FROM generate_series($1::int, $2::int) n;
INSERT INTO publish.takedown_looks (update_id, clean) SELECT 'u' || n, true FROM generate_series($1::int, $2::int) n;
"""
EXEMPT = ("SELECT id FROM publish.subscriptions WHERE channels &&", "EXISTS (SELECT FROM publish.subscriptions)")
"""The audience of an alert, which may be everybody; and whether there is anybody, for which one row is read."""
KEEP_DAYS = 15


async def _grow(pool: Pool) -> None:
    """A hundred rows of each, of which Postgres takes statistics, then all the others."""
    await pool.execute(
        "INSERT INTO publish.endpoints (id, kind, url, channels, created_at) "
        "SELECT kind || n, kind, 'https://partner.example/' || n, ARRAY['tag:t' || n], now() - interval '1 year' "
        "FROM unnest('{webhook,websub,purge}'::text[]) AS kind, generate_series(1, 50) AS n "
        "UNION ALL SELECT 'old', 'webhook', 'https://partner.example/', '{source:nobody}', now() - interval '1 year'"
    )
    async with pool.acquire() as connection:
        for table in LARGE:
            await connection.execute(f"ALTER TABLE publish.{table} SET (autovacuum_enabled = false)")
        for first, last in ((1, 100), (101, ROWS)):
            for statement in FILL.split(";"):
                if statement.strip():
                    await connection.execute(statement.replace("$1", str(first)).replace("$2", str(last)))
            if first == 1:
                await connection.execute("ANALYZE")


def _silent(*_: object) -> Any:
    """A producer, and sinks that have everything."""

    class Silent:
        model = None
        web_urls: Sequence[str] = ()

        async def missing(self, _: object) -> list[str]:
            return []

        async def send(self, *_: object, **__: object) -> Any:
            sent = asyncio.get_running_loop().create_future()
            sent.set_result(None)
            return sent

    return Silent()


async def _archived(pool: Pool, offset: int, update: EnrichedUpdate) -> Notice:
    """A revision that the archive has, as push takes it."""
    revision = revision_of(Position(1, offset), update, value_of(update))
    async with pool.acquire() as connection, connection.transaction():
        await write_batch(connection, [revision])
    ((_, archived),) = (await queries.servable(pool, [revision.key])).items()
    return Notice(archived, readable=True)


async def _everything_that_is_sent(pool: Any, plain: Pool) -> None:
    """What a day of push asks: revisions, deliveries, alerts, readers, desks, the monitor, takedowns, and what is forgotten."""
    rules = AlertRules()
    published = await _archived(plain, 1, fresh("flood", urgency=1, story="s7", tags=["t7"]))
    corrected = await _archived(
        plain, 2, fresh("flood", 2, urgency=1, story="s7", tags=["t7"], kind="update", headline="Again")
    )
    decisions = AlertDecisions(pool, rules, lambda: None)
    notifier = Notifier(pool, _silent(), {}, readable_s=1, done=lambda: None)
    await pool.fetchval(ANYBODY)

    async def queued(notice: Notice) -> None:
        update = notice.update
        await notifier._not_pushed({(update.update_id, update.revision)})
        async with pool.acquire() as connection, connection.transaction():
            await notifier._mark(connection, [notice])
            for queue in (queue_takedowns, queue_purges, queue_webhooks, queue_feeds, decisions.queue):
                await queue(connection, [notice])

    await queued(published)
    await _alerts(pool, rules, published)
    await queued(corrected)
    await _deliveries(pool)
    await _desks_and_readers(pool, plain, decisions, published)
    publishes = [publish_of(published.archived)]
    await reports.deliveries(pool, publishes, "webhook")
    await reports.alerts(pool, publishes)
    await reports.decided(pool, publishes)
    killed = await _archived(plain, 3, fresh("flood", 3, removal="killed"))
    await queued(killed)
    await _proof(pool, killed)
    await forget_old(pool, KEEP_DAYS)


async def _alerts(pool: Any, rules: AlertRules, published: Notice) -> None:
    release = AlertRelease(pool, rules, _silent(), _silent())
    await release._release()
    for channels, of_alert in ((["tag:t7"], None), (["news"], "a7")):
        await audience(pool, channels, of_alert)
    sender = AlertSender(pool, {}, rules, site_url="https://news.example")
    await sender._batch(PushBatch(alert_id="a7", number=1, first=1, last=500, slots=8))
    await pool.execute("UPDATE publish.alert_results SET result = 'later', retry_at = now() WHERE alert_id = $1", "a8")
    await sender._retry_some()
    await pool.execute("UPDATE publish.alert_results SET result = 'digest' WHERE alert_id = $1", "a9")
    await Digests(pool, sender, rules, site_url="https://news.example", site_name="News").send_due(datetime.now(UTC))


async def _deliveries(pool: Any) -> None:
    async with pool.acquire() as connection, connection.transaction():
        for name, value in BY_INDEX.items():
            await connection.execute(f"SET LOCAL {name} = {value}")
        due = await QUEUE.claim(connection, 100, 60.0, [], 4, True, ["webhook", "websub", "purge"])
    assert due
    policy = RetryPolicy([1.0, 2.0], timedelta(days=1))
    await pool.execute(TRY_ALONE, due[0].id, 1)
    await pool.execute(GIVE_BACK, [due[0].id], [1], [False], [0])
    answers = [Answer(204), Answer(503), Answer(410)]
    await Attempts(pool, dict.fromkeys(("webhook", "websub", "purge"), policy)).record(
        list(zip(due, answers, strict=False))
    )


async def _desks_and_readers(pool: Any, plain: Pool, decisions: AlertDecisions, published: Notice) -> None:
    _, token = await keys.add(plain, "consumer", ["webhooks"], ["news"])
    key = await keys.find(plain, token)
    assert key is not None
    endpoints = Endpoints(pool, allow_private=True)
    added = str((await endpoints.add(NewEndpoint(url="http://127.0.0.1:9/"), key))["id"])
    await endpoints.recover(added, datetime.now(UTC) - timedelta(hours=1), key)
    await endpoints.deliveries(added, key, before=None, state="failed", limit=50)
    reader = await subscribe(plain, Device.new("http://127.0.0.1:9/reader"))
    subscriptions = Subscriptions(pool, AlertRules(), allow_private=True)
    await subscriptions.view(reader["id"], reader["token"])
    await decisions.order(published.update.update_id, 3, "desk", words=(None, None))
    await newest(pool, None, 50)
    await newest(pool, "awaiting-approval", 50)
    await with_results(pool, "a7")
    await mutes.muted(pool, ["story:s7"])
    await mutes.Mutes(pool).all(ended=True, limit=50)


async def _proof(pool: Any, killed: Notice) -> None:
    await check(pool, TakedownSinks(pool, None, _silent(), "https://news.example", []), killed.update.update_id)


@pytest.mark.timeout(110)
async def test_no_statement_of_push_scans_a_large_table(settings: PushSettings, pool: Pool) -> None:
    """By index, each of them."""
    await _grow(pool)
    sent: Sent = {}
    await _everything_that_is_sent(Recorder(pool, sent), pool)
    assert len(sent) > 60
    wrong = await scanned(pool, sent, LARGE, EXEMPT)
    assert not wrong, "\n".join(wrong)
