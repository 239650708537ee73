"""Keys in Postgres, by command, by API, and as another process sees them."""

import asyncio
import json

import httpx
import pytest
from click.testing import CliRunner, Result
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from enrich.__main__ import cli as enrich
from enrich.admin.authentication import KEYS, authentication_of
from enrich.settings import Settings
from ingest.__main__ import cli as ingest
from ingest.sources import store as sources
from ingest.sources.keys import KEYS as INGEST_KEYS
from ingest.sources.registry import Registry
from ingest.sources.source import Source
from publish.__main__ import cli as publish
from publish.keys import KEYS as PUBLISH_KEYS
from shared.access import store
from shared.access.key import digest_of
from shared.access.management import KeyManagement
from shared.access.routes import KeyRoutes
from shared.http.problem import PROBLEM_HANDLERS
from shared.postgres.migrations import migrate
from shared.postgres.pool import Pool, connect
from shared.settings import Connections
from support.waiting import eventually

pytestmark = pytest.mark.integration


async def run(newsroom: Connections, service: object, *arguments: str) -> Result:
    environment = {"POSTGRES_DSN": newsroom.postgres_dsn}
    return await asyncio.to_thread(CliRunner().invoke, service, list(arguments), env=environment)  # type: ignore[arg-type]


async def open_pool(newsroom: Connections, schema: str) -> Pool:
    pool = await connect(newsroom, schema=schema, max_size=3)
    await migrate(pool, schema)
    return pool


def port(newsroom: Connections, pool: Pool) -> httpx.AsyncClient:
    """A port of its own copy of the keys, as a replica has it."""
    settings = Settings(**newsroom.model_dump(), enrich_api_key_sha256=digest_of("setting").hex())
    keys = authentication_of(settings, pool)

    async def postgres() -> Pool:
        return pool

    async def authors(request: Request) -> Response:
        return Response((await keys.holder(request, "authors")).name)

    routes = [*KeyRoutes(KeyManagement(KEYS), keys, postgres).routes(), Route("/authors", authors)]
    app = Starlette(routes=routes, exception_handlers=PROBLEM_HANDLERS)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://port.test")


async def test_keys_of_a_port(newsroom: Connections) -> None:
    """Made by command and by API, rotated with an overlap, revoked: on every replica within a second or two."""
    made = await run(
        newsroom, enrich, "keys", "add", "newsroom", "--kind", "operator", "--scope", "operate", "--person", "Ann"
    )
    assert made.exit_code == 0, made.output
    operator = json.loads(made.stdout)
    pool = await open_pool(newsroom, "enrich")
    async with port(newsroom, pool) as one, port(newsroom, pool) as other:

        async def seen(client: httpx.AsyncClient, key: str) -> int:
            return (await client.get("/authors", headers={"Authorization": f"Bearer {key}"})).status_code

        signed = {"Authorization": f"Bearer {operator['key']}"}
        answer = await one.post(
            "/v1/keys", headers=signed, json={"holder": "desk", "scopes": ["authors"], "person": "Bob"}
        )
        assert answer.status_code == 201, answer.text
        desk = answer.json()
        assert (await seen(one, desk["key"]), await seen(other, desk["key"]), await seen(other, "setting")) == (
            200,
            200,
            200,
        )
        wrong = [
            (await one.get("/v1/keys", headers={"X-API-Key": desk["key"]}), 403, "scope"),
            (await one.get("/v1/keys", headers={"X-API-Key": "setting"}), 403, "scope"),
            (await one.get("/v1/keys"), 401, "key-missing"),
            (await one.get(f"/v1/keys?access_token={operator['key']}"), 400, "key-in-address"),
            (await one.get(f"/v1/keys?holder={operator['key']}", headers=signed), 400, "key-in-address"),
            (await one.post("/v1/keys", headers=signed, json={"holder": "x", "scopes": ["everything"]}), 422, "not-valid"),
            (await one.post("/v1/keys", headers=signed, json={"holder": "x", "scopes": ["authors"], "kind": "source"}), 422, "not-valid"),
            (await one.post("/v1/keys", headers=signed, content=b"{"), 400, "not-valid"),
            (await one.delete("/v1/keys/key_nobody", headers=signed), 404, "no-such-key"),
        ]  # fmt: skip
        assert [(each.status_code, each.json()["code"]) for each, _, _ in wrong] == [
            (status, code) for _, status, code in wrong
        ]
        assert all(operator["key"] not in each.text for each, _, _ in wrong)

        rotated = (await one.post(f"/v1/keys/{desk['id']}/rotate", headers=signed, json={"overlap_s": 3600})).json()
        assert (rotated["lineage"], rotated["person"]) == (desk["id"], "Bob")
        assert (await seen(one, desk["key"]), await seen(other, rotated["key"])) == (200, 200)
        await one.request("DELETE", f"/v1/keys/{rotated['id']}", headers=signed, json={"reason": "left"})
        await eventually(lambda: seen(other, rotated["key"]), lambda status: status == 401, what="revoked", within_s=3)
        ended = await run(newsroom, enrich, "keys", "revoke", desk["id"])
        assert ended.exit_code == 0, ended.output
        await eventually(lambda: seen(other, desk["key"]), lambda status: status == 401, what="revoked", within_s=3)
        keys = (await one.get("/v1/keys?ended=true", headers=signed)).json()["keys"]
        assert [(each["id"], "revoked_at" in each) for each in keys] == [
            (operator["id"], False), (desk["id"], True), (rotated["id"], True),
        ]  # fmt: skip
    log = [row["entry"] for row in await pool.fetch("SELECT entry::jsonb AS entry FROM enrich.audit ORDER BY seq")]
    assert [(each["action"], each["key_id"]) for each in log] == [
        ("key-made", "command"), ("key-made", operator["id"]), ("key-rotated", operator["id"]),
        ("key-revoked", operator["id"]), ("key-revoked", "command"),
    ]  # fmt: skip
    await pool.close()


async def test_keys_of_older_releases_go_on(newsroom: Connections) -> None:
    """Rows that a release wrote which knew no scopes, people and ends; and one that it writes beside a newer one."""
    pool = await open_pool(newsroom, "ingest")
    await sources.save(pool, Source(name="north"))
    await pool.execute("INSERT INTO ingest.keys (sha256, source) VALUES ($1, 'north')", digest_of("old"))
    registry = Registry()
    found = await registry.find("old", pool)
    assert found is not None
    assert found[1] is not None
    assert (found[0].by.holder, found[0].scopes, found[1].name) == ("north", {"send", "status", "orders"}, "north")
    made = json.loads((await run(newsroom, ingest, "keys", "add", "north", "--scope", "status", "--days", "30")).stdout)
    assert (made["kind"], made["scopes"]) == ("source", ["status"])
    refused = await run(newsroom, ingest, "keys", "add", "nobody", "--scope", "send")
    assert (refused.exit_code, "there is no source nobody" in refused.output) == (2, True)
    rotated = json.loads((await run(newsroom, ingest, "keys", "rotate", found[0].id, "--overlap-h", "0")).stdout)
    await registry.load(pool)
    assert registry.cached("old") is None
    kept = registry.cached(rotated["key"])
    assert kept is not None
    assert kept[1] is not None
    assert kept[0].lineage == found[0].id
    await registry.keys.note_use(pool)
    first = await store.one(pool, INGEST_KEYS, kept[0].id)
    registry.cached(rotated["key"])
    await registry.keys.note_use(pool)
    assert first is not None
    assert first.last_used_at is not None
    assert first == await store.one(pool, INGEST_KEYS, kept[0].id)
    await pool.close()

    pool = await open_pool(newsroom, "publish")
    await pool.execute(
        "INSERT INTO publish.push_keys (id, name, sha256, scopes, channels) VALUES ('key_old', 'app', $1, '{webhooks}', '{news}')",
        digest_of("old"),
    )
    await pool.execute(
        "INSERT INTO publish.endpoints (id, kind, owner, url, channels, entitled, secrets) "
        "VALUES ('ep_1', 'webhook', 'key_old', 'https://a.example', '{news}', '{news}', '[]')"
    )
    old = (await store.live_keys(pool, PUBLISH_KEYS))[digest_of("old")]
    assert (old.kind, old.holder, old.scopes, old.more["channels"]) == ("partner", "app", {"webhooks"}, ["news"])
    new = json.loads((await run(newsroom, publish, "keys", "rotate", "key_old")).stdout)
    active = "SELECT state FROM publish.endpoints"
    await run(newsroom, publish, "keys", "revoke", "key_old")
    assert await pool.fetchval(active) == "active"
    await run(newsroom, publish, "keys", "revoke", new["id"])
    assert await pool.fetchval(active) == "disabled"
    await pool.close()
