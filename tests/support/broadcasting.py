"""Helpers of the stream's tests: a broadcaster on the running loop, its readers, and a log to replay from."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import REGISTRY

from publish.representation.position import Position
from publish.web.stream.broadcaster import Broadcaster
from publish.web.stream.event import Replayed, StreamEvent
from publish.web.stream.limits import StreamLimits
from publish.web.stream.request import parse_request
from support.event_stream import Reader

CHANNELS = ("news", "tag:a", "tag:b", "story:c")


def event(offset: int, *channels: str, epoch: int = 1, kind: str = "update", size: int = 0) -> StreamEvent:
    """An event of some channels, `news` among them."""
    body = b'{"n":%d,"pad":"%b"}' % (offset, b"x" * size)
    return StreamEvent(epoch, offset, kind, frozenset({"news", *channels}), {"json": body})


@dataclass
class Log:
    """Everything that was ever published, as the archive has it."""

    events: list[StreamEvent]
    asked: int = 0

    async def replay(self, after: Position, channels: Collection[str], limit: int) -> Replayed | None:
        """The archive's answer, after a moment."""
        self.asked += 1
        known = list(self.events)
        await asyncio.sleep(0.001 * (self.asked % 3))
        if not known or known[-1].epoch != after.epoch:
            return None
        found = [each for each in known if each.position > after and not each.channels.isdisjoint(channels)][:limit]
        return Replayed(found, found[-1].position if len(found) == limit else known[-1].position)


@contextlib.contextmanager
def started(
    limits: StreamLimits | None = None, log: Log | None = None, begin: tuple[int, int] = (1, 0)
) -> Iterator[Broadcaster]:
    """A broadcaster on the running loop."""
    broadcaster = Broadcaster(limits or StreamLimits(), log.replay if log else None)
    broadcaster.begin(*begin)
    broadcaster.start()
    try:
        yield broadcaster
    finally:
        broadcaster.close()


def connect(broadcaster: Broadcaster, query: str = "", last_event_id: str = "", *, buffer: int = 0) -> Reader:
    """A reader on a pair of sockets."""
    ours, theirs = socket.socketpair()
    if buffer:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer)
    ours.setblocking(False)
    broadcaster.connect(ours.detach(), parse_request(query, last_event_id), None)
    return Reader(theirs)


async def let_write(broadcaster: Broadcaster, turns: int = 20) -> None:
    """Give the loop turns in which the broadcaster writes."""
    for _ in range(turns):
        await asyncio.sleep(0)


def metric(name: str, **labels: str) -> float:
    """A metric's value now."""
    return REGISTRY.get_sample_value(name, labels) or 0.0


def numbers(reader: Reader) -> list[int]:
    """The numbers of the events received, resets left out."""
    return [json.loads(each.data)["n"] for each in reader.events if each.event != "reset"]


def reasons(reader: Reader) -> list[str]:
    """The reasons of the resets received."""
    return [json.loads(each.data)["reason"] for each in reader.events if each.event == "reset"]


class Slow(Mapping[str, bytes]):
    """Views of which the page's takes a millisecond to make; that of event 13 fails."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __getitem__(self, name: str) -> bytes:
        if name == "page":
            if self.number == 13:
                raise RuntimeError("no template for this")
            time.sleep(0.001)
        return b'{"n":%d}' % self.number

    def __iter__(self) -> Iterator[str]:
        return iter(("json", "page"))

    def __len__(self) -> int:
        return 2
