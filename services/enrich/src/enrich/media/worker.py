"""The picture desk: takes up what is wanted, several at once, and brings each reference to an end.

What must not break:
- a picture is in the store before the index says so, and in the index before its update is announced;
- an update is announced, and Kafka has acknowledged it, before that is noted: killed anywhere, the rest is done again,
  and what is done twice is the same, since it is keyed by content and by reference;
- a slow host holds its own pictures only, and an infrastructure that is away costs no picture an attempt.
"""

import asyncio
import contextlib
import hashlib
from collections import Counter as Tally
from collections import deque
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from prometheus_client import Counter, Gauge

from enrich.media import pictures, queue
from enrich.media.fetch import Fetcher
from enrich.media.pictures import Picture
from enrich.media.queue import Task
from enrich.media.refusals import Later, Refused
from enrich.media.render.pool import Renderers
from enrich.media.store import store_renditions
from enrich.settings import Settings
from shared.background import keep_running
from shared.consumer.decode import Incoming, Rejection
from shared.failures import Transient
from shared.failures.backoff import Backoff
from shared.failures.transient import TRANSIENT, is_transient, reason_of
from shared.kafka.producer import Producer, acknowledged
from shared.messages import MediaReference, MediaWanted, Refresh
from shared.postgres.pool import Pool
from shared.streams import RAW

log = structlog.get_logger(__name__)

SETTLED = Counter("slugline_media_references", "References that came to an end", ["state"])
RETRIES = Counter("slugline_media_retries", "References that are tried again later", ["because"])
RUNNING = Gauge("slugline_media_running_references", "References that this process works on")
WAITING = Gauge(
    "slugline_media_waiting_references",
    "References that are to be fetched, of all processes: for the first time (now) or again (later)",
    ["turn"],
)
POLL_S = 0.5
AWAY_PAUSE_S = 5.0
LONGEST_PAUSE_S = 3600.0
MOST_RENDITIONS_TRIED = 3
MOST_TRIED_ALONE = 2
"""A picture that was fetched alone so often by a process that then ended is not fetched again."""


class PictureDesk:
    """One process's share of the work."""

    def __init__(
        self, settings: Settings, *, pool: Pool, store: Any, fetcher: Fetcher, renderers: Renderers, producer: Producer
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._store = store
        self._fetcher = fetcher
        self._renderers = renderers
        self._producer = producer
        self._backoff = Backoff(first_s=settings.enrich_media_retry_s, longest_s=LONGEST_PAUSE_S, factor=4.0)
        self._running: dict[tuple[str, str], Task] = {}
        self._jobs: set[asyncio.Task[None]] = set()
        self._alone: deque[Task] = deque()
        """Whose process ended before: each is worked on by itself, so that the one at fault is known."""
        self._urls: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}
        self._look = asyncio.Event()
        self._away: str | None = None

    async def handle(self, incoming: Sequence[Incoming[MediaWanted]]) -> list[Rejection]:
        """For the lane: note what is wanted. From here on Postgres has it, so the position in Kafka may move on while a
        slow host is waited for."""
        events = [(message.event, message.header("traceparent")) for message in incoming]
        if await queue.want(self._pool, events):
            self._look.set()
        return []

    def why_not_ready(self) -> str | None:
        """For `Health.ready`."""
        return f"paused by {self._away}" if self._away else None

    async def run(self) -> None:
        """Take up what is due until cancelled; what runs then is given back, for another process to take up at once."""
        try:
            await keep_running("pictures", self._take_up, every_s=POLL_S, wake=self._look)
        finally:
            given_back = list(self._running.values())
            for job in self._jobs:
                job.cancel()
            await asyncio.gather(*self._jobs, return_exceptions=True)
            for task in given_back:
                with contextlib.suppress(*TRANSIENT):
                    await queue.retry(self._pool, task, "given back", 0.0, counts=False)

    async def keep_leases(self) -> None:
        """Keep what is being worked on from being taken up elsewhere, and count what waits, until cancelled."""

        async def step() -> None:
            if tasks := list(self._running.values()):
                await queue.renew(self._pool, tasks, self._settings.enrich_media_lease_s)
            for turn, count in (await queue.waiting(self._pool)).items():
                WAITING.labels(turn).set(count)

        await keep_running("pictures' leases", step, every_s=self._settings.enrich_media_lease_s / 3)

    async def _take_up(self) -> None:
        if self._alone:
            if not self._jobs:
                self._begin(self._alone.popleft())
            return
        free = self._settings.enrich_media_fetches - len(self._jobs)
        if free <= 0:
            return
        hosts = Tally(task.host for task in self._running.values() if task.state == "pending")
        try:
            tasks = await queue.claim(
                self._pool,
                running=hosts,
                per_host=self._settings.enrich_media_fetches_per_host,
                free=free,
                lease_s=self._settings.enrich_media_lease_s,
            )
        except TRANSIENT as error:
            self._note_away(error)
            raise
        self._away = None
        for task in tasks:
            if task.key in self._running:
                continue
            self._running[task.key] = task
            if task.lost and task.state == "pending":
                self._alone.append(task)
            else:
                self._begin(task)
        RUNNING.set(len(self._running))

    def _begin(self, task: Task) -> None:
        job = asyncio.create_task(self._do(task), name=f"picture:{task.update_id}")
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        job.add_done_callback(lambda _: self._look.set())

    async def _do(self, task: Task) -> None:
        try:
            if task.state == "pending":
                await self._bring_to_an_end(task)
            await self._announce(task)
        except Exception as error:
            if is_transient(error):
                self._note_away(error)
                RETRIES.labels("infrastructure").inc()
                with contextlib.suppress(*TRANSIENT):
                    await queue.retry(self._pool, task, reason_of(error), AWAY_PAUSE_S, counts=False)
                return
            # It comes back after its lease; attempts are counted when it is taken up, so it ends.
            log.exception("bug in the picture desk", update_id=task.update_id, url=task.shown_url)
            with contextlib.suppress(*TRANSIENT):
                await queue.retry(self._pool, task, "a bug of ours", self._settings.enrich_media_lease_s, counts=True)
        finally:
            self._running.pop(task.key, None)
            RUNNING.set(len(self._running))
            self._look.set()

    async def _bring_to_an_end(self, task: Task) -> None:
        if task.tried_alone >= MOST_TRIED_ALONE:
            reason = f"set aside: the process that fetched it alone ended each time, {task.tried_alone} times"
            log.error("a picture takes its process down", update_id=task.update_id, url=task.shown_url)
            await self._settle(task, "failed", reason, None)
            return
        if task.lost:
            await queue.try_alone(self._pool, task)
        if task.attempts > self._settings.enrich_media_attempts:
            await self._settle(task, "failed", f"given up after {task.attempts - 1} attempts", None)
            return
        # The same lead picture comes with every version of a story, and with several at once: the second finds the first.
        async with self._one_at_a_time(task.source, task.url):
            try:
                picture = await self._picture(task)
            except Refused as refusal:
                await self._settle(task, "failed", refusal.reason, None)
                return
            except Later as later:
                await self._put_off(task, later)
                return
            state, reason = queue.outcome_of(task, picture, await pictures.rights_of(self._pool, task.source))
            await self._settle(task, state, reason, picture.sha256)

    async def _put_off(self, task: Task, later: Later) -> None:
        if task.attempts >= self._settings.enrich_media_attempts:
            reason = f"given up after {task.attempts} attempts: {later.reason}"
            await self._settle(task, "failed", reason, None)
            return
        pause_s = min(max(self._backoff.pause_s(task.attempts), later.after_s or 0.0), LONGEST_PAUSE_S)
        RETRIES.labels("host").inc()
        log.info(
            "picture put off", update_id=task.update_id, url=task.shown_url, reason=later.reason,
            attempt=task.attempts, retry_in_s=round(pause_s, 1),
        )  # fmt: skip
        await queue.retry(self._pool, task, later.reason, pause_s, counts=True)

    async def _settle(self, task: Task, state: str, reason: str, sha256: str | None) -> None:
        if not await queue.finish(self._pool, task, state, reason, sha256):
            return
        SETTLED.labels(state).inc()
        log.info(
            "picture settled", update_id=task.update_id, source=task.source, url=task.shown_url, state=state, reason=reason,
            sha256=sha256,
        )  # fmt: skip

    async def _picture(self, task: Task) -> Picture:
        """The picture of a reference: known already, or fetched, from the largest of its renditions that will do."""
        if task.sha256 is not None and task.fetched_url == task.url:
            picture = await pictures.find(self._pool, task.sha256)
            if picture is not None:
                return picture
        lately = await pictures.fetched_recently(self._pool, task.source, task.url, self._settings.enrich_media_reuse_s)
        if lately is not None:
            return lately
        refusals: list[str] = []
        for url in (task.url, *task.wanted.renditions[: MOST_RENDITIONS_TRIED - 1]):
            try:
                return await self._fetch_and_render(task.wanted, url)
            except Refused as refusal:
                refusals.append(refusal.reason)
        raise Refused("; then ".join(dict.fromkeys(refusals)))

    async def _fetch_and_render(self, wanted: MediaReference, url: str) -> Picture:
        async with self._fetcher.fetched(url) as data:
            sha256 = hashlib.sha256(data).hexdigest()
            picture = await pictures.find(self._pool, sha256)
            if picture is not None:
                if picture.refused:
                    raise Refused(picture.refused)
                return picture
            try:
                rendered = await self._renderers.render(data)
            except Refused as refusal:
                await pictures.add_refused(self._pool, sha256, len(data), refusal.reason)
                raise
            size_bytes = len(data)
        renditions = await store_renditions(self._store, sha256, rendered.renditions)
        return await pictures.add(
            self._pool, sha256, size_bytes, rendered, renditions, compare=wanted.kind == "picture"
        )  # fmt: skip

    @contextlib.asynccontextmanager
    async def _one_at_a_time(self, source: str, url: str) -> AsyncIterator[None]:
        key = (source, url)
        lock, users = self._urls.get(key, (asyncio.Lock(), 0))
        self._urls[key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._urls.pop(key)
            if users > 1:
                self._urls[key] = (lock, users - 1)

    async def _announce(self, task: Task) -> None:
        """Tell the text lane to look again, once for all of an update's pictures that settle together."""
        settled, fetching = await queue.unannounced(self._pool, task.update_id)
        if not settled or (fetching and task.state == "pending"):
            # The last of them announces; should it take long, what is settled falls due by itself.
            return
        await acknowledged(
            [
                await self._producer.send(
                    RAW,
                    Refresh(update_id=task.update_id, cause="media", requested_at=datetime.now(UTC)),
                    key=task.update_id,
                    event_id=f"{task.update_id}:media:{':'.join(sorted(settled))}"[:500],
                    traceparent=task.traceparent,
                )
            ]
        )
        await queue.mark_announced(self._pool, task.update_id, settled)

    def _note_away(self, error: BaseException) -> None:
        reason = error.reason if isinstance(error, Transient) else reason_of(error)
        if self._away is None:
            log.warning("picture desk paused", error=reason)
        self._away = reason
