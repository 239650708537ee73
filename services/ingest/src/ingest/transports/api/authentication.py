"""Who sends a request, and whether they may send now."""

import math
from dataclasses import dataclass, field

from starlette.requests import Request

from ingest.intake.deadline import Unavailable
from ingest.intake.receive import Intake
from ingest.settings import Settings
from ingest.sources.rate_limit import SourceRateLimit
from ingest.sources.registry import Registry
from ingest.sources.source import Source
from ingest.transports.api.unauthenticated import UnauthenticatedBodies
from shared.http.problem import Problem


@dataclass
class Api:
    """The collaborators of the handlers."""

    settings: Settings
    registry: Registry
    intake: Intake
    rate_limit: SourceRateLimit
    unauthenticated: UnauthenticatedBodies = field(default_factory=UnauthenticatedBodies)

    async def authenticate(self, request: Request) -> Source:
        """The source whose key the request shows; raises a `Problem` (401) where there is none."""
        key = key_of(request)
        challenge = {"WWW-Authenticate": 'Bearer realm="slugline ingest"'}
        if not key:
            raise Problem(
                401, "key-missing", "send the source's key as 'Authorization: Bearer …' or 'X-API-Key'",
                headers=challenge, field="Authorization",
            )  # fmt: skip
        source = self.registry.cached_source_of_key(key)
        if source is None:
            source = await self.intake.within(self.registry.source_of_key(key, self.intake.pool))
        if source is None:
            if not self.registry.loaded:
                raise Unavailable("the sources are not known yet")
            raise Problem(401, "key-wrong", "the key is not known", headers=challenge, field="Authorization")
        return source

    async def authenticate_sender(self, request: Request) -> Source:
        """The same for a push; raises a `Problem` also where the source may not send now."""
        source = await self.authenticate(request)
        self.check_may_send(source)
        return source

    def check_may_send(self, source: Source) -> None:
        """Raises a `Problem` where the source is paused or sends too fast."""
        if source.paused:
            because = f": {source.paused_because}" if source.paused_because else ""
            raise Problem(403, "source-paused", f"{source.name} is paused{because}", field="source")
        wait_s = self.rate_limit.wait_s(source)
        if wait_s > 0:
            raise Problem(
                429, "too-fast", f"{source.name} may send {source.rate_per_s:g} requests a second",
                headers={"Retry-After": str(math.ceil(wait_s))}, field="source",
            )  # fmt: skip

    def body_limit(self, source: Source) -> int:
        """The largest body that a source may send."""
        return source.body_limit(self.settings.ingest_max_body_bytes)


def key_of(request: Request) -> str:
    """The key that a request shows; empty where it shows none."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "").strip()
