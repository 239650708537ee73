"""Starlette's routes, without an answer that repeats the `Host` of a request."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import BaseRoute, Match, Router
from starlette.types import ASGIApp, Receive, Scope, Send


def application(routes: Sequence[BaseRoute], exception_handlers: Mapping[Any, Any] | None = None) -> Starlette:
    """An application that sends an address with a slash too many to the one without, by a path.

    Starlette's own redirect is to `http://<Host of the request><path>`: in a shared cache, wherever a stranger likes.
    """
    app = Starlette(routes=routes, exception_handlers=exception_handlers)
    app.router.redirect_slashes = False
    app.router.default = _without_slash(app.router, app.router.default)
    return app


def _without_slash(router: Router, otherwise: ASGIApp) -> ASGIApp:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        # One leading slash: `//host/` would be another site's address.
        wanted = "/" + path.strip("/")
        found = scope["type"] == "http" and scope["method"] in ("GET", "HEAD") and path.endswith("/") and wanted != "/"
        if found and any(route.matches({**scope, "path": wanted})[0] is Match.FULL for route in router.routes):
            query = scope["query_string"].decode("ascii", "replace")
            location = quote(wanted) + (f"?{query}" if query else "")
            await RedirectResponse(location, 307)(scope, receive, send)
            return
        await otherwise(scope, receive, send)

    return answer
