"""What is attached to updates after they are out: pictures that are fetched, and authors whose entry in the directory changes."""

import asyncio
import hashlib
import random
import time

import httpx
import pyvips

from oracle.differences import Differences
from oracle.model import Model
from oracle.newsroom import DIRECTORY_KEY, Newsroom
from oracle.truth import Truth
from oracle.wire import AUTHORS

EVERY_S = 7.0
PATIENCE_S = 90.0


def picture(name: str) -> bytes:
    """A small photograph that is like no other."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:3], "big")
    noise = pyvips.Image.gaussnoise(12, 8, mean=128, sigma=60, seed=seed).cast("uchar").resize(8)
    body: bytes = noise.colourspace("srgb").jpegsave_buffer(Q=70)
    return body


class Directory:
    """A newsroom's tool that adds authors and changes them, each change until it is acknowledged."""

    def __init__(self, newsroom: Newsroom, model: Model, differences: Differences, seed: int) -> None:
        self._newsroom = newsroom
        self._model = model
        self._differences = differences
        self._random = random.Random(f"{seed}:directory")
        self.changes = 0

    async def change_until(self, stop: asyncio.Event) -> None:
        """Change one author after the other."""
        async with httpx.AsyncClient(timeout=10, headers={"Authorization": f"Bearer {DIRECTORY_KEY}"}) as client:
            while not stop.is_set():
                await asyncio.sleep(EVERY_S * self._random.uniform(0.3, 1.0))
                author_id = self._random.choice(list(AUTHORS))
                self.changes += 1
                role = f"Correspondent {self.changes}"
                await self._put(client, author_id, {"name": AUTHORS[author_id], "role": role})
                self._model.roles[author_id] = role

    async def _put(self, client: httpx.AsyncClient, author_id: str, profile: dict[str, str]) -> None:
        ends = time.monotonic() + PATIENCE_S
        url = f"{self._newsroom.worker('enrich-text').url}/v1/authors/{author_id}"
        while time.monotonic() < ends:
            try:
                answer = await client.put(url, json=profile)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code in (200, 201):
                return
            await asyncio.sleep(0.3)
        self._differences.add("directory", "not acknowledged", author_id, expected="an answer", got="none")


def unattached(model: Model, truth: Truth) -> list[tuple[str, object, object]]:
    """The visible updates whose pictures or authors are not those that they must have: id, what is expected, what is there."""
    found: list[tuple[str, object, object]] = []
    for update in model.visible():
        last = truth.last(update.update_id)
        if update.unsure or last is None or last.shown.removal or update.current is None:
            continue
        if (last.pictures, last.pending) != (int(update.current.picture), False):
            found.append((update.update_id, f"{int(update.current.picture)} pictures", last))
        author = update.current.author
        if author and author in model.roles and last.authors != ((author, model.roles[author]),):
            found.append((update.update_id, (author, model.roles[author]), last))
    return found


def compare_attachments(model: Model, truth: Truth, differences: Differences) -> None:
    """Every picture that was to come is there, and every author as the directory has them now."""
    for update_id, expected, got in unattached(model, truth):
        differences.add("log", "not attached", update_id, expected=expected, got=got)
