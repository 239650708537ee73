"""Which faults happen when: drawn by a seed, several at a time, no two at one process, and of servers one at a time."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable

from oracle.differences import Differences
from oracle.faults import kinds
from oracle.faults.kinds import Fault
from oracle.newsroom import USES_REDIS, Newsroom, Worker
from support.proxy import Proxy

EVERY_S = 0.9
"""Between two faults that begin."""
STEADY_S = 3.0
"""A process is left alone for so long once it is ready: one that dies four times over a message is to set that aside."""
SERVERS_REST_S = 12.0
"""Between two faults of servers, so that something flows in between."""
LONG_S = 13.0
"""Past the ten seconds after which Kafka takes a silent member for dead, and Postgres ends an idle transaction."""

Make = Callable[[], Fault | None]
CRASHES = {
    "ingest-api": ("ingest.original-stored", "ingest.emitted", "ingest.recorded", "ingest.order-emitted", "ingest.order-recorded"),
    "enrich-text": (
        "enrich.revision-sent", "enrich.revision-acknowledged", "enrich.rows-written", "enrich.outcomes-sent", "enrich.release-sent",
        "enrich.release-recorded", "enrich.refreshes-sent", "consumer.done", "consumer.committed",
    ),
    "enrich-media": ("media.stored", "media.indexed", "media.finished", "media.announced"),
    "publish-archive": (
        "archive.written", "archive.committed", "archive.outcomes-sent", "consumer.done", "consumer.committed",
    ),
    "publish-cache": ("cache.taken-out", "cache.written", "consumer.done", "consumer.committed"),
    "publish-push": (
        "push.queued", "push.queued-committed", "push.claimed", "push.sent", "push.recorded", "takedown.looked",
        "takedown.recorded", "consumer.done", "consumer.committed",
    ),
}  # fmt: skip
RARE = (
    "ingest.order-emitted", "ingest.order-recorded", "enrich.release-sent", "enrich.release-recorded", "cache.taken-out",
    "takedown.looked", "takedown.recorded", "enrich.refreshes-sent", "media.stored", "media.indexed", "media.finished",
    "media.announced",
)  # fmt: skip
"""What does not come with every message: the first time is waited for."""


class Faults:
    """The faults of one run."""

    def __init__(self, newsroom: Newsroom, differences: Differences, seed: int, say: Callable[[str], None]) -> None:
        self.planned = 0
        self.fired = 0
        self.counts: Counter[str] = Counter()
        self._newsroom = newsroom
        self._differences = differences
        self._random = random.Random(f"{seed}:faults")
        self._say = say
        self._running: set[asyncio.Task[None]] = set()
        self._held: set[str] = set()
        """Names of the processes and proxies that have a fault now."""
        self._server_free_at = time.monotonic() + 3.0
        self._server_busy = False
        self._weights: dict[Make, float] = {
            self._kill: 14, self._crash: 30, self._freeze: 12, self._freeze_long: 2, self._cut: 12, self._hold: 8, self._flush: 4,
            self._end_sessions: 4, self._replica: 3, self._kill_kafka: 1, self._kill_postgres: 2, self._kill_redis: 3,
            self._freeze_kafka: 1.5, self._freeze_postgres: 2, self._freeze_redis: 2,
            self._fill_redis: 2, self._read_only: 2, self._step_clock: 8, self._fill_disk: 2,
        }  # fmt: skip

    async def happen_until(self, ends: float, at_least: int = 0) -> None:
        """Begin one fault after the other until a moment of `time.monotonic`, and until so many have fired."""
        while time.monotonic() < ends or self.fired < at_least:
            await asyncio.sleep(EVERY_S * self._random.uniform(0.5, 1.5))
            fault = self._next()
            if fault is None:
                continue
            self.planned += 1
            task = asyncio.create_task(self._happen(fault))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def end(self) -> None:
        """Wait until all that have begun are over, while copy still flows."""
        while self._running:
            await asyncio.wait(self._running)

    def _next(self) -> Fault | None:
        for _ in range(10):
            [make] = self._random.choices(list(self._weights), list(self._weights.values()))
            if (fault := make()) is not None:
                return fault
        return None

    async def _happen(self, fault: Fault) -> None:
        try:
            fired = await fault.happen()
        except Exception as error:  # noqa: BLE001 -- a fault that fails has not fired
            fired = False
            self._say(f"{fault.name}: {type(error).__name__}: {error}")
        finally:
            if fault.worker is not None:
                self._held.discard(fault.worker.name)
            else:
                self._server_busy = False
                self._server_free_at = time.monotonic() + SERVERS_REST_S
        self.fired += fired
        self.counts[fault.name if fired else f"{fault.name} (did not fire)"] += 1
        if not fired:
            self._differences.add("faults", "did not fire", fault.name, expected="a proof", got="none")

    # Choosing

    def _worker(self, names: tuple[str, ...] = ()) -> Worker | None:
        """A process that is steady and has no fault."""
        steady = time.monotonic() - STEADY_S
        free = [
            each
            for each in self._newsroom.workers.values()
            if (not names or each.name in names) and each.wanted and each.name not in self._held
            and each.child.running and each.ready_since is not None and each.ready_since < steady
        ]  # fmt: skip
        return self._random.choice(free) if free and not self._server_busy else None

    def _at(self, name: str, worker: Worker, happen: Callable[[], Awaitable[bool]]) -> Fault:
        self._held.add(worker.name)
        return Fault(f"{name} {worker.name}", happen, worker)

    def _server(self, name: str, happen: Callable[[], Awaitable[bool]]) -> Fault | None:
        if self._server_busy or time.monotonic() < self._server_free_at:
            return None
        self._server_busy = True
        return Fault(name, happen)

    # Of processes

    def _kill(self) -> Fault | None:
        worker = self._worker()
        return self._at("kill", worker, lambda: kinds.kill(worker)) if worker else None

    def _crash(self) -> Fault | None:
        worker = self._worker(tuple(CRASHES))
        if worker is None:
            return None
        point = self._random.choice(CRASHES[worker.name])
        times = 1 if point in RARE else self._random.randint(1, 4)
        return self._at(f"crash at {point}", worker, lambda: kinds.crash(worker, point, times))

    def _freeze(self) -> Fault | None:
        worker, seconds = self._worker(), self._random.uniform(0.5, 4)
        return self._at("freeze", worker, lambda: kinds.freeze(worker, seconds)) if worker else None

    def _freeze_long(self) -> Fault | None:
        worker, seconds = self._worker(), LONG_S + self._random.uniform(0, 3)
        return self._at("freeze for long", worker, lambda: kinds.freeze(worker, seconds)) if worker else None

    def _step_clock(self) -> Fault | None:
        worker, seconds = self._worker(), self._random.uniform(1, 8)
        by_s = self._random.choice((-1, 1)) * self._random.uniform(3, 40)
        if worker is None or (clock := worker.clock) is None:
            return None
        return self._at("clock stepped", worker, lambda: kinds.step_clock(worker, clock, by_s, seconds))

    def _replica(self) -> Fault | None:
        first = self._worker(("enrich-text", "publish-archive", "publish-cache"))
        spare = self._newsroom.worker(f"{first.name}-2") if first else None
        if spare is None or spare.name in self._held:
            return None
        seconds, by_kill = self._random.uniform(2, 6), self._random.random() < 0.5
        return self._at("second replica", spare, lambda: kinds.second_replica(spare, seconds, by_kill=by_kill))

    # Of the network

    def _link(self) -> tuple[Worker, Proxy] | None:
        worker = self._worker()
        if worker is None:
            return None
        cached = worker.name in USES_REDIS and self._random.random() < 0.4
        proxy = worker.cache if cached else self._random.choice([worker.database, worker.log])
        return (worker, proxy) if proxy.connections else None

    def _cut(self) -> Fault | None:
        link, seconds = self._link(), self._random.uniform(0.1, 3)
        return self._at("cut off", link[0], lambda: kinds.cut(link[1], seconds)) if link else None

    def _hold(self) -> Fault | None:
        link, seconds = self._link(), self._random.uniform(0.5, 5)
        return self._at("network stands still", link[0], lambda: kinds.hold(link[1], seconds)) if link else None

    # Of servers

    def _flush(self) -> Fault | None:
        return self._server("flush redis", lambda: kinds.flush(self._newsroom))

    def _end_sessions(self) -> Fault | None:
        return self._server("end sessions of postgres", lambda: kinds.end_sessions(self._newsroom.postgres))

    def _kill_kafka(self) -> Fault | None:
        return self._server("kill kafka", lambda: kinds.kill_server(self._newsroom.kafka, 1.0))

    def _kill_postgres(self) -> Fault | None:
        return self._server("kill postgres", lambda: kinds.kill_server(self._newsroom.postgres, 1.0))

    def _kill_redis(self) -> Fault | None:
        return self._server("kill redis", lambda: kinds.kill_server(self._newsroom.redis, 0.5))

    def _freeze_kafka(self) -> Fault | None:
        seconds = self._random.uniform(1, 8)
        return self._server("freeze kafka", lambda: kinds.freeze_server(self._newsroom.kafka, seconds))

    def _freeze_postgres(self) -> Fault | None:
        seconds = self._random.uniform(1, 8)
        return self._server("freeze postgres", lambda: kinds.freeze_server(self._newsroom.postgres, seconds))

    def _freeze_redis(self) -> Fault | None:
        seconds = self._random.uniform(1, 5)
        return self._server("freeze redis", lambda: kinds.freeze_server(self._newsroom.redis, seconds))

    def _fill_disk(self) -> Fault | None:
        disk, seconds = self._newsroom.disk, self._random.uniform(1, 6)
        if disk is None:
            return None
        return self._server("disk full", lambda: kinds.fill_disk(self._newsroom, disk, seconds))

    def _fill_redis(self) -> Fault | None:
        seconds = self._random.uniform(1, 5)
        return self._server("no memory left in redis", lambda: kinds.fill_redis(self._newsroom, seconds))

    def _read_only(self) -> Fault | None:
        seconds = self._random.uniform(1, 5)
        return self._server(
            "postgres takes no writes", lambda: kinds.read_only_postgres(self._newsroom.postgres, seconds)
        )
