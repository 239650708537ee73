"""One address at which readers read, a replica or a shared cache, asked at each of its doors."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeVar
from urllib.parse import quote

import orjson

from publish.archive import queries
from publish.push.delivery.outbound import Answer, Outbound
from publish.representation.pictures import MEDIA_PREFIX
from publish.representation.reader_json import read_metadata
from publish.representation.retraction import without_notices
from publish.takedown.sinks.doors import DOORS, Door
from publish.takedown.sinks.finding import Killed, Look, listing
from shared.postgres.pool import Pool

MOST_BYTES = 8 * 1024 * 1024
AT_ONCE = 8
"""Requests under way to one address."""
PICTURES_AT_ONCE = 20
STREAM_S = 2.0
INLINE_BYTES = 64 * 1024
T = TypeVar("T")
GONE = (404, 405, 410)
"""405: the address is of a release that has another route there, and answers no GET."""


class WebAddress:
    """An address and its doors."""

    def __init__(self, pool: Pool, outbound: Outbound, url: str, site_url: str, *, headers: dict[str, str]) -> None:
        self._pool = pool
        self._outbound = outbound
        self._url = url
        self._site_url = site_url
        self._headers = headers
        self._slots = asyncio.Semaphore(AT_ONCE)

    def looks(self, killed: Killed, doors: Sequence[Door] = DOORS) -> dict[str, Look]:
        """How its sinks are looked at, by name."""
        by_sink: dict[str, list[Door]] = {}
        for door in doors:
            by_sink.setdefault(f"{self._url} {door.sink}", []).append(door)
        looks: dict[str, Look] = {sink: partial(self._doors, some, killed) for sink, some in by_sink.items()}
        return looks | {f"{self._url} pictures": partial(self.pictures, killed)}

    async def _doors(self, doors: Iterable[Door], killed: Killed) -> str:
        wanted = [(door, address) for door in doors for address in door.addresses(killed)]
        found = await asyncio.gather(*(self._door(door, address, killed) for door, address in wanted))
        return listing(detail for detail in found if detail)[:500]

    async def _door(self, door: Door, address: str, killed: Killed) -> str:
        path = address.replace("{site}", quote(self._site_url, safe=""))
        if door.route == "/v1/stream":
            body = await self._stream(path)
            return await _aside(partial(_words_in, killed, body, path, lines=True), body)
        answer = await self._fetch(path)
        if door.may_be_closed and answer.status == 403:
            return ""
        if door.expected == "gone":
            return "" if answer.status in GONE else f"{path} answers {answer.status}"
        if answer.status in (404, 405):
            return ""
        if answer.status != 200:
            raise OSError(f"{path} answers {answer.status}")
        if door.expected == "no-words":
            return await _aside(partial(_words_in, killed, answer.body, path), answer.body)
        needle = door.needle.format(update_id=killed.update_id).encode()
        there = await _aside(lambda: needle in without_notices(answer.body), answer.body)
        return f"is in {path}" if there else ""

    async def _fetch(self, path: str) -> Answer:
        async with self._slots:
            answer = await self._outbound.send("GET", self._url + path, headers=self._headers, most_bytes=MOST_BYTES)
        if answer.status is None:
            raise OSError(f"{path}: {answer.error}")
        if len(answer.body) >= MOST_BYTES:
            raise OSError(f"{path} is longer than is read")
        return answer

    async def _stream(self, path: str) -> bytes:
        async with self._slots:
            return await self._outbound.stream(
                self._url + path, headers=self._headers, for_s=STREAM_S, most_bytes=MOST_BYTES
            )

    async def pictures(self, killed: Killed) -> str:
        """The renditions that no visible update shows, which must not be served any more."""
        paths = [
            path
            for picture, paths in (await queries.ever_shown(self._pool, killed.update_id)).items()
            if not set(await queries.showing(self._pool, picture, 2)) - {killed.update_id}
            for path in paths
        ]
        served = 0
        for start in range(0, len(paths), PICTURES_AT_ONCE):
            urls = [f"{self._url}{MEDIA_PREFIX}{quote(path)}" for path in paths[start : start + PICTURES_AT_ONCE]]
            answers = await asyncio.gather(
                *(self._outbound.send("HEAD", each, headers=self._headers, most_bytes=0) for each in urls)
            )
            for answer in answers:
                if answer.status is None or answer.status >= 500:
                    raise OSError(answer.error or f"answers {answer.status}")
                served += answer.status not in GONE
        return f"serves {served} of its {len(paths)} renditions" if served else ""


async def _aside(look: Callable[[], T], body: bytes) -> T:
    """What a look through a body gives; through a large one in a thread, for others wait for the loop."""
    return look() if len(body) <= INLINE_BYTES else await asyncio.to_thread(look)


def _words_in(killed: Killed, body: bytes, path: str, *, lines: bool = False) -> str:
    """The members of the update's events that hold words, in a stream or in the answer of a poll."""
    if lines:
        events = [_json(line[5:]) for line in body.splitlines() if line.startswith(b"data:")]
    else:
        answer = _json(body)
        listed = answer.get("events") if isinstance(answer, dict) else None
        if not isinstance(listed, list):
            raise OSError(f"{path} answers no events")
        events = [each.get("data") for each in listed if isinstance(each, dict)]
    for event in events:
        if isinstance(event, dict) and event.get("update_id") == killed.update_id:
            words = read_metadata(event)
            if words and not event.get("removal"):
                return f"{path} tells its {', '.join(words)}"
    return ""


def _json(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except ValueError:
        return None
