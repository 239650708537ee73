"""`/v1/push/endpoints`: consumers of webhooks manage their endpoints, with a key."""

from collections.abc import Callable
from datetime import datetime

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.push.delivery.http import KeyedRoutes, body_model, json_response, number_parameter
from publish.push.delivery.keys import Key
from publish.push.webhooks.endpoints import ChangedEndpoint, Endpoints, NewEndpoint
from shared.access.authentication import Authentication
from shared.http.problem import Problem


class Since(BaseModel):
    """From when on what was missed is wanted."""

    since: datetime


class EndpointRoutes:
    """`/v1/push/endpoints`: what a consumer of webhooks does for itself."""

    def __init__(self, keys: Authentication, endpoints: Endpoints, wake: Callable[[], None]) -> None:
        self._keyed = KeyedRoutes(keys)
        self._endpoints = endpoints
        self._wake = wake

    def routes(self) -> list[Route]:
        """Where each is."""
        one = "/v1/push/endpoints/{endpoint_id}"
        return [
            self._keyed.route(path, method, "webhooks", handler)
            for path, method, handler in (
                ("/v1/push/endpoints", "POST", self.add),
                ("/v1/push/endpoints", "GET", self.all),
                (one, "GET", self.one),
                (one, "PATCH", self.change),
                (one, "DELETE", self.remove),
                (one + "/secret", "GET", self.secret),
                (one + "/secret/rotate", "POST", self.rotate),
                (one + "/test", "POST", self.test),
                (one + "/recover", "POST", self.recover),
                (one + "/deliveries", "GET", self.deliveries),
                (one + "/deliveries/{delivery_id:int}/redeliver", "POST", self.redeliver),
            )
        ]

    async def add(self, request: Request, key: Key) -> Response:
        """Subscribe an endpoint."""
        return json_response(await self._endpoints.add(await body_model(request, NewEndpoint), key), 201)

    async def all(self, _: Request, key: Key) -> Response:
        """One's endpoints."""
        return json_response({"endpoints": await self._endpoints.all(key)})

    async def one(self, request: Request, key: Key) -> Response:
        """One endpoint and its health."""
        return json_response(await self._endpoints.one(request.path_params["endpoint_id"], key))

    async def change(self, request: Request, key: Key) -> Response:
        """Change, disable or activate an endpoint."""
        changes = await body_model(request, ChangedEndpoint)
        changed = await self._endpoints.change(request.path_params["endpoint_id"], changes, key)
        self._wake()
        return json_response(changed)

    async def remove(self, request: Request, key: Key) -> Response:
        """End an endpoint."""
        await self._endpoints.remove(request.path_params["endpoint_id"], key)
        return Response(None, 204)

    async def secret(self, request: Request, key: Key) -> Response:
        """The current secret."""
        return json_response({"secret": await self._endpoints.secret(request.path_params["endpoint_id"], key)})

    async def rotate(self, request: Request, key: Key) -> Response:
        """A new secret, with an overlap."""
        return json_response(await self._endpoints.rotate(request.path_params["endpoint_id"], key))

    async def test(self, request: Request, key: Key) -> Response:
        """Queue a test event."""
        queued = await self._endpoints.test(request.path_params["endpoint_id"], key)
        self._wake()
        return json_response(queued, 202)

    async def recover(self, request: Request, key: Key) -> Response:
        """Queue again what was missed since `since`."""
        since = (await body_model(request, Since)).since
        if since.tzinfo is None:
            raise Problem(422, "not-valid", "/since: an offset is needed", field="/since")
        queued = await self._endpoints.recover(request.path_params["endpoint_id"], since, key)
        self._wake()
        return json_response(queued, 202)

    async def deliveries(self, request: Request, key: Key) -> Response:
        """The delivery log."""
        state = request.query_params.get("state")
        if state is not None and state not in ("waiting", "delivered", "failed", "skipped"):
            raise Problem(400, "bad-parameter", "state: waiting, delivered, failed or skipped", field="state")
        limit = number_parameter(request, "limit", 50, 200) or 50
        found = await self._endpoints.deliveries(
            request.path_params["endpoint_id"], key,
            before=number_parameter(request, "before", None, 2**62), state=state, limit=limit,
        )  # fmt: skip
        return json_response({"deliveries": found, "next": found[-1].id if len(found) == limit else None})

    async def redeliver(self, request: Request, key: Key) -> Response:
        """Deliver a message again."""
        delivery_id = request.path_params["delivery_id"]
        if delivery_id > 2**62:
            raise Problem(404, "no-such-delivery", "the log of this endpoint has no such delivery")
        queued = await self._endpoints.redeliver(request.path_params["endpoint_id"], delivery_id, key)
        self._wake()
        return json_response(queued, 202)
