"""The commands, as an operator runs them."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import obstore
import pytest

from enrich.media.avatar import store_avatar
from enrich.media.errors import PictureRefused
from enrich.media.operations import SourceRights, set_rights
from enrich.media.store import URL_PREFIX, open_store
from enrich.settings import Settings
from shared.audit.author import of_command
from shared.audit.log import rows
from shared.postgres.migrations import migrate
from shared.postgres.pool import connect
from shared.settings import Connections

BY = of_command("by the contract of 2026")


def run(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `python -m enrich`."""
    done = subprocess.run(
        [sys.executable, "-m", "enrich", *arguments],
        capture_output=True, text=True, timeout=100, env={**os.environ, **environment}, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def test_render_writes_the_renditions_and_prints_one_object(
    tmp_path: Path, jpeg: Callable[..., bytes], xmp: Callable[..., bytes]
) -> None:
    """One JSON object with all that the media worker would know, and the files it names."""
    image = tmp_path / "a.png"
    image.write_bytes(jpeg(700, 500, xmp=xmp(caption="A caption", credit="A. Gency")))
    code, out, _ = run("render", str(image), str(tmp_path / "out"))
    assert code == 0
    told = json.loads(out)
    assert told["mime_type"] == "image/jpeg"
    assert told["metadata"] == {"caption": "A caption", "credit": "A. Gency"}
    assert len(told["phash"]) == 16
    assert told["placeholder"].startswith("data:image/webp;base64,")
    assert {each["width"] for each in told["renditions"]} == {320, 640}
    for each in told["renditions"]:
        assert Path(each["path"]).stat().st_size == each["size_bytes"]


def test_render_says_why_not(tmp_path: Path) -> None:
    """Hostile input ends with exit code 1 and a reason, and writes nothing."""
    image = tmp_path / "a.jpg"
    image.write_bytes(b"\xff\xd8\xff\xe0" + b"\0" * 100)
    code, out, err = run("render", str(image), str(tmp_path / "out"))
    assert code == 1
    assert "damaged jpeg" in json.loads(out)["refused"]
    assert "Traceback" not in err
    assert not (tmp_path / "out").exists()


@pytest.mark.integration
async def test_rights_are_added_to_and_cleared(newsroom: Connections) -> None:
    """What ops set for a source is kept, added to and cleared; what is not there cannot be removed, and says so."""
    pool = await connect(newsroom, schema="enrich", max_size=1)
    await migrate(pool, "enrich")
    rights = await set_rights(pool, "agency", forbid=["no archive"], allow=(), credit="Agency", clear=False, by=BY)
    assert rights == SourceRights("agency", ["no archive"], [], "Agency")
    rights = await set_rights(
        pool, "agency", forbid=(), allow=["not for web in Austria"], credit=None, clear=False, by=BY
    )
    assert (rights.forbidden, rights.credit) == (["no archive"], "Agency")
    rights = await set_rights(pool, "agency", forbid=(), allow=(), credit=None, clear=True, by=BY)
    assert rights == SourceRights("agency")
    befores: list[Any] = [row.shown()["before"] async for row in rows(pool, "enrich")]
    assert [before["forbidden"] for before in befores] == [[], ["no archive"], ["no archive"]]
    await pool.close()
    environment = {
        "POSTGRES_DSN": newsroom.postgres_dsn, "TOPIC_PREFIX": newsroom.topic_prefix, "MEDIA_STORE": newsroom.media_store,
        "KAFKA_SERVERS": newsroom.kafka_servers,
    }  # fmt: skip
    code, out, _ = run("media-remove", "nothing", "--reason", "test", **environment)
    assert (code, json.loads(out)["copies"]) == (1, 0)


async def test_avatar_is_stored_by_its_content(tmp_path: Path, jpeg: Callable[..., bytes]) -> None:
    """The same portrait twice has one address; what is no portrait is refused with a reason."""
    settings = Settings(media_store=f"file://{tmp_path}/media")
    first, again = await store_avatar(settings, jpeg(500, 700)), await store_avatar(settings, jpeg(500, 700))
    assert first == again
    assert first.url.endswith("/avatar-320.jpg")
    stored: Any = await obstore.get_async(open_store(settings), first.url.removeprefix(URL_PREFIX))
    assert bytes(await stored.bytes_async()).startswith(b"\xff\xd8\xff")
    with pytest.raises(PictureRefused, match="SVG"):
        await store_avatar(settings, b"<svg/>")
