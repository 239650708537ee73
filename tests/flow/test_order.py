"""What a source sends is published in the order in which it was accepted, through a backlog too; between sources by receipt."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
import pytest_asyncio

from shared.messages import EnrichedUpdate, update_id_for
from shared.settings import Connections
from shared.streams import ENRICHED, RAW
from support.processes import Process, Processes
from support.topics import everything_in
from support.waiting import eventually

SOURCES = ("desk", "north", "south", "east", "west")

pytestmark = pytest.mark.integration


@dataclass
class Newsroom:
    """Ingest and enrich text as processes of their own."""

    settings: Connections
    processes: Processes
    api: Process
    client: httpx.AsyncClient

    async def post(self, source: str, document: Any, **headers: str) -> dict[str, Any]:
        """Push native JSON, which must be accepted."""
        headers = {"Authorization": f"Bearer {source}-key", "Content-Type": "application/json"} | headers
        body = document if isinstance(document, bytes) else json.dumps(document)
        answer = await self.client.post(f"{self.api.url}/v1/updates", content=body, headers=headers)
        assert answer.status_code == 202, answer.text
        receipt: dict[str, Any] = answer.json()
        return receipt

    async def order(self, update_id: str, name: str) -> None:
        """A desk's order, which must be accepted."""
        answer = await self.client.post(
            f"{self.api.url}/v1/updates/{update_id}/orders",
            json={"order": name, "reason": "wrong"}, headers={"Authorization": "Bearer desk-key"},
        )  # fmt: skip
        assert answer.status_code == 202, answer.text

    async def enrich(self) -> None:
        """Start enrich text."""
        await self.processes.start(self.settings, "enrich", "text").ready()

    async def published(self, count: int, within_s: float = 60) -> list[EnrichedUpdate]:
        """The revisions, once there are so many, in the order that readers get."""

        async def look() -> list[EnrichedUpdate]:
            records = await everything_in(self.settings, ENRICHED)
            return [EnrichedUpdate.model_validate_json(record.value or b"") for record in records]

        return await eventually(look, lambda seen: len(seen) >= count, within_s=within_s, what=f"{count} revisions")


@pytest_asyncio.fixture
async def room(newsroom: Connections, processes: Processes, tmp_path: Path) -> AsyncIterator[Newsroom]:
    """Ingest, with its sources; enrich text has not been started."""
    async with opened(newsroom, processes, tmp_path) as made:
        yield made


@asynccontextmanager
async def opened(newsroom: Connections, processes: Processes, folder: Path) -> AsyncIterator[Newsroom]:
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(
            httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=200))
        )
        api = processes.start(newsroom, "ingest", "api")
        stack.callback(processes.end)
        path = folder / "sources.toml"
        path.write_text(
            "".join(
                f'[[source]]\nname = "{name}"\nkey_env = "{name.upper()}_KEY"\ndesk = {str(name == "desk").lower()}\n\n'
                for name in SOURCES
            )
        )
        keys = {f"{name.upper()}_KEY": f"{name}-key" for name in SOURCES}
        await asyncio.to_thread(processes.run, newsroom, "ingest", "sources", "apply", str(path), **keys)
        await api.ready()
        yield Newsroom(newsroom, processes, api, client)


def update(guid: str, words: int = 20) -> dict[str, str]:
    """An update of about so many words."""
    return {"guid": guid, "headline": f"Headline of {guid}", "body_html": f"<p>{'Word of mouth ' * (words // 3)}</p>"}


def inverted(given: Sequence[str], got: Sequence[str]) -> int:
    """How many pairs are the other way round than they were given."""
    assert sorted(given) == sorted(got)
    place = {guid: number for number, guid in enumerate(got)}
    return sum(place[before] > place[after] for before, after in combinations(given, 2))


async def test_one_sources_updates_keep_their_order(room: Newsroom) -> None:
    """Twenty in one POST; then fifty posts 20 ms apart on connections of their own, among them large ones that take long to read."""
    await room.enrich()
    twenty = [f"batch-{number:02}" for number in range(20)]
    await room.post("north", [update(guid) for guid in twenty])
    assert inverted(twenty, [each.guid for each in await room.published(20)]) == 0
    fifty, posts = [], []
    for number in range(50):
        some = [f"post-{number:02}-{each:03}" for each in range(150 if number in (5, 20, 21, 35) else 1)]
        fifty += some
        posts.append(asyncio.create_task(room.post("north", [update(guid, 120) for guid in some])))
        # The pace of the sender, who waits for no answer.
        await asyncio.sleep(0.02)
    await asyncio.gather(*posts)
    got = [each.guid for each in await room.published(20 + len(fifty))]
    assert inverted(fifty, got[20:]) == 0


async def test_a_backlog_of_several_sources_comes_out_in_the_order_of_its_receipt(room: Newsroom) -> None:
    """300 updates of five sources, of which one sends most, that came while enrich text was down."""
    random = Random(7)
    senders = random.choices(SOURCES, weights=(1, 20, 5, 3, 1), k=300)
    for number, source in enumerate(senders):
        await room.post(source, update(f"{number:03}"))
    received = {
        json.loads(record.value or b"")["guid"]: record.timestamp for record in await everything_in(room.settings, RAW)
    }
    await room.enrich()
    got = [each.guid for each in await room.published(300)]
    for source in SOURCES:
        own = [guid for guid in got if senders[int(guid)] == source]
        assert own == sorted(own), source
    moments = [received[guid] for guid in got]
    assert moments == sorted(moments), "between sources the order is that of receipt, to the millisecond"


async def test_orders_take_effect_for_known_and_unknown_updates_with_postgres_away(
    room: Newsroom, newsroom: Connections, processes: Processes
) -> None:
    """With ingest's Postgres away the order is keyed by the update's id, and enrich text sends it on."""
    await room.enrich()
    for name in ("a", "b"):
        await room.post("north", update(name))
    await room.published(2)
    await room.order(update_id_for("north", "a"), "kill")
    without = newsroom.model_copy(update={"postgres_dsn": "postgresql://x:x@127.0.0.1:1/x"})
    unknown = update_id_for("south", "later")
    for update_id in (update_id_for("north", "b"), unknown):
        await asyncio.to_thread(processes.run, without, "ingest", "order", "kill", update_id, "--reason", "wrong")
    revisions = await room.published(5)
    assert {(each.update_id, each.removal) for each in revisions if each.kind == "kill"} == {
        (update_id_for("north", "a"), "killed"), (update_id_for("north", "b"), "killed"), (unknown, "killed"),
    }  # fmt: skip
    records = [
        record for record in await everything_in(room.settings, RAW)
        if dict(record.headers)["ce_type"] == b"slugline.update.order"
    ]  # fmt: skip
    ids = [dict(record.headers)["ce_id"] for record in records]
    keys = sorted((record.key or b"").decode() for record in records)
    assert keys == sorted(["north", update_id_for("north", "b"), "north", unknown])
    assert len(ids) == 4
    assert len(set(ids)) == 3, "what is sent on keeps its event id"
    await room.post("south", update("later"))
    await room.post("south", update("after"))
    assert [each.guid for each in await room.published(6)][5:] == ["after"]
