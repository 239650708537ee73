"""A picture that takes its process down is taken up alone, and not a third time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from enrich.media import queue
from enrich.media.errors import PictureRefused
from enrich.media.worker import MediaWorker
from enrich.settings import Settings
from shared.messages import MediaReference, MediaWanted, update_id_for
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, connect

pytestmark = [pytest.mark.integration]


class Death(BaseException):
    """The end of a process, as far as its loop can tell."""


class DeadlyFetcher:
    """Refuses every picture but one, which ends the process; tells what was under way then."""

    def __init__(self) -> None:
        self.died = asyncio.Event()
        self.asked: list[str] = []

    @contextlib.asynccontextmanager
    async def fetched(self, url: str) -> AsyncIterator[bytes]:
        self.asked.append(url)
        if "bad" in url:
            self.died.set()
            raise Death
        if not self.died.is_set():
            await asyncio.sleep(0.05)
        raise PictureRefused("no picture")
        yield b""


class Silent:
    """A producer that sends nothing."""

    async def send(self, *_: Any, **__: Any) -> "asyncio.Future[object]":
        sent: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        sent.set_result(None)
        return sent


async def states(pool: Pool) -> dict[str, str]:
    """What became of each picture."""
    rows = await pool.fetch("SELECT url, state FROM enrich.media_references ORDER BY url")
    return {row["url"].rpartition("/")[2]: row["state"] for row in rows}


async def test_a_picture_that_kills_its_process_is_given_up(media_settings: Callable[..., Settings]) -> None:
    """The pictures beside it are finished."""
    settings = media_settings()
    pool = await connect(settings, schema="enrich")
    await migrate(pool, "enrich")
    names = ("a", "bad", "c")
    references = tuple(MediaReference(url=f"https://pictures.example/{name}") for name in names)
    event = MediaWanted(update_id=update_id_for("s", "g"), source="s", media=references, requested_at=datetime.now(UTC))
    await queue.want(pool, [(event, "")])
    deaths = 0
    async with asyncio.timeout(60):
        while (await states(pool))["bad"] == "pending":
            fetcher = DeadlyFetcher()
            worker = MediaWorker(settings, pool=pool, store=None, fetcher=fetcher, renderers=None, producer=Silent())  # type: ignore[arg-type]
            running = asyncio.create_task(worker._claim_due())
            await running
            while worker._jobs or worker._isolated:
                done, _ = await asyncio.wait(worker._jobs) if worker._jobs else (set(), set())
                if any(isinstance(job.exception(), Death) for job in done):
                    deaths += 1
                    break
                await worker._claim_due()
            # What the dead process had comes back when its leases have run out.
            await pool.execute("UPDATE enrich.media_references SET retry_at = now() WHERE state = 'pending'")
    assert 3 <= deaths <= 4
    assert await states(pool) == {"a": "failed", "bad": "failed", "c": "failed"}
    reasons = {
        row["url"].rpartition("/")[2]: row["reason"]
        for row in await pool.fetch("SELECT url, reason FROM enrich.media_references")
    }
    assert reasons["a"] == reasons["c"] == "no picture"
    assert reasons["bad"].startswith("given up: ")
    await pool.close()
