"""The processes that make up Slugline, in the order in which copy passes them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """One process: `python -m {package} {command}`."""

    package: str
    command: str
    port_setting: str = "HEALTH_PORT"
    """The setting that says where its HTTP listens."""

    @property
    def name(self) -> str:
        """As in logs: `enrich-text`."""
        return f"{self.package}-{self.command}"


SERVICES = (
    Service("ingest", "api", "INGEST_PORT"),
    Service("ingest", "poll"),
    Service("enrich", "text"),
    Service("enrich", "media"),
    Service("publish", "archive"),
    Service("publish", "cache"),
    Service("publish", "web", "PORT"),
    Service("publish", "push", "PUBLISH_PUSH_PORT"),
)
