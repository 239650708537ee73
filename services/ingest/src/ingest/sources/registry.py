"""The sources and keys as a process knows them."""

import asyncio
import time
from collections.abc import Iterable, Mapping

from ingest.sources import store
from ingest.sources.keys import KEYS
from ingest.sources.source import Kind, Source
from shared.access.key import Key
from shared.access.ring import KeyRing
from shared.background import keep_running
from shared.postgres.pool import Pool

REFRESH_S = 1.0
MISS_PAUSE_S = 0.2


class Registry:
    """The sources and keys as this process knows them: at most a second old while Postgres answers.

    While Postgres is unavailable the last known copy is used, so that senders are answered 503 and not that their key is
    wrong.
    """

    def __init__(self) -> None:
        self.sources: Mapping[str, Source] = {}
        self.keys = KeyRing(KEYS)
        self._loaded_at: float | None = None
        self._load_began_at = 0.0
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
        self._load_began_at = time.monotonic()
        sources = {source.name: source for source in await store.all_sources(pool, self._unusable)}
        self._unusable -= sources.keys()
        await self.keys.load(pool)
        self.sources, self._loaded_at = sources, time.monotonic()

    async def keep_fresh(self, pool: Pool) -> None:
        """Read again every second until cancelled, and write once a minute which keys were used."""
        await asyncio.gather(
            keep_running("sources", lambda: self.load(pool), every_s=REFRESH_S), self.keys.keep_noting_use(pool)
        )

    def cached(self, key: str) -> tuple[Key, Source | None] | None:
        """A key and its source, as far as the copy says; an operator's key has none."""
        found = self.keys.cached(key)
        if found is None:
            return None
        if found.kind == "operator":
            return found, None
        source = self.sources.get(found.holder)
        return None if source is None else (found, source)

    async def find(self, key: str, pool: Pool | None) -> tuple[Key, Source | None] | None:
        """The same. A key that is not in the copy is looked up in Postgres, since it may be new."""
        found = self.cached(key)
        if found is None and pool is not None:
            await self._load_after_miss(pool)
            found = self.cached(key)
        return found

    async def source_named(self, name: str, pool: Pool | None) -> Source | None:
        """The source of that name. A name that is not in the copy is looked up in Postgres, since it may be new."""
        if name not in self.sources and pool is not None:
            await self._load_after_miss(pool)
        return self.sources.get(name)

    async def _load_after_miss(self, pool: Pool) -> None:
        """As `KeyRing.load_after_miss`: somebody who tries keys must not be able to keep Postgres busy."""
        asked_at = time.monotonic()
        async with self._loading:
            if self._loaded_at is not None:
                if self._load_began_at >= asked_at:
                    return
                await asyncio.sleep(max(0.0, self._loaded_at + MISS_PAUSE_S - time.monotonic()))
            await self.load(pool)
