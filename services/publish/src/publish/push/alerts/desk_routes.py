"""`/v1/push/alerts` and `/v1/push/mutes`: editors order, approve and mute alerts, with a key."""

from collections import Counter
from datetime import UTC, datetime

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.push.alerts.alert import STATES, audience, newest, with_results
from publish.push.alerts.decisions import AlertDecisions
from publish.push.alerts.mutes import Mutes, NewMute
from publish.push.alerts.notification import AlertContent, notification_of, ordered_wording
from publish.push.alerts.rules import LOWEST, TOP, AlertRules, decide_for_reader
from publish.push.alerts.subscriptions import find, reader_of, recent_counts
from publish.push.delivery.http import KeyedRoutes, body_model, json_response, number_parameter
from publish.push.delivery.keys import Key
from publish.representation.position import channels_of
from shared.access.authentication import Authentication
from shared.http.problem import Problem
from shared.postgres.pool import Pool


class AlertOrder(BaseModel):
    """An editor's order to alert readers to an update."""

    model_config = ConfigDict(extra="forbid")

    update_id: str = Field(pattern=r"^[a-z2-7]{26}$")
    level: int = Field(ge=TOP, le=LOWEST)
    title: str | None = Field(default=None, max_length=500)
    body: str | None = Field(default=None, max_length=2000)


class DeskRoutes:
    """`/v1/push/alerts` and `/v1/push/mutes`: for editors, with a key of scope `alerts`; each person has a key of their own."""

    def __init__(
        self, pool: Pool, keys: Authentication, decisions: AlertDecisions, rules: AlertRules, site_url: str
    ) -> None:
        self._pool = pool
        self._keyed = KeyedRoutes(keys)
        self._decisions = decisions
        self._rules = rules
        self._site_url = site_url
        self._mutes = Mutes(pool)

    def routes(self) -> list[Route]:
        """Where each is."""
        return [
            self._keyed.route(path, method, "alerts", handler)
            for path, method, handler in (
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
        ordered = await body_model(request, AlertOrder)
        alert = await self._decisions.order(
            ordered.update_id, ordered.level, key.signature, words=(ordered.title, ordered.body), author=key.author
        )
        return json_response(alert, 202)

    async def newest(self, request: Request, _: Key) -> Response:
        """Alerts with their state and reason, newest first."""
        state = request.query_params.get("state")
        if state is not None and state not in STATES:
            raise Problem(400, "bad-parameter", f"state: {', '.join(STATES)}", field="state")
        return json_response(
            {"alerts": await newest(self._pool, state, number_parameter(request, "limit", 50, 500) or 50)}
        )

    async def one(self, request: Request, _: Key) -> Response:
        """One alert, its progress and its results."""
        return json_response(await with_results(self._pool, request.path_params["alert_id"]))

    async def approve(self, request: Request, key: Key) -> Response:
        """One more person's yes."""
        return json_response(await self._decisions.approve(request.path_params["alert_id"], key.signature, key.author))

    async def reject(self, request: Request, key: Key) -> Response:
        """One person's no."""
        return json_response(await self._decisions.reject(request.path_params["alert_id"], key.signature, key.author))

    async def mute(self, request: Request, key: Key) -> Response:
        """Hold back the alerts of a channel."""
        return json_response(await self._mutes.add(await body_model(request, NewMute), key.signature, key.author), 201)

    async def mutes(self, request: Request, _: Key) -> Response:
        """The mutes that hold, or with `ended=true` all of them."""
        ended = request.query_params.get("ended", "false")
        if ended not in ("true", "false"):
            raise Problem(400, "bad-parameter", "ended: true or false", field="ended")
        limit = number_parameter(request, "limit", 50, 500) or 50
        return json_response({"mutes": await self._mutes.all(ended=ended == "true", limit=limit)})

    async def lift(self, request: Request, key: Key) -> Response:
        """End a mute before its time."""
        return json_response(await self._mutes.lift(request.path_params["mute_id"], key.signature, key.author))

    async def preview(self, request: Request, _: Key) -> Response:
        """What an order would do, without doing it: the notification, how many would get it now, how many later and why."""
        ordered = await body_model(request, AlertOrder)
        return json_response(await preview(self._pool, self._decisions, self._rules, self._site_url, ordered))


async def preview(
    pool: Pool, decisions: AlertDecisions, rules: AlertRules, site_url: str, ordered: AlertOrder
) -> dict[str, object]:
    """The dry run of an order."""
    update = await decisions.candidate(ordered.update_id)
    title, body = ordered_wording(update, ordered.title, ordered.body)
    now = datetime.now(UTC)
    alert = AlertContent(
        id="preview", kind="alert", update_id=update.update_id, revision=update.revision, level=ordered.level,
        title=title, body=body, path=update.path, created_at=now,
    )  # fmt: skip
    ids = await audience(pool, sorted(channels_of(update)), None)
    counts = await recent_counts(pool, ids)
    readers = [reader_of(subscription, counts) for subscription in await find(pool, ids)]
    per_reader = [decide_for_reader(reader, ordered.level, now) for reader in readers]
    found = rules.level_of(update)
    decision = await decisions.preview(update, ordered.level)
    notification = notification_of(alert, site_url, rules.ttl_s)
    return {
        "rules_say": {"level": found[0], "reason": found[1]} if found else None,
        "decision": {"state": decision.state, "reason": decision.reason},
        "audience": len(ids),
        "now": sum(each.result == "send" for each in per_reader),
        "later": Counter(each.reason for each in per_reader if each.result == "digest"),
        "message": orjson.Fragment(notification.payload),
        "headers": {"TTL": str(notification.ttl_s), "Urgency": notification.urgency, "Topic": notification.topic},
    }
