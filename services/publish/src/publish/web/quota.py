"""How often somebody may ask the API: by address without a key, by key for partners; told in `RateLimit` headers.

The fields are those of draft-ietf-httpapi-ratelimit-headers-10: `RateLimit-Policy: "public";q=3000;w=60` says what holds, and
`RateLimit: "public";r=2999;t=1` how many requests are left, and in how many seconds all of them are again. An answer out of a
shared cache (one with `Age`) has those of whoever it was made for. Each replica counts for itself.
"""

import ipaddress
import math
import time
from collections.abc import Callable, Iterable

from prometheus_client import REGISTRY, Metric
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from publish.settings import Settings
from shared.access.authentication import WrongKeys
from shared.access.key import Key
from shared.access.ring import KeyRing
from shared.failures.transient import TRANSIENT
from shared.http.problem import Problem, outage_problem, problem_response
from shared.http.proxies import TrustedProxies
from shared.http.rate import Clock
from shared.postgres.pool import Pool


class RequestCounts(Collector):
    """How often each partner asked. A counter with a lock for each request would cost a ready answer more than its quota does."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str, int], int] = {}

    def collect(self) -> Iterable[Metric]:
        """As Prometheus asks for it."""
        family = CounterMetricFamily(
            "slugline_api_requests",
            "Requests to the API by partner (without a key: public; past so many partners: other), what was asked, and the answer's class",
            labels=["partner", "scope", "status"],
        )
        for (partner, asked, status), count in list(self.counts.items()):
            family.add_metric([partner, asked, f"{status}xx"], count)
        yield family


REQUESTS = RequestCounts()
REGISTRY.register(REQUESTS)
MAX_PARTNERS = 200
"""Partners with a label of their own in a process."""
INSIDE = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1/128"),
    )
)
"""Addresses that no reader has: push, which asks of each revision whether it can be read, and a proxy that nobody named as one."""
MAX_ADDRESSES = 10_000
PREFIX = "/v1/"
NOT_COUNTED = frozenset(["/v1/stream", "/v1/poll", "/v1/since"])
"""What open pages follow by: their connections are limited, and behind one address may be thousands of readers."""
WINDOW_S = 60

Header = tuple[bytes, bytes]


class Quota:
    """So many requests a minute for each of those who have it, as `shared.http.rate.TokenBuckets` counts them, told in headers."""

    def __init__(self, name: str, per_minute: int, clock: Clock) -> None:
        self._burst = float(per_minute)
        self._per_s = per_minute / WINDOW_S
        self._clock = clock
        self._levels: dict[str, list[float]] = {}
        self._policy = (b"ratelimit-policy", b'"%b";q=%d;w=%d' % (name.encode(), per_minute, WINDOW_S))
        self._begins = b'"%b";r=' % name.encode()

    def take(self, who: str) -> tuple[float, list[Header]]:
        """Seconds to wait, 0 where the request may be answered; and the headers that say how it stands."""
        now = self._clock()
        bucket = self._levels.get(who)
        if bucket is None:
            bucket = self._new(who, now)
        left = bucket[0] + (now - bucket[1]) * self._per_s
        left = min(left, self._burst)
        wait_s = 0.0
        if left >= 1.0:
            left -= 1.0
        else:
            wait_s = (1.0 - left) / self._per_s
        bucket[0] = left
        bucket[1] = now
        whole_in_s = -int((left - self._burst) // self._per_s)
        return wait_s, [self._policy, (b"ratelimit", b"%b%d;t=%d" % (self._begins, left, whole_in_s))]

    def _new(self, who: str, now: float) -> list[float]:
        if len(self._levels) >= MAX_ADDRESSES:
            # Whose quota is whole by now is as one who has not come yet.
            whole_before = now - WINDOW_S
            self._levels = {each: bucket for each, bucket in self._levels.items() if bucket[1] > whole_before}
            if len(self._levels) >= MAX_ADDRESSES:
                self._levels.clear()
        bucket = self._levels[who] = [self._burst, now]
        return bucket


class ApiQuotas:
    """The ASGI application before the ready answers: counts what is asked under `/v1/`."""

    def __init__(
        self,
        app: ASGIApp,
        settings: Settings,
        ring: KeyRing,
        pool: Callable[[], Pool | None],
        *,
        clock: Clock = time.monotonic,
    ) -> None:
        self._app = app
        self._ring = ring
        self._pool = pool
        self._proxies = TrustedProxies.of(settings)
        self._wrong = WrongKeys(self._proxies)
        self._clock = clock
        per_minute = settings.publish_api_per_minute
        self._public = Quota("public", per_minute, clock) if per_minute else None
        self._partner_per_minute = settings.publish_api_partner_per_minute
        self._partners: dict[int, Quota] = {}
        self._labels: set[str] = set()
        self._addresses: dict[tuple[str, bytes], str | None] = {}
        self._counts = REQUESTS.counts
        self._forwarded = settings.client_address_header.encode()
        self._read_headers = frozenset([self._forwarded, b"authorization", b"x-api-key"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request to the API and answer it; everything else is passed on."""
        if (
            scope["type"] != "http"
            or not scope["path"].startswith(PREFIX)
            or scope["path"] in NOT_COUNTED
            or scope["method"] == "OPTIONS"
        ):
            await self._app(scope, receive, send)
            return
        asked = scope_of(scope["path"])
        partner, told = "public", []
        try:
            shown, forwarded = self._read(scope)
            if shown:
                key = await self._key(scope, shown, asked)
                partner = self._label(key)
                told = _counted(self._quota_of(key), key.lineage)
            elif self._public is not None and (address := self._address(scope, forwarded)) is not None:
                told = _counted(self._public, address)
        except Problem as problem:
            self._count(partner, asked, problem.status)
            problem.headers.setdefault("Access-Control-Allow-Origin", "*")
            await problem_response(problem)(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(partner, asked, message["status"])
                # The list is that of a kept answer, which others get too.
                message["headers"] = [*message["headers"], *told]
            await send(message)

        await self._app(scope, receive, with_headers)

    def _count(self, partner: str, asked: str, status: int) -> None:
        key = (partner, asked, status // 100)
        self._counts[key] = self._counts.get(key, 0) + 1

    def _read(self, scope: Scope) -> tuple[str, bytes]:
        """The key that a request shows, and what its proxies say of whose it is: its headers are gone through once."""
        shown, forwarded = b"", b""
        for name, value in scope["headers"]:
            if name not in self._read_headers:
                continue
            if name == self._forwarded:
                forwarded += value + b"\n"
            elif name == b"authorization" and value[:7].lower() == b"bearer ":
                shown = value[7:].strip()
            elif name == b"x-api-key":
                shown = shown or value.strip()
        return shown.decode("latin-1"), forwarded

    def _address(self, scope: Scope, forwarded: bytes) -> str | None:
        """Whom a request counts for; None where a proxy of ours names nobody, and so speaks for anybody, and of a neighbour."""
        peer = scope["client"][0] if scope["client"] else ""
        known = self._addresses.get((peer, forwarded), "")
        if known == "":
            if len(self._addresses) >= MAX_ADDRESSES:
                self._addresses.clear()
            named = self._proxies.named(peer, scope["headers"])
            known = self._addresses[(peer, forwarded)] = None if named is None or _is_inside(named) else named
        return known

    async def _key(self, scope: Scope, shown: str, asked: str) -> Key:
        address = self._wrong.address(scope["client"][0] if scope["client"] else "", scope["headers"])
        try:
            found = self._ring.cached(shown) or await self._ring.find(shown, self._pool())
        except TRANSIENT as error:
            raise outage_problem(error) from error
        if found is None:
            if not self._ring.loaded:
                raise Problem(503, "starting", "the keys are not known yet; try again", headers={"Retry-After": "2"})
            self._wrong.refuse(address)
            challenge = {"WWW-Authenticate": 'Bearer realm="slugline api"'}
            raise Problem(
                401, "key-wrong", "the key is not known, or works no longer; the API needs none", headers=challenge
            )
        self._wrong.accept(address, found)
        if not found.may(asked):
            raise Problem(403, "scope", f"this key does not open {asked}; without a key the public quota holds")
        return found

    def _quota_of(self, key: Key) -> Quota:
        own = key.more.get("per_minute")
        per_minute = own if isinstance(own, int) else self._partner_per_minute
        quota = self._partners.get(per_minute)
        if quota is None:
            quota = self._partners[per_minute] = Quota("partner", per_minute, self._clock)
        return quota

    def _label(self, key: Key) -> str:
        if key.holder in self._labels or len(self._labels) < MAX_PARTNERS:
            self._labels.add(key.holder)
            return key.holder
        return "other"


def _is_inside(address: str) -> bool:
    """Whether an address, or a /64, is one of `INSIDE`."""
    try:
        network = ipaddress.ip_network(address)
    except ValueError:
        return False
    return any(isinstance(network, type(each)) and network.network_address in each for each in INSIDE)


def scope_of(path: str) -> str:
    """What a path of the API asks, as the scopes of keys name it."""
    if path.endswith("/revisions"):
        return "revisions"
    return "search" if path.startswith("/v1/search") else "read"


def _counted(quota: Quota, who: str) -> list[Header]:
    """The headers of a request that may be answered; raises a Problem (429) for one too many."""
    wait_s, headers = quota.take(who)
    if wait_s:
        told = {name.decode(): value.decode() for name, value in headers}
        told["Retry-After"] = str(math.ceil(wait_s))
        raise Problem(429, "quota-used-up", "too many requests in this minute", headers=told)
    return headers
