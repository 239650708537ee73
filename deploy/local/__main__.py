"""`python -m local`: the whole system on this machine, for a look (`demo`) and for work (`up`)."""

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import click

from local import jars, kafka, postgres, redis
from local.child import NotReady, die_with_parent, free_port
from local.replay import Replay, filled, key_of
from local.services import SERVICES
from local.stack import (
    CHECK_INTERVAL_S,
    Interrupted,
    Server,
    Stack,
    Taken,
    folder_of,
    interruptible,
    port_from,
    postgres_folder,
    say,
)
from shared.postgres import roles
from shared.streams import STREAMS

SAMPLE = Path(__file__).resolve().parent / "sample"
STORY = ("ferry-gannet", "The ferry Gannet")
"""What a desk calls the story that the sample's sources share."""
DEMO_KEY = "demo-key"
"""Opens the demo's sources, which listen on the loopback interface alone and are gone with it."""


KEY_VARIABLES = {
    "newsroom": "SAMPLE_KEY",
    "harbour-wire": "SAMPLE_KEY_HARBOUR_WIRE",
    "northern-press": "SAMPLE_KEY_NORTHERN_PRESS",
}
"""Which variable holds the key of a source, as in sample/sources.toml."""


@click.group()
def cli() -> None:
    """Slugline on this machine, every part a local process. Ports: PORT (web, 8080) and INGEST_PORT (8081)."""


@cli.command()
@click.option("--pace", default=5.0, show_default=True, help="Seconds between items of the sample wire.")
def demo(pace: float) -> None:
    """A newsroom's morning on embedded parts: nothing is kept."""

    def servers(stack: Stack, data: Path) -> list[Server]:
        memory = kafka.MemoryKafka(stack.folder / "data" / "kafka", stack.logs / "kafka.log")
        return _servers(stack, data, memory, durable=False)

    _run("demo", servers, keep=False, pace=pace, key=lambda _: DEMO_KEY)


@cli.command()
@click.option("--pace", default=5.0, show_default=True, help="Seconds between items of the sample wire.")
@click.option("--sample/--no-sample", default=True, help="Play the sample wire, once.")
def up(pace: float, sample: bool) -> None:
    """The same on Apache Kafka; what it holds survives a restart, under .local/up."""

    def servers(stack: Stack, data: Path) -> list[Server]:
        broker = kafka.Kafka(stack.folder / "data" / "kafka", stack.logs / "kafka.log", stack.folder.parent)
        return _servers(stack, data, broker, durable=True)

    _run("up", servers, keep=True, pace=pace if sample else None, key=_kept_key)


def _servers(stack: Stack, data: Path, broker: Server, *, durable: bool) -> list[Server]:
    password = _kept_secret(stack.folder / "postgres-password") if durable else secrets.token_urlsafe(24)
    return [
        broker,
        postgres.Postgres(data, stack.logs / "postgres.log", durable=durable, password=password),
        redis.Redis(stack.folder / "data" / "redis", stack.logs / "redis.log", durable=durable),
    ]


def _kept_key(folder: Path) -> str:
    return _kept_secret(folder / "key")


def _kept_secret(path: Path) -> str:
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24))
    return path.read_text()


def _run(
    name: str,
    servers: Callable[[Stack, Path], list[Server]],
    *,
    keep: bool,
    pace: float | None,
    key: Callable[[Path], str],
) -> None:
    die_with_parent()
    # Whatever this process and those that it starts make is its user's alone.
    os.umask(0o077)
    started = time.monotonic()
    try:
        with interruptible(), folder_of(name, keep=keep) as folder, postgres_folder(folder, keep=keep) as data:
            stack = Stack(folder)
            try:
                _serve(stack, servers(stack, data), pace=pace, key=key(folder), started=started)
            finally:
                say("ending")
                stack.end()
    except Interrupted:
        say(f"ended; logs are in {_short(folder / 'logs')}")
    except (NotReady, Taken, jars.NoJars, kafka.NoKafka, postgres.NoPostgres, redis.NoRedis) as reason:
        click.echo(f"{name}: {reason}", err=True)
        sys.exit(1)


def _serve(stack: Stack, servers: list[Server], *, pace: float | None, key: str, started: float) -> None:
    web, ingest, wire = port_from("PORT", 8080), port_from("INGEST_PORT", 8081), free_port()
    ports = {"PORT": web, "INGEST_PORT": ingest, "PUBLISH_PUSH_PORT": port_from("PUBLISH_PUSH_PORT", free_port())}
    stack.env = _environment(stack, ports, key)
    stack.start_module("wire", "local.wire", str(wire), str(stack.folder / "data" / "media"))
    stack.start_servers(servers)
    broker, database, cache = servers
    stack.env |= {"KAFKA_SERVERS": broker.servers, "POSTGRES_DSN": database.nearest_dsn, "REDIS_URL": cache.url}  # type: ignore[attr-defined]
    asyncio.run(database.take_password())  # type: ignore[attr-defined]
    _part(stack, database.nearest_dsn)  # type: ignore[attr-defined]
    if isinstance(broker, kafka.MemoryKafka):
        stack.env["KAFKA_FETCH_WAIT_MS"] = str(kafka.FETCH_WAIT_MS)
        kafka.create_topics(broker.topic_port, [(topic.name, topic.partitions) for topic in STREAMS])
    else:
        stack.python(topics=["shared", "topics", "apply"])

    def say_so(what: str) -> None:
        say(f"{what:45} {time.monotonic() - started:5.1f} s")

    def start(*, first: bool) -> None:
        for service in SERVICES:
            if service.first == first:
                stack.start_service(service, ports.get(service.port_setting, 0))

    say_so(f"servers   {_versions(broker)}")
    start(first=True)
    stack.python(
        sources=["ingest", "sources", "apply", str(_filled(stack, "sources.toml", wire))],
        authors=["enrich", "authors", "import", str(_filled(stack, "authors.json", wire))],
        stories=["enrich", "stories", "label", *STORY],
    )
    stack.wait_ready()
    say_so("page      ready")
    _introduce(stack, web, ingest, key)
    replay = _replay(stack, ingest, wire, key, pace)
    # The first items are on their way before the processes that they do not need take the processor.
    if replay is not None:
        replay.tick()
    start(first=False)
    stack.write_environment()
    told = False
    while True:
        stack.look_after()
        if replay is not None:
            replay.tick()
        if not told and stack.all_ready():
            say_so(f"services  {len(SERVICES)} of {len(SERVICES)} ready")
            told = True
        time.sleep(CHECK_INTERVAL_S)


def _part(stack: Stack, dsn: str) -> None:
    """Give each service a role of Postgres of its own, with a password that nobody else is told, and Redis to publish alone."""
    passwords = {service: secrets.token_urlsafe(16) for service in roles.SERVICES}
    asyncio.run(roles.apply_roles(dsn, passwords))
    for service, password in passwords.items():
        stack.env_of[service] = {"POSTGRES_DSN": roles.dsn_of(service, password, dsn)}
    stack.env_of["publish"]["REDIS_URL"] = stack.env.pop("REDIS_URL")


def _environment(stack: Stack, ports: Mapping[str, int], key: str) -> dict[str, str]:
    own = str(Path(__file__).resolve().parent.parent)
    web, ingest, push = ports["PORT"], ports["INGEST_PORT"], ports["PUBLISH_PUSH_PORT"]
    return {
        "PYTHONPATH": os.pathsep.join(filter(None, [own, os.environ.get("PYTHONPATH")])),
        "BIND_HOST": os.environ.get("BIND_HOST", "127.0.0.1"),
        "LOG_FORMAT": "text",
        "MEDIA_STORE": f"file://{stack.folder / 'data' / 'media'}",
        "PUBLISH_SITE_URL": os.environ.get("PUBLISH_SITE_URL", f"http://127.0.0.1:{web}"),
        "INGEST_PUBLIC_URL": os.environ.get("INGEST_PUBLIC_URL", f"http://127.0.0.1:{ingest}"),
        "PUBLISH_PUSH_URL": f"http://127.0.0.1:{push}",
        "PUBLISH_WEBSUB_HUB": f"http://127.0.0.1:{push}/websub",
        "PUBLISH_PUSH_WEB_URLS": f"http://127.0.0.1:{web}",
        "PUBLISH_PUSH_ALLOW_PRIVATE": "true",
        # The sample wire's feeds and pictures come from this machine.
        "ENRICH_MEDIA_ALLOW_PRIVATE": "true",
        "INGEST_OUTGOING_ALLOW_PRIVATE": "true",
        "ENRICH_DICTIONARY": str(SAMPLE / "names.jsonl"),
        **{variable: key_of(source, key) for source, variable in KEY_VARIABLES.items()},
    }


def _filled(stack: Stack, name: str, wire: int) -> Path:
    """A file of the sample with the address of the sample's outside world filled in."""
    path = stack.folder / "data" / name
    text = (SAMPLE / name).read_text()
    path.write_text(filled(text, datetime.now(UTC), wire=f"http://127.0.0.1:{wire}", drop=str(_drop(stack))))
    return path


def _drop(stack: Stack) -> Path:
    """Where the folders of the sources that drop files are."""
    return stack.folder.resolve() / "data" / "drop"


def _versions(broker: Server) -> str:
    what = "librdkafka's in-memory Kafka" if isinstance(broker, kafka.MemoryKafka) else "Apache Kafka"
    return f"{what}, Postgres, Redis"


def _replay(stack: Stack, ingest: int, wire: int, key: str, pace: float | None) -> Replay | None:
    """The sample wire; None where it is not wanted, or was played on this data before."""
    played = stack.folder / "data" / "sample-played"
    if pace is None or played.exists():
        return None
    played.touch()
    return Replay.load(
        SAMPLE,
        ingest=f"http://127.0.0.1:{ingest}",
        wire=f"http://127.0.0.1:{wire}",
        drop=_drop(stack),
        key=key,
        pace_s=pace,
    )


def _introduce(stack: Stack, web: int, ingest: int, key: str) -> None:
    body = json.dumps(
        {
            "guid": hashlib.sha256(os.urandom(8)).hexdigest()[:8],
            "headline": "Harbour bridge closes for an hour at noon",
            "body_html": "<p>The swing bridge will open for a tall ship. Drivers are sent round by the ring road.</p>",
            "byline": "By Ada Quill",
        }
    )
    say(f"""
  News Feed  http://127.0.0.1:{web}/
  API        http://127.0.0.1:{web}/v1/updates
  Stream     http://127.0.0.1:{web}/v1/stream
  Drop       {_short(_drop(stack) / "skerry-post")}/
  Logs       {_short(stack.logs)}/
  Status     slugline --env {_short(stack.folder / "slugline.env")} status

Post an update and watch it appear:

  curl -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \\
    http://127.0.0.1:{ingest}/v1/updates -d '{body}'

Ctrl-C ends everything.
""")


def _short(path: Path) -> str:
    with contextlib.suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


if __name__ == "__main__":
    cli(prog_name="python -m local")
