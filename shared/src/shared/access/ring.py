"""The keys as a process knows them."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from shared.access import store
from shared.access.key import Key, digest_of
from shared.access.store import KeyTable
from shared.background import keep_running
from shared.failures.transient import TRANSIENT, reason_of
from shared.postgres.pool import Pool

REFRESH_S = 1.0
MISS_PAUSE_S = 0.2
NOTE_USED_S, NOTE_USED_SOON_S = 60.0, 5.0

log = structlog.get_logger(__name__)


class KeyRing:
    """The live keys of a table, at most a second old while Postgres answers: a key that is revoked ends everywhere within that.

    While Postgres is away the last copy holds, so that senders and readers are served; nobody can revoke a key then, and a key
    that expires does so all the same. A process that has not read the keys once knows nobody, and says that it does not know
    yet (`loaded`), not that a key is wrong.

    Keys are found by their SHA-256. How long that takes says nothing of a key: who chooses digests to compare by would have
    to invert SHA-256 first, and Python's table of bytes is hashed with a secret of the process.
    """

    def __init__(
        self,
        table: KeyTable,
        *,
        fixed: dict[bytes, Key] | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`fixed` are keys that the settings name, beside those of the table."""
        self.table = table
        self._fixed = fixed or {}
        self._keys: dict[bytes, Key] = dict(self._fixed)
        self._clock = clock
        self._monotonic = monotonic
        self._loaded_at: float | None = None
        self._load_began_at = 0.0
        self._loading = asyncio.Lock()
        self._used: dict[str, float] = {}
        self._noting: asyncio.Task[None] | None = None

    @property
    def loaded(self) -> bool:
        """Whether the keys have been read since the start."""
        return self._loaded_at is not None

    async def load(self, pool: Pool) -> None:
        """Read everything; it is a few hundred rows."""
        self._load_began_at = self._monotonic()
        self._keys = {**await store.live_keys(pool, self.table), **self._fixed}
        self._loaded_at = self._monotonic()

    def cached(self, key: str) -> Key | None:
        """The live key of that text, as far as the copy says; its use is noted."""
        found = self._keys.get(digest_of(key))
        if found is None:
            return None
        now = self._clock()
        if found.expires_at is not None and found.expires_at.timestamp() <= now:
            return None
        self._used[found.id] = now
        return found

    async def find(self, key: str, pool: Pool | None) -> Key | None:
        """The same; a key that is not in the copy is looked for in Postgres, since it may be new."""
        found = self.cached(key)
        if found is None and pool is not None:
            await self.load_after_miss(pool)
            found = self.cached(key)
        return found

    async def load_after_miss(self, pool: Pool) -> None:
        """Read again, but not more often than five times a second: who tries keys must not keep Postgres busy.

        What is read was there when it was asked for: a key that was made a moment ago waits for the next reading.
        """
        asked_at = self._monotonic()
        async with self._loading:
            if self._loaded_at is not None:
                if self._load_began_at >= asked_at:
                    return
                await asyncio.sleep(max(0.0, self._loaded_at + MISS_PAUSE_S - self._monotonic()))
            await self.load(pool)

    async def fresh(self, pool: Pool) -> None:
        """Read again where the copy is older than a second: for a port that is asked now and then, and needs Postgres anyway."""
        async with self._loading:
            if self._loaded_at is None or self._monotonic() - self._loaded_at > REFRESH_S:
                await self.load(pool)
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._note_use_soon(pool), name="last use of keys")

    async def _note_use_soon(self, pool: Pool) -> None:
        await asyncio.sleep(NOTE_USED_SOON_S)
        try:
            await self.note_use(pool)
        except TRANSIENT as error:
            log.warning("last use of keys is not written", error=reason_of(error), fold=self.table.name)

    async def keep_fresh(self, pool: Pool) -> None:
        """Read again every second, and write once a minute which keys were used, until cancelled."""
        await asyncio.gather(
            keep_running("keys", lambda: self.load(pool), every_s=REFRESH_S), self.keep_noting_use(pool)
        )

    async def keep_noting_use(self, pool: Pool) -> None:
        """Write once a minute which keys were used, until cancelled."""
        await keep_running("last use of keys", lambda: self.note_use(pool), every_s=NOTE_USED_S)

    async def note_use(self, pool: Pool) -> None:
        """Write which keys were used since the last time."""
        used, self._used = self._used, {}
        if not used:
            return
        moments = {key_id: datetime.fromtimestamp(at, UTC) for key_id, at in used.items()}
        try:
            await store.note_used(pool, self.table, moments)
        except BaseException:
            self._used = used | self._used
            raise
