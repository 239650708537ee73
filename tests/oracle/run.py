"""One run: copy flows, readers read, faults happen; then faults stop, all must be healthy, and everything is compared."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from oracle.channels import compare_channels, compare_feed_told
from oracle.differences import Differences
from oracle.eventlogs import compare_deliveries, compare_stream, compare_words
from oracle.faults.schedule import Faults
from oracle.model import Model
from oracle.newsroom import WIRES, Newsroom, key_of, opened
from oracle.observers.pages import PageReader, compare_pages
from oracle.observers.recipients import Recipients, recipients
from oracle.observers.stream import Poller, StreamReader
from oracle.sender import Sender
from oracle.truth import Truth, compare_with_model, read_truth, settled
from oracle.wire import Wire

READERS = 4
HEALTHY_S = 30.0
SETTLED_S = 45.0
SAID_S = 5.0

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
    def events(self) -> int:
        """How many events they have seen."""
        logs = [*(each.log for each in (*self.readers, *self.pollers)), self.pages.log, self.recipients.webhooks]
        return sum(len(log.seen) for log in logs)


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


async def run(seed: int, seconds: float, *, faults: bool, rate: float, say: Say) -> Report:
    """Run the oracle; `rate` is requests a second, all sources together."""
    differences, model = Differences(), Model()
    report = Report(seed, seconds)
    async with opened(differences) as newsroom, recipients(newsroom, seed) as told:
        observers = Observers(
            [StreamReader(f"stream reader {n}", newsroom.webs, seed) for n in range(1, READERS + 1)],
            [Poller(f"/v1/{kind}", newsroom.webs, seed) for kind in ("poll", "since")],
            PageReader(newsroom.webs, model, differences, seed),
            told,
        )
        senders = [_sender(newsroom, model, differences, n, seed, len(WIRES) / rate) for n in range(len(WIRES))]
        planned = Faults(newsroom, differences, seed, say)
        watching = [asyncio.create_task(each) for each in observers.tasks()]
        try:
            await _flow(model, senders, planned if faults else None, observers, differences, seconds, say)
            report.healthy_after_s = await _recover(newsroom, differences, say)
            truth, report.settled_after_s = await _settle(newsroom, model, observers, say)
        finally:
            for task in watching:
                task.cancel()
            await asyncio.gather(*watching, return_exceptions=True)
        await _compare(newsroom, model, truth, observers, differences, seed)
        report.unsure = compare_with_model(model, truth, differences)
    _fill(report, model, truth, observers, senders, planned, differences)
    return report


def _sender(newsroom: Newsroom, model: Model, differences: Differences, n: int, seed: int, pace_s: float) -> Sender:
    source = WIRES[n]
    wire = Wire(model, source, n, seed)
    address = newsroom.worker("ingest-api").url
    return Sender(wire, model, differences, address, key_of(source), key_of("desk"), pace_s)


async def _flow(
    model: Model,
    senders: list[Sender],
    faults: Faults | None,
    observers: Observers,
    differences: Differences,
    seconds: float,
    say: Say,
) -> None:
    """Copy flows for so long, and for as long as faults are under way."""
    stop = asyncio.Event()
    began = time.monotonic()
    sending = [asyncio.create_task(each.send_until(stop)) for each in senders]
    saying = asyncio.create_task(_keep_saying(model, observers, faults, differences, began, say))
    try:
        if faults is not None:
            await faults.happen_until(began + seconds)
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        if faults is not None:
            await faults.end()
        stop.set()
        await asyncio.gather(*sending)
    finally:
        for task in (saying, *sending):
            task.cancel()
        await asyncio.gather(saying, *sending, return_exceptions=True)


async def _keep_saying(
    model: Model, observers: Observers, faults: Faults | None, differences: Differences, began: float, say: Say
) -> None:
    while True:
        await asyncio.sleep(SAID_S)
        fired = f", {faults.fired} of {faults.planned} faults fired" if faults is not None else ""
        say(
            f"{time.monotonic() - began:5.0f} s: {model.accepted} inputs about {len(model.updates)} updates, "
            f"{observers.events} events seen{fired}, {differences.total} differences"
        )


async def _recover(newsroom: Newsroom, differences: Differences, say: Say) -> float | None:
    """Without a hand, everything is ready again."""
    after_s = await newsroom.healthy(HEALTHY_S)
    if after_s is None:
        differences.add(
            "processes", "not healthy in time", ", ".join(newsroom.unready()), expected=f"ready within {HEALTHY_S:g} s",
            got="\n".join(newsroom.worker(name).child.tail(5) for name in newsroom.unready()),
        )  # fmt: skip
        await newsroom.healthy(60)
    say(f"healthy after {after_s and round(after_s, 1)} s")
    return after_s


async def _settle(newsroom: Newsroom, model: Model, observers: Observers, say: Say) -> tuple[Truth, float]:
    """Wait, bounded, until every moment has passed and what was accepted is everywhere."""
    moments = [at for each in model.updates.values() if (at := each.moment) is not None]
    await asyncio.sleep(max([0.0, *(at - time.time() + 1.0 for at in moments)]))
    model.pass_time(time.time())
    began = time.monotonic()
    while True:
        truth = await read_truth(newsroom.settings)
        waiting = settled(model, truth)
        if not waiting and await _have_all(truth, observers, newsroom):
            break
        if time.monotonic() > began + SETTLED_S:
            say(f"not settled: {waiting[:5]}")
            break
        await asyncio.sleep(0.5)
    await asyncio.sleep(3.0)
    after_s = time.monotonic() - began
    say(f"settled after {after_s:.1f} s")
    return await read_truth(newsroom.settings), after_s


async def _have_all(truth: Truth, observers: Observers, newsroom: Newsroom) -> bool:
    """Whether the last revision of each update has been delivered; the other channels are sooner."""
    newest: dict[str, int] = {}
    for seen in observers.recipients.webhooks.seen:
        newest[seen.update_id] = max(seen.revision, newest.get(seen.update_id, 0))
    with contextlib.suppress(OSError):
        lasts = [truth.last(update_id) for update_id in truth.of_update if truth.position(update_id) is not None]
        return all(last is not None and newest.get(last.update_id, 0) >= last.revision for last in lasts)
    return False


async def _compare(
    newsroom: Newsroom, model: Model, truth: Truth, observers: Observers, differences: Differences, seed: int
) -> None:
    for reader in observers.readers:
        compare_stream(truth, reader.log, differences)
        compare_words(model, reader.log, differences)
    for poller in observers.pollers:
        compare_stream(truth, poller.log, differences)
        compare_words(model, poller.log, differences)
    compare_pages(truth, observers.pages.log, differences)
    compare_words(model, observers.pages.log, differences)
    compare_deliveries(truth, observers.recipients.webhooks, differences)
    compare_words(model, observers.recipients.webhooks, differences)
    compare_feed_told(observers.recipients.feed, truth, differences)
    await compare_channels(newsroom, model, truth, differences, seed)


def _fill(
    report: Report,
    model: Model,
    truth: Truth,
    observers: Observers,
    senders: list[Sender],
    faults: Faults,
    differences: Differences,
) -> None:
    report.updates, report.inputs = len(model.updates), model.accepted
    report.revisions, report.repeats, report.other_repeats = len(truth.first), truth.repeats, truth.other_repeats
    report.events = observers.events
    report.resets = sum(len(each.log.resets) for each in (*observers.readers, *observers.pollers))
    report.planned, report.fired, report.faults = faults.planned, faults.fired, dict(sorted(faults.counts.items()))
    report.differences, report.kinds = differences.total, dict(sorted(differences.counts.items()))
    for sender in senders:
        for what, count in sender.answers.items():
            report.answers[what] = report.answers.get(what, 0) + count
    report.found = differences.as_json()
