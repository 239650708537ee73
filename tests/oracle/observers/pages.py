"""A reader who looks again and again: the newest updates of the API at whichever replica, and pages of what was killed."""

import asyncio
import contextlib
import random
import time
from collections.abc import Sequence

import httpx

from oracle.differences import Differences
from oracle.model import Model, shown_of
from oracle.observers.seen import Log, Seen
from oracle.truth import Truth

PAUSE_S = 0.4
NEWEST = 40


class PageReader:
    """Asks each replica in turn."""

    def __init__(self, webs: Sequence[str], model: Model, differences: Differences, seed: int) -> None:
        self.log = Log("API, again and again")
        self._webs = webs
        self._model = model
        self._differences = differences
        self._random = random.Random(f"{seed}:pages")
        self._gone: set[tuple[str, str]] = set()
        """Replica and update of which it has said that it is killed."""

    async def look(self) -> None:
        """Until cancelled."""
        async with httpx.AsyncClient(timeout=5) as client:
            while True:
                for web in self._webs:
                    with contextlib.suppress(httpx.TransportError):
                        await self._newest(client, web)
                        await self._killed(client, web)
                await asyncio.sleep(PAUSE_S)

    async def _newest(self, client: httpx.AsyncClient, web: str) -> None:
        answer = await client.get(f"{web}/v1/updates", params={"limit": NEWEST})
        if answer.status_code != 200:
            return
        self.log.connections += 1
        for each in answer.json()["updates"]:
            self.log.seen.append(
                Seen(time.time(), "page", each["cursor"], each["update_id"], each["revision"], shown_of(each))
            )

    async def _killed(self, client: httpx.AsyncClient, web: str) -> None:
        killed = [each.update_id for each in self._model.updates.values() if each.killed_at is not None]
        for update_id in self._random.sample(killed, min(3, len(killed))):
            answer = await client.get(f"{web}/v1/updates/{update_id}")
            if answer.status_code == 410 and answer.json().get("removal") in ("killed", "taken-down"):
                self._gone.add((web, update_id))
            elif answer.status_code == 200 and (web, update_id) in self._gone:
                self._differences.add(
                    self.log.name, "killed text is back", update_id, expected=410, got=answer.text[:500]
                )


def compare_pages(truth: Truth, log: Log, differences: Differences) -> None:
    """Whatever was served was a revision of the log, as the log has it first."""
    judged: set[tuple[str, int, object]] = set()
    for seen in log.seen:
        key = (seen.update_id, seen.revision, seen.shown)
        if key in judged:
            continue
        judged.add(key)
        record = truth.first.get((seen.update_id, seen.revision))
        if record is None or record.shown != seen.shown:
            differences.add(log.name, "another revision than the log has", seen.update_id, expected=record, got=seen)
