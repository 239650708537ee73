"""`python -m ingest originals`."""

import asyncio
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from ingest.__main__ import cli
from ingest.formats import SourceProfile
from ingest.intake.originals import new_original_id
from ingest.sources import store
from ingest.sources.source import Source
from support.ingest_api import Wire


async def run(wire: Wire, *arguments: str) -> Result:
    """`python -m ingest` with the settings of this newsroom."""
    environment = {name.upper(): str(value) for name, value in wire.settings.model_dump().items()}
    runner = CliRunner()
    return await asyncio.to_thread(runner.invoke, cli, arguments, env=environment)


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
