"""Rows and messages that one loop could not handle: set aside with the reason, listed, and tried again later.

A loop over what others gave us goes on without the one that fails. What is set aside stays where it is, and is left out until
its pause is over; the pauses grow with each failure in a row. `python -m SERVICE set-aside` lists it. An outage is no failure
of a row: it ends the loop's turn, and everything is tried again.
"""

import asyncio
import dataclasses
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog
from prometheus_client import Counter

from shared.failures.backoff import Backoff
from shared.failures.transient import is_transient, reason_of
from shared.postgres.pool import Pool, Queryable
from shared.postgres.rows import typed

log = structlog.get_logger(__name__)

T = TypeVar("T")

SET_ASIDE = Counter("slugline_set_aside", "Rows or messages that a loop could not handle and set aside", ["loop"])
BACKOFF = Backoff(first_s=10.0, longest_s=900.0)
LONGEST_REASON = 500
FORGOTTEN_AFTER = "7 days"
"""What was not tried for so long is no longer there to be tried."""

_PUT = """
INSERT INTO {schema}.set_aside AS s (loop, key, reason, next_at) VALUES ($1, $2, $3, now() + make_interval(secs => $4))
ON CONFLICT (loop, key) DO UPDATE SET reason = excluded.reason, attempts = s.attempts + 1, last_at = now(),
    next_at = now() + make_interval(secs => least($4 * {factor} ^ least(s.attempts, 20), {longest_s}))
RETURNING attempts
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that is set aside."""

    loop: str
    key: str
    reason: str
    attempts: int
    first_at: datetime
    last_at: datetime
    next_at: datetime


@dataclass(frozen=True, slots=True)
class SetAside:
    """What one loop of a service has set aside: rows of `SCHEMA.set_aside`."""

    schema: str
    loop: str
    backoff: Backoff = BACKOFF

    def is_free(self, key: str) -> str:
        """A condition in SQL: the row whose key is this expression is not set aside, or its pause is over."""
        return (
            f"NOT EXISTS (SELECT FROM {self.schema}.set_aside a WHERE a.loop = '{self.loop}' AND a.key = {key} "
            "AND a.next_at > now())"
        )

    async def put(self, database: Queryable, key: str, error: BaseException | str) -> None:
        """Set aside with the reason, or for longer what failed once more."""
        reason = (error if isinstance(error, str) else reason_of(error)).replace("\x00", "")[:LONGEST_REASON]
        reason = reason.encode("utf-8", "replace").decode()
        SET_ASIDE.labels(self.loop).inc()
        log.error(
            "set aside", loop=self.loop, key=key, reason=reason,
            exc_info=error if isinstance(error, BaseException) else None,
        )  # fmt: skip
        statement = _PUT.format(schema=self.schema, factor=self.backoff.factor, longest_s=self.backoff.longest_s)
        await database.execute(statement, self.loop, key, reason, self.backoff.first_s)

    async def clear(self, database: Queryable, keys: Collection[str]) -> None:
        """These succeeded, or are gone."""
        if keys:
            await database.execute(
                f"DELETE FROM {self.schema}.set_aside WHERE loop = $1 AND key = ANY($2::text[])",
                self.loop, list(keys),
            )  # fmt: skip

    async def known(self, database: Queryable) -> dict[str, bool]:
        """All that is set aside by its key, and whether its pause is over."""
        rows = await database.fetch(
            f"SELECT key, next_at <= now() AS due FROM {self.schema}.set_aside WHERE loop = $1",
            self.loop,
        )
        return {row["key"]: row["due"] for row in rows}

    async def take(self, transaction: Queryable, key: str) -> bool:
        """Whether this is still set aside, its pause over, and nobody else's: it is the caller's until the transaction ends."""
        found = await transaction.fetchval(
            f"SELECT true FROM {self.schema}.set_aside WHERE loop = $1 AND key = $2 AND next_at <= now() "
            "FOR UPDATE SKIP LOCKED",
            self.loop, key,
        )  # fmt: skip
        return found is not None

    async def each(
        self,
        pool: Pool,
        items: Iterable[T],
        key: Callable[[T], str],
        handle: Callable[[T], Awaitable[object]],
        *,
        at_once: int = 1,
    ) -> int:
        """Handle all that are not set aside, `at_once` at a time; how many succeeded. An outage is raised.

        One that fails is set aside, and the others are handled all the same.
        """
        known = await self.known(pool)
        waiting = iter([item for item in items if known.get(key(item), True)])
        succeeded: list[str] = []

        async def some() -> None:
            for item in waiting:
                try:
                    await handle(item)
                except Exception as error:
                    if is_transient(error):
                        raise
                    await self.put(pool, key(item), error)
                else:
                    succeeded.append(key(item))

        ended = await asyncio.gather(*(some() for _ in range(at_once)), return_exceptions=True)
        await self.clear(pool, known.keys() & succeeded)
        for result in ended:
            if isinstance(result, BaseException):
                raise result
        return len(succeeded)


async def listed(database: Queryable, schema: str, loop: str = "") -> list[Entry]:
    """What the loops of a service have set aside, oldest first."""
    columns = ", ".join(field.name for field in dataclasses.fields(Entry))
    rows = await database.fetch(
        f"SELECT {columns} FROM {schema}.set_aside WHERE $1 = '' OR loop = $1 ORDER BY first_at, loop, key",
        loop,
    )
    return typed(Entry, rows)


async def forget_old(database: Queryable, schema: str) -> None:
    """Forget what nobody has tried again for long: it is no longer there."""
    await database.execute(
        f"DELETE FROM {schema}.set_aside WHERE last_at < now() - $1::text::interval",
        FORGOTTEN_AFTER,
    )
