"""Which webhook endpoints a revision goes to."""

from collections.abc import Sequence

from publish.push.delivery.notice import Notice
from shared.postgres.pool import Connection

QUEUE_WEBHOOKS = """
INSERT INTO publish.deliveries (endpoint_id, message_id, type, update_id, revision, order_key, traceparent)
SELECT e.id, 'msg_' || $1 || '_' || $2::int, 'update.' || $3, $1, $2, $4, $9
FROM publish.endpoints e
WHERE e.kind = 'webhook' AND e.state = 'active' AND e.channels && $5::text[] AND e.entitled && $5::text[]
  AND ($7 OR ((e.kinds = '{}' OR $3 = ANY(e.kinds)) AND (e.max_urgency IS NULL OR $6::int <= e.max_urgency)))
  AND ($7 OR e.created_at <= $8)
"""
# A removal passes the filters of kind and urgency, and the moment of subscription: every endpoint that may have the text must get it.

SKIP_REMOVED = """
UPDATE publish.deliveries SET state = 'skipped', ended_at = now(), last_error = 'the update was killed before'
WHERE update_id = $1 AND revision <> $2 AND state = 'waiting' AND leased_until IS NULL AND type <> 'update.kill'
"""

HURRY = """
WITH meant AS (
  SELECT e.id FROM publish.endpoints e
  WHERE e.kind = 'webhook' AND e.state = 'active' AND e.channels && $2::text[] AND e.entitled && $2::text[]),
tried AS (UPDATE publish.endpoints e SET retry_at = now() FROM meant m WHERE e.id = m.id AND e.retry_at > now())
UPDATE publish.deliveries d SET next_attempt_at = now() FROM meant m
WHERE d.endpoint_id = m.id AND d.order_key = $1 AND d.state = 'waiting' AND d.leased_until IS NULL AND d.next_attempt_at > now()
"""
# An endpoint that failed is tried at once where there is something to remove, and so is what the removal waits behind.

QUEUE_MISSED = """
WITH queued AS (
  INSERT INTO publish.deliveries (endpoint_id, message_id, type, update_id, revision, order_key)
  SELECT $1, 'msg_' || p.update_id || '_' || p.revision, 'update.' || r.kind, p.update_id, p.revision,
         coalesce(u.story, p.update_id)
  FROM publish.pushed p JOIN publish.revisions r USING (update_id, revision) JOIN publish.updates u USING (update_id)
  WHERE p.pushed_at >= $2 AND r.channels && $3 AND r.channels && $4
    AND ($6::int IS NULL OR r.removal IS NOT NULL OR coalesce(p.urgency, 9) <= $6)
    AND (r.removal IS NOT NULL OR ($5::text[] = '{}' OR r.kind = ANY($5)))
    AND NOT EXISTS (SELECT FROM publish.deliveries d WHERE d.endpoint_id = $1 AND d.update_id = p.update_id
                    AND d.revision = p.revision AND d.state IN ('waiting', 'delivered'))
  ORDER BY p.epoch, p.log_offset
  RETURNING id)
SELECT count(*) FROM queued
"""


async def queue_webhooks(connection: Connection, notices: Sequence[Notice]) -> None:
    """Queue deliveries to the endpoints that a revision concerns, in the log's order."""
    for notice in notices:
        update = notice.update
        if update.is_final:
            await connection.execute(SKIP_REMOVED, update.update_id, update.revision)
        if update.is_removal:
            await connection.execute(HURRY, notice.order_key, list(notice.archived.channels))
        await connection.execute(
            QUEUE_WEBHOOKS, update.update_id, update.revision, update.kind, notice.order_key,
            list(notice.archived.channels), update.urgency or 9, update.is_removal, notice.enriched_at,
            notice.traceparent,
        )  # fmt: skip
