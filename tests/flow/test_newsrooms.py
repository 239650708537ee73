"""Two newsrooms on one Kafka, one Postgres and one Redis: neither sees, changes or reaches anything of the other's."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.exceptions import NoPermissionError

from shared.postgres.roles import SERVICES as OWNERS
from shared.postgres.roles import apply_roles, dsn_of, role_of
from shared.settings import Connections
from support.pipeline import Pipeline, register_sources
from support.places import ROOT
from support.processes import Processes
from support.servers import Servers, new_newsroom
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

PROCESSES = (("ingest", "api"), ("enrich", "text"), ("publish", "archive"), ("publish", "cache"), ("publish", "web"))
PASSWORD = "a-secret-of-the-tests"


def redis_rules(name: str, prefix: str) -> list[str]:
    """The rules of a newsroom's user of Redis, as deploy/newsrooms/README.md has them."""
    text = (ROOT / "deploy" / "newsrooms" / "README.md").read_text()
    line = next(line for line in text.splitlines() if line.startswith("ACL SETUSER coast "))
    return (
        line.replace("coast.", prefix).replace("SETUSER coast", f"SETUSER {name}").replace("PASSWORD", PASSWORD).split()
    )


@contextlib.asynccontextmanager
async def newsroom_of(servers: Servers, name: str, folder: Path) -> AsyncIterator[Pipeline]:
    """A newsroom with roles and a user of its own, its processes running with no more than these."""
    folder.mkdir()
    async with new_newsroom(servers, folder / "media") as settings:
        await apply_roles(settings.postgres_dsn, dict.fromkeys(OWNERS, PASSWORD), newsroom=name, connections=90)
        async with Redis.from_url(settings.redis_url) as admin:
            await admin.execute_command(*redis_rules(name, settings.topic_prefix))
            parts = urlsplit(settings.redis_url)
            address = parts._replace(netloc=f"{name}:{PASSWORD}@{parts.netloc.rpartition('@')[2]}")
            processes = Processes(folder / "logs")
            try:
                yield await _started(settings, processes, name, urlunsplit(address), folder)
            finally:
                await asyncio.to_thread(processes.end)
                await admin.execute_command("ACL", "DELUSER", name)
                await _drop_roles(settings, name)


async def _started(settings: Connections, processes: Processes, name: str, redis_url: str, folder: Path) -> Pipeline:
    def own(service: str) -> Connections:
        dsn = dsn_of(service, PASSWORD, settings.postgres_dsn, name)
        return settings.model_copy(update={"postgres_dsn": dsn, "redis_url": redis_url})

    named = {f"{service}-{each}": processes.start(own(service), service, each) for service, each in PROCESSES}
    await asyncio.to_thread(register_sources, processes, own("ingest"), folder)
    for process in named.values():
        await process.ready(within_s=90)
    return Pipeline(own("publish"), processes, named)


async def _drop_roles(settings: Connections, name: str) -> None:
    admin = await asyncpg.connect(settings.postgres_dsn)
    try:
        for service in OWNERS:
            await admin.execute(f"DROP OWNED BY {role_of(service, name)} CASCADE")
            await admin.execute(f"DROP ROLE {role_of(service, name)}")
    finally:
        await admin.close()


async def keys_of(pipeline: Pipeline, servers: Servers) -> list[str]:
    """What Redis holds of a newsroom."""
    async with Redis.from_url(servers.redis) as admin:
        return [key.decode() async for key in admin.scan_iter(f"slugline:{pipeline.settings.topic_prefix}*")]


async def test_newsrooms_never_meet(servers: Servers, tmp_path: Path) -> None:
    """The same source sends the same item to both: each has its own words, a kill in one is none in the other, and no login opens a door of the other's."""
    names = [f"n{uuid.uuid4().hex[:8]}" for _ in range(2)]
    async with (
        newsroom_of(servers, names[0], tmp_path / "coast") as coast,
        newsroom_of(servers, names[1], tmp_path / "hills") as hills,
    ):
        async with coast.stream() as coast_reader, hills.stream() as hills_reader:
            ids = {
                await each.accepted(guid="same", version="1", headline=f"Words of {name}", body_html="<p>Seen.</p>")
                for each, name in ((coast, "the coast"), (hills, "the hills"))
            }
            assert len(ids) == 1, "an update's id says nothing of its newsroom"
            [update_id] = ids
            await coast.visible(update_id, "Words of the coast")
            await hills.visible(update_id, "Words of the hills")
            order = json.dumps({"order": "kill", "by": "desk", "reason": "wrong here"}).encode()
            await coast.push(f"/v1/updates/{update_id}/orders", order, "application/json")
            await coast_reader.until(update_id, "kill")
            marker = await hills.accepted(guid="marker", version="1", headline="Later", body_html="<p>Seen.</p>")
            await hills_reader.until(marker, "publish")
            assert (await coast.get(f"/v1/updates/{update_id}")).status_code == 410
            assert (await hills.get(f"/v1/updates/{update_id}")).json()["headline"] == "Words of the hills"
            assert [kind for kind, _ in hills_reader.kinds()] == ["publish", "publish"]
            assert [event.data["headline"] for event in coast_reader.events if event.kind == "publish"] == [
                "Words of the coast"
            ]
        await eventually(
            lambda: keys_of(hills, servers), lambda keys: any(update_id in key for key in keys), what="no read model"
        )
        await _closed(coast, hills, names[0], await keys_of(hills, servers))


async def _closed(own: Pipeline, other: Pipeline, name: str, keys_of_other: list[str]) -> None:
    """What one newsroom's logins are answered at the other's doors."""
    there = urlsplit(other.settings.postgres_dsn).path
    for service in OWNERS:
        dsn = urlunsplit(urlsplit(dsn_of(service, PASSWORD, own.settings.postgres_dsn, name))._replace(path=there))
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(dsn)
    async with Redis.from_url(own.settings.redis_url) as client:
        for key in keys_of_other[:3]:
            for command in (("TYPE", key), ("DEL", key), ("SET", key, "x")):
                with pytest.raises(NoPermissionError):
                    await client.execute_command(*command)
        for command in (
            ("FLUSHALL",),
            ("KEYS", "*"),
            ("CONFIG", "GET", "*"),
            ("ACL", "LIST"),
            ("SUBSCRIBE", other.settings.topic_prefix),
        ):
            with pytest.raises(NoPermissionError):
                await client.execute_command(*command)
