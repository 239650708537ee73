"""`python -m ingest record` and `replay`: a wire day kept in one file, and played into any system."""

import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import httpx

from ingest import originals, wireday
from ingest.commands.arguments import Moment, Speed
from ingest.commands.database import with_postgres
from ingest.originals import Wanted
from ingest.settings import Settings

RETRY_S = 1.0
MAX_RETRY_S = 30.0
FINAL = (401, 403, 404)
"""Answers that say that the rest of the file would fare no better."""


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="This day, UTC; today when nothing else is said.")
@click.option("--since", type=Moment(), help="From this time on instead.")
@click.option("--until", type=Moment(), help="Up to this time.")
@click.option("--source", "sources", multiple=True, help="Of this source only; may be given again.")
def record(
    file: Path, day: datetime | None, since: datetime | None, until: datetime | None, sources: tuple[str, ...]
) -> None:
    """Write what came in on a day into FILE, byte for byte."""
    if since is None:
        since = (day or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
        until = until or since + timedelta(days=1)

    async def work(pool: Any) -> int:
        async def rows() -> AsyncIterator[Any]:
            async for row in originals.in_order(pool, Wanted(since=since, until=until)):
                if not sources or row["source"] in sources:
                    yield row

        return await wireday.write(file, rows())

    count = with_postgres(work)
    click.echo(f"{count} documents in {file}, {file.stat().st_size} bytes")
    sys.exit(0 if count else 1)


def _keys(given: tuple[str, ...]) -> dict[str, str]:
    keys: dict[str, str] = {}
    for each in given:
        source, mark, key = each.rpartition("=")
        keys[source if mark else "*"] = key
    return keys


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "base", help="Where ingest api listens.", show_default="http://127.0.0.1:INGEST_PORT")
@click.option(
    "--key",
    "given",
    multiple=True,
    required=True,
    envvar="INGEST_REPLAY_KEYS",
    help="SOURCE=KEY, or KEY for all; may be given again, or in INGEST_REPLAY_KEYS parted by spaces.",
)
@click.option("--as", "name", help="Send everything as this source.")
@click.option("--source", "sources", multiple=True, help="Of this source only; may be given again.")
@click.option("--speed", type=Speed(), default="1x", show_default=True, help="1x, 10x, 0.5x, or max.")
@click.option("--quiet", is_flag=True, help="Only the sum at the end.")
def replay(
    *,
    file: Path,
    base: str | None,
    given: tuple[str, ...],
    name: str | None,
    sources: tuple[str, ...],
    speed: float,
    quiet: bool,
) -> None:
    """Post the documents of FILE with the pauses that were between them; waits where the other side asks for it."""
    keys = _keys(given)
    base = (base or f"http://127.0.0.1:{Settings().ingest_port}").rstrip("/")
    counted: Counter[str] = Counter()
    first: datetime | None = None
    started = time.monotonic()
    try:
        with httpx.Client(timeout=60, trust_env=False) as client:
            for document in wireday.read(file):
                if sources and document.source not in sources:
                    continue
                first = first or document.received_at
                due = started + max((document.received_at - first).total_seconds(), 0.0) / speed
                time.sleep(max(due - time.monotonic(), 0.0))
                sender = name or document.source
                key = keys.get(sender) or keys.get("*")
                if key is None:
                    raise click.UsageError(f"no key for {sender}: --key {sender}=KEY")
                answer = _post(client, base, sender, key, document)
                _count(counted, answer)
                if not quiet:
                    click.echo(f"{document.received_at:%H:%M:%S} {sender:20} {answer.status_code}", err=True)
                if answer.status_code in FINAL:
                    raise click.ClickException(f"{answer.status_code} for {sender}: {answer.text[:300]}")
    except wireday.BadRecording as error:
        raise click.ClickException(str(error)) from error
    click.echo(", ".join(f"{count} {what}" for what, count in sorted(counted.items())) or "nothing in the file")


def _count(counted: Counter[str], answer: httpx.Response) -> None:
    counted["documents"] += 1
    try:
        results = answer.json().get("results", [])
    except ValueError:
        results = []
    for result in results:
        counted[result.get("status", "unknown")] += 1
    if answer.is_error:
        counted[f"answered {answer.status_code}"] += 1


def _post(client: httpx.Client, base: str, sender: str, key: str, document: wireday.Recorded) -> httpx.Response:
    """The answer that is final: while the other side is away or asks for patience, the same document again."""
    native = document.format == "native"
    headers = {"Authorization": f"Bearer {key}"}
    if native or document.content_type:
        headers["Content-Type"] = "application/json" if native else str(document.content_type)
    url = f"{base}/v1/updates" if native else f"{base}/v1/wire/{sender}"
    pause_s = RETRY_S
    while True:
        try:
            answer = client.post(url, content=document.body, headers=headers)
        except httpx.TransportError as error:
            click.echo(f"{base} does not answer: {error}; again in {pause_s:.0f} s", err=True)
        else:
            if answer.status_code not in (429, 503):
                return answer
            asked = answer.headers.get("retry-after", "")
            pause_s = float(asked) if asked.isdigit() else pause_s
        time.sleep(min(pause_s, MAX_RETRY_S))
        pause_s = min(pause_s * 2, MAX_RETRY_S)
