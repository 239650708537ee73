"""Purging caches by surrogate key."""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from local.child import free_port
from publish.archive import process as archive
from publish.push.delivery.outbound import Outbound
from publish.push.process import serve
from publish.push.purge.surrogate_keys import surrogate_keys
from publish.push.settings import PushSettings
from publish.web import process as web
from shared.http.server.server import http_server
from shared.messages import EnrichedUpdate, Passport
from shared.postgres.pool import Pool
from support.revisions import emit, revision, running
from support.waiting import eventually


@pytest.mark.integration
async def test_what_changed_is_purged_and_a_cache_that_is_away_is_tried_again(
    settings: PushSettings, pool: Pool, site: Any, recipients: Any
) -> None:
    """Each revision purges its update and its channels, and the ones that it leaves; 503 is tried again until it is taken."""
    recipients.behave["/cache"] = lambda got, n: 503 if n < 3 else 200
    own = settings.model_copy(
        update={"publish_push_purge_urls": f"{recipients.url}/cache", "publish_push_purge_auth": "X-Key: k"}
    )
    async with running(lambda stop: serve(own, stop)):
        await emit(settings, [revision("a", 1, tags=["one"])])
        got = await eventually(lambda: recipients.at("/cache"), lambda got: len(got) >= 3)
        await emit(settings, [revision("a", 2, tags=["two"])])
        await eventually(lambda: recipients.at("/cache"), lambda got: len(got) >= 4)
    assert (got[0].method, got[0].headers["x-key"]) == ("PURGE", "k")
    update = revision("a").update_id
    assert got[0].headers["surrogate-key"].split() == ["news", "source:wire", "tag:one", f"update:{update}"]
    assert "tag:one" in recipients.at("/cache")[-1].headers["surrogate-key"].split()


VCL = """
vcl 4.1;
backend default {{ .host = "127.0.0.1"; .port = "{port}"; }}
sub vcl_recv {{
  if (req.method == "PURGE") {{
    if (!req.http.Surrogate-Key) {{ return (synth(400)); }}
    ban("obj.http.Surrogate-Key ~ (^|\\s)(" + regsuball(req.http.Surrogate-Key, " ", "|") + ")(\\s|$)");
    return (synth(200, "Purged"));
  }}
}}
sub vcl_backend_response {{ set beresp.ttl = 1h; }}
"""
"""Keeps everything for an hour: what is fresh before that was purged."""


@contextlib.asynccontextmanager
async def varnish(folder: Path, backend: int) -> AsyncIterator[str]:
    """Debian's Varnish before a port of this machine; its address."""
    port = free_port()
    (folder / "test.vcl").write_text(VCL.format(port=backend))
    process = subprocess.Popen(
        ["varnishd", "-F", "-n", str(folder / "work"), "-a", f"127.0.0.1:{port}", "-f", str(folder / "test.vcl"), "-s", "malloc,16m", "-j", "none"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await asyncio.to_thread(process.wait, 10)


async def got(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """An answer; a cache that does not listen yet is no answer yet."""
    try:
        return await client.get(path)
    except httpx.TransportError as error:
        raise OSError(str(error)) from error


@pytest.mark.skipif(shutil.which("varnishd") is None, reason="varnishd is not installed")
async def test_varnish_forgets_what_carries_the_key_and_nothing_else(tmp_path: Path) -> None:
    """Debian's Varnish, with bans on Surrogate-Key, serves a purged page anew and another from its memory."""
    fetched: list[str] = []

    async def page(request: Request) -> Response:
        name = request.path_params["name"]
        fetched.append(name)
        return PlainTextResponse(f"{name} {len(fetched)}", headers={"Surrogate-Key": f"news update:{name}"})

    backend = free_port()
    async with (
        http_server(Starlette(routes=[Route("/{name}", page)]), "127.0.0.1", backend),
        varnish(tmp_path, backend) as url,
        httpx.AsyncClient(base_url=url) as client,
    ):

        async def get(name: str) -> str:
            return (await got(client, f"/{name}")).text

        first = await eventually(lambda: get("a"), lambda seen: seen.startswith("a"), within_s=30)
        other = await get("b")
        assert (await get("a"), await get("b")) == (first, other), "both come from memory"
        async with Outbound(allow_private=True, timeout_s=5) as outbound:
            keys = " ".join(surrogate_keys({"update:a", "tag:a b.c*"}))
            answer = await outbound.send("PURGE", f"{url}/", headers={"Surrogate-Key": keys})
        assert answer.status == 200
        assert await get("a") != first
        assert await get("b") == other


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("varnishd") is None, reason="varnishd is not installed")
async def test_a_kill_takes_the_text_out_of_varnish_before_the_real_pages(
    settings: PushSettings, tmp_path: Path
) -> None:
    """Pages, feeds and API answers that Varnish keeps for an hour are corrected and lose a killed update by the purge alone."""
    port, now = free_port(), datetime.now(UTC)
    site = {"port": port, "publish_site_url": f"http://127.0.0.1:{port}", "publish_push_web_urls": ""}
    passport = Passport(received_at=now, enriched_at=now)

    def news(guid: str, number: int = 1, **fields: Any) -> EnrichedUpdate:
        return revision(guid, number, passport=passport, first_published_at=now, tags=["flood"], **fields)

    async with contextlib.AsyncExitStack() as stack:
        url = await stack.enter_async_context(varnish(tmp_path, port))
        own = settings.model_copy(update=site | {"publish_push_purge_urls": f"{url}/", "publish_stream_drain_s": 0.1})
        apart = own.model_copy(update={"health_port": free_port()})
        await stack.enter_async_context(running(lambda stop: archive.serve(apart, stop)))
        await stack.enter_async_context(running(lambda stop: web.serve(own, stop)))
        await stack.enter_async_context(running(lambda stop: serve(own, stop)))
        client = await stack.enter_async_context(httpx.AsyncClient(base_url=url))
        update = news("a", headline="Dam breaks")
        await emit(own, [update, news("b", headline="Rain goes on")])
        shared = ["/", "/tags/flood", "/feeds/news.rss", "/feeds/tag/flood.json", "/v1/updates", "/sitemap-news.xml"]
        alone = [update.path, f"/v1/updates/{update.update_id}"]

        async def all_say(words: str, paths: list[str]) -> bool:
            return all([words in (await got(client, path)).text for path in paths])

        await eventually(lambda: all_say("Dam breaks", [*shared, *alone]), within_s=40)

        async def from_memory() -> list[str]:
            # Varnish names two transactions where it answers from memory: this one, and the one that fetched.
            return [path for path in shared if len((await got(client, path)).headers["x-varnish"].split()) == 2]

        await eventually(from_memory, lambda seen: seen == shared, within_s=30, what="not all is kept between purges")
        for path in alone:
            control = (await got(client, path)).headers["cache-control"]
            assert "must-revalidate" in control
            assert "stale" not in control, "what shows one update alone is never served stale"
        await emit(own, [news("a", 2, kind="correct", headline="Dam holds")])
        await eventually(lambda: all_say("Dam holds", [*shared, *alone]), within_s=30)
        await emit(own, [news("a", 3, removal="killed")])

        async def gone() -> list[int]:
            return [(await got(client, path)).status_code for path in alone]

        await eventually(gone, lambda seen: seen == [410, 410], within_s=30)
        await eventually(lambda: all_say("Rain goes on", shared), within_s=30)
        for path in shared:
            assert "Dam" not in (await got(client, path)).text, path
