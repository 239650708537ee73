"""`ingest api` as a process of its own, while a source sends documents that were made to keep it busy."""

import asyncio
import gzip
import time
from collections.abc import Callable

import httpx
import orjson
import pytest

from ingest.sources import keys, store
from ingest.sources.source import Source
from shared.access.key import digest_of
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from shared.settings import Connections
from support.processes import Process, Processes

pytestmark = pytest.mark.integration

MEGA = 1024 * 1024
ANSWERED_WITHIN_S = 2.0
"""Of a process whose loop is free this takes a few milliseconds; a machine that is busy itself gets the rest."""


def _items() -> bytes:
    update = {"headline": "h" * 300, "body_text": "word " * 120}
    return orjson.dumps([{"guid": str(number), **update} for number in range(9_000)])


def _namespaces() -> bytes:
    each = "".join(f'<n{number}:b xmlns:n{number}="urn:{number}"/>' for number in range(100_000))
    return f"<rss><channel><item><guid>a</guid><title>b</title><description>{each}</description></item></channel></rss>".encode()


HOSTILE: dict[str, tuple[Callable[[], bytes], dict[str, str], int]] = {
    "empty members of gzip": (lambda: gzip.compress(b"") * 400_000, {"Content-Encoding": "gzip"}, 400),
    "a bomb": (lambda: gzip.compress(b" " * 500 * MEGA), {"Content-Encoding": "gzip"}, 413),
    "items of JSON": (_items, {}, 202),
    "numbers of JSON": (lambda: b'{"guid":"n","headline":"b","x":[' + b"1," * 4_500_000 + b"1]}", {}, 202),
    "nested JSON": (lambda: b'{"guid":"a","x":' + b"[" * 9 * MEGA, {}, 413),
    "namespaces": (_namespaces, {"Content-Type": "application/rss+xml"}, 413),
    "blanks": (lambda: orjson.dumps({"guid": "b", "headline": "b", "body_text": "a" + " " * 9 * MEGA + "b"}), {}, 202),
    "tables in tables": (
        lambda: orjson.dumps(
            {
                "guid": "t",
                "headline": "b",
                "body_html": "<table><tr><td>" * 20_000 + "x" + "</td></tr></table>" * 20_000,
            }
        ),
        {},
        202,
    ),
}
"""By name: the body, its headers, and how it is answered."""


async def _with_sources(newsroom: Connections) -> None:
    pool = await connect(newsroom, schema="ingest", max_size=1)
    await migrate(pool, "ingest")
    for name in ("hostile", "north"):
        await store.save(pool, Source(name=name))
        await keys.set_keys(pool, name, [digest_of(name)])
    await pool.close()


async def test_others_are_answered_meanwhile(newsroom: Connections, processes: Processes) -> None:
    """Whatever one source sends, the process answers its probes and the pushes of another source at once."""
    await _with_sources(newsroom)
    process = processes.start(newsroom, "ingest", "api")
    await process.ready()
    worst: dict[str, float] = {}
    async with httpx.AsyncClient(timeout=90) as client:
        for name, (made, headers, status) in HOSTILE.items():
            sending = asyncio.create_task(_send(client, process, made(), headers))
            slowest, pushed = 0.0, 0
            while not sending.done() or pushed < 3:
                began = time.monotonic()
                assert (await client.get(f"{process.url}/livez")).status_code == 200
                slowest = max(slowest, time.monotonic() - began)
                answer = await client.post(
                    f"{process.url}/v1/updates",
                    content=orjson.dumps({"guid": f"{name} {pushed}", "headline": "News"}),
                    headers={"X-API-Key": "north", "Content-Type": "application/json"},
                )
                assert answer.status_code == 202, answer.text
                pushed += 1
                await asyncio.sleep(0.01)
            worst[name] = round(slowest, 3)
            answered = await sending
            assert answered.status_code == status, f"{name}: {answered.status_code} {answered.text[:300]}"
    print("slowest /livez in seconds:", worst)
    assert max(worst.values()) < ANSWERED_WITHIN_S, worst


async def _send(client: httpx.AsyncClient, process: Process, body: bytes, headers: dict[str, str]) -> httpx.Response:
    kind = headers.get("Content-Type", "application/json")
    path = "/v1/updates" if "json" in kind else "/v1/wire/hostile"
    return await client.post(
        process.url + path, content=body, headers={"X-API-Key": "hostile", "Content-Type": kind, **headers}
    )
