"""Proof of a kill, sink by sink: looks at everything that readers could still read, and says since when it is clean.

A sink is clean when nothing of the update's text comes out of it: archive (what reads are served, and of a taken-down
update what is stored at all), cache (Redis), and of each web address the update's page, the API, the feeds, and the
stream's replay from before the update was first published.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import click
import orjson
import structlog
from prometheus_client import Gauge
from redis.asyncio import Redis

from publish.archive import queries
from publish.archive.queries import Archived
from publish.cache.store import ReadModel
from publish.push.delivery.outbound import Answer, Outbound
from publish.representation.pictures import MEDIA_PREFIX
from publish.settings import Settings
from shared.background import keep_running
from shared.failures.transient import TRANSIENT, is_transient
from shared.postgres.migrations import migrate
from shared.postgres.pool import Connection, Pool, connect
from shared.postgres.rows import narrowed

log = structlog.get_logger(__name__)

PAGE_BYTES = 8 * 1024 * 1024
PICTURES_AT_ONCE = 20
STREAM_S = 2.0
PAUSE_S = 0.25
WATCHED_FOR = "1 hour"
FEEDS = ("/", "/v1/updates?limit=100", "/feeds/news.rss", "/feeds/news.atom", "/feeds/news.json", "/sitemap-news.xml")

UNCLEAN = Gauge("slugline_takedown_unclean_sinks", "Sinks that a killed update is not known to be gone from")


@dataclass(frozen=True, slots=True)
class Finding:
    """One sink at one moment: clean where `detail` is empty."""

    sink: str
    detail: str
    checked_at: datetime

    @property
    def clean(self) -> bool:
        """Whether nothing of the update came out of it."""
        return not self.detail


Look = Callable[[], Coroutine[Any, Any, str]]
"""Why a sink is not clean; empty where it is."""


class Prover:
    """Looks at the sinks of one newsroom."""

    def __init__(self, pool: Pool, model: ReadModel | None, outbound: Outbound, web_urls: Sequence[str]) -> None:
        self._pool = pool
        self._model = model
        self._outbound = outbound
        self._web_urls = web_urls

    def sinks(self, killed: Archived) -> dict[str, Look]:
        """How each sink is looked at."""
        looks: dict[str, Look] = {"archive": lambda: self._archive(killed)}
        if (model := self._model) is not None:
            looks["cache"] = lambda: model.shows(killed.update.update_id)
        for url in self._web_urls:
            looks |= {
                f"{url} page": lambda url=url: self._gone(url, f"/updates/{killed.update.update_id}"),  # type: ignore[misc]
                f"{url} API": lambda url=url: self._gone(url, f"/v1/updates/{killed.update.update_id}"),  # type: ignore[misc]
                f"{url} feeds": lambda url=url: self._feeds(url, killed),  # type: ignore[misc]
                f"{url} stream": lambda url=url: self._stream(url, killed),  # type: ignore[misc]
                f"{url} pictures": lambda url=url: self._pictures(url, killed),  # type: ignore[misc]
            }
        return looks

    async def look(self, killed: Archived) -> list[Finding]:
        """All sinks at this moment; one that does not answer is not known to be clean."""

        async def find(sink: str, look: Look) -> Finding:
            try:
                detail = await look()
            except TRANSIENT as error:
                detail = f"does not answer: {type(error).__name__}"
            return Finding(sink, detail, datetime.now(UTC))

        return list(await asyncio.gather(*(find(sink, look) for sink, look in self.sinks(killed).items())))

    async def _archive(self, killed: Archived) -> str:
        update = killed.update
        served = [each for each in await queries.revisions(self._pool, update.update_id) if not each.update.is_removal]
        listed = await self._pool.fetchval(
            "SELECT count(*) FROM publish.update_channels WHERE channel = ANY($1) AND position_epoch = $2 "
            "AND position_offset = $3 AND update_id = $4",
            sorted(killed.channels), *killed.position, update.update_id,
        )  # fmt: skip
        stored = await self._pool.fetchval(
            "SELECT count(*) FROM publish.revisions WHERE update_id = $1 AND removal IS NULL AND data IS NOT NULL",
            update.update_id,
        )
        if served or listed:
            return f"serves {len(served)} revisions and lists it in {listed} channels"
        return f"still stores {stored} revisions" if update.removal == "taken-down" and stored else ""

    async def _fetch(self, url: str) -> Answer:
        answer = await self._outbound.send("GET", url, most_bytes=PAGE_BYTES)
        if answer.status is None:
            raise OSError(answer.error)
        return answer

    async def _gone(self, url: str, path: str) -> str:
        answer = await self._fetch(url + path)
        return "" if answer.status in (404, 410) else f"answers {answer.status}"

    async def _feeds(self, url: str, killed: Archived) -> str:
        paths = list(FEEDS)
        if killed.update.story:
            paths.append(f"/v1/updates?limit=100&channel=story:{killed.update.story}")
        answers = await asyncio.gather(*(self._fetch(url + path) for path in paths))
        name = killed.update.update_id.encode()
        showing = [path for path, answer in zip(paths, answers, strict=True) if answer.ok and name in answer.body]
        return f"is in {', '.join(showing)}" if showing else ""

    async def _pictures(self, url: str, killed: Archived) -> str:
        paths = [
            path
            for picture, paths in (await queries.once_shown(self._pool, killed.update.update_id)).items()
            if not set(await queries.showing(self._pool, picture, 2)) - {killed.update.update_id}
            for path in paths
        ]
        served = 0
        for start in range(0, len(paths), PICTURES_AT_ONCE):
            urls = [f"{url}{MEDIA_PREFIX}{quote(path)}" for path in paths[start : start + PICTURES_AT_ONCE]]
            answers = await asyncio.gather(*(self._outbound.send("HEAD", each, most_bytes=0) for each in urls))
            for answer in answers:
                if answer.status is None or answer.status >= 500:
                    raise OSError(answer.error or f"answers {answer.status}")
                served += answer.status not in (404, 410)
        return f"serves {served} of its {len(paths)} renditions" if served else ""

    async def _stream(self, url: str, killed: Archived) -> str:
        """Reads the replay that a client gets whose cursor is before the update's first publication."""
        before = f"{killed.position.epoch}-{max(killed.position.offset - 1, 0)}"
        path = f"/v1/stream?channels=update:{killed.update.update_id}&cursor={before}"
        events = await self._outbound.stream(f"{url}{path}", for_s=STREAM_S, most_bytes=PAGE_BYTES)
        for line in events.splitlines():
            if not line.startswith(b"data:"):
                continue
            try:
                data = orjson.loads(line[5:])
            except ValueError:
                continue
            if isinstance(data, dict) and data.get("update_id") == killed.update.update_id:
                told = {name for name in ("headline", "text", "body_html", "html") if data.get(name)}
                if told and not data.get("removal"):
                    return f"replays its {', '.join(sorted(told))}"
        return ""


async def write_down(pool: Pool, killed: Archived, findings: Sequence[Finding]) -> None:
    """Keep what was found: since when each sink has been clean."""
    await pool.executemany(
        "INSERT INTO publish.takedowns (update_id, sink, removal, revision, clean_at, checked_at, detail) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (update_id, sink) DO UPDATE SET removal = excluded.removal, "
        "revision = excluded.revision, checked_at = excluded.checked_at, detail = excluded.detail, "
        "clean_at = CASE WHEN excluded.clean_at IS NULL THEN NULL ELSE coalesce(takedowns.clean_at, excluded.clean_at) END",
        [
            (
                killed.update.update_id, finding.sink, killed.update.removal, killed.update.revision,
                finding.checked_at if finding.clean else None, finding.checked_at, finding.detail,
            )
            for finding in findings
        ],
    )  # fmt: skip


async def report(pool: Pool, killed: Archived) -> dict[str, Any]:
    """What is known of a takedown, sink by sink."""
    update = killed.update
    ordered_at = update.passport.received_at
    rows = await pool.fetch(
        "SELECT sink, clean_at, checked_at, detail FROM publish.takedowns WHERE update_id = $1 ORDER BY sink",
        update.update_id,
    )
    return {
        "update_id": update.update_id,
        "removal": update.removal,
        "revision": update.revision,
        "cursor": str(killed.cursor),
        "ordered_at": ordered_at.isoformat(),
        "reason": update.change.reason,
        "clean": bool(rows) and all(row["clean_at"] is not None for row in rows),
        "sinks": [
            {
                "sink": row["sink"],
                "clean": row["clean_at"] is not None,
                "clean_at": row["clean_at"].isoformat() if row["clean_at"] else None,
                "seconds": round((row["clean_at"] - ordered_at).total_seconds(), 3) if row["clean_at"] else None,
                "checked_at": row["checked_at"].isoformat(),
                "detail": row["detail"],
            }
            for row in rows
        ],
    }


async def prove(pool: Pool, prover: Prover, update_id: str, *, within_s: float) -> dict[str, Any] | None:
    """Look until every sink is clean or the time is up; the report, or None where the update is not killed."""
    deadline = asyncio.get_running_loop().time() + within_s
    while True:
        killed = await queries.one(pool, update_id)
        if killed is not None and killed.update.is_final:
            findings = await prover.look(killed)
            await write_down(pool, killed, findings)
            if all(finding.clean for finding in findings) or asyncio.get_running_loop().time() > deadline:
                return await report(pool, killed)
        elif asyncio.get_running_loop().time() > deadline:
            return None
        await asyncio.sleep(PAUSE_S)


async def watch(connection: Connection, killed: Archived) -> None:
    """Have a takedown looked at until it is clean: the rows say that nothing is known yet."""
    await connection.execute(
        "INSERT INTO publish.takedowns (update_id, sink, removal, revision, checked_at, detail) "
        "VALUES ($1, 'archive', $2, $3, now(), 'not looked at yet') ON CONFLICT DO NOTHING",
        killed.update.update_id, killed.update.removal, killed.update.revision,
    )  # fmt: skip


async def _prove_or_say(pool: Pool, prover: Prover, update_id: str) -> None:
    """Prove one takedown; what fails on one is no reason to leave the others unproven."""
    try:
        await prove(pool, prover, update_id, within_s=0)
    except Exception as error:
        if is_transient(error):
            raise
        log.exception("a takedown cannot be looked at", update_id=update_id)


async def keep_proving(pool: Pool, prover: Prover) -> None:
    """Look at watched takedowns until they are clean, an hour at most; until cancelled."""

    async def step() -> None:
        rows = await pool.fetch(
            "SELECT DISTINCT t.update_id FROM publish.takedowns t JOIN publish.revisions r USING (update_id) "
            "WHERE t.clean_at IS NULL AND r.removal IN ('killed', 'taken-down') "
            "AND r.written_at > now() - $1::text::interval LIMIT 100",
            WATCHED_FOR,
        )
        for row in rows:
            await _prove_or_say(pool, prover, row["update_id"])
        unclean = await pool.fetchval("SELECT count(*) FROM publish.takedowns WHERE clean_at IS NULL")
        UNCLEAN.set(narrowed(int, unclean))

    await keep_running("takedowns", step, every_s=PAUSE_S)


@asynccontextmanager
async def prover_of(settings: Settings, pool: Pool) -> AsyncIterator[Prover]:
    """The sinks that the settings name; these addresses are ours, so private ones are in order."""
    redis = Redis.from_url(settings.redis_url, socket_timeout=3, socket_connect_timeout=2)
    model = ReadModel(
        redis,
        topic_prefix=settings.topic_prefix,
        feed_length=settings.publish_cache_feed_length,
        days=settings.publish_cache_days,
    )
    async with Outbound(allow_private=True, timeout_s=10.0) as outbound:
        try:
            checked = model if settings.publish_push_check_cache else None
            yield Prover(pool, checked, outbound, settings.web_urls)
        finally:
            await redis.aclose()


def as_text(found: dict[str, Any]) -> str:
    """The report for a person."""
    lines = [
        f"{found['update_id']}  {found['removal']} at {found['ordered_at']} (revision {found['revision']}, cursor {found['cursor']})",
        *(
            f"  {'clean' if sink['clean'] else 'NOT CLEAN':10} {sink['sink']:50} "
            + (f"{sink['clean_at']}  after {sink['seconds']} s" if sink["clean"] else sink["detail"])
            for sink in found["sinks"]
        ),
        "every sink is clean" if found["clean"] else "NOT every sink is clean",
    ]
    return "\n".join(lines)


@click.command()
@click.argument("update_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--within", "within_s", type=float, default=15.0, show_default=True, help="Seconds to wait for it.")
def takedown(update_id: str, as_json: bool, within_s: float) -> None:
    """Prove that UPDATE_ID is gone from every sink; exit 1 where it is not, 2 where it was not killed."""
    settings = Settings()

    async def body() -> dict[str, Any] | None:
        pool = await connect(settings, schema="publish", max_size=2, for_command=True)
        try:
            await migrate(pool, "publish")
            async with prover_of(settings, pool) as prover:
                return await prove(pool, prover, update_id, within_s=within_s)
        finally:
            await pool.close()

    found = asyncio.run(body())
    if found is None:
        click.echo(f"{update_id} is not killed and not taken down", err=True)
        sys.exit(2)
    click.echo(json.dumps(found, indent=2) if as_json else as_text(found))
    sys.exit(0 if found["clean"] else 1)
