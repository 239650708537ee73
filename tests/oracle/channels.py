"""Compares what every channel serves at the end with the log: archive, enrich's rows, Redis, API, pages, feeds, WebSub."""

import asyncio
import json
import random
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

import asyncpg
import httpx
from redis.asyncio import Redis

from oracle.differences import Differences
from oracle.model import Model, shown_of
from oracle.newsroom import Newsroom, key_of
from oracle.truth import Record, Truth
from shared.streams import DECLARED
from support.topics import everything_in

FEED = 50
SAMPLE = 60
"""Updates whose pages and items are asked for, of each kind."""


def _compare_list(
    name: str, wanted: Sequence[Record], got: Sequence[Mapping[str, Any]], differences: Differences
) -> None:
    ids, expected = [str(each["update_id"]) for each in got], [each.update_id for each in wanted]
    if ids != expected:
        missing = [each for each in expected if each not in set(ids)][:10]
        wrongly = [each for each in ids if each not in set(expected)][:10]
        moved = next((pair for pair in zip(expected, ids, strict=False) if pair[0] != pair[1]), None)
        differences.add(
            name, "other updates, or in another order", "the list", expected=f"{len(expected)}, first other {moved}",
            got=f"{len(ids)}, missing {missing}, too many {wrongly}",
        )  # fmt: skip
    by_id = {each.update_id: each for each in wanted}
    for each in got:
        record = by_id.get(each["update_id"])
        if record is not None and (each["revision"], shown_of(each)) != (record.revision, record.shown):
            differences.add(
                name, "other words", record.update_id, expected=record, got=f"{each['revision']}: {shown_of(each)}"
            )


async def compare_archive(newsroom: Newsroom, truth: Truth, differences: Differences) -> None:
    """Every first record is there at its place, and what was killed gives out no words."""
    connection = await asyncpg.connect(newsroom.settings.postgres_dsn)
    try:
        rows = await connection.fetch(
            "SELECT update_id, revision, epoch, log_offset, withheld, data FROM publish.revisions"
        )
        updates = await connection.fetch("SELECT update_id, revision, visible, position_offset FROM publish.updates")
        states = await connection.fetch("SELECT update_id, revision, status FROM enrich.updates")
        waiting = await connection.fetchval(
            "SELECT count(*) FROM publish.deliveries d JOIN publish.endpoints e ON e.id = d.endpoint_id "
            "WHERE d.state <> 'delivered' AND d.state <> 'skipped' AND e.kind = 'webhook'"
        )
        unclean = await unproven(connection)
    finally:
        await connection.close()
    archived = {(row["update_id"], row["revision"]): row for row in rows}
    for key, record in truth.first.items():
        _compare_row(record, archived.get(key), truth, differences)
    for key in archived.keys() - truth.first.keys():
        differences.add("archive", "a revision that the log has not", key[0], expected="none", got=key[1])
    for row in updates:
        last = truth.last(row["update_id"])
        if last is None or (last.revision, not last.shown.removal) != (row["revision"], row["visible"]):
            differences.add("archive", "another current revision", row["update_id"], expected=last, got=dict(row))
    _compare_states(states, truth, differences)
    if waiting:
        differences.add("webhooks", "deliveries wait or have failed", "the queue", expected=0, got=waiting)
    for row in unclean:
        differences.add(
            "takedown", "not proven", row["update_id"], expected="clean", got=f"{row['sink']}: {row['detail']}"
        )


def _compare_row(record: Record, row: "asyncpg.Record | None", truth: Truth, differences: Differences) -> None:
    if row is None or (row["epoch"], row["log_offset"]) != (1, record.offset):
        got = dict(row) | {"data": ""} if row is not None else None
        differences.add("archive", "not at its place", record.update_id, expected=record, got=got)
        return
    last = truth.last(record.update_id)
    killed = last is not None and last.shown.removal in ("killed", "taken-down") and not record.shown.removal
    if killed and not row["withheld"]:
        differences.add("archive", "killed text is served", record.update_id, expected="withheld", got=record)
    if row["data"] is not None and shown_of(json.loads(row["data"])) != record.shown:
        differences.add(
            "archive", "other words", record.update_id, expected=record, got=shown_of(json.loads(row["data"]))
        )


def _compare_states(rows: Sequence["asyncpg.Record"], truth: Truth, differences: Differences) -> None:
    """Enrich's idea of what was published last is the log's."""
    states = {row["update_id"]: row for row in rows}
    for update_id in truth.of_update:
        last, row = truth.last(update_id), states.get(update_id)
        assert last is not None
        if row is None or row["revision"] != last.revision or (row["status"] == "live") == bool(last.shown.removal):
            differences.add(
                "enrich", "another idea of what was published", update_id, expected=last, got=row and dict(row)
            )


LISTED = 1000
"""Updates that a list of the read model holds: `PUBLISH_CACHE_FEED_LENGTH`."""


async def compare_redis(newsroom: Newsroom, truth: Truth, differences: Differences) -> None:
    """The read model lists what is visible, in order, with its words."""
    redis = Redis.from_url(newsroom.settings.redis_url)
    prefix = f"slugline:{newsroom.settings.topic_prefix}"
    try:
        ids = [each.decode() for each in await redis.zrevrange(f"{prefix}feed:news", 0, -1)]
        values = await redis.mget([f"{prefix}update:{each}" for each in ids]) if ids else []
        got = [json.loads(value) for value in values if value]
        # A list is cut at a thousand: where something was removed since, the oldest place stays empty.
        visible = truth.visible()
        _compare_list(
            "redis", visible if len(visible) <= LISTED else visible[: min(LISTED, len(got))], got, differences
        )
        for update_id in truth.of_update:
            last = truth.last(update_id)
            value = await redis.get(f"{prefix}update:{update_id}") if last and last.shown.removal else None
            if value and (json.loads(value).get("headline") or not json.loads(value).get("removal")):
                differences.add("redis", "words of a removed update", update_id, expected=last, got=value[:300])
    finally:
        await redis.aclose()


async def compare_web(newsroom: Newsroom, web: str, truth: Truth, differences: Differences, seed: int) -> None:
    """One replica: a walk through the API, pages, feeds."""
    name, visible = f"web {newsroom.webs.index(web) + 1}", truth.visible()
    async with httpx.AsyncClient(base_url=web, timeout=10, follow_redirects=True) as client:
        walked: list[dict[str, Any]] = []
        before: str | None = ""
        while before is not None:
            page = (
                await client.get("/v1/updates", params={"limit": "100"} | ({"before": before} if before else {}))
            ).json()
            walked += page["updates"]
            before = page["next"]
        _compare_list(f"{name} API", visible, walked, differences)
        await _compare_feeds(client, name, visible, differences)
        chosen = random.Random(seed)
        for record in chosen.sample(visible, min(SAMPLE, len(visible))):
            page_of = await client.get(f"/updates/{record.update_id}/any")
            if page_of.status_code != 200 or record.shown.headline not in page_of.text:
                differences.add(
                    f"{name} page", "not its words", record.update_id, expected=record, got=page_of.text[:300]
                )
        gone = [update_id for update_id in truth.of_update if (last := truth.last(update_id)) and last.shown.removal]
        for update_id in chosen.sample(gone, min(SAMPLE, len(gone))):
            for path in (f"/updates/{update_id}/any", f"/v1/updates/{update_id}"):
                answer = await client.get(path)
                if answer.status_code not in (404, 410):
                    differences.add(
                        f"{name} page", "removed and still there", update_id, expected=410, got=answer.status_code
                    )


async def _compare_feeds(
    client: httpx.AsyncClient, name: str, visible: Sequence[Record], differences: Differences
) -> None:
    wanted = [f"urn:slugline:update:{each.update_id}" for each in visible[:FEED]]
    feed = (await client.get("/feeds/news.json")).json()
    rss = ElementTree.fromstring((await client.get("/feeds/news.rss")).content)
    atom = ElementTree.fromstring((await client.get("/feeds/news.atom")).content)
    found = {
        "JSON Feed": [item["id"] for item in feed["items"] if "_slugline" not in item],
        "RSS": [
            item.findtext("guid")
            for item in rss.iter("item")
            if "retracted" not in [category.text for category in item.iter("category")]
        ],
        "Atom": [
            entry.findtext("{http://www.w3.org/2005/Atom}id")
            for entry in atom.iter("{http://www.w3.org/2005/Atom}entry")
        ],
    }
    for kind, ids in found.items():
        if ids != wanted:
            differences.add(f"{name} {kind}", "other entries", "the feed", expected=wanted[:5], got=ids[:5])


def compare_feed_told(told: Mapping[str, Any], truth: Truth, differences: Differences) -> None:
    """What WebSub brought last is the feed of now."""
    ids = [item["id"] for item in told.get("items", ()) if "_slugline" not in item]
    wanted = [f"urn:slugline:update:{each.update_id}" for each in truth.visible()[:FEED]]
    if ids != wanted:
        differences.add("WebSub", "another feed than that of now", "the feed", expected=wanted[:5], got=ids[:5])


async def compare_items(
    newsroom: Newsroom, model: Model, differences: Differences, seed: int, *, postgres_was_killed: bool
) -> None:
    """A sender who asks is told how far each version came."""
    chosen = random.Random(seed)
    updates = [each for each in model.updates.values() if any(kind == "version" for _, _, kind in each.inputs)]
    async with httpx.AsyncClient(base_url=newsroom.worker("ingest-api").url, timeout=10) as client:
        for update in chosen.sample(updates, min(SAMPLE, len(updates))):
            headers = {"Authorization": f"Bearer {key_of(update.source)}"}
            told = (await client.get(f"/v1/items/{update.update_id}", headers=headers)).json()
            states = [each["state"] for each in told.get("versions", ())]
            # Rows of items are not flushed: what a killed Postgres forgets is the sender's answer, and no copy.
            if told.get("code") == "unknown-item" and postgres_was_killed:
                continue
            if not states or set(states) & {"received", "unacknowledged"}:
                differences.add("items", "not told what became of it", update.update_id, expected="an end", got=told)


async def compare_dead_letters(newsroom: Newsroom, differences: Differences) -> None:
    """Nothing was set aside, but what was in hand alone at two kills: that is the promise, and what it costs is seen elsewhere."""
    for stream in DECLARED:
        if stream.receivers:
            for dead in await everything_in(newsroom.settings, stream.dead_letters):
                told = json.loads(dead.value or b"{}")
                if not str(told.get("reason", "")).startswith("it was begun alone"):
                    got = {name: told.get(name) for name in ("stage", "reason", "partition", "offset", "key")}
                    differences.add("dead letters", stream.name, str(dead.offset), expected="none", got=got)


async def unproven(connection: asyncpg.Connection) -> list[asyncpg.Record]:
    """The sinks of takedowns that are not clean yet.

    A subscriber whose web address refused the feed is told again by WebSub's own schedule, of minutes.
    """
    found: list[asyncpg.Record] = await connection.fetch(
        "SELECT update_id, sink, detail FROM publish.takedowns WHERE clean_at IS NULL "
        "AND NOT (sink = 'WebSub subscribers' AND detail LIKE '%(waiting%')"
    )
    return found


async def compare_channels(
    newsroom: Newsroom, model: Model, truth: Truth, differences: Differences, seed: int, *, postgres_was_killed: bool
) -> None:
    """All of them."""
    await compare_archive(newsroom, truth, differences)
    await compare_redis(newsroom, truth, differences)
    await asyncio.gather(*(compare_web(newsroom, web, truth, differences, seed) for web in newsroom.webs))
    await compare_items(newsroom, model, differences, seed, postgres_was_killed=postgres_was_killed)
    await compare_dead_letters(newsroom, differences)
