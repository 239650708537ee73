"""Deletes what is older than a rule keeps it: a batch at a time, with pauses, so that the live path never waits behind it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
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
PAGES = 32
"""Pages of a table that are looked through in one transaction, where no index finds what is old: a quarter of a megabyte."""
FIRST = datetime(1, 1, 1, tzinfo=UTC)
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


async def _batches(pool: Pool, rule: Rule, before: datetime) -> AsyncIterator[int]:
    """Carry a rule out, a transaction at a time: how many rows each was. Rows that somebody else holds are left for the next run.

    However much there is, nothing is read twice: the rows of an index are taken in its order, from where the last batch ended, and
    a table without one is gone through once, page by page.
    """
    old = f"SELECT {rule.key} FROM {rule.table} t WHERE {rule.old}"  # noqa: S608 -- rules are the program's own
    act = f"UPDATE {rule.table} SET {rule.erase}" if rule.erase else f"DELETE FROM {rule.table}"  # noqa: S608
    if rule.by:
        first, batch = FIRST, min(rule.batch, BATCH)
        chosen = f"{old} AND t.{rule.by} >= $2 ORDER BY t.{rule.by} LIMIT {batch} FOR UPDATE SKIP LOCKED"
        done = f"{act} WHERE ({rule.key}) IN ({chosen}) RETURNING {rule.by} AS place"
        while True:
            row = await pool.fetchrow(
                f"WITH done AS ({done}) SELECT count(*)::int AS rows, max(place) AS last FROM done",  # noqa: S608
                before,
                first,
            )
            some = narrowed(int, row["rows"] if row is not None else 0)
            yield some
            if row is None or some < batch:
                return
            first = row["last"]
    pages = narrowed(
        int, await pool.fetchval(f"SELECT pg_relation_size('{rule.table}') / current_setting('block_size')::int")
    )
    for page in range(0, pages, PAGES):
        chosen = f"{old} AND t.ctid >= '({page},0)' AND t.ctid < '({page + PAGES},0)' FOR UPDATE SKIP LOCKED"
        told = await pool.execute(f"{act} WHERE ({rule.key}) IN ({chosen})", before)
        yield int(told.rsplit(" ", 1)[-1])


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
    rows, began = 0, time.monotonic()
    async for some in _batches(pool, rule, before):
        rows += some
        PRUNED.labels(rule.name).inc(some)
        told(rule.name, rows)
        await asyncio.sleep(max(PAUSE_S if some else 0, (time.monotonic() - began) * (1 - SHARE) / SHARE))
        began = time.monotonic()
    PRUNED_AT.labels(rule.name).set_to_current_time()
    return rows
