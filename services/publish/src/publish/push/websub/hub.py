"""A WebSub hub for every feed of the site (W3C Recommendation WebSub, 2018): takes subscriptions and verifies them."""

import asyncio
import contextlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.push.delivery.http import body_bytes
from publish.push.delivery.outbound import Outbound, check_url
from publish.push.websub.feeds import channel_of
from shared.background import keep_running
from shared.failures.transient import TRANSIENT, is_transient, reason_of
from shared.http.problem import Problem
from shared.http.proxies import TrustedProxies
from shared.http.query import check_query
from shared.http.rate import RateLimit
from shared.postgres.lease_queue import LeaseQueue
from shared.postgres.pool import Connection, Pool

log = structlog.get_logger(__name__)

DEFAULT_LEASE_S = 10 * 86_400
LEAST_LEASE_S = 300
MOST_LEASE_S = 30 * 86_400
MAX_SECRET_BYTES = 199
VERIFY_ATTEMPTS = 3
LOST_ATTEMPTS = 5
"""Attempts beyond VERIFY_ATTEMPTS for a request whose process ended during an attempt."""
VERIFY_PAUSE_S = 30.0
VERIFIED_AT_ONCE = 50
IDLE_S = 0.5
PER_MINUTE = 60


@dataclass(frozen=True, slots=True)
class SubscriptionRequest:
    """A request to subscribe or unsubscribe, until the subscriber has confirmed it."""

    id: int
    mode: Literal["subscribe", "unsubscribe"]
    topic: str
    channel: str
    callback: str
    secret: str | None
    lease_s: int
    attempts: int


REQUESTS = LeaseQueue(
    table="publish.websub_requests",
    key={"id": "bigint"},
    due="next_attempt_at",
    attempts="attempts",
    columns="q.id, q.mode, q.topic, q.channel, q.callback, q.secret, q.lease_s, q.attempts",
    read=lambda row: SubscriptionRequest(**row),
)


class Hub:
    """Takes requests to subscribe, verifies the subscriber's intent, and ends expired subscriptions."""

    def __init__(
        self, pool: Pool, outbound: Outbound, *, site_url: str, allow_private: bool, proxies: TrustedProxies
    ) -> None:
        self._pool = pool
        self._outbound = outbound
        self._site_url = site_url
        self._allow_private = allow_private
        self._rate = RateLimit(PER_MINUTE, proxies)
        self._wake = asyncio.Event()
        self._under_way: set[asyncio.Task[None]] = set()

    def routes(self) -> list[Route]:
        """The hub's one address."""
        return [Route("/websub", self.ask, methods=["POST"])]

    async def ask(self, request: Request) -> Response:
        """`POST /websub`: a form with hub.mode, hub.topic, hub.callback, and optionally hub.lease_seconds and hub.secret."""
        check_query(request)
        self._rate.check(request)
        try:
            form = dict(parse_qsl((await body_bytes(request)).decode(), max_num_fields=50))
        except ValueError:
            raise Problem(400, "not-a-form", "the body is not a form in UTF-8") from None
        if "\x00" in "".join(form.values()):
            raise Problem(400, "bad-parameter", "NUL is allowed in no field")
        mode, topic, callback = (form.get(f"hub.{name}", "") for name in ("mode", "topic", "callback"))
        if mode not in ("subscribe", "unsubscribe"):
            raise Problem(400, "bad-parameter", "hub.mode: subscribe or unsubscribe", field="hub.mode")
        channel = channel_of(topic, self._site_url)
        if channel is None:
            raise Problem(404, "no-such-topic", "hub.topic: no feed of this site has that address", field="hub.topic")
        if (reason := check_url(callback, allow_private=self._allow_private)) is not None:
            raise Problem(422, "callback", f"hub.callback: {reason}", field="hub.callback")
        secret = form.get("hub.secret") or None
        if secret is not None and len(secret.encode()) > MAX_SECRET_BYTES:
            raise Problem(400, "bad-parameter", f"hub.secret: at most {MAX_SECRET_BYTES} bytes", field="hub.secret")
        lease = form.get("hub.lease_seconds", "")
        if lease and not re.fullmatch(r"[0-9]{1,12}", lease):
            raise Problem(400, "bad-parameter", "hub.lease_seconds: a number of seconds", field="hub.lease_seconds")
        lease_s = min(max(int(lease or DEFAULT_LEASE_S), LEAST_LEASE_S), MOST_LEASE_S)
        await self._pool.execute(
            "INSERT INTO publish.websub_requests (mode, topic, channel, callback, secret, lease_s) VALUES ($1, $2, $3, $4, $5, $6)",
            mode, topic, channel, callback, secret, lease_s,
        )  # fmt: skip
        self._wake.set()
        return Response(None, 202, {"Cache-Control": "no-store"})

    async def keep_verifying(self) -> None:
        """Verify what is asked for and end what has run out, until cancelled."""

        async def step() -> None:
            while await self._verify_some():
                continue
            await self._pool.execute(
                "DELETE FROM publish.endpoints WHERE kind = 'websub' AND lease_until < now() - interval '1 minute'"
            )

        try:
            await keep_running("WebSub requests", step, every_s=IDLE_S, wake=self._wake)
        finally:
            for task in self._under_way:
                task.cancel()

    async def _verify_some(self) -> int:
        """Begin as many verifications as there is room for; how many. A subscriber that hangs keeps its own room only."""
        room = VERIFIED_AT_ONCE - len(self._under_way)
        due = await REQUESTS.claim(self._pool, room, VERIFY_PAUSE_S) if room > 0 else []
        for asked in due:
            task = asyncio.create_task(self._verify_or_drop(asked))
            self._under_way.add(task)
            task.add_done_callback(self._ended)
        return len(due)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._under_way.discard(task)
        self._wake.set()

    async def _verify_or_drop(self, asked: SubscriptionRequest) -> None:
        """Verify a request; one that cannot even be tried is dropped after as many attempts as the others have."""
        try:
            if asked.attempts <= VERIFY_ATTEMPTS + LOST_ATTEMPTS:
                await self._verify(asked)
                return
        except Exception as error:
            if is_transient(error):
                # It is due again when its lease ends.
                log.warning("a WebSub request waits", error=reason_of(error), fold="websub")
                return
            log.exception("a WebSub request cannot be verified", topic=asked.topic, callback=asked.callback)
            if asked.attempts < VERIFY_ATTEMPTS:
                return
        log.error("a WebSub request is dropped", topic=asked.topic, callback=asked.callback)
        with contextlib.suppress(*TRANSIENT):
            await self._pool.execute("DELETE FROM publish.websub_requests WHERE id = $1", asked.id)

    async def _verify(self, asked: SubscriptionRequest) -> None:
        """Verification of intent (section 5.3): a subscriber that made the request echoes the challenge."""
        challenge = secrets.token_urlsafe(24)
        query = {"hub.mode": asked.mode, "hub.topic": asked.topic, "hub.challenge": challenge}
        if asked.mode == "subscribe":
            query["hub.lease_seconds"] = str(asked.lease_s)
        joint = "&" if urlsplit(asked.callback).query else "?"
        answer = await self._outbound.send("GET", f"{asked.callback}{joint}{urlencode(query)}")
        confirmed = answer.ok and hmac.compare_digest(answer.body, challenge.encode())
        refused = answer.status is not None and not confirmed and answer.status < 500
        if not confirmed and not refused and asked.attempts < VERIFY_ATTEMPTS:
            return
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute("DELETE FROM publish.websub_requests WHERE id = $1", asked.id)
            if confirmed:
                await self._apply(connection, asked)
        log.info("WebSub", mode=asked.mode, topic=asked.topic, callback=asked.callback, confirmed=confirmed)

    async def _apply(self, connection: Connection, asked: SubscriptionRequest) -> None:
        if asked.mode == "unsubscribe":
            await connection.execute(
                "DELETE FROM publish.endpoints WHERE kind = 'websub' AND topic = $1 AND url = $2",
                asked.topic, asked.callback,
            )  # fmt: skip
            return
        await connection.execute(
            "INSERT INTO publish.endpoints (id, kind, url, topic, channels, secrets, lease_until) "
            "VALUES ($1, 'websub', $2, $3, $4, $5, now() + make_interval(secs => $6)) "
            "ON CONFLICT (topic, url) WHERE kind = 'websub' DO UPDATE SET secrets = excluded.secrets, state = 'active', "
            "lease_until = excluded.lease_until, failures = 0, failing_since = NULL, retry_at = NULL",
            f"ws_{secrets.token_hex(12)}", asked.callback, asked.topic, [asked.channel],
            [{"secret": asked.secret}] if asked.secret else [], float(asked.lease_s),
        )  # fmt: skip
