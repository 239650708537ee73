"""Questions to the archive, for what is older than the ring buffer."""

import asyncio
from collections.abc import Collection

import structlog

from publish.representation.position import Position
from publish.web.stream.event import Replay, Replayed

log = structlog.get_logger(__name__)

ASKED_AT_ONCE = 4


class ArchiveReplay:
    """Asks once for all who have the same question, and a few questions at a time. `replay` is None where there is no archive."""

    def __init__(self, replay: Replay | None) -> None:
        self.replay = replay
        self._asking = asyncio.Semaphore(ASKED_AT_ONCE)
        self._asked: dict[tuple[frozenset[str], Position, int], asyncio.Task[Replayed | None]] = {}

    def close(self) -> None:
        """Give up every question."""
        for task in self._asked.values():
            task.cancel()

    async def ask(self, channels: frozenset[str], after: Position, most: int) -> Replayed | None:
        """What the archive has after a position; None where it cannot tell."""
        if self.replay is None:
            return None
        key = (channels, after, most)
        task = self._asked.get(key)
        if task is None:
            task = self._asked[key] = asyncio.get_running_loop().create_task(self._ask(self.replay, *key))
            task.add_done_callback(lambda _: self._asked.pop(key, None))
        return await asyncio.shield(task)

    async def _ask(self, replay: Replay, channels: Collection[str], after: Position, most: int) -> Replayed | None:
        async with self._asking:
            return await replay(after, channels, most)

    async def ask_or_none(self, channels: frozenset[str], after: Position, most: int) -> Replayed | None:
        """As `ask`, but None where the archive does not answer."""
        try:
            return await self.ask(channels, after, most)
        except Exception as error:  # noqa: BLE001 -- whatever the archive fails with, the reader gets a reset
            log.warning("no replay from the archive", error=str(error) or type(error).__name__)
            return None
