"""A delivery that cannot be made fails alone; one that takes its process down is set aside after the third time alone."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson
import pytest

from publish.push.delivery.attempts import RetryPolicy
from publish.push.delivery.outbound import Outbound
from publish.push.delivery.queue import DeliveryRequest, DueDelivery
from publish.push.delivery.worker import TRY_ALONE, Built, DeliveryChannel, DeliveryWorker
from publish.push.webhooks.queueing import HURRY
from shared.postgres.pool import Pool
from support.waiting import eventually

pytestmark = pytest.mark.integration


class Death(BaseException):
    """The end of a process, as far as its loop can tell."""


def building(bug: Callable[[], object]) -> Callable[[Sequence[DueDelivery]], Any]:
    """Requests for all but those of the update `bad`."""

    async def build(due: Sequence[DueDelivery]) -> Mapping[int, Built]:
        for each in due:
            if each.update_id == "bad":
                bug()
        return {each.id: DeliveryRequest({}, b"{}") for each in due}

    return build


async def queue(pool: Pool, url: str, *update_ids: str) -> None:
    """Deliveries of stories of their own, to one endpoint."""
    await pool.execute(
        "INSERT INTO publish.endpoints (id, kind, url, channels) VALUES ('e', 'webhook', $1, '{news}') ON CONFLICT DO NOTHING",
        url,
    )
    for update_id in update_ids:
        await pool.execute(
            "INSERT INTO publish.deliveries (endpoint_id, message_id, type, update_id, revision, order_key) "
            "VALUES ('e', $1, 'update.publish', $1, 1, $1)",
            update_id,
        )


async def states(pool: Pool) -> dict[str, str]:
    """What became of each."""
    rows = await pool.fetch("SELECT update_id, state FROM publish.deliveries ORDER BY id")
    return {row["update_id"]: row["state"] for row in rows}


@contextlib.asynccontextmanager
async def delivering(pool: Pool, bug: Callable[[], object]) -> Any:
    """The loop as one process runs it; what ends it is given to the block."""
    async with Outbound(allow_private=True, timeout_s=5) as outbound:
        channel = DeliveryChannel(building(bug), RetryPolicy((1.0, 2.0), timedelta(hours=1)))
        worker = DeliveryWorker(
            pool, outbound, outbound, {"webhook": channel}, in_flight=100, per_endpoint=50, timeout_s=5
        )

        async def run() -> str:
            try:
                await worker.keep_delivering()
            except BaseExceptionGroup as ends:
                if ends.subgroup(Death) is None:
                    raise
                return "died"
            return "ended"

        running = asyncio.create_task(run())
        try:
            yield running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def test_a_payload_that_cannot_be_built_fails_its_delivery_alone(pool: Pool, recipients: Any) -> None:
    """The others of the batch are delivered, and its reason can be read."""

    def bug() -> None:
        raise TypeError("a bug")

    await queue(pool, f"{recipients.url}/a", "one", "bad", "two")
    async with delivering(pool, bug):
        seen = await eventually(lambda: states(pool), lambda seen: "waiting" not in seen.values(), what="all ended")
    assert seen == {"one": "delivered", "bad": "failed", "two": "delivered"}
    error = await pool.fetchval("SELECT last_error FROM publish.deliveries WHERE update_id = 'bad'")
    assert error == "it cannot be made: TypeError: a bug"


async def test_one_that_takes_its_process_down_is_set_aside_and_those_beside_it_are_not(
    pool: Pool, recipients: Any
) -> None:
    """The first end names nobody, since they were made together; each is then made alone, until it is known."""

    def bug() -> None:
        raise Death

    await queue(pool, f"{recipients.url}/a", "one", "bad", "two")
    for _ in range(4):
        async with delivering(pool, bug) as running:
            assert await asyncio.wait_for(running, 20) == "died"
        await pool.execute(
            "UPDATE publish.deliveries SET leased_until = now() - interval '1 s' WHERE leased_until IS NOT NULL"
        )
    async with delivering(pool, bug):
        seen = await eventually(lambda: states(pool), lambda seen: "waiting" not in seen.values(), what="all ended")
    assert seen == {"one": "delivered", "bad": "failed", "two": "delivered"}
    error = await pool.fetchval("SELECT last_error FROM publish.deliveries WHERE update_id = 'bad'")
    assert "3 times" in error


async def test_what_cannot_be_made_for_now_costs_no_attempt(pool: Pool, recipients: Any) -> None:
    """The archive or the site is away: the deliveries wait, with the reason, and leave once it answers."""
    away = [True]

    def bug() -> None:
        if away:
            raise OSError("the site is away")

    await queue(pool, f"{recipients.url}/a", "bad", "one")
    async with delivering(pool, bug):
        waiting = "SELECT count(*) FROM publish.deliveries WHERE last_error LIKE '%the site is away%' AND leased_until IS NULL"
        await eventually(lambda: pool.fetchval(waiting), lambda count: count == 2, what="both are put back")
        assert await pool.fetchval("SELECT max(attempts) FROM publish.deliveries WHERE leased_until IS NULL") in (
            0,
            None,
        )
        away.clear()
        await eventually(lambda: states(pool), lambda seen: "waiting" not in seen.values(), what="all ended")
    assert await pool.fetchval("SELECT max(attempts) FROM publish.deliveries") == 1


async def test_a_request_that_cannot_be_sent_gives_its_slot_back(
    pool: Pool, recipients: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in sending is the result of the attempt; the endpoint's other deliveries leave."""
    send = Outbound.send

    async def with_a_bug(self: Outbound, method: str, url: str, **options: Any) -> Any:
        if options["headers"]:
            raise TypeError("a bug")
        return await send(self, method, url, **options)

    monkeypatch.setattr(Outbound, "send", with_a_bug)
    await queue(pool, f"{recipients.url}/a", *(f"bad{number}" for number in range(60)))
    await queue(pool, f"{recipients.url}/a", "good")

    async def build(due: Sequence[DueDelivery]) -> Mapping[int, Built]:
        return {each.id: DeliveryRequest({"x": "1"} if each.update_id.startswith("bad") else {}, b"{}") for each in due}

    async with Outbound(allow_private=True, timeout_s=5) as outbound:
        channel = DeliveryChannel(build, RetryPolicy((60.0,), timedelta(hours=1)))
        worker = DeliveryWorker(
            pool, outbound, outbound, {"webhook": channel}, in_flight=10, per_endpoint=5, timeout_s=5
        )
        running = asyncio.create_task(worker.keep_delivering())
        try:

            async def untried() -> int:
                # Its failures would make the endpoint rest.
                await pool.execute("UPDATE publish.endpoints SET failures = 0, failing_since = NULL, retry_at = NULL")
                return int(await pool.fetchval("SELECT count(*) FROM publish.deliveries WHERE attempts = 0"))

            await eventually(untried, lambda count: count == 0, within_s=40, what="all were tried, the last with them")
            assert worker._of_endpoint.total() <= 5
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    error = await pool.fetchval(
        "SELECT last_error FROM publish.deliveries WHERE attempts = 1 AND last_error <> '' LIMIT 1"
    )
    assert error == "it cannot be sent: TypeError: a bug"


class Shaky:
    """A pool whose connection is cut off so many times behind the note that a delivery is made alone."""

    def __init__(self, pool: Pool, cuts: int) -> None:
        self._pool = pool
        self.cuts = cuts

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    async def execute(self, query: str, *values: object) -> str:
        """Done, though nobody is told."""
        done: str = await self._pool.execute(query, *values)
        if query == TRY_ALONE and self.cuts:
            self.cuts -= 1
            raise ConnectionError("cut off")
        return done


async def test_an_outage_while_a_lost_delivery_is_made_again_counts_nothing_and_costs_no_lease(
    pool: Pool, recipients: Any
) -> None:
    """However often the connection is cut off, nobody's process has died of it, and it leaves at once when Postgres answers."""
    await queue(pool, f"{recipients.url}/a", "one", "two")
    await pool.execute("UPDATE publish.deliveries SET leased_until = now() - interval '1 s', attempts = 1")
    shaky = Shaky(pool, cuts=5)
    async with delivering(shaky, lambda: None):  # type: ignore[arg-type]
        await eventually(
            lambda: states(pool), lambda seen: "waiting" not in seen.values(), within_s=15, what="all ended"
        )
    assert shaky.cuts == 0
    rows = await pool.fetch("SELECT state, attempts, tried_alone FROM publish.deliveries")
    assert [tuple(row) for row in rows] == [("delivered", 2, 0)] * 2


async def test_a_removal_waits_neither_for_a_resting_endpoint_nor_for_its_story(pool: Pool, recipients: Any) -> None:
    """An endpoint that was away for long, and a text of the story that it refuses: the removal comes once it can."""
    answers = {"refused": 422, "away": 503}
    recipients.behave["/a"] = lambda got, n: answers.get(orjson.loads(got.body)["id"], 204)

    async def build(due: Sequence[DueDelivery]) -> Mapping[int, Built]:
        return {each.id: DeliveryRequest({}, orjson.dumps({"id": each.update_id})) for each in due}

    await queue(pool, f"{recipients.url}/a", "refused", "away")
    await pool.execute("UPDATE publish.deliveries SET attempts = 1 WHERE update_id = 'refused'")
    policy = RetryPolicy((1.0, 3600.0, 3600.0), timedelta(days=1), removal_s=0.5)
    async with Outbound(allow_private=True, timeout_s=5) as outbound:
        worker = DeliveryWorker(
            pool, outbound, outbound, {"webhook": DeliveryChannel(build, policy)}, in_flight=10, per_endpoint=5, timeout_s=5
        )  # fmt: skip
        running = asyncio.create_task(worker.keep_delivering())
        try:
            resting = "SELECT count(*) FROM publish.deliveries WHERE next_attempt_at > now() + interval '1 min'"
            await eventually(lambda: pool.fetchval(resting), lambda count: count >= 1, what="the refused one rests")
            await pool.execute("UPDATE publish.endpoints SET failures = 3, retry_at = now() + interval '1 hour'")
            answers.pop("away")
            removal = (
                "INSERT INTO publish.deliveries (endpoint_id, message_id, type, update_id, revision, order_key) "
                "VALUES ('e', 'gone', 'update.kill', 'gone', 2, 'refused')"
            )
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(HURRY, "refused", ["news"])
                await connection.execute(removal)
            worker.wake()
            tries = "SELECT cardinality(log) FROM publish.deliveries WHERE update_id = 'refused'"
            await eventually(
                lambda: pool.fetchval(tries), lambda count: count >= 4, what="tried as often as the removal"
            )
            # The one that is under way may be counted already.
            assert await pool.fetchval("SELECT attempts FROM publish.deliveries WHERE update_id = 'refused'") <= 3
            answers.pop("refused")
            await eventually(
                lambda: states(pool),
                lambda seen: seen["refused"] == seen["gone"] == "delivered",
                within_s=15,
                what="the removal, and what it waited for",
            )
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
