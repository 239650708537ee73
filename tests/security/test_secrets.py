"""Secrets are planted wherever a newsroom has some, everything is made to fail that can, and then every sink is searched."""

import asyncio
import base64
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import click
import httpx
import pytest
from click.testing import CliRunner
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from enrich.__main__ import cli as enrich
from ingest.__main__ import cli as ingest
from ingest.sources import signing
from local.child import free_port
from publish.__main__ import cli as publish
from publish.push.alerts.providers.web.vapid import new_vapid_key
from shared.http.server.server import http_server
from shared.settings import Connections
from shared.streams import STREAMS
from support.processes import Process, Processes
from support.servers import Servers
from support.topics import everything_in
from support.waiting import eventually

pytestmark = [pytest.mark.flow, pytest.mark.timeout(240)]

PASSWORD = "planted-password-of-postgres"
MASTER = "planted-master-of-signing-secrets"
FEED_TOKEN = "planted-token-of-a-feed"
PURGE = "Bearer planted-credential-of-the-cdn"
HOOK_TOKEN = "planted-token-of-a-webhook"
STORED = {
    FEED_TOKEN: {"ingest.sources"},
    # What an endpoint answered is kept for its owner; this one answers with the address that it was asked at.
    HOOK_TOKEN: {"publish.endpoints", "publish.deliveries"},
}
"""What has to be stored, since it is used, and where. A secret of a webhook and the VAPID key that push makes for itself are, too."""


@contextlib.asynccontextmanager
async def own_role(servers: Servers, newsroom: Connections) -> AsyncIterator[Connections]:
    """The newsroom with a Postgres role of its own, which is no superuser, and whose password is planted."""
    role = f"r{uuid.uuid4().hex[:10]}"
    parts = urlsplit(newsroom.postgres_dsn)
    admin = await asyncpg.connect(newsroom.postgres_dsn)
    await admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}' NOSUPERUSER NOCREATEDB NOCREATEROLE")
    await admin.execute(f"GRANT CREATE, CONNECT ON DATABASE {parts.path[1:]} TO {role}")
    host = parts.netloc.rpartition("@")[2]
    dsn = urlunsplit(parts._replace(netloc=f"{role}:{PASSWORD}@{host}"))
    try:
        yield newsroom.model_copy(update={"postgres_dsn": dsn})
    finally:
        await admin.execute(f"DROP OWNED BY {role} CASCADE")
        await admin.execute(f"DROP ROLE {role}")
        await admin.close()


class Outside:
    """The collector of traces, a feed, a webhook and a cache, all of which fail; what traces say is kept."""

    def __init__(self) -> None:
        self.traces: list[bytes] = []
        self.port = free_port()
        self.asked: set[str] = set()

    async def answer(self, request: Request) -> Response:
        """A trace is taken; everything else is refused."""
        self.asked.add(request.url.path)
        if request.url.path == "/v1/traces":
            self.traces.append(await request.body())
            return Response()
        return Response(f"refused {request.url}", 500)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Its address."""
        app = Starlette(routes=[Route("/{path:path}", self.answer, methods=["GET", "POST", "PURGE"])])
        async with http_server(app, "127.0.0.1", self.port):
            yield f"http://127.0.0.1:{self.port}"


async def test_no_sink_has_a_secret(
    servers: Servers, newsroom: Connections, processes: Processes, tmp_path: Path
) -> None:
    """Logs at debug level, answers, metrics, traces, topics, the list of processes, and Postgres."""
    outside = Outside()
    async with outside.serving() as url, own_role(servers, newsroom) as settings:
        vapid = new_vapid_key()
        env = {
            "LOG_LEVEL": "debug", "OTLP_ENDPOINT": url, "OTLP_SAMPLE": "1", "INGEST_SIGNING_SECRET": MASTER, "PUBLISH_PUSH_PURGE_AUTH": PURGE,
            "PUBLISH_PUSH_PURGE_URLS": f"{url}/purge", "PUBLISH_PUSH_VAPID_KEY": vapid, "PUBLISH_PUSH_VAPID_CONTACT": "mailto:a@example.org",
            "PUBLISH_PUSH_ALLOW_PRIVATE": "true", "INGEST_OUTGOING_ALLOW_PRIVATE": "true", "OTEL_BSP_SCHEDULE_DELAY": "200",
        }  # fmt: skip
        variables = {name.upper(): str(value) for name, value in settings.model_dump().items()} | env

        async def run(service: click.Group, *arguments: str) -> str:
            done = await asyncio.to_thread(CliRunner().invoke, service, arguments, env=variables)
            assert done.exit_code == 0, done.output
            return done.stdout

        started = [
            processes.start(settings, service, process, **env)
            for service, process in (("ingest", "api"), ("ingest", "poll"), ("enrich", "text"), ("publish", "archive"), ("publish", "web"), ("publish", "push"))
        ]  # fmt: skip
        api, _, text, _, web, push = started
        wire = (await run(ingest, "sources", "add", "north")).strip().splitlines()[-1]
        await run(ingest, "sources", "add", "feed", "--kind", "poll", "--url", f"{url}/feed?token={FEED_TOKEN}")
        keys = {
            "wire": wire,
            "desk": (await run(ingest, "sources", "add", "desk", "--desk")).strip().splitlines()[-1],
            "operator": json.loads(await run(ingest, "keys", "add", "ops", "--kind", "operator", "--scope", "operate"))[
                "key"
            ],
            "newsroom": json.loads(await run(enrich, "keys", "add", "ops", "--kind", "operator", "--scope", "operate"))[
                "key"
            ],
            "partner": json.loads(await run(publish, "keys", "add", "app", "--scope", "read", "--scope", "webhooks"))[
                "key"
            ],
        }
        hmac = (await run(ingest, "sources", "signing-secret", "north")).strip()
        for process in started:
            await process.ready()
        answers, hook = await misused(
            keys, api=api, text=text, web=web, push=push, hook=f"{url}/hook?token={HOOK_TOKEN}"
        )
        answers += await signed_wrongly(api, signing.derive_secret(MASTER, "north", 1))
        await eventually(
            lambda: {"/feed", "/hook"} <= outside.asked, what="nothing was polled and delivered", within_s=30
        )
        await eventually(lambda: outside.traces, what="no traces came")
        metrics = [httpx.get(f"{each.url}/metrics").text for each in started]
        refused = Connections(
            **{**settings.model_dump(), "postgres_dsn": settings.postgres_dsn.replace(PASSWORD, PASSWORD + "-wrong")}
        )
        with pytest.raises(AssertionError) as ended:
            await asyncio.to_thread(processes.run, refused, "ingest", "keys", "list", **env)
        listed = [Path(f"/proc/{each.child.process.pid}/cmdline").read_bytes().decode() for each in started]
        topics = await of_topics(settings)
        tables = await of_tables(settings)
        processes.end()
        secrets = {**keys, "hook": hook, "hmac": hmac, "password": PASSWORD, "master": MASTER, "feed": FEED_TOKEN, "purge": PURGE[7:], "vapid": vapid, "hook token": HOOK_TOKEN}  # fmt: skip
        sinks = {
            "answers": answers, "metrics": metrics, "traces": [each.decode("latin-1") for each in outside.traces], "processes": listed,
            "a command": [str(ended.value)], **topics,
            **{f"log of {path.stem}": [path.read_text()] for path in (tmp_path / "logs").iterdir()},
        }  # fmt: skip
        assert all(any(words) for words in sinks.values()), [name for name, words in sinks.items() if not any(words)]
        found = {
            (what, sink)
            for what, secret in secrets.items()
            for sink, words in sinks.items()
            if any(said(secret, each) for each in words)
            # A partner is shown the addresses that it gave, with what it put into them.
            and (what, sink) != ("hook token", "answers")
        }
        assert found == set()
        kept = {
            secret: {table for table, words in tables.items() if said(secret, words)} for secret in secrets.values()
        }
        assert {secret: places for secret, places in kept.items() if places} == {**STORED, hook: {"publish.endpoints"}}


def said(secret: str, words: str) -> bool:
    """Whether words have a secret as it is, as JSON or SQL would escape it, or in base64."""
    forms = {secret, json.dumps(secret)[1:-1], secret.removeprefix("whsec_")}
    forms |= {base64.b64encode(b" " * shift + secret.encode())[4:-4].decode() for shift in (0, 1, 2)}
    return any(form in words for form in forms)


async def misused(
    keys: dict[str, str], *, api: Process, text: Process, web: Process, push: Process, hook: str
) -> tuple[list[str], str]:
    """Every key in every way that a port takes, does not take, and must not take: what was answered, and a webhook's secret."""
    answers: list[httpx.Response] = []
    async with httpx.AsyncClient(timeout=10) as client:
        signed = {name: {"Authorization": f"Bearer {key}"} for name, key in keys.items()}
        subscribed = await client.post(f"{push.url}/v1/push/endpoints", headers=signed["partner"], json={"url": hook})
        assert subscribed.status_code == 201, subscribed.text
        update = {"guid": "a", "headline": "Ferry runs again", "body_html": "<p>The ferry runs again.</p>"}
        pushed = await client.post(f"{api.url}/v1/updates", headers=signed["wire"], json=update)
        assert pushed.status_code == 202, pushed.text
        update_id = pushed.json()["results"][0]["id"]
        order = {"order": "key-event", "by": "Ann", "reason": "why"}
        for name, key in keys.items():
            for base, path in ((api.url, "/v1/items/x"), (api.url, "/v1/keys"), (text.url, "/v1/authors"), (web.url, "/v1/updates"), (push.url, "/v1/push/alerts")):  # fmt: skip
                answers += [
                    await client.get(base + path, headers=signed[name]),
                    await client.get(f"{base}{path}?access_token={key}"),
                    await client.get(f"{base}{path}?x={key}", headers={"X-API-Key": key}),
                    await client.get(f"{base}{path}/{key}", headers={"Authorization": f"Basic {key}"}),
                ]
            answers.append(
                await client.post(f"{api.url}/v1/updates/{update_id}/orders", headers=signed[name], json=order)
            )
            answers.append(await client.post(f"{api.url}/v1/updates", headers=signed[name], content=b"{"))
        answers.append(await client.get(f"{push.url}/v1/push/endpoints", headers=signed["partner"]))
    statuses = {each.status_code for each in answers}
    assert {200, 202, 400, 401, 403, 404} <= statuses, statuses
    assert max(statuses) < 500
    return [f"{each.headers} {each.text}" for each in answers], subscribed.json()["secret"]


async def signed_wrongly(api: Process, secret: bytes) -> list[str]:
    """A push under a signature that is not right."""
    async with httpx.AsyncClient(timeout=10) as client:
        headers = {
            "webhook-id": "m1",
            "webhook-timestamp": str(int(time.time())),
            "webhook-signature": "v1," + base64.b64encode(secret).decode(),
        }
        answer = await client.post(f"{api.url}/v1/wire/north", headers=headers, json={"guid": "b", "headline": "x"})
    assert answer.status_code in (400, 401), answer.text
    return [answer.text]


async def of_topics(settings: Connections) -> dict[str, list[str]]:
    """What Kafka holds, of the topics that hold something."""
    found: dict[str, list[str]] = {}
    for stream in STREAMS:
        records = await everything_in(settings, stream)
        if records:
            found[stream.name] = [f"{each.key!r} {each.value!r} {each.headers!r}" for each in records]
    assert "updates.enriched" in found
    return found


async def of_tables(settings: Connections) -> dict[str, str]:
    """Every row of every table, as text, and bytes too as text where they are some."""
    connection = await asyncpg.connect(settings.postgres_dsn)
    tables: Sequence[Any] = await connection.fetch(
        "SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname IN ('ingest', 'enrich', 'publish')"
    )
    found = {}
    for table in tables:
        rows = await connection.fetch(f"SELECT t.*, t::text AS as_text FROM {table['name']} AS t")
        found[table["name"]] = "\n".join(
            " ".join(
                [
                    row["as_text"],
                    *(bytes(value).decode("latin-1") for value in row.values() if isinstance(value, bytes)),
                ]
            )
            for row in rows
        )
    await connection.close()
    return found
