"""The media worker: claims references from the media queue and fetches, renders and announces their pictures.

What must hold:
- A picture is in the store before it is in the index, and in the index before its update is announced.
- Kafka has acknowledged the announcement before that is recorded. A process that is killed leaves the rest to be done again,
  and doing it twice changes nothing, since everything is keyed by content and by reference.
- A slow host delays its own pictures only, and an outage of our servers costs no picture an attempt.
"""

import asyncio
import contextlib
import hashlib
from collections import Counter as Tally
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence

import structlog
from obstore.store import ObjectStore
from prometheus_client import Counter, Gauge

from enrich.media import pictures, queue
from enrich.media.errors import PictureRefused, PictureUnavailable
from enrich.media.fetch import Fetcher
from enrich.media.pictures import Picture
from enrich.media.queue import Task
from enrich.media.render.pool import RendererPool
from enrich.media.store import store_renditions
from enrich.picture_index.rights import Judgement, Newsroom, wire_words
from enrich.settings import Settings
from shared.background import keep_running
from shared.consumer.decode import Incoming, Rejection
from shared.crash_points import reached
from shared.failures import Transient
from shared.failures.backoff import Backoff
from shared.failures.transient import TRANSIENT, is_transient, reason_of
from shared.kafka.producer import Producer, acknowledged
from shared.messages import MediaReference, MediaWanted, Refresh
from shared.postgres.clock import Clock, wall_clock
from shared.postgres.pool import Pool
from shared.streams import RAW

log = structlog.get_logger(__name__)

FINISHED = Counter("slugline_media_references", "References that are finished", ["state"])
RETRIES = Counter("slugline_media_retries", "References that are tried again later", ["because"])
RUNNING = Gauge("slugline_media_running_references", "References that this process works on")
WAITING = Gauge(
    "slugline_media_waiting_references",
    "References that are to be fetched, of all processes: for the first time (now) or again (later)",
    ["turn"],
)
POLL_S = 0.5
OUTAGE_PAUSE_S = 5.0
LONGEST_PAUSE_S = 3600.0
MAX_RENDITIONS_TRIED = 3
FAILING_SHARE = 0.5
"""Of the pictures that are fetched at once, at most so many are of hosts that failed last time."""
MOST_FAILING = 1000
MAX_TRIED_ALONE = 3
"""After so many processes died while they worked on a reference alone, it is given up."""


class MediaWorker:
    """One process's share of the work."""

    def __init__(
        self,
        settings: Settings,
        *,
        pool: Pool,
        store: ObjectStore,
        fetcher: Fetcher,
        renderers: RendererPool,
        producer: Producer,
        clock: Clock = wall_clock,
    ) -> None:
        self._settings = settings
        self._pool = pool
        self._store = store
        self._fetcher = fetcher
        self._renderers = renderers
        self._producer = producer
        self._clock = clock
        self._newsroom = Newsroom.of(settings.enrich_country, settings.enrich_time_zone)
        self._backoff = Backoff(first_s=settings.enrich_media_retry_s, longest_s=LONGEST_PAUSE_S, factor=4.0)
        self._running: dict[tuple[str, str], Task] = {}
        self._jobs: set[asyncio.Task[None]] = set()
        self._isolated: deque[Task] = deque()
        """References whose process died: each is worked on by itself, to find the one at fault."""
        self._failing: dict[str, None] = {}
        """Hosts whose last picture could not be fetched; the one that failed longest ago first."""
        self._url_locks: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}
        self._wake = asyncio.Event()
        self._outage: str | None = None

    async def handle(self, incoming: Sequence[Incoming[MediaWanted]]) -> list[Rejection]:
        """Handle messages: queue what is wanted in Postgres, so that no offset in Kafka waits for a slow host."""
        events = [(message.event, message.header("traceparent")) for message in incoming]
        if await queue.want(self._pool, events):
            self._wake.set()
        return []

    def why_not_ready(self) -> str | None:
        """For `Health.ready`."""
        return f"paused by {self._outage}" if self._outage else None

    async def run(self) -> None:
        """Work on what is due until cancelled; what is unfinished then is released at once."""
        try:
            await keep_running("pictures", self._claim_due, every_s=POLL_S, wake=self._wake)
        finally:
            unfinished = list(self._running.values())
            for job in self._jobs:
                job.cancel()
            await asyncio.gather(*self._jobs, return_exceptions=True)
            for task in unfinished:
                with contextlib.suppress(*TRANSIENT):
                    await queue.retry(self._pool, task, "released by a process that stopped", 0.0, counts=False)

    async def keep_leases(self) -> None:
        """Renew the leases of what is being worked on, and count what waits, until cancelled."""

        async def step() -> None:
            if tasks := list(self._running.values()):
                await queue.renew(self._pool, tasks, self._settings.enrich_media_lease_s)
            for turn, count in (await queue.waiting(self._pool)).items():
                WAITING.labels(turn).set(count)

        await keep_running("pictures' leases", step, every_s=self._settings.enrich_media_lease_s / 3)

    async def _claim_due(self) -> None:
        if self._isolated:
            if not self._jobs:
                self._start(self._isolated.popleft())
            return
        free = self._settings.enrich_media_fetches - len(self._jobs)
        if free <= 0:
            return
        try:
            tasks = await self._claim(free)
        except TRANSIENT as error:
            self._note_outage(error)
            raise
        self._outage = None
        for task in tasks:
            if task.key in self._running:
                continue
            self._running[task.key] = task
            if task.lost and task.state == "pending":
                self._isolated.append(task)
            else:
                self._start(task)
        RUNNING.set(len(self._running))

    async def _claim(self, free: int) -> list[Task]:
        """Claim what is due: first of hosts that answer, then of those that failed last time, which have their own share."""
        per_host = self._settings.enrich_media_fetches_per_host
        hosts = Tally(task.host for task in self._running.values() if task.state == "pending")

        async def claim(running: Mapping[str, int], most: int) -> list[Task]:
            return await queue.claim(
                self._pool, running=running, per_host=per_host, free=most, lease_s=self._settings.enrich_media_lease_s
            )

        tasks = await claim({**hosts, **dict.fromkeys(self._failing, per_host)}, free)
        share = max(1, int(self._settings.enrich_media_fetches * FAILING_SHARE))
        room = min(free - len(tasks), share - sum(hosts[host] for host in self._failing))
        if self._failing and room > 0:
            hosts.update(task.host for task in tasks if task.state == "pending")
            tasks += await claim(hosts, room)
        return tasks

    def _note_host(self, host: str, *, failed: bool) -> None:
        self._failing.pop(host, None)
        if failed:
            self._failing[host] = None
            if len(self._failing) > MOST_FAILING:
                del self._failing[next(iter(self._failing))]

    def _start(self, task: Task) -> None:
        job = asyncio.create_task(self._process(task), name=f"picture:{task.update_id}")
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        job.add_done_callback(lambda _: self._wake.set())

    async def _process(self, task: Task) -> None:
        try:
            if task.state == "pending" or task.has_opened(self._clock()):
                await self._finish(task)
            await self._announce(task)
        except Exception as error:
            if is_transient(error):
                self._note_outage(error)
                RETRIES.labels("infrastructure").inc()
                with contextlib.suppress(*TRANSIENT):
                    await queue.retry(self._pool, task, reason_of(error), OUTAGE_PAUSE_S, counts=False)
                return
            log.exception("bug in the media worker", update_id=task.update_id, url=task.shown_url)
            with contextlib.suppress(*TRANSIENT):
                await queue.retry(self._pool, task, "a bug of ours", self._settings.enrich_media_lease_s, counts=True)
        finally:
            self._running.pop(task.key, None)
            RUNNING.set(len(self._running))
            self._wake.set()

    async def _finish(self, task: Task) -> None:
        if task.tried_alone >= MAX_TRIED_ALONE:
            reason = f"given up: {task.tried_alone} processes died while they worked on it alone"
            log.error("a picture kills its process", update_id=task.update_id, url=task.shown_url)
            await self._record(task, "failed", Judgement(reason), None)
            return
        if task.lost:
            await queue.try_alone(self._pool, task)
        if task.attempts > self._settings.enrich_media_attempts:
            await self._record(task, "failed", Judgement(f"given up after {task.attempts - 1} attempts"), None)
            return
        # Versions of an update often name the same picture: the second finds what the first fetched.
        async with self._locked_url(task.source, task.url):
            try:
                picture = await self._picture(task)
            except PictureRefused as error:
                self._note_host(task.host, failed=False)
                await self._record(task, "failed", Judgement(error.reason), None)
                return
            except PictureUnavailable as failure:
                self._note_host(task.host, failed=True)
                await self._postpone(task, failure)
                return
            self._note_host(task.host, failed=False)
            rights = await pictures.rights_of(self._pool, task.source, self._newsroom)
            state, why = queue.outcome_of(task, picture, rights, self._clock())
            await self._record(task, state, why, picture.sha256)
            reached("media.finished")

    async def _postpone(self, task: Task, failure: PictureUnavailable) -> None:
        if task.attempts >= self._settings.enrich_media_attempts:
            reason = f"given up after {task.attempts} attempts: {failure.reason}"
            await self._record(task, "failed", Judgement(reason), None)
            return
        pause_s = min(max(self._backoff.pause_s(task.attempts), failure.after_s or 0.0), LONGEST_PAUSE_S)
        RETRIES.labels("host").inc()
        log.info(
            "picture postponed", update_id=task.update_id, url=task.shown_url, reason=failure.reason,
            attempt=task.attempts, retry_in_s=round(pause_s, 1),
        )  # fmt: skip
        await queue.retry(self._pool, task, failure.reason, pause_s, counts=True)

    async def _record(self, task: Task, state: str, why: Judgement, sha256: str | None) -> None:
        if not await queue.finish(self._pool, task, state, why, sha256):
            return
        FINISHED.labels(state).inc()
        log.info(
            "picture finished", update_id=task.update_id, source=task.source, url=task.shown_url, state=state, reason=why.reason,
            sha256=sha256,
        )  # fmt: skip

    async def _picture(self, task: Task) -> Picture:
        """The picture of a reference: a known one, or fetched from the first of its URLs that is accepted."""
        if task.sha256 is not None and task.fetched_url == task.url:
            picture = await pictures.find(self._pool, task.sha256)
            if picture is not None:
                return picture
        recent = await pictures.fetched_recently(self._pool, task.source, task.url, self._settings.enrich_media_reuse_s)
        if recent is not None:
            return recent
        reasons: list[str] = []
        for url in (task.url, *task.wanted.renditions[: MAX_RENDITIONS_TRIED - 1]):
            try:
                return await self._fetch_and_render(task.wanted, url)
            except PictureRefused as error:
                reasons.append(error.reason)
        raise PictureRefused("; then ".join(dict.fromkeys(reasons)))

    async def _fetch_and_render(self, wanted: MediaReference, url: str) -> Picture:
        async with self._fetcher.fetched(url) as data:
            sha256 = hashlib.sha256(data).hexdigest()
            picture = await pictures.find(self._pool, sha256)
            if picture is not None:
                if picture.refused:
                    raise PictureRefused(picture.refused)
                return picture
            try:
                rendered = await self._renderers.render(data, wire=wire_words(wanted))
            except PictureRefused as error:
                await pictures.add_refused(self._pool, sha256, len(data), error.reason)
                raise
            size_bytes = len(data)
        renditions = await store_renditions(self._store, sha256, rendered.renditions)
        reached("media.stored")
        picture = await pictures.add(
            self._pool, sha256, size_bytes, rendered, renditions, compare=wanted.kind == "picture"
        )  # fmt: skip
        reached("media.indexed")
        return picture

    @contextlib.asynccontextmanager
    async def _locked_url(self, source: str, url: str) -> AsyncIterator[None]:
        key = (source, url)
        lock, users = self._url_locks.get(key, (asyncio.Lock(), 0))
        self._url_locks[key] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._url_locks.pop(key)
            if users > 1:
                self._url_locks[key] = (lock, users - 1)

    async def _announce(self, task: Task) -> None:
        """Ask enrich text for a revision, once for all pictures of an update that finish together."""
        opened = task.has_opened(self._clock())
        finished, fetching = await queue.unannounced(self._pool, task.update_id)
        if not finished or (fetching and task.state == "pending"):
            # The last one announces. Should it take long, the others become due by themselves.
            return
        await acknowledged(
            [
                await self._producer.send(
                    RAW,
                    Refresh(update_id=task.update_id, cause="media", requested_at=self._clock()),
                    key=task.source,
                    event_id=f"{task.update_id}:media{':opened' if opened else ''}:{':'.join(sorted(finished))}"[:500],
                    traceparent=task.traceparent,
                )
            ]
        )
        reached("media.announced")
        await queue.mark_announced(self._pool, task.update_id, finished)

    def _note_outage(self, error: BaseException) -> None:
        reason = error.reason if isinstance(error, Transient) else reason_of(error)
        if self._outage is None:
            log.warning("media worker paused", error=reason)
        self._outage = reason
