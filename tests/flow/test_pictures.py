"""The picture of an update that was killed or taken down goes with it."""

import asyncio
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import pyvips

from shared.settings import Connections
from support.pipeline import KEYS, started
from support.processes import Processes
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(180)]


@pytest.fixture
def picture() -> Iterator[str]:
    """The address of a picture."""
    noise = pyvips.Image.gaussnoise(64, 64, mean=128, sigma=40).cast("uchar").resize(8)
    body = noise.colourspace("srgb").jpegsave_buffer(Q=80)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "image/jpeg")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/photo.jpg"
    finally:
        server.shutdown()


async def test_the_picture_goes_with_its_update(
    newsroom: Connections, processes: Processes, tmp_path: Path, picture: str
) -> None:
    """Every rendition that the page named, whether by a kill or a takedown, once no other update shows it."""
    processes.start(newsroom, "enrich", "media", ENRICH_MEDIA_ALLOW_PRIVATE="true")
    async with started(newsroom, processes, tmp_path) as pipeline:

        async def posted(guid: str) -> tuple[str, set[str]]:
            update_id = await pipeline.accepted(
                guid=guid, headline="Photo", body_html="<p>Text</p>",
                media=[{"url": picture, "credit": "A. Quill", "caption": "A photo"}],
            )  # fmt: skip

            async def named() -> set[str]:
                answer = await pipeline.get(f"/v1/updates/{update_id}")
                return set(re.findall(r"/media/[A-Za-z0-9/._-]+", answer.text))

            return update_id, await eventually(named, within_s=40, what="no picture")

        (first, addresses), (second, same) = await posted("one"), await posted("two")
        assert addresses == same

        async def served() -> set[int]:
            return {answer.status_code for answer in await asyncio.gather(*(pipeline.get(each) for each in addresses))}

        async with httpx.AsyncClient(
            base_url=pipeline.ingest, headers={"Authorization": f"Bearer {KEYS['desk']}"}
        ) as desk:
            for update_id, order, expected in ((first, "kill", {200}), (second, "takedown", {404})):
                answer = await desk.post(f"/v1/updates/{update_id}/orders", json={"order": order, "reason": "privacy"})
                assert answer.status_code == 202
                await eventually(
                    lambda update_id=update_id: pipeline.get(f"/v1/updates/{update_id}"),  # type: ignore[misc]
                    lambda answer: answer.status_code == 410,
                    what="not killed",
                )
                await eventually(served, lambda seen, expected=expected: seen == expected, what="pictures as before")  # type: ignore[misc]
