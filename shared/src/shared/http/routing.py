"""Starlette's routes, without an answer that repeats the `Host` of a request; and an application that can be replaced."""

from collections.abc import Mapping, Sequence
from typing import NoReturn
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, ExceptionHandler, Receive, Scope, Send


def application(
    routes: Sequence[BaseRoute], exception_handlers: Mapping[type[Exception], ExceptionHandler] | None = None
) -> Starlette:
    """An application that redirects an address with a trailing slash to the one without, by a path."""
    every = [_NoOtherMethod(routes), *routes, _NoOtherRoute(routes)]
    return Starlette(routes=every, exception_handlers=exception_handlers)


class _NoOtherMethod(BaseRoute):
    """Answers 405 with every method of the address (RFC 9110, section 15.5.6).

    Starlette's own names those of the first route that has the address. This one stands first: a route that takes the
    request is preferred to it, and it is preferred to those that have the address alone.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._routes = routes

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Part of every HTTP request: the address is looked at when no route takes it."""
        return (Match.PARTIAL if scope["type"] == "http" else Match.NONE), {}

    def url_path_for(self, name: str, /, **_: object) -> NoReturn:
        """It has no address of its own."""
        raise LookupError(name)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        """Refuse the method."""
        known = (each for each in self._routes if isinstance(each, Route))
        found = [each.methods or set() for each in known if each.matches(scope)[0] is not Match.NONE]
        raise HTTPException(405, headers={"Allow": ", ".join(sorted(set[str]().union(*found)))})


class _NoOtherRoute(BaseRoute):
    """Takes every request that no route takes: a redirect, or 404.

    Starlette's own redirect, which is tried after all routes, is to `http://<Host of the request><path>`: in a shared
    cache, that is wherever a stranger likes.
    """

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        self._routes = routes

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Every HTTP request whose address no route has, whatever the method."""
        if scope["type"] != "http" or any(route.matches(scope)[0] is not Match.NONE for route in self._routes):
            return Match.NONE, {}
        return Match.FULL, {}

    def url_path_for(self, name: str, /, **_: object) -> NoReturn:
        """There is no such address."""
        raise LookupError(name)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Redirect to the address without the slash, if a route has it."""
        path = scope["path"]
        # One leading slash: `//host/` would be another site's address.
        wanted = "/" + path.strip("/")
        may_redirect = scope["method"] in ("GET", "HEAD") and path.endswith("/") and wanted != "/"
        if may_redirect and any(route.matches({**scope, "path": wanted})[0] is Match.FULL for route in self._routes):
            query = scope["query_string"].decode("ascii", "replace")
            location = quote(wanted) + (f"?{query}" if query else "")
            await RedirectResponse(location, 307)(scope, receive, send)
            return
        raise HTTPException(404)


class Replaceable:
    """An ASGI application in whose place another is put while the port is served: a process that starts has few routes."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        await self.app(scope, receive, send)
