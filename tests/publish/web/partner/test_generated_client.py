"""A partner's walk with a client that a generator made of our document: from `/openapi.json` to a page that is kept current."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from browser.checkers import fetched, python_tool
from local.child import free_port
from publish.representation.position import Position
from publish.web.renderer import stream_event
from publish.web.stream.http.serve import stream_server
from shared.messages import EnrichedUpdate
from support.places import skip_or_fail
from support.revisions import revision
from support.samples import full
from support.web_replica import Make, Replica

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

PARTNER = Path(__file__).with_name("generated_partner.py")
TYPED_PARTNER = Path(__file__).with_name("generated_partner.ts")


async def ran(*command: str | Path, paths: list[Path]) -> str:
    """What a program printed; it must end well."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))}
    process = await asyncio.create_subprocess_exec(
        *map(str, command), env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    out, err = await process.communicate()
    assert process.returncode == 0, (out + err).decode()[-3000:]
    return out.decode()


def publish(replica: Replica, *updates: EnrichedUpdate) -> None:
    """As the follower does."""
    events = [stream_event(replica.answers.renderer, applied) for applied in replica.take(*updates) if applied]
    replica.broadcaster.publish(events, through=Position(1, replica.offset))


def told(guid: str, number: int = 1, **fields: Any) -> EnrichedUpdate:
    """An update of the flood with everything that one can have."""
    return full(guid, number, **{"story": "flood", "headline": f"{guid} {number}"} | fields)


async def test_a_generated_client_shows_a_page_and_resumes_it(make_replica: Make, tmp_path: Path) -> None:
    """In a language that has types everything has its own; a new process goes on from the kept cursor without a hole."""
    tool = await asyncio.to_thread(python_tool, "openapi-python-client")
    if tool is None:
        skip_or_fail("REQUIRE_BROWSER", "openapi-python-client cannot be had here")
    replica, port = make_replica(), free_port()
    replica.broadcaster.begin(1, -1)
    async with stream_server(replica.answers.response_cache, replica.broadcaster, "127.0.0.1", port):
        site = f"http://127.0.0.1:{port}"
        (tmp_path / "openapi.json").write_bytes((await replica.client.get("/openapi.json")).content)
        (tmp_path / "config.yml").write_text("post_hooks: []\n")
        await ran(
            sys.executable, "-m", "openapi_python_client", "generate", "--path", tmp_path / "openapi.json",
            "--output-path", tmp_path / "client", "--config", tmp_path / "config.yml", paths=[tool],
        )  # fmt: skip
        publish(replica, told("a"), told("b"), told("elsewhere", story="strike"))

        async def page() -> list[dict[str, Any]]:
            made = await ran(sys.executable, PARTNER, site, tmp_path / "state.json", paths=[tmp_path / "client", tool])
            shown: list[dict[str, Any]] = json.loads(made)
            return shown

        first = await page()
        assert [each["headline"] for each in first] == ["b 1", "a 1"]
        assert first[0]["quotes"] == ["It was close."]
        assert first[0]["authors"] == ["Ana Ferreira", "A Stringer"]
        publish(
            replica,
            told("c"),
            told("a", 2),
            told("b", 2, kind="kill", removal="killed"),
            told("elsewhere", 2, story="strike"),
        )
        assert [(each["headline"], each["revision"]) for each in await page()] == [("c 1", 1), ("a 2", 2)]
        assert [each["headline"] for each in await page()] == ["c 1", "a 2"]


async def test_types_of_the_document_hold_what_is_answered(make_replica: Make, tmp_path: Path) -> None:
    """A partner in TypeScript compiles by the generated types alone (strict), shows a page, and goes on from its cursor."""
    generator = await asyncio.to_thread(fetched, "openapi-typescript", "openapi-fetch", "typescript")
    if generator is None:
        skip_or_fail("REQUIRE_BROWSER", "openapi-typescript cannot be had here")
    tools = generator.parent
    replica, port = make_replica(), free_port()
    replica.broadcaster.begin(1, -1)
    (tmp_path / "node_modules").symlink_to(tools)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "partner.ts").write_text(TYPED_PARTNER.read_text())
    (tmp_path / "openapi.json").write_bytes((await replica.client.get("/openapi.json")).content)
    made = tmp_path / "api.ts"
    await ran("node", tools / "openapi-typescript" / "bin" / "cli.js", tmp_path / "openapi.json", "-o", made, paths=[])
    strict = "--strict --noUncheckedIndexedAccess --target es2022 --lib es2022,dom --module nodenext --skipLibCheck"
    await ran("node", tools / "typescript" / "bin" / "tsc", *strict.split(), tmp_path / "partner.ts", paths=[])
    async with stream_server(replica.answers.response_cache, replica.broadcaster, "127.0.0.1", port):
        site = f"http://127.0.0.1:{port}"
        publish(replica, told("a"), told("b"))
        page = json.loads(await ran("node", tmp_path / "partner.js", site, paths=[]))
        assert page == {"headlines": ["b 1", "a 1"], "cursor": "1-1"}
        publish(replica, told("a", 2, kind="correct"), revision("b", 2, removal="killed"))
        later = json.loads(await ran("node", tmp_path / "partner.js", site, page["cursor"], paths=[]))
        assert later == {"events": [["correct", "1-2"], ["kill", "1-3"]], "cursor": "1-3"}
