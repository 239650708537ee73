"""An alert in Postgres, whom it is for, and what became of it."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from publish.push.alerts.notification import AlertContent
from shared.http.problem import Problem
from shared.postgres.pool import Pool, Queryable
from shared.postgres.rows import typed, typed_or_none

STATES = ("unreadable", "awaiting-approval", "sending", "sent", "suppressed")


@dataclass(frozen=True, slots=True)
class Alert(AlertContent):
    """An alert, or what follows one: `replace` after a correction, `withdraw` after a removal."""

    story: str | None
    channels: Sequence[str]
    state: str
    reason: str
    proposed_by: str
    approved_by: Sequence[str]
    audience: int
    of_alert: str | None
    batches: int
    batches_done: int
    enriched_at: datetime | None
    released_at: datetime | None
    first_sent_at: datetime | None
    ended_at: datetime | None


COLUMNS = ", ".join(field.name for field in dataclasses.fields(Alert))
SELECT = f"SELECT {COLUMNS} FROM publish.alerts "


async def find(connection: Queryable, alert_ids: Sequence[str]) -> list[Alert]:
    """These alerts, as far as there are such."""
    return typed(Alert, await connection.fetch(SELECT + "WHERE id = ANY($1)", alert_ids))


async def newest(pool: Pool, state: str | None, limit: int) -> list[Alert]:
    """Alerts, newest first; the suppressed ones with their reason."""
    rows = await pool.fetch(
        SELECT + "WHERE ($1::text IS NULL OR state = $1) ORDER BY created_at DESC LIMIT $2", state, limit
    )
    return typed(Alert, rows)


async def with_results(pool: Pool, alert_id: str) -> dict[str, object]:
    """An alert, its progress, and what became of it at its readers, by result and reason."""
    row = await pool.fetchrow(SELECT + "WHERE id = $1", alert_id.replace("\x00", ""))
    alert = typed_or_none(Alert, row)
    if alert is None:
        raise Problem(404, "no-such-alert", "there is no such alert")
    results = await pool.fetch(
        "SELECT result, reason, count(*) AS readers FROM publish.alert_results WHERE alert_id = $1 "
        "GROUP BY result, reason ORDER BY readers DESC LIMIT 50",
        alert.id,
    )
    done = await pool.fetchval("SELECT count(*) FROM publish.alert_batches WHERE alert_id = $1", alert.id)
    return dataclasses.asdict(alert) | {"batches_done": done, "results": [dict(row) for row in results]}


async def audience(connection: Queryable, channels: Sequence[str], of_alert: str | None) -> list[int]:
    """The ids of the subscriptions that an alert is for, in order: by channel, or those who had the alert it follows."""
    if of_alert is not None:
        rows = await connection.fetch(
            "SELECT subscription_id AS id FROM publish.alert_results r JOIN publish.subscriptions s ON s.id = r.subscription_id "
            "WHERE r.alert_id = $1 AND r.result IN ('sent', 'later', 'digested') ORDER BY 1",
            of_alert,
        )
    else:
        rows = await connection.fetch(
            "SELECT id FROM publish.subscriptions WHERE channels && $1 AND (expires_at IS NULL OR expires_at > now()) "
            "ORDER BY id",
            channels,
        )
    return [row["id"] for row in rows]
