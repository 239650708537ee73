"""`python -m ingest record` and `replay`."""

import asyncio
import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingest.__main__ import cli
from ingest.cli import recording
from local.child import free_port
from shared.http.server.server import http_server
from support.ingest_api import Wire


async def run(wire: Wire, *arguments: str) -> Result:
    """`python -m ingest` with the settings of this newsroom."""
    environment = {name.upper(): str(value) for name, value in wire.settings.model_dump().items()}
    runner = CliRunner()
    return await asyncio.to_thread(runner.invoke, cli, arguments, env=environment)


@pytest.mark.integration
async def test_a_wire_day_is_recorded_and_played_into_another_system(wire: Wire, tmp_path: Path) -> None:
    """The recording holds every byte and no key; replaying it gives the same updates, in order, and a repeat only duplicates.

    Nothing is sent of a damaged file, or where a key is missing.
    """
    rss = (
        b'<?xml version="1.0"?><rss version="2.0"><channel><title>T</title><item><guid>r1</guid>'
        b"<title>From RSS</title></item></channel></rss>"
    )
    await wire.push({"guid": "a", "headline": "x"})
    assert (await wire.wire(rss, "application/rss+xml", "south")).status_code == 202
    assert (await wire.push(b"{")).status_code == 400
    file = tmp_path / "day.gz"
    recorded = await run(wire, "record", str(file), "--since", "1h")
    assert recorded.exit_code == 0, recorded.output
    assert [document.body for document in recording.read(file)][1] == rss
    assert file.stat().st_mode & 0o077 == 0
    assert b"-key" not in gzip.decompress(file.read_bytes())
    nothing = await run(wire, "record", str(tmp_path / "none.gz"), "--day", "2020-01-01")
    assert (nothing.exit_code, "nothing came in" in nothing.output) == (1, True)
    assert list(tmp_path.iterdir()) == [file]
    await wire.pool.execute("TRUNCATE ingest.items, ingest.originals")
    port = free_port()
    arguments = (
        "replay",
        str(file),
        "--to",
        f"http://127.0.0.1:{port}",
        "--speed",
        "max",
        "--keys",
        str(tmp_path / "keys"),
    )
    (tmp_path / "keys").write_text("north=north-key\nsouth=south-key\n")
    (tmp_path / "nonsense").write_text("nonsense")
    (tmp_path / "north").write_text("north=north-key")
    async with http_server(wire.app, "127.0.0.1", port):
        played = await run(wire, *arguments)
        repeated = await run(wire, *arguments)
        wrong = await run(
            wire, "replay", str(file), "--to", f"http://127.0.0.1:{port}", "--keys", str(tmp_path / "nonsense")
        )
        unkeyed = await run(wire, *arguments[:-1], str(tmp_path / "north"))
        damaged = tmp_path / "damaged.gz"
        damaged.write_bytes(file.read_bytes()[:-12])
        cut = await run(wire, "replay", str(damaged), *arguments[2:])
    assert (played.exit_code, "2 accepted" in played.output) == (0, True), played.output
    assert "1 documents refused as when they were recorded" in played.output
    assert (unkeyed.exit_code, "no key for south" in unkeyed.output) == (2, True)
    assert cut.exit_code == 1
    assert "2 duplicate" in repeated.output
    assert wrong.exit_code == 1
    assert sorted(item["guid"] for item in await wire.raw()) == ["a", "a", "r1", "r1"]


@pytest.mark.integration
async def test_what_was_taken_once_and_is_not_now_is_told_by_the_exit_code(wire: Wire, tmp_path: Path) -> None:
    """A replay into a system that refuses what was taken when it was recorded ends with 1; a part that is lost is sent again."""
    await wire.push({"guid": "a", "headline": "x"})
    file = tmp_path / "day.gz"
    await run(wire, "record", str(file), "--since", "1h")
    answers = [
        (503, {}),
        (207, {"results": [{"status": "error"}]}),
        (422, {"code": "invalid", "detail": "no headline"}),
    ]
    asked: list[bytes] = []

    async def answer(request: Request) -> Response:
        asked.append(await request.body())
        status, told = answers[len(asked) - 1]
        return JSONResponse(told, status, {"Retry-After": "0"})

    port = free_port()
    other = Starlette(routes=[Route("/v1/updates", answer, methods=["POST"])])
    async with http_server(other, "127.0.0.1", port):
        (tmp_path / "keys").write_text("k")
        played = await run(
            wire, "replay", str(file), "--to", f"http://127.0.0.1:{port}", "--keys", str(tmp_path / "keys")
        )
    assert played.exit_code == 1
    assert "invalid: no headline" in played.output
    assert len(asked) == 3
    assert len(set(asked)) == 1
