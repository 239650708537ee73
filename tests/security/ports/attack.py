"""Attacks on an HTTP port of this machine, as a process of its own: `python -m security.ports.attack KIND PORT COUNT SECONDS`.

Bounded in number and time. Prints `begun` once all connections are made, and ends by itself.
"""

import resource
import socket
import sys
import time
from collections.abc import Callable

PIECE = b"X-Filler: " + b"y" * 1000 + b"\r\n"


def connect(port: int, receive_bytes: int = 0) -> socket.socket:
    """A connection."""
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if receive_bytes:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    made.settimeout(10)
    made.connect(("127.0.0.1", port))
    made.setblocking(False)
    return made


def keep_sending(open_ones: list[socket.socket], piece: bytes, ends: float, pause_s: float) -> None:
    """Send a piece on every connection that takes it, again and again."""
    while time.monotonic() < ends:
        for each in open_ones:
            try:
                each.send(piece)
            except BlockingIOError:
                continue
            except OSError:
                continue
        time.sleep(pause_s)


def headers(port: int, count: int, ends: float) -> None:
    """Heads that never end: 30 MB and more on each connection, and again where it is ended."""
    open_ones: list[socket.socket | None] = [None] * count
    print("begun", flush=True)
    while time.monotonic() < ends:
        for index, each in enumerate(open_ones):
            try:
                if each is None:
                    open_ones[index] = made = connect(port)
                    made.send(b"GET / HTTP/1.1\r\nHost: a\r\n")
                else:
                    each.send(PIECE * 60)
            except BlockingIOError:
                continue
            except OSError:
                if each is not None:
                    each.close()
                open_ones[index] = None


def half(port: int, count: int, ends: float) -> None:
    """Requests that are sent half."""
    _hold(port, count, ends, b"GET / HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n")


def streams(port: int, count: int, ends: float) -> None:
    """Requests of streams that are sent half."""
    _hold(port, count, ends, b"GET /v1/stream HTTP/1.1\r\nHost: a\r\n", b"X: y\r\n")


def bodies(port: int, count: int, ends: float) -> None:
    """Bodies that come by the byte."""
    head = b"POST /v1/updates HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n"
    _hold(port, count, ends, head, b"x")


def idle(port: int, count: int, ends: float) -> None:
    """A request, and then nothing."""
    _hold(port, count, ends, b"GET /v1/nothing HTTP/1.1\r\nHost: a\r\n\r\n", b"")


def unread(port: int, count: int, ends: float) -> None:
    """Answers that nobody reads: a hundred to each connection."""
    _hold(port, count, ends, b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n", b"", receive_bytes=4096, times=100)


def hung(port: int, count: int, ends: float) -> None:
    """A large answer that nobody reads."""
    _hold(port, count, ends, b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n", b"", receive_bytes=4096)


def flood(port: int, count: int, ends: float) -> None:
    """Connections that are made and ended again, as fast as one process can."""
    print("begun", flush=True)
    while time.monotonic() < ends and count > 0:
        for each in [connect(port) for _ in range(50)]:
            each.close()
        count -= 50


def _hold(
    port: int, count: int, ends: float, first: bytes, again: bytes, *, receive_bytes: int = 0, times: int = 1
) -> None:
    open_ones = []
    for _ in range(count):
        try:
            made = connect(port, receive_bytes)
            for _ in range(times):
                made.send(first)
        except OSError:
            continue
        open_ones.append(made)
        if time.monotonic() > ends:
            break
    print(f"begun {len(open_ones)}", flush=True)
    if again:
        keep_sending(open_ones, again, ends, 0.5)
    else:
        time.sleep(max(ends - time.monotonic(), 0))


KINDS: dict[str, Callable[[int, int, float], None]] = {
    each.__name__: each for each in (headers, half, streams, bodies, idle, unread, hung, flood)
}


def main() -> None:
    """Attack."""
    kind, port, count, seconds = sys.argv[1], *map(int, sys.argv[2:])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    KINDS[kind](port, count, time.monotonic() + seconds)


if __name__ == "__main__":
    main()
