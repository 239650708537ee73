"""What Postgres says of a publish that is delivered or alerted: whether it has come out, is on its way, or concerns nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from publish.push.monitor.watches import Publish
from shared.postgres.pool import Pool

_DELIVERIES = """
SELECT d.update_id, d.revision, count(*) FILTER (WHERE d.state = 'delivered')::int AS delivered,
    count(*) FILTER (WHERE d.state = 'waiting' AND e.failures = 0)::int AS waiting,
    count(*) FILTER (WHERE d.state <> 'skipped')::int AS meant,
    extract(epoch FROM max(d.ended_at) FILTER (WHERE d.state = 'delivered'))::float8 AS delivered_at
FROM publish.deliveries d JOIN publish.endpoints e ON e.id = d.endpoint_id
WHERE d.update_id = ANY($1::text[]) AND e.kind = $2 AND e.state = 'active' GROUP BY d.update_id, d.revision
"""
_ALERTS = """
SELECT update_id, revision, bool_or(first_sent_at IS NOT NULL) AS sent,
    bool_or(state IN ('sending', 'unreadable')) AS leaving, extract(epoch FROM min(first_sent_at))::float8 AS sent_at
FROM publish.alerts WHERE update_id = ANY($1::text[]) AND kind <> 'test' GROUP BY update_id, revision
"""


_DECIDED = "SELECT update_id, revision FROM publish.pushed WHERE update_id = ANY($1::text[])"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a publish is at a sink."""

    out: bool
    """It has come out."""
    concerns: bool
    """Somebody is to get it."""
    at: float | None = None
    """When it came out, in seconds of the Unix epoch."""


NOBODY = Standing(out=False, concerns=False)


async def deliveries(pool: Pool, publishes: Sequence[Publish], kind: str) -> Mapping[tuple[str, int], Standing]:
    """Of endpoints of a kind. Out, once an endpoint has it and none that was well before still waits for it."""
    rows = await pool.fetch(_DELIVERIES, sorted({each.update_id for each in publishes}), kind)
    return {
        (row["update_id"], row["revision"]): Standing(
            out=row["delivered"] > 0 and not row["waiting"], concerns=row["meant"] > 0, at=row["delivered_at"]
        )
        for row in rows
    }


async def alerts(pool: Pool, publishes: Sequence[Publish]) -> Mapping[tuple[str, int], Standing]:
    """Of alerts: out, once the first reader was sent it. One that waits for people, or was held back, concerns nobody."""
    rows = await pool.fetch(_ALERTS, sorted({each.update_id for each in publishes}))
    return {
        (row["update_id"], row["revision"]): Standing(
            out=row["sent"], concerns=row["sent"] or row["leaving"], at=row["sent_at"]
        )
        for row in rows
    }


async def decided(pool: Pool, publishes: Sequence[Publish]) -> frozenset[tuple[str, int]]:
    """Of which publishes it is decided who is told: what nobody is to get by then, nobody gets."""
    rows = await pool.fetch(_DECIDED, sorted({each.update_id for each in publishes}))
    return frozenset((row["update_id"], row["revision"]) for row in rows)
