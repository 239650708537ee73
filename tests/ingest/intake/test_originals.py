"""The bytes as received: kept, found, read again, recorded and replayed."""

import asyncio
import gzip
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ingest.__main__ import cli
from ingest.cli import recording
from ingest.formats import SourceProfile
from ingest.intake import originals
from ingest.intake.originals import OriginalFilter, StoredOriginal, new_original_id
from ingest.sources import store
from ingest.sources.source import Source
from local.child import free_port
from shared.http.server.server import http_server
from support.ingest_api import Wire


async def run(wire: Wire, *arguments: str) -> Result:
    """`python -m ingest` with the settings of this newsroom."""
    environment = {name.upper(): str(value) for name, value in wire.settings.model_dump().items()}
    runner = CliRunner()
    return await asyncio.to_thread(runner.invoke, cli, arguments, env=environment)


def test_ids_of_originals_are_in_order_of_time() -> None:
    """Later originals have later ids, a version 7 and the RFC's variant."""
    one, two = new_original_id(), new_original_id()
    assert one.version == 7
    assert one.variant == "specified in RFC 4122"
    assert one.int >> 80 <= two.int >> 80


@pytest.mark.integration
async def test_originals_are_found_by_what_is_asked(wire: Wire) -> None:
    """By source, time, format and refusal; in pages, oldest first, each once."""
    for number in range(7):
        await wire.push({"guid": str(number), "headline": "x"})
    await wire.push(b"{", "south-key")
    found = [each.id async for each in originals.iterate(wire.pool, OriginalFilter(source="north"), page=3)]
    assert len(found) == len(set(found)) == 7
    assert await originals.count(wire.pool, OriginalFilter(refused=True)) == 1
    assert await originals.count(wire.pool, OriginalFilter(format="native")) == 7
    assert await originals.count(wire.pool, OriginalFilter(until=datetime.now(UTC) - timedelta(hours=1))) == 0


@pytest.mark.integration
async def test_reading_again_emits_only_what_changes(wire: Wire) -> None:
    """With the same reader and profile everything is a duplicate; with another profile what differs is emitted anew."""
    await wire.push({"guid": "a", "headline": "x", "version": "1"})
    await wire.push({"guid": "b", "headline": "y"})
    await wire.push({"guid": "b", "headline": "z"})
    again = await run(wire, "originals", "reprocess", "--source", "north")
    assert again.exit_code == 0, again.output
    assert "3 duplicate" in again.output
    assert len(await wire.raw()) == 3
    await store.save(wire.pool, Source(name="north", profile=SourceProfile(credit="North Agency")))
    changed = await run(wire, "originals", "reprocess", "--source", "north")
    assert "3 accepted" in changed.output
    # The source has not spoken: a silence goes on.
    assert await wire.pool.fetchval("SELECT count(*) FROM ingest.activity") == 0
    versions = [item for item in await wire.raw() if item["guid"] == "a"]
    assert versions[1]["credit"] == "North Agency"
    assert versions[1]["received_at"] > versions[0]["received_at"]
    assert datetime.fromisoformat(versions[1]["received_at"]) - datetime.fromisoformat(
        versions[0]["received_at"]
    ) < timedelta(seconds=1)


@pytest.mark.integration
async def test_reprocessing_wants_to_be_told_what(wire: Wire) -> None:
    """Without a selection nothing is read again; --dry-run counts."""
    await wire.push({"guid": "a", "headline": "x"})
    assert (await run(wire, "originals", "reprocess")).exit_code == 2
    unknown = await run(wire, "originals", "reprocess", str(new_original_id()))
    assert (unknown.exit_code, "no such original" in unknown.output) == (1, True)
    assert (await run(wire, "originals", "list", "--limit", "-1")).exit_code == 2
    assert "1 meant" in (await run(wire, "originals", "reprocess", "--since", "1h", "--dry-run")).output


@pytest.mark.integration
async def test_an_original_can_be_seen(wire: Wire) -> None:
    """`show` tells what was made of it, `show --body` gives the bytes."""
    original = (await wire.push({"guid": "a", "headline": "x"})).json()["original"]
    assert (await run(wire, "originals", "show", original)).output.count('"guid": "a"') == 1
    assert (await run(wire, "originals", "show", original, "--body")).stdout_bytes == b'{"guid":"a","headline":"x"}'
    assert (await run(wire, "originals", "show", str(new_original_id()))).exit_code == 1
    assert original in (await run(wire, "originals", "list")).output


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
        "--key",
        "north=north-key",
        "--key",
        "south=south-key",
    )
    async with http_server(wire.app, "127.0.0.1", port):
        played = await run(wire, *arguments)
        repeated = await run(wire, *arguments)
        wrong = await run(wire, "replay", str(file), "--to", f"http://127.0.0.1:{port}", "--key", "nonsense")
        unkeyed = await run(wire, *arguments[:-2])
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
        played = await run(wire, "replay", str(file), "--to", f"http://127.0.0.1:{port}", "--key", "k")
    assert played.exit_code == 1
    assert "invalid: no headline" in played.output
    assert len(asked) == 3
    assert len(set(asked)) == 1


async def test_a_recording_that_was_cut_is_told_so(tmp_path: Path) -> None:
    """Cut short, changed or of another kind: an error naming the line, after what was good."""

    async def documents() -> AsyncIterator[StoredOriginal]:
        for number in range(3):
            body = b"%d" % number
            yield StoredOriginal(
                id=new_original_id(), source="s", transport="api", received_at=datetime.now(UTC), content_type=None,
                sha256=hashlib.sha256(body).hexdigest(), body=body, format=None, asked_format=None, updates=1, reprocessed=0,
            )  # fmt: skip

    file = tmp_path / "day.gz"
    assert await recording.write(file, documents()) == 3
    assert [document.body for document in recording.read(file)] == [b"0", b"1", b"2"]
    whole = file.read_bytes()
    file.write_bytes(whole[:-12])
    with pytest.raises(recording.InvalidRecording):
        list(recording.read(file))
    changed = gzip.decompress(whole).replace(b'"MA=="', b'"MQ=="')
    file.write_bytes(gzip.compress(changed))
    with pytest.raises(recording.InvalidRecording, match="line 2"):
        list(recording.read(file))
    file.write_bytes(gzip.compress(b"{}\n"))
    with pytest.raises(recording.InvalidRecording, match="no wire day"):
        list(recording.read(file))
