"""Digests: what was kept for a reader over quiet hours, or beyond a cap, in one notification."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import structlog

from publish.push.alerts.mutes import muted
from publish.push.alerts.notification import digest_of
from publish.push.alerts.rules import AlertRules, is_quiet
from publish.push.alerts.sending.results import ReaderResult, ResultRecorder
from publish.push.alerts.sending.sender import AlertSender
from publish.push.alerts.subscriptions import AlertSubscription, find, reader_of, recent_counts
from shared.background import keep_running
from shared.postgres.pool import Pool
from shared.postgres.rows import typed
from shared.postgres.set_aside import SetAside

log = structlog.get_logger(__name__)

INTERVAL_S = 20.0

KEPT = """
SELECT subscription_id, array_agg(alert_id) AS alert_ids FROM publish.alert_results
WHERE result = 'digest' AND subscription_id > $1 GROUP BY subscription_id ORDER BY subscription_id LIMIT 1000
"""
SENT_AT_ONCE = 8
DIGESTS_ASIDE = SetAside("publish", "digests")

VISIBLE = """
SELECT a.id, a.title, a.update_id, a.channels FROM publish.alerts a JOIN publish.updates u USING (update_id)
WHERE a.id = ANY($1) AND u.visible ORDER BY a.level, a.created_at DESC
"""


@dataclass(frozen=True, slots=True)
class KeptAlert:
    """An alert that was kept for a reader, and may still be shown."""

    id: str
    title: str
    update_id: str
    channels: Sequence[str]


class Digests:
    """Sends readers what was kept for them once they may have it."""

    def __init__(self, pool: Pool, sender: AlertSender, rules: AlertRules, *, site_url: str, site_name: str) -> None:
        self._pool = pool
        self._sender = sender
        self._rules = rules
        self._site_url = site_url
        self._site_name = site_name
        self._recorder = ResultRecorder(pool)

    async def keep_sending(self) -> None:
        """Send digests until cancelled."""
        await keep_running("digests", lambda: self.send_due(datetime.now(UTC)), every_s=INTERVAL_S)

    async def send_due(self, now: datetime) -> int:
        """Send a digest to each reader who has alerts kept and may have them now; how many were sent."""
        sent, last = 0, 0
        # Some may have none for hours: all are looked at each time, lest they stand before the others.
        while kept := {row["subscription_id"]: row["alert_ids"] for row in await self._pool.fetch(KEPT, last)}:
            last = max(kept)
            sent += await self._send_some(kept, now)
        return sent

    async def _send_some(self, kept: Mapping[int, Sequence[str]], now: datetime) -> int:
        counts = await recent_counts(self._pool, list(kept))
        sent = 0

        async def send(subscription: AlertSubscription) -> None:
            nonlocal sent
            reader = reader_of(subscription, counts)
            if is_quiet(reader, now) or reader.sent_hour >= reader.per_hour or reader.sent_day >= reader.per_day:
                return
            sent += await self._send(subscription, kept[subscription.id], now)

        subscriptions = await find(self._pool, list(kept))
        await DIGESTS_ASIDE.each(
            self._pool, subscriptions, lambda subscription: str(subscription.id), send, at_once=SENT_AT_ONCE
        )
        return sent

    async def _send(self, subscription: AlertSubscription, alert_ids: Sequence[str], now: datetime) -> bool:
        visible = typed(KeptAlert, await self._pool.fetch(VISIBLE, alert_ids))
        reasons: dict[str, str | None] = dict.fromkeys(alert_ids, "the update is out of sight")
        reasons |= {each.id: await muted(self._pool, each.channels) for each in visible}
        suppressed = [
            ReaderResult(alert_id, subscription.id, "suppressed", reason)
            for alert_id, reason in reasons.items()
            if reason is not None
        ]
        if suppressed:
            await self._recorder.put_all(suppressed)
        alerts = [each for each in visible if reasons[each.id] is None]
        if not alerts:
            return False
        updates = [(each.update_id, each.title) for each in alerts]
        digest = digest_of(updates, self._site_url, self._site_name, self._rules.ttl_s, now)
        sent = await self._sender.send(subscription, digest)
        if sent.result == "later":
            return False
        result = "digested" if sent.result == "sent" else sent.result
        await self._recorder.put_all(
            [ReaderResult(each.id, subscription.id, result, "in a digest", sent.status) for each in alerts]
        )
        return sent.result == "sent"
