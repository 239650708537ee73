"""The HTTP of alerts: readers subscribe, editors order and approve."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.push.alerts.decisions import STATES, Alerts, audience, message_of, newest, ordered_words, shown
from publish.push.alerts.mutes import Mutes, NewMute
from publish.push.alerts.providers import Message
from publish.push.alerts.rules import LOWEST, TOP, Rules, turn_of
from publish.push.alerts.sender import Fanout, had_of, reader_of
from publish.push.alerts.subscriptions import NewSubscription, Subscriptions, Wishes
from publish.push.delivery.keys import Key
from publish.push.delivery.routes import Keyed, answer, model_of, number_of
from publish.representation.position import channels_of
from shared.http.problem import Problem, problem_response
from shared.http.proxies import TrustedProxies
from shared.http.query import check_query
from shared.http.rate import RateLimit
from shared.postgres.pool import Pool

PER_MINUTE = 30


class ReaderRoutes:
    """`/v1/push/subscriptions`: for the site's pages and apps, without a key, from the site's own origin."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        fanout: Fanout,
        *,
        public_key: str,
        site_url: str,
        site_name: str,
        proxies: TrustedProxies,
    ) -> None:
        self._subscriptions = subscriptions
        self._fanout = fanout
        self._public_key = public_key
        self._site_url = site_url
        self._site_name = site_name
        self._proxies = proxies
        self._rate = RateLimit(PER_MINUTE)

    def routes(self) -> list[Route]:
        """Where each is."""
        one = "/v1/push/subscriptions/{subscription_id:int}"
        table: tuple[tuple[str, dict[str, Callable[[Request], Any]]], ...] = (
            ("/v1/push/key", {"GET": self.key}),
            ("/v1/push/subscriptions", {"POST": self.add}),
            (one, {"GET": self.one, "PATCH": self.change, "DELETE": self.remove}),
            (one + "/test", {"POST": self.test}),
        )
        return [Route(path, self._open(acts), methods=[*acts, "OPTIONS"]) for path, acts in table]

    def _open(self, acts: dict[str, Callable[[Request], Any]]) -> Callable[[Request], Any]:
        headers = {
            "Access-Control-Allow-Origin": self._site_url,
            "Access-Control-Allow-Methods": ", ".join([*acts, "OPTIONS"]),
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Access-Control-Max-Age": "600",
            "Vary": "Origin",
        }

        async def endpoint(request: Request) -> Response:
            if request.method == "OPTIONS":
                return Response(None, 204, headers)
            act = acts.get("GET" if request.method == "HEAD" else request.method)
            try:
                check_query(request)
                if act is None:
                    raise Problem(405, "method-not-allowed", f"{request.method} is of no use here")
                response: Response = await act(request)
            except Problem as problem:
                response = problem_response(problem)
            response.headers.update(headers)
            return response

        return endpoint

    def _check_rate(self, request: Request) -> None:
        self._rate.check(self._proxies.client(request.client.host if request.client else "", request.headers.raw))

    @staticmethod
    def _token(request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Problem(401, "key", "the subscription's token is needed", headers={"WWW-Authenticate": "Bearer"})
        return token.strip()

    async def key(self, _: Request) -> Response:
        """What a page subscribes with."""
        return answer({"public_key": self._public_key})

    async def add(self, request: Request) -> Response:
        """Subscribe."""
        self._check_rate(request)
        return answer(await self._subscriptions.add(await model_of(request, NewSubscription)), 201)

    async def one(self, request: Request) -> Response:
        """A reader's own subscription."""
        return answer(await self._subscriptions.shown(request.path_params["subscription_id"], self._token(request)))

    async def change(self, request: Request) -> Response:
        """Other wishes."""
        wishes = await model_of(request, Wishes)
        return answer(
            await self._subscriptions.change(request.path_params["subscription_id"], self._token(request), wishes)
        )

    async def remove(self, request: Request) -> Response:
        """Unsubscribe."""
        await self._subscriptions.remove(request.path_params["subscription_id"], self._token(request))
        return Response(None, 204)

    async def test(self, request: Request) -> Response:
        """Bring a test notification now, and say what the push service answered."""
        self._check_rate(request)
        row = await self._subscriptions.own(request.path_params["subscription_id"], self._token(request))
        title, body = self._site_name, "Alerts work on this device."
        payload = {
            "kind": "test", "tag": "test", "title": title, "body": body, "url": f"{self._site_url}/",
            "timestamp": int(time.time() * 1000),
        }  # fmt: skip
        brought = await self._fanout.bring(
            row, Message(orjson.dumps(payload), title, body, f"{self._site_url}/", "test", 300, "high")
        )
        return answer({"result": brought.result, "status": brought.status, "reason": brought.reason})


class Ordered(BaseModel):
    """An editor's word on an update."""

    model_config = ConfigDict(extra="forbid")

    update_id: str = Field(pattern=r"^[a-z2-7]{26}$")
    level: int = Field(ge=TOP, le=LOWEST)
    title: str | None = Field(default=None, max_length=500)
    body: str | None = Field(default=None, max_length=2000)


class AlertRoutes:
    """`/v1/push/alerts` and `/v1/push/mutes`: for editors, with a key of scope `alerts`; each person has a key of their own."""

    def __init__(self, pool: Pool, alerts: Alerts, rules: Rules, site_url: str) -> None:
        self._pool = pool
        self._keyed = Keyed(pool)
        self._alerts = alerts
        self._rules = rules
        self._site_url = site_url
        self._mutes = Mutes(pool)

    def routes(self) -> list[Route]:
        """Where each is."""
        return [
            self._keyed.route(path, method, "alerts", act)
            for path, method, act in (
                ("/v1/push/alerts", "POST", self.order),
                ("/v1/push/alerts", "GET", self.newest),
                ("/v1/push/alerts/preview", "POST", self.preview),
                ("/v1/push/mutes", "POST", self.mute),
                ("/v1/push/mutes", "GET", self.mutes),
                ("/v1/push/mutes/{mute_id:int}", "DELETE", self.lift),
                ("/v1/push/alerts/{alert_id}", "GET", self.one),
                ("/v1/push/alerts/{alert_id}/approve", "POST", self.approve),
                ("/v1/push/alerts/{alert_id}/reject", "POST", self.reject),
            )
        ]

    async def order(self, request: Request, key: Key) -> Response:
        """Order an alert."""
        ordered = await model_of(request, Ordered)
        shown = await self._alerts.order(
            ordered.update_id, ordered.level, f"{key.name} ({key.id})", words=(ordered.title, ordered.body)
        )
        return answer(shown, 202)

    async def newest(self, request: Request, _: Key) -> Response:
        """Alerts with their state and reason, newest first."""
        state = request.query_params.get("state")
        if state is not None and state not in STATES:
            raise Problem(400, "bad-parameter", f"state: {', '.join(STATES)}", field="state")
        return answer({"alerts": await newest(self._pool, state, number_of(request, "limit", 50, 500) or 50)})

    async def one(self, request: Request, _: Key) -> Response:
        """One alert, its progress and its results."""
        return answer(await shown(self._pool, request.path_params["alert_id"]))

    async def approve(self, request: Request, key: Key) -> Response:
        """One more person's yes."""
        return answer(await self._alerts.approve(request.path_params["alert_id"], f"{key.name} ({key.id})"))

    async def reject(self, request: Request, key: Key) -> Response:
        """One person's no."""
        return answer(await self._alerts.reject(request.path_params["alert_id"], f"{key.name} ({key.id})"))

    async def mute(self, request: Request, key: Key) -> Response:
        """Hold back the alerts of a channel."""
        return answer(await self._mutes.add(await model_of(request, NewMute), f"{key.name} ({key.id})"), 201)

    async def mutes(self, request: Request, _: Key) -> Response:
        """The mutes that hold, or with `ended=true` all of them."""
        ended = request.query_params.get("ended", "false")
        if ended not in ("true", "false"):
            raise Problem(400, "bad-parameter", "ended: true or false", field="ended")
        limit = number_of(request, "limit", 50, 500) or 50
        return answer({"mutes": await self._mutes.all(ended=ended == "true", limit=limit)})

    async def lift(self, request: Request, key: Key) -> Response:
        """End a mute before its time."""
        return answer(await self._mutes.lift(request.path_params["mute_id"], f"{key.name} ({key.id})"))

    async def preview(self, request: Request, _: Key) -> Response:
        """What an order would do, without doing it: the message, how many would get it now, how many later and why."""
        ordered = await model_of(request, Ordered)
        return answer(await preview(self._pool, self._alerts, self._rules, self._site_url, ordered))


async def preview(pool: Pool, alerts: Alerts, rules: Rules, site_url: str, ordered: Ordered) -> dict[str, Any]:
    """The dry run of an order."""
    update = await alerts.candidate(ordered.update_id)
    title, body = ordered_words(update, ordered.title, ordered.body)
    now = datetime.now(UTC)
    alert = {
        "id": "preview", "kind": "alert", "update_id": update.update_id, "revision": update.revision,
        "level": ordered.level, "title": title, "body": body,
        "path": update.path, "created_at": now, "of_alert": None, "channels": sorted(channels_of(update)),
    }  # fmt: skip
    ids = await audience(pool, alert)
    rows = await pool.fetch("SELECT * FROM publish.subscriptions WHERE id = ANY($1)", ids)
    had = await had_of(pool, ids)
    turns = [turn_of(reader_of(row, had), ordered.level, now) for row in rows]
    reasons: dict[str, int] = {}
    for turn in turns:
        if turn.result == "digest":
            reasons[turn.reason] = reasons.get(turn.reason, 0) + 1
    found = rules.level_of(update)
    message = message_of(alert, site_url, rules.ttl_s)
    return {
        "rules_say": {"level": found[0], "reason": found[1]} if found else None,
        "decision": await alerts.would(update, ordered.level),
        "audience": len(ids),
        "now": sum(turn.result == "send" for turn in turns),
        "later": reasons,
        "message": orjson.loads(message.payload),
        "headers": {"TTL": str(message.ttl_s), "Urgency": message.urgency, "Topic": message.topic},
    }
