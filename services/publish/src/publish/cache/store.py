"""The keys of the read model and the one script that writes them."""

import secrets
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from publish.representation.position import Position, channels_of
from publish.representation.reader_json import dump, members, read_metadata, removal_members
from publish.representation.reader_update import ReaderUpdate
from publish.settings import Settings
from shared.redis_client import open_redis

log = structlog.get_logger(__name__)

_BETWEEN = "\x1f"
EPOCH_FACTOR = 2**40
"""A score is a double, whole up to 2^53: 8,192 epochs of 10^12 records."""

# A removal that is final wins whatever its revision. A rebuild may write the same revision again, and so may a kill that comes
# twice: `take_out` has deleted what is left of it.
WRITE = """
local prefix, rebuilding = ARGV[1], ARGV[2] == 'rebuild'
if not rebuilding and redis.call('EXISTS', prefix .. 'generation') == 0 then return -1 end
local length, ttl = tonumber(ARGV[3]), ARGV[4]
local mark = redis.call('HMGET', prefix .. 'watermark', 'epoch', 'offset')
local epoch, offset = tonumber(ARGV[5]), tonumber(ARGV[6])
local known_epoch, known_offset = tonumber(mark[1] or -1), tonumber(mark[2] or -1)
if not rebuilding and known_epoch == epoch and known_offset < tonumber(ARGV[8]) then return -1 end
local function final(removal) return removal == 'killed' or removal == 'taken-down' end
local written = 0
for i = 9, #ARGV, 8 do
  local id, revision, removal = ARGV[i], tonumber(ARGV[i + 1]), ARGV[i + 2]
  local position, score, feeds, json, change = ARGV[i + 3], ARGV[i + 4], ARGV[i + 5], ARGV[i + 6], ARGV[i + 7]
  local state = prefix .. 'state:' .. id
  local known = redis.call('HMGET', state, 'revision', 'removal', 'feeds')
  local newer = true
  if known[1] then
    local before = tonumber(known[1])
    if final(known[2]) then
      local deleted = redis.call('EXISTS', prefix .. 'update:' .. id) == 0
      newer = final(removal) and (deleted or (rebuilding and revision >= before))
    else newer = final(removal) or revision > before or (rebuilding and revision == before) end
  end
  if newer then
    for feed in string.gmatch(known[3] or '', '[^\\31]+') do redis.call('ZREM', prefix .. 'feed:' .. feed, id) end
    for feed in string.gmatch(feeds, '[^\\31]+') do
      local key = prefix .. 'feed:' .. feed
      redis.call('ZADD', key, score, id)
      redis.call('ZREMRANGEBYRANK', key, 0, -(length + 1))
    end
    redis.call('SET', prefix .. 'update:' .. id, json, 'EX', ttl)
    redis.call('HSET', state, 'revision', revision, 'removal', removal, 'position', position, 'feeds', feeds)
    redis.call('EXPIRE', state, ttl)
    if not rebuilding then redis.call('PUBLISH', prefix .. 'changes', change) end
    written = written + 1
  end
end
if not rebuilding then
  if epoch > known_epoch or (epoch == known_epoch and offset > known_offset) then
    redis.call('HSET', prefix .. 'watermark', 'epoch', epoch, 'offset', ARGV[6], 'cursor', epoch .. '-' .. ARGV[6], 'at', ARGV[7])
  end
end
return written
"""

# The model is whole only if nothing was flushed since the rebuild began.
DONE = """
local prefix, token = ARGV[1], ARGV[2]
if redis.call('DEL', prefix .. 'rebuild:' .. token) == 0 then return 0 end
redis.call('HSET', prefix .. 'watermark', 'epoch', ARGV[3], 'offset', ARGV[4], 'cursor', ARGV[6], 'at', ARGV[5])
redis.call('SET', prefix .. 'generation', ARGV[7] .. ' ' .. token .. ' ' .. ARGV[5])
return 1
"""
REBUILD_S = 3600
FORMAT = b"2"
"""Of the JSON of updates. A model of another format is rebuilt."""


DISCARDED_AT_ONCE = 500
KEYS = ("generation", "watermark", "feed:*", "state:*", "update:*", "rebuild:*")
"""Of the model: others', such as the votes of polls, are beside them."""


class Flushed(Exception):
    """The model is not whole: Redis was flushed, never had it, has lost the latest writes with its master, or somebody else has
    written where it is, and it was discarded."""


def is_damage(error: Exception) -> bool:
    """Whether what stands in Redis is not what we write there: another type of key, a number that is none, bytes that are no text.

    What Redis refuses for its own reasons (memory, a replica, rights) is an outage, and no fault of what it holds.
    """
    if isinstance(error, ResponseError):
        said = str(error)
        return "WRONGTYPE" in said or (
            "user_script" in said and not any(each in said for each in ("OOM", "READONLY", "NOPERM"))
        )
    return isinstance(error, ValueError | TypeError)


def arguments_of(update: ReaderUpdate, site_url: str) -> tuple[str | bytes | int, ...]:
    """What the script is given of one update."""
    position = update.position or update.cursor
    feeds = () if update.is_removal else channels_of(update) - {f"update:{update.update_id}"}
    view = removal_members(update) if update.is_removal else members(update, site_url)
    change = {
        "update_id": update.update_id,
        "revision": update.revision,
        "kind": update.kind,
        "cursor": str(update.cursor),
    }
    return (
        update.update_id,
        update.revision,
        update.removal or "",
        str(position),
        position.epoch * EPOCH_FACTOR + position.offset,
        _BETWEEN.join(sorted(feed.replace(_BETWEEN, "") for feed in feeds)),
        dump(view),
        orjson.dumps(change),
    )


class ReadModel:
    """The read model of one site."""

    def __init__(self, redis: Redis, *, topic_prefix: str, feed_length: int, days: int, site_url: str) -> None:
        self._redis: Redis = redis
        self._site_url = site_url
        self.prefix = f"slugline:{topic_prefix}"
        self._feed_length = feed_length
        self._ttl_s = days * 86_400
        self._write = redis.register_script(WRITE)
        self._done = redis.register_script(DONE)

    async def watermark(self) -> Position | None:
        """The place up to which the model is whole; None where it is not."""
        with suppress(Flushed):
            async with self._undamaged():
                pipeline = self._redis.pipeline(transaction=True)
                pipeline.get(f"{self.prefix}generation")
                pipeline.hmget(f"{self.prefix}watermark", ["epoch", "offset"])
                generation, (epoch, offset) = await pipeline.execute()
                if generation is None or not generation.startswith(FORMAT + b" ") or epoch is None:
                    return None
                return Position(int(epoch), int(offset))
        return None

    @asynccontextmanager
    async def _undamaged(self) -> AsyncIterator[None]:
        """Raise Flushed where what the block finds is none of ours: the model is discarded then, and can be made anew."""
        try:
            yield
        except Exception as error:
            if not is_damage(error):
                raise
            log.error("the read model is damaged and is made anew", exc_info=error)
            await self.discard()
            raise Flushed from error

    async def discard(self) -> None:
        """Delete the model, some keys at a time."""
        for name in KEYS:
            if "*" not in name:
                await self._redis.delete(f"{self.prefix}{name}")
                continue
            found: list[bytes] = []
            async for key in self._redis.scan_iter(match=f"{self.prefix}{name}", count=DISCARDED_AT_ONCE):
                found.append(key)
                if len(found) >= DISCARDED_AT_ONCE:
                    await self._redis.unlink(*found)
                    found = []
            if found:
                await self._redis.unlink(*found)

    async def shows(self, update_id: str, channels: Sequence[str] = ()) -> str:
        """What of an update is still here, its words or its listing, in its `channels` too; empty where only its removal is."""
        pipeline = self._redis.pipeline(transaction=True)
        pipeline.get(f"{self.prefix}update:{update_id}")
        pipeline.hget(f"{self.prefix}state:{update_id}", "feeds")
        names = ["news", *(channel for channel in channels if channel != "news")]
        for name in names:
            pipeline.zscore(f"{self.prefix}feed:{name}", update_id)
        found, feeds, *scores = await pipeline.execute()
        value = orjson.loads(found) if found else {}
        words = read_metadata(value)
        if words or (value and not value.get("removal")):
            return f"holds its {', '.join(words) or 'entry'}"
        listed = [name for name, score in zip(names, scores, strict=True) if score is not None]
        return f"lists it in {feeds.decode() if feeds else ', '.join(listed)}" if feeds or listed else ""

    async def positions(self, update_ids: Collection[str]) -> dict[str, Position]:
        """The positions of those updates that are in the model."""
        pipeline = self._redis.pipeline(transaction=False)
        for update_id in update_ids:
            pipeline.hget(f"{self.prefix}state:{update_id}", "position")
        async with self._undamaged():
            found = await pipeline.execute()
            return {
                key: Position.parse(position.decode())
                for key, position in zip(update_ids, found, strict=True)
                if position is not None
            }

    async def write(self, updates: Sequence[ReaderUpdate], reached: Position, *, behind: int = -1) -> int:
        """Write a batch and move the watermark; how many were newer than what was there.

        `behind` is the offset up to which this epoch was written before. Raises Flushed, also where the model does not know
        of that: a replica has become the master, without what had not reached it.
        """
        written = await self._run("live", updates, reached, behind)
        if written < 0:
            raise Flushed
        return written

    async def take_out(self, update_ids: Collection[str]) -> None:
        """Delete updates before anything is written: Redis deletes even when it has no memory left. Raises Flushed."""
        async with self._undamaged():
            await self._taken_out(update_ids)

    async def _taken_out(self, update_ids: Collection[str]) -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for update_id in update_ids:
            pipeline.hget(f"{self.prefix}state:{update_id}", "feeds")
        found = await pipeline.execute()
        pipeline = self._redis.pipeline(transaction=False)
        for update_id, feeds in zip(update_ids, found, strict=True):
            pipeline.delete(f"{self.prefix}update:{update_id}")
            for feed in (feeds or b"").decode().split(_BETWEEN):
                pipeline.zrem(f"{self.prefix}feed:{feed}", update_id)
            pipeline.hdel(f"{self.prefix}state:{update_id}", "feeds")
        await pipeline.execute()

    async def begin_rebuild(self) -> str:
        """A token that is there until `done`, unless Redis is flushed in between."""
        token = secrets.token_hex(8)
        await self._redis.set(f"{self.prefix}rebuild:{token}", "1", ex=REBUILD_S)
        return token

    async def rebuild(self, updates: Sequence[ReaderUpdate]) -> None:
        """Write a chunk of a rebuild; the model is not whole until `done`. Raises Flushed."""
        await self._run("rebuild", updates, Position(0, 0))

    async def done(self, reached: Position, token: str) -> None:
        """The model is whole up to this place. Raises Flushed where Redis was flushed since the rebuild began."""
        now = datetime.now(UTC).isoformat()
        cursor = str(reached) if reached.offset >= 0 else ""
        if not await self._done(args=[self.prefix, token, reached.epoch, reached.offset, now, cursor, FORMAT]):
            raise Flushed

    async def _run(self, mode: str, updates: Sequence[ReaderUpdate], reached: Position, behind: int = -1) -> int:
        arguments: list[str | bytes | int] = [
            self.prefix, mode, self._feed_length, self._ttl_s, reached.epoch, reached.offset,
            datetime.now(UTC).isoformat(), behind,
        ]  # fmt: skip
        for update in updates:
            arguments.extend(arguments_of(update, self._site_url))
        async with self._undamaged():
            return int(await self._write(args=arguments))


@asynccontextmanager
async def open_read_model(settings: Settings, *, timeout_s: float) -> AsyncIterator[ReadModel]:
    """The read model of the settings; nothing is connected until it is asked."""
    async with open_redis(settings, timeout_s=timeout_s) as redis:
        yield ReadModel(
            redis,
            topic_prefix=settings.topic_prefix,
            feed_length=settings.publish_cache_feed_length,
            days=settings.publish_cache_days,
            site_url=settings.publish_site_url,
        )
