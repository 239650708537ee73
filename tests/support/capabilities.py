"""What the broker of a run can do, asked of itself: a test that needs more says so with `@pytest.mark.needs(...)`."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache

from aiokafka.admin import AIOKafkaAdminClient


async def _controller(brokers: str) -> str:
    """A node that takes orders about topics, such as to delete one."""
    admin = AIOKafkaAdminClient(bootstrap_servers=brokers)
    await admin.start()
    try:
        cluster = await admin.describe_cluster()
    finally:
        await admin.close()
    named, nodes = cluster["controller_id"], [each["node_id"] for each in cluster["brokers"]]
    return "" if named in nodes else f"the broker names node {named} as controller, and has {nodes}"


CAPABILITIES: Mapping[str, Callable[[str], Awaitable[str]]] = {"controller": _controller}
"""By name, how to ask brokers for it: why they lack it, or nothing."""


@cache
def lacking(capability: str, brokers: str) -> str:
    """Why these brokers cannot do that; empty where they can. Raises `KeyError` for a capability that has no name."""

    async def ask() -> str:
        return await CAPABILITIES[capability](brokers)

    # A thread of its own has no event loop yet, whatever the test has.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, ask()).result()
