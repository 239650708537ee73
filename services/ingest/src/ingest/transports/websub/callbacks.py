"""The address at which hubs verify subscriptions and to which they send what feeds publish; part of `ingest api`."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from ingest.intake import originals
from ingest.intake.deadline import Unavailable
from ingest.intake.receipt import DocumentRejected
from ingest.intake.receive import Intake
from ingest.settings import Settings
from ingest.sources.registry import Registry
from ingest.sources.source import Source
from ingest.transports.websub.subscriptions import LEASE_S, Subscription, is_signed, subscription_from
from shared.http.problem import Problem

log = structlog.get_logger(__name__)

TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass
class HubCallbacks:
    """Answers hubs."""

    settings: Settings
    registry: Registry
    intake: Intake

    def routes(self) -> tuple[BaseRoute, ...]:
        """The two routes, for the application of `ingest api`."""
        path = "/v1/websub/{token}"
        return (Route(path, self.verify, methods=["GET"]), Route(path, self.receive, methods=["POST"]))

    async def verify(self, request: Request) -> Response:
        """Verification of intent (WebSub, section 5.3), and denial (5.2)."""
        query = request.query_params
        mode = query.get("hub.mode")
        if mode == "unsubscribe":
            return await self._verify_unsubscription(request)
        subscription, _ = await self._find(request)
        if query.get("hub.topic") != subscription.topic:
            raise Problem(404, "other-topic", "this is not what we asked for", field="hub.topic")
        if mode == "denied":
            reason = query.get("hub.reason", "").replace("\x00", "")[:500]
            await self._write(subscription, "state = 'denied', lease_until = NULL, error = $2", f"denied: {reason}")
            log.error("hub denies the subscription; the feed is polled", source=subscription.source, reason=reason)
            return Response(status_code=204)
        challenge = query.get("hub.challenge")
        if mode != "subscribe" or not challenge:
            raise _not_requested()
        lease_s = _lease_s(query)
        await self._write(
            subscription,
            "state = 'active', error = '', lease_s = $2::integer, lease_until = now() + make_interval(secs => $2::integer)",
            lease_s,
        )
        log.info("hub has subscribed us", source=subscription.source, hub=subscription.hub, lease_s=lease_s)
        return _echo(challenge)

    async def _verify_unsubscription(self, request: Request) -> Response:
        """Confirm that a subscription is to end, as often as the hub asks; one that we still want is not ended."""
        token, challenge = request.path_params["token"], request.query_params.get("hub.challenge")
        topic = request.query_params.get("hub.topic", "")
        if not challenge or not TOKEN.fullmatch(token) or "\x00" in topic:
            raise _not_requested()
        source = await self.intake.within(
            self.intake.postgres().fetchval(
                "UPDATE ingest.unsubscriptions SET ended_at = coalesce(ended_at, now()), error = '' "
                "WHERE token = $1 AND topic = $2 RETURNING source",
                token,
                topic,
            )
        )
        if source is None:
            raise _not_requested()
        log.info("hub has ended the subscription", source=source, topic=topic)
        return _echo(challenge)

    async def receive(self, request: Request) -> Response:
        """Content distribution (WebSub, section 7). What is not signed with our secret is acknowledged and thrown away."""
        subscription, source = await self._find(request)
        if source.paused:
            raise Problem(503, "source-paused", "nothing is taken for now", headers={"Retry-After": "600"})
        limit = source.body_limit(self.settings.ingest_max_body_bytes)
        body = await read_body(request, limit, self.settings.ingest_body_timeout_s, may_be_empty=True)
        if not is_signed(body, request.headers.get("x-hub-signature", ""), subscription.secret):
            self.intake.statistics.record_rejection(source.name, "bad-signature")
            log.warning("content without our signature thrown away", source=source.name)
            return Response(status_code=202)
        if not body.strip():
            # A hub that asks whether we are there. Nothing is lost: the feed is polled all the same.
            self.intake.statistics.record_contact(source.name)
            return Response(status_code=202)
        try:
            # Only what is signed has a turn: nobody else may hold up a source's documents.
            with self.intake.turns.take(source.name) as turn:
                receipt = await self.intake.take(
                    source,
                    body,
                    content_type=request.headers.get("content-type"),
                    transport="websub",
                    headers={"link": request.headers.get("link", "")},
                    again=await self._was_received_before(source, body),
                    turn=turn,
                )
        except DocumentRejected:
            # It is kept and counted. The hub is not told, since it could only send the same bytes again.
            return Response(status_code=202)
        if receipt.count("error"):
            raise Unavailable("Kafka does not answer")
        return Response(status_code=202)

    async def _was_received_before(self, source: Source, body: bytes) -> bool:
        """Whether these very bytes came before, so that they may be a replay.

        WebSub signs the body alone, without time or id, so a signature proves nothing the second time. What was emitted of
        these bytes is not emitted again. The feed itself is polled soon, in case its source really went back to them.
        """
        pool = self.intake.postgres()
        sha256 = hashlib.sha256(body).hexdigest()
        if not await self.intake.within(originals.was_received_before(pool, source.name, sha256)):
            return False
        log.info("hub sends what it has sent before; the feed is polled", source=source.name)
        await self.intake.within(
            pool.execute(
                "UPDATE ingest.cursors SET etag = NULL, last_modified = NULL, sha256 = NULL, next_at = least(next_at, "
                "greatest(now(), coalesce(polled_at, now()) + make_interval(secs => $2))) WHERE source = $1",
                source.name,
                float(source.min_interval_s or self.settings.ingest_poll_min_interval_s),
            )
        )
        return True

    async def _find(self, request: Request) -> tuple[Subscription, Source]:
        token = request.path_params["token"]
        subscription = source = None
        if TOKEN.fullmatch(token):
            pool = self.intake.postgres()
            row = await self.intake.within(pool.fetchrow("SELECT * FROM ingest.subscriptions WHERE token = $1", token))
            subscription = subscription_from(row)
            if subscription is not None:
                source = await self.intake.within(self.registry.source_named(subscription.source, pool))
        if subscription is None or source is None:
            raise Problem(410, "unknown-subscription", "we no longer listen here")
        return subscription, source

    async def _write(self, subscription: Subscription, change: str, value: str | int) -> None:
        await self.intake.within(
            self.intake.postgres().execute(
                f"UPDATE ingest.subscriptions SET {change} WHERE token = $1",  # noqa: S608 -- changes are ours
                subscription.token,
                value,
            )
        )


def _not_requested() -> Problem:
    return Problem(404, "not-asked", "we have asked for no such thing", field="hub.mode")


def _echo(challenge: str) -> Response:
    # Plain text that browsers must not interpret: the challenge is whatever the caller wrote.
    return PlainTextResponse(challenge, headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"})


def _lease_s(query: Mapping[str, str]) -> int:
    given = query.get("hub.lease_seconds", "")
    return min(max(int(given[:9]), 60), 365 * 86_400) if given.isascii() and given.isdigit() else LEASE_S
