"""/livez, /readyz and /metrics: how a process is, for orchestrators and operators."""

import contextlib
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from importlib.metadata import version

from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.http.problem import PROBLEM_HANDLERS, Problem
from shared.http.routing import application
from shared.http.server.limits import ServerLimits
from shared.http.server.server import http_server
from shared.settings import Connections

Check = Callable[[], str | None]
"""The reason why a check fails, or None. Cheap and without waiting, since probes come often."""

RELEASE = "RELEASE"
"""The variable that names the release of an image: its tag, or a commit."""


def release() -> str:
    """What this process runs: the package's version, and the image's release where that is named."""
    return "+".join(filter(None, [version("slugline-shared"), os.environ.get(RELEASE, "")[:60]]))


Role = Callable[[], str]
"""What this replica does of shared work: whether it is active or stands by."""


@dataclass
class Health:
    """The checks of a process. A live one would not gain by a restart; a ready one does its work now."""

    service: str
    ready: dict[str, Check] = field(default_factory=dict)
    live: dict[str, Check] = field(default_factory=dict)
    degraded: dict[str, Check] = field(default_factory=dict)
    """What does not work as it should while the process does its work all the same: told, without effect on readiness."""
    roles: dict[str, Role] = field(default_factory=dict)
    """Shown by /livez and /readyz without effect on either: a replica that stands by is ready to take over."""
    draining: bool = False
    version: str = field(default_factory=release)
    started_at: float = field(default_factory=time.monotonic)

    def reasons(self, checks: dict[str, Check]) -> dict[str, str]:
        """The names of the checks that fail, with the reason."""
        return {name: reason for name, check in checks.items() if (reason := check()) is not None}

    def why_not_ready(self) -> dict[str, str]:
        """Empty when ready."""
        why = self.reasons(self.ready) | self.reasons(self.live)
        return why | {"draining": "the process is shutting down"} if self.draining else why


def _answer(health: Health, why: dict[str, str]) -> Response:
    degraded = health.reasons(health.degraded)
    body: dict[str, object] = {
        "service": health.service,
        "version": health.version,
        "status": "failing" if why else "degraded" if degraded else "ok",
        "failing": why,
    }
    if degraded:
        body["degraded"] = degraded
    if health.roles:
        body["roles"] = {name: role() for name, role in health.roles.items()}
    return JSONResponse(body, 200 if not why else 503, {"Cache-Control": "no-store"})


def health_routes(health: Health, before_metrics: Callable[[], Awaitable[None]] | None = None) -> list[Route]:
    """The three routes, for a process that has an HTTP server of its own."""

    async def livez(_: Request) -> Response:
        return _answer(health, health.reasons(health.live))

    async def readyz(_: Request) -> Response:
        return _answer(health, health.why_not_ready())

    async def metrics(request: Request) -> Response:
        """Prometheus's text, or OpenMetrics for who asks for it, which has the exemplars of histograms."""
        if before_metrics is not None:
            await before_metrics()
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(REGISTRY), media_type=content_type)

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]


def open_health_routes(health: Health, settings: Connections) -> list[Route]:
    """The routes of a port that strangers reach: all three, or with `internal_port` no more than whether it is ready.

    What is waited for, versions, sources and counts are nobody's business there.
    """
    if not settings.internal_port:
        return health_routes(health)

    async def readyz(_: Request) -> Response:
        ready = not health.why_not_ready()
        body = {"status": "ok" if ready else "failing"}
        return JSONResponse(body, 200 if ready else 503, {"Cache-Control": "no-store"})

    return [Route("/readyz", readyz)]


@contextlib.asynccontextmanager
async def internal_server(health: Health, settings: Connections) -> AsyncIterator[None]:
    """The internal port while the block runs, where the settings name one."""
    if not settings.internal_port:
        yield
        return
    site = health_app(health)
    async with http_server(site, settings.bind_host, settings.internal_port, ServerLimits.of(settings)):
        yield


def starting_route() -> Route:
    """Answers every other address with 503 while a process waits for its servers."""

    async def starting(_: Request) -> Response:
        raise Problem(503, "starting", "the process waits for Postgres or Kafka", headers={"Retry-After": "5"})

    return Route("/{path:path}", starting, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])


def health_app(health: Health) -> Starlette:
    """The three routes, for a process that serves no other HTTP."""
    return application(health_routes(health), PROBLEM_HANDLERS)


@contextlib.asynccontextmanager
async def health_server(health: Health, settings: Connections, default_port: int) -> AsyncIterator[None]:
    """The health port of a process that serves no other HTTP."""
    port = settings.health_port or default_port
    async with http_server(health_app(health), settings.bind_host, port, ServerLimits.of(settings)):
        yield
