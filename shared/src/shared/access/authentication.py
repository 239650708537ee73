"""From a request to whose key it shows."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

from starlette.requests import Request

from shared.access.holder import KeyHolder
from shared.access.key import Key
from shared.access.ring import KeyRing
from shared.audit.author import Author
from shared.http.problem import Problem
from shared.http.proxies import TrustedProxies
from shared.http.rate import TokenBuckets
from shared.postgres.pool import Pool

WRONG_PER_MINUTE = 20
"""Wrong keys from one address; as many at once."""
MAX_KNOWN = 20_000


def key_of(request: Request) -> str:
    """The key that a request shows, as `Authorization: Bearer …` or `X-API-Key`; empty where it shows none."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "").strip()


class WrongKeys:
    """How many wrong keys an address may show.

    Past it, the address is answered 429 whatever it shows, or a right key would be told from a wrong one. What goes on
    working are the keys that it has shown before: behind one address may be many senders, of which one has an old key.
    """

    def __init__(
        self,
        proxies: TrustedProxies,
        *,
        per_minute: int = WRONG_PER_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._proxies = proxies
        self._per_minute = per_minute
        self._clock = clock
        self._buckets = TokenBuckets(clock)
        self._blocked: dict[str, float] = {}
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def address_of(self, request: Request) -> str:
        """Whom a request counts for."""
        return self.address(request.client.host if request.client else "", request.headers.raw)

    def address(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """The same, of a peer and a request's headers."""
        return self._proxies.client(peer, headers)

    def accept(self, address: str, key: Key) -> None:
        """A right key; raises a Problem (429) where its address may show none now that it has not shown before."""
        pair = (address, key.id)
        if pair in self._known:
            return
        self._check(address)
        self._known[pair] = None
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)

    def refuse(self, address: str) -> None:
        """A wrong key; raises a Problem (429) where that was one too many."""
        self._check(address)
        wait_s = self._buckets.wait_s(address, per_s=self._per_minute / 60, burst=self._per_minute)
        if wait_s:
            if len(self._blocked) >= MAX_KNOWN:
                self._blocked.clear()
            self._blocked[address] = self._clock() + wait_s
            self._check(address)

    def _check(self, address: str) -> None:
        until = self._blocked.get(address)
        if until is None:
            return
        wait_s = until - self._clock()
        if wait_s <= 0:
            del self._blocked[address]
            return
        headers = {"Retry-After": str(math.ceil(wait_s))}
        raise Problem(429, "too-many-wrong-keys", "too many wrong keys have come from this address", headers=headers)


class Authentication:
    """The keys of one port."""

    def __init__(
        self,
        ring: KeyRing,
        wrong: WrongKeys,
        pool: Callable[[], Pool | None],
        *,
        realm: str = "slugline",
        on_demand: bool = False,
    ) -> None:
        """`pool` gives Postgres, in which a key that is not known yet is looked for; None while it is away.

        `on_demand`: the keys are read when a request comes, and not by a loop (`KeyRing.keep_fresh`).
        """
        self._on_demand = on_demand
        self.ring = ring
        self.wrong = wrong
        self._pool = pool
        self._realm = realm

    async def key(self, request: Request, scope: str) -> Key:
        """The key of a request, which opens `scope`.

        Raises a `Problem`: 401 without a right key, 403 where it does not open that, 429 after too many wrong ones.
        """
        shown = self.shown(request)
        pool = self._pool()
        if self._on_demand and pool is not None:
            await self.ring.fresh(pool)
        return self.allowed(request, self.ring.cached(shown) or await self.ring.find(shown, pool), scope)

    async def author(self, request: Request, scope: str, reason: str = "") -> Author:
        """The same, with the address: whom the audit log names for what the request changes."""
        return Author((await self.key(request, scope)).by, self.wrong.address_of(request), reason)

    async def holder(self, request: Request, scope: str) -> KeyHolder:
        """The same: whose it is."""
        return (await self.key(request, scope)).by

    def shown(self, request: Request) -> str:
        """The key that a request shows; raises a `Problem` (401) where it shows none."""
        if key := key_of(request):
            return key
        raise self._unauthorized("key-missing", "send a key as 'Authorization: Bearer …' or 'X-API-Key'")

    def allowed(self, request: Request, found: Key | None, scope: str) -> Key:
        """The key that was found for a request, if it may be used by this address for this; raises as `key` does."""
        address = self.wrong.address_of(request)
        if found is None:
            if not self.ring.loaded:
                raise Problem(503, "starting", "the keys are not known yet; try again", headers={"Retry-After": "2"})
            self.wrong.refuse(address)
            raise self._unauthorized("key-wrong", "the key is not known, or works no longer")
        self.wrong.accept(address, found)
        if not found.may(scope):
            raise Problem(403, "scope", f"this key does not open {scope}", field="Authorization")
        return found

    def _unauthorized(self, code: str, detail: str) -> Problem:
        """401, with what is asked for (RFC 6750, section 3)."""
        challenge = {"WWW-Authenticate": f'Bearer realm="{self._realm}"'}
        return Problem(401, code, detail, headers=challenge, field="Authorization")
