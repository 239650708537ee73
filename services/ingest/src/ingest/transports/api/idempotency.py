"""Signed pushes that come again: sent once more by a sender who heard no answer, or by somebody who has listened.

What was taken once is not taken again, whatever its source has said since. A push is known by its source, its `webhook-id`
and its body: the id stays the same over a sender's attempts (Standard Webhooks), and a sender that gives one id to two
documents loses neither.
"""

import asyncio
import hashlib
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog

from ingest.intake.deadline import Deadline, Unavailable
from ingest.intake.receive import Receipt, Result
from shared.failures.transient import TRANSIENT
from shared.postgres.pool import Pool

log = structlog.get_logger(__name__)

KEPT = timedelta(days=1)
"""How long a push is remembered: longer than its signature holds (twice `signing.TOLERANCE_S`, for a clock that is ahead),
and as long as senders try again."""
CLAIM_S = 30.0
"""After which a push is anybody's again, whose replica has died over it."""
LOOK_S = 0.05
FORGET_S = 600.0

_CLAIM = """
WITH lazily AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO ingest.signed_pushes AS known (digest, claimed_until)
SELECT $1::bytea, now() + make_interval(secs => $2) FROM lazily
ON CONFLICT (digest) DO UPDATE SET claimed_until = excluded.claimed_until
WHERE NOT known.complete AND known.claimed_until <= now()
RETURNING receipt
"""
_ENDED = """
WITH lazily AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
UPDATE ingest.signed_pushes SET claimed_until = now(), complete = $2, receipt = coalesce($3, receipt) FROM lazily
WHERE digest = $1
"""


def digest_of(source: str, identity: str, body: bytes) -> bytes:
    """What a push is known by."""
    parts = (source.encode(), identity.encode("utf-8", "replace"), body)
    return hashlib.sha256(b"".join(len(part).to_bytes(8, "big") + part for part in parts)).digest()


@dataclass(frozen=True, slots=True)
class EarlierReceipt:
    """What became of a push when it came before."""

    receipt: Receipt
    complete: bool
    """Whether everything in it was taken."""

    @property
    def taken(self) -> frozenset[int]:
        """The places of the items that were taken."""
        return frozenset(each.index for each in self.receipt.results if each.status in ("accepted", "duplicate"))

    def repeated(self) -> Receipt:
        """What is answered to a repeat of a push that is complete: all of it is known."""
        return replace(self.receipt, results=[replace(each, status="duplicate") for each in self.receipt.results])


async def receive_once(
    pool: Pool, digest: bytes, timeout_s: float, take: Callable[[frozenset[int]], Awaitable[Receipt]]
) -> Receipt:
    """Take a push in with `take`, unless it was taken before, by whatever replica; then its receipt tells of duplicates.

    `take` is given the places of the items that were taken when it came before. What it raises leaves the push as it was, to
    be taken when it comes again. Raises `Unavailable` where another replica has it in hand for longer than `timeout_s`.
    """
    earlier = await _claimed(pool, digest, timeout_s)
    if earlier is not None and earlier.complete:
        return earlier.repeated()
    receipt = None
    try:
        receipt = await take(earlier.taken if earlier is not None else frozenset())
    finally:
        await _end(pool, digest, receipt, timeout_s)
    return receipt


async def _claimed(pool: Pool, digest: bytes, timeout_s: float) -> EarlierReceipt | None:
    """What became of the push before; unless that is complete, it is now ours."""
    deadline = time.monotonic() + timeout_s
    while True:
        mine = await Deadline(timeout_s).within(pool.fetchrow(_CLAIM, digest, CLAIM_S))
        if mine is not None:
            return _earlier(mine["receipt"], complete=False)
        row = await Deadline(timeout_s).within(
            pool.fetchrow("SELECT receipt, complete FROM ingest.signed_pushes WHERE digest = $1", digest)
        )
        if row is not None and row["complete"]:
            return _earlier(row["receipt"], complete=True)
        if time.monotonic() > deadline:
            raise Unavailable("the same push is being taken in right now")
        await asyncio.sleep(LOOK_S)


async def _end(pool: Pool, digest: bytes, receipt: Receipt | None, timeout_s: float) -> None:
    """Write down what became of it, and let it go. Where that fails, the claim ends by itself, and its items are known."""
    earlier = EarlierReceipt(receipt, complete=False) if receipt is not None else None
    complete = earlier is not None and len(earlier.taken) == len({each.index for each in earlier.receipt.results})
    try:
        written = _written(receipt) if receipt is not None else None
        await Deadline(timeout_s).within(pool.execute(_ENDED, digest, complete, written))
    except Unavailable as away:
        log.warning("a signed push is not remembered", reason=str(away))


def _written(receipt: Receipt) -> dict[str, Any]:
    return {
        "original": str(receipt.original),
        "format": receipt.format,
        "results": [[each.index, each.status, each.id, each.guid] for each in receipt.results],
    }


def _earlier(written: dict[str, Any] | None, *, complete: bool) -> EarlierReceipt | None:
    if written is None:
        return None
    results = [Result(index, status, identity, guid) for index, status, identity, guid in written["results"]]
    return EarlierReceipt(Receipt(uuid.UUID(written["original"]), written["format"], results), complete)


async def keep_pruning(pool: Pool) -> None:
    """Forget, until cancelled, the pushes whose time is over."""
    while True:
        try:
            await pool.execute("DELETE FROM ingest.signed_pushes WHERE seen_at < now() - $1::interval", KEPT)
        except TRANSIENT as error:
            log.warning("signed pushes are not forgotten for now", error=str(error) or type(error).__name__)
        await asyncio.sleep(FORGET_S)
