"""Deletes what is older than a rule keeps it: a batch at a time, with pauses, so that the live path never waits behind it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog
from prometheus_client import Counter, Gauge

from shared.failures.transient import is_transient, reason_of
from shared.postgres.pool import Pool
from shared.postgres.rows import narrowed
from shared.retention.rules import KEPT_FOR_EVER, AnyRule, Extra, Rule

log = structlog.get_logger(__name__)

BATCH = 1000
"""Rows of one transaction."""
SHARE = 0.5
"""Of the time in which it deletes: after each batch it rests for as long as the batch took, and for PAUSE_S at least."""
PAUSE_S = 0.02

PRUNED = Counter("slugline_pruned_rows", "Rows that were deleted, or emptied of words, since they were old", ["rule"])
PRUNED_AT = Gauge("slugline_pruned_at_seconds", "When a rule of retention was last carried out to its end", ["rule"])


@dataclass(frozen=True, slots=True)
class Pruned:
    """What one rule came to."""

    rule: str
    days: int
    before: datetime | None
    """None where the rule keeps for ever."""
    rows: int
    """Deleted or emptied; of a dry run those that would be."""
    error: str = ""


Told = Callable[[str, int], None]
"""Told how many rows of a rule are done so far."""


async def count_old(pool: Pool, rule: Rule, before: datetime) -> int:
    """How many rows a rule would delete."""
    return narrowed(int, await pool.fetchval(f"SELECT count(*) FROM {rule.table} t WHERE {rule.old}", before))  # noqa: S608


async def prune_some(pool: Pool, rule: Rule, before: datetime, batch: int) -> int:
    """One batch; how many rows it was. Rows that somebody else holds are left for the next."""
    chosen = f"SELECT {rule.key} FROM {rule.table} t WHERE {rule.old} LIMIT {batch} FOR UPDATE SKIP LOCKED"  # noqa: S608
    act = f"UPDATE {rule.table} SET {rule.erase}" if rule.erase else f"DELETE FROM {rule.table}"  # noqa: S608
    done = await pool.execute(f"{act} WHERE ({rule.key}) IN ({chosen})", before)
    return int(str(done).rsplit(" ", 1)[-1])


async def prune(
    pool: Pool,
    rules: Sequence[AnyRule],
    *,
    dry_run: bool = False,
    told: Told = lambda _, __: None,
    now: datetime | None = None,
) -> list[Pruned]:
    """Carry the rules out, one after the other. One that fails is named, and the others are carried out; an outage is raised."""
    now = now or datetime.now(UTC)
    found = []
    for rule in rules:
        if rule.days == KEPT_FOR_EVER:
            found.append(Pruned(rule.name, 0, None, 0))
            continue
        before, rows = now - timedelta(days=rule.days), 0
        try:
            if isinstance(rule, Extra):
                rows = await rule.act(pool, before, dry_run)
                PRUNED.labels(rule.name).inc(0 if dry_run else rows)
            elif dry_run:
                rows = await count_old(pool, rule, before)
            else:
                rows = await _to_the_end(pool, rule, before, told)
        except Exception as error:
            if is_transient(error):
                raise
            log.exception("a rule of retention cannot be carried out", rule=rule.name)
            found.append(Pruned(rule.name, rule.days, before, rows, reason_of(error)))
            continue
        found.append(Pruned(rule.name, rule.days, before, rows))
    return found


async def _to_the_end(pool: Pool, rule: Rule, before: datetime, told: Told) -> int:
    rows = 0
    while True:
        began = time.monotonic()
        some = await prune_some(pool, rule, before, BATCH)
        rows += some
        PRUNED.labels(rule.name).inc(some)
        told(rule.name, rows)
        if some < BATCH:
            break
        await asyncio.sleep(max(PAUSE_S, (time.monotonic() - began) * (1 - SHARE) / SHARE))
    PRUNED_AT.labels(rule.name).set_to_current_time()
    return rows
