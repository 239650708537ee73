"""Who was given the update: webhook endpoints, subscribers of feeds, phones and browsers, caches that are purged.

They are not asked, but told; a sink is clean once each has taken what it was told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from publish.takedown.sinks.finding import Killed, Look, listing
from shared.postgres.pool import Pool
from shared.postgres.rows import typed

_WEBHOOKS = """
SELECT e.id, e.url, e.state, e.disabled_reason, told.state AS told, told.last_error
FROM publish.endpoints e
LEFT JOIN LATERAL (SELECT d.state, d.last_error FROM publish.deliveries d
  WHERE d.endpoint_id = e.id AND d.update_id = $1 AND d.type = 'update.kill' AND d.revision >= $2
  ORDER BY d.state = 'delivered' DESC, d.id DESC LIMIT 1) told ON true
WHERE e.kind = 'webhook' AND (told.state IS NOT NULL OR EXISTS (
  SELECT FROM publish.deliveries d WHERE d.endpoint_id = e.id AND d.update_id = $1 AND d.type <> 'update.kill'
  AND d.state <> 'skipped' AND (d.state = 'delivered' OR d.attempts > 0)))
ORDER BY e.id
"""

_WEBSUB = """
SELECT e.id, e.url, e.state, e.disabled_reason, told.state AS told, told.last_error
FROM publish.endpoints e
LEFT JOIN LATERAL (SELECT d.state, d.last_error FROM publish.deliveries d
  WHERE d.endpoint_id = e.id AND d.type = 'websub' AND coalesce(d.ended_at, now()) >= $2
  ORDER BY d.id DESC LIMIT 1) told ON true
WHERE e.kind = 'websub' AND e.channels && $1::text[] AND e.created_at < $2 AND e.lease_until > $2
ORDER BY e.id
"""

_PURGES = """
SELECT e.id, e.url, e.state, e.disabled_reason, told.state AS told, told.last_error
FROM publish.endpoints e
LEFT JOIN LATERAL (SELECT d.state, d.last_error FROM publish.deliveries d
  WHERE d.endpoint_id = e.id AND d.type = 'purge' AND d.created_at >= $2 AND position($1 IN d.body) > 0
  ORDER BY d.id DESC LIMIT 1) told ON true
WHERE e.kind = 'purge' AND e.created_at < $2
ORDER BY e.id
"""

_NOTIFIED = """
SELECT count(*) AS notified, count(*) FILTER (WHERE NOT withdrawn) AS waiting
FROM (
  SELECT r.subscription_id, bool_or(EXISTS (
    SELECT FROM publish.alerts w JOIN publish.alert_results t ON t.alert_id = w.id
    WHERE w.update_id = a.update_id AND w.of_alert = a.id AND w.kind = 'withdraw' AND t.subscription_id = r.subscription_id
      AND t.result IN ('sent', 'gone')) OR s.id IS NULL) AS withdrawn
  FROM publish.alerts a JOIN publish.alert_results r ON r.alert_id = a.id
  LEFT JOIN publish.subscriptions s ON s.id = r.subscription_id
  WHERE a.update_id = $1 AND a.kind IN ('alert', 'replace') AND r.result IN ('sent', 'digested')
  GROUP BY r.subscription_id) AS readers
"""


@dataclass(frozen=True, slots=True)
class _Told:
    """An endpoint, and what became of what it was told."""

    id: str
    url: str
    state: str
    disabled_reason: str
    told: str | None
    last_error: str

    @property
    def where(self) -> str:
        """The endpoint for a report: its host, since addresses may carry secrets."""
        return f"{self.id} at {urlsplit(self.url).hostname or 'an address that cannot be read'}"

    @property
    def why(self) -> str:
        """Why it is not known to have taken it."""
        if self.state != "active":
            return f"disabled: {self.disabled_reason}" if self.disabled_reason else "disabled"
        return f"{self.told}: {self.last_error}" if self.last_error else self.told or "nothing was queued"


class Recipients:
    """What each kind of recipient was told."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def looks(self, killed: Killed) -> dict[str, Look]:
        """How each kind is looked at."""
        update_id, revision, since = killed.update_id, killed.update.revision, killed.removed_at
        channels = sorted(killed.archived.channels)
        key = quote(f"update:{update_id}", safe=":")
        if not killed.was_public:
            return {}
        return {
            "webhooks": lambda: self._endpoints("have not acknowledged the kill", _WEBHOOKS, update_id, revision),
            "WebSub subscribers": lambda: self._endpoints("have not got the feed since", _WEBSUB, channels, since),
            "purged caches": lambda: self._endpoints("have not taken the purge", _PURGES, key, since),
            "notifications": lambda: self._notified(update_id),
        }

    async def _endpoints(self, lacking: str, query: str, *arguments: object) -> str:
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            # Where one endpoint has nearly all deliveries, Postgres would read them all for each of the others.
            await connection.execute("SET LOCAL enable_seqscan = off")
            rows = typed(_Told, await connection.fetch(query, *arguments))
        return _untold(rows, lacking)

    async def _notified(self, update_id: str) -> str:
        row = await self._pool.fetchrow(_NOTIFIED, update_id)
        notified, waiting = (row["notified"], row["waiting"]) if row is not None else (0, 0)
        return f"{waiting} of {notified} devices have not taken the withdrawal" if waiting else ""


def _untold(rows: Sequence[_Told], lacking: str) -> str:
    without = [each for each in rows if each.told != "delivered"]
    if not without:
        return ""
    return f"{len(without)} of {len(rows)} {lacking}: " + listing(f"{each.where} ({each.why[:80]})" for each in without)
