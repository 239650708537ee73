"""`python -m ingest record` and `replay`: a wire day kept in one file, and played into any system."""

import os
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import click
import httpx
from pydantic import BaseModel, ValidationError

from ingest.cli import recording
from ingest.cli.arguments import moment
from ingest.cli.arguments import speed as speed_factor
from ingest.cli.database import with_postgres
from ingest.intake import originals
from ingest.intake.originals import OriginalFilter, StoredOriginal
from ingest.settings import Settings
from shared.postgres.pool import Pool

RETRY_S = 1.0
MAX_RETRY_S = 30.0
FINAL = (401, 403, 404)
"""Answers that say that no other document would be taken either."""
LATER = (408, 425, 429, 502, 503, 504)
"""Answers that say nothing about the document."""
LONG_PAUSE_S = 5.0
PROGRESS_S = 1.0
INTERRUPTED = 130


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="This day, UTC; today when nothing else is said.")
@click.option("--since", type=moment, metavar="TIME", help="From this time on instead.")
@click.option("--until", type=moment, metavar="TIME", help="Up to this time.")
@click.option("--source", "sources", multiple=True, help="Of this source only; may be given again.")
def record(
    file: Path, day: datetime | None, since: datetime | None, until: datetime | None, sources: tuple[str, ...]
) -> None:
    """Write what came in on a day into FILE, byte for byte."""
    if day is not None and since is not None:
        raise click.UsageError("--day or --since, not both")
    if since is None:
        since = (day or datetime.now(UTC)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=UTC)
        until = until or since + timedelta(days=1)
    if until is not None and until <= since:
        raise click.UsageError("--until is not after the beginning")
    wanted = OriginalFilter(since=since, until=until)

    async def work(pool: Pool) -> int:
        total = await originals.count(pool, wanted)

        async def documents() -> AsyncIterator[StoredOriginal]:
            reported = time.monotonic()
            number = 0
            async for document in originals.iterate(pool, wanted):
                number += 1
                if time.monotonic() - reported > PROGRESS_S:
                    reported = time.monotonic()
                    click.echo(f"{number} of {total} looked at, {document.received_at:%H:%M:%S}", err=True)
                if not sources or document.source in sources:
                    yield document

        return await recording.write(file, documents())

    try:
        count = with_postgres(work)
    except OSError as error:
        raise click.ClickException(f"{file} cannot be written: {error.strerror or error}") from error
    if not count:
        span = f"from {since:%Y-%m-%d %H:%M} UTC" + (f" to {until:%Y-%m-%d %H:%M} UTC" if until else " on")
        raise click.ClickException(f"nothing came in {span}; {file} was not written")
    click.echo(f"{count} documents in {file}, {file.stat().st_size} bytes")


def _keys(given: Sequence[str]) -> dict[str, str]:
    keys: dict[str, str] = {}
    for each in given:
        source, mark, key = each.rpartition("=")
        keys[source if mark else "*"] = key
    return keys


@dataclass
class _Progress:
    """How far the replay has come."""

    total: int
    sent: int = 0
    counted: Counter[str] = field(default_factory=Counter)
    unexpected: int = 0
    """Documents of which updates were made when they were recorded, and none now."""

    def summary(self) -> str:
        words = [f"{self.sent} of {self.total} documents"]
        words += [f"{count} {what}" for what, count in sorted(self.counted.items())]
        return ", ".join(words)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "base", help="Where ingest api listens.", show_default="http://127.0.0.1:INGEST_PORT")
@click.option(
    "--keys",
    "given",
    type=click.File(),
    help="A file with SOURCE=KEY, or KEY for all, a line each; - reads them from standard input. Else they are in "
    "INGEST_REPLAY_KEYS, parted by spaces: whoever may list the processes of a machine sees arguments.",
)
@click.option("--as", "name", help="Send everything as this source.")
@click.option("--source", "sources", multiple=True, help="Of this source only; may be given again.")
@click.option(
    "--speed", type=speed_factor, metavar="SPEED", default="1x", show_default=True, help="1x, 10x, 0.5x, or max."
)
@click.option("--quiet", is_flag=True, help="Only the sum at the end.")
def replay(
    *,
    file: Path,
    base: str | None,
    given: IO[str] | None,
    name: str | None,
    sources: tuple[str, ...],
    speed: float,
    quiet: bool,
) -> None:
    """Post the documents of FILE with the pauses that were between them.

    It waits where the other side asks for it or is unavailable. Ends with 1 where the other side does not take what was taken
    when it was recorded, and with 130 after Ctrl-C; playing a file again only brings duplicates.
    """
    words = given.read().split() if given is not None else os.environ.get("INGEST_REPLAY_KEYS", "").split()
    if not words:
        raise click.UsageError("give keys by --keys FILE or in INGEST_REPLAY_KEYS")
    keys = _keys(words)
    base = (base or f"http://127.0.0.1:{Settings().ingest_port}").rstrip("/")
    try:
        progress = _Progress(_count_documents(file, sources, name, keys))
        try:
            _play(progress, file, base, keys, name=name, sources=sources, speed=speed, quiet=quiet)
        except KeyboardInterrupt:
            click.echo(f"stopped: {progress.summary()}", err=True)
            sys.exit(INTERRUPTED)
    except recording.InvalidRecording as error:
        raise click.ClickException(str(error)) from error
    click.echo(progress.summary())
    sys.exit(1 if progress.unexpected else 0)


def _count_documents(file: Path, sources: tuple[str, ...], name: str | None, keys: dict[str, str]) -> int:
    """How many documents will be sent. Raises before anything is sent where the file is damaged or a key is missing."""
    count = 0
    for document in recording.read(file):
        if sources and document.source not in sources:
            continue
        count += 1
        sender = name or document.source
        if sender not in keys and "*" not in keys:
            raise click.UsageError(f"no key for {sender}: {sender}=KEY is missing in --keys")
    if not count:
        raise click.ClickException(f"{file} holds nothing of what is wanted")
    return count


def _play(
    progress: _Progress,
    file: Path,
    base: str,
    keys: dict[str, str],
    *,
    name: str | None,
    sources: tuple[str, ...],
    speed: float,
    quiet: bool,
) -> None:
    first: datetime | None = None
    started = time.monotonic()
    width = len(str(progress.total))
    with httpx.Client(timeout=60, trust_env=False) as client:
        for document in recording.read(file):
            if sources and document.source not in sources:
                continue
            first = first or document.received_at
            due = started + max((document.received_at - first).total_seconds(), 0.0) / speed
            if (pause_s := due - time.monotonic()) > 0:
                if pause_s > LONG_PAUSE_S and not quiet:
                    click.echo(f"next in {pause_s:.0f} s, that of {document.received_at:%H:%M:%S}", err=True)
                time.sleep(pause_s)
            sender = name or document.source
            answer = _post(client, base, sender, keys.get(sender) or keys["*"], document)
            if answer.status_code in FINAL:
                raise click.ClickException(f"{answer.status_code} for {sender}: {_detail(answer)}")
            progress.sent += 1
            outcome = _tally(progress, document, answer)
            if not quiet:
                at = f"{progress.sent:{width}} of {progress.total}  {document.received_at:%H:%M:%S}"
                click.echo(f"{at}  {sender:20} {answer.status_code}  {outcome}", err=True)


def _tally(progress: _Progress, document: recording.RecordedDocument, answer: httpx.Response) -> str:
    """Count what became of a document, and say it in words."""
    statuses = Counter(_statuses(answer))
    progress.counted.update(statuses)
    outcome = ", ".join(f"{count} {status}" for status, count in sorted(statuses.items()))
    if not answer.is_error:
        return outcome
    expected = document.updates == 0 and answer.is_client_error
    progress.unexpected += not expected
    what = "documents refused as when they were recorded" if expected else f"documents answered {answer.status_code}"
    progress.counted[what] += 1
    return _detail(answer) + ("; so it was when it was recorded" if expected else "")


class _ItemResult(BaseModel):
    status: str = "unknown"


class _Results(BaseModel):
    """What an answer to a push says of the items, whether it is a receipt or a problem."""

    results: list[_ItemResult] = []


class _Problem(BaseModel):
    code: str
    detail: str


def _statuses(answer: httpx.Response) -> list[str]:
    try:
        return [result.status for result in _Results.model_validate_json(answer.content).results]
    except ValidationError:
        return []


def _detail(answer: httpx.Response) -> str:
    try:
        problem = _Problem.model_validate_json(answer.content)
    except ValidationError:
        return answer.text[:300]
    return f"{problem.code}: {problem.detail}"


def _post(
    client: httpx.Client, base: str, sender: str, key: str, document: recording.RecordedDocument
) -> httpx.Response:
    """The final answer: while the other side is unavailable or asks to wait, the same document is sent again."""
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
            why = f"does not answer: {error}"
        else:
            lost = "error" in _statuses(answer)
            if answer.status_code not in LATER and not lost:
                return answer
            why = "has not taken all of it" if lost else f"answers {answer.status_code}: {_detail(answer)}"
            asked = answer.headers.get("retry-after", "")
            pause_s = float(asked) if asked.isascii() and asked.isdigit() else pause_s
        pause_s = min(pause_s, MAX_RETRY_S)
        click.echo(f"{base} {why}; again in {pause_s:.0f} s", err=True)
        time.sleep(pause_s)
        pause_s *= 2
