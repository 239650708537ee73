"""Pieces of what readers missed, from the ring buffer: made when a socket has room, shared by all who missed the same."""

from dataclasses import dataclass
from itertools import islice

import structlog

from publish.representation.position import Position
from publish.web.stream import metrics
from publish.web.stream.event import reset_frame
from publish.web.stream.fanout.walk import PIECE_BYTES
from publish.web.stream.ring_buffer import EncodedEvent, RingBuffer

log = structlog.get_logger(__name__)

MADE_AT_ONCE = 32
"""Frames that may be made for one piece."""

LOOKED_AT = 2_000
"""Events of the ring buffer that are looked at for one piece."""

RECENT_BYTES = 16 * 1024 * 1024
"""Size of the pieces that are kept for others who missed the same."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Events after a position: `data` is complete up to and including `through`."""

    data: bytes
    through: Position
    count: int


class Pieces:
    """Makes pieces, and keeps them while nothing new is sent."""

    def __init__(self, buffer: RingBuffer, snapshot: str) -> None:
        self._buffer = buffer
        self._snapshot = snapshot
        self._kept: dict[tuple[frozenset[str], str, Position], Piece] = {}
        self._size = 0

    def frame(self, entry: EncodedEvent, view: str) -> bytes:
        """The frame of an event for a view; a reset if it cannot be made."""
        try:
            return self._buffer.frame(entry, view)
        except Exception:
            log.exception("an event cannot be shown", position=str(entry.position), view=view)
            metrics.RESETS.labels("broken").inc()
            return reset_frame("broken", (self._snapshot,), entry.position)

    def piece(self, channels: frozenset[str], view: str, after: Position, until: Position) -> Piece:
        """The next of what memory has after a position, as one buffer that all who ask for the same share.

        Where it comes as far as `until`, it ends with that position's id.
        """
        key = (channels, view, after)
        found = self._kept.get(key)
        if found is not None:
            return found
        frames: list[bytes] = []
        size = made = 0
        through = after
        entries = self._buffer.between(after, until)
        for entry in islice(entries, LOOKED_AT):
            if entry.frames and not entry.channels.isdisjoint(channels):
                made += view not in entry.frames
                data = self.frame(entry, view)
                size += len(data)
                if frames and size > PIECE_BYTES:
                    break
                frames.append(data)
            through = entry.position
            if size > PIECE_BYTES or made >= MADE_AT_ONCE:
                break
        else:
            if next(entries, None) is None:
                through = until
        count = len(frames)
        if through == until and size <= PIECE_BYTES:
            frames.append(b"id: %d-%d\n\n" % through)
        found = Piece(frames[0] if len(frames) == 1 else b"".join(frames), through, count)
        if self._size > RECENT_BYTES:
            self.forget()
        self._kept[key] = found
        self._size += len(found.data)
        return found

    def is_made(self, channels: frozenset[str], view: str, after: Position, until: Position) -> bool:
        """Whether the next piece after a position takes no time to be made."""
        if view == "json" or (channels, view, after) in self._kept:
            return True
        entries = islice(self._buffer.between(after, until), LOOKED_AT)
        return all(view in each.frames for each in entries if each.frames)

    def forget(self) -> None:
        """Keep no piece: something new is sent, or words were taken out of memory."""
        self._kept.clear()
        self._size = 0
