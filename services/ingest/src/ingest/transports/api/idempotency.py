"""Takes a signed push once, however often it is sent: by a sender who got no answer, or by somebody who replays it.

What was taken is not taken again, whatever its source has said since. A push is identified by its source, its `webhook-id` and
its body. The id stays the same over a sender's attempts (Standard Webhooks); a sender that gives one id to two documents loses
neither.
"""

import asyncio
import hashlib
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import structlog
from pydantic import TypeAdapter

from ingest.intake.deadline import Deadline, Unavailable
from ingest.intake.receipt import Receipt, Result, Status
from shared.background import keep_running
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

RETENTION = timedelta(days=1)
"""How long a push is remembered: longer than its signature is valid (twice `signing.TOLERANCE_S`, for a clock that is ahead),
and as long as senders retry."""
CLAIM_S = 30.0
"""After which another replica may take a push whose replica died."""
POLL_S = 0.05
PRUNE_S = 600.0

_CLAIM = """
WITH lazily AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO ingest.signed_pushes AS known (digest, claimed_until)
SELECT $1::bytea, now() + make_interval(secs => $2) FROM lazily
ON CONFLICT (digest) DO UPDATE SET claimed_until = excluded.claimed_until
WHERE NOT known.complete AND known.claimed_until <= now()
RETURNING receipt
"""
_RELEASE = """
WITH lazily AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
UPDATE ingest.signed_pushes SET claimed_until = now(), complete = $2, receipt = coalesce($3, receipt) FROM lazily
WHERE digest = $1
"""


def digest_of(source: str, webhook_id: str, body: bytes) -> bytes:
    """What identifies a push."""
    parts = (source.encode(), webhook_id.encode("utf-8", "replace"), body)
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()


@dataclass(frozen=True, slots=True)
class _StoredReceipt:
    """A receipt as it is stored: of each item its index, status, update id and guid."""

    original: uuid.UUID
    format: str
    results: list[tuple[int, Status, str | None, str | None]]

    def receipt(self) -> Receipt:
        return Receipt(self.original, self.format, [Result(*each) for each in self.results])


_StoredReceipts = TypeAdapter(_StoredReceipt)


async def receive_once(
    pool: Pool, digest: bytes, timeout_s: float, take: Callable[[frozenset[int]], Awaitable[Receipt]]
) -> Receipt:
    """Take a push with `take`, unless a replica has taken it before; then the receipt reports its items as duplicates.

    `take` is given the places of the items that were taken when the push came before. If it raises, the push stays as it was,
    to be taken when it comes again. Raises `Unavailable` where another replica is taking it for longer than `timeout_s`.
    """
    earlier, complete = await _claim(pool, digest, timeout_s)
    if earlier is not None and complete:
        return replace(earlier, results=[replace(each, status="duplicate") for each in earlier.results])
    receipt = None
    try:
        receipt = await take(_taken(earlier) if earlier is not None else frozenset())
    finally:
        await _release(pool, digest, receipt, timeout_s)
    return receipt


def _taken(receipt: Receipt) -> frozenset[int]:
    """The places of the items that were taken."""
    return frozenset(each.index for each in receipt.results if each.status in ("accepted", "duplicate"))


async def _claim(pool: Pool, digest: bytes, timeout_s: float) -> tuple[Receipt | None, bool]:
    """The receipt of when the push came before, and whether everything in it was taken; if not, it is now claimed."""
    give_up_at = time.monotonic() + timeout_s
    while True:
        claimed = await Deadline(timeout_s).run(pool.fetchrow(_CLAIM, digest, CLAIM_S))
        if claimed is not None:
            return _loaded(claimed["receipt"]), False
        row = await Deadline(timeout_s).run(
            pool.fetchrow("SELECT receipt, complete FROM ingest.signed_pushes WHERE digest = $1", digest)
        )
        if row is not None and row["complete"]:
            return _loaded(row["receipt"]), True
        if time.monotonic() > give_up_at:
            raise Unavailable("the same push is being taken in right now")
        await asyncio.sleep(POLL_S)


async def _release(pool: Pool, digest: bytes, receipt: Receipt | None, timeout_s: float) -> None:
    """Store the receipt and end the claim. If that fails, the claim expires, and the items are known as duplicates."""
    complete = receipt is not None and len(_taken(receipt)) == len({each.index for each in receipt.results})
    stored = None
    if receipt is not None:
        results = [(each.index, each.status, each.id, each.guid) for each in receipt.results]
        stored = _StoredReceipt(receipt.original, receipt.format, results)
    try:
        await Deadline(timeout_s).run(pool.execute(_RELEASE, digest, complete, stored))
    except Unavailable as error:
        log.warning("a signed push is not remembered", reason=str(error))


def _loaded(stored: object) -> Receipt | None:
    return None if stored is None else _StoredReceipts.validate_python(stored).receipt()


async def keep_pruning(pool: Pool) -> None:
    """Delete, until cancelled, the pushes whose retention is over."""
    statement = "DELETE FROM ingest.signed_pushes WHERE seen_at < now() - $1::interval"
    await keep_running("old signed pushes", lambda: pool.execute(statement, RETENTION), every_s=PRUNE_S)
