"""The web replicas that are asked one by one: addresses, or a DNS name for every address that it has."""

import asyncio
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

EVERY = "dns:"
"""Before an address whose name stands for several replicas, as that of a headless Service of Kubernetes does."""


async def replicas_of(given: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """The base address of each replica and the headers to ask it with. OSError where a name has no address.

    Resolved anew each time: replicas come and go.
    """
    found: dict[str, dict[str, str]] = {}
    for each in given:
        if not each.startswith(EVERY):
            found.setdefault(each, {})
            continue
        parts = urlsplit(each.removeprefix(EVERY))
        port = parts.port or 80
        answers = await asyncio.get_running_loop().getaddrinfo(
            parts.hostname or "", port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP
        )
        for address in sorted({str(answer[4][0]) for answer in answers}):
            host = f"[{address}]" if ":" in address else address
            found.setdefault(f"{parts.scheme}://{host}:{port}", {"Host": parts.netloc})
    return list(found.items())
