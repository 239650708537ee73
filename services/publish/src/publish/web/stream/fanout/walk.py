"""One walk over the sockets of an audience: every reader is written the same bytes, by one plain loop."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from socket import SocketType

from publish.web.stream.fanout.connection import ReaderConnection

PIECE_BYTES = 128 * 1024
"""Of joined events that one write is to carry; a single event may be larger. More is written piece by piece."""


@dataclass(slots=True, eq=False)
class Walk:
    """One joined write of `size` bytes to the readers that an audience had at its start, and how far it has come.

    `changes` is the fan-out's count of those for whom it changed whether they may be written to.
    """

    connections: list[ReaderConnection]
    sockets: list[SocketType]
    parts: tuple[bytes, ...]
    size: int
    changes: int
    next: int = 0


class Joiner:
    """Joins the parts of a write; audiences that follow each other and are sent the same share the bytes."""

    def __init__(self) -> None:
        self._joined: dict[tuple[bytes, ...], bytes] = {}
        self._size = 0

    def join(self, parts: tuple[bytes, ...]) -> bytes:
        """The parts as one."""
        if len(parts) == 1:
            return parts[0]
        data = self._joined.get(parts)
        if data is None:
            data = b"".join(parts)
            self._size += len(data)
            if self._size > 32 * PIECE_BYTES:
                self.clear()
                self._size = len(data)
            self._joined[parts] = data
        return data

    def clear(self) -> None:
        """Hold nothing."""
        self._joined.clear()
        self._size = 0


def send_each(sockets: Sequence[SocketType], data: bytes) -> list[int]:
    """How much of the data each socket took; -1 where its reader is gone.

    The loop is the interpreter's own: a failure ends it at the socket that failed, and it goes on behind that. `send` is
    cheaper for the kernel than `write`, which looks at the file around the socket too.
    """
    counts: list[int] = []
    sends = map(SocketType.send, sockets, repeat(data))
    while True:
        try:
            counts.extend(sends)
        except BlockingIOError:
            counts.append(0)
        except OSError:
            counts.append(-1)
        else:
            return counts
