"""Processes are asked by their internal port, and by the one that strangers reach where that is all there is."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from slugline.settings import Address
from slugline.status.processes import ask_processes

TOLD = {
    "service": "publish.web",
    "version": "0.1.0+7",
    "status": "failing",
    "failing": {"kafka": "silent"},
    "roles": {"log": "active"},
}
METRICS = "# HELP x\nslugline_web_lag_messages 12.0\n"


@asynccontextmanager
async def serving(body: object, metrics: str = "") -> AsyncIterator[int]:
    """A port that answers /readyz so, with 503 where it is failing."""

    async def readyz(_: web.Request) -> web.Response:
        status = 503 if isinstance(body, dict) and body.get("status") == "failing" else 200
        return web.json_response(body, status=status)

    async def tell(_: web.Request) -> web.Response:
        return web.Response(text=metrics)

    app = web.Application()
    app.add_routes([web.get("/readyz", readyz), web.get("/metrics", tell)])
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    finally:
        await runner.cleanup()


async def test_a_process_tells_all_by_its_internal_port() -> None:
    """Its state with the reasons, its version, how far a web replica has read, and where readers come to it."""
    async with serving(TOLD, METRICS) as internal:
        (process,) = await ask_processes([Address("127.0.0.1", internal, name="publish-web", public=8080)])
    assert (process.name, process.state, process.version, process.behind) == ("publish.web", "failing", "0.1.0+7", 12)
    assert (process.reasons, process.serves) == ({"kafka": "silent"}, "127.0.0.1:8080")


async def test_a_process_without_an_internal_port_is_asked_by_the_other() -> None:
    """It says no more than whether it is ready: its name is then that of its address."""
    async with serving({"status": "ok"}) as public:
        (process,) = await ask_processes([Address("127.0.0.1", 1, name="publish-web", public=public)])
    assert (process.name, process.state, process.behind) == ("publish.web", "ok", None)


@pytest.mark.parametrize("body", [{"hello": "world"}, [], "x"], ids=str)
async def test_what_is_no_process_is_away(body: object) -> None:
    """Another program that has the port, or nobody, or a name that is not known."""
    async with serving(body) as port:
        (process,) = await ask_processes([Address("127.0.0.1", port, name="publish-web")])
    assert (process.name, process.state) == ("publish-web", "away")
    assert "no process of Slugline" in process.reasons["readyz"]


async def test_a_name_that_is_not_known_is_missed_unless_it_may_be_absent() -> None:
    """Not every newsroom takes files."""
    here, absent = Address("no-such-host.invalid", 80), Address("nor-this.invalid", 80, optional=True)
    (process,) = await ask_processes([here, absent])
    assert (process.name, process.state) == ("no-such-host.invalid", "away")
