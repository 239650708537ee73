"""An update that takes a replica down when it is rendered does so three times, and is then left out."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from local.child import Child, free_port
from publish.archive import process as archive
from publish.settings import Settings
from shared.settings import Connections
from support.revisions import emit, revision, running
from support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(newsroom: Connections) -> Settings:
    """The settings of both processes in this newsroom."""
    given = {"health_port": free_port(), "port": free_port(), "publish_stream_drain_s": 0.1, "watchdog_s": 3.0}
    return Settings(**newsroom.model_dump() | given)


@pytest.fixture
def replicas(settings: Settings, tmp_path: Path) -> Iterator[list[Child]]:
    """Processes of one replica, the one after the other."""
    given = {**Connections.model_fields, **dict.fromkeys(("port", "publish_stream_drain_s"))}
    env = {name.upper(): str(getattr(settings, name)) for name in given}
    script = str(Path(__file__).with_name("crashing_web.py"))
    children = [
        Child(
            f"web-{number}", [sys.executable, script], tmp_path / f"web-{number}.log", env | {"TMPDIR": str(tmp_path)}
        )
        for number in range(5)
    ]
    yield children
    for child in children:
        child.kill()
        print(child.tail(15))


async def page(client: httpx.AsyncClient, accept: str = "text/html") -> str:
    """The front page; empty where nobody answers."""
    with contextlib.suppress(httpx.TransportError):
        return (await client.get("/", headers={"accept": accept})).text
    return ""


@pytest.mark.parametrize("kind", ["crash", "hang"])
async def test_a_replica_comes_up_without_what_took_it_down(
    settings: Settings, replicas: list[Child], kind: str
) -> None:
    """Though the archive's snapshot gives it again at each start; the others stand, and a restart in order changes nothing."""
    async with (
        running(lambda stop: archive.serve(settings, stop)),
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.port}", timeout=10) as client,
    ):
        await emit(settings, [revision("good", body_html="<p>good words</p>", text="t", word_count=2)])
        await emit(settings, [revision("bad", body_html=f"<p>{kind} words</p>", text="t", word_count=2)])
        for child in replicas[:3]:
            child.start()
            await eventually(lambda: client_is_ready(client), within_s=30, what="the replica")

            async def dead(child: Child = child) -> bool:
                await page(client)
                return not child.running

            await eventually(dead, within_s=30, what="its end")
        for child in replicas[3:]:
            child.start()
            await eventually(lambda: client_is_ready(client), within_s=30, what="the replica")
            shown = await page(client)
            assert "good words" in shown
            assert f"{kind} words" not in shown
            await emit(settings, [revision("good", 2 + replicas.index(child), kind="kill", removal="killed")])
            await eventually(lambda: page(client), lambda seen: seen and "good words" not in seen, what="the kill")
            child.end()
            break


async def client_is_ready(client: httpx.AsyncClient) -> bool:
    """Whether the replica shows what there is."""
    with contextlib.suppress(httpx.TransportError):
        return (await client.get("/readyz")).status_code == 200
    return False
