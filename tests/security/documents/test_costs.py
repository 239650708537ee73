"""Hostile documents and pictures through the whole newsroom: what each costs the processes that read it."""

import asyncio
import contextlib
import re
import struct
import uuid
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import httpx
import orjson
import pytest
import pytest_asyncio

from security.documents.attacks import ATTACKS
from security.documents.costs import measured, memory_kb, pid_of
from security.documents.test_hostile_documents import HOSTILE
from security.growth.measure import slowness
from security.growth.pumps import PUMPS
from security.growth.test_text import MARKUP
from support.pipeline import Pipeline, started
from support.processes import Processes
from support.servers import Servers, new_newsroom
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(300), pytest.mark.asyncio(loop_scope="module")]

STALL_S = 0.25
"""Of a machine that does nothing else (`growth.measure`)."""
TIMES_RESTING = 2.0
ATTEMPTS = 3
"""A probe is read late where the machine is busy, and then counts what came after it: the best counts, of documents that differ in a word.
What rests is what rested before the first."""
SERVICES = (
    ("ingest", "api"), ("ingest", "watch"), ("enrich", "text"), ("enrich", "media"), ("publish", "archive"), ("publish", "web"), ("publish", "push"),
)  # fmt: skip
ALL = {**PUMPS, **MARKUP}
MILLION = 999_000


def update(**said: object) -> bytes:
    """A native update."""
    return orjson.dumps({"guid": uuid.uuid4().hex, "headline": "Hostile", **said})


def png(width: int, height: int) -> bytes:
    """A picture that says it is so large, and is nothing but one colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" * (1 + (width + 7) // 8)) * height, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


PICTURES: dict[str, Callable[[], bytes]] = {
    "pixels": lambda: png(9_000, 9_000),
    "more pixels than may be": lambda: png(20_000, 20_000),
    "bytes that are no picture": lambda: b"\xff\xd8\xff" + b"\x00" * 30_000_000,
}
DOCUMENTS: dict[str, Callable[[], bytes]] = {
    **{name: made for name, (made, headers, _) in HOSTILE.items() if not headers},
    **{name: ATTACKS[name] for name in ("nitf, tags", "rss, deep and broken", "cap, references", "json, members", "anpa, figures")},
    **{
        f"body of {name}": lambda name=name: update(body_html=ALL[name](MILLION)[:MILLION])  # type: ignore[misc]
        for name in ("paragraphs between the cells of a table", "references without a name", "Han", "bidi embeddings", "words")
    },
    "body of formats, as many as are read": lambda: update(body_html=ALL["links over blocks"](110_000)),
    "paragraphs, as many as are read": lambda: update(body_html="<p>word</p>" * 14_900),
    "keywords": lambda: update(keywords=[f"Name{n} Name" for n in range(200_000)]),
    "pictures": lambda: update(media=[{"url": f"https://127.0.0.1/{n}.jpg"} for n in range(30_000)]),
}  # fmt: skip
"""By name: what a source sends."""
PACKED = {name: made for name, (made, headers, _) in HOSTILE.items() if "Content-Encoding" in headers}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pictures() -> AsyncIterator[str]:
    """Where a server gives pictures, by their number; it says what they are, and never tells the truth of their length."""

    async def give(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            asked = head.split(b" ")[1]
            # Each is another picture, or it would be known by its bytes.
            body = list(PICTURES.values())[int(asked[1:].split(b"-")[0])]() + asked
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nConnection: close\r\n\r\n" + body)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(give, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def newsroom_of_all(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pipeline]:
    """Every process that reads what others send."""
    folder: Path = tmp_path_factory.mktemp("costs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENRICH_MEDIA_ALLOW_PRIVATE", "true")
        async with _all(servers, folder) as running:
            yield running


@contextlib.asynccontextmanager
async def _all(servers: Servers, folder: Path) -> AsyncIterator[Pipeline]:
    async with (
        new_newsroom(servers, folder / "media") as settings,
        started(settings, Processes(folder / "logs"), folder, SERVICES) as running,
    ):
        yield running


async def others_pass(pipeline: Pipeline) -> None:
    """An ordinary update comes to readers, behind what was sent before it."""
    headline = f"News {uuid.uuid4().hex}"
    answer = await pipeline.push("/v1/updates", update(headline=headline), "application/json", source="wire")
    assert answer.status_code == 202, answer.text
    await pipeline.visible(answer.json()["results"][0]["id"], headline, within_s=60)


async def sent(pipeline: Pipeline, body: bytes, encoding: str = "") -> int:
    """The status of what the desk sends."""
    kind = "application/json" if body[:1] in b"{[" or encoding else "application/octet-stream"
    headers = {"Authorization": "Bearer desk-key-of-the-tests", "Content-Type": kind}
    async with httpx.AsyncClient(timeout=90) as client:
        path = "/v1/updates" if "json" in kind else "/v1/wire/desk"
        more = {"Content-Encoding": encoding} if encoding else {}
        return (await client.post(pipeline.ingest + path, content=body, headers=headers | more)).status_code


async def rendered(pipeline: Pipeline) -> float:
    """How many pictures a renderer has had, whatever became of them."""
    async with httpx.AsyncClient(timeout=20) as client:
        said = (await client.get(pipeline.named["enrich-media"].url + "/metrics")).text
    return sum(float(each) for each in re.findall(r"^slugline_media_renders_total{.*} (.*)$", said, re.MULTILINE))


def resting(pipeline: Pipeline) -> dict[str, int]:
    """The memory of each process in kB, before anything comes."""
    return {name: memory_kb(pid_of(process), "VmRSS") for name, process in pipeline.named.items()}


async def too_much(
    pipeline: Pipeline, rested: Mapping[str, int], body: bytes, *, encoding: str = "", pictures: int = 0
) -> dict[str, str]:
    """What a document, and the pictures that it names, cost each process beyond what they may."""
    before = await rendered(pipeline)
    async with measured(pipeline.named, rested) as costs:
        # 503 is what a sender is told where Kafka or Postgres has not taken thousands of items in time; it sends them again.
        assert await sent(pipeline, body, encoding) in (202, 207, 400, 413, 422, 503)
        await others_pass(pipeline)
        await eventually(
            lambda: rendered(pipeline), lambda now: now >= before + pictures, within_s=90, what="not rendered"
        )
    print({name: str(cost) for name, cost in costs.items()})
    stall_s = STALL_S * max(1.0, slowness())
    return {
        name: str(cost)
        for name, cost in costs.items()
        if cost.stall_s > stall_s or cost.peak_kb > TIMES_RESTING * cost.resting_kb
    }


@pytest.mark.parametrize("name", [*DOCUMENTS, *PACKED])
async def test_a_hostile_document_stalls_nothing_and_takes_no_memory(newsroom_of_all: Pipeline, name: str) -> None:
    """No loop works for longer than a quarter of a second, no process takes twice its memory, and others' news comes through."""
    made, encoding = (PACKED[name], "gzip") if name in PACKED else (DOCUMENTS[name], "")
    body, rested = made(), resting(newsroom_of_all)
    for attempt in range(ATTEMPTS):
        if not (found := await too_much(newsroom_of_all, rested, body + b" " * attempt, encoding=encoding)):
            return
    pytest.fail(str(found))


@pytest.mark.parametrize("name", PICTURES)
async def test_a_hostile_picture_stalls_nothing_and_takes_no_memory(
    newsroom_of_all: Pipeline, pictures: str, name: str
) -> None:
    """The same of what a source's pictures turn out to be: the process that fetches them keeps its memory, and others' news comes through."""
    number, rested = list(PICTURES).index(name), resting(newsroom_of_all)
    for attempt in range(ATTEMPTS):
        media = [{"url": f"{pictures}/{number}-{attempt}-{each}.png", "mime_type": "image/png"} for each in range(3)]
        if not (found := await too_much(newsroom_of_all, rested, update(media=media), pictures=len(media))):
            return
    pytest.fail(str(found))
