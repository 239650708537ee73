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
from shared.access.authentication import Authentication, WrongKeys
from shared.access.holder import KeyHolder
from shared.http.problem import Problem
from shared.http.proxies import TrustedProxies


@dataclass
class Api:
    """The collaborators of the handlers."""

    settings: Settings
    registry: Registry
    intake: Intake
    rate_limit: SourceRateLimit
    unauthenticated: UnauthenticatedBodies = field(default_factory=UnauthenticatedBodies)
    keys: Authentication = field(init=False)

    def __post_init__(self) -> None:
        wrong = WrongKeys(TrustedProxies.of(self.settings))
        self.keys = Authentication(self.registry.keys, wrong, lambda: self.intake.pool, realm="slugline ingest")

    async def authenticate(self, request: Request, scope: str) -> tuple[Source, KeyHolder]:
        """The source whose key the request shows, and whose key that is.

        Raises a `Problem`: 401 without a right key, 403 where it does not open `scope`, 429 after too many wrong ones.
        """
        shown = self.keys.shown(request)
        found = self.registry.cached(shown)
        if found is None:
            found = await self.intake.within(self.registry.find(shown, self.intake.pool))
            if found is None and not self.registry.loaded:
                raise Unavailable("the sources are not known yet")
        key = self.keys.allowed(request, found[0] if found else None, scope)
        if found is None or found[1] is None:
            raise Problem(403, "no-source", "this key belongs to no source", field="Authorization")
        return found[1], key.by

    async def authenticate_sender(self, request: Request) -> Source:
        """The same for a push; raises a `Problem` also where the source may not send now."""
        source, _ = await self.authenticate(request, "send")
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
