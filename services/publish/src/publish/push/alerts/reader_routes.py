"""`/v1/push/subscriptions`: readers subscribe to alerts, from the site's pages and apps."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from publish.push.alerts.notification import sample_notification
from publish.push.alerts.sending.sender import AlertSender
from publish.push.alerts.subscriptions import NewSubscription, Preferences, Subscriptions
from publish.push.delivery.http import body_model, json_response
from shared.http.problem import Problem, problem_response
from shared.http.proxies import TrustedProxies
from shared.http.query import check_query
from shared.http.rate import RateLimit

Handler = Callable[[Request], Awaitable[Response]]

PER_MINUTE = 30


class ReaderRoutes:
    """`/v1/push/subscriptions`: for the site's pages and apps, without a key, from the site's own origin."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        sender: AlertSender,
        *,
        public_key: str,
        site_url: str,
        site_name: str,
        proxies: TrustedProxies,
    ) -> None:
        self._subscriptions = subscriptions
        self._sender = sender
        self._public_key = public_key
        self._site_url = site_url
        self._site_name = site_name
        self._rate = RateLimit(PER_MINUTE, proxies)

    def routes(self) -> list[Route]:
        """Where each is."""
        one = "/v1/push/subscriptions/{subscription_id:int}"
        table: tuple[tuple[str, Mapping[str, Handler]], ...] = (
            ("/v1/push/key", {"GET": self.key}),
            ("/v1/push/subscriptions", {"POST": self.add}),
            (one, {"GET": self.one, "PATCH": self.change, "DELETE": self.remove}),
            (one + "/test", {"POST": self.test}),
        )
        return [Route(path, self._open(handlers), methods=[*handlers, "OPTIONS"]) for path, handlers in table]

    def _open(self, handlers: Mapping[str, Handler]) -> Handler:
        headers = {
            "Access-Control-Allow-Origin": self._site_url,
            "Access-Control-Allow-Methods": ", ".join([*handlers, "OPTIONS"]),
            "Access-Control-Allow-Headers": "Authorization, Content-Type",
            "Access-Control-Max-Age": "600",
            "Vary": "Origin",
        }

        async def endpoint(request: Request) -> Response:
            if request.method == "OPTIONS":
                return Response(None, 204, headers)
            handler = handlers.get("GET" if request.method == "HEAD" else request.method)
            try:
                check_query(request)
                if handler is None:
                    raise Problem(405, "method-not-allowed", f"{request.method} is of no use here")
                response = await handler(request)
            except Problem as problem:
                response = problem_response(problem)
            response.headers.update(headers)
            return response

        return endpoint

    def _check_rate(self, request: Request) -> None:
        self._rate.check(request)

    @staticmethod
    def _token(request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Problem(401, "key", "the subscription's token is needed", headers={"WWW-Authenticate": "Bearer"})
        return token.strip()

    async def key(self, _: Request) -> Response:
        """What a page subscribes with."""
        return json_response({"public_key": self._public_key})

    async def add(self, request: Request) -> Response:
        """Subscribe."""
        self._check_rate(request)
        return json_response(await self._subscriptions.add(await body_model(request, NewSubscription)), 201)

    async def one(self, request: Request) -> Response:
        """A reader's own subscription."""
        return json_response(
            await self._subscriptions.view(request.path_params["subscription_id"], self._token(request))
        )

    async def change(self, request: Request) -> Response:
        """Change the preferences."""
        preferences = await body_model(request, Preferences)
        return json_response(
            await self._subscriptions.change(request.path_params["subscription_id"], self._token(request), preferences)
        )

    async def remove(self, request: Request) -> Response:
        """Unsubscribe."""
        await self._subscriptions.remove(request.path_params["subscription_id"], self._token(request))
        return Response(None, 204)

    async def test(self, request: Request) -> Response:
        """Send a test notification now, and say what the push service answered."""
        self._check_rate(request)
        subscription = await self._subscriptions.own(request.path_params["subscription_id"], self._token(request))
        notification = sample_notification(self._site_url, self._site_name, datetime.now(UTC))
        sent = await self._sender.send(subscription, notification)
        return json_response({"result": sent.result, "status": sent.status, "reason": sent.reason})
