"""Asks each process how it is: /readyz, and of web replicas how far they have read."""

import asyncio
import re
import socket
from collections.abc import Sequence

import aiohttp
import orjson

from shared.failures.transient import reason_of
from slugline.settings import Address
from slugline.status.report import Process

ASK_S = 4.0
MOST_BYTES = 4 * 1024 * 1024
AT_ONCE = 20
WEB_LAG = re.compile(rb"^slugline_web_lag_messages(?:\{[^}]*\})? ([0-9.e+]+)$", re.MULTILINE)

LATE = re.compile(rb'^slugline_monitor_red\{sink="([a-z]+)"\} 1(?:\.0)?$', re.MULTILINE)


async def ask_processes(addresses: Sequence[Address]) -> list[Process]:
    """Every replica, in the order of the addresses."""
    limit = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession(
        timeout=aiohttp.ClientTimeout(total=ASK_S), connector=aiohttp.TCPConnector(limit=AT_ONCE)
    ) as session:

        async def ask(address: Address, ip: str) -> Process:
            async with limit:
                return await _ask(session, address, ip)

        asked = [
            ask(address, ip)
            for address, found in zip(addresses, await asyncio.gather(*map(resolve, addresses)), strict=True)
            for ip in found
        ]
        unknown = [
            Process(each.label, f"{each.host}:{each.port}", "away", reasons={"name": "it is not known to DNS"})
            for each in addresses
            if not each.optional and not await resolve(each)
        ]
        return [*await asyncio.gather(*asked), *unknown]


async def resolve(address: Address) -> list[str]:
    """The addresses that a name stands for, each a replica; none where it is not known."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(ASK_S):
            found = await loop.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError):
        return []
    addresses = [str(each[4][0]) for each in found]
    # A name with addresses of both families is one replica that listens on both.
    return list(dict.fromkeys([each for each in addresses if ":" not in each] or addresses))


async def _ask(session: aiohttp.ClientSession, address: Address, ip: str) -> Process:
    place = f"[{ip}]:{address.port}" if ":" in ip else f"{ip}:{address.port}"
    shown = place if address.host == ip or address.host[-1:].isdigit() else f"{address.host} ({place})"
    try:
        body = orjson.loads(await _get(session, f"http://{place}/readyz"))
        if not isinstance(body, dict) or "service" not in body:
            raise ValueError("what answers there is no process of Slugline")
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        return Process(address.label, shown, "away", reasons={"readyz": reason_of(error)[:200]})
    behind = None
    if body["service"] == "publish.web":
        behind = await _behind(session, place)
    return Process(
        name=str(body["service"]),
        address=shown,
        state=str(body.get("status", "ok")),
        version=str(body.get("version", "")),
        reasons={str(name): str(why) for part in ("failing", "degraded") for name, why in _members(body, part)},
        roles={str(name): str(role) for name, role in _members(body, "roles")},
        behind=behind,
        late=await _late(session, place) if body["service"] == "publish.push" else (),
    )


def _members(body: dict[str, object], part: str) -> list[tuple[object, object]]:
    value = body.get(part)
    return list(value.items()) if isinstance(value, dict) else []


async def _get(session: aiohttp.ClientSession, url: str) -> bytes:
    """The body of an answer, whatever its status: /readyz of a process that is not ready is 503."""
    body = b""
    async with session.get(url, allow_redirects=False) as answer:
        async for chunk in answer.content.iter_chunked(65_536):
            body += chunk
            if len(body) > MOST_BYTES:
                raise ValueError(f"its answer has more than {MOST_BYTES} bytes")
    return body


async def _late(session: aiohttp.ClientSession, place: str) -> tuple[str, ...]:
    """Where the publish monitor says that readers miss something."""
    try:
        found = LATE.findall(await _get(session, f"http://{place}/metrics"))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return ()
    return tuple(each.decode() for each in found)


async def _behind(session: aiohttp.ClientSession, place: str) -> int | None:
    try:
        found = WEB_LAG.search(await _get(session, f"http://{place}/metrics"))
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
        return None
    return int(float(found[1])) if found else None
