"""Purging caches by surrogate key."""

import asyncio
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from publish.push.main import serve
from publish.push.outbound import Outbound
from publish.push.purge import surrogate_keys
from publish.settings import Settings
from shared.process import http_server
from support.revisions import emit, free_port, revision, running
from support.waiting import eventually


@pytest.mark.integration
async def test_what_changed_is_purged_and_a_cache_that_is_away_is_tried_again(
    settings: Settings, pool: Any, site: Any, recipients: Any
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


@pytest.mark.skipif(shutil.which("varnishd") is None, reason="varnishd is not installed")
async def test_varnish_forgets_what_carries_the_key_and_nothing_else(tmp_path: Path) -> None:
    """Debian's Varnish, with bans on Surrogate-Key, serves a purged page anew and another from its memory."""
    fetched: list[str] = []

    async def page(request: Request) -> Response:
        name = request.path_params["name"]
        fetched.append(name)
        return PlainTextResponse(f"{name} {len(fetched)}", headers={"Surrogate-Key": f"news update:{name}"})

    backend, port = free_port(), free_port()
    (tmp_path / "test.vcl").write_text(VCL.format(port=backend))
    async with http_server(Starlette(routes=[Route("/{name}", page)]), "127.0.0.1", backend):
        varnish = subprocess.Popen(
            ["varnishd", "-F", "-n", str(tmp_path / "work"), "-a", f"127.0.0.1:{port}", "-f", str(tmp_path / "test.vcl"), "-s", "malloc,16m", "-j", "none"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

                async def get(name: str) -> str:
                    try:
                        return (await client.get(f"/{name}")).text
                    except httpx.TransportError as error:
                        raise OSError(str(error)) from error

                first = await eventually(lambda: get("a"), lambda seen: seen.startswith("a"), within_s=30)
                other = await get("b")
                assert (await get("a"), await get("b")) == (first, other), "both come from memory"
                async with Outbound(allow_private=True, timeout_s=5) as outbound:
                    keys = " ".join(surrogate_keys({"update:a", "tag:a b.c*"}))
                    answer = await outbound.send("PURGE", f"http://127.0.0.1:{port}/", headers={"Surrogate-Key": keys})
                assert answer.status == 200
                assert await get("a") != first
                assert await get("b") == other
        finally:
            varnish.terminate()
            await asyncio.to_thread(varnish.wait, 10)
