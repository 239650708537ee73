"""Signed pushes that are sent again."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from ingest.intake.receipt import Receipt, Result
from ingest.sources import signing, store
from ingest.transports.api import idempotency
from shared.settings import Connections
from support.ingest_api import Wire, started
from support.signed_push import BODY, MASTER, signed
from support.waiting import eventually


def saying(title: str, guid: str = "r1") -> bytes:
    """A feed of one item without version or time."""
    return BODY.replace(b"Signed", title.encode()).replace(b"r1", guid.encode())


@asynccontextmanager
async def signing_wire(newsroom: Connections) -> AsyncIterator[tuple[Wire, Wire]]:
    """Two replicas that take signed pushes of `north`."""
    async with (
        started(newsroom, ingest_signing_secret=MASTER) as one,
        started(newsroom, ingest_signing_secret=MASTER) as other,
    ):
        await store.next_signing_generation(one.pool, "north", rotate=False)
        for replica in (one, other):
            await replica.registry.load(replica.pool)
        yield one, other


async def push(wire: Wire, body: bytes, identity: str, at: float | None = None) -> httpx.Response:
    """A signed push."""
    headers = signed(body, signing.derive_secret(MASTER, "north", 1), time.time() if at is None else at, identity)
    return await wire.client.post(
        "/v1/wire/north", content=body, headers=headers | {"Content-Type": "application/rss+xml"}
    )


def statuses(answer: httpx.Response) -> list[str]:
    """What is told of each item."""
    assert answer.status_code == 202, answer.text
    return [each["status"] for each in answer.json()["results"]]


@pytest.mark.integration
async def test_a_signed_push_that_is_sent_again_brings_no_withdrawn_wording_back(newsroom: Connections) -> None:
    """Whoever repeats what was taken is answered that it is a duplicate, on every replica and with a new signature too; the
    source itself may go back to that wording, in a message of its own."""
    async with signing_wire(newsroom) as (one, other):
        first, now = saying("First"), time.time()
        told = await push(one, first, "m1", now)
        assert statuses(told) == ["accepted"]
        assert statuses(await push(one, saying("Second"), "m2")) == ["accepted"]
        for replica, at in ((one, now), (other, now), (one, now + 20)):
            again = await push(replica, first, "m1", at)
            assert statuses(again) == ["duplicate"]
            assert again.json() | {"accepted": 1, "duplicate": 0} == told.json() | {"results": again.json()["results"]}
        assert [each["headline"] for each in await one.raw()] == ["First", "Second"]
        assert statuses(await push(one, first, "m3")) == ["accepted"]
        assert statuses(await push(one, saying("Third"), "m3")) == ["accepted"]
        assert [each["headline"] for each in await one.raw()] == ["First", "Second", "First", "Third"]


@pytest.mark.integration
async def test_a_signed_push_that_comes_to_two_replicas_at_once_is_taken_by_one(newsroom: Connections) -> None:
    """One takes it, the other waits for it and answers that it is a duplicate."""
    async with signing_wire(newsroom) as (one, other):
        answers = await asyncio.gather(*(push(replica, BODY, "m1") for replica in (one, other, one, other)))
        assert sorted(status for answer in answers for status in statuses(answer)) == ["accepted"] + ["duplicate"] * 3
        assert len(await one.raw()) == 1
        assert await one.pool.fetchval("SELECT count(*) FROM ingest.originals") == 1


@pytest.mark.integration
async def test_a_signed_push_that_was_not_taken_may_come_again(newsroom: Connections) -> None:
    """A first attempt that was refused, or answered 503, leaves its id free, also where the source goes back to a wording."""
    async with signing_wire(newsroom) as (one, _):
        for number, title in enumerate(("First", "Second")):
            assert statuses(await push(one, saying(title), f"m{number}")) == ["accepted"]
        producer, one.intake.producer = one.intake.producer, None
        assert (await push(one, saying("First"), "m3")).status_code == 503
        one.intake.producer = producer
        assert statuses(await push(one, saying("First"), "m3")) == ["accepted"]
        assert (await push(one, b"nothing that is read", "m4")).status_code == 400
        assert (await push(one, b"nothing that is read", "m4")).status_code == 400
        assert [each["headline"] for each in await one.raw()] == ["First", "Second", "First"]


@pytest.mark.integration
async def test_of_a_push_that_was_taken_in_part_the_rest_is_taken_when_it_comes_again(newsroom: Connections) -> None:
    """What of it was taken is not taken again, though its source has said something else since."""
    async with signing_wire(newsroom) as (one, _):
        digest = idempotency.digest_of("north", "m1", b"body")
        done, lost = Result(0, "accepted", "u0", "g0"), Result(1, "error", "u1", "g1", "not-acknowledged")
        seen: list[frozenset[int]] = []

        async def take(known: frozenset[int], *results: Result) -> Receipt:
            seen.append(known)
            return Receipt(uuid.UUID(int=1), "rss", list(results))

        for results in ((done, lost), (replace(done, status="duplicate"), replace(lost, status="accepted"))):
            await idempotency.receive_once(one.pool, digest, 1.0, lambda known, results=results: take(known, *results))
        receipt = await idempotency.receive_once(one.pool, digest, 1.0, take)
        assert seen == [frozenset(), frozenset({0})]
        assert [each.status for each in receipt.results] == ["duplicate"] * 2


@pytest.mark.integration
async def test_signed_pushes_are_forgotten_once_no_signature_of_them_holds(newsroom: Connections) -> None:
    """They are kept for a day, which is longer than any signature is good."""
    assert timedelta(seconds=2 * signing.TOLERANCE_S) < idempotency.RETENTION
    async with signing_wire(newsroom) as (one, _):
        await push(one, BODY, "old")
        await one.pool.execute("UPDATE ingest.signed_pushes SET seen_at = now() - interval '25 hours'")
        await push(one, BODY, "new")
        forgetting = asyncio.create_task(idempotency.keep_pruning(one.pool))

        async def left() -> int:
            return int(await one.pool.fetchval("SELECT count(*) FROM ingest.signed_pushes"))

        await eventually(left, lambda count: count == 1, what="nothing was forgotten")
        forgetting.cancel()
