"""One trace from the sender's request to the reader's socket and to a partner's webhook."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from support.otlp import collector
from support.pipeline import KEYS, SERVICES, started
from support.processes import Processes
from support.servers import Servers, new_newsroom
from support.waiting import eventually

pytestmark = pytest.mark.flow
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
STAGES = {
    "ingest.take", "enrich.text", "publish.archive", "publish.cache", "publish.web.stream", "publish.push", "publish.push.webhook",
}  # fmt: skip


@pytest.fixture
def partner() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A webhook's address, and the headers that it was sent."""
    headers: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook", headers
    server.shutdown()
    server.server_close()


async def test_one_trace_from_the_request_to_the_reader_and_the_webhook(
    servers: Servers, tmp_path: Path, partner: tuple[str, list[dict[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each stage has its span below the sender's; logs, the webhook and the latency histogram name the same trace."""
    address, got = partner
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    monkeypatch.setenv("PUBLISH_PUSH_ALLOW_PRIVATE", "true")
    processes = Processes(tmp_path / "logs")
    with collector() as spans:
        async with new_newsroom(servers, tmp_path / "media") as plain:
            settings = plain.model_copy(update={"otlp_endpoint": spans.url, "otlp_sample": 0.0})
            async with started(settings, processes, tmp_path, (*SERVICES, ("publish", "push"))) as pipeline:
                push = ("publish", "push")
                key = json.loads(await asyncio.to_thread(processes.run, settings, *push, "keys", "add", "partner"))
                await asyncio.to_thread(processes.run, settings, *push, "endpoints", "add", key["id"], address)
                async with pipeline.stream() as stream:
                    async with httpx.AsyncClient() as sender:
                        answer = await sender.post(
                            f"{pipeline.ingest}/v1/updates",
                            json={
                                "guid": "traced",
                                "headline": "A traced report",
                                "body_html": "<p>Of the harbour.</p>",
                            },
                            headers={
                                "Authorization": f"Bearer {KEYS['desk']}",
                                "traceparent": f"00-{TRACE}-00f067aa0ba902b7-01",
                            },
                        )
                    update_id = answer.json()["results"][0]["id"]
                    untraced = await pipeline.accepted(
                        guid="untraced", headline="Another report", body_html="<p>Also.</p>"
                    )
                    await stream.until(update_id, "publish")
                    await stream.until(untraced, "publish")
                await eventually(
                    lambda: spans.names(TRACE), lambda names: names >= STAGES, what="a stage without a span"
                )
                await eventually(lambda: len(got), lambda count: count == 2, what="webhooks")
                async with httpx.AsyncClient() as client:
                    metrics = await client.get(
                        f"{pipeline.web}/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
                    )
    ids = {span.attributes["slugline.update_id"] for span in spans.spans if "slugline.update_id" in span.attributes}
    assert ids == {update_id}, "only what is sampled is recorded"
    assert {span.trace_id for span in spans.spans} == {TRACE}
    assert sum(TRACE in each["traceparent"] for each in got) == 1
    assert f'trace_id="{TRACE}"' in metrics.text
