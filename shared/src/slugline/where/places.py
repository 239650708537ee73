"""Asks each place where readers read what it gives them of one update: every web replica, and the cache."""

import asyncio

import aiohttp
import orjson

from shared.failures.transient import TRANSIENT, reason_of
from shared.redis_client import open_redis
from shared.settings import Connections
from slugline.servers import ANSWERS_WITHIN_S
from slugline.settings import OperatorSettings
from slugline.status.processes import ask_processes
from slugline.where.trail import Place

WEB = "publish.web"


async def places(settings: OperatorSettings, update_id: str) -> list[Place]:
    """Web replicas and the cache, asked at once."""
    processes = await ask_processes(settings.addresses)
    web = [each.address for each in processes if each.name == WEB]
    cache = any(each.name == "publish.cache" for each in processes)
    asked = [_of_web(address, update_id) for address in web]
    return list(await asyncio.gather(*asked, *([_of_cache(settings, update_id)] if cache else [])))


def _plain(address: str) -> str:
    """`publish-web (10.0.0.7:8080)` is asked at what stands in the brackets."""
    return address.partition("(")[2].rstrip(")") or address


async def _of_web(address: str, update_id: str) -> Place:
    name = f"web {address}"
    url = f"http://{_plain(address)}/v1/updates/{update_id}"
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWERS_WITHIN_S)) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            body = await answer.read()
            if answer.status not in (200, 404, 410):
                return Place(name, None, shows=False, error=f"answers {answer.status}")
            return Place(name, _revision(body), shows=answer.status == 200)
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return Place(name, None, shows=False, error=reason_of(error))


def _revision(body: bytes) -> int | None:
    try:
        said = orjson.loads(body)
    except ValueError:
        return None
    revision = said.get("revision") if isinstance(said, dict) else None
    return revision if isinstance(revision, int) else None


async def _of_cache(settings: Connections, update_id: str) -> Place:
    """The read model of `publish cache`, whose keys are in that service's README."""
    prefix = f"slugline:{settings.topic_prefix}"
    try:
        async with open_redis(settings, timeout_s=ANSWERS_WITHIN_S) as redis:
            revision, removal = await redis.hmget(f"{prefix}state:{update_id}", ["revision", "removal"])
            shown = await redis.exists(f"{prefix}update:{update_id}")
    except TRANSIENT as error:
        return Place("cache", None, shows=False, error=reason_of(error))
    return Place("cache", int(revision) if revision is not None else None, shows=bool(shown) and not removal)
