"""What became of an alert at each of its readers, written down in groups."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from shared.failures.transient import is_transient
from shared.postgres.pool import Pool
from shared.postgres.set_aside import SetAside

RESULTS_ASIDE = SetAside("publish", "results of alerts")

RECORD = """
INSERT INTO publish.alert_results AS r (alert_id, subscription_id, result, reason, status, retry_at)
SELECT a, s, e, w, t, CASE WHEN e = 'later' THEN now() + make_interval(secs => p) END
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::int[], $6::float8[]) AS u (a, s, e, w, t, p)
ON CONFLICT (alert_id, subscription_id) DO UPDATE
SET result = excluded.result, reason = excluded.reason, status = excluded.status, retry_at = excluded.retry_at,
    at = now(), attempts = r.attempts + 1
"""


@dataclass(frozen=True, slots=True)
class ReaderResult:
    """What became of an alert at one reader."""

    alert_id: str
    subscription_id: int
    result: str
    reason: str = ""
    status: int | None = None
    pause_s: float = 0.0


class ResultRecorder:
    """Writes results down in groups: many at a time, and whoever waits for one knows that it is durable."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiting: list[tuple[ReaderResult, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def put(self, result: ReaderResult) -> None:
        """Ends once the result is committed."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((result, done))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await done

    async def _write(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                await self.put_all([result for result, _ in group])
            except Exception as error:  # noqa: BLE001 -- handed to whoever waits
                for _, done in group:
                    if not done.done():
                        done.set_exception(error)
            else:
                for _, done in group:
                    if not done.done():
                        done.set_result(None)

    async def put_all(self, results: Sequence[ReaderResult]) -> None:
        """Write results; subscriptions that are gone end here. One that cannot be written takes no other with it."""
        try:
            await self._write_all(results)
        except Exception as error:
            if is_transient(error):
                raise
            if len(results) == 1:
                await self._set_aside(results[0], error)
                return
            for each in results:
                await self.put_all([each])

    async def _set_aside(self, result: ReaderResult, error: Exception) -> None:
        key = f"{result.alert_id} {result.subscription_id}"
        await RESULTS_ASIDE.put(self._pool, key, error)
        if result.result != "failed":
            # It counts as an end all the same: the alert must not be sent to the reader again and again.
            failed = ReaderResult(result.alert_id, result.subscription_id, "failed", "its result could not be written")
            with contextlib.suppress(asyncpg.DataError, asyncpg.IntegrityConstraintViolationError):
                await self._write_all([failed])

    async def _write_all(self, results: Sequence[ReaderResult]) -> None:
        gone = [result.subscription_id for result in results if result.result == "gone"]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                RECORD,
                [result.alert_id for result in results],
                [result.subscription_id for result in results],
                [result.result for result in results],
                [result.reason.replace("\x00", "")[:300] for result in results],
                [result.status for result in results],
                [result.pause_s for result in results],
            )
            if gone:
                await connection.execute("DELETE FROM publish.subscriptions WHERE id = ANY($1)", gone)
