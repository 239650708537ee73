"""Sources, their keys and their limits, by command and by file."""

import asyncio
import json
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner, Result

from ingest.__main__ import cli
from shared.access.key import digest_of
from shared.settings import Connections
from support.source_file import FILE, KEYS


async def run(newsroom: Connections, *arguments: str, **env: str) -> Result:
    """`python -m ingest sources` with the settings of this newsroom."""
    environment = {name.upper(): str(value) for name, value in newsroom.model_dump().items()} | env
    return await asyncio.to_thread(CliRunner().invoke, cli, ("sources", *arguments), env=environment)


@pytest.mark.integration
async def test_a_file_may_be_applied_as_often_as_one_likes(newsroom: Connections, tmp_path: Path) -> None:
    """Applying adds, changes or leaves; what the file does not name stays unless --prune is given; a bad file changes nothing."""
    file = tmp_path / "sources.toml"
    file.write_text(FILE)
    first = await run(newsroom, "apply", str(file), **KEYS)
    assert first.exit_code == 0, first.output
    assert first.stdout.split() == ["added", "north", "added", "feed"]
    assert (await run(newsroom, "apply", str(file), **KEYS)).stdout.split() == [
        "unchanged",
        "north",
        "unchanged",
        "feed",
    ]
    file.write_text(FILE.replace("600", "900").partition('[[source]]\nname = "feed"')[0])
    assert (await run(newsroom, "apply", str(file), **KEYS)).stdout.split() == ["changed", "north"]
    file.write_text("[[source]]\nname = 'other'\n[[source]]\nname = ''")
    assert (await run(newsroom, "apply", str(file))).exit_code == 1
    listed = [json.loads(line) for line in (await run(newsroom, "list", "--json")).stdout.splitlines()]
    assert [(each["name"], each["keys"], each["paused_at"] is not None) for each in listed] == [
        ("feed", 0, True),
        ("north", 2, False),
    ]
    file.write_text(FILE.partition('[[source]]\nname = "feed"')[0])
    assert "removed    feed" in (await run(newsroom, "apply", str(file), "--prune", **KEYS)).stdout
    assert (await run(newsroom, "apply", str(file), **{**KEYS, "NORTH_KEY_NEXT": "three"})).stdout.split()[
        0
    ] == "changed"
    file.write_text("")
    emptied = await run(newsroom, "apply", str(file), "--prune")
    assert (emptied.exit_code, "would remove them all" in emptied.output) == (1, True)


@pytest.mark.integration
async def test_a_file_pauses_and_resumes_and_leaves_what_is_so_already(newsroom: Connections, tmp_path: Path) -> None:
    """What the file says of pausing is told as a change, once; applying it again does not put off the silence alarm."""
    file = tmp_path / "sources.toml"
    said = []
    for paused in ("true", "true", "false", "false"):
        file.write_text(f"[[source]]\nname = 'north'\nsilence_after_s = 600\npaused = {paused}")
        said.append((await run(newsroom, "apply", str(file))).stdout.split()[0])
    assert said == ["added", "unchanged", "changed", "unchanged"]
    connection = await asyncpg.connect(newsroom.postgres_dsn)
    hour_ago = "now() - interval '1 hour'"
    await connection.execute(f"UPDATE ingest.sources SET created_at = {hour_ago}, resumed_at = {hour_ago}")
    await connection.close()
    await run(newsroom, "apply", str(file))
    listed = await run(newsroom, "list")
    assert "silent" in listed.stdout
    assert "readers have been given nothing new from north" in listed.stdout
    await run(newsroom, "pause", "north", "--because", "contract")
    assert "contract" in (await run(newsroom, "list")).stdout


@pytest.mark.integration
async def test_a_source_that_no_longer_fits_is_shown_and_can_be_mended(newsroom: Connections, tmp_path: Path) -> None:
    """What a newer release refuses is listed as unusable and told why; applying a file mends it, and it stays paused."""
    await run(newsroom, "add", "north")
    await run(newsroom, "pause", "north", "--because", "contract")
    connection = await asyncpg.connect(newsroom.postgres_dsn)
    await connection.execute("UPDATE ingest.sources SET format = 'telex'")
    await connection.close()
    assert "unusable" in (await run(newsroom, "list")).stdout
    shown = await run(newsroom, "show", "north")
    assert (shown.exit_code, "there is no format 'telex'" in shown.output) == (1, True)
    file = tmp_path / "sources.toml"
    file.write_text("[[source]]\nname = 'north'")
    assert (await run(newsroom, "apply", str(file))).stdout.split() == ["changed", "north"]
    assert json.loads((await run(newsroom, "show", "north")).stdout)["paused_because"] == "contract"


@pytest.mark.integration
async def test_a_source_by_command(newsroom: Connections) -> None:
    """Added with a key that is shown once, rotated in two steps, paused, resumed, shown and removed."""
    added = await run(newsroom, "add", "north", "--silence", "600")
    assert added.exit_code == 0, added.output
    key = added.stdout.strip().splitlines()[-1]
    assert key.startswith("slk_")
    assert (await run(newsroom, "add", "north")).exit_code == 1
    lost = (await run(newsroom, "rotate", "north")).stdout.splitlines()[0]
    refused = await run(newsroom, "rotate", "north")
    assert (refused.exit_code, "two keys already" in refused.output) == (1, True)
    second = (await run(newsroom, "rotate", "north", "--again")).stdout.splitlines()[0]
    assert second != lost
    connection = await asyncpg.connect(newsroom.postgres_dsn)

    async def live() -> set[bytes]:
        return {
            bytes(row[0]) for row in await connection.fetch("SELECT sha256 FROM ingest.keys WHERE revoked_at IS NULL")
        }

    assert await live() == {digest_of(key), digest_of(second)}
    assert "1 key(s)" in (await run(newsroom, "rotate", "north", "--finish")).output
    assert await live() == {digest_of(second)}
    await run(newsroom, "pause", "north", "--because", "night")
    shown = json.loads((await run(newsroom, "show", "north")).stdout)
    assert shown["paused_because"] == "night"
    assert key not in json.dumps(shown)
    await run(newsroom, "resume", "north")
    assert json.loads((await run(newsroom, "show", "north")).stdout)["paused_at"] is None
    assert (await run(newsroom, "remove", "north", "--yes")).exit_code == 0
    assert await live() == set()
    for command in (["pause"], ["resume"], ["show"], ["key"], ["rotate"], ["rotate", "--finish"]):
        assert (await run(newsroom, *command, "nobody")).exit_code == 1
    await connection.close()


@pytest.mark.integration
async def test_postgres_away_is_told_at_once(newsroom: Connections) -> None:
    """A person at a terminal hears what is wrong instead of waiting."""
    away = newsroom.model_copy(update={"postgres_dsn": "postgresql://x:x@127.0.0.1:1/x"})
    answer = await run(away, "list")
    assert answer.exit_code == 1
    assert "Postgres does not answer" in answer.output


async def test_a_setting_that_makes_no_sense_is_named(newsroom: Connections) -> None:
    """The variable and what is wrong with it, in one line and without its value."""
    answer = await run(newsroom, "list", INGEST_PORT="secret")
    assert answer.exit_code == 2
    assert "INGEST_PORT: " in answer.output
    assert "secret" not in answer.output
