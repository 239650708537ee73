"""Fetches linked texts, and takes each version again with its text.

A version was published when it came, without its text. Each host has its share of the requests, so that a host that hangs
delays its own texts only.
"""

import asyncio
import os
from collections import Counter as Tally
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
import structlog
from prometheus_client import Counter
from pydantic import JsonValue

from ingest.formats import ReadResult, Unreadable
from ingest.intake import originals
from ingest.intake.originals import Original
from ingest.intake.read import read_original
from ingest.intake.receive import Intake
from ingest.sources import store
from ingest.sources.source import Source
from ingest.transports.linked_texts.key import NoKey, key_for
from shared.background import keep_running
from shared.failures.backoff import Backoff
from shared.failures.transient import is_transient, reason_of
from shared.http.client.errors import RequestFailed, RequestRefused
from shared.http.client.guarded import GuardedClient
from shared.http.client.retry_after import retry_after_s
from shared.postgres.lease_queue import FairShare, LeaseQueue
from shared.postgres.pool import Pool
from shared.postgres.set_aside import SetAside

log = structlog.get_logger(__name__)

TEXTS = Counter(
    "slugline_ingest_linked_texts", "Linked texts, by outcome: fetched, retried, given-up", ["source", "outcome"]
)

MAX_BYTES = 2 * 1024 * 1024
LEASE_S = 60.0
AT_ONCE = 16
PER_HOST = 4
MAX_ATTEMPTS = 6
EVERY_S = 1.0
PAUSES = Backoff(first_s=5.0, longest_s=1800.0, factor=4.0)


@dataclass(frozen=True, slots=True)
class LinkedText:
    """A version that waits for its text."""

    source: str
    guid: str
    url: str
    host: str
    version: Mapping[str, JsonValue]
    attempts: int


QUEUE = LeaseQueue(
    table="ingest.linked_texts",
    key={"source": "text", "guid": "text"},
    due="due_at",
    attempts="attempts",
    selection=FairShare("host"),
    columns="q.source, q.guid, q.url, q.host, q.version, q.attempts",
    read=lambda row: LinkedText(**row),
    aside=SetAside("ingest", "linked texts"),
)


class GivenUp(Exception):
    """Trying again changes nothing."""


class Later(Exception):
    """It may come later. `after_s` is the pause that the server asked for."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


class LinkedTexts:
    """One process's share of the texts."""

    def __init__(
        self,
        pool: Pool,
        intake: Intake,
        client: GuardedClient,
        *,
        environment: Mapping[str, str] = os.environ,
        allow_plain: bool = False,
    ) -> None:
        self._pool = pool
        self._intake = intake
        self._client = client
        self._environment = environment
        self._allow_plain = allow_plain
        self._running: dict[asyncio.Task[None], str] = {}

    async def run(self) -> None:
        """Fetch what is due until cancelled."""
        try:
            await keep_running("linked texts", self._start_due, every_s=EVERY_S)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    async def _start_due(self) -> None:
        free = AT_ONCE - len(self._running)
        if free <= 0:
            return
        held = Tally(self._running.values())
        for wanted in await QUEUE.claim_fairly(self._pool, free, LEASE_S, held=held, share=PER_HOST):
            task = asyncio.create_task(self.fetch(wanted), name=f"text:{wanted.source}")
            self._running[task] = wanted.host
            task.add_done_callback(lambda done: self._running.pop(done, None))

    async def fetch(self, wanted: LinkedText) -> None:
        """Fetch one text, take its version with it, and write down how that went."""
        try:
            await self._take(wanted)
        except GivenUp as refusal:
            await self._postpone(wanted, str(refusal), None)
        except Later as failure:
            pause_s = max(PAUSES.pause_s(wanted.attempts), failure.after_s or 0.0)
            await self._postpone(wanted, str(failure), pause_s if wanted.attempts < MAX_ATTEMPTS else None)
        except Exception as error:
            if not is_transient(error):
                log.exception("bug in a linked text", source=wanted.source)
            await self._postpone(wanted, reason_of(error), PAUSES.pause_s(wanted.attempts))

    async def _take(self, wanted: LinkedText) -> None:
        source = await store.one_source(self._pool, wanted.source)
        if source is None:
            raise GivenUp("there is no such source any more")
        body, content_type = await self._body(wanted, source)
        original = Original(originals.new_original_id(), source.name, "poll", self._intake.clock(), content_type, body)
        apart = source.model_copy(update={"format": None})
        try:
            reading = await read_original(self._intake.parsers, apart, original, original.sha256)
        except Unreadable as error:
            raise GivenUp(f"its text cannot be read: {error.reason}") from None
        whole = with_text(wanted.version, reading)
        if whole is None:
            raise GivenUp("there is no text in what is linked")
        await self._intake.take(
            source, orjson.dumps(whole), content_type="application/json", transport="poll", format="native",
            headers={"url": wanted.url.partition("?")[0]},
        )  # fmt: skip
        # A later version may have come meanwhile, whose text is another one.
        await self._pool.execute(
            "DELETE FROM ingest.linked_texts WHERE source = $1 AND guid = $2 AND url = $3 AND version = $4",
            wanted.source, wanted.guid, wanted.url, dict(wanted.version),
        )  # fmt: skip
        TEXTS.labels(source.name, "fetched").inc()

    async def _body(self, wanted: LinkedText, source: Source) -> tuple[bytes, str | None]:
        try:
            key = key_for(wanted.url, source.profile.completed(), self._environment, allow_plain=self._allow_plain)
        except NoKey as reason:
            raise Later(str(reason)) from None
        try:
            answer = await self._client.request("GET", wanted.url, headers=key.headers, max_bytes=MAX_BYTES)
        except RequestRefused as error:
            raise GivenUp(reason_of(error)) from None
        except RequestFailed as error:
            raise Later(reason_of(error)) from None
        if answer.status in (408, 425, 429) or answer.status >= 500:
            raise Later(f"HTTP {answer.status}", retry_after_s(answer.headers))
        if answer.status != 200:
            raise GivenUp(f"HTTP {answer.status}")
        return answer.body, answer.headers.get("Content-Type")

    async def _postpone(self, wanted: LinkedText, reason: str, pause_s: float | None) -> None:
        TEXTS.labels(wanted.source, "retried" if pause_s is not None else "given-up").inc()
        log.warning(
            "linked text not fetched", source=wanted.source, guid=wanted.guid, reason=reason,
            retry_in_s=round(pause_s) if pause_s is not None else None,
        )  # fmt: skip
        await self._pool.execute(
            "UPDATE ingest.linked_texts SET due_at = now() + make_interval(secs => $4), error = $5 "
            "WHERE source = $1 AND guid = $2 AND url = $3",
            wanted.source, wanted.guid, wanted.url, pause_s, reason.replace("\x00", "")[:1000],
        )  # fmt: skip


def with_text(version: Mapping[str, JsonValue], reading: ReadResult) -> dict[str, JsonValue] | None:
    """The version with the text that was read, and what else only the text's file says; None where there is no text."""
    read = next((update for update in reading.updates if update.body_html), None)
    if read is None:
        return None
    said: dict[str, JsonValue] = {"body_html": read.body_html}
    for name in ("byline", "located", "headline"):
        if not version.get(name) and (value := getattr(read, name)):
            said[name] = value
    return {**version, **said}
