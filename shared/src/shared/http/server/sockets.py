"""Listening sockets, and the limit of open files."""

import resource
import socket

import structlog

log = structlog.get_logger(__name__)

BACKLOG = 4096
UNSENT_BYTES = 64 * 1024
"""Kept in the kernel for one connection, beyond what is in flight. A fast network stays busy, and a client that does not read
holds no megabytes there (tcp(7), TCP_NOTSENT_LOWAT)."""
DEFER_S = 2


def listen(host: str, port: int, backlog: int = BACKLOG) -> list[socket.socket]:
    """Sockets that listen on every address of a host.

    The kernel reports a connection once its first bytes have come, or a few seconds later without them.
    """
    listeners: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            listener = socket.socket(family, kind, protocol)
            listeners.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # Connections inherit these.
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, DEFER_S)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.setblocking(False)
            listener.bind(address)
            listener.listen(backlog)
    except OSError:
        for listener in listeners:
            listener.close()
        raise
    return listeners


def raise_descriptor_limit() -> int:
    """Raise the limit of open files as far as the system permits; returns the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    log.info("open files", most=hard, before=soft)
    return hard


def descriptor_limit() -> int:
    """How many open files this process may have."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
