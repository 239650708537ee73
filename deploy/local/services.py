"""The processes that make up Slugline, in the order in which copy passes them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """One process: `python -m {package} {command}`."""

    package: str
    command: str
    port_setting: str = "HEALTH_PORT"
    """The setting that says where its HTTP listens."""
    first: bool = False
    """Whether copy needs it to get from a sender to the page; the others may come up a moment later."""

    @property
    def name(self) -> str:
        """As in logs: `enrich-text`."""
        return f"{self.package}-{self.command}"


SERVICES = (
    Service("ingest", "api", "INGEST_PORT", first=True),
    Service("ingest", "poll"),
    Service("ingest", "watch"),
    Service("enrich", "text", first=True),
    Service("enrich", "gather"),
    Service("enrich", "media"),
    Service("publish", "archive", first=True),
    Service("publish", "cache"),
    Service("publish", "web", "PORT", first=True),
    Service("publish", "push", "PUBLISH_PUSH_PORT"),
)
