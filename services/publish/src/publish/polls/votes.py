"""Votes in Redis: one of each browser, counted as it comes.

The count of a poll is a hash, the browsers that voted a set of digests that say nothing of a browser beyond this poll.
Where Redis has lost a count, it begins again at nothing; `SETTLED` is missing then, and what was settled before is to be
added (`settle` does, and until then `web` for its readers).
"""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import structlog
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from publish.settings import Settings

log = structlog.get_logger(__name__)

T = TypeVar("T")
SETTLED = b"\x00settled"
"""In a count: what was settled before is in it. No option has such an id."""
KEEP_S = 90 * 86_400
"""A poll is kept in Redis so long after its last vote."""
VOTER_BYTES = 9

VOTE = """
if redis.call('SADD', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
redis.call('EXPIRE', KEYS[2], ARGV[4])
redis.call('SADD', KEYS[3], ARGV[3])
return 1
"""

# Adds what was settled before, once; the count as it is then.
TAKE_OVER = """
if redis.call('HSETNX', KEYS[1], ARGV[1], 1) == 1 then
  for i = 2, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
return redis.call('HGETALL', KEYS[1])
"""

# A poll is settled if nobody voted since it was read.
DONE = """
local total = 0
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do if all[i] ~= ARGV[1] then total = total + tonumber(all[i + 1]) end end
if total == tonumber(ARGV[2]) then redis.call('SREM', KEYS[2], ARGV[3]) end
return total
"""

PollKey = tuple[str, str]
"""The update and the id of its poll."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many voted for each option, by the options' ids."""

    votes: Mapping[str, int]
    is_whole: bool
    """Whether what was settled before is in it."""


def _count(found: Mapping[bytes | str, bytes | str], number: Callable[[bytes | str], int] = int) -> Count:
    votes = {_text(option): number(votes) for option, votes in found.items() if option != SETTLED}
    return Count(votes, SETTLED in found)


def _as_shown(value: bytes | str) -> int:
    """A count; for readers nothing where somebody has written something else there, which is set aside once it is to be settled."""
    text = _text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


class Votes:
    """The votes of one newsroom."""

    def __init__(self, redis: Redis, topic_prefix: str) -> None:
        self._redis: Redis = redis
        self._prefix = f"slugline:{topic_prefix}poll"
        self._vote = redis.register_script(VOTE)
        self._take_over = redis.register_script(TAKE_OVER)
        self._done = redis.register_script(DONE)

    @classmethod
    def of(cls, redis: Redis, settings: Settings) -> "Votes":
        """Those of the settings."""
        return cls(redis, settings.topic_prefix)

    def _counts(self, poll: PollKey) -> str:
        return f"{self._prefix}-votes:{'/'.join(poll)}"

    async def _mending(self, ask: Callable[[], Awaitable[T]], *names: str) -> T:
        """An answer; where somebody else has written something of another kind there, it is deleted, and asked again."""
        try:
            return await ask()
        except ResponseError as error:
            if not any(each in str(error) for each in ("WRONGTYPE", "not an integer")):
                raise
            log.error("what is counted of polls is damaged and begins anew", error=str(error)[:300], keys=names)
            await self._redis.delete(*names)
            return await ask()

    @property
    def _changed(self) -> str:
        return f"{self._prefix}-changed"

    async def key(self) -> bytes:
        """The key that signs browsers' cookies, made once and shared by all replicas."""
        name = f"{self._prefix}-key"

        async def ask() -> object:
            await self._redis.set(name, secrets.token_bytes(32), nx=True)
            return await self._redis.get(name)

        found = await self._mending(ask, name)
        if not isinstance(found, bytes):
            raise ConnectionError("Redis does not keep the key of polls")
        return found

    async def vote(self, poll: PollKey, option: str, voter: bytes) -> bool:
        """Count a vote; False where this voter has voted before."""
        keys = [f"{self._prefix}-voters:{'/'.join(poll)}", self._counts(poll), self._changed]
        args: list[str | bytes | int] = [voter, option, "/".join(poll), KEEP_S]
        return bool(await self._mending(lambda: self._vote(keys=keys, args=args), *keys))

    async def count(self, poll: PollKey) -> Count:
        """The votes of a poll as Redis has them."""
        name = self._counts(poll)
        return _count(await self._mending(lambda: self._redis.hgetall(name), name), _as_shown)

    async def changed(self) -> list[PollKey]:
        """The polls that were voted in since they were settled."""
        found = await self._mending(lambda: self._redis.smembers(self._changed), self._changed)
        pairs = (_text(each).partition("/") for each in found)
        return [(update_id, poll) for update_id, _, poll in pairs]

    async def take_over(self, poll: PollKey, settled: Mapping[str, int]) -> Count:
        """The votes of a poll, to which are added, the first time, those that were settled before."""
        arguments: list[str | bytes | int] = [SETTLED]
        for option, number in settled.items():
            arguments += [option, number]
        name = self._counts(poll)
        found = await self._mending(lambda: self._take_over(keys=[name], args=arguments), name)
        return _count(dict(zip(found[::2], found[1::2], strict=True)))

    async def done(self, poll: PollKey, count: Count) -> None:
        """The votes of `count` are settled."""
        keys = [self._counts(poll), self._changed]
        await self._done(keys=keys, args=[SETTLED, sum(count.votes.values()), "/".join(poll)])


def voter_of(key: bytes, browser: str, poll: PollKey) -> bytes:
    """A browser as one poll knows it: two polls do not tell that it is the same."""
    return hmac.digest(key, f"{browser} {'/'.join(poll)}".encode(), hashlib.sha256)[:VOTER_BYTES]


def signed(key: bytes, browser: str) -> str:
    """What a browser is given as its cookie: a random name, and that it is of us."""
    return f"{browser}.{hmac.new(key, browser.encode(), hashlib.sha256).hexdigest()[:32]}"


def browser_of(key: bytes, cookie: str) -> str | None:
    """The name in a cookie; None where it is none of ours."""
    browser, _, _ = cookie.partition(".")
    return (
        browser
        if browser and hmac.compare_digest(signed(key, browser).encode(), cookie.encode("utf-8", "replace"))
        else None
    )
