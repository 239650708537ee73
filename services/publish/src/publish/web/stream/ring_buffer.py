"""The ring buffer of the newest events, encoded: what a reader who comes back is given from memory."""

import bisect
from collections.abc import Iterator, Mapping

import orjson

from publish.representation.position import Position
from publish.web.stream.event import VIEWS, StreamEvent, frame

UNMADE = 3
"""A view that is not made weighs so many times the event's JSON: what it would be made from is in memory instead."""


class EncodedEvent:
    """An event with its frames. A frame is made when the first reader of its view is sent it, and shared by all.

    An event without frames was killed since: its position is kept, its text is not. `size` is what it holds in memory.
    """

    __slots__ = ("_views", "channels", "enriched_at", "frames", "kind", "passage", "position", "size")

    def __init__(self, event: StreamEvent) -> None:
        self.position = event.position
        self.kind = event.kind
        self.channels = event.channels
        self.enriched_at = event.enriched_at
        self.passage = event.passage
        self._views: Mapping[str, bytes] = event.views
        self.frames = {"json": frame(event.kind, event.views["json"], event.position)}
        self.size = len(self.frames["json"]) * (1 + UNMADE * (len(VIEWS) - 1))

    def frame(self, view: str) -> bytes:
        """The event as readers of a view are sent it; KeyError once it was forgotten."""
        made = self.frames.get(view)
        if made is None:
            if not self.frames:
                raise KeyError(view)
            data = self._views[view if view in tuple(self._views) else "json"]
            # A removal goes to every tab: the names of its channels would reveal what the text was about.
            if view == "page" and self.kind != "kill":
                data = _with_channels(data, self.channels)
            made = self.frames[view] = frame(self.kind, data, self.position)
            self.size += len(made) - len(self.frames["json"]) * UNMADE
            if len(self.frames) == len(VIEWS):
                self._views = {}
        return made

    def data(self, view: str) -> bytes:
        """The event's JSON as it was given for a view."""
        framed = self.frame(view)
        return framed[framed.index(b"\ndata: ") + 7 : -2].replace(b"\ndata: ", b"\n")

    def forget(self) -> None:
        """Keep its position, and nothing of its text."""
        self.frames = {}
        self._views = {}
        self.size = 0


def _with_channels(data: bytes, channels: frozenset[str]) -> bytes:
    """The page's script holds one stream for several tabs: it must know which event is for which."""
    if b'"channels":' in data or not data.startswith(b"{") or len(data) < 3:
        return data
    return b'{"channels":%b,%b' % (orjson.dumps(sorted(channels)), data[1:])


GONE_AT_ONCE = 256
"""Events that are dropped together: moving the rest of the list for each of them would cost more than they take."""
GONE_SHARE = 1 / 64
"""Of the bytes that events may take: what they take that wait to be dropped. A single one may have megabytes."""


class RingBuffer:
    """A bounded run of events without a gap: everything after `floor`, up to and including `head`."""

    def __init__(self, most_events: int, most_bytes: int) -> None:
        self.most_events = most_events
        self.most_bytes = most_bytes
        self.size = 0
        self.floor = Position(0, -1)
        self.head = Position(0, -1)
        self._entries: list[EncodedEvent] = []
        self._positions: list[Position] = []
        self._start = 0
        self._gone_size = 0

    def __len__(self) -> int:
        return len(self._entries) - self._start

    def begin(self, floor: Position) -> None:
        """Forget everything; the next event follows `floor`."""
        self._entries.clear()
        self._positions.clear()
        self._start = self._gone_size = 0
        self.size = 0
        self.floor = self.head = floor

    def append(self, entry: EncodedEvent) -> None:
        """Append the next event. A kill removes the text of its update from the buffer."""
        if entry.kind == "kill":
            self._forget(entry.channels)
        self._entries.append(entry)
        self._positions.append(entry.position)
        self.head = entry.position
        self.size += entry.size
        while len(self) > self.most_events or (self.size > self.most_bytes and len(self) > 1):
            gone = self._entries[self._start]
            self.floor = gone.position
            self.size -= gone.size
            self._gone_size += gone.size
            self._start += 1
        if self._start >= GONE_AT_ONCE or self._gone_size > GONE_SHARE * self.most_bytes:
            del self._entries[: self._start]
            del self._positions[: self._start]
            self._start = self._gone_size = 0

    def frame(self, entry: EncodedEvent, view: str) -> bytes:
        """The frame of an event for a view; its bytes count if the event is in the buffer."""
        before = entry.size
        made = entry.frame(view)
        if entry.size != before and entry.position > self.floor:
            self.size += entry.size - before
        return made

    def of(self, channels: frozenset[str], after: Position, until: Position) -> Iterator[EncodedEvent]:
        """Those of `between` that are in one of the channels and were not killed."""
        for entry in self.between(after, until):
            if entry.frames and not entry.channels.isdisjoint(channels):
                yield entry

    def between(self, after: Position, until: Position) -> Iterator[EncodedEvent]:
        """The events after `after`, up to and including `until`."""
        first = bisect.bisect_right(self._positions, after, self._start)
        last = bisect.bisect_right(self._positions, until, self._start)
        for index in range(first, last):
            yield self._entries[index]

    def _forget(self, channels: frozenset[str]) -> None:
        about = {channel for channel in channels if channel.startswith("update:")}
        if not about:
            return
        for index in range(self._start, len(self._entries)):
            entry = self._entries[index]
            if entry.frames and entry.kind != "kill" and not about.isdisjoint(entry.channels):
                self.size -= entry.size
                entry.forget()
