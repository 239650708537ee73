"""The OpenAPI document of the push process, made of its routes and of the models that they take."""

import re
from collections.abc import Iterable

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.keys import WantedPublishKey
from publish.push.alerts.desk_routes import AlertOrder
from publish.push.alerts.mutes import NewMute
from publish.push.alerts.subscriptions import NewSubscription, Preferences
from publish.push.delivery.http import QUERIES, json_response
from publish.push.webhooks.endpoints import ChangedEndpoint, NewEndpoint
from publish.push.webhooks.routes import Since
from shared.access.routes import Revocation, Rotation
from shared.http.openapi import (
    PROBLEM_JSON,
    ApiDescription,
    Content,
    JsonObject,
    Operation,
    Parameter,
    json_content,
)
from shared.http.openapi import (
    document as openapi_document,
)
from shared.http.problem import ProblemDocument
from shared.http.query import check_query

BODIES: dict[tuple[str, str], type[BaseModel]] = {
    ("POST", "/v1/push/endpoints"): NewEndpoint,
    ("PATCH", "/v1/push/endpoints/{endpoint_id}"): ChangedEndpoint,
    ("POST", "/v1/push/endpoints/{endpoint_id}/recover"): Since,
    ("POST", "/v1/push/subscriptions"): NewSubscription,
    ("PATCH", "/v1/push/subscriptions/{subscription_id}"): Preferences,
    ("POST", "/v1/push/alerts"): AlertOrder,
    ("POST", "/v1/push/alerts/preview"): AlertOrder,
    ("POST", "/v1/push/mutes"): NewMute,
    ("POST", "/v1/keys"): WantedPublishKey,
    ("POST", "/v1/keys/{key_id}/rotate"): Rotation,
    ("DELETE", "/v1/keys/{key_id}"): Revocation,
}
OPEN = {"/v1/push/key", "/v1/push/subscriptions", "/websub", "/openapi.json"}
"""What needs neither a key nor a subscription's token."""
SUMMARIES = {
    "/v1/push/key": "The public key that a page subscribes with",
    "/v1/push/subscriptions": "A reader's browser or app subscribes to alerts",
    "/v1/push/subscriptions/{subscription_id}": "A reader's own subscription, opened by its token",
    "/v1/push/subscriptions/{subscription_id}/test": "A test notification now",
    "/v1/push/endpoints": "Webhook endpoints of this key",
    "/v1/push/endpoints/{endpoint_id}": "One endpoint and its health",
    "/v1/push/endpoints/{endpoint_id}/secret": "The current secret",
    "/v1/push/endpoints/{endpoint_id}/secret/rotate": "A new secret; the old one signs beside it for a day",
    "/v1/push/endpoints/{endpoint_id}/test": "A test event",
    "/v1/push/endpoints/{endpoint_id}/recover": "Queue again what was missed since a moment",
    "/v1/push/endpoints/{endpoint_id}/deliveries": "The delivery log: `before`, `state`, `limit`",
    "/v1/push/endpoints/{endpoint_id}/deliveries/{delivery_id}/redeliver": "Deliver a message again, under its id",
    "/v1/push/alerts": "Alerts with their state and reason (`state`, `limit`); order one",
    "/v1/push/alerts/preview": "What an order would do: nothing is sent",
    "/v1/push/alerts/{alert_id}": "One alert, its progress and its results",
    "/v1/push/alerts/{alert_id}/approve": "One more person's yes",
    "/v1/push/alerts/{alert_id}/reject": "One person's no",
    "/v1/push/mutes": "Mutes of alerts that hold (`ended=true`: all, `limit`); mute a story or another channel",
    "/v1/push/mutes/{mute_id}": "End a mute before its time",
    "/v1/keys": "Keys of this service: the live ones (`holder`, `ended=true`: all); make one, which is shown only then",
    "/v1/keys/{key_id}": "End a key now",
    "/v1/keys/{key_id}/rotate": "A key in the place of another, which works for `overlap_s` yet",
    "/v1/push/monitor": "Whether copy is out: each sink, and where the last publishes have come out (`update_id`: those of one)",
    "/websub": "The WebSub hub: a form with hub.mode, hub.topic, hub.callback, hub.lease_seconds, hub.secret",
    "/openapi.json": "This document",
}


REFUSED = Content("Why not (RFC 9457)", {PROBLEM_JSON: ProblemDocument})


def _operation(method: str, path: str) -> Operation:
    body = BODIES.get((method, path))
    return Operation(
        method,
        path,
        SUMMARIES[path],
        {"2XX": Content("Done, or queued"), "4XX": REFUSED},
        [
            *(Parameter(name, "path") for name in re.findall(r"{(\w+)}", path)),
            *(Parameter(name, "query") for name in QUERIES.get((method, path), ())),
        ],
        None if body is None else json_content(body),
        security=() if path in OPEN else ("bearer",),
    )


def document(routes: Iterable[Route], url: str) -> JsonObject:
    """OpenAPI 3.1 of these routes; probes are left out."""
    api = ApiDescription(
        title="Slugline push",
        version="1",
        server=url,
        security_schemes={"bearer": {"type": "http", "scheme": "bearer"}},
    )
    operations = [
        _operation(method, re.sub(r"{(\w+):\w+}", r"{\1}", route.path))
        for route in routes
        for method in sorted((route.methods or set()) - {"HEAD", "OPTIONS"})
    ]
    return openapi_document(api, operations)


def openapi_route(routes: Iterable[Route], url: str) -> Route:
    """`GET /openapi.json`."""
    own = list(routes)

    async def openapi(request: Request) -> Response:
        check_query(request)
        return json_response(made)

    route = Route("/openapi.json", openapi)
    made = document([*own, route], url)
    return route
