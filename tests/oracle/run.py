"""One run: copy flows, readers read, faults happen; then faults stop, all must be healthy, and everything is compared."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from oracle.attachments import Directory, compare_attachments, unattached
from oracle.channels import compare_channels, compare_feed_told, unproven
from oracle.differences import Differences
from oracle.eventlogs import compare_deliveries, compare_stream, compare_words
from oracle.evidence import evidence
from oracle.faults.schedule import Faults
from oracle.model import Model
from oracle.newsroom import WIRES, Newsroom, key_of, opened
from oracle.observers.pages import PageReader, compare_pages
from oracle.observers.recipients import Recipients, recipients
from oracle.observers.seen import Log
from oracle.observers.stream import Poller, StreamReader
from oracle.sender import Sender
from oracle.truth import Truth, compare_with_model, read_truth, settled
from oracle.wire import Wire

READERS = 4
HEALTHY_S = 30.0
STALLED_S = 60.0
"""Nothing more is to be expected where nothing has happened for so long: longer than any lease and any pause."""
SETTLED_S = 600.0
SAID_S = 5.0
LAST_S = 3.0
"""For who is told last."""

Say = Callable[[str], None]


@dataclass
class Observers:
    """All who watch."""

    readers: list[StreamReader]
    pollers: list[Poller]
    pages: PageReader
    recipients: Recipients

    def tasks(self) -> list[Coroutine[Any, Any, None]]:
        """What they do, until cancelled."""
        return [*(each.follow() for each in (*self.readers, *self.pollers)), self.pages.look()]

    @property
    def followers(self) -> list[Log]:
        """What those were told who follow the stream."""
        return [each.log for each in (*self.readers, *self.pollers)]

    @property
    def logs(self) -> list[Log]:
        """What all were told."""
        return [*self.followers, self.pages.log, self.recipients.webhooks]

    @property
    def events(self) -> int:
        """How many events they have seen."""
        return sum(len(log.seen) for log in self.logs)


@dataclass
class Report:
    """What one run came to."""

    seed: int
    seconds: float
    updates: int = 0
    inputs: int = 0
    revisions: int = 0
    repeats: int = 0
    other_repeats: int = 0
    events: int = 0
    resets: int = 0
    unsure: int = 0
    planned: int = 0
    fired: int = 0
    faults: dict[str, int] = field(default_factory=dict)
    healthy_after_s: float | None = None
    settled_after_s: float | None = None
    differences: int = 0
    kinds: dict[str, int] = field(default_factory=dict)
    answers: dict[str, int] = field(default_factory=dict)
    found: list[dict[str, str]] = field(default_factory=list)
    evidence: dict[str, Any] = field(default_factory=dict)
    """Of updates about which something differs; in the JSON."""


@dataclass
class Run:
    """One run, while it goes on."""

    newsroom: Newsroom
    model: Model
    differences: Differences
    observers: Observers
    senders: list[Sender]
    faults: Faults
    directory: Directory
    seed: int
    say: Say

    async def flow(self, seconds: float, *, faulty: bool, at_least: int = 0) -> None:
        """Copy flows for so long, and for as long as faults are under way or wanted."""
        stop = asyncio.Event()
        began = time.monotonic()
        sending = [asyncio.create_task(each.send_until(stop)) for each in self.senders]
        sending.append(asyncio.create_task(self.directory.change_until(stop)))
        saying = asyncio.create_task(self._keep_saying(began))
        try:
            if faulty:
                await self.faults.happen_until(began + seconds, at_least)
            await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
            await self.faults.end()
            stop.set()
            await asyncio.gather(*sending)
        finally:
            for task in (saying, *sending):
                task.cancel()
            await asyncio.gather(saying, *sending, return_exceptions=True)

    async def _keep_saying(self, began: float) -> None:
        while True:
            await asyncio.sleep(SAID_S)
            self.say(
                f"{time.monotonic() - began:5.0f} s: {self.model.accepted} inputs about {len(self.model.updates)} updates, "
                f"{self.observers.events} events seen, {self.faults.fired} of {self.faults.planned} faults fired, "
                f"{self.differences.total} differences"
            )

    async def recover(self) -> float | None:
        """Without a hand, everything is ready again."""
        after_s = await self.newsroom.healthy(HEALTHY_S)
        if after_s is None:
            unready = self.newsroom.unready()
            self.differences.add(
                "processes", "not healthy in time", ", ".join(unready), expected=f"ready within {HEALTHY_S:g} s",
                got="\n".join(self.newsroom.worker(name).child.tail(5) for name in unready),
            )  # fmt: skip
            await self.newsroom.healthy(60)
        self.say(f"healthy after {after_s and round(after_s, 1)} s")
        return after_s

    async def settle(self) -> tuple[Truth, float]:
        """Wait, bounded, until every moment has passed and what was accepted is everywhere."""
        moments = [at for each in self.model.updates.values() if (at := each.moment) is not None]
        await asyncio.sleep(max([0.0, *(at - time.time() + 1.0 for at in moments)]))
        self.model.pass_time(time.time())
        began, said_s, moved_s, before = time.monotonic(), 0.0, 0.0, (0, 0, 0, 0)
        while True:
            truth = await read_truth(self.newsroom.settings)
            waiting = settled(self.model, truth) or [each for each, _, _ in unattached(self.model, truth)]
            undelivered, unclean = self._undelivered(truth), await self._unproven()
            if not waiting and not undelivered and not unclean:
                break
            after_s = time.monotonic() - began
            if after_s > said_s + SAID_S:
                said_s = after_s
                self.say(
                    f"{after_s:5.0f} s: {len(waiting)} updates not as they must be, {len(undelivered)} not delivered, {unclean} sinks not clean: "
                    f"{waiting[:2]} {undelivered[:2]}"
                )
            now = (len(truth.records), len(waiting), len(undelivered), unclean)
            if now != before:
                before, moved_s = now, after_s
            if after_s > min(moved_s + STALLED_S, SETTLED_S):
                break
            await asyncio.sleep(0.5)
        after_s = time.monotonic() - began
        await asyncio.sleep(LAST_S)
        self.say(f"settled after {after_s:.1f} s")
        return await read_truth(self.newsroom.settings), after_s

    async def _unproven(self) -> int:
        connection = await asyncpg.connect(self.newsroom.settings.postgres_dsn)
        try:
            return len(await unproven(connection))
        finally:
            await connection.close()

    def _undelivered(self, truth: Truth) -> list[str]:
        """The updates whose last revision has not been delivered; the other channels are sooner."""
        newest: dict[str, int] = {}
        for seen in self.observers.recipients.webhooks.seen:
            newest[seen.update_id] = max(seen.revision, newest.get(seen.update_id, 0))
        lasts = [truth.last(update_id) for update_id in truth.of_update if truth.position(update_id) is not None]
        return [last.update_id for last in lasts if last is not None and newest.get(last.update_id, 0) < last.revision]

    async def compare(self, truth: Truth) -> int:
        """All that was seen with the log, and the log with the model; how many updates were not judged."""
        watched = self.observers
        for log in watched.followers:
            compare_stream(truth, log, self.differences)
        compare_pages(truth, watched.pages.log, self.differences)
        compare_deliveries(truth, watched.recipients.webhooks, self.differences)
        compare_feed_told(watched.recipients.feed, truth, self.differences)
        for log in watched.logs:
            compare_words(self.model, log, self.differences)
        compare_attachments(self.model, truth, self.differences)
        killed = "kill postgres" in self.faults.counts
        await compare_channels(
            self.newsroom, self.model, truth, self.differences, self.seed, postgres_was_killed=killed
        )
        return compare_with_model(self.model, truth, self.differences)

    def report(self, report: Report, truth: Truth) -> None:
        """Fill in the figures."""
        report.updates, report.inputs = len(self.model.updates), self.model.accepted
        report.revisions, report.repeats, report.other_repeats = len(truth.first), truth.repeats, truth.other_repeats
        report.events = self.observers.events
        report.resets = sum(len(log.resets) for log in self.observers.followers)
        report.planned, report.fired = self.faults.planned, self.faults.fired
        report.faults = dict(sorted(self.faults.counts.items()))
        report.differences, report.kinds = self.differences.total, dict(sorted(self.differences.counts.items()))
        for sender in self.senders:
            for what, count in sender.answers.items():
                report.answers[what] = report.answers.get(what, 0) + count
        report.found = self.differences.as_json()


async def run(seed: int, seconds: float, *, faulty: bool, rate: float, say: Say, at_least: int = 0) -> Report:
    """Run the oracle; `rate` is requests a second, all sources together, `at_least` the faults that must fire."""
    differences, model, report = Differences(), Model(), Report(seed, seconds)
    async with opened(differences) as newsroom, recipients(newsroom, seed) as told:
        observers = Observers(
            [StreamReader(f"stream reader {n}", newsroom.webs, seed) for n in range(1, READERS + 1)],
            [Poller(f"/v1/{kind}", newsroom.webs, seed) for kind in ("poll", "since")],
            PageReader(newsroom.webs, model, differences, seed),
            told,
        )
        address, pace_s = newsroom.worker("ingest-api").url, len(WIRES) / rate
        senders = [
            Sender(
                Wire(model, source, n, seed=seed, pictures=f"http://127.0.0.1:{told.port}/pictures"), model, differences, address=address,
                key=key_of(source), desk_key=key_of("desk"), pace_s=pace_s,
            )
            for n, source in enumerate(WIRES)
        ]  # fmt: skip
        planned = Faults(newsroom, differences, seed, say)
        directory = Directory(newsroom, model, differences, seed)
        own = Run(newsroom, model, differences, observers, senders, planned, directory, seed, say)
        watching = [asyncio.create_task(each) for each in observers.tasks()]
        try:
            await own.flow(seconds, faulty=faulty, at_least=at_least)
            report.healthy_after_s = await own.recover()
            truth, report.settled_after_s = await own.settle()
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
        report.unsure = await own.compare(truth)
        own.report(report, truth)
        about = {each.about.split(" ")[0] for each in differences.found if not each.kind.startswith("order")}
        report.evidence = await evidence(newsroom, model, about & model.updates.keys())
    return report
