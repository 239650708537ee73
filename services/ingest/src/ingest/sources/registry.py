"""The sources and keys as a process knows them."""

import asyncio
import time
from collections.abc import Iterable, Mapping

from ingest.sources import store
from ingest.sources.keys import digest_of
from ingest.sources.source import Kind, Source
from shared.background import keep_running
from shared.postgres.pool import Pool

REFRESH_S = 2.0
MISS_PAUSE_S = 0.2


class Registry:
    """The sources and keys as this process knows them: at most two seconds old while Postgres answers.

    While Postgres is unavailable the last known copy is used, so that senders are answered 503 and not that their key is
    wrong.
    """

    def __init__(self) -> None:
        self.sources: Mapping[str, Source] = {}
        self._keys: Mapping[bytes, str] = {}
        self._loaded_at: float | None = None
        self._loading = asyncio.Lock()
        self._unusable: set[str] = set()

    @property
    def loaded(self) -> bool:
        """Whether the sources have been read since the start."""
        return self._loaded_at is not None

    def active(self, kind: Kind) -> Iterable[Source]:
        """The sources of a kind that are not paused."""
        return [source for source in self.sources.values() if source.kind == kind and not source.paused]

    async def load(self, pool: Pool) -> None:
        """Read everything; it is a few hundred rows at most."""
        sources = {source.name: source for source in await store.all_sources(pool, self._unusable)}
        self._unusable -= sources.keys()
        keys = {
            bytes(row["sha256"]): row["source"] for row in await pool.fetch("SELECT sha256, source FROM ingest.keys")
        }
        self.sources, self._keys, self._loaded_at = sources, keys, time.monotonic()

    async def keep_fresh(self, pool: Pool) -> None:
        """Read again every two seconds until cancelled."""
        await keep_running("sources", lambda: self.load(pool), every_s=REFRESH_S)

    def cached_source_of_key(self, key: str) -> Source | None:
        """The source that a key belongs to, as far as the copy says."""
        name = self._keys.get(digest_of(key))
        return self.sources.get(name) if name is not None else None

    async def source_of_key(self, key: str, pool: Pool | None) -> Source | None:
        """The source that a key belongs to. A key that is not in the copy is looked up in Postgres, since it may be new."""
        source = self.cached_source_of_key(key)
        if source is None and pool is not None:
            await self._load_after_miss(pool)
            source = self.cached_source_of_key(key)
        return source

    async def source_named(self, name: str, pool: Pool | None) -> Source | None:
        """The source of that name. A name that is not in the copy is looked up in Postgres, since it may be new."""
        if name not in self.sources and pool is not None:
            await self._load_after_miss(pool)
        return self.sources.get(name)

    async def _load_after_miss(self, pool: Pool) -> None:
        async with self._loading:
            # Somebody who tries keys must not be able to keep Postgres busy.
            if self._loaded_at is None or time.monotonic() - self._loaded_at > MISS_PAUSE_S:
                await self.load(pool)
