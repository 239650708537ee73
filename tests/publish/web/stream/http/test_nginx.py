"""Behind nginx as people run it: default buffering, HTTP/1.0 to the upstream or kept connections, HTTP/2 in front."""

import asyncio
import shutil
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from local.child import free_port
from support.event_stream import Reader

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")

pytestmark = pytest.mark.skipif(NGINX is None, reason="no nginx here")

CONF = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  gzip on; gzip_types *; gzip_min_length 0;
  upstream kept {{ server 127.0.0.1:{upstream}; keepalive 4; }}
  server {{ listen 127.0.0.1:{plain}; location / {{ proxy_pass http://127.0.0.1:{upstream}; }} }}
  server {{
    listen 127.0.0.1:{kept};
    location / {{ proxy_pass http://kept; proxy_http_version 1.1; proxy_set_header Connection "";
                 proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for; }}
  }}
  server {{ listen 127.0.0.1:{two} http2; location / {{ proxy_pass http://127.0.0.1:{upstream}; }} }}
}}
"""


@pytest.fixture
async def proxied(site, tmp_path: Path):
    """The ports of nginx in front of the site: plain HTTP/1.0 upstream, kept connections, HTTP/2."""
    ports = {"plain": free_port(), "kept": free_port(), "two": free_port()}
    conf = tmp_path / "nginx.conf"
    conf.write_text(CONF.format(folder=tmp_path, upstream=site.port, **ports))
    process = subprocess.Popen([str(NGINX), "-c", str(conf), "-p", str(tmp_path)], stderr=subprocess.DEVNULL)
    try:
        ends = time.monotonic() + 30
        while time.monotonic() < ends:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", ports["two"])) == 0:
                    break
            await asyncio.sleep(0.05)
        yield ports
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize("way", ["plain", "kept"])
async def test_events_pass_at_once(site, proxied, make_event, way: str) -> None:
    """With nginx's default buffering our header is enough: the greeting and each single event arrive when they are sent."""
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{proxied[way]}") as client:
        assert (await client.get("/")).text == "a page"
    for _ in range(6):
        reader = Reader.ask(proxied[way], "/v1/stream?cursor=1-0")
        await reader.until(lambda each: b"retry: " in each.raw)
        site.readers.append(reader)
    for offset in (1, 2, 3):
        site.publish(make_event(offset))
        for reader in site.readers:
            await reader.until(lambda each, offset=offset: f'{{"n":{offset}}}'.encode() in each.raw)
    for reader in site.readers:
        reader.close()
    ends = time.monotonic() + 30
    while len(site.broadcaster) and time.monotonic() < ends:
        await asyncio.sleep(0.02)
    assert len(site.broadcaster) == 0


async def test_http_2_in_front(site, proxied, make_event) -> None:
    """A browser that speaks HTTP/2 to the proxy gets the same stream."""
    async with (
        httpx.AsyncClient(http1=False, http2=True, base_url=f"http://127.0.0.1:{proxied['two']}") as client,
        client.stream("GET", "/v1/stream", timeout=10) as answer,
    ):
        assert answer.http_version == "HTTP/2"
        lines = answer.aiter_lines()
        while not (await anext(lines)).startswith("id:"):
            pass
        site.publish(make_event(1))
        while (line := await anext(lines)) != 'data: {"n":1}':
            assert "data" not in line
