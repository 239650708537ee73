"""How much waits for a desk, and for how long: what an alarm is made of."""

from prometheus_client import Gauge

from shared.background import keep_running
from shared.postgres.pool import Pool
from shared.postgres.rows import narrowed

EVERY_S = 15.0
KINDS = ("advisory", "policy", "never", "sent", "order")

HELD = Gauge("slugline_enrich_held", "Updates of which a version waits for a desk", ["kind"])
OLDEST = Gauge("slugline_enrich_held_oldest_seconds", "How long the oldest of them has waited", ["kind"])

_COUNT = """
SELECT hold_kind, count(*) AS held, coalesce(extract(epoch FROM now() - min(hold_since)), 0)::float8 AS oldest_s
FROM enrich.updates WHERE hold_kind <> '' AND hold_since IS NOT NULL GROUP BY hold_kind
"""


async def keep_counting_held(pool: Pool) -> None:
    """Count what is held, until cancelled. Each replica tells of all of it."""

    async def step() -> None:
        found = {row["hold_kind"]: row for row in await pool.fetch(_COUNT)}
        for kind in KINDS:
            row = found.get(kind)
            HELD.labels(kind).set(narrowed(int, row["held"]) if row is not None else 0)
            OLDEST.labels(kind).set(max(narrowed(float, row["oldest_s"]), 0.0) if row is not None else 0.0)

    await keep_running("held updates", step, every_s=EVERY_S)
