"""What the stream carries, and its form on the wire: server-sent events (WHATWG HTML, section 9.2)."""

import re
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import orjson

from publish.representation.position import Position
from shared.observability.traces import Passage

VIEWS = ("json", "page")
"""`json`: the data for any consumer. `page`: the same with a ready `html` fragment for the site's own page."""

_LINE = re.compile(rb"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """One revision on the stream. `views` has the data of each view, `json` at least.

    `channels` are those of the revision and of the one before it, so that readers of a channel that an update leaves are told.
    `enriched_at` is the time, in seconds of the Unix epoch, from which delivery is measured; 0 measures nothing.
    """

    epoch: int
    offset: int
    kind: str
    channels: frozenset[str]
    views: Mapping[str, bytes]
    enriched_at: float = 0.0
    passage: Passage | None = None
    """Its way through this replica, where it is traced."""

    @property
    def position(self) -> Position:
        """Its position in the log."""
        return Position(self.epoch, self.offset)


@dataclass(frozen=True, slots=True)
class Replayed:
    """Events after a cursor, in order. The answer is complete up to and with `through`."""

    events: Sequence[StreamEvent]
    through: Position


Replay = Callable[[Position, Collection[str], int], Awaitable[Replayed | None]]
"""Asks the archive: `(after, channels, limit)`. None when it cannot tell what followed that cursor. An answer of `limit`
events is complete up to the last of them."""


def parse_cursor(text: str) -> Position:
    """The position of a cursor; ValueError where it is none. `epoch--1` stands before the first event of an epoch."""
    if text.endswith("--1"):
        return Position.parse(text[:-3] + "-0")._replace(offset=-1)
    return Position.parse(text)


def frame(kind: str, data: bytes, position: Position | None = None) -> bytes:
    """One event as it goes over the wire; data of several lines takes several `data` fields."""
    if b"\n" in data or b"\r" in data:
        data = b"\ndata: ".join(_LINE.split(data))
    head = b"id: %d-%d\n" % position if position is not None else b""
    return b"%bevent: %b\ndata: %b\n\n" % (head, kind.encode(), data)


def reset_data(reason: str, snapshots: Sequence[str], position: Position | None) -> bytes:
    """The data of a reset: why, what to fetch, and the cursor behind which the stream goes on, where it does.

    Of several channels `snapshots` has them all; `snapshot` is the first.
    """
    body: dict[str, str | Sequence[str]] = {"reason": reason, "snapshot": snapshots[0]}
    if len(snapshots) > 1:
        body["snapshots"] = snapshots
    if position is not None:
        body["cursor"] = str(position)
    return orjson.dumps(body)


def reset_frame(reason: str, snapshots: Sequence[str], position: Position | None) -> bytes:
    """Tells a reader that the stream cannot be continued from where it was: fetch the snapshots, then follow on.

    With a position, what is streamed after the reset begins right behind it.
    """
    return frame("reset", reset_data(reason, snapshots, position), position)


def end_of_frame(data: bytes, sent: int) -> int:
    """Where the frame ends that byte `sent` of `data` belongs to; `sent` itself when nothing of a frame is begun.

    `data` is whole frames, perhaps behind a response's head; an empty line is nowhere but at the end of a frame.
    """
    if sent <= 0 or (sent >= 2 and data.startswith(b"\n\n", sent - 2)):
        return max(sent, 0)
    end = data.find(b"\n\n", sent - 1)
    return len(data) if end < 0 else end + 2
