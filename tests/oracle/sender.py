"""Sends what a source and its desk have to say, one request after the other, each again until it is acknowledged."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

import httpx

from oracle.differences import Differences
from oracle.model import Model, Placed
from oracle.wire import Request, Wire

PATIENCE_S = 90.0
PAUSES_S = (0.05, 1.0)


@dataclass
class Sender:
    """One source: it sends nothing before what it sent last is acknowledged, so its order is known."""

    wire: Wire
    model: Model
    differences: Differences
    _: KW_ONLY
    address: str
    key: str
    desk_key: str
    pace_s: float
    requests: int = 0
    attempts: int = 0
    answers: dict[str, int] = field(default_factory=dict)

    async def send_until(self, stop: asyncio.Event) -> None:
        """Send until told to stop; what is under way then is acknowledged first."""
        async with httpx.AsyncClient(base_url=self.address, timeout=10) as client:
            while not stop.is_set():
                await self._send(client, self.wire.next())
                await asyncio.sleep(random.uniform(0.3, 1.7) * self.pace_s)

    async def _send(self, client: httpx.AsyncClient, request: Request) -> None:
        self.model.words_from.update(request.hidden_until)
        sent_at, attempts = time.time(), 0
        while True:
            attempts += 1
            first = attempts == 1
            if await self._attempt(client, request, first=first):
                break
            if time.time() - sent_at > PATIENCE_S:
                self.differences.add("sender", "not acknowledged", request.path, expected="an answer", got="none")
                return
            await asyncio.sleep(random.uniform(*PAUSES_S))
        answered_at = time.time()
        self.requests += 1
        self.attempts += attempts
        for update, given in request.items:
            update.take(given, sent_at, answered_at)
            self.model.accepted += 1
        order = self.model.order.setdefault(self.wire.source, [])
        order += [
            Placed(self.requests, index if attempts == 1 else -1, update.update_id)
            for index, update in enumerate(request.places)
        ]

    async def _attempt(self, client: httpx.AsyncClient, request: Request, *, first: bool) -> bool:
        key = self.desk_key if request.by_desk else self.key
        try:
            answer = await client.post(request.path, json=request.body, headers={"Authorization": f"Bearer {key}"})
        except httpx.TransportError as error:
            self._count(type(error).__name__)
            return False
        self._count(str(answer.status_code))
        if answer.status_code in (429, 500, 502, 503, 504):
            if answer.status_code == 500:
                self.differences.add("sender", "a bug", request.path, expected="no 500", got=answer.text[:500])
            return False
        results: Sequence[dict[str, Any]] = answer.json().get("results") or [answer.json()]
        statuses = [str(each.get("status")) for each in results]
        if answer.status_code not in (200, 202, 207) or not set(statuses) <= {"accepted", "duplicate", "error"}:
            self.differences.add("sender", "refused", request.path, expected="202", got=answer.text[:500])
            return True
        if "error" in statuses:
            return False
        if first and request.anew and "duplicate" in statuses:
            self.differences.add(
                "sender", "news called a duplicate", request.items[statuses.index("duplicate")][0].update_id,
                expected="accepted", got=answer.text[:500],
            )  # fmt: skip
        return True

    def _count(self, what: str) -> None:
        self.answers[what] = self.answers.get(what, 0) + 1
