"""`slugline` on a running newsroom: all is well, an update is found, a letter is sent back, and a republish is seen by readers."""

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest

from enrich.reference.changes import announce
from shared.consumer.decode import header_of
from shared.kafka.cloudevents import REPUBLISHED
from shared.postgres.pool import connect
from shared.streams import ENRICHED, RAW
from support.pipeline import Pipeline
from support.topics import emitting, everything_in
from support.waiting import eventually

pytestmark = pytest.mark.flow
AUTHOR = {"id": "zelda-quimby", "name": "Zelda Quimby"}


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    output: str
    errors: str

    @property
    def said(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.output)


async def slugline(pipeline: Pipeline, *arguments: str) -> Ended:
    """Run the command as an operator of this newsroom."""
    settings = {name.upper(): str(value) for name, value in pipeline.settings.model_dump().items()}
    places = ",".join(f"{name}=127.0.0.1:{each.port}" for name, each in pipeline.named.items())
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "slugline", *arguments],
        env={**os.environ, **settings, "SLUGLINE_PROCESSES": places},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.mark.timeout(300)
async def test_an_operator_sees_finds_mends_and_republishes(pipeline: Pipeline) -> None:
    """Every command on real servers, as a person would go through them."""
    headline = "The harbour wall stands again after the storm of last week"
    body = "<p>The council said on Monday that the wall stands again.</p>"
    update_id = await pipeline.accepted(guid="wall", headline=headline, body_html=body, byline="By Zelda Quimby")
    await pipeline.visible(update_id, headline)

    async def verdict() -> str:
        (found,) = (await slugline(pipeline, "where", "wall", "--json")).said["updates"]
        return str(found["verdict"]["text"])

    await eventually(verdict, lambda text: text == "published: revision 1 is in the archive and in all of 2 places")
    (one,) = (await slugline(pipeline, "where", f"{pipeline.web}/updates/{update_id}/x", "--json")).said["updates"]
    assert (one["source"], one["guid"]) == ("desk", "wall")
    assert {"document received", "revision 1 archived"} <= {each["what"] for each in one["events"]}
    assert (await slugline(pipeline, "where", "nobody's")).code == 1

    well = await slugline(pipeline, "status", "--json")
    assert (well.code, well.said["problems"]) == (0, []), well.output
    report = well.said["report"]
    assert {each["name"] for each in report["processes"]} == {name.replace("-", ".") for name in pipeline.named}
    assert all(each["version"] for each in report["processes"])
    assert {each["name"].removeprefix(pipeline.settings.topic_prefix): each["lag"] for each in report["groups"]}[
        "enrich.text"
    ] == 0
    assert next(each for each in report["sources"] if each["name"] == "wire")["newest_at"] is None
    findings = (await slugline(pipeline, "doctor", "--json")).said["findings"]
    assert [each["what"] for each in findings if each["severity"] == 2] == []
    assert any("all 10 topics are there, as declared" in each["what"] for each in findings)

    async with emitting(pipeline.settings) as producer:
        await (
            await producer.send_bytes(
                RAW, b'{"source": "wire"}', key=b"wire", headers=[("ce_type", b"slugline.update.received")]
            )
        )
    letters = await eventually(lambda: slugline(pipeline, "deadletters", "list", "--json"), lambda done: done.code == 1)
    assert (letters.said["letter"], letters.said["source"]) == ("updates.raw@0", "wire")
    assert (await slugline(pipeline, "status", "--json")).code == 1
    sent = await slugline(pipeline, "deadletters", "replay", "--reason", "Field required", "--json")
    assert (sent.code, sent.said["sent"]) == (0, ["updates.raw@0"]), sent.errors
    again = await eventually(lambda: slugline(pipeline, "deadletters", "list", "--json"), lambda done: done.code == 1)
    assert again.said["attempt"] == 2
    assert (await slugline(pipeline, "deadletters", "drop", "--all", "--because", "a test")).code == 0
    assert (await slugline(pipeline, "deadletters", "list")).code == 0

    await name_the_author(pipeline)

    async def republished() -> Any:
        assert (await slugline(pipeline, "republish", update_id)).code == 0
        return (await pipeline.get(f"/v1/updates/{update_id}")).json()

    update = await eventually(republished, lambda seen: seen["authors"][0].get("id") == AUTHOR["id"])
    assert (update["kind"], update["revision"]) == ("enrich", 2)
    last = (await everything_in(pipeline.settings, ENRICHED))[-1]
    assert header_of(last, REPUBLISHED) == "1"


async def name_the_author(pipeline: Pipeline) -> None:
    """The directory learns a name, and nobody asks for the updates that have it."""
    pool = await connect(pipeline.settings, schema="enrich")
    try:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute("INSERT INTO enrich.authors (id, profile) VALUES ($1, $2)", AUTHOR["id"], AUTHOR)
            await announce(connection, "authors")
    finally:
        await pool.close()
